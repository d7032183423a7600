// What the state asks for of the report: trees and totals, each made once.

import { Kind, type Part, type Report, type View } from "./data";
import { Keys } from "./keys";
import { type Hidden, type State } from "./state";
import { buildTree, type Shape, type Tree } from "./tree";
import { type Totals, totalsOf } from "./totals";

const KINDS: Record<Hidden, Kind> = {
  imports: Kind.ImportSystem,
  library: Kind.StandardLibrary,
  packages: Kind.Packages,
};
const MOST_KEPT = 12;

export class Model {
  private readonly trees = new Map<string, { tree: Tree; keys: Keys }>();
  private readonly totals = new WeakMap<Tree, Map<number, Totals>>();

  constructor(readonly report: Report) {}

  view(state: State): View {
    return this.report.views.find((view) => view.kind === state.show) ?? this.report.views[0]!;
  }

  parts(state: State): { parts: Part[]; isSplit: boolean } {
    const view = this.view(state);
    const parts = state.split && view.tags.get(state.split);
    return parts ? { parts, isSplit: true } : { parts: [view.all], isSplit: false };
  }

  /** The tree that the flame graph shows. */
  shown(state: State): { tree: Tree; keys: Keys } {
    return this.tree(state, state.inverted);
  }

  /** The totals of what the table shows: of all, or of what is below the frame that has all the width. */
  tableTotals(state: State): { totals: Totals; keys: Keys; root: number } {
    const { tree, keys } = this.tree(state, false);
    const root = state.inverted ? 0 : tree.find(state.zoom);
    return { totals: this.totalsOf(tree, keys, root), keys, root };
  }

  /** The totals of lines, nothing hidden but imports. */
  sourceTotals(state: State): { totals: Totals; keys: Keys } {
    const hide = state.hide.filter((hidden) => hidden === "imports");
    const { tree, keys } = this.tree({ ...state, by: "line", split: "", hide }, false);
    return { totals: this.totalsOf(tree, keys, 0), keys };
  }

  private tree(state: State, inverted: boolean): { tree: Tree; keys: Keys } {
    const { parts, isSplit } = this.parts(state);
    const { metric, width, by, hide } = state;
    const name = [this.view(state).kind, metric, width, isSplit && state.split, by, inverted, ...hide].join();
    let found = this.trees.get(name);
    if (!found) {
      const shape: Shape = { metric, width, inverted, hidden: new Set(hide.map((hidden) => KINDS[hidden])) };
      const keys = new Keys(this.report, by, isSplit ? parts : []);
      found = { tree: buildTree(this.report, keys, parts, isSplit, shape), keys };
      if (this.trees.size >= MOST_KEPT) this.trees.delete(this.trees.keys().next().value!);
      this.trees.set(name, found);
    }
    return found;
  }

  private totalsOf(tree: Tree, keys: Keys, root: number): Totals {
    const known = this.totals.get(tree) ?? new Map<number, Totals>();
    this.totals.set(tree, known);
    const found = known.get(root) ?? totalsOf(tree, keys, root);
    known.set(root, found);
    return found;
  }
}
