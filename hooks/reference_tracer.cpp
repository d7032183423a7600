#include "hooks/reference_tracer.h"

#include "hooks/compat/object.h"
#include "hooks/events.h"
#include "src/base/hot.h"

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

// An object in a block from a free list, whatever that takes.
MT_COLD void reused_somehow(Thread& thread, const void* block) noexcept {
  thread.busy = true;
  PyThreadState* attached = compat::attached_by_contract(thread.own_states);
  if (!is_exclusive(attached)) {
    reassign_apart(thread, attached, block);
  } else if (Era* const era = control.era(); era != nullptr && era->sampling() == 0) {
    era->reassign(Access::kExclusive, thread, block, [&] { return capture(thread, *era, attached); });
  }
  thread.busy = false;
}

// Where the stack has changed since the thread's last event, or the record was not asked for lately.
[[gnu::noinline]] void reused_elsewhere(Thread& thread, const void* block, Era& era, PyThreadState* attached,
                                        std::uint64_t place) noexcept {
  thread.busy = true;
  const auto record = [&]() MT_HOT_LAMBDA {
    return thread.stack.capture_from(place, era, attached, thread.exclusive.context);
  };
  const bool done = era.try_reassign(thread, block, record);
  thread.busy = false;
  if (!done) reused_somehow(thread, block);
}

// Most often where one was made before, with the same frames below. Then nothing is called, and nothing kept for later.
[[gnu::noinline]] void reused(Thread& thread, PyObject* object) noexcept {
  const void* block = compat::block_of(object);
  PyThreadState* attached = compat::attached_in_slot();
  // What is current is of an era.
  if (!is_exclusive(attached) || !is_current(thread, attached)) [[unlikely]]
    return reused_somehow(thread, block);
  Era* const era = control.era();
  // Before the block, which is looked for again where this has no answer.
  const std::uint64_t place = thread.stack.place_at_once(attached);
  const RecordId record = thread.stack.remembered(place, thread.exclusive.context);
  if (record == kNone) return reused_elsewhere(thread, block, *era, attached, place);
  if (!era->try_reassign(thread, block, [&]() MT_HOT_LAMBDA { return record; })) reused_somehow(thread, block);
}

// The new object is in the thread's last block, unless that was seen already.
MT_HOT void on_create(PyObject* object) noexcept {
  Thread* const thread = Thread::current();
  if (thread == nullptr) [[unlikely]]
    return;
  if (thread->busy) [[unlikely]] {
    ++thread->nested_references;
    return;
  }
  const auto offset =
      reinterpret_cast<std::uintptr_t>(object) - reinterpret_cast<std::uintptr_t>(thread->last_object_block);
  if (offset <= compat::kMaxPreHeader)
    thread->last_object_block = nullptr;
  else
    reused(*thread, object);
}

// Two functions, so that the one that is nearly always set has nothing to keep for later.
int trace(PyObject* object, PyRefTracerEvent event, void*) {
  if (event == PyRefTracer_CREATE) on_create(object);
  return 0;
}

int trace_and_pass_on(PyObject* object, PyRefTracerEvent event, void*) {
  trace(object, event, nullptr);
  // Whoever kept it may go on calling this when nothing is chained any more.
  return chained.function == nullptr ? 0 : chained.function(object, event, chained.data);
}

bool is_ours(PyRefTracer function) noexcept { return function == trace || function == trace_and_pass_on; }

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
  if (is_ours(present) || (present != nullptr && is_called())) return;
  chained_before = chained;
  chained = {present, data};
  PyRefTracer_SetTracer(present == nullptr ? trace : trace_and_pass_on, nullptr);
}

void uninstall() noexcept {
  void* data = nullptr;
  // Somebody who has set a tracer since may call ours: it goes on passing on.
  if (!is_ours(PyRefTracer_GetTracer(&data))) return;
  PyRefTracer_SetTracer(chained.function, chained.data);
  chained = chained_before;
}

#else

void install() noexcept {}
void uninstall() noexcept {}

#endif

}  // namespace memtrace::reference_tracer
