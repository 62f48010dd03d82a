// A table, list or chart of a page as a picture: what the browser has laid out, written as an SVG document.
//
// Text stays text and boxes stay boxes, so that the picture can be opened, edited and searched anywhere;
// a page within an SVG (`foreignObject`) is drawn by browsers alone.

import { escaped } from "../graph/svg.ts";
import { still } from "../widget/page.ts";

const MARGIN = 16;
// What a browser makes of a canvas at most, in pixels of one side.
const LONGEST = 16_000;
const HATCH = "hatch";

/** Where the picture begins on the page, and how far what is drawn in it reaches. */
interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Returns the picture of an element, in light colours and at its whole size, whatever of it is in sight; without quotes. */
export function svgOfElement(element: HTMLElement, title: string, release: string): string {
  const stage = document.createElement("div");
  stage.className = "light stage-of-still";
  const source = document.createElement("p");
  source.className = "quiet";
  source.textContent = `${title} · release ${release.slice(0, 12)}`;
  stage.append(still(element, false), source);
  document.body.append(stage);
  try {
    return written(stage, title);
  } finally {
    stage.remove();
  }
}

/** Returns an SVG document as PNG, twice as fine as the screen where a canvas can be that large. */
export async function pngOfSvg(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const ratio = Math.min(2, LONGEST / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width * ratio, image.height * ratio];
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture could not be made.")))),
  );
}

function written(stage: HTMLElement, title: string): string {
  const box = stage.getBoundingClientRect();
  const frame = { left: box.left - MARGIN, top: box.top - MARGIN, width: 0, height: 0 };
  const { fontFamily, backgroundColor } = getComputedStyle(stage);
  const parts: string[] = [];
  for (const child of stage.childNodes) walk(child, frame, parts);
  const [width, height] = [Math.ceil(frame.width + MARGIN), Math.ceil(frame.height + MARGIN)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="${escaped(fontFamily)}">`,
    `<title>${escaped(title)}</title>`,
    `<defs><pattern id="${HATCH}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V6" stroke="#d8dde4" stroke-width="1.5"/></pattern></defs>`,
    `<rect width="100%" height="100%" fill="${backgroundColor}"/>`,
    ...parts,
    "</svg>",
  ].join("\n");
}

function walk(node: Node, frame: Frame, parts: string[]): void {
  if (node instanceof Text) parts.push(...linesOf(node, frame));
  else if (node instanceof SVGSVGElement) parts.push(nested(node, frame));
  else if (node instanceof HTMLElement) {
    const style = getComputedStyle(node);
    // What is there for screen readers alone is clipped to a dot.
    if (style.display === "none" || style.clipPath !== "none") return;
    parts.push(...boxOf(node, style, frame));
    for (const child of node.childNodes) walk(child, frame, parts);
  }
}

function reach(frame: Frame, right: number, bottom: number): void {
  frame.width = Math.max(frame.width, right - frame.left);
  frame.height = Math.max(frame.height, bottom - frame.top);
}

const isSeen = (colour: string): boolean => !/^rgba\(.*, 0\)$/.test(colour);

function boxOf(element: HTMLElement, style: CSSStyleDeclaration, frame: Frame): string[] {
  const at = element.getBoundingClientRect();
  const [x, y] = [at.left - frame.left, at.top - frame.top];
  const parts: string[] = [];
  const fill = style.backgroundImage === "none" ? style.backgroundColor : `url(#${HATCH})`;
  if (isSeen(fill)) parts.push(`<rect x="${n(x)}" y="${n(y)}" width="${n(at.width)}" height="${n(at.height)}" rx="${n(parseFloat(style.borderRadius) || 0)}" fill="${fill}"/>`);
  const edges = [
    ["Top", x, y, x + at.width, y],
    ["Right", x + at.width, y, x + at.width, y + at.height],
    ["Bottom", x, y + at.height, x + at.width, y + at.height],
    ["Left", x, y, x, y + at.height],
  ] as const;
  for (const [side, x1, y1, x2, y2] of edges) {
    const [width, kind, colour] = [style[`border${side}Width`], style[`border${side}Style`], style[`border${side}Color`]];
    if (kind === "none" || parseFloat(width) === 0 || !isSeen(colour)) continue;
    parts.push(`<path d="M${n(x1)} ${n(y1)}L${n(x2)} ${n(y2)}" stroke="${colour}" stroke-width="${n(parseFloat(width))}"/>`);
  }
  if (parts.length > 0) reach(frame, at.right, at.bottom);
  return parts;
}

interface Line {
  words: string;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Returns the lines that a text was broken into, each where it stands. */
function linesOf(text: Text, frame: Frame): string[] {
  const parent = text.parentElement;
  if (!parent || !text.data.trim()) return [];
  const style = getComputedStyle(parent);
  const upright = style.writingMode === "horizontal-tb";
  const lines: Line[] = [];
  const range = document.createRange();
  for (const match of text.data.matchAll(/\S+/g)) {
    range.setStart(text, match.index);
    range.setEnd(text, match.index + match[0].length);
    const { left, top, right, bottom } = range.getBoundingClientRect();
    const line = lines.at(-1);
    const goesOn = line && Math.abs(upright ? top - line.top : left - line.left) < 3;
    if (!goesOn) lines.push({ words: match[0], left, top, right, bottom });
    else {
      line.words += ` ${match[0]}`;
      line.left = Math.min(line.left, left);
      line.top = Math.min(line.top, top);
      line.right = Math.max(line.right, right);
      line.bottom = Math.max(line.bottom, bottom);
    }
  }
  return lines.map((line) => lineSvg(line, style, upright, frame));
}

function lineSvg({ words, left, top, right, bottom }: Line, style: CSSStyleDeclaration, upright: boolean, frame: Frame): string {
  reach(frame, right, bottom);
  const [x, y] = [(left + right) / 2 - frame.left, (top + bottom) / 2 - frame.top];
  // Text that runs down is turned by the style sheet, so that it reads from the bottom up.
  const turned = upright ? "" : ` transform="rotate(-90 ${n(x)} ${n(y)})"`;
  const long = upright ? right - left : bottom - top;
  const weight = Number(style.fontWeight) > 400 ? ` font-weight="${style.fontWeight}"` : "";
  // So long as the browser made it: another program's letters may be wider.
  return `<text x="${n(x)}" y="${n(y)}" font-size="${style.fontSize}"${weight} fill="${style.color}" text-anchor="middle" dominant-baseline="central" textLength="${n(long)}" lengthAdjust="spacingAndGlyphs"${turned}>${escaped(words)}</text>`;
}

/** A picture within the page, with the colours that the style sheet gave it. */
function nested(svg: SVGSVGElement, frame: Frame): string {
  const at = svg.getBoundingClientRect();
  reach(frame, at.right, at.bottom);
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const [first, second] = [[svg, ...svg.querySelectorAll("*")], [copy, ...copy.querySelectorAll("*")]];
  second.forEach((element, i) => {
    const style = getComputedStyle(first[i] as Element);
    element.setAttribute("fill", style.fill);
    element.setAttribute("stroke", style.stroke);
    element.removeAttribute("class");
  });
  for (const [name, value] of Object.entries({ x: at.left - frame.left, y: at.top - frame.top, width: at.width, height: at.height })) {
    copy.setAttribute(name, n(value));
  }
  return new XMLSerializer().serializeToString(copy);
}

function n(value: number): string {
  return (Math.round(value * 10) / 10).toString();
}
