// The same through pybind11: an arena whose buffers memtrace can see.
#include <pybind11/pybind11.h>

#include <memtrace.h>

#include <cstdint>
#include <memory>

namespace py = pybind11;

namespace {

constexpr unsigned kDomain = 760002;

class Buffer {
 public:
  explicit Buffer(std::size_t size) : bytes_(new char[size]) { memtrace_track(kDomain, address(), size); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { memtrace_untrack(kDomain, address()); }

  std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(bytes_.get()); }

 private:
  std::unique_ptr<char[]> bytes_;
};

}  // namespace

PYBIND11_MODULE(arena, module, py::mod_gil_not_used()) {
  if (memtrace_import() < 0) throw py::error_already_set();
  py::class_<Buffer>(module, "Buffer").def(py::init<std::size_t>());
}
