// The peaks of memtrace._core: of all that is traced, and of regions.
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

#include "hooks/session.h"
#include "python/binding/binding.h"
#include "python/binding/taking.h"

namespace py = pybind11;

namespace memtrace::binding {

namespace {

PeakRegions& peaks() noexcept { return session::tracer().peaks(); }

Era::Traced traced(const PeakRegions::Region& region) noexcept {
  const Era* era = session::tracer().era();
  return era == nullptr ? Era::Traced{} : peaks().traced(region, *era, session::tracer().threads());
}

snapshot::Snapshot breakdown(const PeakRegions::Region& region) {
  Era* era = session::tracer().era();
  if (era == nullptr) throw std::runtime_error("the peak of a region while not tracing");
  return taken_at_once([&] { return taker().take_peak(*era, session::tracer(), region); });
}

py::tuple traced_memory() {
  const session::Lock lock;
  const Era::Traced now = traced(peaks().whole());
  return py::make_tuple(now.current, now.peak);
}

void reset_peak() {
  const session::Lock lock;
  Era* era = session::tracer().era();
  if (era != nullptr && !peaks().reset(*era, session::tracer().threads())) throw std::bad_alloc();
}

snapshot::Snapshot take_peak_snapshot() {
  const session::Lock lock;
  return breakdown(peaks().whole());
}

// One span of time: open from enter() to leave(). Its numbers are those of now while it is open, and stay as they were
// when it was left. All members under the session's Lock: threads may share one.
class PeakRegion {
 public:
  PeakRegion() = default;
  PeakRegion(const PeakRegion&) = delete;
  PeakRegion& operator=(const PeakRegion&) = delete;
  ~PeakRegion() {
    const session::Lock lock;
    if (region_ != nullptr) peaks().close(region_, session::tracer().era());
  }

  void enter() {
    const session::Lock lock;
    if (region_ != nullptr) throw std::runtime_error("this peak region is open already");
    Era* era = session::tracer().era();
    if (era == nullptr) throw std::runtime_error("a peak region while not tracing");
    region_ = peaks().open(*era, session::tracer().threads());
    if (region_ == nullptr) throw std::bad_alloc();
    left_ = {};
    at_peak_.reset();
  }

  // Raises nothing: the program goes on as it would without a tracer.
  void leave() noexcept {
    const session::Lock lock;
    if (region_ == nullptr) return;
    left_ = traced(*region_);
    Era* era = session::tracer().era();
    if (era != nullptr) {
      try {
        at_peak_ = breakdown(*region_);
      } catch (const std::exception&) {
        at_peak_.reset();  // no memory
      }
    }
    peaks().close(std::exchange(region_, nullptr), era);
  }

  bool is_open() const {
    const session::Lock lock;
    return region_ != nullptr;
  }
  std::uint64_t current() const {
    const session::Lock lock;
    return now().current;
  }
  std::uint64_t peak() const {
    const session::Lock lock;
    return now().peak;
  }
  // Nothing when tracing ended inside, or when there was no memory for it.
  std::optional<snapshot::Snapshot> at_peak() const {
    const session::Lock lock;
    if (region_ == nullptr) return at_peak_;
    if (session::tracer().era() == nullptr) return std::nullopt;
    return breakdown(*region_);
  }

 private:
  Era::Traced now() const noexcept { return region_ == nullptr ? left_ : traced(*region_); }

  PeakRegions::Region* region_ = nullptr;  // null: not open
  Era::Traced left_{};
  std::optional<snapshot::Snapshot> at_peak_;
};

}  // namespace

void bind_peaks(py::module_& module) {
  module.def("get_traced_memory", &traced_memory);
  module.def("reset_peak", &reset_peak);
  module.def("take_peak_snapshot", &take_peak_snapshot);
  py::class_<PeakRegion>(module, "PeakRegion")
      .def(py::init<>())
      .def("enter", &PeakRegion::enter)
      .def("leave", &PeakRegion::leave)
      .def_property_readonly("is_open", &PeakRegion::is_open)
      .def_property_readonly("current", &PeakRegion::current)
      .def_property_readonly("peak", &PeakRegion::peak)
      .def("at_peak", &PeakRegion::at_peak);
}

}  // namespace memtrace::binding
