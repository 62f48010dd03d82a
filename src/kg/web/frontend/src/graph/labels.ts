// Labels that do not overlap: each is put where there is room, the important first, or left out.

import type { Box } from "./camera.ts";

export interface LabelWish {
  id: string;
  x: number;
  y: number;
  /** How far from the middle the label must keep. */
  radius: number;
  lines: string[];
  width: number;
  height: number;
}

export interface PlacedLabel extends LabelWish {
  box: Box;
  align: "left" | "right" | "center";
}

/** Boxes that are taken, in cells so that a look at one place is quick. */
export class Taken {
  private readonly cells = new Map<string, Box[]>();

  constructor(private readonly cell = 80) {}

  add(box: Box): void {
    for (const key of this.keys(box)) {
      const list = this.cells.get(key);
      if (list) list.push(box);
      else this.cells.set(key, [box]);
    }
  }

  isFree(box: Box, except?: Box): boolean {
    for (const key of this.keys(box)) {
      for (const other of this.cells.get(key) ?? []) if (other !== except && overlap(box, other)) return false;
    }
    return true;
  }

  private *keys({ x, y, width, height }: Box): Generator<string> {
    for (let i = Math.floor(x / this.cell); i <= Math.floor((x + width) / this.cell); i++) {
      for (let j = Math.floor(y / this.cell); j <= Math.floor((y + height) / this.cell); j++) yield `${i} ${j}`;
    }
  }
}

export function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** A part of a line: x and y of its two ends. */
export type Stroke = readonly [number, number, number, number];

/**
 * Returns the labels for which there is room within a picture, in the order of their importance; each
 * on the side of its thing where it covers fewest lines.
 */
export function placed(wishes: readonly LabelWish[], taken: Taken, width: number, height: number, lines: readonly Stroke[] = []): PlacedLabel[] {
  const found: PlacedLabel[] = [];
  for (const wish of wishes) {
    if (wish.x < 0 || wish.x > width || wish.y < 0 || wish.y > height) continue;
    // A label that the edge cuts off tells less than none.
    const free = sides(wish).filter(
      ([box]) => box.x >= 2 && box.x + box.width <= width - 2 && box.y >= 0 && box.y + box.height <= height && taken.isFree(box),
    );
    const covered = free.map(([box]) => lines.filter((line) => crosses(line, box)).length);
    const best = free[covered.indexOf(Math.min(...covered))];
    if (!best) continue;
    const [box, align] = best;
    taken.add(box);
    found.push({ ...wish, box, align });
  }
  return found;
}

/** Tells whether a line runs through a box (Liang and Barsky). */
export function crosses([x1, y1, x2, y2]: Stroke, { x, y, width, height }: Box): boolean {
  let [enters, leaves] = [0, 1];
  const [dx, dy] = [x2 - x1, y2 - y1];
  for (const [step, room] of [
    [-dx, x1 - x],
    [dx, x + width - x1],
    [-dy, y1 - y],
    [dy, y + height - y1],
  ] as const) {
    if (step === 0 && room < 0) return false;
    if (step < 0) enters = Math.max(enters, room / step);
    if (step > 0) leaves = Math.min(leaves, room / step);
  }
  return enters <= leaves;
}

function sides({ x, y, radius, width, height }: LabelWish): [Box, PlacedLabel["align"]][] {
  const gap = radius + 4;
  const size = { width, height };
  return [
    [{ x: x + gap, y: y - height / 2, ...size }, "left"],
    [{ x: x - width / 2, y: y + gap, ...size }, "center"],
    [{ x: x - gap - width, y: y - height / 2, ...size }, "right"],
    [{ x: x - width / 2, y: y - gap - height, ...size }, "center"],
  ];
}

/** Returns a label in at most two lines, cut with an ellipsis where it is longer. */
export function wrapped(label: string, most = 26): string[] {
  if (label.length <= most) return [label];
  const words = label.split(" ");
  let first = words.shift() ?? "";
  while (words[0] !== undefined && first.length + 1 + words[0].length <= most) first += ` ${words.shift()}`;
  const rest = words.join(" ");
  if (first.length > most) return [`${first.slice(0, most - 1)}…`];
  if (rest === "") return [first];
  return [first, rest.length <= most ? rest : `${rest.slice(0, most - 1).trimEnd()}…`];
}
