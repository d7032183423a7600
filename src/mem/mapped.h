// Objects that live in a mapping of their own.
//
// For what is large and sparse: only the pages an object really touches take memory. Null when memory cannot be had.
#pragma once

#include <new>
#include <utility>

#include "src/mem/os.h"

namespace memtrace {

template <typename T>
std::size_t mapped_bytes() noexcept {
  const std::size_t page = os::page_size();
  return (sizeof(T) + page - 1) / page * page;
}

// T's constructor must leave zeroed members alone where it can: writing them would commit their pages.
template <typename T, typename... Args>
T* make_mapped(Args&&... args) noexcept {
  void* memory = os::map(mapped_bytes<T>());
  return memory == nullptr ? nullptr : ::new (memory) T(std::forward<Args>(args)...);
}

template <typename T>
void destroy_mapped(T* object) noexcept {
  if (object == nullptr) return;
  object->~T();
  os::unmap(object, mapped_bytes<T>());
}

}  // namespace memtrace
