// What can be written next: prefixes, classes and properties of the ontology, variables, and things by their label.

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { search, vocabulary } from "../api.ts";
import type { Entity, Terms } from "../types.ts";

const KEYWORDS = (
  "SELECT CONSTRUCT ASK DESCRIBE WHERE DISTINCT OPTIONAL FILTER UNION MINUS GRAPH VALUES BIND SERVICE PREFIX " +
  "GROUP BY ORDER BY HAVING LIMIT OFFSET EXISTS COUNT SUM AVG MIN MAX GROUP_CONCAT AS IN DESC ASC REGEX CONTAINS STR LANG"
).split(" ");
// Up to three letters there are more things than anyone reads.
const SHORTEST_NAME = 3;

/** Returns what fits at the cursor, of what is known without asking the service. */
export function known(word: string, document: string, terms: Terms | null): Completion[] {
  if (word.startsWith("?")) {
    const names = new Set(document.match(/[?$][A-Za-z_]\w*/g) ?? []);
    names.delete(word);
    return [...names].map((label) => ({ label, type: "variable" }));
  }
  if (terms === null) return [];
  const all = [
    ...terms.classes.map((term) => ({ ...term, type: "class" })),
    ...terms.properties.map((term) => ({ ...term, type: "property" })),
  ];
  const written = all.map(({ curie, label, definition, type }): Completion => ({
    label: curie,
    detail: label,
    type,
    ...(definition ? { info: definition } : {}),
  }));
  if (word.includes(":")) return written;
  const prefixes = Object.entries(terms.prefixes).map(([prefix, iri]): Completion => ({
    label: `${prefix}:`,
    detail: iri,
    type: "namespace",
    boost: -1,
  }));
  const keywords = [...new Set(KEYWORDS)].map((label): Completion => ({ label, type: "keyword" }));
  return [...keywords, ...prefixes, ...written];
}

/** Returns how a thing is written in a query. */
export function nameOf({ iri, curie }: Entity): string {
  return /^[\w-]*:[\w-]+$/.test(curie) ? curie : `<${iri}>`;
}

async function things(word: string): Promise<Completion[]> {
  const [prefix, rest] = word.includes(":") ? word.split(":", 2) : [undefined, word];
  const words = (rest ?? "").replaceAll("-", " ");
  if (words.length < SHORTEST_NAME) return [];
  const { results } = await search(words, undefined, 12);
  const fitting = results.filter((entity) => prefix === undefined || entity.curie.startsWith(`${prefix}:`));
  return fitting.map((entity) => ({
    label: entity.label,
    detail: entity.curie,
    apply: nameOf(entity),
    type: "constant",
    // The service has found it by more than its letters; the editor must not sort it out again.
    boost: 1,
  }));
}

export async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const word = context.matchBefore(/[?$]?[\w-]*:?[\w-]*/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  const before = context.state.doc.sliceString(0, word.from);
  if (/<[^>\s]*$|"[^"\n]*$|^\s*#|\n\s*#[^\n]*$/.test(before.slice(before.lastIndexOf("\n") + 1))) return null;
  const terms = await vocabulary().catch(() => null);
  const options = known(word.text, context.state.doc.toString(), terms);
  const wanted = word.text.toLowerCase();
  const fitting = options.filter(({ label, detail }) => label.toLowerCase().includes(wanted) || detail?.toLowerCase().includes(wanted));
  const found = word.text.startsWith("?") || terms === null ? [] : await things(word.text).catch(() => []);
  if (fitting.length + found.length === 0) return null;
  return { from: word.from, options: [...fitting, ...found], filter: false };
}
