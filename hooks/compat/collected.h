// The objects that the garbage collector knows.
#pragma once

#include <cstdint>
#include <type_traits>

#include "hooks/compat/python.h"

namespace memtrace::compat {

#ifndef Py_GIL_DISABLED

#if PY_VERSION_HEX < 0x030c0000

namespace detail {

// The head of a list is the same as what lies before an object.
struct Head {
  std::uintptr_t next;
  std::uintptr_t previous;  // and flags
};

struct Generations {
  struct Generation {
    Head head;
    int threshold;
    int count;
  } generations[3];
  const Generation* generation0;
};

// Their place in the state of the interpreter, whose layout no header tells to C++: the only pointer to the array
// behind which it lies. Null when it is not there.
inline const Generations* generations_of(PyInterpreterState* interpreter) noexcept {
  constexpr std::size_t kSearched = 4096;  // it is near the beginning of a much larger structure
  const auto* const bytes = reinterpret_cast<const char*>(interpreter);
  for (std::size_t offset = 0; offset < kSearched; offset += sizeof(void*)) {
    const auto* const here = reinterpret_cast<const Generations*>(bytes + offset);
    if (here->generation0 == here->generations) return here;
  }
  return nullptr;
}

}  // namespace detail

#endif

// f(object) for each of them in the calling interpreter, until it returns false. f makes no object of Python and throws
// nothing. Not those that gc.freeze() has set aside, but where the interpreter counts them in (3.14).
template <typename F>
void for_each_collected(F&& f) noexcept {
#if PY_VERSION_HEX >= 0x030c0000
  using Function = std::remove_reference_t<F>;
  const auto call = [](PyObject* object, void* function) {
    return (*static_cast<Function*>(function))(object) ? 1 : 0;
  };
  PyUnstable_GC_VisitObjects(call, const_cast<void*>(static_cast<const void*>(&f)));
#else
  const detail::Generations* const all = detail::generations_of(PyInterpreterState_Get());
  if (all == nullptr) return;
  for (const auto& generation : all->generations) {
    const auto* head = reinterpret_cast<const detail::Head*>(generation.head.next);
    for (; head != &generation.head; head = reinterpret_cast<const detail::Head*>(head->next))
      if (!f(reinterpret_cast<PyObject*>(const_cast<detail::Head*>(head) + 1))) return;
  }
#endif
}

#endif

}  // namespace memtrace::compat
