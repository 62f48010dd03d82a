// How things look: a colour and a shape for each class, a line for each basis.
//
// Colours are Okabe and Ito's, which people with any colour vision tell apart; a shape goes with
// each, so that no difference rests on colour alone.

import look from "../../../static/look.json";
import type { Basis } from "../types.ts";

export type Shape = "circle" | "square" | "diamond" | "triangle" | "wedge" | "pentagon" | "hexagon" | "star" | "bar";

export interface ClassStyle {
  colour: string;
  shape: Shape;
}

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d3b", "#7a7f87"] as const;
const SHAPES: readonly Shape[] = ["circle", "square", "diamond", "triangle", "wedge", "pentagon", "hexagon", "star", "bar"];

const GREY = "#7a7f87";

// Also read by the notebook, which draws still pictures of its own.
const KNOWN = look.classes as Readonly<Record<string, ClassStyle>>;

/** Returns the look of a class; one that is not known keeps the same look everywhere. */
export function styleOf(type: string | null): ClassStyle {
  if (type === null || type === "") return { colour: GREY, shape: "circle" };
  const known = KNOWN[type];
  if (known) return known;
  let hash = 7;
  for (const character of type) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  const colour = COLOURS[hash % COLOURS.length] ?? GREY;
  return { colour, shape: SHAPES[(hash >>> 8) % SHAPES.length] ?? "circle" };
}

/** The dash pattern of each basis, in pixels: said is a whole line. */
export const DASHES: Readonly<Record<Basis, readonly number[]>> = {
  said: look.lines.said.dash,
  judged: look.lines.judged.dash,
  inferred: look.lines.inferred.dash,
  reference: look.lines.reference.dash,
};

/** Reference is a whole line too, but thin and pale: background, which nobody says. */
export function lineOf(basis: Basis): { width: number; pale: boolean } {
  return { width: look.lines[basis].width, pale: basis === "reference" };
}

/** The corners of a shape around 0, 0; null for a circle. */
export function corners(shape: Shape, r: number): [number, number][] | null {
  switch (shape) {
    case "circle":
      return null;
    case "square":
      return around([[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]], r);
    case "bar":
      return around([[-1.1, -0.55], [1.1, -0.55], [1.1, 0.55], [-1.1, 0.55]], r);
    case "diamond":
      return regular(4, r * 1.15, -90);
    case "triangle":
      return regular(3, r * 1.25, -90);
    case "wedge":
      return regular(3, r * 1.25, 90);
    case "pentagon":
      return regular(5, r * 1.08, -90);
    case "hexagon":
      return regular(6, r * 1.05, 0);
    case "star":
      return star(r * 1.3);
  }
}

function around(points: readonly (readonly [number, number])[], r: number): [number, number][] {
  return points.map(([x, y]) => [x * r, y * r]);
}

function regular(count: number, r: number, first: number): [number, number][] {
  return Array.from({ length: count }, (_, i) => polar(r, first + (360 * i) / count));
}

function star(r: number): [number, number][] {
  return Array.from({ length: 10 }, (_, i) => polar(i % 2 ? r * 0.5 : r, -90 + 36 * i));
}

function polar(r: number, degrees: number): [number, number] {
  const angle = (degrees * Math.PI) / 180;
  return [r * Math.cos(angle), r * Math.sin(angle)];
}

/** The colours of a drawing besides those of classes. */
export interface Theme {
  paper: string;
  ink: string;
  faint: string;
  line: string;
  pale: string;
  accent: string;
}

export const LIGHT: Theme = {
  paper: "#ffffff",
  ink: "#1c2430",
  faint: "#5b6675",
  line: "#6d7785",
  pale: "#b9c0ca",
  accent: "#7a1fa2",
};

export const DARK: Theme = {
  paper: "#14181f",
  ink: "#e8ecf2",
  faint: "#a3adba",
  line: "#8a94a3",
  pale: "#4a5361",
  accent: "#d9a6ff",
};
