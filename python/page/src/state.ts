// What is shown, as the part of the address behind '#', so that a link to it can be shared.

import { type Moment, type Tag } from "./data";
import { type Metric } from "./format";
import { type By } from "./keys";

export type Tab = "flame" | "table" | "source";
export type Hidden = "imports" | "library" | "packages";

export interface State {
  tab: Tab;
  show: Moment | "";
  metric: Metric;
  width: "change" | "size";
  split: Tag | "";
  by: By;
  layout: "icicle" | "flame";
  inverted: boolean;
  hide: Hidden[];
  query: string;
  /** The keys on the way to the frame that has all the width. */
  zoom: number[];
  file: number | null;
  line: number | null;
  sort: string;
  filter: string;
}

export const DEFAULTS: Readonly<State> = {
  tab: "flame",
  show: "",
  metric: "size",
  width: "change",
  split: "",
  by: "line",
  layout: "icicle",
  inverted: false,
  hide: [],
  query: "",
  zoom: [],
  file: null,
  line: null,
  sort: "",
  filter: "",
};

const CHOICES: { [name in keyof State]?: readonly string[] } = {
  tab: ["flame", "table", "source"],
  show: ["", "live", "peak", "churn"],
  metric: ["size", "count"],
  width: ["change", "size"],
  split: ["", "thread", "label", "type", "domain"],
  by: ["line", "function", "file"],
  layout: ["icicle", "flame"],
};
const HIDDEN: readonly Hidden[] = ["imports", "library", "packages"];

/** What a fragment says; what it does not say, or says wrongly, is the default. */
export function parse(fragment: string): State {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const state: State = { ...DEFAULTS, hide: [], zoom: [] };
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = given.get(name);
    if (value !== null && choices.includes(value)) Object.assign(state, { [name]: value });
  }
  state.inverted = given.get("inverted") === "1";
  state.hide = HIDDEN.filter((name) => given.get("hide")?.split(",").includes(name));
  state.query = given.get("query") ?? "";
  state.zoom = (given.get("zoom") || "").split(".").flatMap((key) => {
    const number = parseInt(key, 36);
    return Number.isNaN(number) ? [] : [number];
  });
  state.file = natural(given.get("file"));
  state.line = natural(given.get("line"));
  state.sort = given.get("sort") ?? "";
  state.filter = given.get("filter") ?? "";
  return state;
}

/** The shortest fragment that says `state`. */
export function format(state: State): string {
  const said = new URLSearchParams();
  const texts: Record<string, string> = {
    ...Object.fromEntries(Object.keys(CHOICES).map((name) => [name, String(state[name as keyof State])])),
    inverted: state.inverted ? "1" : "",
    hide: state.hide.join(","),
    query: state.query,
    zoom: state.zoom.map((key) => key.toString(36)).join("."),
    file: state.file === null ? "" : String(state.file),
    line: state.line === null ? "" : String(state.line),
    sort: state.sort,
    filter: state.filter,
  };
  for (const [name, text] of Object.entries(texts)) {
    if (text && text !== DEFAULTS[name as keyof State]) said.set(name, text);
  }
  return said.size ? `#${said}` : "#";
}

function natural(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
