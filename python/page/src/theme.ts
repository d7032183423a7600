// Light or dark: what the system prefers, until somebody says otherwise.

import { byId } from "./dom";

type Theme = "light" | "dark";

const NAME = "memtrace-theme";
const isDarkPreferred = window.matchMedia("(prefers-color-scheme: dark)");

/** Sets the theme, and calls `changed` whenever there is another one. */
export function watchTheme(changed: () => void): { toggle(): void; print(on: boolean): void } {
  const apply = (theme: Theme): void => {
    document.documentElement.dataset["theme"] = theme;
    byId("theme").setAttribute("aria-pressed", String(theme === "dark"));
    changed();
  };
  const wanted = (): Theme => stored() ?? (isDarkPreferred.matches ? "dark" : "light");
  const toggle = (): void => {
    const theme = wanted() === "dark" ? "light" : "dark";
    store(theme);
    apply(theme);
  };
  isDarkPreferred.addEventListener("change", () => apply(wanted()));
  byId("theme").addEventListener("click", toggle);
  apply(wanted());
  return {
    toggle,
    print: (on) => {
      document.documentElement.dataset["theme"] = on ? "light" : wanted();
    },
  };
}

let chosen: Theme | null = null;

function stored(): Theme | null {
  try {
    const theme = localStorage.getItem(NAME);
    if (theme === "light" || theme === "dark") return theme;
  } catch {
    // Files may be without a storage.
  }
  return chosen;
}

function store(theme: Theme): void {
  chosen = theme;
  try {
    localStorage.setItem(NAME, theme);
  } catch {
    // As above.
  }
}
