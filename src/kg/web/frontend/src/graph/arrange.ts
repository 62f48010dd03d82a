// The two layouts: forces for a neighbourhood, layers from left to right for paths.

import dagre from "@dagrejs/dagre";
import Graph from "graphology";
import forceAtlas2 from "graphology-layout-forceatlas2";

export interface LayoutRequest {
  number: number;
  kind: "force" | "layered";
  ids: string[];
  /** x and y of each id, in the order of `ids`. */
  at: Float64Array;
  radius: Float64Array;
  fixed: boolean[];
  /** Pairs of places in `ids`; in layers the first stands left of the second. */
  pairs: [number, number][];
  /** How wide each label is, for the layers. */
  widths: number[];
}

/** Yields better and better positions, and returns the last: x and y of each id. */
export function arranged(request: LayoutRequest): Generator<Float64Array, Float64Array> {
  return request.kind === "layered" ? inLayers(request) : byForce(request);
}

// eslint-disable-next-line require-yield
function* inLayers({ ids, pairs, widths, at, fixed }: LayoutRequest): Generator<Float64Array, Float64Array> {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 46, ranksep: 130, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  ids.forEach((_, i) => graph.setNode(String(i), { width: Math.min(widths[i] ?? 40, 190), height: 34 }));
  for (const [from, to] of pairs) if (from !== to) graph.setEdge(String(from), String(to));
  dagre.layout(graph);
  const found = Float64Array.from(at);
  ids.forEach((_, i) => {
    if (fixed[i]) return;
    const place = graph.node(String(i)) as { x: number; y: number };
    found[2 * i] = place.x;
    found[2 * i + 1] = place.y;
  });
  return found;
}

function* byForce({ ids, at, radius, fixed, pairs }: LayoutRequest): Generator<Float64Array, Float64Array> {
  const graph = new Graph({ type: "undirected", multi: false, allowSelfLoops: false });
  ids.forEach((_, i) => {
    graph.addNode(String(i), { x: at[2 * i] ?? 0, y: at[2 * i + 1] ?? 0, size: radius[i] ?? 8, fixed: fixed[i] ?? false });
  });
  for (const [from, to] of pairs) if (from !== to) graph.mergeEdge(String(from), String(to));
  const many = ids.length > 800;
  const settings = {
    ...forceAtlas2.inferSettings(graph),
    barnesHutOptimize: ids.length > 300,
    barnesHutTheta: 0.9,
    gravity: many ? 1 : 0.6,
    scalingRatio: many ? 60 : 90,
    strongGravityMode: false,
    linLogMode: false,
    adjustSizes: false,
    slowDown: 2 + Math.log(ids.length + 1),
  };
  const [rounds, each] = many ? [10, 8] : [10, 40];
  for (let round = 0; round < rounds; round++) {
    forceAtlas2.assign(graph, { iterations: each, settings });
    if (round < rounds - 1) yield places(graph, ids.length);
  }
  return apart(places(graph, ids.length), radius, fixed);
}

function places(graph: Graph, count: number): Float64Array {
  const found = new Float64Array(2 * count);
  for (let i = 0; i < count; i++) {
    found[2 * i] = graph.getNodeAttribute(String(i), "x") as number;
    found[2 * i + 1] = graph.getNodeAttribute(String(i), "y") as number;
  }
  return found;
}

/** Pushes apart what lies on top of each other; a picture of hundreds has no room to do so for all. */
function apart(at: Float64Array, radius: Float64Array, fixed: readonly boolean[]): Float64Array {
  const count = radius.length;
  if (count > 1500) return at;
  for (let round = 0; round < 12; round++) {
    let moved = false;
    for (let i = 0; i < count; i++) for (let j = i + 1; j < count; j++) moved = push(at, i, j, radius, fixed) || moved;
    if (!moved) break;
  }
  return at;
}

function push(at: Float64Array, i: number, j: number, radius: Float64Array, fixed: readonly boolean[]): boolean {
  const [xi, yi, xj, yj] = [at[2 * i] ?? 0, at[2 * i + 1] ?? 0, at[2 * j] ?? 0, at[2 * j + 1] ?? 0];
  const wanted = (radius[i] ?? 8) + (radius[j] ?? 8) + 16;
  const [dx, dy] = [xj - xi || 0.01, yj - yi || 0.01];
  const distance = Math.hypot(dx, dy);
  if (distance >= wanted) return false;
  const step = (wanted - distance) / 2 / distance;
  if (!fixed[i]) {
    at[2 * i] = xi - dx * step;
    at[2 * i + 1] = yi - dy * step;
  }
  if (!fixed[j]) {
    at[2 * j] = xj + dx * step;
    at[2 * j + 1] = yj + dy * step;
  }
  return true;
}
