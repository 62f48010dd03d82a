// Where a graph view learns more: a service, a kernel, or nowhere (an exported page).

import type { Basis, Direction, Entity, Link, LinkDetail, Neighbours, Subgraph } from "../types.ts";

export interface Source {
  /** Returns the counts of a thing's relations, and a page of one of them if it is named. */
  neighbours(entity: string, page?: { link: string; direction: Direction; limit: number }): Promise<Neighbours>;
  /** Returns some things and every link between them. */
  subgraph(entities: readonly string[]): Promise<Subgraph>;
  /** Returns what a link rests on. */
  link(link: Link): Promise<LinkDetail>;
}

/** Data that came with the page: nothing more can be asked. */
export class HeldSource implements Source {
  private readonly entities: Map<string, Entity>;

  constructor(
    entities: readonly Entity[],
    private readonly links: readonly Link[],
    private readonly details: Readonly<Record<string, LinkDetail>> = {},
  ) {
    this.entities = new Map(entities.map((entity) => [entity.iri, entity]));
  }

  neighbours(iri: string, page?: { link: string; direction: Direction }): Promise<Neighbours> {
    const all = this.links.flatMap((link) => this.seenFrom(iri, link));
    const counts = new Map<string, { link: string; label: string; direction: Direction; count: number; by_basis: Partial<Record<Basis, number>> }>();
    for (const { link, label, direction, basis } of all) {
      const key = `${link} ${direction}`;
      const count = counts.get(key) ?? { link, label, direction, count: 0, by_basis: {} };
      count.count += 1;
      count.by_basis[basis] = (count.by_basis[basis] ?? 0) + 1;
      counts.set(key, count);
    }
    const results = all.filter((r) => !page || (r.link === page.link && r.direction === page.direction));
    const entity = this.entities.get(iri) ?? { iri, curie: iri, label: iri, type: null };
    return Promise.resolve({
      release: "",
      entity,
      total: all.length,
      relations: [...counts.values()],
      results,
      truncated: false,
    });
  }

  subgraph(iris: readonly string[]): Promise<Subgraph> {
    const wanted = new Set(iris);
    return Promise.resolve({
      release: "",
      entities: iris.flatMap((iri) => this.entities.get(iri) ?? []),
      links: this.links.filter((link) => wanted.has(link.from) && wanted.has(link.to)),
      unknown: iris.filter((iri) => !this.entities.has(iri)),
      truncated: false,
      sparql: "",
    });
  }

  link(link: Link): Promise<LinkDetail> {
    const known = this.details[`${link.from} ${link.link} ${link.to}`];
    const [from, to] = [this.entities.get(link.from), this.entities.get(link.to)];
    const sentence = `${from?.label ?? link.from} – ${link.label} – ${to?.label ?? link.to}.`;
    const entities = link.origins.flatMap((iri) => this.entities.get(iri) ?? []);
    return Promise.resolve(known ?? { ...link, sentence, evidence: [], entities });
  }

  private seenFrom(iri: string, link: Link): Neighbours["results"] {
    const { link: type, label, basis, origins } = link;
    const seen = (other: string, direction: Direction): Neighbours["results"] => {
      const entity = this.entities.get(other);
      return entity ? [{ link: type, label, phrase: label, direction, entity, basis, origins }] : [];
    };
    return [
      ...(link.from === iri ? seen(link.to, "forward") : []),
      ...(link.to === iri ? seen(link.from, "backward") : []),
    ];
  }
}
