#include "python/binding/filter_forms.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "python/binding/convert.h"
#include "snapshot/statistics.h"

namespace py = pybind11;

namespace memtrace::binding {

namespace {

constexpr int kMostNested = 100;

std::vector<snapshot::AnyFilter> to_filters(const py::sequence& forms, int depth);

std::optional<std::int64_t> to_optional_integer(py::handle value, const char* what) {
  if (value.is_none()) return std::nullopt;
  return to_integer<std::int64_t>(value, what);
}

snapshot::Pattern to_pattern(py::handle text) { return snapshot::Pattern(to_wtf8(text)); }

snapshot::AnyFilter to_name_filter(bool inclusive, snapshot::NameOf name_of, const py::tuple& form) {
  snapshot::NameFilter filter{inclusive, name_of, {}, form[3].cast<bool>()};
  for (const py::handle pattern : py::cast<py::tuple>(form[2])) filter.patterns.push_back(to_pattern(pattern));
  return filter;
}

snapshot::AnyFilter to_tag_filter(bool inclusive, const py::tuple& form) {
  const std::string name = to_wtf8(form[2]);
  const auto group_by = snapshot::parse_group_by(name);
  const auto tag = group_by ? snapshot::tag_of(*group_by) : std::nullopt;
  if (!tag) throw py::value_error("the snapshot was taken without " + name + "s");
  return snapshot::TagFilter{inclusive, *tag, to_pattern(form[3])};
}

snapshot::AnyFilter to_thread_filter(bool inclusive, py::handle name_or_native_id) {
  if (PyUnicode_Check(name_or_native_id.ptr())) {
    return snapshot::ThreadFilter{inclusive, to_pattern(name_or_native_id)};
  }
  return snapshot::ThreadFilter{inclusive, to_integer<std::uint64_t>(name_or_native_id, "thread")};
}

snapshot::AnyFilter to_block_filter(bool inclusive, const py::bytes& matches) {
  const std::string_view bytes = matches;
  return snapshot::BlockFilter{inclusive, {bytes.begin(), bytes.end()}};
}

snapshot::AnyFilter to_combined(bool inclusive, snapshot::Operator op, const py::tuple& form, int depth) {
  if (depth == kMostNested) throw py::value_error("filters are combined more than 100 deep");
  return snapshot::Combined{inclusive, op, to_filters(py::cast<py::tuple>(form[2]), depth + 1)};
}

snapshot::AnyFilter to_filter(const py::tuple& form, int depth) {
  const std::string kind = to_wtf8(form[0]);
  const bool inclusive = form[1].cast<bool>();
  if (kind == "file") {
    return snapshot::Filter(inclusive, to_wtf8(form[2]), to_optional_integer(form[3], "lineno"), form[4].cast<bool>(),
                            to_optional_integer(form[5], "domain"));
  }
  if (kind == "domain") return snapshot::DomainFilter{inclusive, to_integer<std::int64_t>(form[2], "domain")};
  if (kind == "function") return to_name_filter(inclusive, snapshot::NameOf::function, form);
  if (kind == "module") return to_name_filter(inclusive, snapshot::NameOf::module, form);
  if (kind == "tag") return to_tag_filter(inclusive, form);
  if (kind == "thread") return to_thread_filter(inclusive, form[2]);
  if (kind == "generation") {
    return snapshot::GenerationFilter{inclusive, to_integer<std::uint64_t>(form[2], "mark"),
                                      to_integer<std::uint64_t>(form[3], "end")};
  }
  if (kind == "size") {
    return snapshot::SizeFilter{inclusive, to_integer<std::uint64_t>(form[2], "min"),
                                to_integer<std::uint64_t>(form[3], "max")};
  }
  if (kind == "blocks") return to_block_filter(inclusive, py::cast<py::bytes>(form[2]));
  if (kind == "&") return to_combined(inclusive, snapshot::Operator::all_of, form, depth);
  if (kind == "|") return to_combined(inclusive, snapshot::Operator::any_of, form, depth);
  if (kind == "~") return to_combined(inclusive, snapshot::Operator::none_of, form, depth);
  throw py::value_error("no such kind of filter: " + kind);
}

std::vector<snapshot::AnyFilter> to_filters(const py::sequence& forms, int depth) {
  std::vector<snapshot::AnyFilter> filters;
  for (const py::handle form : forms) filters.push_back(to_filter(py::cast<py::tuple>(form), depth));
  return filters;
}

}  // namespace

std::vector<snapshot::AnyFilter> to_filters(const py::sequence& forms) { return to_filters(forms, 0); }

}  // namespace memtrace::binding
