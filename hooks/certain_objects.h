// Which objects are certain to be objects, and complete: what the collector tracks, what such an object refers to, and the
// local variables of running functions.
//
// What is neither is perhaps half made: a bytes object that is being read into without the GIL must not be referred to by
// anybody else, or resizing it fails. So nobody gets one; nor is memory that looks like an object taken for one where it
// would be written to.
#pragma once

#include <unordered_set>
#include <utility>
#include <vector>

#include "hooks/compat/frame_values.h"
#include "hooks/compat/referents.h"

namespace memtrace {

// Calls f(object) for the local variables of all running functions of the interpreter. pre: its threads stand still.
template <typename F>
void for_each_local(F&& f) {
  compat::for_each_thread([&](const PyThreadState* thread) {
    compat::for_each_frame(thread, [&](const compat::Frame* frame) {
      for (int i = 0; i < compat::variable_count(frame); ++i)
        if (PyObject* const local = compat::variable(frame, i).object) f(local);
    });
  });
}

// Calls visit(object), for some objects more than once, until it says false; in one instant, with the world stopped. visit
// makes no Python object. Throws what visit throws, and std::bad_alloc. pre: an attached thread.
template <typename Visit>
void for_each_certain_object(Visit&& visit) {
  std::unordered_set<PyObject*> seen;  // of `waiting`
  std::vector<PyObject*> waiting;
  bool goes_on = true;
  const auto visit_referents = [&](PyObject* object) {
    compat::for_each_referent(object, [&](PyObject* referent) {
      if (PyObject_IS_GC(referent) && PyObject_GC_IsTracked(referent)) return true;  // which comes by itself
      goes_on = visit(referent);
      // These are complete although they are not tracked. Others may wait to be tracked until they are.
      if ((PyTuple_CheckExact(referent) || PyDict_CheckExact(referent) || PyCode_Check(referent)) &&
          seen.insert(referent).second)
        waiting.push_back(referent);
      return goes_on;
    });
  };
  const auto visit_all = [&](PyObject* object) {
    goes_on = goes_on && visit(object);
    if (goes_on) visit_referents(object);
    while (goes_on && !waiting.empty()) {
      PyObject* const next = waiting.back();
      waiting.pop_back();
      visit_referents(next);
    }
    return goes_on;
  };
  bool first = true;
  compat::for_each_tracked([&](PyObject* object) {
    if (std::exchange(first, false)) for_each_local([&](PyObject* local) { visit_all(local); });
    return visit_all(object);
  });
}

}  // namespace memtrace
