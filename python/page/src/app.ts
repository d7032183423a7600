// The controls, and what they do to the state; whatever changes the state shows all of it anew.

import { type Report, type Tag } from "./data";
import { describe } from "./details";
import { byId, link, make } from "./dom";
import { Flame } from "./flame";
import { amount, blocks, change, count, percentage, size } from "./format";
import { bindKeyboard } from "./keyboard";
import { type Keys } from "./keys";
import { Model } from "./model";
import { type Found, search } from "./search";
import { SourceView } from "./source";
import { DEFAULTS, format, type Hidden, parse, type State, type Tab } from "./state";
import { Table } from "./table";
import { watchTheme } from "./theme";
import { Timeline } from "./timeline";
import { type Tree } from "./tree";

const MOMENTS = { live: "Live", peak: "At the peak", churn: "Allocated" };
const TAGS: Record<Tag, string> = { thread: "Thread", label: "Label", type: "Type", domain: "Domain" };
const MOST_BREADCRUMBS = 40;
const TABS: readonly Tab[] = ["flame", "table", "source"];

export class App {
  private state: State = { ...DEFAULTS };
  private tree!: Tree;
  private keys!: Keys;
  private zoomed = 0;
  private found: Found | null = null;
  private match = -1;
  private readonly model: Model;
  private readonly flame: Flame;
  private readonly table: Table;
  private readonly source: SourceView;
  private readonly timeline: Timeline;

  constructor(private readonly report: Report) {
    this.model = new Model(report);
    this.flame = new Flame(byId("flame-scroller"), byId<HTMLCanvasElement>("flame"), byId("flame-spacer"), {
      zoom: (node) => this.zoom(node),
      select: (node) => this.showDetails(node),
      hover: (node, x, y) => this.hover(node, x, y),
      open: (node) => this.openSource(this.tree.key[node]!),
    });
    this.table = new Table(byId("table-scroller"), byId<HTMLTableElement>("table"), byId("table-status"), {
      sort: (sort) => this.update({ sort }),
      show: (key) => this.showKey(key),
      open: (key) => this.openSource(key),
      canOpen: (key) => this.source.has(this.model.tableTotals(this.state).keys.file(key)),
    });
    this.source = new SourceView(
      report,
      byId<HTMLSelectElement>("source-file"),
      byId<HTMLTableElement>("source"),
      byId("no-source"),
      (file) => this.update({ file, line: null }),
    );
    this.timeline = new Timeline(byId("timeline"), report.timelines);
  }

  start(): void {
    this.fillPage();
    this.bindControls();
    const theme = watchTheme(() => this.recolor());
    bindKeyboard({
      tab: (tab) => this.update({ tab }),
      toggle: (name) => this.toggle(name),
      theme: () => theme.toggle(),
      step: (by) => this.step(by),
      reset: () => this.update({ query: "", zoom: [] }, true),
    });
    window.addEventListener("popstate", () => this.read());
    window.addEventListener("hashchange", () => this.read());
    window.addEventListener("beforeprint", () => this.print(true, theme));
    window.addEventListener("afterprint", () => this.print(false, theme));
    this.read();
    // What the first search would wait for.
    setTimeout(() => this.keys.matches(""));
  }

  private fillPage(): void {
    const { report } = this;
    const title = report.oldTitle === null ? report.title : `${report.oldTitle} → ${report.title}`;
    document.title = `${title} - memtrace`;
    byId("title").textContent = title;
    byId("notes").replaceChildren(...report.notes.map((text) => make("li", { text })));
    byId("notes").hidden = report.notes.length === 0;
    byId("timeline-section").hidden = this.timeline.isEmpty;
    fill("show", Object.entries(MOMENTS).filter(([kind]) => report.views.some((view) => view.kind === kind)));
    const tags = Object.entries(TAGS).filter(([tag]) => report.views.some((view) => view.tags.has(tag as Tag)));
    fill("split", [["", "Nothing"], ...tags]);
    byId("split").parentElement!.hidden = tags.length === 0;
    byId("width").parentElement!.hidden = report.oldTitle === null;
    byId("legend-kinds").hidden = report.oldTitle !== null;
    byId("legend-change").hidden = report.oldTitle === null;
  }

  private bindControls(): void {
    for (const name of ["show", "metric", "width", "split", "by", "layout"] as const) {
      byId<HTMLSelectElement>(name).addEventListener("change", (event) => {
        const value = (event.target as HTMLSelectElement).value;
        const isOtherTree = name === "split" || name === "by";
        this.update({ [name]: value, ...(isOtherTree ? { zoom: [] } : {}) } as Partial<State>);
      });
    }
    byId("inverted").addEventListener("change", () => this.toggle("inverted"));
    for (const box of hideBoxes()) {
      box.addEventListener("change", () => {
        const hide = hideBoxes().filter((each) => each.checked).map((each) => each.value as Hidden);
        this.update({ hide, zoom: [] });
      });
    }
    bindText("search", (query) => this.searchFor(query));
    bindText("filter", (filter) => this.update({ filter }));
    byId("search").addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      const query = byId<HTMLInputElement>("search").value;
      if (query !== this.state.query) this.searchFor(query); // typed a moment ago
      this.step(event.shiftKey ? -1 : 1);
    });
    byId("next").addEventListener("click", () => this.step(1));
    byId("previous").addEventListener("click", () => this.step(-1));
    for (const tab of TABS) {
      byId(`tab-${tab}`).addEventListener("click", () => this.update({ tab }));
      byId(`tab-${tab}`).addEventListener("keydown", (event) => {
        const by = { ArrowRight: 1, ArrowLeft: TABS.length - 1 }[event.key];
        if (by === undefined) return;
        const next = TABS[(TABS.indexOf(tab) + by) % TABS.length]!;
        this.update({ tab: next });
        byId(`tab-${next}`).focus();
      });
    }
    byId("copy").addEventListener("click", () => void this.copyLink());
    byId("copy").hidden = location.protocol === "about:"; // in a notebook it has no address
  }

  /** Take the state out of the address. */
  private read(): void {
    this.state = parse(location.hash);
    this.show();
  }

  private update(changes: Partial<State>, isStep = false): void {
    this.remember(changes, isStep);
    this.show();
  }

  private remember(changes: Partial<State>, isStep = false): void {
    this.state = { ...this.state, ...changes };
    try {
      if (isStep) history.pushState(null, "", format(this.state));
      else history.replaceState(null, "", format(this.state));
    } catch {
      // Where a page may not have an address of its own, there is none to share.
    }
  }

  /** Nothing else changes: an answer to each letter. */
  private searchFor(query: string): void {
    this.remember({ query });
    this.showSearch();
  }

  private toggle(name: "inverted" | "layout" | "metric"): void {
    const { inverted, layout, metric } = this.state;
    if (name === "inverted") this.update({ inverted: !inverted, zoom: [] });
    else if (name === "layout") this.update({ layout: layout === "flame" ? "icicle" : "flame" });
    else this.update({ metric: metric === "size" ? "count" : "size" });
  }

  private show(): void {
    const { state } = this;
    if (!this.report.views.length) throw new Error("the snapshots have nothing in common to compare");
    this.showControls();
    ({ tree: this.tree, keys: this.keys } = this.model.shown(state));
    this.zoomed = this.tree.find(state.zoom);
    this.showSummary();
    this.showBreadcrumbs();
    this.showSearch();
    for (const tab of TABS) byId(`panel-${tab}`).hidden = tab !== state.tab;
    if (state.tab === "flame") {
      this.flame.show(this.tree, this.keys, this.zoomed, state.layout === "flame");
      this.showDetails(this.flame.selected);
    } else if (state.tab === "table") {
      const { totals, keys, root } = this.model.tableTotals(state);
      byId("table-scope").textContent = root === 0 ? "" : `within ${keys.name(this.tree.key[root]!)}`;
      this.table.show(totals, keys, state.sort, state.filter);
    } else {
      const { totals, keys } = this.model.sourceTotals(state);
      this.source.show(totals, keys, state.metric, state.file, state.line);
    }
    if (!this.timeline.isEmpty) this.timeline.show(this.model.view(state).kind);
  }

  private showControls(): void {
    const { state } = this;
    const isSplit = this.model.parts(state).isSplit;
    const values = { ...state, show: this.model.view(state).kind, split: isSplit ? state.split : "" };
    for (const name of ["show", "metric", "width", "split", "by", "layout", "search", "filter"] as const) {
      const control = byId<HTMLSelectElement | HTMLInputElement>(name);
      const value = name === "search" ? values.query : values[name];
      if (control.value !== value) control.value = value;
    }
    byId<HTMLInputElement>("inverted").checked = state.inverted;
    for (const box of hideBoxes()) box.checked = state.hide.includes(box.value as Hidden);
    for (const option of byId<HTMLSelectElement>("split").options) {
      option.disabled = option.value !== "" && !this.model.view(state).tags.has(option.value as Tag);
    }
    for (const tab of TABS) {
      byId(`tab-${tab}`).setAttribute("aria-selected", String(tab === state.tab));
      byId(`tab-${tab}`).tabIndex = tab === state.tab ? 0 : -1;
    }
  }

  private showSummary(): void {
    const { now, before, left } = this.tree;
    const all = `${size(now.size[0]!)} in ${blocks(now.count[0]!)}`;
    const texts = [all];
    if (before) {
      texts[0] = `${change("size", this.tree.change(0, "size"))} in ${change("count", this.tree.change(0, "count"))} blocks`;
      texts.push(`now ${all}`);
    }
    if (left.size || left.count) texts.push(`without ${size(left.size)} of imports`);
    byId("summary").textContent = texts.join(", ");
  }

  private showBreadcrumbs(): void {
    const path = this.tree.path(this.zoomed);
    const left = path.length > MOST_BREADCRUMBS ? path.length - MOST_BREADCRUMBS : 0;
    const items = [0, ...path.slice(left)].map((node) => {
      const name = node === 0 ? "All" : this.keys.name(this.tree.key[node]!);
      if (node !== this.zoomed) return make("li", {}, link(name, `Zoom out to ${name}`, () => this.zoom(node)));
      return make("li", { ariaCurrent: "true", text: name });
    });
    if (left) items.splice(1, 0, make("li", { text: `${count(left)} more` }));
    byId("breadcrumbs").replaceChildren(...items);
    const nav = byId("breadcrumbs").parentElement!;
    nav.hidden = path.length === 0;
    nav.scrollLeft = nav.scrollWidth;
  }

  private showSearch(): void {
    const { query, metric } = this.state;
    this.match = -1;
    this.found = query ? search(this.tree, this.keys, query) : null;
    this.flame.highlight(this.found?.matches ?? null);
    for (const id of ["next", "previous"]) byId<HTMLButtonElement>(id).disabled = !this.found?.nodes.length;
    if (!this.found) {
      byId("found").textContent = "";
      return;
    }
    const { nodes, weight } = this.found;
    const of = this.tree.before ? change(metric, this.found.amount) : amount(metric, this.found.amount);
    const share = this.tree.before ? "" : `, ${percentage(weight, this.tree.weight[0]!)}`;
    byId("found").textContent = nodes.length
      ? `${count(nodes.length)} ${nodes.length === 1 ? "frame" : "frames"}: ${of}${share}`
      : "no frame";
  }

  /** Go to the next match, the widest of all first. */
  private step(by: number): void {
    if (!this.found?.nodes.length) return;
    const nodes = this.found.byWidth();
    this.match = (this.match + by + nodes.length + (this.match < 0 && by < 0 ? 1 : 0)) % nodes.length;
    const node = nodes[this.match]!;
    const match = this.match;
    this.update({ tab: "flame", zoom: this.keysOf(node) }, true);
    this.match = match;
    this.flame.select(node);
  }

  private zoom(node: number): void {
    this.hover(null, 0, 0);
    this.update({ zoom: this.keysOf(node) }, true);
  }

  private keysOf(node: number): number[] {
    return this.tree.path(node).map((each) => this.tree.key[each]!);
  }

  private hover(node: number | null, x: number, y: number): void {
    const box = byId("tooltip");
    box.hidden = node === null;
    if (node === null) return;
    box.replaceChildren(...describe(this.tree, this.keys, node, this.state.metric));
    const { innerWidth, innerHeight } = window;
    box.style.left = `${Math.max(4, Math.min(x + 12, innerWidth - box.offsetWidth - 8))}px`;
    box.style.top = `${y + 20 + box.offsetHeight > innerHeight ? y - box.offsetHeight - 8 : y + 16}px`;
  }

  private showDetails(node: number): void {
    const actions = [];
    if (node !== this.zoomed) actions.push(link("Zoom in", "Give it all the width (Enter)", () => this.zoom(node)));
    const key = this.tree.key[node]!;
    if (node !== 0 && !this.keys.isPart(key) && this.source.has(this.keys.file(key))) {
      actions.push(link("Source", "Show the source (o)", () => this.openSource(key)));
    }
    byId("details").replaceChildren(...describe(this.tree, this.keys, node, this.state.metric), ...actions);
  }

  /** Show the widest frame of a row of the table. */
  private showKey(key: number): void {
    let widest = 0;
    for (let node = 1; node < this.tree.length; node++) {
      if (this.tree.key[node] === key && (!widest || this.tree.weight[node]! > this.tree.weight[widest]!)) widest = node;
    }
    this.update({ tab: "flame", zoom: this.keysOf(widest) }, true);
    this.flame.select(widest);
    byId("flame").focus();
  }

  private openSource(key: number): void {
    if (this.keys.isPart(key) || !this.source.has(this.keys.file(key))) return;
    const line = this.state.by === "line" ? this.keys.line(key) : null;
    this.update({ tab: "source", file: this.keys.file(key), line }, true);
  }

  private recolor(): void {
    this.flame.recolor();
    this.timeline.draw();
  }

  private print(on: boolean, theme: { print(on: boolean): void }): void {
    theme.print(on);
    this.flame.print(on);
    this.table.print(on);
    this.timeline.draw();
  }

  private async copyLink(): Promise<void> {
    const status = byId("copied");
    try {
      await navigator.clipboard.writeText(location.href);
      status.textContent = "Copied";
    } catch {
      status.textContent = "The address of this page is the link";
    }
    setTimeout(() => (status.textContent = ""), 2500);
  }
}

const hideBoxes = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>("input[name=hide]")];

function fill(id: string, options: readonly (readonly [string, string])[]): void {
  byId<HTMLSelectElement>(id).replaceChildren(...options.map(([value, text]) => make("option", { value, text })));
}

function bindText(id: string, changed: (text: string) => void): void {
  const input = byId<HTMLInputElement>(id);
  let waiting = 0;
  input.addEventListener("input", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => changed(input.value)); // letters that come together are answered together
  });
}
