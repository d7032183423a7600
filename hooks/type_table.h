// TypeTable: all types of the interpreter, by address, with their names and shapes.
//
//   number   1, 2, … in the order in which the types were found; 0 is no type
//   claim    an address in a block that belongs to a type: see object_layout.h
//
// Found from `object` down by type.__subclasses__(), called as it is and not as a metaclass may have it: no code of the
// program runs. Types are kept alive, so that no other block comes to lie at their addresses; the names are copies.
// Types of other interpreters are not among them.
// Thread-safety: made, filled and destroyed by an attached thread; const members from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hooks/compat/object_layout.h"

namespace memtrace {

// "module.qualified name", as far as the type says so without running code of the program; without a module for
// built-in types. WTF-8, never empty.
std::string type_name(PyTypeObject* type);

class TypeTable {
 public:
  struct Entry {
    PyTypeObject* type;
    std::string name;
    compat::Shape shape;
  };
  struct Claim {
    std::uintptr_t address;
    std::uint32_t number;
  };

  TypeTable() = default;
  TypeTable(const TypeTable&) = delete;
  TypeTable& operator=(const TypeTable&) = delete;
  ~TypeTable();

  // False with a Python exception set. May throw std::bad_alloc. Called once.
  bool fill();

  // 0 when there is no type at the address.
  std::uint32_t find(std::uintptr_t address) const noexcept;
  const Entry& operator[](std::uint32_t number) const noexcept { return entries_[number - 1]; }
  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(entries_.size()); }
  // What the types themselves have: names, and the keys that the instances of a class share.
  const std::vector<Claim>& claims() const noexcept { return claims_; }

 private:
  void add(PyTypeObject* type);
  void claim_bodies(std::uint32_t number);
  void grow();
  std::size_t place_of(std::uintptr_t address) const noexcept;

  std::vector<Entry> entries_;
  std::vector<Claim> claims_;
  std::vector<std::uint32_t> numbers_;  // a hash table with linear probing, at most half full
};

}  // namespace memtrace
