// The mark of a class and the line of a basis, as they stand in legends and lists.

import type { JSX } from "preact";
import type { Basis } from "../types.ts";
import { corners, DASHES, lineOf, styleOf } from "./style.ts";

export function ClassMark({ type }: { type: string | null }): JSX.Element {
  const { colour, shape } = styleOf(type);
  const points = corners(shape, 6);
  return (
    <svg class="mark" viewBox="-9 -9 18 18" width="16" height="16" aria-hidden="true">
      {points ? <polygon points={points.map((p) => p.join(",")).join(" ")} fill={colour} /> : <circle r="6" fill={colour} />}
    </svg>
  );
}

export function BasisLine({ basis }: { basis: Basis }): JSX.Element {
  const { width, pale } = lineOf(basis);
  return (
    <svg class={pale ? "basis-line pale" : "basis-line"} viewBox="0 0 34 8" width="34" height="8" aria-hidden="true">
      <line x1="0" y1="4" x2="34" y2="4" stroke-width={width} stroke-dasharray={DASHES[basis].join(" ")} />
    </svg>
  );
}

/** Returns what a class is called: its own name when the ontology gives none. */
export function className(type: string | null, names: ReadonlyMap<string, string> = new Map()): string {
  if (!type) return "Other";
  const known = names.get(type);
  if (known) return known[0]?.toUpperCase() + known.slice(1);
  const name = type.slice(type.indexOf(":") + 1);
  const words = name.replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
  return words[0]?.toUpperCase() + words.slice(1);
}
