// The graph view: picture, tools, legend, and the panels beside it. One piece for explorer, notebook and exported page.

import { Fragment, type ComponentChildren, type JSX } from "preact";
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import type { Point } from "./camera.ts";
import type { GraphController } from "./controller.ts";
import { FilterPanel, Legend } from "./filters.tsx";
import type { Arrangement, MakeWorker } from "./layout.ts";
import { ListPanel, SelectionPanel, type AddressOf } from "./panels.tsx";
import { Picture } from "./picture.ts";

export interface GraphViewProps {
  controller: GraphController;
  makeWorker: MakeWorker;
  arrangement?: Arrangement;
  /** Where things stand already. */
  places?: ReadonlyMap<string, Point>;
  addressOf?: AddressOf;
  /** Given the picture once it is there, for exports. */
  ready?: (picture: Picture) => void;
  extra?: ComponentChildren;
}

type Panel = "details" | "list" | "filter";
const PANELS: readonly (readonly [Panel, string])[] = [
  ["details", "Details"],
  ["list", "List"],
  ["filter", "Filter"],
];

/** Draws anew whenever the controller has changed. */
export function useController(controller: GraphController): void {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => controller.listen(() => again(undefined as never)), [controller]);
}

export function GraphView(props: GraphViewProps): JSX.Element {
  const { controller, makeWorker, arrangement = { kind: "force" }, addressOf = () => null, ready, extra, places } = props;
  useController(controller);
  const canvas = useRef<HTMLCanvasElement>(null);
  const picture = useRef<Picture | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const [panel, setPanel] = useState<Panel>("details");
  const [asked, setAsked] = useState(0);
  const [hovered, setHovered] = useState<string | null>(null);
  const [lasso, setLasso] = useState(false);
  const [kind, setKind] = useState(arrangement.kind);
  useEffect(() => {
    if (!canvas.current) return;
    const made = new Picture(canvas.current, controller, makeWorker, arrangement, {
      menu: () => {
        setPanel("details");
        setAsked((count) => count + 1);
      },
      find: () => search.current?.focus(),
      hovered: setHovered,
    }, places);
    picture.current = made;
    // For whoever drives the page: where things are drawn.
    Object.assign(canvas.current, { graphPicture: made });
    ready?.(made);
    return () => made.destroy();
  }, [controller]);
  useEffect(() => {
    const { current } = picture;
    if (!current || current.arrangement.kind === kind) return;
    current.arrangement = { ...arrangement, kind };
    current.update();
    current.fit();
  }, [kind]);
  useEffect(() => {
    if (controller.selection.link !== null || controller.selection.nodes.size > 0) setPanel((now) => (now === "filter" ? "details" : now));
  }, [controller.selection]);
  const toggleLasso = (): void => {
    setLasso(!lasso);
    if (picture.current) picture.current.lasso = !lasso;
  };
  return (
    <div
      class="graph-view"
      onKeyDown={(event) => {
        if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
        if (event.target instanceof HTMLInputElement) return;
        event.preventDefault();
        if (event.shiftKey) controller.redo();
        else controller.undo();
      }}
    >
      <div class="tools" role="toolbar" aria-label="Graph tools">
        <Tool name="Undo" disabled={!controller.canUndo} act={() => controller.undo()} />
        <Tool name="Redo" disabled={!controller.canRedo} act={() => controller.redo()} />
        <span class="gap" />
        <Tool name="Zoom in" sign="+" act={() => picture.current?.zoom(1.25)} />
        <Tool name="Zoom out" sign="−" act={() => picture.current?.zoom(0.8)} />
        <Tool name="Fit" act={() => picture.current?.fit()} />
        <span class="gap" />
        <Tool name="Lasso" pressed={lasso} act={toggleLasso} />
        <Tool
          name="Left to right"
          pressed={kind === "layered"}
          act={() => setKind(kind === "layered" ? "force" : "layered")}
        />
        <Find controller={controller} input={search} show={(id) => picture.current?.show(id)} />
        {extra}
      </div>
      <div class="stage">
        <canvas
          ref={canvas}
          class="picture"
          tabIndex={0}
          role="application"
          aria-label={`Graph of ${controller.shown.nodes.length} things and ${controller.shown.links.length} links. The list beside it says the same.`}
        />
        {controller.busy > 0 && <p class="busy">Loading…</p>}
      </div>
      <p class="status" role="status">
        {controller.error ? <span class="error">{controller.error}</span> : (hovered ?? spoken(controller))}
      </p>
      <Legend controller={controller} />
      <div class="panel">
        <div class="tabs" role="tablist" aria-label="Beside the graph">
          {PANELS.map(([id, name]) => (
            <button
              key={id}
              type="button"
              role="tab"
              id={`tab-${id}`}
              aria-selected={panel === id}
              aria-controls="graph-panel"
              onClick={() => setPanel(id)}
            >
              {name}
            </button>
          ))}
        </div>
        <div class="panel-body" id="graph-panel" role="tabpanel" aria-labelledby={`tab-${panel}`} tabIndex={0}>
          {panel === "details" && (
            <SelectionPanel {...{ controller, addressOf, asked }} pin={(node) => picture.current?.pin(node)} />
          )}
          {panel === "list" && <ListPanel controller={controller} />}
          {panel === "filter" && <FilterPanel controller={controller} />}
        </div>
      </div>
    </div>
  );
}

/** What is chosen, in words. */
function spoken(controller: GraphController): string {
  const { nodes, link } = controller.selection;
  const found = link === null ? undefined : controller.pool.links.get(link);
  if (found) return `${controller.pool.entity(found.from).label} ${found.label} ${controller.pool.entity(found.to).label}`;
  const [first] = nodes;
  if (first === undefined) return `${controller.shown.nodes.length} things, ${controller.shown.links.length} links`;
  return nodes.size === 1 ? controller.pool.entity(first).label : `${nodes.size} things chosen`;
}

function Tool({
  name,
  sign,
  act,
  disabled = false,
  pressed,
}: {
  name: string;
  sign?: string;
  act: () => void;
  disabled?: boolean;
  pressed?: boolean;
}): JSX.Element {
  return (
    <button
      type="button"
      disabled={disabled}
      title={name}
      {...(sign ? { "aria-label": name } : {})}
      {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
      onClick={act}
    >
      {sign ?? name}
    </button>
  );
}

function Find({
  controller,
  input,
  show,
}: {
  controller: GraphController;
  input: { current: HTMLInputElement | null };
  show: (id: string) => void;
}): JSX.Element {
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const found = wanted ? controller.shown.nodes.filter((node) => node.label.toLowerCase().includes(wanted)) : [];
  return (
    <form
      class="find"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const at = found.findIndex((node) => controller.selection.nodes.has(node.iri));
        const next = found[(at + 1) % Math.max(found.length, 1)];
        if (!next) return;
        controller.select([next.iri]);
        show(next.iri);
      }}
    >
      <input
        ref={input}
        type="search"
        value={text}
        placeholder="Find in this graph"
        aria-label="Find in this graph"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {wanted && (
        <Fragment>
          <span class="quiet">{found.length}</span>
          <button type="submit" disabled={found.length === 0}>
            Next
          </button>
        </Fragment>
      )}
    </form>
  );
}
