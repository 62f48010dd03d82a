import assert from "node:assert/strict";
import { test } from "node:test";
import { arranged, type LayoutRequest } from "../src/graph/arrange.ts";
import { Camera } from "../src/graph/camera.ts";
import { hitAt, nextTowards, within } from "../src/graph/hit.ts";
import { crosses, overlap, placed, Taken, wrapped, type Stroke } from "../src/graph/labels.ts";
import { Pool, shownAfter } from "../src/graph/model.ts";
import { sceneOf, type Scene } from "../src/graph/scene.ts";
import { styleOf } from "../src/graph/style.ts";
import { svgOf } from "../src/graph/svg.ts";
import type { Entity, Link } from "../src/types.ts";

const COUNT = 60;
const entities = Array.from({ length: COUNT }, (_, i): Entity => ({
  iri: `n${i}`,
  curie: `n${i}`,
  label: `A thing with a name of some length <${i}>`,
  type: i % 2 ? "pev:Barrier" : "pev:Theme",
}));
const links = entities.slice(1).map(({ iri }, i): Link => ({ from: iri, link: "blocks", to: `n${i % 5}`, label: "blocks", basis: "said", origins: [] }));

function scene(width = 900, height = 600): Scene {
  const pool = new Pool();
  pool.learn(entities, links);
  const shown = shownAfter([{ op: "add", nodes: entities.map((e) => e.iri) }], pool);
  const places = new Map(entities.map((e, i) => [e.iri, { x: (i % 10) * 70, y: Math.floor(i / 10) * 60 }]));
  const camera = Object.assign(new Camera(), { width, height });
  camera.fit(places.values());
  return sceneOf(shown, places, camera, { chosen: new Set(), chosenLink: null, hovered: null, measure: (text) => text.length * 6.5 });
}

test("no two labels overlap, and none is cut off by the edge", () => {
  const { labels, linkLabels, width, height } = scene();
  const boxes = [...labels.map((label) => label.box), ...linkLabels.map((l) => ({ x: l.x - l.width / 2, y: l.y - 8, width: l.width, height: 16 }))];
  assert.ok(labels.length > 10);
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => assert.ok(!overlap(a, b))));
  for (const { box } of labels) assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height);
});

test("a label stands where it covers fewest lines", () => {
  const wish = { id: "a", x: 100, y: 100, radius: 8, lines: ["A name"], width: 40, height: 15 };
  const side = (...lines: Stroke[]): string | undefined => placed([wish], new Taken(), 200, 200, lines)[0]?.align;
  assert.equal(side(), "left");
  assert.equal(side([100, 100, 200, 100]), "center");
  assert.equal(side([100, 100, 200, 100], [100, 0, 100, 200]), "right");
  assert.ok(crosses([0, 0, 10, 10], { x: 4, y: 4, width: 1, height: 1 }));
  assert.ok(!crosses([0, 0, 3, 3], { x: 4, y: 4, width: 1, height: 1 }));
  assert.ok(!crosses([0, 9, 10, 9], { x: 4, y: 4, width: 1, height: 1 }));
});

test("a picture fits into its frame, and pixels lead back to where they came from", () => {
  const { nodes, width, height } = scene();
  for (const { x, y } of nodes) assert.ok(x >= 0 && y >= 0 && x <= width && y <= height);
  const camera = Object.assign(new Camera(), { width: 400, height: 300 });
  camera.zoom(1.7, { x: 30, y: 40 });
  const back = camera.toScreen(camera.toGraph({ x: 111, y: 77 }));
  assert.ok(Math.abs(back.x - 111) + Math.abs(back.y - 77) < 1e-9);
});

test("a still picture lies where its things would be drawn anew", () => {
  const camera = Object.assign(new Camera(), { width: 400, height: 300 });
  const thing = { x: 12, y: -31 };
  const [before, { view }] = [camera.toScreen(thing), camera];
  camera.zoom(2.5, { x: 300, y: 20 });
  camera.pan(-44, 17);
  const { x, y, width, height } = camera.placeOf(view);
  const [moved, drawn] = [{ x: x + (before.x * width) / 400, y: y + (before.y * height) / 300 }, camera.toScreen(thing)];
  assert.ok(Math.hypot(moved.x - drawn.x, moved.y - drawn.y) < 1e-9);
});

test("what lies under a point is found: a thing before a link, nothing in the open", () => {
  const drawn = scene();
  const [first] = drawn.nodes;
  assert.ok(first);
  const hit = hitAt(drawn, { x: first.x + 3, y: first.y });
  assert.equal(hit?.kind === "node" && hit.node.id, first.id);
  const link = drawn.links.find((one) => Math.hypot(one.end.x - one.start.x, one.end.y - one.start.y) > 200);
  assert.ok(link);
  const middle = { x: (link.start.x + 2 * link.control.x + link.end.x) / 4, y: (link.start.y + 2 * link.control.y + link.end.y) / 4 };
  assert.notEqual(hitAt(drawn, middle), null);
  assert.equal(hitAt(drawn, { x: 1, y: 1 }), null);
});

test("a lasso takes what lies within, and arrow keys go to what lies that way", () => {
  const { nodes } = scene();
  const all = [{ x: -9, y: -9 }, { x: 999, y: -9 }, { x: 999, y: 999 }, { x: -9, y: 999 }];
  assert.equal(within(all, nodes).length, COUNT);
  const right = nextTowards(nodes, nodes[0], 1, 0);
  assert.equal(right?.id, "n1");
});

test("the picture as SVG holds every thing, and labels as text", () => {
  const svg = svgOf(scene(), "A & B");
  assert.equal((svg.match(/<(circle|polygon)/g) ?? []).length, COUNT);
  assert.match(svg, /<title>A &amp; B<\/title>/);
  assert.doesNotMatch(svg, /<\d+>/);
});

test("every class has a colour and a shape, and the common ones differ", () => {
  const common = ["pev:Theme", "pev:Barrier", "pev:Enabler", "pev:Recommendation", "pev:Finding", "pev:KeyMessage", "org:Organization", "pev:Report"];
  assert.equal(new Set(common.map((type) => JSON.stringify(styleOf(type)))).size, common.length);
  assert.deepEqual(styleOf("ex:Unheard"), styleOf("ex:Unheard"));
});

test("a long label takes two lines and ends with an ellipsis", () => {
  assert.deepEqual(wrapped("Finance"), ["Finance"]);
  const lines = wrapped("Review of Progress with Integration of Health and Social Care - Final Report");
  assert.equal(lines.length, 2);
  assert.ok(lines.every((line) => line.length <= 26) && lines[1]?.endsWith("…"));
});

const request = (kind: "force" | "layered", count: number): LayoutRequest => ({
  number: 1,
  kind,
  ids: Array.from({ length: count }, (_, i) => `n${i}`),
  at: Float64Array.from({ length: 2 * count }, (_, i) => 50 * Math.cos(i * 2.4)),
  radius: new Float64Array(count).fill(12),
  fixed: Array.from({ length: count }, (_, i) => i === 0),
  pairs: Array.from({ length: count - 1 }, (_, i): [number, number] => [i, i + 1]),
  widths: new Array<number>(count).fill(80),
});

function last(kind: "force" | "layered", count: number): Float64Array {
  const steps = arranged(request(kind, count));
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}

test("forces keep what is pinned, move the rest apart, and always end the same", () => {
  const at = last("force", 20);
  const pinned = request("force", 20).at;
  assert.ok(Math.hypot((at[0] ?? 0) - (pinned[0] ?? 0), (at[1] ?? 0) - (pinned[1] ?? 0)) < 0.01);
  assert.deepEqual(at, last("force", 20));
  for (let i = 0; i < 20; i++) {
    for (let j = i + 1; j < 20; j++) {
      const apart = Math.hypot((at[2 * i] ?? 0) - (at[2 * j] ?? 0), (at[2 * i + 1] ?? 0) - (at[2 * j + 1] ?? 0));
      assert.ok(apart > 10, `${i} and ${j} lie on each other`);
    }
  }
});

test("layers run from left to right in the order of the path", () => {
  const at = last("layered", 6);
  const across = Array.from({ length: 5 }, (_, i) => at[2 * (i + 1)] ?? 0);
  assert.deepEqual(across, [...across].sort((a, b) => a - b));
});
