// Source code, with what each line has.

import { Kind, type Report, type Source } from "./data";
import { make } from "./dom";
import { amount, baseName, change, type Metric } from "./format";
import { type Keys } from "./keys";
import { type Totals } from "./totals";

const WHOSE = [
  [Kind.Own, "Your code"],
  [Kind.Packages, "site-packages"],
  [Kind.StandardLibrary, "Standard library"],
] as const;

export class SourceView {
  private totals: Totals | null = null;
  private keys: Keys | null = null;
  private metric: Metric = "size";
  private shown = "";

  constructor(
    private readonly report: Report,
    private readonly select: HTMLSelectElement,
    private readonly table: HTMLTableElement,
    private readonly empty: HTMLElement,
    choose: (file: number) => void,
  ) {
    select.addEventListener("change", () => choose(Number(select.value)));
  }

  has(file: number): boolean {
    return this.report.sources.some((source) => source.file === file);
  }

  /** `totals` are those of lines. */
  show(totals: Totals, keys: Keys, metric: Metric, file: number | null, line: number | null): void {
    const isOther = totals !== this.totals || metric !== this.metric;
    Object.assign(this, { totals, keys, metric });
    if (isOther) this.fill();
    const source =
      this.report.sources.find((each) => each.file === (file ?? Number(this.select.value))) ??
      this.report.sources.find((each) => each.file === Number(this.select.options[0]?.value));
    this.empty.hidden = source !== undefined;
    this.table.hidden = source === undefined;
    if (!source) return;
    this.select.value = String(source.file);
    const shown = `${source.file}:${line}`;
    if (isOther || shown !== this.shown) this.draw(source, line);
    this.shown = shown;
  }

  /** The files, by whose they are, that with the most first. */
  private fill(): void {
    const own = new Map<number, number>();
    const { now, before } = this.totals!;
    const column = this.metric === "size" ? "ownSize" : "ownCount";
    for (const key of this.totals!.keys) {
      const file = this.keys!.file(key);
      own.set(file, (own.get(file) ?? 0) + (now[column][key]! - (before?.[column][key] ?? 0)));
    }
    const format = before ? change : amount;
    const files = this.report.sources.map(({ file }) => ({ file, of: own.get(file) ?? 0 }));
    files.sort((a, b) => Math.abs(b.of) - Math.abs(a.of));
    const options = files.map(({ file, of }) => {
      const path = this.report.files[file]!;
      return make("option", { value: String(file), text: `${baseName(path)}  ${format(this.metric, of)}  ${path}` });
    });
    const groups = WHOSE.map(([kind, label]) => {
      const ofKind = options.filter((option) => this.report.kinds[Number(option.value)] === kind);
      return ofKind.length ? [make("optgroup", { label }, ...ofKind)] : [];
    });
    this.select.replaceChildren(...groups.flat());
  }

  private draw(source: Source, line: number | null): void {
    const { now, before } = this.totals!;
    const [total, own] = this.metric === "size" ? (["size", "ownSize"] as const) : (["count", "ownCount"] as const);
    const byLine = new Map<number, { total: number; own: number }>();
    for (const key of this.totals!.keys) {
      if (this.keys!.file(key) !== source.file) continue;
      const at = byLine.get(this.keys!.line(key)) ?? { total: 0, own: 0 };
      at.total += now[total][key]! - (before?.[total][key] ?? 0);
      at.own += now[own][key]! - (before?.[own][key] ?? 0);
      byLine.set(this.keys!.line(key), at);
    }
    let most = 1;
    for (const at of byLine.values()) most = Math.max(most, Math.abs(at.total));
    const head = make("tr");
    for (const title of ["Line", before ? "Own change" : "Own", before ? "Total change" : "Total", "Code"]) {
      head.append(make("th", { scope: "col", className: title === "Code" ? "text" : "number", text: title }));
    }
    const body = this.table.tBodies[0] ?? this.table.createTBody();
    (this.table.tHead ?? this.table.createTHead()).replaceChildren(head);
    body.replaceChildren();
    source.excerpts.forEach(([first, lines], index) => {
      if (index > 0 || first > 1) body.append(make("tr", { className: "skipped" }, make("td", { colSpan: 4, text: "⋯" })));
      lines.forEach((text, offset) => {
        const lineno = first + offset;
        const at = byLine.get(lineno);
        const row = make("tr", { className: lineno === line ? "chosen" : "" });
        row.append(
          make("td", { className: "number muted", text: String(lineno) }),
          this.number(at?.own),
          this.number(at?.total),
          make("td", { className: "code" }, make("code", { text: text || " " })),
        );
        if (at) {
          row.lastElementChild!.classList.add(before ? (at.total < 0 ? "share-shrank" : "share-grew") : "share");
          (row.lastElementChild as HTMLElement).style.setProperty("--part", `${(100 * Math.abs(at.total)) / most}%`);
        }
        body.append(row);
      });
    });
    const chosen = body.querySelector<HTMLElement>(".chosen");
    const scroller = this.table.parentElement!;
    scroller.scrollTop = chosen ? chosen.offsetTop - scroller.clientHeight / 2 : 0;
  }

  private number(of: number | undefined): HTMLTableCellElement {
    const cell = make("td", { className: "number" });
    if (!of) return cell;
    cell.textContent = this.totals!.before ? change(this.metric, of) : amount(this.metric, of);
    if (this.totals!.before) cell.classList.add(of > 0 ? "grew" : "shrank");
    return cell;
  }
}
