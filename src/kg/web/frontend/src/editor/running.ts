// Sends a query and reads what comes back, whatever kind of query it is.

import { ProblemError } from "../api.ts";
import type { Cell, Problem } from "../types.ts";

export type Result =
  | { kind: "rows"; columns: string[]; rows: Record<string, Cell>[]; text: string; ms: number }
  | { kind: "truth"; value: boolean; text: string; ms: number }
  | { kind: "triples"; triples: Triple[]; text: string; ms: number };

export interface Triple {
  subject: Cell;
  predicate: string;
  object: Cell;
}

interface Bindings {
  head: { vars?: string[] };
  boolean?: boolean;
  results?: { bindings: Record<string, { type: string; value: string; datatype?: string; "xml:lang"?: string }>[] };
}

export async function run(query: string, signal: AbortSignal): Promise<Result> {
  const started = performance.now();
  const release = new URLSearchParams(location.search).get("release");
  const response = await fetch(release ? `/sparql?${new URLSearchParams({ release })}` : "/sparql", {
    method: "POST",
    headers: {
      "Content-Type": "application/sparql-query",
      Accept: "application/sparql-results+json, application/n-triples;q=0.9",
    },
    body: query,
    signal,
  });
  const text = await response.text();
  const ms = Math.round(performance.now() - started);
  if (!response.ok) throw new ProblemError(JSON.parse(text) as Problem);
  if ((response.headers.get("Content-Type") ?? "").includes("n-triples")) {
    return { kind: "triples", triples: triplesOf(text), text, ms };
  }
  const found = JSON.parse(text) as Bindings;
  if (found.boolean !== undefined) return { kind: "truth", value: found.boolean, text, ms };
  const rows = (found.results?.bindings ?? []).map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, term]) => [name, cellOf(term)])),
  );
  return { kind: "rows", columns: found.head.vars ?? [], rows, text, ms };
}

function cellOf(term: { type: string; value: string; datatype?: string; "xml:lang"?: string }): Cell {
  const type = term.type === "uri" || term.type === "bnode" ? term.type : "literal";
  const lang = term["xml:lang"];
  return { value: term.value, type, ...(term.datatype ? { datatype: term.datatype } : {}), ...(lang ? { lang } : {}) };
}

const TERM = String.raw`<([^>]*)>|_:(\S+)|"((?:[^"\\]|\\.)*)"(?:@([\w-]+)|\^\^<([^>]*)>)?`;
const LINE = new RegExp(`^(?:${TERM})\\s+<([^>]*)>\\s+(?:${TERM})\\s*\\.\\s*$`);

/** Reads N-Triples, one triple a line. */
export function triplesOf(text: string): Triple[] {
  return text.split("\n").flatMap((line) => {
    const match = LINE.exec(line);
    if (!match) return [];
    return [{ subject: term(match.slice(1, 6)), predicate: match[6] ?? "", object: term(match.slice(7, 12)) }];
  });
}

function term([iri, blank, literal, lang, datatype]: (string | undefined)[]): Cell {
  if (iri !== undefined) return { value: plain(iri), type: "uri" };
  if (blank !== undefined) return { value: blank, type: "bnode" };
  return { value: plain(literal ?? ""), type: "literal", ...(lang ? { lang } : {}), ...(datatype ? { datatype } : {}) };
}

const ESCAPES: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", b: "\b", f: "\f" };

function plain(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g, (_, four?: string, eight?: string, one?: string) =>
    one === undefined ? String.fromCodePoint(parseInt(four ?? eight ?? "", 16)) : (ESCAPES[one] ?? one),
  );
}
