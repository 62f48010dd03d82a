import assert from "node:assert/strict";
import { test } from "node:test";
import { read, written } from "../src/graph/address.ts";
import { expansionKey, NO_FILTER, PAGE_SIZE, Pool, shownAfter, type Step } from "../src/graph/model.ts";
import type { Basis, Entity, Link } from "../src/types.ts";

const entity = (iri: string, type = "pev:Theme"): Entity => ({ iri, curie: iri, label: iri.toUpperCase(), type });
const link = (from: string, to: string, basis: Basis = "said", origins: string[] = ["doc1"]): Link => ({
  from,
  link: "blocks",
  to,
  label: "blocks",
  basis,
  origins,
});
const expand = (node: string, shown = PAGE_SIZE): Step => ({ op: "expand", node, link: "blocks", direction: "forward", shown });

/** a blocks b and c; b blocks d; c blocks d too. */
function pool(): Pool {
  const made = new Pool();
  made.learn(
    [entity("a", "pev:Barrier"), entity("b"), entity("c"), entity("d")],
    [link("a", "b"), link("a", "c", "judged", ["doc2"]), link("b", "d", "inferred"), link("c", "d", "reference", [])],
  );
  made.expansions.set(expansionKey("a", "blocks", "forward"), { total: 2, neighbours: ["b", "c"] });
  made.expansions.set(expansionKey("b", "blocks", "forward"), { total: 1, neighbours: ["d"] });
  made.dates.set("doc1", "2018-06-17").set("doc2", "2019");
  return made;
}

const start: Step = { op: "add", nodes: ["a"] };
const names = (steps: Step[]): string[] => shownAfter(steps, pool()).nodes.map((node) => node.iri).sort();

test("expanding brings in neighbours and every known link between what is shown", () => {
  const shown = shownAfter([start, expand("a"), expand("b")], pool());
  assert.deepEqual(shown.nodes.map((node) => node.iri).sort(), ["a", "b", "c", "d"]);
  assert.equal(shown.links.length, 4);
});

test("collapsing drops what only the collapsed thing held", () => {
  assert.deepEqual(names([start, expand("a"), expand("b"), { op: "collapse", node: "a" }]), ["a"]);
  assert.deepEqual(names([start, expand("a"), expand("b"), { op: "collapse", node: "b" }]), ["a", "b", "c"]);
});

test("a hub shows one page, and the rest as a group with its count", () => {
  const shown = shownAfter([start, expand("a", 1)], pool());
  assert.deepEqual(shown.nodes.map((node) => node.iri), ["a", "b"]);
  assert.deepEqual(shown.groups.map((group) => [group.node, group.left]), [["a", 1]]);
});

test("hiding takes a thing and its links away; adding it brings it back", () => {
  const hidden: Step[] = [start, expand("a"), { op: "hide", nodes: ["b"] }];
  assert.deepEqual(names(hidden), ["a", "c"]);
  assert.deepEqual(names([...hidden, { op: "add", nodes: ["b"] }]), ["a", "b", "c"]);
});

test("keeping only some drops all others", () => {
  assert.deepEqual(names([start, expand("a"), { op: "keep", nodes: ["b", "c"] }]), ["b", "c"]);
});

test("each filter leaves what fits, and what it left alone goes", () => {
  const filtered = (filter: object): string[] => names([start, expand("a"), { op: "filter", filter: { ...NO_FILTER, ...filter } }]);
  assert.deepEqual(filtered({ bases: ["said"] }), ["a", "b"]);
  assert.deepEqual(filtered({ documents: ["doc2"] }), ["a", "c"]);
  assert.deepEqual(filtered({ hiddenLinks: ["blocks"] }), ["a"]);
  assert.deepEqual(filtered({ hiddenClasses: ["pev:Theme"] }), ["a"]);
  assert.deepEqual(filtered({ since: "2019" }), ["a", "c"]);
  assert.deepEqual(filtered({ until: "2018" }), ["a", "b"]);
  assert.deepEqual(filtered({ since: "2018-06", until: "2018-06" }), ["a", "b"]);
});

test("what a filter can choose from does not shrink with the filter", () => {
  const steps: Step[] = [start, expand("a"), { op: "filter", filter: { ...NO_FILTER, bases: ["said"] } }];
  const { documents, classes } = shownAfter(steps, pool());
  assert.deepEqual([...documents.keys()].sort(), ["doc1", "doc2"]);
  assert.equal(classes.get("pev:Theme"), 2);
});

test("steps come back from an address as they were", () => {
  const steps: Step[] = [
    start,
    expand("https://example.org/Ü b", 40),
    { op: "collapse", node: "a" },
    { op: "hide", nodes: ["b", "c"] },
    { op: "keep", nodes: ["a"] },
    { op: "pin", node: "a", x: -12, y: 30 },
    { op: "unpin", node: "a" },
    { op: "filter", filter: { ...NO_FILTER, since: "2018" } },
  ];
  assert.deepEqual(read(written(steps)), steps);
  assert.match(written(steps), /^[\w-]+$/);
});

test("an address that was not written here is no steps", () => {
  for (const text of ["", "nonsense", btoa("[[],[[9]]]"), btoa('[["a"],[["e",5,0,1,20]]]')]) assert.deepEqual(read(text), []);
});
