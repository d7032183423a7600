// Rows of snapshots, out of them and into them: merge(), flatten() and class RowBuilder of memtrace._core.
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "python/binding/binding.h"
#include "python/binding/convert.h"
#include "python/binding/detached.h"
#include "snapshot/flat_rows.h"
#include "snapshot/merge.h"
#include "snapshot/snapshot_builder.h"
#include "snapshot/statistics.h"

namespace py = pybind11;

namespace memtrace::binding {

namespace {

// A memoryview of its own copy of the column.
template <class Value>
py::object to_view(const std::vector<Value>& column, const char* format) {
  const py::bytes bytes(reinterpret_cast<const char*>(column.data()), column.size() * sizeof(Value));
  return py::memoryview(bytes).attr("cast")(format);
}

// member(i) of each of `count`.
template <class Member>
py::object to_column(std::size_t count, const char* format, Member&& member) {
  std::vector<decltype(member(0u))> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = member(static_cast<std::uint32_t>(i));
  return to_view(values, format);
}

void add_frames(py::dict& columns, const snapshot::Dictionary& dictionary) {
  const std::size_t count = dictionary.frame_count();
  const auto add = [&](const char* name, const char* format, auto snapshot::Frame::* member) {
    columns[name] = to_column(count, format, [&](snapshot::FrameId id) { return dictionary.frame(id).*member; });
  };
  add("frame_filename", "I", &snapshot::Frame::filename);
  add("frame_function", "I", &snapshot::Frame::function);
  add("frame_lineno", "i", &snapshot::Frame::lineno);
  add("frame_end_lineno", "i", &snapshot::Frame::end_lineno);
  add("frame_colno", "i", &snapshot::Frame::column);
  add("frame_end_colno", "i", &snapshot::Frame::end_column);
}

void add_stacks(py::dict& columns, const snapshot::Dictionary& dictionary) {
  const std::size_t count = dictionary.stack_count();
  columns["stack_parent"] = to_column(count, "I", [&](snapshot::StackId id) { return dictionary.stack(id).parent; });
  columns["stack_frame"] = to_column(count, "I", [&](snapshot::StackId id) { return dictionary.stack(id).frame; });
}

void add_rows(py::dict& columns, const snapshot::FlatRows& rows) {
  const auto add = [&](const char* name, std::uint32_t snapshot::ResolvedRecord::* member) {
    columns[name] = to_column(rows.keys.size(), "I", [&](std::uint32_t row) { return rows.keys[row].*member; });
  };
  add("stack", &snapshot::ResolvedRecord::traceback);
  add("domain", &snapshot::ResolvedRecord::domain);
  add("generation", &snapshot::ResolvedRecord::generation);
  add("thread", &snapshot::ResolvedRecord::thread);
  add("label", &snapshot::ResolvedRecord::label);
  add("type", &snapshot::ResolvedRecord::type);
  for (const auto& [name, counters] : {std::pair{"", &rows.live},
                                       {"allocated_", &rows.allocated},
                                       {"freed_", &rows.freed},
                                       {"temporary_", &rows.temporary}}) {
    columns[py::str(std::string(name) + "size")] = to_view(counters->size, "Q");
    columns[py::str(std::string(name) + "count")] = to_view(counters->count, "Q");
  }
  const auto add_variance = [&](const char* name, double Spread::* member) {
    columns[name] =
        to_column(rows.live.spread.size(), "d", [&](std::uint32_t row) { return rows.live.spread[row].*member; });
  };
  add_variance("size_variance", &Spread::bytes_variance);
  add_variance("count_variance", &Spread::count_variance);
}

// The texts, and the columns by name.
std::pair<py::list, py::dict> flatten(const snapshot::Snapshot& self) {
  const snapshot::FlatRows rows = [&] {
    const Detached detached;
    return snapshot::flatten(self);
  }();
  const snapshot::Dictionary& dictionary = *rows.dictionary;
  py::list strings(dictionary.string_count());
  for (snapshot::StringId id = 0; id < dictionary.string_count(); ++id) strings[id] = to_str(dictionary.string(id));
  py::dict columns;
  add_frames(columns, dictionary);
  add_stacks(columns, dictionary);
  add_rows(columns, rows);
  return {std::move(strings), std::move(columns)};
}

// Seconds of churn; none without churn.
std::optional<double> churn_seconds(const snapshot::Snapshot& self) {
  if (self.churn() == nullptr) return std::nullopt;
  const Detached detached;
  return static_cast<double>(self.churn()->get().microseconds) / 1e6;
}

snapshot::Snapshot merge(const std::vector<snapshot::Snapshot>& snapshots) {
  const Detached detached;
  return snapshot::merge(snapshots);
}

// Domain, generation, thread, label.
using Tags = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>;
// Blocks, bytes.
using Amount = std::pair<std::uint64_t, std::uint64_t>;

class RowBuilder {
 public:
  // Numbers below 0 are not known, as in snapshot::Frame; a line of 0 neither.
  snapshot::FrameId frame(const py::handle& filename, const py::handle& function, std::int32_t lineno,
                          std::int32_t end_lineno, std::int32_t column, std::int32_t end_column) {
    snapshot::Dictionary& dictionary = builder_.dictionary();
    return dictionary.intern_frame({.filename = dictionary.intern_string(to_wtf8(filename)),
                                    .function = dictionary.intern_string(to_wtf8(function)),
                                    .lineno = lineno,
                                    .end_lineno = end_lineno,
                                    .column = column,
                                    .end_column = end_column});
  }

  // Oldest first.
  snapshot::TracebackId traceback(const std::vector<snapshot::FrameId>& frames) {
    for (const snapshot::FrameId frame : frames) {
      if (frame >= builder_.dictionary().frame_count()) throw py::value_error("no such frame");
    }
    return builder_.dictionary().intern_traceback(frames, snapshot::kUnknownTotal);
  }

  void add(snapshot::TracebackId traceback, const Tags& tags, const std::optional<py::str>& type, const Amount& live) {
    snapshot::ResolvedRecord key = to_key(traceback, tags);
    if (type) {
      snapshot::Dictionary& dictionary = builder_.dictionary();
      const std::string name = to_wtf8(*type);
      key.type = dictionary.intern_string(name);
      dictionary.set_tag_name(snapshot::Tag::type, key.type, name);
    }
    builder_.add_row(key, live.first, live.second);
  }

  void add_churn(snapshot::TracebackId traceback, const Tags& tags, const Amount& allocated, const Amount& freed,
                 const Amount& temporary) {
    const auto amount = [](const Amount& pair) { return snapshot::ChurnSums::Amount{pair.first, pair.second}; };
    builder_.add_churn(to_key(traceback, tags), amount(allocated), amount(freed), amount(temporary));
  }

  snapshot::Snapshot build(std::int64_t traceback_limit, std::uint64_t sample_interval,
                           std::optional<double> churn_seconds) {
    std::optional<std::uint64_t> microseconds;
    if (churn_seconds) microseconds = static_cast<std::uint64_t>(*churn_seconds * 1e6);
    return builder_.build(traceback_limit, sample_interval, microseconds);
  }

 private:
  static snapshot::ResolvedRecord to_key(snapshot::TracebackId traceback, const Tags& tags) {
    const auto& [domain, generation, thread, label] = tags;
    return {.traceback = traceback, .domain = domain, .generation = generation, .thread = thread, .label = label};
  }

  snapshot::SnapshotBuilder builder_;
};

}  // namespace

void bind_rows(py::module_& module) {
  module.def("merge", &merge, py::arg("snapshots"));
  module.def("flatten", &flatten, py::arg("snapshot"));
  module.def("churn_seconds", &churn_seconds, py::arg("snapshot"));

  py::class_<RowBuilder>(module, "RowBuilder")
      .def(py::init<>())
      .def("frame", &RowBuilder::frame, py::arg("filename"), py::arg("function") = "", py::arg("lineno") = 0,
           py::arg("end_lineno") = 0, py::arg("colno") = -1, py::arg("end_colno") = -1)
      .def("traceback", &RowBuilder::traceback, py::arg("frames"))
      .def("add", &RowBuilder::add, py::arg("traceback"), py::arg("tags"), py::arg("type"), py::arg("live"))
      .def("add_churn", &RowBuilder::add_churn, py::arg("traceback"), py::arg("tags"), py::arg("allocated"),
           py::arg("freed"), py::arg("temporary"))
      .def("build", &RowBuilder::build, py::arg("traceback_limit"), py::arg("sample_interval"),
           py::arg("churn_seconds"));
}

}  // namespace memtrace::binding
