#include "hooks/reference_tracer.h"

#include "hooks/compat/object.h"
#include "hooks/events.h"

namespace memtrace::reference_tracer {

#if PY_VERSION_HEX >= 0x030d0000

namespace {

struct Tracer {
  PyRefTracer function = nullptr;
  void* data = nullptr;
};

constinit Tracer chained;
// What it was before install(): a tracer that was set after ours, and that did not call it, may put it back.
constinit Tracer chained_before;

[[gnu::noinline]] void reassign(Thread& thread, PyObject* object) noexcept {
  PyThreadState* attached = compat::attached_by_contract(thread.own_states);
  if (!is_exclusive(attached)) return;
  Era* era = control.era();
  if (era == nullptr) return;
  thread.exclusive = true;
  const RecordId record = capture(thread, *era, attached);
  if (record == kNone) return era->drop();
  era->reassign(thread, compat::block_of(object), record);
}

int on_reference(PyObject* object, PyRefTracerEvent event, void*) {
  if (event == PyRefTracer_CREATE) [[likely]] {
    Thread* thread = Thread::current();
    if (thread != nullptr && !thread->busy) {
      const auto offset =
          reinterpret_cast<std::uintptr_t>(object) - reinterpret_cast<std::uintptr_t>(thread->last_object_block);
      if (offset <= compat::kMaxPreHeader) {
        thread->last_object_block = nullptr;
      } else {
        thread->busy = true;
        reassign(*thread, object);
        thread->busy = false;
      }
    } else if (thread != nullptr) {
      ++thread->nested_references;
    }
  }
  return chained.function == nullptr ? 0 : chained.function(object, event, chained.data);
}

// Whether the tracer that is set calls ours: it may have been set after ours and have kept it.
bool is_called() noexcept {
  Thread* thread = Thread::attach();
  if (thread == nullptr) return true;
  const bool busy = thread->busy;
  const std::uint64_t before = thread->nested_references;
  thread->busy = true;
  PyObject* probe = PyList_New(0);
  if (probe == nullptr) PyErr_Clear();
  Py_XDECREF(probe);
  thread->busy = busy;
  return thread->nested_references != before;
}

}  // namespace

void install() noexcept {
  void* data = nullptr;
  const PyRefTracer present = PyRefTracer_GetTracer(&data);
  if (present == on_reference || (present != nullptr && is_called())) return;
  chained_before = chained;
  chained = {present, data};
  PyRefTracer_SetTracer(on_reference, nullptr);
}

void uninstall() noexcept {
  void* data = nullptr;
  // Somebody who has set a tracer since may call ours: it goes on passing on.
  if (PyRefTracer_GetTracer(&data) != on_reference) return;
  PyRefTracer_SetTracer(chained.function, chained.data);
  chained = chained_before;
}

#else

void install() noexcept {}
void uninstall() noexcept {}

#endif

}  // namespace memtrace::reference_tracer
