// Bundles src/ into one page without data: `node build.mjs [FILE]`.

import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const LIBRARIES = ["uplot", "@tanstack/virtual-core"];
const output = process.argv[2] ?? join(HERE, "../memtrace/reports/page/page.html");

async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [join(HERE, "src/main.ts")],
    bundle: true,
    write: false,
    outdir: "out",
    format: "iife",
    target: ["chrome111", "firefox114", "safari16.4"],
    minify: true,
    charset: "ascii",
    legalComments: "none",
  });
  const file = (end) => outputFiles.find(({ path }) => path.endsWith(end)).text.trim();
  return { js: file(".js"), css: file(".css") };
}

// The licences ask to go where the code goes.
async function readLicences() {
  const texts = [];
  for (const name of LIBRARIES) {
    texts.push(`${name}\n\n${(await readFile(join(HERE, "node_modules", name, "LICENSE"), "utf8")).trim()}`);
  }
  return `<!--\nThis page contains:\n\n${texts.join("\n\n").replaceAll("--", "- -")}\n-->`;
}

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const { js, css } = await bundle();
const licences = await readLicences();
if (/<\/(script|style)|<!--/i.test(js + css)) throw new Error("the bundle would end its own element");
const parts = {
  js,
  css,
  policy: `default-src 'none'; script-src ${hash(js)}; style-src ${hash(css)}; base-uri 'none'; form-action 'none'`,
};
const template = await readFile(join(HERE, "src/page.html"), "utf8");
const page = template.replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name]).replace("<head>", () => `${licences}\n<head>`);
await mkdir(dirname(output), { recursive: true });
await writeFile(output, page);
