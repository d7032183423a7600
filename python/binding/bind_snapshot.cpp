// Classes Dictionary, Blocks and Snapshot of memtrace._core, over snapshot/.
#include <pybind11/stl.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "python/binding/binding.h"
#include "python/binding/block_reader.h"
#include "python/binding/convert.h"
#include "python/binding/detached.h"
#include "python/binding/dictionary_view.h"
#include "python/binding/filter_forms.h"
#include "python/binding/literal_traces.h"
#include "python/binding/slots.h"
#include "snapshot/churn.h"
#include "snapshot/compare.h"
#include "snapshot/filter.h"
#include "snapshot/format.h"
#include "snapshot/snapshot.h"
#include "snapshot/statistics.h"

namespace py = pybind11;

namespace memtrace::binding {

namespace {

// Of two keys.
bool is_tag_first(const std::vector<std::string>& names) {
  const auto first = snapshot::parse_group_by(names[0]);
  return names.size() == 2 && first && snapshot::tag_of(*first);
}

snapshot::GroupBy to_group_by(const std::string& name) {
  const std::optional<snapshot::GroupBy> group_by = snapshot::parse_group_by(name);
  if (!group_by) throw py::value_error("unknown group-by: " + name);
  return *group_by;
}

// One key, or a key of frames and one of numbers in either order.
snapshot::Grouping to_grouping(const std::vector<std::string>& names) {
  if (names.size() == 1) return to_group_by(names[0]);
  if (names.size() != 2) throw py::value_error("a group-by has one key or two");
  const bool tag_first = is_tag_first(names);
  const auto tag = snapshot::tag_of(to_group_by(names[tag_first ? 0 : 1]));
  if (!tag) throw py::value_error("unknown group-by: " + names[0] + ", " + names[1]);
  return {to_group_by(names[tag_first ? 1 : 0]), tag};
}

// What was taken without types cannot be grouped by them.
void check_types(const snapshot::Snapshot& self, const snapshot::Grouping& group_by) {
  if (group_by.tag() != snapshot::Tag::type || self.column_count() == 0 || self.has_types()) return;
  throw py::value_error("the snapshot has no types: take it with take_snapshot(types=True)");
}

Reference site_reference(snapshot::GroupBy group_by, const snapshot::Site& site) {
  switch (group_by) {
    case snapshot::GroupBy::traceback:
      return Reference::stack(site.stack);
    case snapshot::GroupBy::filename:
      return Reference::file(site.frame);
    default:
      return Reference::frame(site.frame);
  }
}

// Sets the slots that Statistic and StatisticDiff share.
class GroupMaker {
 public:
  // `origin` is what the groups are of: see memtrace._statistic.
  GroupMaker(const py::type& cls, snapshot::Grouping group_by, bool tag_first,
             std::shared_ptr<const snapshot::Dictionary> dictionary, py::object origin)
      : cls_(cls),
        source_slot_(cls, "_source"),
        key_slot_(cls, "_key"),
        number_slot_(cls, "_number"),
        origin_slot_(cls, "_origin"),
        group_by_(group_by),
        tag_first_(tag_first),
        dictionary_(dictionary),
        view_(py::cast(std::make_shared<DictionaryView>(std::move(dictionary)))),
        origin_(std::move(origin)) {}

  template <typename Group>
  py::object make(const Group& group) const {
    py::object object = make_unset(cls_);
    source_slot_.set(object, py::make_tuple(view_, site_reference(group_by_.by, group.site).pack()));
    key_slot_.set(object, key_of(group));
    number_slot_.set(object, py::int_(group.number));
    origin_slot_.set(object, origin_);
    return object;
  }

 private:
  template <typename Group>
  py::object key_of(const Group& group) const {
    if (group_by_.joined) return to_str(joined_key_of(group));
    if (snapshot::tag_of(group_by_.by)) return to_str(name_or_number(group.key, group.number));
    if (!group.key.empty()) return to_str(group.key);
    return py::none();
  }

  // As both keys show it, in the order in which they were asked for.
  template <typename Group>
  std::string joined_key_of(const Group& group) const {
    const std::string number = name_or_number(group.joined, group.number);
    const snapshot::Frame& frame = dictionary_->frame(group.site.frame);
    std::string place(group.key.empty() ? dictionary_->string(frame.filename) : group.key);
    if (group_by_.by == snapshot::GroupBy::lineno) place += ":" + std::to_string(frame.lineno);
    return tag_first_ ? number + ", " + place : place + ", " + number;
  }

  static std::string name_or_number(std::string_view name, std::uint32_t number) {
    return name.empty() ? std::to_string(number) : std::string(name);
  }

  py::type cls_;
  Slot source_slot_, key_slot_, number_slot_, origin_slot_;
  snapshot::Grouping group_by_;
  bool tag_first_;
  std::shared_ptr<const snapshot::Dictionary> dictionary_;
  py::object view_, origin_;
};

py::list statistics(const snapshot::Snapshot& self, const std::vector<std::string>& names, bool cumulative,
                    const py::type& cls, const py::object& origin) {
  const Slot size_slot(cls, "size"), count_slot(cls, "count");
  const Slot size_error_slot(cls, "size_error"), count_error_slot(cls, "count_error");
  const snapshot::Grouping group_by = to_grouping(names);
  check_types(self, group_by);
  const snapshot::Statistics groups = [&] {
    const Detached detached;
    return snapshot::statistics(self, group_by, cumulative);
  }();
  const GroupMaker maker(cls, group_by, is_tag_first(names), groups.dictionary, origin);
  const CollectionPause pause;
  py::list result(groups.items.size());
  for (std::size_t i = 0; i < groups.items.size(); ++i) {
    const snapshot::Statistic& group = groups.items[i];
    py::object object = maker.make(group);
    size_slot.set(object, py::int_(group.size));
    count_slot.set(object, py::int_(group.count));
    if (groups.has_errors) {
      size_error_slot.set(object, py::float_(group.size_error));
      count_error_slot.set(object, py::float_(group.count_error));
    }
    result[i] = std::move(object);
  }
  return result;
}

py::list compare(const snapshot::Snapshot& self, const snapshot::Snapshot& old, const std::vector<std::string>& names,
                 bool cumulative, const py::type& cls, const py::object& origin) {
  const Slot size_slot(cls, "size"), size_diff_slot(cls, "size_diff"), survived_size_slot(cls, "survived_size");
  const Slot count_slot(cls, "count"), count_diff_slot(cls, "count_diff"), survived_count_slot(cls, "survived_count");
  const Slot size_error_slot(cls, "size_error"), size_diff_error_slot(cls, "size_diff_error");
  const Slot count_error_slot(cls, "count_error"), count_diff_error_slot(cls, "count_diff_error");
  const snapshot::Grouping group_by = to_grouping(names);
  check_types(self, group_by);
  check_types(old, group_by);
  const snapshot::Comparison groups = [&] {
    const Detached detached;
    return snapshot::compare(self, old, group_by, cumulative);
  }();
  const auto if_known = [&](std::uint64_t number) -> py::object {
    if (!groups.knows_survivors) return py::none();
    return py::int_(number);
  };
  // Sites and numbers are the snapshot's own only where both have one Dictionary.
  const bool is_own = groups.dictionary == self.dictionary();
  const GroupMaker maker(cls, group_by, is_tag_first(names), groups.dictionary, is_own ? origin : py::none());
  const CollectionPause pause;
  py::list result(groups.items.size());
  for (std::size_t i = 0; i < groups.items.size(); ++i) {
    const snapshot::StatisticDiff& group = groups.items[i];
    py::object object = maker.make(group);
    size_slot.set(object, py::int_(group.size));
    size_diff_slot.set(object, py::int_(group.size_diff));
    count_slot.set(object, py::int_(group.count));
    count_diff_slot.set(object, py::int_(group.count_diff));
    survived_size_slot.set(object, if_known(group.survived_size));
    survived_count_slot.set(object, if_known(group.survived_count));
    if (groups.has_errors) {
      size_error_slot.set(object, py::float_(group.size_error));
      size_diff_error_slot.set(object, py::float_(group.size_diff_error));
      count_error_slot.set(object, py::float_(group.count_error));
      count_diff_error_slot.set(object, py::float_(group.count_diff_error));
    }
    result[i] = std::move(object);
  }
  return result;
}

// The rows of a group that statistics() has shown: by its _source's reference and its _number.
snapshot::Snapshot select_group(const snapshot::Snapshot& self, const std::vector<std::string>& names, bool cumulative,
                                std::uint64_t reference, std::uint32_t number) {
  const snapshot::Grouping group_by = to_grouping(names);
  const std::uint32_t id = Reference::unpack(reference).id();
  const bool is_stack = group_by.by == snapshot::GroupBy::traceback;
  const Detached detached;
  return snapshot::select_group(self, group_by, cumulative, {is_stack ? id : 0, is_stack ? 0 : id}, number);
}

const snapshot::LazyChurn& churn_of(const snapshot::Snapshot& snapshot, const char* what) {
  if (snapshot.churn() == nullptr)
    throw py::value_error(std::string(what) +
                          " has no churn: it must come from take_snapshot(), by filters that need not look at "
                          "single blocks");
  return *snapshot.churn();
}

// `since` may be null.
py::list churn(const snapshot::Snapshot& self, const snapshot::Snapshot* since, const std::vector<std::string>& names,
               bool cumulative, const py::type& cls, const py::object& origin) {
  const snapshot::Grouping group_by = to_grouping(names);
  if (group_by.tag() == snapshot::Tag::type) throw py::value_error("churn is not known by type");
  const snapshot::LazyChurn& now = churn_of(self, "the snapshot");
  const snapshot::LazyChurn* before = since == nullptr ? nullptr : &churn_of(*since, "since");
  double seconds = 0;
  const snapshot::ChurnStatistics groups = [&] {
    const Detached detached;
    const snapshot::Churn& all = now.get();
    const snapshot::Churn churn = before == nullptr ? all : snapshot::subtract(all, before->get());
    seconds = static_cast<double>(churn.microseconds) / 1e6;
    return snapshot::churn_statistics(churn, group_by, cumulative);
  }();
  using Part = snapshot::ChurnStatistic::Amount snapshot::ChurnStatistic::*;
  const std::tuple<Part, Slot, Slot> parts[] = {
      {&snapshot::ChurnStatistic::allocated, {cls, "allocated_size"}, {cls, "allocated_count"}},
      {&snapshot::ChurnStatistic::freed, {cls, "freed_size"}, {cls, "freed_count"}},
      {&snapshot::ChurnStatistic::temporary, {cls, "temporary_size"}, {cls, "temporary_count"}},
  };
  // Of samples it is not known.
  const bool knows_temporary = self.sample_interval() == 0 && !self.counters().has_samples();
  const Slot seconds_slot(cls, "seconds");
  const py::float_ duration(seconds);
  const GroupMaker maker(cls, group_by, is_tag_first(names), groups.dictionary, origin);
  const CollectionPause pause;
  py::list result(groups.items.size());
  for (std::size_t i = 0; i < groups.items.size(); ++i) {
    py::object object = maker.make(groups.items[i]);
    for (const auto& [part, size_slot, count_slot] : parts) {
      const bool known = knows_temporary || part != &snapshot::ChurnStatistic::temporary;
      const auto set = [&](const Slot& slot, std::uint64_t number) {
        slot.set(object, known ? py::object(py::int_(number)) : py::object(py::none()));
      };
      set(size_slot, (groups.items[i].*part).size);
      set(count_slot, (groups.items[i].*part).count);
    }
    seconds_slot.set(object, duration);
    result[i] = std::move(object);
  }
  return result;
}

snapshot::Snapshot filter_traces(const snapshot::Snapshot& self, const py::list& forms) {
  const std::vector<snapshot::AnyFilter> filters = to_filters(forms);
  const Detached detached;
  return snapshot::filter_traces(self, filters);
}

std::span<const std::byte> as_bytes(const py::bytes& bytes) {
  return std::as_bytes(std::span(std::string_view(bytes)));
}

py::bytes from_native_bytes(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// (attributes, peak, timeline)
using PyExtras = std::tuple<py::bytes, py::bytes, py::bytes>;

snapshot::Extras to_native_extras(const PyExtras& extras) {
  const auto copied = [](const py::bytes& bytes) {
    const std::span<const std::byte> view = as_bytes(bytes);
    return std::vector<std::byte>(view.begin(), view.end());
  };
  return {copied(std::get<0>(extras)), copied(std::get<1>(extras)), copied(std::get<2>(extras))};
}

py::bytes to_bytes(const snapshot::Snapshot& self, const PyExtras& extras) {
  const snapshot::Extras native_extras = to_native_extras(extras);
  return from_native_bytes([&] {
    const Detached detached;
    return snapshot::to_bytes(self, native_extras);
  }());
}

std::pair<snapshot::Snapshot, PyExtras> from_bytes(const py::bytes& bytes) {
  const std::span<const std::byte> data = as_bytes(bytes);
  snapshot::Extras extras;
  try {
    snapshot::Snapshot snapshot = [&] {
      const Detached detached;
      return snapshot::from_bytes(data, &extras);
    }();
    return {std::move(snapshot), PyExtras(from_native_bytes(extras.attributes), from_native_bytes(extras.peak),
                                          from_native_bytes(extras.timeline))};
  } catch (const snapshot::FormatError& error) {
    throw py::value_error("at offset " + std::to_string(error.offset()) + ": " + error.what());
  }
}

// OSError as open() raises it: with the path as the caller gave it.
[[noreturn]] void raise_os_error(const std::system_error& error, const py::object& path) {
  errno = error.code().value();
  PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path.ptr());
  throw py::error_already_set();
}

void dump(const snapshot::Snapshot& self, const py::object& path, const PyExtras& extras) {
  const snapshot::Extras native_extras = to_native_extras(extras);
  PyObject* encoded = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), &encoded) == 0) throw py::error_already_set();
  const std::string native_path(py::reinterpret_steal<py::bytes>(encoded));
  try {
    const Detached detached;
    snapshot::dump(self, native_path, native_extras);
  } catch (const std::system_error& error) {
    raise_os_error(error, path);
  }
}

snapshot::Snapshot from_traces(const py::object& traces, const py::object& traceback_limit) {
  return read_literal_traces(traces, to_integer<std::int64_t>(traceback_limit, "traceback_limit"));
}

void set_modules(const snapshot::Snapshot& self, const py::dict& modules) {
  for (const auto [filename, module] : modules) {
    snapshot::Dictionary& dictionary = *self.dictionary();
    dictionary.set_module(dictionary.intern_string(to_wtf8(filename)), to_wtf8(module));
  }
}

// As in statistics: "domain", "generation", …
snapshot::Tag to_tag(std::string_view name) {
  const auto group_by = snapshot::parse_group_by(name);
  const auto tag = group_by ? snapshot::tag_of(*group_by) : std::nullopt;
  if (!tag) throw py::value_error("no such tag: " + std::string(name));
  return *tag;
}

py::dict names(const snapshot::Snapshot& self, std::string_view tag_name) {
  py::dict result;
  const snapshot::Dictionary& dictionary = *self.dictionary();
  for (const auto& [number, id] : dictionary.tag_names(to_tag(tag_name)))
    result[py::int_(number)] = to_str(dictionary.string(id));
  return result;
}

void set_names(const snapshot::Snapshot& self, std::string_view tag_name, const py::dict& names, bool replace) {
  const snapshot::Tag tag = to_tag(tag_name);
  snapshot::Dictionary& dictionary = *self.dictionary();
  for (const auto [key, name] : names) {
    const auto number = to_integer<std::uint32_t>(key, "number");
    if (replace || dictionary.tag_name(tag, number).empty()) dictionary.set_tag_name(tag, number, to_wtf8(name));
  }
}

}  // namespace

py::tuple traceback_source(std::shared_ptr<const snapshot::Dictionary> dictionary, snapshot::TracebackId traceback) {
  const snapshot::StackId stack = dictionary->traceback(traceback).stack;
  return py::make_tuple(std::make_shared<DictionaryView>(std::move(dictionary)), Reference::stack(stack).pack());
}

void bind_snapshot(py::module_& module) {
  py::class_<DictionaryView, std::shared_ptr<DictionaryView>>(module, "Dictionary")
      .def("frames", [](DictionaryView& self, std::uint64_t packed) { return self.frames(Reference::unpack(packed)); })
      .def("details",
           [](DictionaryView& self, std::uint64_t packed) { return self.details(Reference::unpack(packed)); });

  py::class_<BlockReader>(module, "Blocks")
      .def(py::init<const snapshot::Snapshot&>(), py::arg("snapshot"))
      .def("__len__", &BlockReader::count)
      .def("tuples", &BlockReader::tuples, py::arg("start"), py::arg("step"), py::arg("length"))
      .def("objects", &BlockReader::objects, py::arg("start"), py::arg("step"), py::arg("length"), py::arg("cls"));

  py::class_<snapshot::Snapshot>(module, "Snapshot")
      .def_static("from_traces", &from_traces, py::arg("traces"), py::arg("traceback_limit"))
      .def_property_readonly("traceback_limit", &snapshot::Snapshot::traceback_limit)
      .def_property_readonly("mark", &snapshot::Snapshot::mark)
      .def_property_readonly("sample_interval", &snapshot::Snapshot::sample_interval)
      .def_property_readonly("dropped", &snapshot::Snapshot::dropped)
      .def_property_readonly("has_blocks", &snapshot::Snapshot::has_blocks)
      .def_property_readonly("has_types", &snapshot::Snapshot::has_types)
      .def_property_readonly("total_count", &snapshot::Snapshot::total_count)
      .def_property_readonly("total_size", &snapshot::Snapshot::total_size)
      .def("same_blocks", &snapshot::Snapshot::same_blocks, py::arg("other"), py::call_guard<Detached>())
      .def("filter_traces", &filter_traces, py::arg("filters"))
      .def("statistics", &statistics, py::arg("group_by"), py::arg("cumulative"), py::arg("cls"), py::arg("origin"))
      .def("compare", &compare, py::arg("old"), py::arg("group_by"), py::arg("cumulative"), py::arg("cls"),
           py::arg("origin"))
      .def("churn", &churn, py::arg("since"), py::arg("group_by"), py::arg("cumulative"), py::arg("cls"),
           py::arg("origin"))
      .def("select_group", &select_group, py::arg("group_by"), py::arg("cumulative"), py::arg("reference"),
           py::arg("number"))
      .def("set_modules", &set_modules, py::arg("modules"))
      .def("names", &names, py::arg("tag"))
      .def("set_names", &set_names, py::arg("tag"), py::arg("names"), py::arg("replace"))
      .def("select_generations", &snapshot::select_generations, py::arg("first"), py::arg("end"))
      .def("to_bytes", &to_bytes, py::arg("extras"))
      .def_static("from_bytes", &from_bytes, py::arg("data"))
      .def("dump", &dump, py::arg("path"), py::arg("extras"));
}

}  // namespace memtrace::binding
