// How things look: a colour and a shape for each class, a line for each basis.
//
// Colours are Okabe and Ito's, which people with any colour vision tell apart; a shape goes with
// each, so that no difference rests on colour alone.

import type { Basis } from "../types.ts";

export type Shape = "circle" | "square" | "diamond" | "triangle" | "wedge" | "pentagon" | "hexagon" | "star" | "bar";

export interface ClassStyle {
  colour: string;
  shape: Shape;
}

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d3b", "#7a7f87"] as const;
const SHAPES: readonly Shape[] = ["circle", "square", "diamond", "triangle", "wedge", "pentagon", "hexagon", "star", "bar"];

const [BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, BROWN, GREY] = COLOURS;

const KNOWN: Readonly<Record<string, ClassStyle>> = {
  "pev:Theme": { colour: BLUE, shape: "circle" },
  "pev:Barrier": { colour: VERMILION, shape: "wedge" },
  "pev:Enabler": { colour: GREEN, shape: "triangle" },
  "pev:Recommendation": { colour: ORANGE, shape: "square" },
  "pev:KeyMessage": { colour: PINK, shape: "star" },
  "pev:Finding": { colour: PINK, shape: "diamond" },
  "pev:Position": { colour: PINK, shape: "pentagon" },
  "pev:Commitment": { colour: GREEN, shape: "square" },
  "pev:Outcome": { colour: GREEN, shape: "hexagon" },
  "pev:Initiative": { colour: SKY, shape: "hexagon" },
  "pev:StakeholderGroup": { colour: SKY, shape: "pentagon" },
  "org:Organization": { colour: BROWN, shape: "square" },
  "org:Role": { colour: BROWN, shape: "diamond" },
  "org:Membership": { colour: GREY, shape: "bar" },
  "foaf:Agent": { colour: BROWN, shape: "circle" },
  "foaf:Person": { colour: BROWN, shape: "circle" },
  "pev:Report": { colour: GREY, shape: "square" },
  "pev:Article": { colour: GREY, shape: "diamond" },
  "pev:Document": { colour: GREY, shape: "pentagon" },
  "dcterms:Location": { colour: SKY, shape: "circle" },
};

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
  said: [],
  judged: [9, 4],
  inferred: [2, 4],
  reference: [],
};

/** Reference is a whole line too, but thin and pale: background, which nobody says. */
export function lineOf(basis: Basis): { width: number; pale: boolean } {
  return basis === "reference" ? { width: 1, pale: true } : { width: 1.75, pale: false };
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
