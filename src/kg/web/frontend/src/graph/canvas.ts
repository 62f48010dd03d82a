// Draws a scene on a canvas.

import { LABEL_SIZE, LINK_LABEL_SIZE, type Scene, type SceneLink, type SceneNode } from "./scene.ts";
import { corners, DASHES, lineOf, type Theme } from "./style.ts";

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
const DIMMED = 0.16;

/** Draws everything; what is dimmed lies below. */
export function draw(context: CanvasRenderingContext2D, scene: Scene, theme: Theme, ratio: number): void {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = theme.paper;
  context.fillRect(0, 0, scene.width, scene.height);
  drawLinks(context, scene, theme);
  drawGroups(context, scene, theme);
  drawNodes(context, scene, theme);
  drawLinkLabels(context, scene, theme);
  drawLabels(context, scene, theme);
}

function drawLinks(context: CanvasRenderingContext2D, scene: Scene, theme: Theme): void {
  const batches = new Map<string, SceneLink[]>();
  for (const item of scene.links) {
    const key = `${item.dimmed ? 0 : 1} ${item.chosen ? 1 : 0} ${item.link.basis}`;
    const batch = batches.get(key);
    if (batch) batch.push(item);
    else batches.set(key, [item]);
  }
  // Thousands of dashes cost more than they tell; at that size only what is near stays dashed.
  const plain = scene.links.length > 3000;
  for (const key of [...batches.keys()].sort()) {
    const batch = batches.get(key) ?? [];
    const [first] = batch;
    if (first) drawBatch(context, batch, first, plain, theme);
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

function drawBatch(
  context: CanvasRenderingContext2D,
  batch: readonly SceneLink[],
  { link, dimmed, chosen }: SceneLink,
  plain: boolean,
  theme: Theme,
): void {
  const { width, pale } = lineOf(link.basis);
  const colour = chosen ? theme.accent : pale ? theme.pale : theme.line;
  context.globalAlpha = dimmed ? DIMMED : 1;
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = plain && !chosen ? 0.6 : chosen ? width + 1.5 : width;
  context.setLineDash(plain ? [] : [...DASHES[link.basis]]);
  context.beginPath();
  for (const { start, control, end } of batch) {
    context.moveTo(start.x, start.y);
    if (plain) context.lineTo(end.x, end.y);
    else context.quadraticCurveTo(control.x, control.y, end.x, end.y);
  }
  context.stroke();
  if (plain && !chosen) return;
  context.beginPath();
  for (const item of batch) arrow(context, item);
  context.fill();
}

function arrow(context: CanvasRenderingContext2D, { end, angle }: SceneLink): void {
  const [along, across] = [9, 4];
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  context.moveTo(end.x, end.y);
  context.lineTo(end.x - along * c + across * s, end.y - along * s - across * c);
  context.lineTo(end.x - along * c - across * s, end.y - along * s + across * c);
  context.closePath();
}

function drawNodes(context: CanvasRenderingContext2D, scene: Scene, theme: Theme): void {
  const batches = new Map<string, SceneNode[]>();
  for (const node of scene.nodes) {
    const key = `${node.dimmed ? 0 : 1} ${node.colour} ${node.shape}`;
    const batch = batches.get(key);
    if (batch) batch.push(node);
    else batches.set(key, [node]);
  }
  context.lineWidth = 1.5;
  context.strokeStyle = theme.paper;
  for (const key of [...batches.keys()].sort()) {
    const batch = batches.get(key) ?? [];
    context.globalAlpha = batch[0]?.dimmed ? DIMMED : 1;
    context.fillStyle = batch[0]?.colour ?? theme.faint;
    context.beginPath();
    for (const node of batch) outline(context, node, node.radius);
    context.fill();
    context.stroke();
  }
  context.globalAlpha = 1;
  for (const node of scene.nodes) if (node.chosen || node.pinned) mark(context, node, theme);
}

function outline(context: CanvasRenderingContext2D, { x, y, shape }: SceneNode, radius: number): void {
  const points = corners(shape, radius);
  if (points === null) {
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  points.forEach(([px, py], i) => {
    if (i === 0) context.moveTo(x + px, y + py);
    else context.lineTo(x + px, y + py);
  });
  context.closePath();
}

function mark(context: CanvasRenderingContext2D, node: SceneNode, theme: Theme): void {
  if (node.chosen) {
    context.strokeStyle = theme.accent;
    context.lineWidth = 2.5;
    context.beginPath();
    context.arc(node.x, node.y, node.radius + 5, 0, 2 * Math.PI);
    context.stroke();
  }
  if (node.pinned) {
    context.fillStyle = theme.ink;
    context.beginPath();
    context.arc(node.x, node.y, Math.max(2, node.radius * 0.28), 0, 2 * Math.PI);
    context.fill();
  }
}

function drawGroups(context: CanvasRenderingContext2D, scene: Scene, theme: Theme): void {
  context.font = `${LINK_LABEL_SIZE}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 1;
  for (const { x, y, width, height, text, from } of scene.groups) {
    context.strokeStyle = theme.pale;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(x, y);
    context.stroke();
    context.fillStyle = theme.paper;
    context.strokeStyle = theme.faint;
    context.beginPath();
    context.roundRect(x - width / 2, y - height / 2, width, height, height / 2);
    context.fill();
    context.stroke();
    context.fillStyle = theme.ink;
    context.fillText(text, x, y + 0.5);
  }
}

function drawLinkLabels(context: CanvasRenderingContext2D, scene: Scene, theme: Theme): void {
  context.font = `${LINK_LABEL_SIZE}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const { x, y, width, text, chosen } of scene.linkLabels) {
    context.fillStyle = theme.paper;
    context.globalAlpha = 0.88;
    context.fillRect(x - width / 2 + 2, y - 7, width - 4, 14);
    context.globalAlpha = 1;
    context.fillStyle = chosen ? theme.accent : theme.faint;
    context.fillText(text, x, y + 0.5);
  }
}

function drawLabels(context: CanvasRenderingContext2D, scene: Scene, theme: Theme): void {
  const nodes = new Map(scene.nodes.map((node) => [node.id, node]));
  context.textBaseline = "top";
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = theme.paper;
  for (const { id, lines, box, align } of scene.labels) {
    const node = nodes.get(id);
    context.globalAlpha = node?.dimmed ? 0.35 : 1;
    context.font = `${node?.chosen || node?.root ? "600 " : ""}${LABEL_SIZE}px ${FONT}`;
    context.textAlign = align;
    context.fillStyle = theme.ink;
    const x = align === "left" ? box.x : align === "right" ? box.x + box.width : box.x + box.width / 2;
    lines.forEach((line, i) => {
      const y = box.y + i * (box.height / lines.length) + 1;
      context.strokeText(line, x, y);
      context.fillText(line, x, y);
    });
  }
  context.globalAlpha = 1;
}
