// What stands where in the picture: computed once, drawn on a canvas or written as SVG.

import type { Link } from "../types.ts";
import type { Camera, Point } from "./camera.ts";
import { placed, Taken, wrapped, type LabelWish, type PlacedLabel, type Stroke } from "./labels.ts";
import { linkKey, type Group, type Shown } from "./model.ts";
import { styleOf, type Shape } from "./style.ts";

export interface SceneNode {
  id: string;
  x: number;
  y: number;
  radius: number;
  colour: string;
  shape: Shape;
  pinned: boolean;
  chosen: boolean;
  dimmed: boolean;
  root: boolean;
}

export interface SceneGroup {
  group: Group;
  x: number;
  y: number;
  width: number;
  height: number;
  text: string;
  from: Point;
}

export interface SceneLink {
  key: string;
  link: Link;
  start: Point;
  control: Point;
  end: Point;
  angle: number;
  chosen: boolean;
  dimmed: boolean;
}

export interface LinkLabel {
  key: string;
  text: string;
  x: number;
  y: number;
  width: number;
  chosen: boolean;
}

export interface Scene {
  width: number;
  height: number;
  nodes: SceneNode[];
  groups: SceneGroup[];
  links: SceneLink[];
  labels: PlacedLabel[];
  linkLabels: LinkLabel[];
}

export interface Looks {
  chosen: ReadonlySet<string>;
  chosenLink: string | null;
  hovered: string | null;
  measure: (text: string, size: number) => number;
  /** Leaves labels out, while something moves. */
  quick?: boolean;
}

export const LABEL_SIZE = 12.5;
export const LINK_LABEL_SIZE = 11;
const LINE_HEIGHT = 15;
// A picture with more labels takes longer to read than the list beside it.
const MOST_LABELS = 220;
const MOST_AVOIDED = 600;

export type Positions = ReadonlyMap<string, Point>;

/** Returns the picture of what is shown. */
export function sceneOf(shown: Shown, positions: Positions, camera: Camera, looks: Looks): Scene {
  const near = neighbourhood(shown.links, looks);
  const degree = degrees(shown.links);
  const nodes = shown.nodes.map((node): SceneNode => {
    const at = camera.toScreen(positions.get(node.iri) ?? { x: 0, y: 0 });
    const { colour, shape } = styleOf(node.type);
    return {
      id: node.iri,
      ...at,
      radius: radiusOf(degree.get(node.iri) ?? 0, shown.roots.has(node.iri), camera.scale),
      colour,
      shape,
      pinned: shown.pins.has(node.iri),
      chosen: looks.chosen.has(node.iri),
      dimmed: near !== null && !near.has(node.iri),
      // Where all were put there by hand, none stands out.
      root: shown.roots.size <= 2 && shown.roots.has(node.iri),
    };
  });
  const places = new Map(nodes.map((node) => [node.id, node]));
  const links = linksOf(shown.links, places, looks, near);
  const groups = groupsOf(shown.groups, places, positions, camera, looks);
  const scene = { width: camera.width, height: camera.height, nodes, groups, links, labels: [], linkLabels: [] };
  return looks.quick ? scene : { ...scene, ...labelled(scene, shown, degree, looks) };
}

function radiusOf(degree: number, root: boolean, scale: number): number {
  const full = 6 + Math.min(7, 1.4 * Math.sqrt(degree)) + (root ? 2 : 0);
  return Math.max(2.2, full * Math.min(1, Math.max(0.3, scale * 1.6)));
}

function degrees(links: readonly Link[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { from, to } of links) {
    found.set(from, (found.get(from) ?? 0) + 1);
    found.set(to, (found.get(to) ?? 0) + 1);
  }
  return found;
}

/** Returns what stays bright while one thing is pointed at; null: everything. */
function neighbourhood(links: readonly Link[], { hovered, chosen, chosenLink }: Looks): Set<string> | null {
  const middle = hovered !== null ? [hovered] : chosen.size === 1 ? [...chosen] : [];
  if (middle.length === 0) {
    const [from, , to] = chosenLink?.split(" ") ?? [];
    return from && to ? new Set([from, to]) : null;
  }
  const near = new Set(middle);
  for (const { from, to } of links) {
    if (middle.includes(from)) near.add(to);
    if (middle.includes(to)) near.add(from);
  }
  return near;
}

function linksOf(
  links: readonly Link[],
  places: ReadonlyMap<string, SceneNode>,
  looks: Looks,
  near: ReadonlySet<string> | null,
): SceneLink[] {
  const beside = new Map<string, number>();
  const count = new Map<string, number>();
  for (const link of links) count.set(pairOf(link), (count.get(pairOf(link)) ?? 0) + 1);
  const middle = looks.hovered ?? (looks.chosen.size === 1 ? [...looks.chosen][0] : undefined);
  return links.flatMap((link) => {
    const [a, b] = [places.get(link.from), places.get(link.to)];
    if (!a || !b) return [];
    const pair = pairOf(link);
    const at = beside.get(pair) ?? 0;
    beside.set(pair, at + 1);
    // Links between the same two things fan out; one alone is straight.
    const bend = (at - ((count.get(pair) ?? 1) - 1) / 2) * 26 * (link.from < link.to ? 1 : -1);
    const key = linkKey(link);
    const chosen = looks.chosenLink === key;
    const touched = middle === undefined || link.from === middle || link.to === middle;
    const dimmed = near !== null && !chosen && !(touched && near.has(link.from) && near.has(link.to));
    return [{ key, link, ...curve(a, b, bend), chosen, dimmed }];
  });
}

function pairOf({ from, to }: Link): string {
  return from < to ? `${from} ${to}` : `${to} ${from}`;
}

function curve(a: SceneNode, b: SceneNode, bend: number): Pick<SceneLink, "start" | "control" | "end" | "angle"> {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = Math.hypot(dx, dy) || 1;
  const control = {
    x: (a.x + b.x) / 2 - (dy / length) * bend * 2,
    y: (a.y + b.y) / 2 + (dx / length) * bend * 2,
  };
  const start = toward(a, control, a.radius + 1);
  const end = toward(b, control, b.radius + 3);
  return { start, control, end, angle: Math.atan2(end.y - control.y, end.x - control.x) };
}

function toward(from: Point, to: Point, distance: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return { x: from.x + ((to.x - from.x) / length) * distance, y: from.y + ((to.y - from.y) / length) * distance };
}

function groupsOf(
  groups: readonly Group[],
  places: ReadonlyMap<string, SceneNode>,
  positions: Positions,
  camera: Camera,
  looks: Looks,
): SceneGroup[] {
  return groups.flatMap((group) => {
    const node = places.get(group.node);
    if (!node) return [];
    const text = `+${group.left} ${group.label}`;
    const width = looks.measure(text, LINK_LABEL_SIZE) + 16;
    const at = positions.get(group.id);
    const place = at ? camera.toScreen(at) : { x: node.x, y: node.y + 40 };
    return [{ group, ...place, width, height: 20, text, from: { x: node.x, y: node.y } }];
  });
}

function labelled(
  scene: Scene,
  shown: Shown,
  degree: ReadonlyMap<string, number>,
  looks: Looks,
): Pick<Scene, "labels" | "linkLabels"> {
  const taken = new Taken();
  for (const { x, y, radius } of scene.nodes) {
    taken.add({ x: x - radius, y: y - radius, width: 2 * radius, height: 2 * radius });
  }
  for (const { x, y, width, height } of scene.groups) taken.add({ x: x - width / 2, y: y - height / 2, width, height });
  const names = new Map(shown.nodes.map((node) => [node.iri, node.label]));
  const weight = (node: SceneNode): number =>
    (node.id === looks.hovered ? 1e6 : 0) +
    (node.chosen ? 1e5 : 0) +
    (node.dimmed ? -1e4 : 0) +
    (node.root ? 1e3 : 0) +
    (degree.get(node.id) ?? 0);
  const bright = [...scene.nodes].sort((a, b) => weight(b) - weight(a)).slice(0, MOST_LABELS * 2);
  const wishes = bright.map((node) => wishOf(node, names.get(node.id) ?? node.id, looks));
  const labels = placed(wishes, taken, scene.width, scene.height, strokes(scene.links)).slice(0, MOST_LABELS);
  return { labels, linkLabels: linkLabels(scene, taken, looks) };
}

/** The links as straight parts, for labels to keep away from; among very many no side is better. */
function strokes(links: readonly SceneLink[]): Stroke[] {
  if (links.length > MOST_AVOIDED) return [];
  return links.flatMap(({ start, control, end }): Stroke[] => {
    // The middle of the curve, not of the chord.
    const [x, y] = [(start.x + 2 * control.x + end.x) / 4, (start.y + 2 * control.y + end.y) / 4];
    return [
      [start.x, start.y, x, y],
      [x, y, end.x, end.y],
    ];
  });
}

function wishOf({ id, x, y, radius }: SceneNode, label: string, { measure, hovered }: Looks): LabelWish {
  const lines = wrapped(label, id === hovered ? 40 : 26);
  const width = Math.max(...lines.map((line) => measure(line, LABEL_SIZE))) + 2;
  return { id, x, y, radius, lines, width, height: lines.length * LINE_HEIGHT };
}

function linkLabels(scene: Scene, taken: Taken, { measure }: Looks): LinkLabel[] {
  const found: LinkLabel[] = [];
  const ordered = [...scene.links].sort((a, b) => Number(b.chosen) - Number(a.chosen) || Number(a.dimmed) - Number(b.dimmed));
  for (const { key, link, start, control, end, chosen, dimmed } of ordered) {
    if (found.length >= MOST_LABELS) break;
    const width = measure(link.label, LINK_LABEL_SIZE) + 8;
    const room = Math.hypot(end.x - start.x, end.y - start.y);
    if (!chosen && (dimmed || room < width + 12)) continue;
    // The middle of the curve, not of the chord.
    const x = (start.x + 2 * control.x + end.x) / 4;
    const y = (start.y + 2 * control.y + end.y) / 4;
    const box = { x: x - width / 2, y: y - 8, width, height: 16 };
    if (!taken.isFree(box) && !chosen) continue;
    taken.add(box);
    found.push({ key, text: link.label, x, y, width, chosen });
  }
  return found;
}
