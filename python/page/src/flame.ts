// The flame graph: boxes on a canvas, of which only those are drawn that can be seen.

import { Colors } from "./colors";
import { type Keys } from "./keys";
import { type Tree } from "./tree";

const ROW = 20;
const FONT = "12px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const NARROWEST = 0.6;
const NARROWEST_TEXT = 30;
const MOST_PRINTED = 400;

export interface FlameEvents {
  zoom(node: number): void;
  select(node: number): void;
  hover(node: number | null, x: number, y: number): void;
  open(node: number): void;
}

export class Flame {
  /** Where the keyboard is. */
  selected = 0;
  private tree: Tree | null = null;
  private keys: Keys | null = null;
  private zoomed = 0;
  private matches: Uint8Array | null = null;
  private isFlame = false;
  private colors = new Colors();
  private changeColors = new Map<number, string>();
  // The boxes that are wide enough, a parent before its children.
  private nodes: number[] = [];
  private lefts: number[] = [];
  private widths: number[] = [];
  private rows = 1;
  private isDrawing = false;
  private isPrinting = false;
  private readonly context: CanvasRenderingContext2D;

  constructor(
    private readonly scroller: HTMLElement,
    private readonly canvas: HTMLCanvasElement,
    private readonly spacer: HTMLElement,
    private readonly events: FlameEvents,
  ) {
    this.context = canvas.getContext("2d", { alpha: false })!;
    new ResizeObserver(() => this.arrange()).observe(scroller);
    scroller.addEventListener("scroll", () => this.draw());
    canvas.addEventListener("mousemove", (event) => {
      const node = this.at(event);
      canvas.style.cursor = node === null ? "default" : "pointer";
      events.hover(node, event.clientX, event.clientY);
    });
    canvas.addEventListener("mouseleave", () => events.hover(null, 0, 0));
    canvas.addEventListener("click", (event) => {
      const node = this.at(event);
      if (node === null) return;
      this.select(node);
      events.zoom(node);
    });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("focus", () => this.draw());
    canvas.addEventListener("blur", () => this.draw());
  }

  show(tree: Tree, keys: Keys, zoomed: number, isFlame: boolean): void {
    const isOther = tree !== this.tree || isFlame !== this.isFlame || zoomed !== this.zoomed;
    if (tree !== this.tree) {
      this.selected = zoomed;
      this.changeColors.clear();
    }
    Object.assign(this, { tree, keys, zoomed, isFlame });
    this.arrange();
    if (isOther) this.scrollTo(isFlame ? this.scroller.scrollHeight : 0);
  }

  /** The keys to point out; null for none. */
  highlight(matches: Uint8Array | null): void {
    this.matches = matches;
    this.draw();
  }

  select(node: number): void {
    this.selected = node;
    const top = this.top(this.tree!.depth[node]!);
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scrollTo(top);
    else if (top + ROW > scrollTop + clientHeight) this.scrollTo(top + ROW - clientHeight);
    this.events.select(node);
    this.draw();
  }

  recolor(): void {
    this.colors = new Colors();
    this.changeColors.clear();
    this.draw();
  }

  /** The whole of it, not the part that is scrolled to. */
  print(on: boolean): void {
    this.isPrinting = on;
    this.recolor();
    this.arrange();
    this.paint();
  }

  /** The middle of a node's box in the window, for whoever points at it; null where it is not drawn. */
  place(node: number): { x: number; y: number } | null {
    const index = this.nodes.indexOf(node);
    if (index < 0) return null;
    const box = this.canvas.getBoundingClientRect();
    return {
      x: box.left + this.lefts[index]! + Math.min(this.widths[index]! / 2, 20),
      y: box.top + this.top(this.tree!.depth[node]!) - this.offset() + ROW / 2,
    };
  }

  private scrollTo(top: number): void {
    this.scroller.scrollTop = top;
  }

  /** Of the canvas: what can be seen, or all that is printed. */
  private height(): number {
    return this.isPrinting ? Math.min(this.rows, MOST_PRINTED) * ROW : this.scroller.clientHeight;
  }

  private offset(): number {
    return this.isPrinting ? 0 : this.scroller.scrollTop;
  }

  private top(depth: number): number {
    const height = this.isPrinting ? this.height() : Math.max(this.rows * ROW, this.scroller.clientHeight);
    return this.isFlame ? height - (depth + 1) * ROW : depth * ROW;
  }

  private arrange(): void {
    if (!this.tree) return;
    this.collect(this.tree, this.scroller.clientWidth);
    this.spacer.style.height = `${this.rows * ROW}px`;
    const ratio = window.devicePixelRatio || 1;
    const height = this.height();
    this.canvas.width = Math.max(Math.round(this.scroller.clientWidth * ratio), 1);
    this.canvas.height = Math.max(Math.round(height * ratio), 1);
    this.canvas.style.height = `${height}px`;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paint(); // a canvas of another size is empty
  }

  private collect(tree: Tree, width: number): void {
    const { weight, x, depth } = tree;
    const scale = weight[this.zoomed]! ? width / weight[this.zoomed]! : 0;
    const origin = x[this.zoomed]!;
    this.nodes = [];
    this.lefts = [];
    this.widths = [];
    this.rows = 1;
    const path = new Set([0, ...tree.path(this.zoomed)]);
    const push = (node: number, left: number, wide: number): void => {
      this.nodes.push(node);
      this.lefts.push(left);
      this.widths.push(wide);
      this.rows = Math.max(this.rows, depth[node]! + 1);
    };
    for (const node of path) push(node, 0, width);
    const stack = [this.zoomed];
    while (stack.length) {
      for (const child of tree.childrenOf(stack.pop()!)) {
        const wide = weight[child]! * scale;
        if (wide < NARROWEST) break; // those behind it are narrower still
        push(child, (x[child]! - origin) * scale, wide);
        stack.push(child);
      }
    }
  }

  private draw(): void {
    if (this.isDrawing) return;
    this.isDrawing = true;
    requestAnimationFrame(() => {
      this.isDrawing = false;
      this.paint();
    });
  }

  private paint(): void {
    const { context, tree, keys, colors, scroller } = this;
    if (!tree || !keys) return;
    const width = scroller.clientWidth;
    const height = this.height();
    const offset = this.offset();
    context.fillStyle = colors.background;
    context.fillRect(0, 0, width, height);
    context.font = FONT;
    context.textBaseline = "middle";
    const letter = context.measureText("m").width;
    for (let i = 0; i < this.nodes.length; i++) {
      const node = this.nodes[i]!;
      const top = this.top(tree.depth[node]!) - offset;
      if (top + ROW < 0 || top > height) continue;
      const left = this.lefts[i]!;
      const wide = this.widths[i]!;
      const isMatch = node !== 0 && this.matches?.[tree.key[node]!] === 1;
      context.globalAlpha = this.matches && !isMatch ? 0.4 : tree.depth[node]! < tree.depth[this.zoomed]! ? 0.65 : 1;
      context.fillStyle = isMatch ? colors.match : this.color(node);
      context.fillRect(left, top, Math.max(wide - 1, NARROWEST), ROW - 1);
      if (wide >= NARROWEST_TEXT) {
        const room = Math.floor((wide - 8) / letter);
        const name = this.name(node);
        context.fillStyle = isMatch ? colors.matchText : colors.boxText;
        context.globalAlpha = this.matches && !isMatch ? 0.75 : 1;
        context.fillText(name.length > room ? `${name.slice(0, room - 1)}…` : name, left + 4, top + ROW / 2);
      }
      context.globalAlpha = 1;
      if (node === this.selected && document.activeElement === this.canvas) {
        context.strokeStyle = colors.focus;
        context.lineWidth = 2;
        context.strokeRect(left + 1, top + 1, Math.max(wide - 3, 1), ROW - 3);
      }
    }
  }

  private name(node: number): string {
    return node === 0 ? "all" : this.keys!.name(this.tree!.key[node]!);
  }

  private color(node: number): string {
    const { tree, keys, colors } = this;
    if (tree!.before) {
      const step = Math.round(tree!.tendency(node) * 16);
      let color = this.changeColors.get(step);
      if (color === undefined) this.changeColors.set(step, (color = colors.ofChange(step / 16)));
      return color;
    }
    const key = tree!.key[node]!;
    const kind = node === 0 ? null : keys!.kind(key);
    return kind === null ? colors.box : colors.ofFile(kind, keys!.file(key));
  }

  private at(event: MouseEvent): number | null {
    if (!this.tree) return null;
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top + this.offset();
    for (let i = this.nodes.length - 1; i >= 0; i--) {
      const top = this.top(this.tree.depth[this.nodes[i]!]!);
      if (y >= top && y < top + ROW && x >= this.lefts[i]! && x < this.lefts[i]! + this.widths[i]!) return this.nodes[i]!;
    }
    return null;
  }

  private key(event: KeyboardEvent): void {
    if (!this.tree || event.ctrlKey || event.altKey || event.metaKey) return;
    const inward = this.isFlame ? "ArrowUp" : "ArrowDown";
    const outward = this.isFlame ? "ArrowDown" : "ArrowUp";
    const { parent } = this.tree;
    const siblings = this.selected === 0 ? [] : [...this.tree.childrenOf(parent[this.selected]!)];
    const place = siblings.indexOf(this.selected);
    const moves: Record<string, number | undefined> = {
      [inward]: this.tree.childrenOf(this.selected)[0],
      [outward]: parent[this.selected]!,
      ArrowLeft: siblings[place - 1],
      ArrowRight: siblings[place + 1],
      Home: 0,
    };
    if (event.key in moves) {
      const node = moves[event.key];
      if (node !== undefined) this.select(node);
      if (event.key === "Home") this.events.zoom(0);
    } else if (event.key === "Enter" || event.key === " ") this.events.zoom(this.selected);
    else if (event.key === "Backspace") {
      const node = parent[this.zoomed]!;
      this.select(node);
      this.events.zoom(node);
    } else if (event.key === "o") this.events.open(this.selected);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
