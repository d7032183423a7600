#include "hooks/type_table.h"

#include <string_view>

#include "src/base/wtf8.h"

namespace memtrace {

namespace {

void append_wtf8(PyObject* text, std::string& out) {
  const int kind = PyUnicode_KIND(text);
  const void* data = PyUnicode_DATA(text);
  for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(text); ++i) {
    char bytes[kLongestWtf8];
    out.append(bytes, encode_wtf8(PyUnicode_READ(kind, data, i), bytes));
  }
}

// Its __module__, if that is a text. Looks at all keys: to look one up could compare it with keys of the program's, in
// Python.
void append_module(PyTypeObject* type, std::string& out) {
  PyObject *key, *value;
  Py_ssize_t position = 0;
#ifdef Py_GIL_DISABLED
  Py_BEGIN_CRITICAL_SECTION(type->tp_dict);
#endif
  while (PyDict_Next(type->tp_dict, &position, &key, &value)) {
    if (!PyUnicode_CheckExact(key) || PyUnicode_CompareWithASCIIString(key, "__module__") != 0) continue;
    if (PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, "builtins") != 0) {
      append_wtf8(value, out);
      out.push_back('.');
    }
    break;
  }
#ifdef Py_GIL_DISABLED
  Py_END_CRITICAL_SECTION();
#endif
}

}  // namespace

std::string type_name(PyTypeObject* type) {
  if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) {
    const std::string_view name = type->tp_name;
    return std::string(name.starts_with("builtins.") ? name.substr(9) : name);
  }
  std::string name;
  append_module(type, name);
  append_wtf8(reinterpret_cast<PyHeapTypeObject*>(type)->ht_qualname, name);
  if (name.empty()) name = "<unnamed>";
  return name;
}

TypeTable::~TypeTable() {
  for (const Entry& entry : entries_) Py_DECREF(entry.type);
}

bool TypeTable::fill() {
  PyObject* const subclasses_of = PyObject_GetAttrString(reinterpret_cast<PyObject*>(&PyType_Type), "__subclasses__");
  if (subclasses_of == nullptr) return false;
  struct Reference {
    PyObject* object;
    ~Reference() { Py_XDECREF(object); }
  };
  const Reference method{subclasses_of};
  add(&PyBaseObject_Type);
  for (std::uint32_t number = 1; number <= count(); ++number) {
    const Reference subclasses{PyObject_CallOneArg(subclasses_of, reinterpret_cast<PyObject*>((*this)[number].type))};
    if (subclasses.object == nullptr) return false;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(subclasses.object); ++i) {
      auto* const type = reinterpret_cast<PyTypeObject*>(PyList_GET_ITEM(subclasses.object, i));
      if (find(reinterpret_cast<std::uintptr_t>(type)) == 0) add(type);
    }
  }
  for (std::uint32_t number = 1; number <= count(); ++number) claim_bodies(number);
  return true;
}

void TypeTable::add(PyTypeObject* type) {
  if (2 * (entries_.size() + 1) > numbers_.size()) grow();
  entries_.push_back({type, type_name(type), compat::shape_of(type)});
  Py_INCREF(type);
  numbers_[place_of(reinterpret_cast<std::uintptr_t>(type))] = count();
}

void TypeTable::claim_bodies(std::uint32_t number) {
  PyTypeObject* const type = (*this)[number].type;
  if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) return;
  const auto* heap = reinterpret_cast<const PyHeapTypeObject*>(type);
  const auto claim = [&](const void* body, const PyTypeObject* owner) {
    const std::uint32_t owner_number = find(reinterpret_cast<std::uintptr_t>(owner));
    if (body != nullptr && owner_number != 0) claims_.push_back({reinterpret_cast<std::uintptr_t>(body), owner_number});
  };
  claim(heap->ht_cached_keys, &PyDict_Type);
  claim(heap->_ht_tpname, Py_TYPE(type));
  claim(type->tp_doc, Py_TYPE(type));
}

void TypeTable::grow() {
  numbers_.assign(numbers_.empty() ? 4096 : 2 * numbers_.size(), 0);
  for (std::uint32_t number = 1; number <= count(); ++number)
    numbers_[place_of(reinterpret_cast<std::uintptr_t>((*this)[number].type))] = number;
}

// Where it is, or would be.
std::size_t TypeTable::place_of(std::uintptr_t address) const noexcept {
  const std::size_t mask = numbers_.size() - 1;
  std::size_t place = (address * 0x9E37'79B9'7F4A'7C15u >> 32) & mask;
  while (numbers_[place] != 0 && reinterpret_cast<std::uintptr_t>((*this)[numbers_[place]].type) != address)
    place = (place + 1) & mask;
  return place;
}

std::uint32_t TypeTable::find(std::uintptr_t address) const noexcept {
  return numbers_.empty() ? 0 : numbers_[place_of(address)];
}

}  // namespace memtrace
