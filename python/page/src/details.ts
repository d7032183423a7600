// What there is to say about one frame: in the box beside the pointer, and below the graph.

import { make } from "./dom";
import { blocks, change, count, type Metric, percentage, size } from "./format";
import { type Keys } from "./keys";
import { type Tree } from "./tree";

/** Name, place, and lines of numbers. */
export function describe(tree: Tree, keys: Keys, node: number, metric: Metric): HTMLElement[] {
  const key = tree.key[node]!;
  const name = node === 0 ? "All" : (keys.functionName(key) ?? keys.name(key));
  const place = node === 0 ? "" : keys.place(key);
  const { now, before } = tree;
  const lines = [`${size(now.size[node]!)} in ${blocks(now.count[node]!)}`];
  if (before) {
    lines.unshift(`${change("size", tree.change(node, "size"))}, ${change("count", tree.change(node, "count"))} blocks`);
    lines[1] = `now ${lines[1]}, before ${size(before.size[node]!)} in ${count(before.count[node]!)}`;
  } else {
    const share = percentage(now[metric][node]!, now[metric][0]!);
    lines[0] += `, ${share} of all`;
    if (now.ownSize[node]! > 0 && now.ownSize[node] !== now.size[node]) lines.push(`${size(now.ownSize[node]!)} of it itself`);
  }
  return [
    make("strong", { text: name }),
    ...(place ? [make("span", { className: "path", text: place })] : []),
    ...lines.map((text) => make("span", { text })),
  ];
}
