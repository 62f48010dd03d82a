// What stands at the top of every page: the way to each view, and a search.

import type { JSX } from "preact";
import { pinnedRelease, to, type View } from "./route.ts";

const MENU: readonly (readonly [View, string])[] = [
  ["connect", "Connect"],
  ["gaps", "Gaps"],
  ["compare", "Compare"],
  ["timeline", "Timeline"],
  ["whatif", "What if"],
];

export function Bar({ view, words = "" }: { view: View | "sparql"; words?: string }): JSX.Element {
  return (
    <header class="bar">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <a class="brand" href={to("home")}>
        Policy evidence
      </a>
      {view !== "home" && (
        <form action="/" role="search" class="bar-search">
          <input name="q" type="search" value={words} aria-label="Search" placeholder="Search" />
          {pinnedRelease() && <input type="hidden" name="release" value={pinnedRelease() ?? ""} />}
        </form>
      )}
      <nav aria-label="Main">
        {MENU.map(([one, name]) => (
          <a key={one} href={to(one)} aria-current={view === one ? "page" : undefined}>
            {name}
          </a>
        ))}
        <a href="/sparql" aria-current={view === "sparql" ? "page" : undefined}>
          SPARQL
        </a>
        <a href="/ns">Ontology</a>
        <a href="/docs">API</a>
      </nav>
    </header>
  );
}
