// The page begins here: reads the data, and connects what is shown to the controls.

import "uplot/dist/uPlot.min.css";
import "./page.css";
import { App } from "./app";
import { load } from "./data";
import { byId } from "./dom";

async function main(): Promise<void> {
  try {
    const report = await load(byId("data").textContent ?? "");
    new App(report).start();
    document.documentElement.dataset["ready"] = "";
  } catch (error) {
    byId("failure").hidden = false;
    byId("failure").textContent = `This page cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
    throw error;
  } finally {
    byId("loading").remove();
  }
}

void main();
