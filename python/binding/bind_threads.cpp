// Who allocates: the functions of memtrace._core for threads and labels.
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "hooks/labels.h"
#include "hooks/session.h"
#include "hooks/thread.h"
#include "python/binding/binding.h"
#include "python/binding/taking.h"

namespace py = pybind11;

namespace memtrace::binding {

namespace {

// Of the current era: its number, and (number, native id, name, whether the thread itself says so, whether it is running) of each
// thread.
py::tuple threads() {
  const session::Lock lock;
  Era* era = session::tracer().era();
  if (era == nullptr) return py::make_tuple(0, py::list());
  const ThreadTable& table = era->tables().threads;
  std::vector<bool> running(table.end());
  for (const ThreadState* state = session::tracer().threads().first(); state != nullptr; state = state->next) {
    if (!state->in_use.load(std::memory_order_acquire)) continue;
    // One that has begun since is left to the next call.
    if (const ThreadId id = static_cast<const Thread*>(state)->known_in(*era); id < running.size()) running[id] = true;
  }
  py::list result;
  for (ThreadId id = 1; id < running.size(); ++id) {
    const ThreadTable::Name name = table.name(id);
    const std::string_view text(name.data(), strnlen(name.data(), name.size()));
    result.append(py::make_tuple(id, table.native_id(id), py::bytes(text.data(), text.size()),
                                 table.source(id) == ThreadTable::Source::kThread, bool{running[id]}));
  }
  return py::make_tuple(era->number(), result);
}

// For all snapshots of the era that threads() was asked of, unless it is over.
void name_threads(std::uint64_t number, const py::dict& names, bool replace) {
  const session::Lock lock;
  Era* era = session::tracer().era();
  if (era == nullptr || era->number() != number) return;
  set_tag_names(*taker().dictionary_of(*era), snapshot::Tag::thread, names, replace);
}

}  // namespace

void bind_threads(py::module_& module) {
  module.def("threads", &threads);
  module.def("name_threads", &name_threads, py::arg("era"), py::arg("names"), py::arg("replace"));
  // Not by contextvars.ContextVar: nothing more is imported.
  const py::object variable = py::reinterpret_steal<py::object>(PyContextVar_New("memtrace.label", nullptr));
  if (!variable) throw py::error_already_set();
  labels::set_variable(variable.ptr());
  module.attr("label_variable") = variable;
  module.def("new_label", [] {
    static std::atomic<std::uint32_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  });
  module.def("label_changed", &labels::changed);
}

}  // namespace memtrace::binding
