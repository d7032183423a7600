// A walk over all objects: from the roots, breadth first, so that each object has a parent on a shortest chain from a root;
// then over those that no root reaches, for their references are still to be counted.
//
// The roots are taken in turn, and all that one turn reaches keeps its parents: first what the program holds (modules,
// threads, the frames of other threads), then the frames of the calling thread, then the one that asks. What no root
// reaches and has more references than the walk has seen is held by C code, or lies on the stack of a frame: that is
// the next turn's root. What is left is held by nothing but itself.
//
// Chains never pass through the object that they lead to: where there is one target the walk from the roots stops there.
// With several of them, which may hold one another, it goes on; holders whose own chains go through the target are told
// apart afterwards.
//
// Keeps no reference, makes no object, runs nothing of the program's. Costs up to 80 bytes an object while it lives.
// Without a GIL reference counts tell nothing, and what no root reaches stays unknown.
// Limits: as ReachedObjects. Thread-safety: nobody changes objects meanwhile: under the GIL, or with the world stopped.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hooks/references/roots.h"
#include "src/table/reached_objects.h"

namespace memtrace::references {

class Walk {
 public:
  // kCallersNames: what the one that asks holds directly as attributes of its module.
  enum class Turn : std::uint8_t { kProgram, kOwnThread, kC, kCallersNames, kCaller };

  // Who refers to a target: an object or a root.
  struct Holder {
    std::uint32_t target;
    std::uint32_t from;  // a parent
    Turn turn;
  };

  // `own` holds the targets for the caller; the innermost `own_frames` frames of the calling thread are its, too.
  // Throws std::bad_alloc.
  Walk(std::span<PyObject* const> targets, PyObject* own, unsigned own_frames);

  // All of them, in the order of the lengths of their chains within a turn.
  std::span<const Holder> holders() const noexcept { return holders_; }

  std::uint32_t number_of(const PyObject* object) const noexcept { return reached_.find(object); }

  // From the seed, which the root holds, to the object with that number, and to `target`. `from` may be a root.
  std::vector<PyObject*> path(std::uint32_t from, PyObject* target) const;
  // The root that it begins at.
  Root root(std::uint32_t from, PyObject* target) const noexcept;

  // Whether the chain to `from` goes through that object.
  bool passes(std::uint32_t from, std::uint32_t number) const noexcept;

  // The shortest way from an object to itself through objects that no root reaches, without its last object, which is
  // the first; empty when there is none.
  std::vector<PyObject*> cycle(PyObject* object) const;

  // An object that no root reaches and that refers to the target, or null.
  PyObject* unreached_holder(std::uint32_t target) const noexcept;

 private:
  // Parents are numbers of objects, of roots, or:
  static constexpr std::uint32_t kUnmet = 0;
  static constexpr std::uint32_t kRoot = 1u << 31;  // and the root's index
  static constexpr std::uint32_t kUnreached = kRoot - 1;  // met, but not from a root
  static constexpr std::uint32_t kNotOfGraph = kRoot - 2;  // the caller's own list

  static bool is_root(std::uint32_t parent) noexcept { return (parent & kRoot) != 0; }
  PyObject* object(std::uint32_t number) const noexcept {
    return static_cast<PyObject*>(const_cast<void*>(reached_.address(number)));
  }
  bool is_unreached(std::uint32_t number) const noexcept {
    return reached_.parent(number) == kUnmet || reached_.parent(number) == kUnreached;
  }

  std::uint32_t add_root(const Root& root);
  void begin_at(PyObject* object, std::uint32_t root, bool is_counted);
  void note_holder(std::uint32_t number, std::uint32_t from);
  void walk_program();
  void walk_own_thread(unsigned own_frames);
#ifndef Py_GIL_DISABLED
  void walk_unreached();
  void walk_held_by_c();
  // References to it that the walk has not seen.
  std::int64_t unexplained(std::uint32_t number) const noexcept;
#endif

  static constexpr unsigned kAllLevels = ~0u;
  // see(referent, holder's number) for each reference of what is in the queue, and of what that puts there, so many times.
  template <typename See>
  void drain(See&& see, unsigned levels = kAllLevels);
  // The same, for what this turn reaches.
  void reach(unsigned levels = kAllLevels);

  ReachedObjects reached_;
  std::uint32_t targets_ = 0;  // the first numbers
  std::vector<std::uint32_t> queue_;
  std::vector<Root> roots_;
  std::vector<Holder> holders_;
  struct UnreachedHolder {
    std::uint32_t target;
    std::uint32_t from;
  };
  std::vector<UnreachedHolder> unreached_holders_;
  Turn turn_ = Turn::kProgram;
};

}  // namespace memtrace::references
