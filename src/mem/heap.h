// The tracer's own heap, for what is too small or too short-lived for a mapping. The only user of mimalloc.
//
// The traced program's malloc and operator new are never involved: an allocation here cannot be seen by any hook.
// Thread-safe; null when memory cannot be had, or when a fork() in another thread takes longer than a second. A block
// that is released then stays allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace memtrace::heap {

void* allocate(std::size_t size) noexcept;
void release(void* block) noexcept;
// Bytes in blocks that are allocated now, as the heap rounds them.
std::size_t allocated_bytes() noexcept;

// For os::at_fork(): no other thread is in the middle of any of the above when the process is copied.
void prepare_fork() noexcept;
void after_fork_in_parent() noexcept;
void after_fork_in_child() noexcept;

template <typename T, typename... Args>
T* make(Args&&... args) noexcept {
  void* memory = allocate(sizeof(T));
  return memory == nullptr ? nullptr : ::new (memory) T(std::forward<Args>(args)...);
}

template <typename T>
void destroy(T* object) noexcept {
  if (object == nullptr) return;
  object->~T();
  release(object);
}

// A growable array of trivially copyable elements, zero at first; growing can fail and then changes nothing.
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~Buffer() { release(data_); }

  T* data() noexcept { return data_; }
  T& operator[](std::size_t index) noexcept { return data_[index]; }
  const T& operator[](std::size_t index) const noexcept { return data_[index]; }
  std::size_t capacity() const noexcept { return capacity_; }

  // Room for at least `size` elements, the first `keep` of which stay.
  bool reserve(std::size_t size, std::size_t keep) noexcept {
    if (size <= capacity_) [[likely]]
      return true;
    std::size_t wanted = capacity_ == 0 ? 64 : capacity_ * 2;
    if (wanted < size) wanted = size;
    if (wanted > PTRDIFF_MAX / sizeof(T)) return false;
    T* fresh = static_cast<T*>(allocate(wanted * sizeof(T)));
    if (fresh == nullptr) return false;
    for (std::size_t i = 0; i < wanted; ++i) fresh[i] = i < keep ? data_[i] : T{};
    release(data_);
    data_ = fresh;
    capacity_ = wanted;
    return true;
  }

 private:
  T* data_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace memtrace::heap
