// What objects are called: text from their own structures. No method of the program's runs, no Python object is made, and
// no reference count changes.
//
// All text is WTF-8. Thread-safety: nobody changes objects meanwhile. Throws std::bad_alloc.
#pragma once

#include <string>
#include <string_view>

#include "hooks/compat/python.h"

namespace memtrace::references {

// "module.Class"; builtins without their module.
std::string type_name(PyTypeObject* type);

// What the object itself is called: a function's or a class's qualified name, a module's name. Mostly empty.
std::string object_name(PyObject* object);

// A dictionary's key as Python shows it, where that takes no method of the program's: numbers, texts, bytes and tuples of
// them, shortened. Else the name of its type.
std::string key_text(PyObject* key);

// The characters of a str, at most 200; of anything else key_text().
std::string plain_text(PyObject* text);

bool is_ascii(PyObject* text, std::string_view expected) noexcept;

// The value whose key is that text, or null. In the order of the keys: for small dictionaries.
PyObject* value_of_key(PyObject* dict, std::string_view key) noexcept;

// The attribute among the instance's own, or null.
PyObject* own_attribute(PyObject* object, std::string_view name) noexcept;

}  // namespace memtrace::references
