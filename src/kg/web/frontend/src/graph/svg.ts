// Writes a scene as an SVG document: the picture that stays when no script runs.

import { FONT } from "./canvas.ts";
import { LABEL_SIZE, LINK_LABEL_SIZE, type Scene, type SceneLink, type SceneNode } from "./scene.ts";
import { corners, DASHES, LIGHT, lineOf, type Theme } from "./style.ts";

/** Returns the picture; `title` is what a screen reader says of it. */
export function svgOf(scene: Scene, title: string, theme: Theme = LIGHT): string {
  const { width, height } = scene;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${n(width)} ${n(height)}" width="${n(width)}" height="${n(height)}" role="img" font-family="${escaped(FONT)}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" fill="${theme.paper}"/>`,
    ...scene.links.map((link) => lineSvg(link, theme)),
    ...scene.groups.map((group) => groupSvg(group, theme)),
    ...scene.nodes.map((node) => nodeSvg(node, theme)),
    ...scene.linkLabels.map((label) => linkLabelSvg(label, theme)),
    ...labelsSvg(scene, theme),
    "</svg>",
  ].join("\n");
}

function lineSvg({ link, start, control, end, angle, chosen }: SceneLink, theme: Theme): string {
  const { width, pale } = lineOf(link.basis);
  const colour = chosen ? theme.accent : pale ? theme.pale : theme.line;
  const dash = DASHES[link.basis].length > 0 ? ` stroke-dasharray="${DASHES[link.basis].join(" ")}"` : "";
  const path = `M${n(start.x)} ${n(start.y)}Q${n(control.x)} ${n(control.y)} ${n(end.x)} ${n(end.y)}`;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const head = [
    [end.x, end.y],
    [end.x - 9 * c + 4 * s, end.y - 9 * s - 4 * c],
    [end.x - 9 * c - 4 * s, end.y - 9 * s + 4 * c],
  ];
  return (
    `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${width}"${dash}/>` +
    `<path d="M${head.map(([x, y]) => `${n(x)} ${n(y)}`).join("L")}Z" fill="${colour}"/>`
  );
}

function nodeSvg({ x, y, radius, shape, colour, chosen }: SceneNode, theme: Theme): string {
  const points = corners(shape, radius);
  const look = `fill="${colour}" stroke="${theme.paper}" stroke-width="1.5"`;
  const ring = chosen
    ? `<circle cx="${n(x)}" cy="${n(y)}" r="${n(radius + 5)}" fill="none" stroke="${theme.accent}" stroke-width="2.5"/>`
    : "";
  if (points === null) return `${ring}<circle cx="${n(x)}" cy="${n(y)}" r="${n(radius)}" ${look}/>`;
  return `${ring}<polygon points="${points.map(([px, py]) => `${n(x + px)},${n(y + py)}`).join(" ")}" ${look}/>`;
}

function groupSvg({ x, y, width, height, text, from }: Scene["groups"][number], theme: Theme): string {
  return (
    `<line x1="${n(from.x)}" y1="${n(from.y)}" x2="${n(x)}" y2="${n(y)}" stroke="${theme.pale}"/>` +
    `<rect x="${n(x - width / 2)}" y="${n(y - height / 2)}" width="${n(width)}" height="${height}" rx="${height / 2}" fill="${theme.paper}" stroke="${theme.faint}"/>` +
    `<text x="${n(x)}" y="${n(y)}" font-size="${LINK_LABEL_SIZE}" text-anchor="middle" dominant-baseline="central" fill="${theme.ink}">${escaped(text)}</text>`
  );
}

function linkLabelSvg({ x, y, width, text }: Scene["linkLabels"][number], theme: Theme): string {
  return (
    `<rect x="${n(x - width / 2 + 2)}" y="${n(y - 7)}" width="${n(width - 4)}" height="14" fill="${theme.paper}" opacity="0.88"/>` +
    `<text x="${n(x)}" y="${n(y)}" font-size="${LINK_LABEL_SIZE}" text-anchor="middle" dominant-baseline="central" fill="${theme.faint}">${escaped(text)}</text>`
  );
}

function labelsSvg(scene: Scene, theme: Theme): string[] {
  const nodes = new Map(scene.nodes.map((node) => [node.id, node]));
  const anchors = { left: "start", right: "end", center: "middle" } as const;
  return scene.labels.map(({ id, lines, box, align }) => {
    const bold = nodes.get(id)?.root || nodes.get(id)?.chosen ? ' font-weight="600"' : "";
    const x = align === "left" ? box.x : align === "right" ? box.x + box.width : box.x + box.width / 2;
    const spans = lines.map((line, i) => {
      const y = box.y + (i + 0.5) * (box.height / lines.length);
      return `<tspan x="${n(x)}" y="${n(y)}">${escaped(line)}</tspan>`;
    });
    return `<text font-size="${LABEL_SIZE}"${bold} text-anchor="${anchors[align]}" dominant-baseline="central" fill="${theme.ink}" stroke="${theme.paper}" stroke-width="3" stroke-linejoin="round" paint-order="stroke">${spans.join("")}</text>`;
  });
}

function n(value: number | undefined): string {
  return (Math.round((value ?? 0) * 10) / 10).toString();
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
