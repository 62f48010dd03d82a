// Asks the worker for positions; where there can be no worker, computes them between frames.

import { arranged, type LayoutRequest } from "./arrange.ts";
import type { Point } from "./camera.ts";
import type { Shown } from "./model.ts";
import { wrapped } from "./labels.ts";

interface Reply {
  number: number;
  at: Float64Array;
  done: boolean;
}

export type MakeWorker = () => Worker;

export interface Arrangement {
  kind: "force" | "layered";
  /** In layers: which node stands left of which, whatever the direction of the link. */
  flow?: readonly (readonly [string, string])[];
}

export class Layout {
  readonly positions = new Map<string, Point>();
  private worker: Worker | null = null;
  private number = 0;
  private asked: LayoutRequest | null = null;
  private heard: (done: boolean) => void = () => undefined;

  constructor(makeWorker: MakeWorker) {
    try {
      this.worker = makeWorker();
      this.worker.onmessage = ({ data }: MessageEvent<Reply>) => this.take(data);
      this.worker.onerror = () => this.goOnAlone();
    } catch {
      this.worker = null;
    }
  }

  /** Moves everything to where it should stand; `heard` is called as positions improve. */
  run(shown: Shown, arrangement: Arrangement, heard: (done: boolean) => void): void {
    this.number += 1;
    this.heard = heard;
    this.place(shown);
    const request = this.request(shown, arrangement);
    this.asked = request;
    if (this.worker) this.worker.postMessage(request);
    else this.compute(request);
  }

  stop(): void {
    this.worker?.terminate();
    this.worker = null;
    this.number += 1;
  }

  /** A worker that a browser's policy stops, stops only after it was made. */
  private goOnAlone(): void {
    this.worker = null;
    if (this.asked) this.compute(this.asked);
  }

  private compute(request: LayoutRequest): void {
    const steps = arranged(request);
    const advance = (): void => {
      if (request.number !== this.number) return;
      const { value, done } = steps.next();
      this.take({ number: request.number, at: value, done: done === true });
      if (!done) setTimeout(advance);
    };
    setTimeout(advance);
  }

  private take({ number, at, done }: Reply): void {
    if (number !== this.number) return;
    this.asked?.ids.forEach((id, i) => this.positions.set(id, { x: at[2 * i] ?? 0, y: at[2 * i + 1] ?? 0 }));
    this.heard(done);
  }

  /** Puts what is new beside what it hangs on, always in the same place, so that a view comes back as it was. */
  private place(shown: Shown): void {
    for (const [id, point] of shown.pins) this.positions.set(id, point);
    const beside = new Map<string, string>();
    for (const { from, to } of shown.links) {
      if (this.positions.has(from) && !beside.has(to)) beside.set(to, from);
      if (this.positions.has(to) && !beside.has(from)) beside.set(from, to);
    }
    const all = [...shown.nodes.map((node) => node.iri), ...shown.groups.map((group) => group.id)];
    const groups = new Map(shown.groups.map((group) => [group.id, group.node]));
    all.forEach((id, i) => {
      if (this.positions.has(id)) return;
      const anchor = this.positions.get(groups.get(id) ?? beside.get(id) ?? "") ?? { x: 0, y: 0 };
      // The golden angle spreads them evenly, however many come.
      const [angle, distance] = [i * 2.39996, 60 + 12 * Math.sqrt(i)];
      this.positions.set(id, { x: anchor.x + distance * Math.cos(angle), y: anchor.y + distance * Math.sin(angle) });
    });
  }

  private request(shown: Shown, { kind, flow }: Arrangement): LayoutRequest {
    const ids = [...shown.nodes.map((node) => node.iri), ...shown.groups.map((group) => group.id)];
    const number = new Map(ids.map((id, i) => [id, i]));
    const ties = kind === "layered" && flow ? flow : shown.links.map(({ from, to }) => [from, to] as const);
    const held = shown.groups.map((group) => [group.node, group.id] as const);
    const pairs = [...ties, ...held].flatMap(([from, to]): [number, number][] => {
      const [i, j] = [number.get(from), number.get(to)];
      return i === undefined || j === undefined ? [] : [[i, j]];
    });
    const labels = new Map(shown.nodes.map((node) => [node.iri, wrapped(node.label)]));
    return {
      number: this.number,
      kind,
      ids,
      at: Float64Array.from(ids.flatMap((id) => [this.positions.get(id)?.x ?? 0, this.positions.get(id)?.y ?? 0])),
      radius: Float64Array.from(ids, () => 12),
      fixed: ids.map((id) => shown.pins.has(id)),
      pairs,
      widths: ids.map((id) => 40 + 7 * Math.max(0, ...(labels.get(id) ?? []).map((line) => line.length))),
    };
  }
}
