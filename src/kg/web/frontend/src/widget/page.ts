// A graph view as one file: data, script and style inside, the picture as SVG for where no script runs.

import type { GraphController } from "../graph/controller.ts";
import type { Step } from "../graph/model.ts";
import type { Picture } from "../graph/picture.ts";
import { escaped } from "../graph/svg.ts";
import type { Arrangement } from "../graph/layout.ts";
import type { Entity, Link, LinkDetail } from "../types.ts";

/** What an exported page holds. */
export interface PageData {
  title: string;
  release: string;
  entities: Entity[];
  links: Link[];
  steps: Step[];
  /** x and y by IRI. */
  places: Record<string, [number, number]>;
  details: Record<string, LinkDetail>;
  dates: Record<string, string>;
  arrangement: Arrangement;
}

export interface PageOptions {
  title: string;
  release: string;
  /** Whether the words of passages go with it; they may not be the exporter's to pass on. */
  quotes: boolean;
}

// So many links are explained in the file; a larger graph says what it says without passages.
const MOST_DETAILS = 600;

export async function exportedPage(controller: GraphController, picture: Picture, options: PageOptions): Promise<string> {
  const [script, style, data] = await Promise.all([
    fetch("/static/app/standalone.js").then((response) => response.text()),
    fetch("/static/app/view.css").then((response) => response.text()),
    pageData(controller, picture, options),
  ]);
  return pageOf(data, picture.svg(options.title), script, style);
}

async function pageData(controller: GraphController, picture: Picture, options: PageOptions): Promise<PageData> {
  const { nodes, links, filter, pins } = controller.shown;
  const details: Record<string, LinkDetail> = {};
  await Promise.all(
    links.slice(0, MOST_DETAILS).map(async (link) => {
      const key = `${link.from} ${link.link} ${link.to}`;
      const detail = await controller.linkDetail(key).catch(() => null);
      if (!detail) return;
      const evidence = detail.evidence.map((passage) => ({ ...passage, quote: options.quotes ? passage.quote : null }));
      details[key] = { ...detail, evidence };
    }),
  );
  const origins = new Set(links.flatMap((link) => link.origins));
  const places: PageData["places"] = {};
  for (const { iri } of nodes) {
    const at = picture.layout.positions.get(iri);
    if (at) places[iri] = [Math.round(at.x), Math.round(at.y)];
  }
  return {
    title: options.title,
    release: options.release,
    entities: [...new Map([...nodes, ...[...origins].map((iri) => controller.pool.entity(iri))].map((e) => [e.iri, e])).values()],
    links,
    steps: [
      { op: "add", nodes: nodes.map((node) => node.iri) },
      ...[...pins].map(([node, at]): Step => ({ op: "pin", node, ...at })),
      { op: "filter", filter },
    ],
    places,
    details,
    dates: Object.fromEntries([...origins].flatMap((iri) => (controller.pool.dates.has(iri) ? [[iri, controller.pool.dates.get(iri) ?? ""]] : []))),
    arrangement: picture.arrangement,
  };
}

/** Returns the page; nothing in it asks anything of a network. */
export function pageOf(data: PageData, svg: string, script: string, style: string): string {
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  return shell(
    data,
    style,
    "standalone",
    `<main id="graph">${svg}</main>
<script type="application/json" id="graph-data">${json}</script>
<script>${script.replaceAll("</script", "<\\/script")}</script>`,
    "script-src 'unsafe-inline'; worker-src blob:; ",
  );
}

/** Returns a table or chart of a view as a page that stands by itself, without a script. */
export async function drawnPage(element: Element, options: PageOptions): Promise<string> {
  const style = await fetch("/static/app/app.css").then((response) => response.text());
  return shell(options, style, "app", `<main class="card">${still(element, options.quotes).outerHTML}</main>`);
}

/** Returns a copy of what is drawn in which nothing waits for a click. */
export function still(element: Element, quotes: boolean): Element {
  const copy = element.cloneNode(true) as Element;
  // What opens more has nothing to open here, and links lead into a service that may not be there.
  copy.querySelectorAll(".exports, nav, a.button, button[aria-expanded]").forEach((one) => one.remove());
  copy.querySelectorAll("a").forEach((link) => link.removeAttribute("href"));
  if (!quotes) copy.querySelectorAll("blockquote").forEach((quote) => quote.remove());
  for (const button of copy.querySelectorAll("button")) {
    const mark = document.createElement("span");
    mark.className = button.className;
    mark.title = button.title;
    mark.append(...button.childNodes);
    const label = button.getAttribute("aria-label");
    if (label) {
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", label);
    }
    button.replaceWith(mark);
  }
  return copy;
}

function shell(of: { title: string; release: string }, style: string, kind: string, content: string, allowed = ""): string {
  const policy = `default-src 'none'; style-src 'unsafe-inline'; ${allowed}img-src data: blob:`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escaped(of.title)}</title>
<style>${style.replaceAll("</style", "<\\/style")}</style>
</head>
<body class="${kind}">
<header><h1>${escaped(of.title)}</h1><p>Release <code>${escaped(of.release.slice(0, 12))}</code></p></header>
${content}
</body>
</html>
`;
}
