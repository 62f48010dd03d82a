// The graph view in a notebook: what it begins with is in the model, what it learns it asks the kernel.

import { render as draw } from "preact";
import workerSource from "text:../graph/layout.worker.ts";
import { GraphController } from "../graph/controller.ts";
import type { Arrangement } from "../graph/layout.ts";
import { GraphView } from "../graph/view.tsx";
import type { Entity, Link } from "../types.ts";
import type { AnyModel } from "./anywidget.ts";
import { MessageSource } from "./messages.ts";
import { textWorker } from "./worker.ts";

interface Graph {
  entities: Entity[];
  links: Link[];
  arrangement: Arrangement;
}

function render({ model, el }: { model: AnyModel; el: HTMLElement }): () => void {
  const { entities, links, arrangement } = model.get("graph") as Graph;
  const source = new MessageSource(model);
  // Paths are shown as they were found; elsewhere links between what is shown are added.
  const controller = new GraphController(source, { entities, links, complete: arrangement.kind === "force" });
  const forget = controller.listen(() => tell(model, [...controller.selection.nodes]));
  const place = document.createElement("div");
  place.className = "kg-widget";
  el.append(place);
  const shown = putAway(model.get("stands_in"));
  draw(<GraphView {...{ controller, arrangement }} makeWorker={textWorker(workerSource)} />, place);
  return () => {
    forget();
    source.close();
    shown.remove();
    draw(null, place);
    place.remove();
  };
}

/** Hides the still picture that stood in for this view, wherever on the page it is, until what is returned is removed. */
function putAway(standsIn: unknown): HTMLStyleElement {
  const style = document.createElement("style");
  style.textContent = `.${CSS.escape(String(standsIn))} { display: none }`;
  document.head.append(style);
  return style;
}

function tell(model: AnyModel, selected: string[]): void {
  if (JSON.stringify(selected) === JSON.stringify(model.get("selected"))) return;
  model.set("selected", selected);
  model.save_changes();
}

export default { render };
