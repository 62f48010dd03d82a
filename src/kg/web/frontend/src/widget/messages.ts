// Asks the kernel of a notebook: a message has a number, the reply has the same.

import { ProblemError } from "../api.ts";
import type { Source } from "../graph/source.ts";
import type { Direction, Link, LinkDetail, Neighbours, Problem, Subgraph } from "../types.ts";
import type { AnyModel } from "./anywidget.ts";

interface Reply {
  id: string;
  answer?: unknown;
  problem?: Problem;
}

interface Waiting {
  resolve: (answer: never) => void;
  reject: (error: Error) => void;
}

export class MessageSource implements Source {
  private readonly waiting = new Map<string, Waiting>();
  private asked = 0;
  // Several views of one model hear every reply; each takes its own.
  private readonly mark = Math.random().toString(36).slice(2);

  constructor(private readonly model: AnyModel) {
    model.on("msg:custom", this.heard);
  }

  neighbours(entity: string, page?: { link: string; direction: Direction; limit: number }): Promise<Neighbours> {
    return this.ask("neighbours", { entity, ...(page ?? { limit: 1 }) });
  }

  subgraph(entities: readonly string[]): Promise<Subgraph> {
    return this.ask("subgraph", { entities });
  }

  link({ from, link, to }: Link): Promise<LinkDetail> {
    return this.ask("link", { from, link, to });
  }

  close(): void {
    this.model.off("msg:custom", this.heard);
    for (const { reject } of this.waiting.values()) reject(new Error("The view was closed."));
    this.waiting.clear();
  }

  private ask<T>(question: string, parameters: object): Promise<T> {
    this.asked += 1;
    const id = `${this.mark}-${this.asked}`;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.model.send({ id, ask: question, parameters });
    });
  }

  private readonly heard = (content: unknown): void => {
    const { id, answer, problem } = content as Reply;
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    this.waiting.delete(id);
    if (problem) waiting.reject(new ProblemError(problem));
    else waiting.resolve(answer as never);
  };
}
