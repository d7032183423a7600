// Types and objects: the functions of memtrace._core for snapshots with types, and for the objects behind their rows.
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "hooks/block_types.h"
#include "hooks/live_objects.h"
#include "hooks/session.h"
#include "hooks/type_table.h"
#include "python/binding/binding.h"
#include "python/binding/slots.h"
#include "python/binding/taking.h"
#include "src/mem/memory_reader.h"

namespace py = pybind11;

namespace memtrace::binding {

namespace {

constexpr std::string_view kNotAnObject = "<not an object>";

// The names of the types that `blocks` have, by number.
std::vector<snapshot::StringId> names_of(const std::vector<TypedBlock>& blocks, const TypeTable& types,
                                         snapshot::Dictionary& dictionary) {
  std::vector<snapshot::StringId> names(types.count() + 1);
  for (const TypedBlock& block : blocks) {
    snapshot::StringId& name = names[block.type];
    if (name != 0) continue;
    const std::string_view text = block.type == TypedBlock::kNoType ? kNotAnObject : types[block.type].name;
    name = dictionary.intern_string(text);
    dictionary.set_tag_name(snapshot::Tag::type, name, text);
  }
  return names;
}

snapshot::Snapshot take_typed_snapshot(bool with_blocks, bool mark) {
  const os::MemoryReader memory;
  if (!memory.works()) {
    PyErr_SetString(PyExc_PermissionError,
                    "take_snapshot(types=True): the system does not let the process read its own memory");
    throw py::error_already_set();
  }
  // Filled before the lock is taken and emptied after it is given back: classes that end run code.
  TypeTable types;
  {
    const CollectionPause pause;
    if (!types.fill()) throw py::error_already_set();
  }
  const session::Lock lock;
  Era* era = session::tracer().era();
  if (era == nullptr) throw std::runtime_error("take_snapshot() while not tracing");
  Control& tracer = session::tracer();
  std::vector<TypeTable::Claim> untraced = claims_of_untraced(*era, types, memory);
  std::uint64_t began = 0;
  const std::vector<TypedBlock> blocks = taken_at_once([&] {
    if (mark) began = tracer.mark();
    return blocks_with_types(*era, types, memory, std::move(untraced));
  });
  const std::vector<snapshot::StringId> names = names_of(blocks, types, *taker().dictionary_of(*era));
  return taker().take_typed(*era, tracer, blocks, names, with_blocks, began);
}

// New references, given back unless they are passed on.
struct Found {
  std::vector<PyObject*> objects;

  ~Found() {
    for (PyObject* object : objects) Py_DECREF(object);
  }
};

// Fills `found` with live objects of the rows.
void find_objects(const snapshot::Snapshot& rows, std::size_t limit, Found& found) {
  rows.keys();  // resolves
  const session::Lock lock;
  Era* era = session::tracer().era();
  if (era == nullptr || taker().dictionary_of(*era) != rows.dictionary())
    throw py::value_error("the snapshot is not of the running trace");
  WantedRecords wanted;
  for (const auto& [record, types] : taker().records_of(*era, session::tracer(), rows)) {
    std::vector<std::string_view>& names = wanted[record];
    for (const snapshot::StringId type : types)
      if (type != 0) names.push_back(rows.dictionary()->string(type));
  }
  find_live_objects(*era, wanted, limit, found.objects);
}

py::list live_objects(const snapshot::Snapshot& rows, std::size_t limit) {
  Found found;
  find_objects(rows, limit, found);
  py::list result(found.objects.size());
  for (std::size_t i = 0; i < found.objects.size(); ++i)
    result[i] = py::reinterpret_borrow<py::object>(found.objects[i]);
  return result;
}

}  // namespace

void bind_types(py::module_& module) {
  module.def("take_typed_snapshot", &take_typed_snapshot, py::arg("blocks"), py::arg("mark"));
  module.def("live_objects", &live_objects, py::arg("rows"), py::arg("limit"));
}

}  // namespace memtrace::binding
