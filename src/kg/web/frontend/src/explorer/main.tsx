// The explorer: one page, a view for each address.

import { render, type JSX } from "preact";
import { useEffect, useReducer } from "preact/hooks";
import { followLinks, onMove, pinnedRelease, routeOf, to, type Route, type View } from "./route.ts";
import { Compare } from "./views/compare.tsx";
import { Connect } from "./views/connect.tsx";
import { EntityView } from "./views/entity.tsx";
import { Gaps } from "./views/gaps.tsx";
import { GraphPage } from "./views/graph.tsx";
import { Home } from "./views/home.tsx";
import { QuestionView } from "./views/question.tsx";
import { Search } from "./views/search.tsx";
import { Timeline } from "./views/timeline.tsx";
import { WhatIf } from "./views/whatif.tsx";
import { ReleaseNote } from "./release.tsx";

const VIEWS: Readonly<Record<View, (props: { values: URLSearchParams }) => JSX.Element>> = {
  home: Home,
  search: Search,
  entity: EntityView,
  connect: Connect,
  question: QuestionView,
  graph: GraphPage,
  compare: Compare,
  gaps: Gaps,
  timeline: Timeline,
  whatif: WhatIf,
};

const MENU: readonly (readonly [View, string])[] = [
  ["connect", "Connect"],
  ["gaps", "Gaps"],
  ["compare", "Compare"],
  ["timeline", "Timeline"],
  ["whatif", "What if"],
];

function Explorer(): JSX.Element {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => onMove(() => again(undefined as never)), []);
  const route = routeOf(location.search);
  const Shown = VIEWS[route.view];
  return (
    <div class="explorer">
      <Bar route={route} />
      <main id="main" tabIndex={-1}>
        <Shown key={keyOf(route)} values={route.values} />
      </main>
      <ReleaseNote />
    </div>
  );
}

/** A view begins anew when what it is about changes; the state of its graph and marks is its own. */
function keyOf({ view, values }: Route): string {
  const kept = new URLSearchParams(values);
  kept.delete("g");
  kept.delete("path");
  return view === "connect" ? view : `${view} ${kept}`;
}

function Bar({ route }: { route: Route }): JSX.Element {
  const words = route.values.get("q") ?? "";
  return (
    <header class="bar">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <a class="brand" href={to("home")}>
        Policy evidence
      </a>
      {route.view !== "home" && (
        <form action="/" role="search" class="bar-search">
          <input name="q" type="search" value={words} aria-label="Search" placeholder="Search" />
          {pinnedRelease() && <input type="hidden" name="release" value={pinnedRelease() ?? ""} />}
        </form>
      )}
      <nav aria-label="Main">
        {MENU.map(([view, name]) => (
          <a key={view} href={to(view)} aria-current={route.view === view ? "page" : undefined}>
            {name}
          </a>
        ))}
        <a href="/sparql">SPARQL</a>
        <a href="/ns">Ontology</a>
        <a href="/docs">API</a>
      </nav>
    </header>
  );
}

const root = document.getElementById("explorer");
if (root) {
  followLinks();
  root.replaceChildren();
  document.body.classList.add("app");
  render(<Explorer />, root);
}
