// What lies under a point of the picture, or within a loop drawn around it.

import type { Point } from "./camera.ts";
import type { Scene, SceneGroup, SceneLink, SceneNode } from "./scene.ts";

export type Hit =
  | { kind: "node"; node: SceneNode }
  | { kind: "group"; group: SceneGroup }
  | { kind: "link"; link: SceneLink }
  | null;

const NODE_REACH = 5;
const LINK_REACH = 6;

/** Returns the nearest thing at a point; nodes lie above groups, groups above links. */
export function hitAt(scene: Scene, at: Point): Hit {
  const node = nearest(scene.nodes, (n) => Math.hypot(n.x - at.x, n.y - at.y) - n.radius, NODE_REACH);
  if (node) return { kind: "node", node };
  const group = scene.groups.find(
    ({ x, y, width, height }) => Math.abs(at.x - x) <= width / 2 && Math.abs(at.y - y) <= height / 2,
  );
  if (group) return { kind: "group", group };
  const label = scene.linkLabels.find(({ x, y, width }) => Math.abs(at.x - x) <= width / 2 && Math.abs(at.y - y) <= 8);
  const labelled = label && scene.links.find((link) => link.key === label.key);
  const link = labelled ?? nearest(scene.links, (l) => distanceTo(l, at), LINK_REACH);
  return link ? { kind: "link", link } : null;
}

function nearest<T>(items: readonly T[], distance: (item: T) => number, reach: number): T | null {
  let [best, least]: [T | null, number] = [null, reach];
  for (const item of items) {
    const away = distance(item);
    if (away <= least) [best, least] = [item, away];
  }
  return best;
}

const PIECES = 8;

function distanceTo({ start, control, end }: SceneLink, at: Point): number {
  const left = Math.min(start.x, control.x, end.x) - LINK_REACH;
  const right = Math.max(start.x, control.x, end.x) + LINK_REACH;
  if (at.x < left || at.x > right) return Infinity;
  let [least, before] = [Infinity, start];
  for (let i = 1; i <= PIECES; i++) {
    const t = i / PIECES;
    const next = {
      x: (1 - t) ** 2 * start.x + 2 * t * (1 - t) * control.x + t ** 2 * end.x,
      y: (1 - t) ** 2 * start.y + 2 * t * (1 - t) * control.y + t ** 2 * end.y,
    };
    least = Math.min(least, toSegment(at, before, next));
    before = next;
  }
  return least;
}

function toSegment(p: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const along = ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy || 1);
  const t = Math.max(0, Math.min(1, along));
  return Math.hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

/** Returns the nodes within a loop (even-odd rule). */
export function within(loop: readonly Point[], nodes: readonly SceneNode[]): string[] {
  return nodes.filter((node) => isWithin(loop, node)).map((node) => node.id);
}

function isWithin(loop: readonly Point[], { x, y }: Point): boolean {
  let inside = false;
  loop.forEach((a, i) => {
    const b = loop[(i + loop.length - 1) % loop.length] ?? a;
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  });
  return inside;
}

/** Returns the node that lies next in a direction, for the arrow keys. */
export function nextTowards(nodes: readonly SceneNode[], from: SceneNode | undefined, dx: number, dy: number): SceneNode | null {
  if (!from) return nodes[0] ?? null;
  const reach = (node: SceneNode): number => {
    const [along, across] = [(node.x - from.x) * dx + (node.y - from.y) * dy, (node.x - from.x) * dy - (node.y - from.y) * dx];
    return along > 1 ? along + 2 * Math.abs(across) : Infinity;
  };
  return nearest(nodes, reach, 1e9);
}
