#include "hooks/references/walk.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>

#include "hooks/compat/referents.h"

namespace memtrace::references {

Walk::Walk(std::span<PyObject* const> targets, PyObject* own, unsigned own_frames) {
  // One reference each is the own list's.
  for (PyObject* const target : targets) reached_.meet_by_reference(target);
  targets_ = reached_.last();
  reached_.set_parent(reached_.meet(own), kNotOfGraph);

  walk_program();
  walk_own_thread(own_frames);
#ifndef Py_GIL_DISABLED
  walk_unreached();
  walk_held_by_c();
#endif
}

std::uint32_t Walk::add_root(const Root& root) {
  roots_.push_back(root);
  return kRoot | static_cast<std::uint32_t>(roots_.size() - 1);
}

Root Walk::root(std::uint32_t from, PyObject* target) const noexcept {
  const PyObject* first = target;
  for (; !is_root(from); from = reached_.parent(from)) first = object(from);
  Root root = roots_[from & ~kRoot];
  // A target's address lies on the stacks of all who passed it on.
  if (root.kind != Root::Kind::kC || first == target) return root;
  compat::for_each_thread([&](const PyThreadState* thread) {
    compat::for_each_frame(thread, [&](const compat::Frame* frame) {
      if (root.frame == nullptr && compat::may_have_on_stack(frame, first)) {
        root = {Root::Kind::kStack, nullptr, thread, frame};
      }
    });
  });
  return root;
}

void Walk::note_holder(std::uint32_t number, std::uint32_t from) {
  // A list may hold it a thousand times, one after the other.
  const bool is_new = holders_.empty() || holders_.back().target != number || holders_.back().from != from;
  if (is_new) holders_.push_back({number, from, turn_});
}

void Walk::begin_at(PyObject* object, std::uint32_t root, bool is_counted) {
  const std::uint32_t number = is_counted ? reached_.meet_by_reference(object) : reached_.meet(object);
  if (number <= targets_) note_holder(number, root);
  if (!is_unreached(number)) return;
  reached_.set_parent(number, root);
  if (number > targets_ || targets_ > 1) queue_.push_back(number);
}

template <typename See>
void Walk::drain(See&& see, unsigned levels) {
  std::size_t next = 0;
  for (; levels > 0 && next < queue_.size(); --levels) {
    for (const std::size_t end = queue_.size(); next < end; ++next) {
      const std::uint32_t from = queue_[next];
      compat::for_each_referent(object(from), [&](PyObject* referent) {
        see(referent, from);
        return true;
      });
    }
  }
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(next));
}

void Walk::reach(unsigned levels) {
  const auto see = [this](PyObject* referent, std::uint32_t from) {
    const std::uint32_t number = reached_.meet_by_reference(referent);
    if (number <= targets_) note_holder(number, from);
    if (reached_.parent(number) != kUnmet) return;
    reached_.set_parent(number, from);
    if (number > targets_ || targets_ > 1) queue_.push_back(number);
  };
  drain(see, levels);
}

void Walk::walk_program() {
  turn_ = Turn::kProgram;
  // sys.modules is itself an attribute of a module: its references are counted there.
  for_each_module([this](const Root& root, PyObject* module) { begin_at(module, add_root(root), false); });
  // Over the modules' dictionaries: an attribute is one link of a chain, as a variable of a frame is.
  reach(2);
  const PyThreadState* const self = PyThreadState_Get();
  compat::for_each_thread([&](const PyThreadState* thread) {
    for_each_of_thread(thread, [&](const Root& root, PyObject* held) { begin_at(held, add_root(root), true); });
    if (thread == self) return;
    compat::for_each_frame(thread, [&](const compat::Frame* frame) {
      const std::uint32_t root = add_root({Root::Kind::kFrame, nullptr, thread, frame});
      for_each_of_frame(frame, [&](PyObject* held, bool is_counted) { begin_at(held, root, is_counted); });
    });
  });
  reach();
}

void Walk::walk_own_thread(unsigned own_frames) {
  const PyThreadState* const self = PyThreadState_Get();
  unsigned number = 0;
  const compat::Frame* asking = nullptr;
  turn_ = Turn::kOwnThread;
  const auto begin_at_values = [&](const compat::Frame* frame) {
    const std::uint32_t root = add_root({Root::Kind::kFrame, nullptr, self, frame});
    for_each_of_frame(frame, [&](PyObject* held, bool is_counted) { begin_at(held, root, is_counted); });
  };
  compat::for_each_frame(self, [&](const compat::Frame* frame) {
    if (number < own_frames) {
      for_each_of_frame(frame, [this](PyObject* held, bool is_counted) {
        if (is_counted) reached_.meet_by_reference(held);
      });
    } else if (number == own_frames) {
      asking = frame;
    } else {
      begin_at_values(frame);
    }
    ++number;
  });
  reach();
  if (asking == nullptr) return;
  turn_ = Turn::kCaller;
  begin_at_values(asking);
  reach();
  // At the level of a module its variables are the module's attributes.
  const std::uint32_t names = compat::names(asking) == nullptr ? 0 : reached_.find(compat::names(asking));
  if (names == 0) return;
  for (Holder& holder : holders_)
    if (holder.from == names) holder.turn = Turn::kCallersNames;
}

#ifndef Py_GIL_DISABLED

void Walk::walk_unreached() {
  const auto visit = [this](PyObject* referent, std::uint32_t from) {
    const std::uint32_t number = reached_.meet_by_reference(referent);
    if (number <= targets_) unreached_holders_.push_back({number, from});
    if (reached_.parent(number) != kUnmet) return;
    reached_.set_parent(number, kUnreached);
    queue_.push_back(number);
  };
  const auto begin = [this](std::uint32_t number) {
    if (reached_.parent(number) == kUnmet) reached_.set_parent(number, kUnreached);
    queue_.push_back(number);
  };
  // A single target was not gone through, whether it was reached or not.
  for (std::uint32_t number = 1; number <= reached_.last(); ++number)
    if (reached_.parent(number) == kUnmet || (number == 1 && targets_ == 1)) begin(number);
  compat::for_each_tracked([&](PyObject* tracked) {
    const std::uint32_t number = reached_.meet(tracked);
    if (reached_.parent(number) == kUnmet) begin(number);
    return true;
  });
  drain(visit);
}

void Walk::walk_held_by_c() {
  turn_ = Turn::kC;
  for (std::uint32_t number = 1; number <= reached_.last(); ++number) {
    const bool is_target = number <= targets_;
    if (!is_target && reached_.parent(number) != kUnreached) continue;
    if (unexplained(number) <= 0) continue;
    const std::uint32_t root = add_root({Root::Kind::kC});
    if (is_target) note_holder(number, root);
    if (reached_.parent(number) != kUnreached) continue;
    reached_.set_parent(number, root);
    if (!is_target || targets_ > 1) queue_.push_back(number);
  }
  drain([this](PyObject* referent, std::uint32_t from) {
    const std::uint32_t number = reached_.find(referent);
    if (number == 0) return;
    if (number <= targets_) note_holder(number, from);
    if (reached_.parent(number) != kUnreached) return;
    reached_.set_parent(number, from);
    if (number > targets_ || targets_ > 1) queue_.push_back(number);
  });
}

std::int64_t Walk::unexplained(std::uint32_t number) const noexcept {
#if PY_VERSION_HEX >= 0x030c0000
  if (_Py_IsImmortal(object(number))) return 0;
#endif
  return static_cast<std::int64_t>(Py_REFCNT(object(number))) - reached_.references(number);
}

#endif

std::vector<PyObject*> Walk::path(std::uint32_t from, PyObject* target) const {
  std::vector<PyObject*> objects{target};
  for (; !is_root(from); from = reached_.parent(from)) objects.push_back(object(from));
  std::reverse(objects.begin(), objects.end());
  return objects;
}

bool Walk::passes(std::uint32_t from, std::uint32_t number) const noexcept {
  for (; !is_root(from); from = reached_.parent(from))
    if (from == number) return true;
  return false;
}

std::vector<PyObject*> Walk::cycle(PyObject* start) const {
  std::unordered_map<PyObject*, PyObject*> parents{{start, nullptr}};
  std::vector<PyObject*> queue{start};
  PyObject* last = nullptr;
  for (std::size_t next = 0; next < queue.size() && last == nullptr; ++next) {
    PyObject* const from = queue[next];
    compat::for_each_referent(from, [&](PyObject* referent) {
      if (referent == start) last = from;
      const std::uint32_t number = reached_.find(referent);
      if ((number == 0 || is_unreached(number)) && parents.emplace(referent, from).second) queue.push_back(referent);
      return last == nullptr;
    });
  }
  std::vector<PyObject*> objects;
  for (PyObject* object = last; object != nullptr; object = parents[object]) objects.push_back(object);
  std::reverse(objects.begin(), objects.end());
  return objects;
}

PyObject* Walk::unreached_holder(std::uint32_t target) const noexcept {
  for (const UnreachedHolder& holder : unreached_holders_)
    if (holder.target == target && reached_.parent(holder.from) == kUnreached) return object(holder.from);
  return nullptr;
}

}  // namespace memtrace::references
