// What every view offers to take away: its query, its data, its picture, and itself as one file.

import type { JSX, RefObject } from "preact";
import { useRef } from "preact/hooks";
import { ask } from "../api.ts";
import type { GraphController } from "../graph/controller.ts";
import type { Picture } from "../graph/picture.ts";
import { drawnPage, exportedPage } from "../widget/page.ts";
import { pinnedRelease } from "./route.ts";

export interface Offered {
  name: string;
  title: string;
  release: string;
  sparql?: string | undefined;
  /** The question that stands behind the view, where its answer is not what is shown. */
  question?: { name: string; values: Record<string, string> } | undefined;
  json?: unknown;
  /** The rows of the CSV, the first with the names of the columns. */
  rows?: readonly (readonly string[])[] | undefined;
  controller?: GraphController | undefined;
  picture?: Picture | null | undefined;
  /** A table or chart, where no graph is drawn. */
  drawn?: RefObject<HTMLElement | null> | undefined;
}

export function csvOf(rows: readonly (readonly string[])[]): string {
  const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const text = (content: string, type: string): Blob => new Blob([content], { type: `${type};charset=utf-8` });

export function Exports(offered: Offered): JSX.Element {
  const { name, title, release, sparql, question, json, rows, controller, picture, drawn } = offered;
  const menu = useRef<HTMLDetailsElement>(null);
  const file = (suffix: string): string => `${name}-${release.slice(0, 8)}.${suffix}`;
  const act = (work: () => void | Promise<void>) => async (): Promise<void> => {
    await work();
    if (menu.current) menu.current.open = false;
  };
  const page = async (quotes: boolean): Promise<void> => {
    const options = { title, release, quotes };
    if (controller && picture) save(file("html"), text(await exportedPage(controller, picture, options), "text/html"));
    else if (drawn?.current) save(file("html"), text(await drawnPage(drawn.current, options), "text/html"));
  };
  const isPage = (controller && picture) || drawn;
  return (
    <details class="menu exports" ref={menu}>
      <summary>Share and export</summary>
      <div class="menu-body">
        <button type="button" onClick={act(() => navigator.clipboard.writeText(permanent(release)))}>
          Copy link to this view of release {release.slice(0, 8)}
        </button>
        <a class="button" href={citing(release)} target="_blank" rel="noopener">
          Cite this view
        </a>
        {sparql && (
          <a class="button" href={editorAddress(sparql)}>
            SPARQL
          </a>
        )}
        {question && (
          <button type="button" onClick={act(async () => location.assign(editorAddress((await ask(question.name, question.values)).sparql)))}>
            SPARQL
          </button>
        )}
        {rows && (
          <button type="button" onClick={act(() => save(file("csv"), text(csvOf(rows), "text/csv")))}>
            CSV
          </button>
        )}
        {json !== undefined && (
          <button type="button" onClick={act(() => save(file("json"), text(JSON.stringify(json, null, 1), "application/json")))}>
            JSON
          </button>
        )}
        {picture && (
          <button type="button" onClick={act(async () => save(file("png"), await picture.png()))}>
            PNG
          </button>
        )}
        {picture && (
          <button type="button" onClick={act(() => save(file("svg"), text(picture.svg(title), "image/svg+xml")))}>
            SVG
          </button>
        )}
        {isPage && (
          <button type="button" onClick={act(() => page(false))}>
            Web page (one file, works offline)
          </button>
        )}
        {isPage && (
          <button type="button" onClick={act(() => page(true))}>
            Web page with quotes
          </button>
        )}
      </div>
    </details>
  );
}

/** Returns the address of the editor with a query in it, at the release that is looked at. */
function editorAddress(sparql: string): string {
  const release = pinnedRelease();
  return `/sparql?${new URLSearchParams({ edit: sparql, ...(release ? { release } : {}) })}`;
}

/** Returns the address of this view as it is now. */
function permanent(release: string): string {
  const address = new URL(location.href);
  address.searchParams.set("release", release.slice(0, 16));
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
