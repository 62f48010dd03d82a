import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { get, ServiceSource } from "../../api.ts";
import { useController } from "../../graph/view.tsx";
import { Board, useBoard, usePicture } from "../graph.tsx";
import { Exports, linkRows } from "../exports.tsx";
import { EntityField, Show, useLoaded } from "../pieces.tsx";
import { namesOf } from "./question.tsx";

/** A graph of any things: those the address names, and what was added and opened since. */
export function GraphPage({ values }: { values: URLSearchParams }): JSX.Element {
  const release = useLoaded(() => get<{ release: string }>("/api/release"), []);
  return <Show of={release}>{(found) => <Whole values={values} release={found.release} />}</Show>;
}

function Whole({ values, release }: { values: URLSearchParams; release: string }): JSX.Element {
  const nodes = namesOf(values.get("nodes") ?? "");
  const title = values.get("title") ?? "Graph";
  const [picture, ready] = usePicture();
  const controller = useBoard(
    () => ({}),
    (made) => (nodes.length > 0 ? made.add(nodes) : Promise.resolve()),
    [nodes.join(" ")],
  );
  // What there is to take away is what is drawn now.
  useController(controller);
  useEffect(() => void (document.title = `${title} · Policy evidence`), [title]);
  return (
    <section class="graph-card whole" aria-label={title}>
      <div class="view-head">
        <h1>{title}</h1>
        <EntityField label="Add a thing" name="add" value="" choose={(_, entity) => entity && void controller.add([entity.iri])} />
        <Exports
          {...{ name: "graph", title, release, controller, picture }}
          sparql={async () => (await new ServiceSource().subgraph(controller.shown.nodes.map((node) => node.iri))).sparql}
          json={{ release, entities: controller.shown.nodes, links: controller.shown.links }}
          rows={linkRows(controller)}
        />
      </div>
      <Board controller={controller} ready={ready} />
    </section>
  );
}
