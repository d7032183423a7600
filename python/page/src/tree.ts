// The tree that is drawn: stacks from the outside in, or inverted, without what is hidden, as columns of numbers.

import { type Amounts, Kind, type Part, type Report } from "./data";
import { type Metric } from "./format";
import { type Keys } from "./keys";

export interface Shape {
  metric: Metric;
  /** What the width of a frame is in a comparison: how much changed, or how much there is. */
  width: "change" | "size";
  inverted: boolean;
  /** Frames that are left out; memory of what they called is their caller's. */
  hidden: ReadonlySet<Kind>;
}

/** Totals of one side: now, or before. */
export interface Side {
  size: Float64Array;
  count: Float64Array;
  ownSize: Float64Array;
  ownCount: Float64Array;
}

export class Tree {
  readonly now: Side;
  readonly before: Side | null;
  /** Widths, and where they begin: the root is from 0 to its weight. */
  readonly weight: Float64Array;
  readonly x: Float64Array;
  readonly depth: Int32Array;
  /** The children of a node, the widest first: from childStart[node] to childStart[node + 1]. */
  readonly childStart: Int32Array;
  readonly children: Int32Array;

  constructor(
    readonly parent: Int32Array,
    readonly key: Int32Array,
    now: Side,
    before: Side | null,
    /** Bytes and blocks allocated while modules were imported, where those are hidden. */
    readonly left: { size: number; count: number },
    private readonly shape: Shape,
  ) {
    this.now = now;
    this.before = before;
    this.weight = this.weights();
    for (const column of [this.weight, now.size, now.count, before?.size, before?.count]) {
      if (column) this.addToParents(column);
    }
    this.depth = new Int32Array(this.length);
    for (let node = 1; node < this.length; node++) this.depth[node] = this.depth[parent[node]!]! + 1;
    this.childStart = new Int32Array(this.length + 1);
    this.children = this.sortedChildren();
    this.x = new Float64Array(this.length);
    for (let node = 0; node < this.length; node++) {
      let x = this.x[node]!;
      for (let i = this.childStart[node]!; i < this.childStart[node + 1]!; i++) {
        this.x[this.children[i]!] = x;
        x += this.weight[this.children[i]!]!;
      }
    }
  }

  get length(): number {
    return this.parent.length;
  }

  amount(node: number, metric: Metric = this.shape.metric): number {
    return this.now[metric][node]!;
  }

  change(node: number, metric: Metric = this.shape.metric): number {
    return this.before ? this.now[metric][node]! - this.before[metric][node]! : 0;
  }

  /** From -1, all of it is gone, to 1, all of it is new. */
  tendency(node: number): number {
    const { metric } = this.shape;
    const most = Math.max(this.now[metric][node]!, this.before?.[metric][node] ?? 0);
    return most ? this.change(node) / most : 0;
  }

  childrenOf(node: number): Int32Array {
    return this.children.subarray(this.childStart[node]!, this.childStart[node + 1]!);
  }

  /** The nodes from below the root to this one. */
  path(node: number): number[] {
    const path = [];
    for (let at = node; at !== 0; at = this.parent[at]!) path.push(at);
    return path.reverse();
  }

  /** The node at the end of a path of keys, as far as there is one. */
  find(keys: readonly number[]): number {
    let node = 0;
    for (const key of keys) {
      const next = this.childrenOf(node).find((child) => this.key[child] === key);
      if (next === undefined) break;
      node = next;
    }
    return node;
  }

  private weights(): Float64Array {
    const metric = this.shape.metric === "size" ? "ownSize" : "ownCount";
    const { now, before } = this;
    if (!before) return now[metric].slice();
    const width = this.shape.width === "change" ? (a: number, b: number) => Math.abs(a - b) : Math.max;
    return now[metric].map((amount, node) => width(amount, before[metric][node]!));
  }

  private addToParents(column: Float64Array): void {
    for (let node = this.length - 1; node > 0; node--) column[this.parent[node]!]! += column[node]!;
  }

  private sortedChildren(): Int32Array {
    const { parent, weight, childStart } = this;
    const byWeight = new Int32Array(this.length - 1);
    for (let i = 0; i < byWeight.length; i++) byWeight[i] = i + 1;
    byWeight.sort((a, b) => weight[b]! - weight[a]! || a - b);
    for (let node = 1; node < this.length; node++) childStart[parent[node]! + 1]!++;
    for (let node = 0; node < this.length; node++) childStart[node + 1]! += childStart[node]!;
    const free = childStart.slice();
    const children = new Int32Array(this.length - 1);
    for (const node of byWeight) children[free[parent[node]!]!++] = node;
    return children;
  }
}

/** Nodes found by parent and key, in a hash table. */
class Nodes {
  length = 1;
  parent = new Int32Array(4096);
  key = new Int32Array(4096);
  private table = new Int32Array(16384); // 0: free, for the root is no child

  child(parent: number, key: number): number {
    let slot = this.slot(parent, key);
    for (let node; (node = this.table[slot]!) !== 0; slot = (slot + 1) & (this.table.length - 1)) {
      if (this.parent[node] === parent && this.key[node] === key) return node;
    }
    if (this.length === this.parent.length) {
      this.grow();
      return this.child(parent, key);
    }
    this.parent[this.length] = parent;
    this.key[this.length] = key;
    this.table[slot] = this.length;
    return this.length++;
  }

  private slot(parent: number, key: number): number {
    let hash = Math.imul(parent, 0x9e3779b1) ^ Math.imul(key + 1, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return (hash ^ (hash >>> 13)) & (this.table.length - 1);
  }

  private grow(): void {
    const { parent, key } = this;
    this.parent = new Int32Array(parent.length * 2);
    this.parent.set(parent);
    this.key = new Int32Array(key.length * 2);
    this.key.set(key);
    this.table = new Int32Array(this.table.length * 2);
    for (let node = 1; node < this.length; node++) {
      let slot = this.slot(parent[node]!, key[node]!);
      while (this.table[slot] !== 0) slot = (slot + 1) & (this.table.length - 1);
      this.table[slot] = node;
    }
  }
}

const LEFT_OUT = -1;

/** The tree of what `parts` have together; of each under a node of its own where memory is split by something. */
export function buildTree(report: Report, keys: Keys, parts: readonly Part[], split: boolean, shape: Shape): Tree {
  const nodes = new Nodes();
  const walk = new Walk(report, keys, nodes, shape);
  const isDifference = parts.some((part) => part.before !== null);
  const ends: { amounts: Amounts; ends: Int32Array; now: boolean }[] = [];
  parts.forEach((part, index) => {
    const root = split ? nodes.child(0, keys.length + index) : 0;
    walk.begin(root);
    ends.push({ amounts: part.now, ends: walk.ends(part.now), now: true });
    if (part.before) ends.push({ amounts: part.before, ends: walk.ends(part.before), now: false });
  });
  const side = (): Side => ({
    size: new Float64Array(nodes.length),
    count: new Float64Array(nodes.length),
    ownSize: new Float64Array(nodes.length),
    ownCount: new Float64Array(nodes.length),
  });
  const now = side();
  const before = isDifference ? side() : null;
  const left = { size: 0, count: 0 };
  for (const each of ends) {
    const to = each.now ? now : before!;
    const { size, count } = each.amounts;
    for (let i = 0; i < size.length; i++) {
      const node = each.ends[i]!;
      if (node === LEFT_OUT) {
        if (each.now) left.size += size[i]!;
        if (each.now) left.count += count[i]!;
        continue;
      }
      to.ownSize[node]! += size[i]!;
      to.ownCount[node]! += count[i]!;
    }
  }
  for (const to of before ? [now, before] : [now]) {
    to.size.set(to.ownSize);
    to.count.set(to.ownCount);
  }
  return new Tree(nodes.parent.slice(0, nodes.length), nodes.key.slice(0, nodes.length), now, before, left, shape);
}

/** Finds where the stacks of the report end in a tree. */
class Walk {
  private readonly hides: Uint8Array;
  private readonly found: Int32Array;
  private readonly visited: Int32Array;
  private round = 0;
  private root = 0;

  constructor(
    private readonly report: Report,
    private readonly keys: Keys,
    private readonly nodes: Nodes,
    private readonly shape: Shape,
  ) {
    const { kinds, frameFile, parents } = report;
    this.hides = Uint8Array.from(frameFile, (file) => (shape.hidden.has(kinds[file]!) ? 1 : 0));
    this.found = new Int32Array(parents.length);
    this.visited = new Int32Array(parents.length);
  }

  /** What follows is below `root`. */
  begin(root: number): void {
    this.root = root;
    this.round++;
  }

  ends(amounts: Amounts): Int32Array {
    return Int32Array.from(amounts.node, (leaf) => {
      const end = this.outsideIn(leaf);
      return this.shape.inverted && end !== LEFT_OUT ? this.insideOut(leaf) : end;
    });
  }

  private readonly stack: number[] = [];

  /** Also says what is left out; inverted, the nodes it would make are not made. */
  private outsideIn(leaf: number): number {
    const { parents, nodeFrames, kinds, frameFile } = this.report;
    const { found, visited, stack, hides } = this;
    let node = leaf;
    for (; node !== 0 && visited[node] !== this.round; node = parents[node]!) stack.push(node);
    let end = node === 0 ? this.root : found[node]!;
    while (stack.length) {
      const next = stack.pop()!;
      const frame = nodeFrames[next]!;
      if (hides[frame]) {
        // Modules are the importer's doing, not the caller's: what is allocated in an import is left out as a whole.
        if (kinds[frameFile[frame]!] === Kind.ImportSystem) end = LEFT_OUT;
      } else if (end !== LEFT_OUT && !this.shape.inverted) {
        end = this.nodes.child(end, this.keys.of[frame]!);
      }
      visited[next] = this.round;
      found[next] = end;
    }
    return end;
  }

  private insideOut(leaf: number): number {
    const { parents, nodeFrames } = this.report;
    let end = this.root;
    for (let node = leaf; node !== 0; node = parents[node]!) {
      const frame = nodeFrames[node]!;
      if (!this.hides[frame]) end = this.nodes.child(end, this.keys.of[frame]!);
    }
    return end;
  }
}
