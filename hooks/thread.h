// The hooks' state of the calling thread, one thread-local pointer away.
//
// Only the pointer is thread-local: a larger object does not fit the static TLS block that a module loaded at run time
// gets a share of. The state lives as long as the process; a thread that has ended leaves its state to the next (see
// ThreadState).
#pragma once

#include "hooks/compat/thread.h"
#include "hooks/shadow_stack.h"
#include "src/tracer/control.h"
#include "src/tracer/thread_state.h"

namespace memtrace {

struct Thread : ThreadState {
  ContextId context = kNone;  // of exclusive events; good while `version` is
  // The same for the others.
  ContextId context_apart = kNone;
  std::uint64_t version_apart = 0;
  // What `context` and `context_apart` are for the last other domain. Good as long as they are.
  struct DomainContext {
    Domain domain = 0;
    ContextId context = kNone;
  };
  DomainContext domain_context;
  DomainContext domain_context_apart;
  [[no_unique_address]] compat::OwnStates own_states;
  // The last block of the object domain, until the reference tracer has seen the object in it.
  const void* last_object_block = nullptr;
  // Hook calls made while `busy`, by domain: tells a session whether the hooks are still called at all.
  std::uint64_t nested_calls[3] = {};
  // The same of references.
  std::uint64_t nested_references = 0;
  ShadowStack stack;

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
