#include "python/binding/c_api.h"

#include <pybind11/pybind11.h>

#include <array>
#include <atomic>

#include "hooks/reports.h"
#include "hooks/session.h"
#include "python/memtrace/include/memtrace.h"

namespace py = pybind11;

namespace memtrace::binding {

namespace {

int outcome(bool traced) noexcept { return traced ? MEMTRACE_TRACED : MEMTRACE_NOT_TRACING; }

int api_track(unsigned int domain, std::uintptr_t address, std::size_t size) {
  return outcome(memtrace::track(domain, address, size));
}
int api_untrack(unsigned int domain, std::uintptr_t address) { return outcome(memtrace::untrack(domain, address)); }
int api_retrack(unsigned int domain, std::uintptr_t old_address, std::uintptr_t address, std::size_t size) {
  if (old_address != address) memtrace::untrack(domain, old_address);
  return outcome(memtrace::track(domain, address, size));
}

constexpr memtrace_api kApi = {MEMTRACE_API_VERSION, api_track, api_untrack, api_retrack};

// One for each interpreter that has imported memtrace; what is beyond stays unconnected.
constexpr std::size_t kMaxMeetings = 256;
std::array<std::atomic<memtrace_meeting*>, kMaxMeetings> meetings;

void tell(memtrace_client* client, bool tracing) noexcept {
  std::atomic_ref(const_cast<const memtrace_api*&>(client->active))
      .store(tracing ? &kApi : nullptr, std::memory_order_release);
}

memtrace_client* first_of(const memtrace_meeting& meeting) noexcept {
  return std::atomic_ref(const_cast<memtrace_client*&>(meeting.first)).load(std::memory_order_seq_cst);
}

void tell_all(bool tracing) noexcept {
  for (auto& entry : meetings) {
    const memtrace_meeting* meeting = entry.load(std::memory_order_seq_cst);
    if (meeting == nullptr) return;
    for (memtrace_client* client = first_of(*meeting); client != nullptr; client = client->next) tell(client, tracing);
  }
}

// A client that has just entered itself into its meeting.
void on_connect(memtrace_client* client) {
  // Again when tracing has begun or ended meanwhile: tell_all() may have come first.
  for (bool tracing = !session::is_tracing(); tracing != session::is_tracing();) {
    tracing = session::is_tracing();
    tell(client, tracing);
  }
}

}  // namespace

void publish_c_api() {
  memtrace_meeting* const meeting = memtrace_meeting_();
  if (meeting == nullptr) throw py::error_already_set();
  std::atomic_ref(const_cast<void (*&)(memtrace_client*)>(meeting->on_connect))
      .store(on_connect, std::memory_order_seq_cst);
  for (auto& entry : meetings) {
    memtrace_meeting* present = nullptr;
    if (entry.compare_exchange_strong(present, meeting) || present == meeting) break;
  }
  session::set_listener(tell_all);
  tell_all(session::is_tracing());
}

}  // namespace memtrace::binding
