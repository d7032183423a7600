#include "tests/sched/fiber.h"

#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#elif defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace memtrace::sched {

namespace {

constexpr std::size_t kStackSize = 256 * 1024;

// Of the switch that is under way.
Fiber* left = nullptr;
Fiber* entered = nullptr;

}  // namespace

Fiber::Fiber() noexcept {
#if defined(__SANITIZE_THREAD__)
  handle_ = __tsan_get_current_fiber();
#endif
}

Fiber::Fiber(std::function<void()> body)
    : body_(std::move(body)), stack_(std::make_unique_for_overwrite<char[]>(kStackSize)) {
  bottom_ = stack_.get();
  size_ = kStackSize;
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_.get();
  context_.uc_stack.ss_size = kStackSize;
  makecontext(&context_, enter, 0);
#if defined(__SANITIZE_THREAD__)
  handle_ = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
#if defined(__SANITIZE_THREAD__)
  if (stack_ != nullptr) __tsan_destroy_fiber(handle_);
#endif
}

void Fiber::leave_for(Fiber& next, [[maybe_unused]] bool for_good) noexcept {
  left = this;
  entered = &next;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack_, next.bottom_, next.size_);
#elif defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(next.handle_, 0);
#endif
  swapcontext(&context_, &next.context_);
  arrive();
}

void Fiber::enter() noexcept {
  entered->arrive();
  entered->body_();
}

void Fiber::arrive() noexcept {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_stack_, &left->bottom_, &left->size_);
#endif
}

}  // namespace memtrace::sched
