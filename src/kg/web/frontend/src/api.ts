// Asks the service that this page came from.

import type { Source } from "./graph/source.ts";
import type {
  Answer,
  Connections,
  Description,
  Direction,
  Entity,
  Link,
  LinkDetail,
  Neighbours,
  Problem,
  Question,
  Subgraph,
  Terms,
} from "./types.ts";

/** What the service answered instead of what was asked for. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
  }
}

type Values = Record<string, string | number | readonly string[] | undefined>;

export function query(values: Values): string {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? (value as string[]) : [String(value)]) if (one !== "") found.append(name, one);
  }
  return found.toString();
}

/** Every answer comes from the release that the page's address names, if it names one. */
function withRelease(values: Values): Values {
  const release = typeof location === "undefined" ? null : new URLSearchParams(location.search).get("release");
  return release ? { ...values, release } : values;
}

async function answered<T>(response: Response): Promise<T> {
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) return body as T;
  const unreadable = { title: response.statusText, status: response.status, detail: `The service answered ${response.status}.` };
  throw new ProblemError((body as Problem | null) ?? unreadable);
}

export async function get<T>(path: string, values: Values = {}, signal?: AbortSignal): Promise<T> {
  const asked = query(withRelease(values));
  const init = { headers: { Accept: "application/json" }, ...(signal ? { signal } : {}) };
  return answered<T>(await fetch(asked ? `${path}?${asked}` : path, init));
}

export const search = (q: string, type?: string, limit = 20, signal?: AbortSignal): Promise<{ release: string; results: Entity[]; truncated: boolean; sparql: string }> =>
  get("/api/search", { q, type, limit }, signal);
export const describe = (entity: string): Promise<Description> => get("/api/describe", { entity });
export const connections = (values: Values): Promise<Connections> => get("/api/connections", values);
export const ask = (name: string, values: Values): Promise<Answer> => get(`/api/queries/${encodeURIComponent(name)}`, values);

let asked: { questions?: Promise<Question[]>; vocabulary?: Promise<Terms> } = {};

export function questions(): Promise<Question[]> {
  asked.questions ??= get<{ results: Question[] }>("/api/queries").then((found) => found.results);
  return asked.questions;
}

export function vocabulary(): Promise<Terms> {
  asked.vocabulary ??= get<Terms>("/api/vocabulary");
  return asked.vocabulary;
}

/** Forgets what was kept, for tests. */
export function forget(): void {
  asked = {};
}

export class ServiceSource implements Source {
  neighbours(entity: string, page?: { link: string; direction: Direction; limit: number }): Promise<Neighbours> {
    return get("/api/neighbours", { entity, ...(page ?? { limit: 1 }) });
  }

  async subgraph(entities: readonly string[]): Promise<Subgraph> {
    const response = await fetch(`/api/subgraph?${query(withRelease({}))}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ entities }),
    });
    return answered<Subgraph>(response);
  }

  link({ from, link, to }: Link): Promise<LinkDetail> {
    return get("/api/link", { from, link, to });
  }
}
