// The canvas: draws what the controller shows, and turns mouse, touch and keys into steps.

import { Camera, type Point, type View } from "./camera.ts";
import { draw, FONT } from "./canvas.ts";
import type { GraphController } from "./controller.ts";
import { hitAt, nextTowards, within, type Hit } from "./hit.ts";
import { Layout, type Arrangement, type MakeWorker } from "./layout.ts";
import { LABEL_SIZE, sceneOf, type Scene } from "./scene.ts";
import { DARK, LIGHT, type Theme } from "./style.ts";
import { svgOf } from "./svg.ts";

const CLICK_REACH = 4;
const DOUBLE_CLICK_MS = 350;
const MANY = 300;
const ZOOM_STEP = 1.25;
const PAN_STEP = 60;
const REST_MS = 160;

export interface PictureEvents {
  /** A menu was asked for: of the node that is chosen. */
  menu: () => void;
  find: () => void;
  hovered: (text: string | null) => void;
}

interface Drag {
  kind: "pan" | "node" | "lasso";
  id: string;
  last: Point;
  from: Point;
  moved: boolean;
  loop: Point[];
  hit: Hit;
}

export class Picture {
  readonly camera = new Camera();
  readonly layout: Layout;
  lasso = false;
  arrangement: Arrangement;
  private readonly context: CanvasRenderingContext2D;
  private scene: Scene = { width: 1, height: 1, nodes: [], groups: [], links: [], labels: [], linkLabels: [] };
  private drag: Drag | null = null;
  /** What was drawn when a large picture began to be moved: moved and magnified as it is, until it rests. */
  private still: { image: HTMLCanvasElement; view: View } | null = null;
  private hovered: string | null = null;
  private frame = 0;
  private settled = 0;
  private moving = false;
  private shape = "";
  private touched = false;
  private lastClick: { id: string; at: number } = { id: "", at: 0 };
  private readonly widths = new Map<string, number>();
  private readonly watch: ResizeObserver;
  private readonly forget: () => void;
  private readonly dark = matchMedia("(prefers-color-scheme: dark)");

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly controller: GraphController,
    makeWorker: MakeWorker,
    arrangement: Arrangement,
    private readonly events: PictureEvents,
    /** Where things stand already; a picture that is all placed is not laid out anew. */
    places: ReadonlyMap<string, Point> = new Map(),
  ) {
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("This browser draws no canvas.");
    this.context = context;
    this.arrangement = arrangement;
    this.layout = new Layout(makeWorker);
    for (const [id, place] of places) this.layout.positions.set(id, place);
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(canvas);
    this.forget = controller.listen(() => this.update());
    this.dark.addEventListener("change", this.redraw);
    this.bind();
  }

  destroy(): void {
    this.watch.disconnect();
    this.forget();
    this.dark.removeEventListener("change", this.redraw);
    this.layout.stop();
    cancelAnimationFrame(this.frame);
  }

  get theme(): Theme {
    return this.dark.matches ? DARK : LIGHT;
  }

  /** Whether nothing is on its way and the layout is at rest: a picture taken now is the one that stays. */
  get atRest(): boolean {
    return !this.moving && this.controller.busy === 0;
  }

  /** Places of what is drawn, in pixels of the canvas: for tests and for whoever points. */
  place(id: string): Point | null {
    return this.scene.nodes.find((node) => node.id === id) ?? this.scene.groups.find((g) => g.group.id === id) ?? null;
  }

  linkPlace(key: string): Point | null {
    const link = this.scene.links.find((item) => item.key === key);
    if (!link) return null;
    const { start, control, end } = link;
    return { x: (start.x + 2 * control.x + end.x) / 4, y: (start.y + 2 * control.y + end.y) / 4 };
  }

  /** Takes over what the controller shows now; what is new in it is laid out. */
  update(): void {
    const shown = this.controller.shown;
    const shape = [
      ...shown.nodes.map((node) => node.iri),
      ...shown.links.map((link) => link.from + link.to),
      ...shown.groups.map((group) => group.id),
      ...shown.pins.keys(),
      this.arrangement.kind,
    ].join(" ");
    if (shape !== this.shape) {
      const begun = this.shape !== "";
      this.shape = shape;
      const placed = shown.nodes.every((node) => this.layout.positions.has(node.iri));
      if (begun || !placed) this.arrange();
    }
    this.redraw();
  }

  arrange(): void {
    this.moving = true;
    this.layout.run(this.controller.shown, this.arrangement, (done) => {
      this.moving = !done;
      if (!this.touched) this.fit();
      this.redraw();
    });
  }

  fit(): void {
    const there = this.controller.shown.nodes.flatMap((node) => this.layout.positions.get(node.iri) ?? []);
    this.camera.fit(there);
    this.touched = false;
    this.redraw();
  }

  zoom(factor: number, at?: Point): void {
    this.look(() => this.camera.zoom(factor, at));
  }

  /** Changes where one looks. Thousands of things take too long to be drawn anew for every step of it. */
  private look(change: () => void): void {
    if (this.isLarge && !this.moving) this.keepStill();
    change();
    this.touched = true;
    this.redraw();
  }

  private get isLarge(): boolean {
    return this.controller.shown.nodes.length > MANY;
  }

  /** Brings a thing into the middle. */
  show(id: string): void {
    const at = this.layout.positions.get(id);
    if (!at) return;
    [this.camera.x, this.camera.y] = [at.x, at.y];
    this.camera.scale = Math.max(this.camera.scale, 0.7);
    this.touched = true;
    this.redraw();
  }

  /** Returns the picture as SVG, at the size it has. */
  svg(title: string): string {
    return svgOf(this.sceneNow(false, null), title, LIGHT);
  }

  /** Returns the picture as PNG, twice as fine as the screen. */
  png(): Promise<Blob> {
    const canvas = document.createElement("canvas");
    const scene = this.sceneNow(false, null);
    [canvas.width, canvas.height] = [scene.width * 2, scene.height * 2];
    const context = canvas.getContext("2d");
    if (context) draw(context, scene, LIGHT, 2);
    return new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture could not be made.")))),
    );
  }

  readonly redraw = (): void => {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  };

  private paint(): void {
    const quick = this.isLarge && (this.moving || this.drag?.moved === true);
    if (this.still && !this.moving) this.paintStill(this.still);
    else {
      this.scene = this.sceneNow(quick, this.hovered);
      draw(this.context, this.scene, this.theme, devicePixelRatio || 1);
    }
    if (this.drag?.kind === "lasso") this.paintLoop(this.drag.loop);
    this.canvas.dataset["drawn"] = String(this.scene.nodes.length);
    this.canvas.dataset["atRest"] = String(this.atRest && this.still === null);
    if (quick && !this.moving) this.sharpen();
  }

  /** Draws everything as it should be once nothing has moved for a moment. */
  private sharpen(): void {
    clearTimeout(this.settled);
    this.settled = setTimeout(() => {
      this.still = null;
      this.redraw();
    }, REST_MS) as unknown as number;
  }

  private paintStill({ image, view }: { image: HTMLCanvasElement; view: View }): void {
    const ratio = devicePixelRatio || 1;
    const { x, y, width, height } = this.camera.placeOf(view);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.fillStyle = this.theme.paper;
    this.context.fillRect(0, 0, this.camera.width, this.camera.height);
    this.context.drawImage(image, x, y, width, height);
  }

  private keepStill(): void {
    this.sharpen();
    if (this.still) return;
    const image = document.createElement("canvas");
    [image.width, image.height] = [this.canvas.width, this.canvas.height];
    image.getContext("2d")?.drawImage(this.canvas, 0, 0);
    this.still = { image, view: this.camera.view };
  }

  private sceneNow(quick: boolean, hovered: string | null): Scene {
    const { nodes, link } = this.controller.selection;
    return sceneOf(this.controller.shown, this.layout.positions, this.camera, {
      chosen: nodes,
      chosenLink: link,
      hovered,
      quick,
      measure: (text, size) => this.measure(text, size),
    });
  }

  private measure(text: string, size: number): number {
    const key = `${size} ${text}`;
    const known = this.widths.get(key);
    if (known !== undefined) return known;
    this.context.font = `${size === LABEL_SIZE ? "600 " : ""}${size}px ${FONT}`;
    const width = this.context.measureText(text).width;
    this.widths.set(key, width);
    return width;
  }

  private paintLoop(loop: readonly Point[]): void {
    this.context.strokeStyle = this.theme.accent;
    this.context.setLineDash([5, 4]);
    this.context.lineWidth = 1.5;
    this.context.beginPath();
    loop.forEach(({ x, y }, i) => (i ? this.context.lineTo(x, y) : this.context.moveTo(x, y)));
    this.context.closePath();
    this.context.stroke();
    this.context.setLineDash([]);
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight) return;
    this.still = null;
    const ratio = devicePixelRatio || 1;
    const first = this.camera.width === 1;
    [this.canvas.width, this.canvas.height] = [clientWidth * ratio, clientHeight * ratio];
    [this.camera.width, this.camera.height] = [clientWidth, clientHeight];
    if (first) this.update();
    if (!this.touched) this.fit();
    this.redraw();
  }

  private bind(): void {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", () => {
      [this.drag, this.still] = [null, null];
      this.redraw();
    });
    canvas.addEventListener("pointerleave", () => this.hover(null));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      const hit = hitAt(this.scene, this.at(event));
      if (hit?.kind !== "node") return;
      this.controller.select([hit.node.id]);
      this.events.menu();
    });
  }

  private at(event: MouseEvent): Point {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    if (this.still) {
      // What is under the pointer is known only of what is drawn as it should be.
      this.still = null;
      this.paint();
    }
    const from = this.at(event);
    const hit = hitAt(this.scene, from);
    const kind = this.lasso ? "lasso" : hit?.kind === "node" ? "node" : "pan";
    const id = hit?.kind === "node" ? hit.node.id : "";
    this.drag = { kind, id, last: from, from, moved: false, loop: [from], hit };
  }

  private move(event: PointerEvent): void {
    const at = this.at(event);
    const { drag } = this;
    if (!drag) {
      this.hover(hitAt(this.scene, at));
      return;
    }
    drag.moved ||= Math.hypot(at.x - drag.from.x, at.y - drag.from.y) > CLICK_REACH;
    if (!drag.moved) return;
    if (drag.kind === "pan") this.look(() => this.camera.pan(at.x - drag.last.x, at.y - drag.last.y));
    else if (drag.kind === "node") this.layout.positions.set(drag.id, this.camera.toGraph(at));
    else this.lengthen(drag.loop, at);
    drag.last = at;
    this.redraw();
  }

  /** Goes on with the line around things. */
  private lengthen(loop: Point[], at: Point): void {
    if (this.isLarge && !this.moving) this.keepStill();
    loop.push(at);
  }

  private up(event: PointerEvent): void {
    const { drag } = this;
    this.drag = null;
    this.still = null;
    if (!drag) return;
    if (!drag.moved) this.click(drag.hit, event);
    else if (drag.kind === "node") this.controller.take({ op: "pin", node: drag.id, ...this.camera.toGraph(drag.last) });
    else if (drag.kind === "lasso") this.controller.select(within(drag.loop, this.scene.nodes));
    this.redraw();
  }

  private click(hit: Hit, { shiftKey, ctrlKey, metaKey }: MouseEvent): void {
    if (hit === null) this.controller.select([]);
    else if (hit.kind === "group") void this.controller.openGroup(hit.group.group);
    else if (hit.kind === "link") this.controller.select([], hit.link.key);
    else {
      const { id } = hit.node;
      const twice = this.lastClick.id === id && performance.now() - this.lastClick.at < DOUBLE_CLICK_MS;
      this.lastClick = { id, at: performance.now() };
      if (twice) void this.controller.expandAll(id);
      else this.controller.select(shiftKey || ctrlKey || metaKey ? toggled(this.controller.selection.nodes, id) : [id]);
    }
  }

  private hover(hit: Hit): void {
    const id = hit?.kind === "node" ? hit.node.id : null;
    this.canvas.style.cursor = this.lasso ? "crosshair" : hit ? "pointer" : "grab";
    this.events.hovered(this.described(hit));
    if (id === this.hovered) return;
    this.hovered = id;
    this.redraw();
  }

  private described(hit: Hit): string | null {
    if (!hit) return null;
    const { pool } = this.controller;
    if (hit.kind === "node") return pool.entity(hit.node.id).label;
    if (hit.kind === "group") return `${hit.group.group.left} more: ${hit.group.group.label}`;
    const { from, label, to, basis } = hit.link.link;
    return `${pool.entity(from).label} – ${label} → ${pool.entity(to).label} (${basis})`;
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const pixels = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    this.zoom(Math.exp(-pixels * 0.0016), this.at(event));
  }

  private key(event: KeyboardEvent): void {
    const { controller } = this;
    const chosen = [...controller.selection.nodes];
    const [first] = chosen;
    const actions: Record<string, () => void> = {
      "+": () => this.zoom(ZOOM_STEP),
      "=": () => this.zoom(ZOOM_STEP),
      "-": () => this.zoom(1 / ZOOM_STEP),
      "0": () => this.fit(),
      "/": () => this.events.find(),
      Escape: () => controller.select([]),
      Enter: () => first && this.events.menu(),
      e: () => first && void controller.expandAll(first),
      c: () => first && controller.take({ op: "collapse", node: first }),
      h: () => first && controller.take({ op: "hide", nodes: chosen }),
      Delete: () => first && controller.take({ op: "hide", nodes: chosen }),
      p: () => first && this.pin(first),
      ArrowLeft: () => this.step(-1, 0, event.shiftKey),
      ArrowRight: () => this.step(1, 0, event.shiftKey),
      ArrowUp: () => this.step(0, -1, event.shiftKey),
      ArrowDown: () => this.step(0, 1, event.shiftKey),
    };
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  pin(node: string): void {
    const at = this.layout.positions.get(node);
    if (this.controller.shown.pins.has(node)) this.controller.take({ op: "unpin", node });
    else if (at) this.controller.take({ op: "pin", node, ...at });
  }

  /** An arrow key goes to the next thing that way; with shift it moves the picture. */
  private step(dx: number, dy: number, pan: boolean): void {
    if (pan) {
      this.look(() => this.camera.pan(-dx * PAN_STEP, -dy * PAN_STEP));
      return;
    }
    const [chosen] = this.controller.selection.nodes;
    const from = this.scene.nodes.find((node) => node.id === chosen);
    const next = nextTowards(this.scene.nodes, from, dx, dy);
    if (!next) return;
    this.controller.select([next.id]);
    const outside = next.x < 30 || next.y < 30 || next.x > this.camera.width - 30 || next.y > this.camera.height - 30;
    if (outside) this.show(next.id);
  }
}

function toggled(chosen: ReadonlySet<string>, id: string): string[] {
  return chosen.has(id) ? [...chosen].filter((other) => other !== id) : [...chosen, id];
}
