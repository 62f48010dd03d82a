import assert from "node:assert/strict";
import { test } from "node:test";
import { ProblemError } from "../src/api.ts";
import type { AnyModel } from "../src/widget/anywidget.ts";
import { MessageSource } from "../src/widget/messages.ts";

interface Sent {
  id: string;
  ask: string;
  parameters: Record<string, unknown>;
}

/** A model whose kernel answers when it is told to. */
function notebook(): { model: AnyModel; sent: Sent[]; reply: (content: unknown) => void } {
  const sent: Sent[] = [];
  const listeners = new Set<(content: unknown) => void>();
  const model: AnyModel = {
    get: () => undefined,
    set: () => undefined,
    save_changes: () => undefined,
    send: (content) => sent.push(content as Sent),
    on: (_, heard) => listeners.add(heard),
    off: (_, heard) => listeners.delete(heard),
  };
  return { model, sent, reply: (content) => listeners.forEach((heard) => heard(content)) };
}

test("replies that come out of order reach those who asked", async () => {
  const { model, sent, reply } = notebook();
  const source = new MessageSource(model);
  const [first, second] = [source.neighbours("a"), source.neighbours("b")];
  for (const { id, parameters } of [...sent].reverse()) reply({ id, answer: { total: parameters["entity"] } });
  assert.deepEqual([(await first).total, (await second).total], ["a", "b"]);
});

test("a problem is an error with the kernel's own words", async () => {
  const { model, sent, reply } = notebook();
  const asked = new MessageSource(model).link({ from: "a", link: "l", to: "b", label: "", basis: "said", origins: [] });
  reply({ id: sent[0]?.id, problem: { title: "Unknown name", status: 400, detail: "no such link" } });
  await assert.rejects(asked, (error) => error instanceof ProblemError && error.message === "no such link");
});

test("of two views of one model each takes its own replies", async () => {
  const { model, sent, reply } = notebook();
  const [one, two] = [new MessageSource(model), new MessageSource(model)];
  const asked = [one.subgraph(["a"]), two.subgraph(["b"])];
  for (const { id, parameters } of sent) reply({ id, answer: { entities: parameters["entities"] } });
  assert.deepEqual((await Promise.all(asked)).map((found) => found.entities), [["a"], ["b"]]);
});

test("a view that is closed waits for nothing", async () => {
  const { model } = notebook();
  const source = new MessageSource(model);
  const asked = source.subgraph([]);
  source.close();
  await assert.rejects(asked, /closed/);
});
