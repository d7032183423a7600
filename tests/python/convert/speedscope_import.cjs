// Reads files with speedscope's own importers and prints what they have found, as JSON.
//
//   node speedscope_import.cjs FOLDER FILE...
//
// FOLDER holds speedscope from npm. What it is made for, a page, is not here: only what reads files is taken out of its
// bundle, by the name under which the page asks for it.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [folder, ...files] = process.argv.slice(2);
const release = path.join(folder, "node_modules/speedscope/dist/release");
const bundle = fs.readdirSync(release).find((name) => /^speedscope-.*\.js$/.test(name));
const source = fs.readFileSync(path.join(release, bundle), "utf8");
const [, exported] = /\b(\w+)=\{\};[\w$]+\(\1,\{[^}]*importProfileGroupFromText:/.exec(source);
const asked = new RegExp(`Promise\\.resolve\\(\\)\\.then\\(\\(\\)=>\\([\\w$]+\\(\\),${exported}\\)\\)`);
const patched = source.replace(asked, (promise) => `(globalThis.importers=${promise})`);
process.on("unhandledRejection", (error) => {
  throw error;
});
// A browser's objects, as far as the bundle looks at them when it is loaded.
const anything = new Proxy(function () {}, {
  get: (_, name) => (name === Symbol.toPrimitive ? () => "" : anything),
  apply: () => anything,
  construct: () => anything,
});
Object.assign(globalThis, { window: anything, document: anything, location: anything, self: globalThis });
try {
  vm.runInThisContext(patched);
} catch (error) {
  console.error(`the page: ${error.message}`);
}

function described(profile) {
  const weights = {};
  let total = 0;
  const open = [];
  let value = 0;
  const leave = (to) => {
    const stack = open.map((frame) => `${frame.name} (${frame.file}:${frame.line})`).join(";");
    if (open.length && to > value) weights[stack] = (weights[stack] || 0) + to - value;
    total += open.length ? to - value : 0;
    value = to;
  };
  profile.forEachCall(
    (node, to) => {
      leave(to);
      open.push(node.frame);
    },
    (node, to) => {
      leave(to);
      open.pop();
    },
  );
  return {
    name: profile.getName(),
    unit: profile.getWeightUnit(),
    total: profile.getTotalNonIdleWeight(),
    covered: total,
    weights,
  };
}

(async () => {
  console.log = console.error; // it says what it takes a file for
  const { importProfilesFromArrayBuffer } = await globalThis.importers;
  const found = {};
  for (const file of files) {
    const { buffer, byteOffset, length } = fs.readFileSync(file);
    const bytes = buffer.slice(byteOffset, byteOffset + length);
    const group = await importProfilesFromArrayBuffer(path.basename(file), bytes);
    found[path.basename(file)] = group && group.profiles.map(described);
  }
  process.stdout.write(`\n${JSON.stringify(found)}\n`);
})();
