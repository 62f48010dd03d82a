import assert from "node:assert/strict";
import { test } from "node:test";
import { GraphController } from "../src/graph/controller.ts";
import { PAGE_SIZE } from "../src/graph/model.ts";
import { HeldSource } from "../src/graph/source.ts";
import type { Entity, Link } from "../src/types.ts";

const entity = (iri: string): Entity => ({ iri, curie: iri, label: iri, type: "pev:Theme" });
const link = (from: string, to: string): Link => ({ from, link: "blocks", to, label: "blocks", basis: "said", origins: [] });

const HUB = 45;
const spokes = Array.from({ length: HUB }, (_, i) => `spoke${i}`);
const entities = ["hub", ...spokes].map(entity);
const links = [...spokes.map((spoke) => link("hub", spoke)), link("spoke0", "spoke1")];

const made = (): GraphController => new GraphController(new HeldSource(entities, links), { entities: [entity("hub")] });

test("a double click opens the first page of a hub and says how many are left", async () => {
  const controller = made();
  await controller.expandAll("hub");
  assert.equal(controller.shown.nodes.length, 1 + PAGE_SIZE);
  assert.equal(controller.shown.groups[0]?.left, HUB - PAGE_SIZE);
});

test("opening a group brings in the next page until none is left", async () => {
  const controller = made();
  await controller.expandAll("hub");
  while (controller.shown.groups[0]) await controller.openGroup(controller.shown.groups[0]);
  assert.equal(controller.shown.nodes.length, 1 + HUB);
});

test("links between what is shown are filled in", async () => {
  const controller = made();
  await controller.expandAll("hub");
  assert.ok(controller.shown.links.some((one) => one.from === "spoke0" && one.to === "spoke1"));
});

test("undo and redo go back and forth over what was done, not over where it began", async () => {
  const controller = made();
  await controller.expand("hub", "blocks", "forward");
  controller.take({ op: "hide", nodes: ["spoke3"] });
  const counts = [controller.shown.nodes.length];
  while (controller.canUndo) {
    controller.undo();
    counts.push(controller.shown.nodes.length);
  }
  assert.deepEqual(counts, [PAGE_SIZE, PAGE_SIZE + 1, 1]);
  controller.redo();
  controller.redo();
  assert.equal(controller.shown.nodes.length, PAGE_SIZE);
  assert.equal(controller.canRedo, false);
});

test("steps taken by one view give the same view elsewhere", async () => {
  const controller = made();
  await controller.expand("hub", "blocks", "forward");
  controller.take({ op: "pin", node: "hub", x: 1, y: 2 });
  const other = made();
  await other.replay(controller.steps);
  assert.deepEqual(other.shown.nodes, controller.shown.nodes);
  assert.deepEqual(other.shown.pins, controller.shown.pins);
});

test("what is no longer shown is no longer chosen", async () => {
  const controller = made();
  await controller.expand("hub", "blocks", "forward");
  controller.select(["spoke2"]);
  controller.undo();
  assert.equal(controller.selection.nodes.size, 0);
});

test("an error of the source is told and leaves the view as it was", async () => {
  const source = new HeldSource(entities, links);
  source.neighbours = () => Promise.reject(new Error("The service is away."));
  const controller = new GraphController(source, { entities: [entity("hub")] });
  await controller.expand("hub", "blocks", "forward");
  assert.equal(controller.error, "The service is away.");
  assert.equal(controller.shown.nodes.length, 1);
});
