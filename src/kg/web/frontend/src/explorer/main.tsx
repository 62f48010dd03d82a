// The explorer: one page, a view for each address.

import { render, type JSX } from "preact";
import { useEffect, useReducer } from "preact/hooks";
import { Bar } from "./bar.tsx";
import { followLinks, onMove, routeOf, type Route, type View } from "./route.ts";
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

function Explorer(): JSX.Element {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => onMove(() => again(undefined as never)), []);
  const route = routeOf(location.search);
  const Shown = VIEWS[route.view];
  return (
    <div class="explorer">
      <Bar view={route.view} words={route.values.get("q") ?? ""} />
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
  kept.delete("cell");
  return view === "connect" ? view : `${view} ${kept}`;
}

const root = document.getElementById("explorer");
if (root) {
  followLinks();
  root.replaceChildren();
  document.body.classList.add("app");
  render(<Explorer />, root);
}
