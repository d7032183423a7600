// Reads pprof files with the package pprof-format and prints the sums of their values, by label and in all.
"use strict";
const fs = require("fs");
const path = require("path");
const zlib = require("zlib");

const [folder, ...files] = process.argv.slice(2);
const { Profile } = require(path.join(folder, "node_modules/pprof-format"));
const found = files.map((file) => {
  const profile = Profile.decode(zlib.gunzipSync(fs.readFileSync(file)));
  const text = (index) => profile.stringTable.strings[Number(index)];
  const totals = profile.sampleType.map(() => 0n);
  const labels = {};
  for (const sample of profile.sample) {
    sample.value.forEach((value, i) => (totals[i] += BigInt(value)));
    for (const label of sample.label) {
      const key = `${text(label.key)}=${Number(label.str) ? text(label.str) : label.num}`;
      labels[key] = (labels[key] || 0) + Number(sample.value[sample.value.length - 1]);
    }
  }
  return {
    types: profile.sampleType.map((each) => [text(each.type), text(each.unit)]),
    default: text(profile.defaultSampleType),
    comments: profile.comment.map(text),
    totals: totals.map(String),
    functions: profile.function.map((each) => text(each.name)),
    labels,
  };
});
process.stdout.write(JSON.stringify(found));
