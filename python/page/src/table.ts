// The table: a row for each line, function or file, of which only those exist that are scrolled to.

import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";
import { link, make } from "./dom";
import { amount, change, count, size } from "./format";
import { type Keys } from "./keys";
import { type Side } from "./tree";
import { type Totals } from "./totals";

const ROW = 28;
const MOST_PRINTED = 60;

interface Column {
  id: string;
  title: string;
  hint: string;
  text(key: number): string;
  /** What rows are sorted by: a number, or a text. */
  value(key: number): number | string;
  tone?(key: number): string;
}

export interface TableEvents {
  sort(sort: string): void;
  show(key: number): void;
  open(key: number): void;
  canOpen(key: number): boolean;
}

export class Table {
  private keys: Keys | null = null;
  private columns: Column[] = [];
  private rows: number[] = [];
  private sort = "";
  private readonly head: HTMLTableSectionElement;
  private readonly body: HTMLTableSectionElement;
  private readonly virtualizer: Virtualizer<HTMLElement, Element>;

  constructor(
    private readonly scroller: HTMLElement,
    private readonly table: HTMLTableElement,
    private readonly status: HTMLElement,
    private readonly events: TableEvents,
  ) {
    this.head = table.createTHead();
    this.body = table.createTBody();
    this.virtualizer = new Virtualizer<HTMLElement, Element>(this.options());
    this.virtualizer._didMount();
    this.virtualizer._willUpdate();
  }

  show(totals: Totals, keys: Keys, sort: string, filter: string): void {
    this.keys = keys;
    this.columns = totals.before ? differenceColumns(totals.now, totals.before, keys) : columns(totals.now, keys);
    this.table.classList.toggle("difference", totals.before !== null);
    const wanted = filter ? keys.matches(filter) : null;
    this.rows = [...totals.keys].filter((key) => !wanted || wanted[key] === 1);
    this.sort = sort || (totals.before ? "-own_change" : "-own_size");
    this.order();
    this.drawHead();
    this.status.textContent =
      this.rows.length === totals.keys.length
        ? `${count(this.rows.length)} rows`
        : `${count(this.rows.length)} of ${count(totals.keys.length)} rows`;
    this.table.setAttribute("aria-rowcount", String(this.rows.length + 1));
    this.scroller.scrollTop = 0;
    this.virtualizer.setOptions(this.options());
    this.virtualizer._willUpdate();
    this.virtualizer.measure();
    this.drawRows();
  }

  /** The first rows, all of which are there. */
  print(on: boolean): void {
    if (!this.keys) return;
    if (on) this.body.replaceChildren(...this.rows.slice(0, MOST_PRINTED).map((key, index) => this.row(key, index)));
    else this.drawRows();
  }

  private options(): ConstructorParameters<typeof Virtualizer<HTMLElement, Element>>[0] {
    return {
      count: this.rows.length,
      getScrollElement: () => this.scroller,
      estimateSize: () => ROW,
      overscan: 12,
      scrollToFn: elementScroll,
      observeElementRect,
      observeElementOffset,
      initialRect: { width: 800, height: 600 },
      onChange: () => this.drawRows(),
    };
  }

  private order(): void {
    const isDescending = this.sort.startsWith("-");
    const id = this.sort.replace(/^-/, "");
    const column = this.columns.find((each) => each.id === id) ?? this.columns[0]!;
    const sign = isDescending ? -1 : 1;
    const values = new Map(this.rows.map((key) => [key, column.value(key)]));
    this.rows.sort((a, b) => {
      const [x, y] = [values.get(a)!, values.get(b)!];
      return (x < y ? -sign : x > y ? sign : 0) || a - b;
    });
  }

  private drawHead(): void {
    const row = make("tr");
    for (const column of this.columns) {
      const isNumber = column.id !== "name" && column.id !== "place";
      const cell = make("th", { scope: "col", className: isNumber ? "number" : `text ${column.id}` });
      const isUp = this.sort === column.id;
      const isDown = this.sort === `-${column.id}`;
      if (isUp || isDown) cell.setAttribute("aria-sort", isUp ? "ascending" : "descending");
      const next = isDown ? column.id : isUp || isNumber ? `-${column.id}` : column.id;
      cell.append(
        link(`${column.title}${isUp ? " ▲" : isDown ? " ▼" : ""}`, column.hint, () => {
          this.events.sort(next);
          this.head.querySelectorAll("button")[this.columns.findIndex((each) => each.id === column.id)]?.focus();
        }),
      );
      row.append(cell);
    }
    this.head.replaceChildren(row);
  }

  private drawRows(): void {
    if (!this.keys) return;
    const items = this.virtualizer.getVirtualItems();
    const rows = items.map((item) => this.row(this.rows[item.index]!, item.index));
    const above = items[0]?.start ?? 0;
    const below = this.virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0);
    this.body.replaceChildren(this.gap(above), ...rows, this.gap(below));
  }

  private gap(height: number): HTMLTableRowElement {
    const row = make("tr", { className: "gap", ariaHidden: "true" });
    const cell = make("td", { colSpan: this.columns.length || 1 });
    cell.style.height = `${Math.max(height, 0)}px`;
    row.append(cell);
    return row;
  }

  private row(key: number, index: number): HTMLTableRowElement {
    const row = make("tr");
    row.setAttribute("aria-rowindex", String(index + 2));
    for (const column of this.columns) {
      const text = column.text(key);
      const cell = make("td", { className: `${column.tone?.(key) ?? ""}` });
      if (column.id === "name") {
        cell.className = "text name";
        cell.append(link(text, "Show it in the flame graph", () => this.events.show(key)));
      } else if (column.id === "place") {
        cell.className = "text place";
        const place = make("bdi", { text, dir: "ltr" });
        if (this.events.canOpen(key)) cell.append(link(place, `Show the source of ${text}`, () => this.events.open(key)));
        else cell.append(make("span", { title: text }, place));
      } else {
        cell.classList.add("number");
        cell.textContent = text;
      }
      row.append(cell);
    }
    return row;
  }
}

function nameColumns(keys: Keys): Column[] {
  const name = (key: number): string => keys.functionName(key) ?? keys.name(key);
  const columns: Column[] = [];
  if (keys.by !== "file") columns.push({ id: "name", title: "Function", hint: "Sort by function", text: name, value: name });
  columns.push({
    id: keys.by === "file" ? "name" : "place",
    title: keys.by === "line" ? "Line" : "File",
    hint: "Sort by place",
    text: (key) => keys.place(key),
    // Lines of a file in their order.
    value: (key) => `${keys.path(key)}:${String(keys.line(key)).padStart(9, "0")}`,
  });
  return columns;
}

function columns(now: Side, keys: Keys): Column[] {
  const number = (id: string, title: string, hint: string, of: Float64Array, text: (n: number) => string): Column => ({
    id,
    title,
    hint,
    text: (key) => text(of[key]!),
    value: (key) => of[key]!,
  });
  return [
    ...nameColumns(keys),
    number("own_size", "Own", "Bytes that it allocated itself", now.ownSize, size),
    number("size", "Total", "Bytes of it and all that it called", now.size, size),
    number("own_count", "Own blocks", "Blocks that it allocated itself", now.ownCount, count),
    number("count", "Total blocks", "Blocks of it and all that it called", now.count, count),
  ];
}

function differenceColumns(now: Side, before: Side, keys: Keys): Column[] {
  const difference = (id: string, title: string, hint: string, side: keyof Side, metric: "size" | "count"): Column => {
    const value = (key: number): number => now[side][key]! - before[side][key]!;
    return {
      id,
      title,
      hint,
      text: (key) => change(metric, value(key)),
      value,
      tone: (key) => (value(key) > 0 ? "grew" : value(key) < 0 ? "shrank" : ""),
    };
  };
  const plain = (id: string, title: string, hint: string, of: Float64Array): Column => ({
    id,
    title,
    hint,
    text: (key) => amount("size", of[key]!),
    value: (key) => of[key]!,
  });
  return [
    ...nameColumns(keys),
    difference("own_change", "Own change", "Change of the bytes that it allocated itself", "ownSize", "size"),
    difference("change", "Total change", "Change of the bytes of it and all that it called", "size", "size"),
    plain("own_before", "Own before", "Bytes that it had allocated itself, before", before.ownSize),
    plain("own_size", "Own now", "Bytes that it allocated itself, now", now.ownSize),
    difference("own_blocks", "Own blocks", "Change of the blocks that it allocated itself", "ownCount", "count"),
  ];
}
