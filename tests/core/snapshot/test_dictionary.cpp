#include <catch2/catch_test_macros.hpp>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "snapshot/dictionary.h"
#include "snapshot/keys.h"
#include "tests/core/snapshot/model.h"

using namespace memtrace::snapshot;

TEST_CASE("a new dictionary knows the empty string, the unknown frame and the empty stack") {
  const Dictionary dictionary;
  CHECK(dictionary.string(kEmptyString).empty());
  CHECK(dictionary.string(dictionary.frame(kUnknownFrame).filename) == kUnknownName);
  CHECK(dictionary.frame(kUnknownFrame).lineno == 0);
  CHECK(dictionary.depth(kEmptyStack) == 0);
  CHECK(dictionary.frames_of(kEmptyStack).empty());
  CHECK(dictionary.frames_of(dictionary.traceback(kUnknownTraceback).stack) == std::vector<FrameId>{kUnknownFrame});
}

TEST_CASE("strings are interned by content and never move") {
  Dictionary dictionary;
  std::map<std::string, StringId> model;
  std::vector<std::string_view> views;
  for (int i = 0; i < 30000; ++i) {
    // Short ones, one of several chunks' length, and every text twice.
    const std::string text = i == 77 ? std::string(200000, 'x') : "name" + std::to_string(i / 2);
    const StringId id = dictionary.intern_string(text);
    const auto [found, added] = model.try_emplace(text, id);
    REQUIRE(found->second == id);
    if (added) views.push_back(dictionary.string(id));
  }
  CHECK(dictionary.string_count() == model.size() + 2);  // and the two that were there
  for (const auto& [text, id] : model) REQUIRE(dictionary.string(id) == text);
  for (const std::string_view view : views) REQUIRE(model.contains(std::string(view)));
  CHECK(dictionary.intern_string({}) == kEmptyString);
}

TEST_CASE("frames, stacks and tracebacks are interned by content") {
  Dictionary dictionary;
  const Frame frame{.filename = dictionary.intern_string("a.py"), .lineno = 3};
  const FrameId id = dictionary.intern_frame(frame);
  CHECK(dictionary.intern_frame(frame) == id);
  Frame other = frame;
  other.column = 4;
  CHECK(dictionary.intern_frame(other) != id);

  const std::vector<FrameId> frames{id, kUnknownFrame, id};
  const TracebackId traceback = dictionary.intern_traceback(frames, 9);
  CHECK(dictionary.intern_traceback(frames, 9) == traceback);
  CHECK(dictionary.intern_traceback(frames, 10) != traceback);
  CHECK(dictionary.traceback(traceback).total_nframe == 9);
  const StackId stack = dictionary.traceback(traceback).stack;
  CHECK(dictionary.frames_of(stack) == frames);
  CHECK(dictionary.depth(stack) == 3);
  CHECK(dictionary.stack(stack).parent < stack);
  CHECK(dictionary.intern_stack(dictionary.stack(stack).parent, id) == stack);
}

TEST_CASE("a traceback has at least one frame and at most kMaxDepth") {
  Dictionary dictionary;
  CHECK_THROWS_AS(dictionary.intern_traceback({}, 0), std::invalid_argument);
  const std::vector<FrameId> deepest(kMaxDepth, kUnknownFrame);
  const TracebackId traceback = dictionary.intern_traceback(deepest, 1);
  CHECK(dictionary.frames_of(dictionary.traceback(traceback).stack) == deepest);
  CHECK_THROWS_AS(dictionary.intern_traceback(std::vector<FrameId>(kMaxDepth + 1, kUnknownFrame), 1),
                  std::length_error);
}

TEST_CASE("keys are made anew only when the dictionary has grown or a module was set") {
  Dictionary dictionary;
  const auto keys = dictionary.keys();
  CHECK(dictionary.keys() == keys);
  const StringId file = dictionary.intern_string("a.py");
  CHECK(dictionary.keys() == keys);  // a string alone is no part of any stack
  dictionary.intern_frame({.filename = file});
  const auto grown = dictionary.keys();
  CHECK(grown != keys);
  dictionary.set_module(file, "other");
  const auto named = dictionary.keys();
  CHECK(named != grown);
  dictionary.set_module(file, "other");
  CHECK(dictionary.keys() == named);
  CHECK(dictionary.module(file) == "other");
  CHECK(dictionary.module(dictionary.intern_string("pkg/b.py")) == "pkg.b");
  CHECK(dictionary.modules().size() == 1);
}

TEST_CASE("numbers of groups are in order of what they stand for") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    model::Random random(seed);
    Dictionary dictionary;
    for (const model::Trace& trace : random.traces(1 + random.below(300))) model::intern(dictionary, trace);
    const auto keys = dictionary.keys();
    const auto place = [&](FrameId id) {
      const Frame& frame = dictionary.frame(id);
      return std::pair(std::string(dictionary.string(frame.filename)), frame.lineno);
    };

    std::map<std::pair<std::string, std::int32_t>, std::uint32_t> lines;
    std::map<std::string, std::uint32_t> files;
    for (FrameId id = 0; id < dictionary.frame_count(); ++id) {
      REQUIRE(lines.try_emplace(place(id), keys->lines().of_frame[id]).first->second == keys->lines().of_frame[id]);
      const std::uint32_t file = keys->filenames().of_frame[id];
      REQUIRE(files.try_emplace(place(id).first, file).first->second == file);
    }
    std::uint32_t expected = 0;
    for (const auto& [key, number] : lines) REQUIRE(number == expected++);
    REQUIRE(keys->lines().count == expected);
    expected = 0;
    for (const auto& [key, number] : files) REQUIRE(number == expected++);

    std::map<model::Places, std::uint32_t> paths;
    for (StackId id = 0; id < dictionary.stack_count(); ++id) {
      model::Places places;
      for (const FrameId frame : dictionary.frames_of(id)) places.push_back(place(frame));
      const std::uint32_t path = keys->paths().of_stack[id];
      REQUIRE(paths.try_emplace(places, path).first->second == path);
    }
    expected = 0;
    for (const auto& [places, path] : paths) REQUIRE(path == expected++);
    REQUIRE(keys->paths().count == expected);
  }
}
