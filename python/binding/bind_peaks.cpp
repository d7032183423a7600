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
// when it was left. All members take the session's Lock: threads may share one.
class PeakRegion {
 public:
  PeakRegion() = default;
  PeakRegion(const PeakRegion&) = delete;
  PeakRegion& operator=(const PeakRegion&) = delete;
  ~PeakRegion() {
    const session::Lock lock;
    if (region_ != nullptr) peaks().close(region_, session::tracer().era());
  }

  // False when not tracing.
  bool enter() {
    const session::Lock lock;
    if (region_ != nullptr) throw std::runtime_error("this peak region is open already");
    Era* era = session::tracer().era();
    if (era == nullptr) return false;
    region_ = peaks().open(*era, session::tracer().threads());
    if (region_ == nullptr) throw std::bad_alloc();
    ++spans_;
    left_ = {};
    at_peak_.reset();
    return true;
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

  // Shows the span that `other`, which was left, has shown last.
  void show(const PeakRegion& other) {
    const session::Lock lock;
    if (region_ != nullptr) peaks().close(std::exchange(region_, nullptr), session::tracer().era());
    ++spans_;
    left_ = other.left_;
    at_peak_ = other.at_peak_;
  }

  bool is_open() const {
    const session::Lock lock;
    return region_ != nullptr;
  }
  // Another number for each span that was shown.
  std::uint64_t spans() const {
    const session::Lock lock;
    return spans_;
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
  std::uint64_t spans_ = 0;
  Era::Traced left_{};
  std::optional<snapshot::Snapshot> at_peak_;
};

// The same as a base class in Python. Not by pybind11: a region is entered and left in less time than two of its calls
// take.
struct Object {
  PyObject_HEAD PeakRegion region;
};

PyTypeObject* object_type = nullptr;

PeakRegion& region_of(PyObject* self) noexcept { return reinterpret_cast<Object*>(self)->region; }

// What `body()` returns, or null and the exception that it has thrown.
template <typename Body>
PyObject* call(Body&& body) noexcept {
  try {
    return body();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

PyObject* make(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self != nullptr) new (&region_of(self)) PeakRegion();
  return self;
}

void destroy(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  region_of(self).~PeakRegion();
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* enter(PyObject* self, PyObject*) {
  return call([&]() -> PyObject* {
    if (!region_of(self).enter()) {
      py::module_::import("memtrace._tracer").attr("_check_tracing")("to look for a peak");
      throw std::runtime_error("a peak region while not tracing");  // somebody has started meanwhile
    }
    return Py_NewRef(self);
  });
}

PyObject* leave(PyObject* self, PyObject* const*, Py_ssize_t) {
  region_of(self).leave();
  Py_RETURN_NONE;
}

PyObject* show(PyObject* self, PyObject* other) {
  if (!PyObject_TypeCheck(other, object_type)) return PyErr_Format(PyExc_TypeError, "another region is expected");
  return call([&] {
    region_of(self).show(region_of(other));
    return Py_NewRef(Py_None);
  });
}

PyObject* at_peak(PyObject* self, PyObject*) {
  return call([&] { return py::cast(region_of(self).at_peak()).release().ptr(); });
}

template <auto member>
PyObject* get(PyObject* self, void*) {
  return call([&] { return py::cast((region_of(self).*member)()).release().ptr(); });
}

PyMethodDef methods[] = {
    {"__enter__", &enter, METH_NOARGS, nullptr},
    {"__exit__", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&leave)), METH_FASTCALL, nullptr},
    {"_show", &show, METH_O, nullptr},
    {"_at_peak", &at_peak, METH_NOARGS, nullptr},
    {},
};

PyGetSetDef properties[] = {
    {"_is_open", &get<&PeakRegion::is_open>, nullptr, nullptr, nullptr},
    {"_spans", &get<&PeakRegion::spans>, nullptr, nullptr, nullptr},
    {"current", &get<&PeakRegion::current>, nullptr,
     "Bytes traced now, or at the end of the region; 0 when not tracing.", nullptr},
    {"peak", &get<&PeakRegion::peak>, nullptr,
     "Largest number of bytes traced at one time inside of the region.\n\n"
     "Counts all traced blocks, those from before the region as well, as get_traced_memory() does. 0 when tracing has\n"
     "stopped inside. Where threads allocate without the main interpreter's GIL, each can hide up to 64 KiB; without\n"
     "such threads it is exact.",
     nullptr},
    {},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(&make)},
    {Py_tp_dealloc, reinterpret_cast<void*>(&destroy)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {},
};

PyType_Spec specification = {
    .name = "memtrace._core.PeakRegion",
    .basicsize = sizeof(Object),
    .itemsize = 0,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};

}  // namespace

void bind_peaks(py::module_& module) {
  module.def("get_traced_memory", &traced_memory);
  module.def("reset_peak", &reset_peak);
  module.def("take_peak_snapshot", &take_peak_snapshot);
  const auto type = py::reinterpret_steal<py::object>(PyType_FromSpec(&specification));
  if (!type) throw py::error_already_set();
  module.attr("PeakRegion") = type;
  object_type = reinterpret_cast<PyTypeObject*>(type.inc_ref().ptr());
}

}  // namespace memtrace::binding
