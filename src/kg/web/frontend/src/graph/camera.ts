// Where one looks: graph coordinates to pixels and back.

export interface Point {
  x: number;
  y: number;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where one looked from: what a camera needs to find its place again. */
export interface View {
  x: number;
  y: number;
  scale: number;
}

const CLOSEST = 6;
const FARTHEST = 0.005;
// A few things are not blown up to fill the picture; some room between them makes names readable.
const CLOSEST_FIT = 2;

export class Camera {
  /** The graph coordinates at the middle of the picture, and how many pixels a unit takes. */
  x = 0;
  y = 0;
  scale = 1;
  width = 1;
  height = 1;

  toScreen(point: Point): Point {
    return {
      x: (point.x - this.x) * this.scale + this.width / 2,
      y: (point.y - this.y) * this.scale + this.height / 2,
    };
  }

  toGraph(point: Point): Point {
    return {
      x: (point.x - this.width / 2) / this.scale + this.x,
      y: (point.y - this.height / 2) / this.scale + this.y,
    };
  }

  get view(): View {
    const { x, y, scale } = this;
    return { x, y, scale };
  }

  /** Returns where a picture of the same size, taken from another view, lies in this one. */
  placeOf(view: View): Box {
    const [factor, { x, y }] = [this.scale / view.scale, this.toScreen(view)];
    const [width, height] = [this.width * factor, this.height * factor];
    return { x: x - width / 2, y: y - height / 2, width, height };
  }

  pan(dx: number, dy: number): void {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
  }

  /** Magnifies around a point of the picture, which stays where it is. */
  zoom(factor: number, at: Point = { x: this.width / 2, y: this.height / 2 }): void {
    const before = this.toGraph(at);
    this.scale = Math.min(CLOSEST, Math.max(FARTHEST, this.scale * factor));
    const after = this.toGraph(at);
    this.x += before.x - after.x;
    this.y += before.y - after.y;
  }

  /** Shows all of some points, with room for labels. */
  fit(points: Iterable<Point>, margin = 40): void {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const { x, y } of points) {
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
    if (left > right) return;
    this.x = (left + right) / 2;
    this.y = (top + bottom) / 2;
    const across = Math.max(this.width - 2 * margin - 70, 40) / Math.max(right - left, 1);
    const down = Math.max(this.height - 2 * margin, 40) / Math.max(bottom - top, 1);
    this.scale = Math.min(CLOSEST_FIT, Math.max(FARTHEST, Math.min(across, down)));
  }
}
