#include "python/binding/block_reader.h"

#include <unordered_map>

#include "python/binding/detached.h"
#include "python/binding/slots.h"

namespace py = pybind11;

namespace memtrace::binding {

namespace {

std::size_t count_blocks(const snapshot::Snapshot& snapshot) {
  if (!snapshot.has_blocks()) throw py::value_error("the snapshot was taken with blocks=False: it has no traces");
  const Detached detached;
  return snapshot.block_count();
}

}  // namespace

BlockReader::BlockReader(const snapshot::Snapshot& snapshot)
    : snapshot_(snapshot),
      count_(count_blocks(snapshot_)),
      view_(std::make_shared<DictionaryView>(snapshot_.dictionary())) {}

template <typename Use>
void BlockReader::for_each(std::size_t start, std::ptrdiff_t step, std::size_t length, Use use) {
  const std::span<const snapshot::ResolvedRecord> keys = snapshot_.keys();
  const snapshot::Dictionary& dictionary = view_->dictionary();
  std::unordered_map<snapshot::StackId, py::tuple> frames_of;
  const CollectionPause pause;
  for (std::size_t i = 0; i < length; ++i) {
    const auto position =
        static_cast<std::size_t>(static_cast<std::ptrdiff_t>(start) + step * static_cast<std::ptrdiff_t>(i));
    if (position >= count_) throw py::index_error("block index out of range");
    const snapshot::Block block = snapshot_.block(position);
    const snapshot::ResolvedRecord& key = keys[block.row];
    const snapshot::Traceback traceback = dictionary.traceback(key.traceback);

    auto frames = frames_of.find(traceback.stack);
    if (frames == frames_of.end()) {
      frames = frames_of.emplace(traceback.stack, view_->frames_of_trace(traceback.stack)).first;
    }
    const bool known = traceback.total_nframe != snapshot::kUnknownTotal;
    use(i, traceback.stack,
        py::make_tuple(key.domain, block.size, frames->second,
                       known ? py::object(py::int_(traceback.total_nframe)) : py::none()));
  }
}

py::list BlockReader::tuples(std::size_t start, std::ptrdiff_t step, std::size_t length) {
  py::list result(length);
  for_each(start, step, length,
           [&](std::size_t i, snapshot::StackId, py::tuple trace) { result[i] = std::move(trace); });
  return result;
}

py::list BlockReader::objects(std::size_t start, std::ptrdiff_t step, std::size_t length, const py::type& cls) {
  const Slot trace_slot(cls, "_trace"), source_slot(cls, "_source");
  const py::object view = py::cast(view_);
  py::list result(length);
  for_each(start, step, length, [&](std::size_t i, snapshot::StackId stack, py::tuple trace) {
    py::object object = make_unset(cls);
    trace_slot.set(object, std::move(trace));
    source_slot.set(object, py::make_tuple(view, Reference::stack(stack).pack()));
    result[i] = std::move(object);
  });
  return result;
}

}  // namespace memtrace::binding
