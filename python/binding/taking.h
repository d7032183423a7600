// Snapshots of the running tracer, for who holds the session's Lock.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include "hooks/compat/world.h"
#include "snapshot/take.h"

namespace memtrace::binding {

// The one of the process.
inline snapshot::Taker& taker() {
  // Never destroyed: tracing can go on while the interpreter goes down.
  static auto* const instance = new snapshot::Taker;
  return *instance;
}

// What take() returns, called while no other thread is in the middle of anything.
template <typename Take>
auto taken_at_once(Take&& take) {
  std::optional<decltype(take())> taken;
  std::exception_ptr failure;
  compat::with_world_stopped([&] {
    try {
      taken = take();
    } catch (...) {
      failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
  return *std::move(taken);
}

}  // namespace memtrace::binding
