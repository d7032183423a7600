// What the memory of an object says of itself: whether it can be an object of a type, and which other blocks are parts of
// it. Read from copies, so nothing here can fault and nothing is believed that was not checked.
//
//   head    the first bytes of a block, zeros behind its end
//   shape   what a type says of its objects
//   body    a block that belongs to an object and is none itself: the items of a list, the table of a dict, …
//
// Sources: the public structures of Include/cpython, and for what has none Include/internal/pycore_dict.h and the
// beginnings of arrayobject and dequeobject (Modules/arraymodule.c, Modules/_collectionsmodule.c), which are those of
// 3.11 to 3.15.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hooks/compat/object.h"
#include "hooks/compat/python.h"

namespace memtrace::compat {

enum class Kind : std::uint8_t { kPlain, kInteger, kText, kItems, kDict, kSet, kByteArray, kDeque };

struct Shape {
  std::uint32_t pre_header;
  Kind kind;
  bool has_managed_dict;
  std::uint64_t basic_size, item_size;
};

// Enough for each field that is looked at.
using Head = std::array<std::byte, 128>;

template <typename T>
T read_at(const Head& head, std::size_t offset) noexcept {
  T value;
  std::memcpy(&value, head.data() + offset, sizeof value);
  return value;
}

// Where the type would be if there were an object behind a pre-header of this size.
inline std::uintptr_t type_word(const Head& head, std::size_t pre_header) noexcept {
  return read_at<std::uintptr_t>(head, pre_header + offsetof(PyObject, ob_type));
}

// Alive, and not the beginning of something else: pointers are larger, and what lies in a free list counts none.
inline bool has_references(const Head& head, std::size_t pre_header) noexcept {
#ifdef Py_GIL_DISABLED
  const auto object = read_at<PyObject>(head, pre_header);
  const Py_ssize_t count =
      static_cast<Py_ssize_t>(object.ob_ref_local) + (object.ob_ref_shared >> _Py_REF_SHARED_SHIFT);
  return count > 0 && count <= UINT32_MAX;
#elif PY_VERSION_HEX >= 0x030e0000
  // Beside flags, in the upper bits.
  const auto object = read_at<PyObject>(head, pre_header);
  return object.ob_refcnt != 0 && object.ob_overflow == 0;
#else
  const auto count = read_at<Py_ssize_t>(head, pre_header);
  return count > 0 && count <= UINT32_MAX;
#endif
}

// The size of the smallest block that can hold the object, its pre-header not counted. UINT64_MAX when nothing can.
inline std::uint64_t least_size(const Head& head, const Shape& shape) noexcept {
  if (shape.kind == Kind::kText) {
    const auto text = read_at<PyASCIIObject>(head, shape.pre_header);
    const auto length = static_cast<std::uint64_t>(text.length);
    if (length >> 48 != 0) return UINT64_MAX;
    if (text.state.compact == 0) {
      const auto data = read_at<std::uintptr_t>(head, shape.pre_header + offsetof(PyUnicodeObject, data));
      return data != 0 ? shape.basic_size : UINT64_MAX;
    }
    return text.state.ascii != 0 ? sizeof(PyASCIIObject) + length + 1
                                 : sizeof(PyCompactUnicodeObject) + (length + 1) * text.state.kind;
  }
  // datetime and time are allocated without their last field where they have no time zone.
  if (shape.item_size == 0) return shape.basic_size - sizeof(PyObject*);
  const auto size = read_at<Py_ssize_t>(head, shape.pre_header + offsetof(PyVarObject, ob_size));
  std::uint64_t items = static_cast<std::uint64_t>(size < 0 ? -size : size);
#if PY_VERSION_HEX >= 0x030c0000
  if (shape.kind == Kind::kInteger) items = static_cast<std::uint64_t>(size) >> 3;  // behind sign and flags
#endif
  if (items >> 40 != 0) return UINT64_MAX;
  return shape.basic_size + items * shape.item_size;
}

// Whether the block with this head and size can be an object of this shape.
inline bool can_be(const Head& head, std::uint64_t size, const Shape& shape) noexcept {
  return has_references(head, shape.pre_header) && size >= shape.pre_header &&
         size - shape.pre_header >= least_size(head, shape);
}

// Whether for_each_body() can have anything to say.
inline bool has_bodies(const Shape& shape) noexcept {
  return (shape.kind != Kind::kPlain && shape.kind != Kind::kInteger) || shape.has_managed_dict;
}

// Calls claim(address) for an address in each body; it need not be the body's first, nor that of any block. Those of a deque
// are a chain: link_of(address) follows it, 0 where it cannot. pre: can_be().
template <typename Claim, typename LinkOf>
void for_each_body(const Head& head, const Shape& shape, Claim&& claim, LinkOf&& link_of) {
  const std::size_t object = shape.pre_header;
  const auto pointer = [&](std::size_t offset) { return read_at<std::uintptr_t>(head, offset); };
  const auto claim_values = [&](std::uintptr_t values) {
#if PY_VERSION_HEX >= 0x030d0000
    claim(values);
#else
    if (values != 0) claim(values - 1);  // behind some bytes of their own
#endif
  };
#if PY_VERSION_HEX < 0x030c0000
  if (shape.has_managed_dict) claim_values(pointer(object - 4 * sizeof(PyObject*)));
#elif PY_VERSION_HEX < 0x030d0000
  if (shape.has_managed_dict) {
    const std::uintptr_t dict_or_values = pointer(object - 3 * sizeof(PyObject*));
    if ((dict_or_values & 1) != 0) claim_values(dict_or_values + 1);
  }
#endif
  switch (shape.kind) {
    case Kind::kPlain:
    case Kind::kInteger:
      return;
    case Kind::kText: {
      const auto state = read_at<PyASCIIObject>(head, object).state;
      if (state.compact == 0) claim(pointer(object + offsetof(PyUnicodeObject, data)));
      if (state.compact == 0 || state.ascii == 0) claim(pointer(object + offsetof(PyCompactUnicodeObject, utf8)));
      return;
    }
    case Kind::kItems:
      return claim(pointer(object + offsetof(PyListObject, ob_item)));
    case Kind::kDict:
      claim(pointer(object + offsetof(PyDictObject, ma_keys)));
      return claim_values(pointer(object + offsetof(PyDictObject, ma_values)));
    case Kind::kSet:
      return claim(pointer(object + offsetof(PySetObject, table)));
    case Kind::kByteArray:
#if PY_VERSION_HEX >= 0x030f0000
      return claim(pointer(object + offsetof(PyByteArrayObject, ob_bytes_object)));  // of its own
#else
      return claim(pointer(object + offsetof(PyByteArrayObject, ob_bytes)));
#endif
    case Kind::kDeque: {
      constexpr std::uint64_t kBlockItems = 64;
      constexpr std::uint64_t kMostBlocks = 1 << 24;  // should it be no deque after all
      const auto items = read_at<std::uint64_t>(head, object + offsetof(PyVarObject, ob_size));
      std::uintptr_t block = pointer(object + sizeof(PyVarObject));
      const std::uintptr_t last = pointer(object + sizeof(PyVarObject) + sizeof(void*));
      for (std::uint64_t left = std::min(items / kBlockItems + 3, kMostBlocks); left > 0 && block != 0; --left) {
        claim(block);
        block = block == last ? 0 : link_of(block + (1 + kBlockItems) * sizeof(PyObject*));
      }
      return;
    }
  }
}

// pre: a type that lives.
Shape shape_of(PyTypeObject* type) noexcept;

// pre: an object that lives, and its type's shape.
inline Head head_of(PyObject* object, const Shape& shape) noexcept {
  std::size_t size = shape.basic_size;
  if (shape.kind == Kind::kText && PyUnicode_IS_COMPACT(object) != 0)
    size = PyUnicode_IS_COMPACT_ASCII(object) ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject);
  Head head{};
  std::memcpy(head.data(), reinterpret_cast<const std::byte*>(object) - shape.pre_header,
              std::min(head.size(), shape.pre_header + size));
  return head;
}

}  // namespace memtrace::compat
