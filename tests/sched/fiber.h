// Stacks of execution that one thread switches between, known to the sanitizers.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <memory>

namespace memtrace::sched {

class Fiber {
 public:
  // The calling thread's own stack.
  Fiber() noexcept;
  // A new stack, on which `body` runs when it is first entered. `body` must not return: its last act is leave_for(…,
  // true).
  explicit Fiber(std::function<void()> body);
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber();

  // Goes on in `next`; returns when somebody leaves for this one. pre: this one is running. `for_good`: nobody will.
  void leave_for(Fiber& next, bool for_good = false) noexcept;

 private:
  static void enter() noexcept;
  void arrive() noexcept;

  std::function<void()> body_;
  std::unique_ptr<char[]> stack_;
  ucontext_t context_{};
  // The sanitizers' view.
  void* fake_stack_ = nullptr;
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
  void* handle_ = nullptr;
};

}  // namespace memtrace::sched
