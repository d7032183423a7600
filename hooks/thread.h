// The hooks' state of the calling thread, one thread-local pointer away.
//
// Only the pointer is thread-local: a larger object does not fit the static TLS block that a module loaded at run time
// gets a share of. The state lives as long as the process; a thread that has ended leaves its state to the next (see
// ThreadState).
#pragma once

#include "hooks/compat/label.h"
#include "hooks/compat/thread.h"
#include "hooks/shadow_stack.h"
#include "src/tracer/control.h"
#include "src/tracer/thread_state.h"

namespace memtrace {

struct Thread : ThreadState {
  // Who it is in the era `id_era`.
  Counter<ThreadId> id{};
  Counter<std::uint64_t> id_era{};
  int attempts_to_name = 0;
  // Of a session with a limit of memory: blocks recorded since the thread has last looked at it.
  std::uint32_t unlooked = 0;
  // Of a session with a timeline: bytes to the next look at the clock.
  std::int64_t until_look = 0;
  // What blocks are tagged with.
  struct Tagged {
    std::uint64_t version = 0;  // Control::version for which the rest holds
    std::uint64_t stack_version = 0;
    std::uint32_t label = 0;
    ContextId context = kNone;  // with that label
    // The same for the label before, to which it often goes back.
    std::uint32_t label_before = 0;
    ContextId context_before = kNone;
    // The context with the last other domain.
    Domain domain = 0;
    ContextId domain_context = kNone;
  };
  Tagged exclusive;  // by exclusive events
  Tagged apart;  // by the others
  // The label, as of the context in which it was looked for.
  std::uint32_t label = 0;
  compat::ContextSeen label_seen;
  [[no_unique_address]] compat::OwnStates own_states;
  // The last block of the object domain, until the reference tracer has seen the object in it.
  const void* last_object_block = nullptr;
  // Hook calls made while `busy`, by domain: tells a session whether the hooks are still called at all.
  std::uint64_t nested_calls[3] = {};
  // The same of references.
  std::uint64_t nested_references = 0;
  ShadowStack stack;

  // Who it is in `era`; kNone when there was no room for it.
  ThreadId id_in(Era& era) noexcept;
  // Whether Python's name of it is not known yet. Then find_name() is to be called again.
  bool is_nameless() const noexcept { return attempts_to_name > 0; }
  // pre: the caller holds the main interpreter's GIL, with `attached` of it.
  void find_name(Era& era, const PyThreadState* attached) noexcept;
  // As id_in(), as far as it is known.
  ThreadId known_in(const Era& era) const noexcept { return id_era.get() == era.number() ? id.get() : kNone; }

  static Thread* current() noexcept { return current_; }
  // The calling thread's state, made if need be. Null when memory cannot be had, and when the thread is past its end.
  static Thread* attach() noexcept;
  // As attach(), for one event of a thread that is past its end. Give it back by end_late().
  static Thread* begin_late() noexcept;
  static void end_late(Thread* thread) noexcept;

 private:
  static void on_thread_exit(void* thread) noexcept;
  static Thread* make() noexcept;

  static thread_local constinit Thread* current_ __attribute__((tls_model("initial-exec")));
  static thread_local constinit bool over_ __attribute__((tls_model("initial-exec")));
};

// One for the process; never destroyed, for hooks are called after static destructors.
extern constinit Control control;

}  // namespace memtrace
