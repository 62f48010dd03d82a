// Steps written so short that they fit into an address, and read again.

import type { Step } from "./model.ts";

/** Returns steps as text for an address; IRIs that repeat are written once. */
export function written(steps: readonly Step[]): string {
  if (steps.length === 0) return "";
  const names: string[] = [];
  const number = (iri: string): number => {
    const known = names.indexOf(iri);
    return known >= 0 ? known : names.push(iri) - 1;
  };
  const short = steps.map((step) => {
    switch (step.op) {
      case "expand":
        return ["e", number(step.node), number(step.link), step.direction === "forward" ? 1 : 0, step.shown];
      case "pin":
        return ["p", number(step.node), Math.round(step.x), Math.round(step.y)];
      case "add":
      case "hide":
      case "keep":
        return [step.op[0], ...step.nodes.map(number)];
      case "collapse":
      case "unpin":
        return [step.op[0], number(step.node)];
      case "filter":
        return ["f", step.filter];
    }
  });
  const bytes = new TextEncoder().encode(JSON.stringify([names, short]));
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Returns the steps that `written` wrote; none for text that it did not write. */
export function read(text: string): Step[] {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const [names, short] = JSON.parse(new TextDecoder().decode(bytes)) as [string[], unknown[][]];
    return short.map((entry) => stepOf(entry, names));
  } catch {
    return [];
  }
}

function stepOf(entry: unknown[], names: string[]): Step {
  const [op, ...values] = entry;
  const name = (at: unknown): string => {
    const found = names[at as number];
    if (found === undefined) throw new Error("no such name");
    return found;
  };
  const whole = (at: unknown): number => Number(at) || 0;
  switch (op) {
    case "e":
      return {
        op: "expand",
        node: name(values[0]),
        link: name(values[1]),
        direction: values[2] === 1 ? "forward" : "backward",
        shown: Math.min(Math.max(whole(values[3]), 1), 1000),
      };
    case "p":
      return { op: "pin", node: name(values[0]), x: whole(values[1]), y: whole(values[2]) };
    case "a":
      return { op: "add", nodes: values.map(name) };
    case "h":
      return { op: "hide", nodes: values.map(name) };
    case "k":
      return { op: "keep", nodes: values.map(name) };
    case "c":
      return { op: "collapse", node: name(values[0]) };
    case "u":
      return { op: "unpin", node: name(values[0]) };
    case "f":
      return { op: "filter", filter: values[0] as Extract<Step, { op: "filter" }>["filter"] };
    default:
      throw new Error("no such step");
  }
}
