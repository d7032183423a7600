// The tracer's functions of memtrace._core.
#include <pybind11/stl.h>

#include <memory>
#include <new>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "hooks/allocator_hooks.h"
#include "hooks/limits.h"
#include "hooks/session.h"
#include "hooks/timeline.h"
#include "hooks/tracemalloc_api.h"
#include "python/binding/binding.h"
#include "python/binding/dictionary_view.h"
#include "python/binding/taking.h"
#include "src/mem/fault.h"

namespace py = pybind11;

namespace memtrace::binding {

namespace {

std::uint64_t any_seed() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

using Given = std::optional<std::uint64_t>;

// pre: Lock, and tracing.
void check_same_options(const Given& interval, const Given& seed, const Given& max_memory,
                        std::optional<bool> label_tasks, const Given& timeline) {
  const session::Options& present = session::options();
  const auto check = [](const char* name, const Given& given, std::uint64_t now) {
    if (given && *given != now)
      throw py::value_error(std::string(name) + " is another than tracing was started with: stop() first");
  };
  check("sample_interval", interval, present.samples.interval);
  check("seed", seed, present.samples.seed);
  check("max_memory", max_memory, present.max_memory);
  check("label_tasks", label_tasks, present.label_tasks);
  check("timeline", timeline, present.timeline);
}

void start(std::uint32_t nframe, const Given& interval, const Given& seed, const Given& max_memory,
           std::optional<bool> label_tasks, const Given& timeline) {
  {
    const session::Lock lock;
    if (session::is_tracing()) return check_same_options(interval, seed, max_memory, label_tasks, timeline);
  }
  if (const char* field = session::misplaced_field())
    throw std::runtime_error(std::string("memtrace was built for a CPython " PY_VERSION " whose ") + field +
                             " lies elsewhere than in this one: install memtrace again, built with this interpreter");
  session::Options options;
  options.samples.interval = interval.value_or(0);
  options.samples.limited = max_memory.has_value();
  if (seed && !options.samples.can_sample())
    throw py::value_error("seed needs sample_interval or max_memory: without samples nothing is drawn");
  if (options.samples.can_sample()) options.samples.seed = seed ? *seed : any_seed();
  options.max_memory = max_memory.value_or(0);
  options.label_tasks = label_tasks.value_or(false);
  options.timeline = timeline.value_or(0);
  // Before anything is traced: it may import asyncio.
  if (options.label_tasks) py::module_::import("memtrace._tasks").attr("_label_tasks")();
  if (!session::start(nframe, options)) throw std::bad_alloc();
}

void stop() {
  bool label_tasks = false;
  {
    const session::Lock lock;
    label_tasks = session::is_tracing() && session::options().label_tasks;
    if (!session::stop()) throw std::bad_alloc();
    taker().forget();
  }
  if (label_tasks) py::module_::import("memtrace._tasks").attr("_leave_tasks")();
}

void clear_traces() {
  const session::Lock lock;
  if (!session::clear()) throw std::bad_alloc();
  taker().forget();
}

// Where a block comes from; without a dictionary when it is not traced.
struct Origin {
  std::shared_ptr<const snapshot::Dictionary> dictionary;
  snapshot::TracebackId traceback = 0;
};

// find(era) gives the block.
template <typename Find>
Origin origin_of(Find&& find) {
  const session::Lock lock;
  Era* era = session::tracer().era();
  const memtrace::Block block = era == nullptr ? memtrace::Block{} : find(*era);
  if (block.record == kNone) return {};
  const snapshot::TracebackId traceback = taker().traceback_of(*era, block.record);
  return {taker().dictionary_of(*era), traceback};
}

py::object object_traceback(const py::object& object) {
  const Origin origin = origin_of([&](const Era&) { return session::find_block(object.ptr()); });
  return origin.dictionary == nullptr ? py::object(py::none()) : traceback_source(origin.dictionary, origin.traceback);
}

// What a C extension gets that asks for a traceback through CPython's API for tracemalloc.
PyObject* traceback_of_block(Domain domain, std::uint64_t address) {
  try {
    const Origin origin = origin_of([&](const Era& era) { return era.find(domain, address); });
    if (origin.dictionary == nullptr) Py_RETURN_NONE;
    const snapshot::StackId stack = origin.dictionary->traceback(origin.traceback).stack;
    return DictionaryView(origin.dictionary).frames_of_trace(stack).release().ptr();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  }
  return nullptr;
}

snapshot::Snapshot take_snapshot(bool blocks, bool mark) {
  const session::Lock lock;
  Era* era = session::tracer().era();
  if (era == nullptr) throw std::runtime_error("take_snapshot() while not tracing");
  return taken_at_once([&] {
    Control& tracer = session::tracer();
    return taker().take(*era, tracer, blocks, mark ? tracer.mark() : 0);
  });
}

// A builtin of its own: pybind11's way to a function takes as long as all the rest of a mark.
PyObject* mark(PyObject*, PyObject*) { return PyLong_FromUnsignedLong(session::tracer().mark()); }
PyMethodDef mark_definition = {"mark", mark, METH_NOARGS, "mark()\n--\n\n"};

py::dict status() {
  const session::Lock lock;
  py::dict result;
  Era* era = session::tracer().era();
  result["tracing"] = era != nullptr;
  result["nframe"] = session::traceback_limit();
  result["own_bytes"] = session::own_bytes();
  result["max_memory"] = session::options().max_memory;
  if (era == nullptr) return result;
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
  std::uint64_t live_records = 0;
  era->for_each_live(session::tracer().threads(), [&](RecordId, const Amount& amount) {
    blocks += amount.count;
    bytes += amount.bytes;
    ++live_records;
  });
  const std::uint64_t traced_bytes = era->traced(session::tracer().threads()).current;
  const NodeTree& tree = era->tables().tree;
  result["blocks"] = blocks;
  result["bytes"] = bytes;  // of the records: what traced_bytes must be
  result["traced_bytes"] = traced_bytes;
  result["live_records"] = live_records;
  result["records"] = tree.record_end(false) - 1 + (tree.record_end(true) - kThreadRecords - 1);
  result["nodes"] = tree.node_end() - 1;
  result["codes"] = era->tables().codes.end() - 1;
  result["dropped"] = session::tracer().dropped(*era);
  result["sample_interval"] = era->plan().interval;
  result["is_full"] = !limits::allows_more();
  result["allocated"] = era->allocated().count;
  result["block_table_bytes"] = era->block_table_bytes();
  result["stack_bytes"] = era->tables().resident_bytes() + era->counter_bytes();
  return result;
}

// (nanoseconds, bytes, peak, resident) of each point.
py::list timeline_points() {
  const std::vector<Timeline::Point> points = [] {
    const session::Lock lock;
    return timeline::points();
  }();
  py::list result(points.size());
  for (std::size_t i = 0; i < points.size(); ++i)
    result[i] = py::make_tuple(points[i].nanoseconds, points[i].bytes, points[i].peak, points[i].resident);
  return result;
}

// Where there is no GIL; see session_lock.h.
[[maybe_unused]] void watch_forks_in_python() {
  const py::cpp_function after(&session::Lock::after_fork_in_python);
  py::module_::import("os").attr("register_at_fork")(
      py::arg("before") = py::cpp_function(&session::Lock::before_fork_in_python), py::arg("after_in_parent") = after,
      py::arg("after_in_child") = after);
}

// For tests: the tracer's own allocation that follows `after` more fails, and all later ones too when `sticky`.
void fail_allocations(std::int64_t after, bool sticky) { fault::arm(after, sticky); }

// Ends that; how many have failed.
std::uint64_t allow_allocations() {
  fault::disarm();
  return fault::failures.load(std::memory_order_relaxed);
}

}  // namespace

void bind_tracer(py::module_& module) {
  session::prepare();
  tracemalloc_api::set_traceback_getter(traceback_of_block);
#ifdef Py_GIL_DISABLED
  watch_forks_in_python();
#endif
  module.def("start", &start, py::arg("nframe"), py::arg("sample_interval") = std::nullopt,
             py::arg("seed") = std::nullopt, py::arg("max_memory") = std::nullopt,
             py::arg("label_tasks") = std::nullopt, py::arg("timeline") = std::nullopt);
  module.def("stop", &stop);
  module.def("is_tracing", &session::is_tracing);
  module.def("clear_traces", &clear_traces);
  module.def("get_traceback_limit", &session::traceback_limit);
  module.def("get_memtrace_memory", &session::own_bytes);
  module.def("get_object_traceback", &object_traceback, py::arg("obj"));
  module.def("take_snapshot", &take_snapshot, py::arg("blocks") = true, py::arg("mark") = false);
  module.attr("mark") = py::reinterpret_steal<py::object>(PyCFunction_New(&mark_definition, nullptr));
  module.def("status", &status);
  module.def("timeline", &timeline_points);
  // Seconds that tracing adds to one allocation and free, as measured now.
  module.def("event_time", [] { return allocator_hooks::measure(); });
  module.def("_fail_allocations", &fail_allocations, py::arg("after"), py::arg("sticky"));
  module.def("_allow_allocations", &allow_allocations);
}

}  // namespace memtrace::binding
