#include "hooks/live_objects.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "hooks/certain_objects.h"
#include "hooks/compat/object_layout.h"
#include "hooks/type_table.h"
#include "src/mem/memory_reader.h"

namespace memtrace {

namespace {

constexpr std::string_view kOwnModule = "memtrace.";

// A container that is being filled has empty places.
bool is_filled(PyObject* object) noexcept {
  const bool is_tuple = PyTuple_Check(object);
  if (!is_tuple && !PyList_Check(object)) return true;
  for (Py_ssize_t i = 0; i < Py_SIZE(object); ++i)
    if ((is_tuple ? PyTuple_GET_ITEM(object, i) : PyList_GET_ITEM(object, i)) == nullptr) return false;
  return true;
}

class Search {
 public:
  Search(const Era& era, const WantedRecords& wanted, std::size_t limit, std::vector<PyObject*>& found)
      : era_(era), wanted_(wanted), limit_(limit), found_(found) {}

  // False when there are enough.
  bool look_at(PyObject* object) {
    if (found_.size() < limit_ && Py_REFCNT(object) > 0 && is_wanted(object) && is_filled(object) &&
        given_.insert(object).second) {
      found_.push_back(object);
      Py_INCREF(object);
    }
    return found_.size() < limit_;
  }

 private:
  struct TypeKnown {
    std::string name;
    compat::Shape shape;
  };

  bool is_wanted(PyObject* object) {
    if (is_wanted(object, era_.find(compat::block_of(object)).record)) return true;
    const TypeKnown& type = known(Py_TYPE(object));
    if (!compat::has_bodies(type.shape)) return false;
    const compat::Head head = compat::head_of(object, type.shape);
    bool wanted = false;
    compat::for_each_body(
        head, type.shape, [&](std::uintptr_t address) { wanted = wanted || is_wanted(object, record_around(address)); },
        [&](std::uintptr_t address) {
          std::uintptr_t link = 0;
          return memory_.read(address, &link, sizeof link) == sizeof link ? link : 0;
        });
    return wanted;
  }

  bool is_wanted(PyObject* object, RecordId record) {
    const auto found = record == kNone ? wanted_.end() : wanted_.find(record);
    if (found == wanted_.end()) return false;
    const std::string& name = known(Py_TYPE(object)).name;
    if (name.starts_with(kOwnModule)) return false;
    return found->second.empty() || std::find(found->second.begin(), found->second.end(), name) != found->second.end();
  }

  // Of the block that begins at most two granules before.
  RecordId record_around(std::uintptr_t address) const noexcept {
    if (address == 0 || !BlockTable::reaches(reinterpret_cast<const void*>(address))) return kNone;
    for (std::uintptr_t begin = address & ~std::uintptr_t{15}, steps = 0; steps < 3; ++steps, begin -= 16) {
      const Block block = era_.find(reinterpret_cast<const void*>(begin));
      if (block.record != kNone) return address - begin < block.size ? block.record : kNone;
    }
    return kNone;
  }

  const TypeKnown& known(PyTypeObject* type) {
    const auto found = types_.find(type);
    if (found != types_.end()) return found->second;
    return types_.emplace(type, TypeKnown{type_name(type), compat::shape_of(type)}).first->second;
  }

  const Era& era_;
  const WantedRecords& wanted_;
  const std::size_t limit_;
  std::vector<PyObject*>& found_;
  const os::MemoryReader memory_;
  std::unordered_set<PyObject*> given_;
  std::unordered_map<PyTypeObject*, TypeKnown> types_;
};

}  // namespace

void find_live_objects(const Era& era, const WantedRecords& wanted, std::size_t limit, std::vector<PyObject*>& found) {
  Search search(era, wanted, limit, found);
  for_each_certain_object([&](PyObject* object) { return search.look_at(object); });
}

}  // namespace memtrace
