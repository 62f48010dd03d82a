import assert from "node:assert/strict";
import { test } from "node:test";
import { known, nameOf } from "../src/editor/completion.ts";
import { chartOf } from "../src/editor/results.tsx";
import { triplesOf } from "../src/editor/running.ts";
import type { Cell, Terms } from "../src/types.ts";

const terms: Terms = {
  release: "x",
  prefixes: { pev: "https://example.org/ns#" },
  classes: [{ iri: "https://example.org/ns#Barrier", curie: "pev:Barrier", label: "barrier", definition: "What blocks." }],
  properties: [{ iri: "https://example.org/ns#blocks", curie: "pev:blocks", label: "blocks", definition: null }],
  documents: [],
};

test("a variable is completed from the query, a word from keywords, prefixes and terms", () => {
  assert.deepEqual(known("?t", "SELECT ?theme WHERE { ?theme a ?t }", terms).map((c) => c.label), ["?theme"]);
  const words = known("pe", "", terms).map((c) => c.label);
  assert.ok(words.includes("pev:") && words.includes("pev:blocks") && words.includes("SELECT"));
  assert.deepEqual(known("pev:", "", terms).map((c) => c.label), ["pev:Barrier", "pev:blocks"]);
  assert.deepEqual(known("pev:", "", null), []);
});

test("a thing is written as a CURIE where SPARQL reads it as one, else as an IRI", () => {
  const entity = { iri: "https://example.org/a/b", curie: "x:b", label: "B", type: null };
  assert.equal(nameOf(entity), "x:b");
  assert.equal(nameOf({ ...entity, curie: "x:a/b" }), "<https://example.org/a/b>");
});

test("N-Triples are read with their escapes, languages and types", () => {
  const text = '<https://e/a> <https://e/p> "say \\"x\\"\\n\\u00e9"@en .\n_:b <https://e/p> "1"^^<https://e/int> .\n<https://e/a> <https://e/p> <https://e/b> .\n';
  const found = triplesOf(text);
  assert.deepEqual(found.map((t) => t.object), [
    { value: 'say "x"\né', type: "literal", lang: "en" },
    { value: "1", type: "literal", datatype: "https://e/int" },
    { value: "https://e/b", type: "uri" },
  ]);
  assert.equal(found[1]?.subject.type, "bnode");
});

test("a chart shows the first numbers against the first names; rows without numbers make none", () => {
  const cell = (value: string, type: Cell["type"] = "literal"): Cell => ({ value, type });
  const rows = [{ theme: cell("https://e/a", "uri"), n: cell("3") }, { theme: cell("https://e/b", "uri"), n: cell("5") }];
  const chart = chartOf({ columns: ["theme", "n"], results: rows, truncated: false });
  assert.deepEqual([chart?.name, chart?.number, chart?.bars.map((bar) => bar.value)], ["theme", "n", [3, 5]]);
  assert.equal(chartOf({ columns: ["theme"], results: rows, truncated: false }), null);
});
