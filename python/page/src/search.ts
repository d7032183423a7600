// Which frames match what is searched for, and how much memory is below them.

import { type Keys } from "./keys";
import { type Tree } from "./tree";

export interface Found {
  matches: Uint8Array;
  /** The nodes that match, in no order. */
  nodes: number[];
  /** The same, the widest first. */
  byWidth(): number[];
  /** Of the stacks with a match, each once: what the metric says, or how it changed. */
  amount: number;
  weight: number;
}

export function search(tree: Tree, keys: Keys, query: string): Found {
  const matches = keys.matches(query);
  const isBelow = new Uint8Array(tree.length);
  const nodes: number[] = [];
  let amount = 0;
  let weight = 0;
  for (let node = 1; node < tree.length; node++) {
    const isMatch = matches[tree.key[node]!] === 1;
    const isInside = isBelow[tree.parent[node]!] === 1;
    if (isMatch) nodes.push(node);
    if (isMatch && !isInside) {
      amount += tree.before ? tree.change(node) : tree.amount(node);
      weight += tree.weight[node]!;
    }
    isBelow[node] = isMatch || isInside ? 1 : 0;
  }
  let sorted: number[] | null = null;
  const byWidth = (): number[] => (sorted ??= [...nodes].sort((a, b) => tree.weight[b]! - tree.weight[a]! || a - b));
  return { matches, nodes, byWidth, amount, weight };
}
