// What runs in an exported page: the graph view over the data that came with it.

import { render } from "preact";
import workerSource from "text:../graph/layout.worker.ts";
import { GraphController } from "../graph/controller.ts";
import { HeldSource } from "../graph/source.ts";
import { GraphView } from "../graph/view.tsx";
import { textWorker } from "./worker.ts";
import type { PageData } from "./page.ts";

const data = JSON.parse(document.getElementById("graph-data")?.textContent ?? "{}") as PageData;
const root = document.getElementById("graph");

if (root && data.entities) {
  const controller = new GraphController(new HeldSource(data.entities, data.links, data.details), { complete: false });
  controller.pool.learn(data.entities, data.links);
  for (const [iri, date] of Object.entries(data.dates)) controller.pool.dates.set(iri, date);
  const places = new Map(Object.entries(data.places).map(([iri, [x, y]]) => [iri, { x, y }]));
  void controller.replay(data.steps).then(() => {
    controller.settle();
    root.replaceChildren();
    render(<GraphView {...{ controller, places }} arrangement={data.arrangement} makeWorker={textWorker(workerSource)} />, root);
  });
}
