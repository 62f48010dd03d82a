// What a graph view shows, as a function of what is known and of the steps that were taken.
//
// Steps are a list that only grows or shrinks at its end, so undo is taking one off, redo putting
// it back, and a view can be written into an address. What is known (`Pool`) is never forgotten.

import { BASES, type Basis, type Direction, type Entity, type Link, type RelationCount } from "../types.ts";

/** How many neighbours one step brings in; a hub shows the rest as a group to be opened. */
export const PAGE_SIZE = 20;

export interface Filter {
  hiddenClasses: string[];
  hiddenLinks: string[];
  bases: Basis[];
  /** Only links that one of these documents states; empty: all. */
  documents: string[];
  /** Only links stated in documents of these years, as text; empty: all. */
  since: string;
  until: string;
}

export const NO_FILTER: Filter = {
  hiddenClasses: [],
  hiddenLinks: [],
  bases: [...BASES],
  documents: [],
  since: "",
  until: "",
};

export type Step =
  | { op: "add"; nodes: string[] }
  | { op: "expand"; node: string; link: string; direction: Direction; shown: number }
  | { op: "collapse"; node: string }
  | { op: "hide"; nodes: string[] }
  | { op: "keep"; nodes: string[] }
  | { op: "pin"; node: string; x: number; y: number }
  | { op: "unpin"; node: string }
  | { op: "filter"; filter: Filter };

/** The neighbours over one kind of link, in the order of the service; as many as were loaded. */
export interface Expansion {
  total: number;
  neighbours: string[];
}

/** Everything that was learned so far. */
export class Pool {
  readonly entities = new Map<string, Entity>();
  readonly links = new Map<string, Link>();
  readonly relations = new Map<string, RelationCount[]>();
  readonly expansions = new Map<string, Expansion>();
  /** The dates of documents, as they are written. */
  readonly dates = new Map<string, string>();

  learn(entities: Iterable<Entity>, links: Iterable<Link> = []): void {
    for (const entity of entities) this.entities.set(entity.iri, entity);
    for (const link of links) this.links.set(linkKey(link), link);
  }

  entity(iri: string): Entity {
    return this.entities.get(iri) ?? { iri, curie: iri, label: iri, type: null };
  }
}

/** The neighbours that are not shown yet, as one thing to click. */
export interface Group {
  id: string;
  node: string;
  link: string;
  label: string;
  direction: Direction;
  shown: number;
  left: number;
}

export interface Shown {
  nodes: Entity[];
  links: Link[];
  groups: Group[];
  roots: Set<string>;
  pins: Map<string, { x: number; y: number }>;
  hidden: Set<string>;
  filter: Filter;
  /** What the filter could choose from: everything that is there but for the filter. */
  classes: Map<string, number>;
  linkTypes: Map<string, { label: string; count: number }>;
  documents: Map<string, number>;
}

export function linkKey(link: { from: string; link: string; to: string }): string {
  return `${link.from} ${link.link} ${link.to}`;
}

export function expansionKey(node: string, link: string, direction: Direction): string {
  return `${node} ${link} ${direction}`;
}

interface Opened {
  link: string;
  direction: Direction;
  shown: number;
}

interface Structure {
  roots: Set<string>;
  opened: Map<string, Map<string, Opened>>;
  hidden: Set<string>;
  pins: Map<string, { x: number; y: number }>;
  filter: Filter;
}

/** Returns what is to be drawn after some steps. */
export function shownAfter(steps: readonly Step[], pool: Pool): Shown {
  const structure = structureOf(steps);
  const present = reachable(structure, pool);
  for (const node of structure.hidden) present.delete(node);
  const between = [...pool.links.values()].filter((link) => present.has(link.from) && present.has(link.to));
  const links = between.filter((link) => passes(link, structure.filter, pool));
  const nodes = [...present].map((iri) => pool.entity(iri));
  const kept = nodes.filter((node) => !structure.filter.hiddenClasses.includes(node.type ?? ""));
  const visible = withoutStrays(new Set(kept.map((node) => node.iri)), links, structure);
  return {
    nodes: kept.filter((node) => visible.has(node.iri)),
    links: links.filter((link) => visible.has(link.from) && visible.has(link.to)),
    groups: groupsOf(structure, pool).filter((group) => visible.has(group.node)),
    roots: structure.roots,
    pins: structure.pins,
    hidden: structure.hidden,
    filter: structure.filter,
    ...choices(nodes, between),
  };
}

function structureOf(steps: readonly Step[]): Structure {
  const found: Structure = {
    roots: new Set(),
    opened: new Map(),
    hidden: new Set(),
    pins: new Map(),
    filter: NO_FILTER,
  };
  for (const step of steps) apply(step, found);
  return found;
}

function apply(step: Step, to: Structure): void {
  switch (step.op) {
    case "add":
      for (const node of step.nodes) {
        to.roots.add(node);
        to.hidden.delete(node);
      }
      break;
    case "expand": {
      const opened = to.opened.get(step.node) ?? new Map<string, Opened>();
      opened.set(`${step.link} ${step.direction}`, step);
      to.opened.set(step.node, opened);
      break;
    }
    case "collapse":
      to.opened.delete(step.node);
      break;
    case "hide":
      for (const node of step.nodes) to.hidden.add(node);
      break;
    case "keep":
      to.roots = new Set(step.nodes);
      to.opened = new Map();
      break;
    case "pin":
      to.pins.set(step.node, { x: step.x, y: step.y });
      break;
    case "unpin":
      to.pins.delete(step.node);
      break;
    case "filter":
      to.filter = step.filter;
  }
}

/** Returns the nodes that hang on a root by what was opened: collapsing a node drops what only it held. */
function reachable(structure: Structure, pool: Pool): Set<string> {
  const present = new Set(structure.roots);
  const queue = [...present];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const { link, direction, shown } of structure.opened.get(node)?.values() ?? []) {
      const known = pool.expansions.get(expansionKey(node, link, direction))?.neighbours ?? [];
      for (const other of known.slice(0, shown)) {
        if (present.has(other)) continue;
        present.add(other);
        queue.push(other);
      }
    }
  }
  return present;
}

function groupsOf(structure: Structure, pool: Pool): Group[] {
  const groups: Group[] = [];
  for (const [node, opened] of structure.opened) {
    for (const { link, direction, shown } of opened.values()) {
      const total = pool.expansions.get(expansionKey(node, link, direction))?.total ?? 0;
      if (total <= shown) continue;
      const relation = pool.relations.get(node)?.find((r) => r.link === link && r.direction === direction);
      const id = `group ${expansionKey(node, link, direction)}`;
      groups.push({ id, node, link, label: relation?.label ?? link, direction, shown, left: total - shown });
    }
  }
  return groups;
}

function passes(link: Link, filter: Filter, pool: Pool): boolean {
  if (filter.hiddenLinks.includes(link.link) || !filter.bases.includes(link.basis)) return false;
  if (filter.documents.length > 0 && !link.origins.some((origin) => filter.documents.includes(origin))) return false;
  if (filter.since === "" && filter.until === "") return true;
  return link.origins.some((origin) => within(pool.dates.get(origin), filter));
}

/** Dates are compared by as much as both say: 2018 lies within 2018-06. */
function within(date: string | undefined, { since, until }: Filter): boolean {
  if (date === undefined) return false;
  const least = since.slice(0, date.length);
  const most = until.slice(0, date.length);
  return (since === "" || date.slice(0, since.length) >= least) && (until === "" || date.slice(0, until.length) <= most);
}

/** Drops what a filter of links left alone; what was put there by hand stays. */
function withoutStrays(nodes: Set<string>, links: readonly Link[], structure: Structure): Set<string> {
  const { hiddenLinks, bases, documents, since, until } = structure.filter;
  const whole = hiddenLinks.length + documents.length === 0 && bases.length === BASES.length && since + until === "";
  if (whole) return nodes;
  const held = new Set(structure.roots);
  for (const link of links) {
    if (!nodes.has(link.from) || !nodes.has(link.to)) continue;
    held.add(link.from);
    held.add(link.to);
  }
  return new Set([...nodes].filter((node) => held.has(node)));
}

function choices(nodes: readonly Entity[], links: readonly Link[]): Pick<Shown, "classes" | "linkTypes" | "documents"> {
  const classes = new Map<string, number>();
  for (const node of nodes) classes.set(node.type ?? "", (classes.get(node.type ?? "") ?? 0) + 1);
  const linkTypes = new Map<string, { label: string; count: number }>();
  const documents = new Map<string, number>();
  for (const link of links) {
    linkTypes.set(link.link, { label: link.label, count: (linkTypes.get(link.link)?.count ?? 0) + 1 });
    for (const origin of link.origins) documents.set(origin, (documents.get(origin) ?? 0) + 1);
  }
  return { classes, linkTypes, documents };
}
