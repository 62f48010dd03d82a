// Where one is: the address says everything that a view needs to come back.

export type View = "home" | "search" | "entity" | "connect" | "question" | "graph" | "compare" | "gaps" | "timeline" | "whatif";

const VIEWS: readonly View[] = ["home", "search", "entity", "connect", "question", "graph", "compare", "gaps", "timeline", "whatif"];

export interface Route {
  view: View;
  values: URLSearchParams;
}

export function routeOf(address: string): Route {
  const values = new URLSearchParams(address);
  const named = values.get("view") as View | null;
  const view = named && VIEWS.includes(named) ? named : values.get("q")?.trim() ? "search" : "home";
  return { view, values };
}

type Values = Record<string, string | number | readonly string[] | undefined>;

/** Returns the address of a view. */
export function to(view: View, values: Values = {}): string {
  const found = new URLSearchParams(view === "home" || view === "search" ? {} : { view });
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? (value as string[]) : [String(value)]) if (one !== "") found.append(name, one);
  }
  // Who looks at an older release goes on looking at it.
  const release = pinnedRelease();
  if (release) found.set("release", release);
  const text = found.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  return text ? `/?${text}` : "/";
}

/** Returns the release that the address asks for, if it asks for one. */
export function pinnedRelease(): string | null {
  return typeof location === "undefined" ? null : new URLSearchParams(location.search).get("release");
}

// A longer address is refused by some servers and proxies.
const LONGEST_ADDRESS = 6000;

/** Returns the address of the editor with a query in it, at the release that is looked at. */
export function editorAddress(query: string): string {
  const release = pinnedRelease();
  const pinned = release ? { release } : {};
  const short = `/sparql?${new URLSearchParams({ edit: query, ...pinned })}`;
  if (short.length <= LONGEST_ADDRESS) return short;
  // What follows the # is not sent.
  return `/sparql?${new URLSearchParams({ edit: "", ...pinned })}#${new URLSearchParams({ edit: query })}`;
}

/** Returns the query that an address of the editor holds; null for none. */
export function queryIn({ search, hash }: { search: string; hash: string }): string | null {
  return new URLSearchParams(hash.slice(1)).get("edit") ?? new URLSearchParams(search).get("edit");
}

const listeners = new Set<() => void>();

export function onMove(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function go(address: string): void {
  history.pushState(null, "", address);
  scrollTo(0, 0);
  for (const listener of listeners) listener();
}

/** Changes one value of the address without a new entry in the history: the state of what is seen. */
export function note(name: string, value: string): void {
  const values = new URLSearchParams(location.search);
  if (value) values.set(name, value);
  else values.delete(name);
  const text = values.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  history.replaceState(null, "", text ? `/?${text}` : "/");
}

/** Makes links within the explorer and the back button move without loading anew. */
export function followLinks(): void {
  addEventListener("popstate", () => listeners.forEach((listener) => listener()));
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest?.("a");
    if (!link || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.target || link.hasAttribute("download") || link.origin !== location.origin || link.pathname !== "/") return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
