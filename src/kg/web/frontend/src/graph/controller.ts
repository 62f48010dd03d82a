// The state of one graph view: the steps, what is known, and what is chosen. It draws nothing.

import type { Direction, Entity, Link, LinkDetail, RelationCount } from "../types.ts";
import { expansionKey, linkKey, PAGE_SIZE, Pool, shownAfter, type Filter, type Group, type Shown, type Step } from "./model.ts";
import type { Source } from "./source.ts";

// Above this many nodes the links among them are not all asked for: what was opened is shown.
const MOST_COMPLETED = 400;

export interface Selection {
  nodes: ReadonlySet<string>;
  link: string | null;
}

export interface Start {
  entities?: readonly Entity[];
  links?: readonly Link[];
  steps?: readonly Step[];
  /** Whether links between shown nodes are added by themselves. */
  complete?: boolean;
}

export class GraphController {
  readonly pool = new Pool();
  private done: Step[] = [];
  private undone: Step[] = [];
  private readonly listeners = new Set<() => void>();
  private cached: Shown | null = null;
  private base = 0;
  private readonly complete: boolean;
  selection: Selection = { nodes: new Set(), link: null };
  error: string | null = null;
  busy = 0;

  constructor(
    private readonly source: Source,
    start: Start = {},
  ) {
    this.pool.learn(start.entities ?? [], start.links ?? []);
    this.complete = start.complete ?? true;
    if (start.entities?.length) {
      this.done.push({ op: "add", nodes: start.entities.map((entity) => entity.iri) });
      this.base = 1;
    }
  }

  get shown(): Shown {
    this.cached ??= shownAfter(this.done, this.pool);
    return this.cached;
  }

  /** The steps after what the view began with: what an address must hold. */
  get steps(): readonly Step[] {
    return this.done.slice(this.base);
  }

  get canUndo(): boolean {
    return this.done.length > this.base;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Takes steps that were written down, loading what they need. */
  async replay(steps: readonly Step[]): Promise<void> {
    await this.attempt(async () => {
      for (const step of steps) {
        if (step.op === "expand") await this.load(step.node, step.link, step.direction, step.shown);
      }
      const added = steps.flatMap((step) => (step.op === "add" ? step.nodes : []));
      const unknown = added.filter((iri) => !this.pool.entities.has(iri));
      if (unknown.length > 0) await this.learn(unknown);
      this.done.push(...steps);
      this.undone = [];
      this.cached = null;
      await this.fillIn();
    });
  }

  take(step: Step): void {
    this.done.push(step);
    this.undone = [];
    this.changed();
  }

  undo(): void {
    const step = this.canUndo ? this.done.pop() : undefined;
    if (step) this.undone.push(step);
    this.changed();
  }

  redo(): void {
    const step = this.undone.pop();
    if (step) this.done.push(step);
    this.changed();
  }

  /** Makes what is shown now the beginning, to which undo returns. */
  settle(): void {
    this.base = this.done.length;
    this.undone = [];
    this.tell();
  }

  async add(nodes: readonly string[]): Promise<void> {
    await this.attempt(async () => {
      await this.learn(nodes);
      this.take({ op: "add", nodes: [...nodes] });
      await this.fillIn();
    });
  }

  async relations(node: string): Promise<RelationCount[]> {
    const known = this.pool.relations.get(node);
    if (known) return known;
    let found: RelationCount[] = [];
    await this.attempt(async () => {
      found = (await this.source.neighbours(node)).relations;
      this.pool.relations.set(node, found);
    });
    return found;
  }

  /** Brings in the next page of a node's neighbours over one kind of link. */
  async expand(node: string, link: string, direction: Direction): Promise<void> {
    const shown = this.opened(node, link, direction) + PAGE_SIZE;
    await this.attempt(async () => {
      await this.relations(node);
      await this.load(node, link, direction, shown);
      this.take({ op: "expand", node, link, direction, shown });
      await this.fillIn();
    });
  }

  /** Brings in the first page of every kind of link, as one double click does. */
  async expandAll(node: string): Promise<void> {
    const relations = await this.relations(node);
    await this.attempt(async () => {
      await Promise.all(relations.map((r) => this.load(node, r.link, r.direction, PAGE_SIZE)));
      for (const { link, direction } of relations) {
        if (this.opened(node, link, direction) > 0) continue;
        this.done.push({ op: "expand", node, link, direction, shown: PAGE_SIZE });
      }
      this.undone = [];
      this.changed();
      await this.fillIn();
    });
  }

  openGroup(group: Group): Promise<void> {
    return this.expand(group.node, group.link, group.direction);
  }

  /** Returns how many neighbours over one kind of link were brought in. */
  opened(node: string, link: string, direction: Direction): number {
    const steps = this.done.slice(this.done.findLastIndex((step) => step.op === "collapse" && step.node === node) + 1);
    const last = steps.findLast(
      (step) => step.op === "expand" && step.node === node && step.link === link && step.direction === direction,
    );
    return last?.op === "expand" ? last.shown : 0;
  }

  isOpen(node: string): boolean {
    const last = this.done.findLast((step) => (step.op === "expand" || step.op === "collapse") && step.node === node);
    return last?.op === "expand";
  }

  filter(change: Partial<Filter>): void {
    this.take({ op: "filter", filter: { ...this.shown.filter, ...change } });
  }

  select(nodes: Iterable<string>, link: string | null = null): void {
    this.selection = { nodes: new Set(nodes), link };
    this.tell();
  }

  linkDetail(key: string): Promise<LinkDetail> {
    const link = this.pool.links.get(key);
    return link ? this.source.link(link) : Promise.reject(new Error("There is no such link."));
  }

  private async load(node: string, link: string, direction: Direction, wanted: number): Promise<void> {
    const key = expansionKey(node, link, direction);
    const known = this.pool.expansions.get(key);
    if (known && (known.neighbours.length >= wanted || known.neighbours.length >= known.total)) return;
    const found = await this.source.neighbours(node, { link, direction, limit: wanted });
    const total = found.relations.find((r) => r.link === link && r.direction === direction)?.count ?? found.results.length;
    this.pool.relations.set(node, found.relations);
    this.pool.learn([found.entity, ...found.results.map((relation) => relation.entity)]);
    this.pool.learn([], found.results.map((relation) => linkOf(node, relation)));
    this.pool.expansions.set(key, { total, neighbours: found.results.map((relation) => relation.entity.iri) });
  }

  private async learn(nodes: readonly string[]): Promise<void> {
    const found = await this.source.subgraph(nodes);
    this.pool.learn(found.entities, this.complete ? found.links : []);
  }

  /** Adds the links between what is shown. */
  private async fillIn(): Promise<void> {
    const nodes = this.shown.nodes.map((node) => node.iri);
    if (!this.complete || nodes.length > MOST_COMPLETED || nodes.length < 2) return;
    const found = await this.source.subgraph(nodes);
    const before = this.pool.links.size;
    this.pool.learn([], found.links);
    if (this.pool.links.size > before) this.changed();
  }

  /** Does what takes time: it is busy until then, and an error is told and not thrown. */
  async attempt(work: () => Promise<void>): Promise<void> {
    this.busy += 1;
    this.error = null;
    this.tell();
    try {
      await work();
    } catch (problem) {
      this.error = problem instanceof Error ? problem.message : String(problem);
    } finally {
      this.busy -= 1;
      this.changed();
    }
  }

  private changed(): void {
    this.cached = null;
    const there = new Set(this.shown.nodes.map((node) => node.iri));
    const nodes = new Set([...this.selection.nodes].filter((node) => there.has(node)));
    const link = this.selection.link !== null && this.shown.links.some((l) => linkKey(l) === this.selection.link);
    this.selection = { nodes, link: link ? this.selection.link : null };
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

function linkOf(node: string, relation: { link: string; label: string; direction: Direction; entity: Entity; basis: Link["basis"]; origins: string[] }): Link {
  const { link, label, basis, origins } = relation;
  const other = relation.entity.iri;
  const [from, to] = relation.direction === "forward" ? [node, other] : [other, node];
  return { from, link, to, label, basis, origins };
}
