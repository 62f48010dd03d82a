// What every view offers to take away: its query, its data, its picture, and itself as one file.

import type { ComponentChildren, JSX, RefObject } from "preact";
import { useRef, useState } from "preact/hooks";
import { ask } from "../api.ts";
import type { GraphController } from "../graph/controller.ts";
import type { Picture } from "../graph/picture.ts";
import { drawnPage, exportedPage } from "../widget/page.ts";
import { editorAddress, pinnedRelease } from "./route.ts";
import { pngOfSvg, svgOfElement } from "./still.ts";

export interface Offered {
  name: string;
  title: string;
  release: string;
  /** The query behind the view, or how it is found out. */
  sparql: string | (() => Promise<string>);
  json: unknown;
  /** The rows of the CSV, the first with the names of the columns. */
  rows: readonly (readonly string[])[];
  /** The graph that is drawn… */
  controller?: GraphController | undefined;
  picture?: Picture | null | undefined;
  /** … or the table, list or chart, where none is. */
  drawn?: RefObject<HTMLElement | null> | undefined;
}

export function csvOf(rows: readonly (readonly string[])[]): string {
  const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

/** Returns how the query of a question of queries/ is found out. */
export function queryOf(name: string, values: Record<string, string> = {}): () => Promise<string> {
  return async () => (await ask(name, values)).sparql;
}

function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const text = (content: string, type: string): Blob => new Blob([content], { type: `${type};charset=utf-8` });

/** Returns what there is to save of a view: by the suffix of the file, how it is made. */
function filesOf({ title, release, json, rows, controller, picture, drawn }: Offered): Record<string, () => Blob | Promise<Blob>> {
  const element = drawn?.current;
  const svg = (): string => (picture ? picture.svg(title) : element ? svgOfElement(element, title, release) : "");
  const page = (quotes: boolean) => async (): Promise<Blob> => {
    const options = { title, release, quotes };
    if (controller && picture) return text(await exportedPage(controller, picture, options), "text/html");
    return text(element ? await drawnPage(element, options) : "", "text/html");
  };
  return {
    csv: () => text(csvOf(rows), "text/csv"),
    json: () => text(JSON.stringify(json, null, 1), "application/json"),
    png: () => (picture ? picture.png() : pngOfSvg(svg())),
    svg: () => text(svg(), "image/svg+xml"),
    html: page(false),
    "with-quotes.html": page(true),
  };
}

const CALLED: readonly (readonly [string, string])[] = [
  ["csv", "CSV"],
  ["json", "JSON"],
  ["png", "PNG"],
  ["svg", "SVG"],
  ["html", "Web page (one file, works offline)"],
  ["with-quotes.html", "Web page with quotes"],
];

export function Exports(offered: Offered): JSX.Element {
  const { name, release, sparql } = offered;
  const menu = useRef<HTMLDetailsElement>(null);
  const [failed, setFailed] = useState("");
  const act = (work: () => void | Promise<void>) => async (): Promise<void> => {
    setFailed("");
    try {
      await work();
      if (menu.current) menu.current.open = false;
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Menu menu={menu}>
      <button type="button" onClick={act(() => navigator.clipboard.writeText(permanent(release)))}>
        Copy link to this view of release {release.slice(0, 8)}
      </button>
      <a class="button" href={citing(release)} target="_blank" rel="noopener">
        Cite this view
      </a>
      <button type="button" onClick={act(async () => location.assign(editorAddress(typeof sparql === "string" ? sparql : await sparql())))}>
        SPARQL
      </button>
      {CALLED.map(([suffix, called]) => (
        <button key={suffix} type="button" onClick={act(async () => save(`${name}-${release.slice(0, 8)}.${suffix}`, await made(offered, suffix)))}>
          {called}
        </button>
      ))}
      {failed && (
        <p class="failed" role="alert">
          {failed}
        </p>
      )}
    </Menu>
  );
}

async function made(offered: Offered, suffix: string): Promise<Blob> {
  const make = filesOf(offered)[suffix];
  if (!make) throw new Error(`There is no file of the kind ${suffix}.`);
  return make();
}

/** A menu that closes by Escape and by a click beside it. */
function Menu({ menu, children }: { menu: RefObject<HTMLDetailsElement | null>; children: ComponentChildren }): JSX.Element {
  return (
    <details
      class="menu exports"
      ref={menu}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !menu.current?.open) return;
        menu.current.open = false;
        menu.current.querySelector("summary")?.focus();
      }}
      onFocusOut={(event) => {
        const { current } = menu;
        if (current && event.relatedTarget instanceof Node && !current.contains(event.relatedTarget)) current.open = false;
      }}
    >
      <summary>Share and export</summary>
      <div class="menu-body">{children}</div>
    </details>
  );
}

/** Returns the address of this view as it is now. */
function permanent(release: string): string {
  const address = new URL(location.href);
  address.searchParams.set("release", pinnedRelease() ?? release.slice(0, 16));
  return address.toString();
}

/** Returns the address of what tells how to cite this view as it is now. */
function citing(release: string): string {
  return `/api/cite?${new URLSearchParams({ answer: `/${location.search}`, format: "text", release })}`;
}

/** Returns the links of a graph as rows of a CSV file, as `kg export csv` writes them. */
export function linkRows(controller: GraphController): string[][] {
  const rows = controller.shown.links.map(({ from, link, to, basis, origins }) => [from, link, to, basis, origins.join(" ")]);
  return [["from", "link", "to", "basis", "origins"], ...rows];
}
