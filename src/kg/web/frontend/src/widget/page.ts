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
  const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; worker-src blob:; img-src data: blob:";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escaped(data.title)}</title>
<style>${style.replaceAll("</style", "<\\/style")}</style>
</head>
<body class="standalone">
<header><h1>${escaped(data.title)}</h1><p>Release <code>${escaped(data.release.slice(0, 12))}</code></p></header>
<main id="graph">${svg}</main>
<script type="application/json" id="graph-data">${json}</script>
<script>${script.replaceAll("</script", "<\\/script")}</script>
</body>
</html>
`;
}
