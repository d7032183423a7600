// What each key has in a tree from the outside in: by itself, and with all that it called.

import { type Keys } from "./keys";
import { type Side, type Tree } from "./tree";

export interface Totals {
  /** The keys that occur, in no order. */
  keys: Int32Array;
  now: Side;
  before: Side | null;
}

/** The totals of what is below `root`, by key. A frame that is on a stack several times counts once. */
export function totalsOf(tree: Tree, keys: Keys, root = 0): Totals {
  const side = (): Side => ({
    size: new Float64Array(keys.length),
    count: new Float64Array(keys.length),
    ownSize: new Float64Array(keys.length),
    ownCount: new Float64Array(keys.length),
  });
  const now = side();
  const before = tree.before && side();
  const open = new Int32Array(keys.length);
  const seen: number[] = [];
  const isSeen = new Uint8Array(keys.length);

  const enter = (node: number): void => {
    const key = tree.key[node]!;
    if (node === 0 || keys.isPart(key)) return;
    if (!isSeen[key]) seen.push(key);
    isSeen[key] = 1;
    const isOutermost = open[key]!++ === 0;
    add(now, tree.now, key, node, isOutermost);
    if (before) add(before, tree.before!, key, node, isOutermost);
  };
  const leave = (node: number): void => {
    const key = tree.key[node]!;
    if (node !== 0 && !keys.isPart(key)) open[key]!--;
  };

  // Without recursion: stacks may be deeper than the browser's own.
  const next = [tree.childStart[root]!];
  const nodes = [root];
  enter(root);
  while (nodes.length) {
    const top = nodes.length - 1;
    const node = nodes[top]!;
    if (next[top]! < tree.childStart[node + 1]!) {
      const child = tree.children[next[top]!++]!;
      enter(child);
      nodes.push(child);
      next.push(tree.childStart[child]!);
    } else {
      leave(node);
      nodes.pop();
      next.pop();
    }
  }
  return { keys: Int32Array.from(seen), now, before };
}

function add(to: Side, from: Side, key: number, node: number, isOutermost: boolean): void {
  to.ownSize[key]! += from.ownSize[node]!;
  to.ownCount[key]! += from.ownCount[node]!;
  if (!isOutermost) return;
  to.size[key]! += from.size[node]!;
  to.count[key]! += from.count[node]!;
}
