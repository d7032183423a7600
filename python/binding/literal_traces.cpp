#include "python/binding/literal_traces.h"

#include <string>
#include <unordered_map>
#include <vector>

#include "python/binding/convert.h"
#include "snapshot/snapshot_builder.h"

namespace py = pybind11;

namespace memtrace::binding {

namespace {

// Maps objects that were read before, by identity, to their ids: tracebacks and names are shared by most traces. Holds
// a reference to each, so that no address is used twice.
class Memo {
 public:
  template <typename Make>
  std::uint32_t operator()(py::handle object, Make make) {
    const auto found = ids_.find(object.ptr());
    if (found != ids_.end()) return found->second;
    const std::uint32_t id = make();
    kept_.push_back(py::reinterpret_borrow<py::object>(object));
    ids_.emplace(object.ptr(), id);
    return id;
  }

 private:
  std::unordered_map<const PyObject*, std::uint32_t> ids_;
  std::vector<py::object> kept_;
};

// A tuple or list whose items stay while it is read.
py::tuple to_tuple(py::handle object, const char* what) {
  PyObject* tuple = PySequence_Tuple(object.ptr());
  if (tuple == nullptr) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw py::error_already_set();
    PyErr_Clear();
    throw py::type_error(std::string(what) + " must be a tuple, not " + Py_TYPE(object.ptr())->tp_name);
  }
  return py::reinterpret_steal<py::tuple>(tuple);
}

class Reader {
 public:
  void add(py::handle trace) {
    const py::tuple fields = to_tuple(trace, "a trace");
    if (fields.size() != 3 && fields.size() != 4) {
      throw py::value_error("expected (domain, size, frames, total_nframe), got " + std::to_string(fields.size()) +
                            " values");
    }
    const auto domain = to_integer<std::uint32_t>(fields[0], "domain");
    const auto size = to_integer<std::uint64_t>(fields[1], "size");
    const py::object frames = fields[2];
    const snapshot::StackId stack = stacks_(frames, [&] { return read_stack(frames); });
    std::int32_t total_nframe = snapshot::kUnknownTotal;
    if (fields.size() == 4 && !fields[3].is_none()) {
      total_nframe = to_integer<std::int32_t>(fields[3], "total_nframe");
      if (total_nframe < 0) throw py::value_error("total_nframe is negative");
    }
    const snapshot::TracebackId traceback =
        snapshot::Dictionary::Writer(builder_.dictionary()).traceback(stack, total_nframe);
    builder_.add(domain, size, traceback);
  }

  snapshot::Snapshot finish(std::int64_t traceback_limit) { return builder_.build(traceback_limit); }

 private:
  snapshot::StackId read_stack(py::handle object) {
    const py::tuple frames = to_tuple(object, "frames");
    if (frames.size() == 0) throw py::value_error("a trace has at least one frame");
    snapshot::StackId stack = snapshot::kEmptyStack;
    for (std::size_t i = frames.size(); i-- > 0;) stack = push(stack, frames[i]);
    return stack;
  }

  snapshot::StackId push(snapshot::StackId parent, py::handle object) {
    const py::tuple fields = to_tuple(object, "a frame");
    if (fields.size() != 2) {
      throw py::value_error("expected (filename, lineno), got " + std::to_string(fields.size()) + " values");
    }
    const py::object filename = fields[0];
    snapshot::Frame frame;
    frame.filename = names_(filename, [&] { return builder_.dictionary().intern_string(to_wtf8(filename)); });
    frame.lineno = to_integer<std::int32_t>(fields[1], "lineno");
    return builder_.dictionary().intern_stack(parent, builder_.dictionary().intern_frame(frame));
  }

  snapshot::SnapshotBuilder builder_;
  Memo stacks_, names_;
};

// Raises what was raised, with the position of the trace before the message.
template <typename Error>
[[noreturn]] void raise_at(std::size_t position, const std::string& message) {
  throw Error("trace " + std::to_string(position) + ": " + message);
}

}  // namespace

snapshot::Snapshot read_literal_traces(py::handle traces, std::int64_t traceback_limit) {
  Reader reader;
  const py::tuple items = to_tuple(traces, "traces");
  for (std::size_t position = 0; position < items.size(); ++position) {
    try {
      reader.add(items[position]);
    } catch (py::error_already_set& error) {
      if (error.matches(PyExc_TypeError)) raise_at<py::type_error>(position, py::str(error.value()));
      if (error.matches(PyExc_ValueError)) raise_at<py::value_error>(position, py::str(error.value()));
      throw;
    } catch (const py::type_error& error) {
      raise_at<py::type_error>(position, error.what());
    } catch (const py::value_error& error) {
      raise_at<py::value_error>(position, error.what());
    } catch (const std::logic_error& error) {  // beyond the library's limits
      raise_at<py::value_error>(position, error.what());
    }
  }
  return reader.finish(traceback_limit);
}

}  // namespace memtrace::binding
