// Keys that work everywhere but in text; the help in page.html lists them, and those of the flame graph.

import { byId } from "./dom";
import { type Tab } from "./state";

export interface Commands {
  tab(tab: Tab): void;
  toggle(name: "inverted" | "layout" | "metric"): void;
  theme(): void;
  step(by: number): void;
  reset(): void;
}

export function bindKeyboard(commands: Commands): void {
  const help = byId<HTMLDialogElement>("help");
  const search = byId<HTMLInputElement>("search");
  byId("help-button").addEventListener("click", () => help.showModal());
  byId("help-close").addEventListener("click", () => help.close());
  const keys: Record<string, () => void> = {
    "?": () => help.showModal(),
    "/": () => search.select(),
    "1": () => commands.tab("flame"),
    "2": () => commands.tab("table"),
    "3": () => commands.tab("source"),
    i: () => commands.toggle("inverted"),
    f: () => commands.toggle("layout"),
    b: () => commands.toggle("metric"),
    t: () => commands.theme(),
    n: () => commands.step(1),
    N: () => commands.step(-1),
    Escape: () => commands.reset(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || help.open) return;
    const target = event.target as HTMLElement;
    const isTyping = target.matches("input[type=search]");
    if (isTyping && event.key === "Escape") target.blur();
    if ((isTyping && event.key !== "Escape") || (target.matches("select") && event.key !== "Escape")) return;
    const command = keys[event.key];
    if (!command) return;
    event.preventDefault();
    command();
  });
}
