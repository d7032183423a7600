#include "hooks/references/text.h"

#include <algorithm>
#include <cstdio>

#include "hooks/compat/frame_values.h"
#include "hooks/compat/instance.h"
#include "src/base/wtf8.h"

namespace memtrace::references {

namespace {

constexpr Py_ssize_t kLongestText = 200;
constexpr Py_ssize_t kLongestKey = 60;
constexpr Py_ssize_t kMostItems = 6;
constexpr int kDeepestKey = 3;

void append_character(std::string& to, Py_UCS4 character) {
  char bytes[kLongestWtf8];
  to.append(bytes, encode_wtf8(character, bytes));
}

void append_escaped(std::string& to, Py_UCS4 character) {
  if (character == '\\' || character == '\'') {
    to += '\\';
  } else if (character < ' ' || character == 0x7f) {
    char code[8];
    std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned>(character));
    to += code;
    return;
  }
  append_character(to, character);
}

void append_quoted(std::string& to, PyObject* text) {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text);
  to += '\'';
  for (Py_ssize_t i = 0; i < std::min(length, kLongestKey); ++i) append_escaped(to, PyUnicode_READ_CHAR(text, i));
  to += length > kLongestKey ? "'..." : "'";
}

void append_bytes(std::string& to, PyObject* bytes) {
  const Py_ssize_t length = PyBytes_GET_SIZE(bytes);
  to += "b'";
  for (Py_ssize_t i = 0; i < std::min(length, kLongestKey); ++i) {
    const auto byte = static_cast<unsigned char>(PyBytes_AS_STRING(bytes)[i]);
    char code[8];
    std::snprintf(code, sizeof code, "\\x%02x", byte);
    if (byte < 0x80)
      append_escaped(to, byte);
    else
      to += code;
  }
  to += length > kLongestKey ? "'..." : "'";
}

void append_int(std::string& to, PyObject* number) {
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
  to += overflow == 0 ? std::to_string(value) : "int of many digits";
}

void append_key(std::string& to, PyObject* key, int depth) {
  if (PyUnicode_CheckExact(key)) return append_quoted(to, key);
  if (PyBytes_CheckExact(key)) return append_bytes(to, key);
  if (PyLong_CheckExact(key)) return append_int(to, key);
  if (key == Py_None) return void(to += "None");
  if (PyBool_Check(key)) return void(to += key == Py_True ? "True" : "False");
  if (PyFloat_CheckExact(key)) {
    char digits[40];
    std::snprintf(digits, sizeof digits, "%.12g", PyFloat_AS_DOUBLE(key));
    return void(to += digits);
  }
  if (PyTuple_CheckExact(key) && depth < kDeepestKey) {
    const Py_ssize_t size = PyTuple_GET_SIZE(key);
    to += '(';
    for (Py_ssize_t i = 0; i < std::min(size, kMostItems); ++i) {
      if (i > 0) to += ", ";
      if (PyTuple_GET_ITEM(key, i) != nullptr) append_key(to, PyTuple_GET_ITEM(key, i), depth + 1);
    }
    if (size > kMostItems) to += ", ...";
    to += size == 1 ? ",)" : ")";
    return;
  }
  const std::string name = object_name(key);
  to += '<';
  to += type_name(Py_TYPE(key));
  if (!name.empty()) to += ' ' + name;
  to += '>';
}

}  // namespace

std::string type_name(PyTypeObject* type) {
  std::string name;
  if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) {
    name = type->tp_name;
  } else {
    PyObject* const dict = compat::class_dict(type);
    PyObject* const module = dict == nullptr ? nullptr : value_of_key(dict, "__module__");
    if (module != nullptr && PyUnicode_CheckExact(module)) name = plain_text(module) + '.';
    name += plain_text(reinterpret_cast<PyHeapTypeObject*>(type)->ht_qualname);
  }
  static constexpr std::string_view kBuiltins = "builtins.";
  return name.starts_with(kBuiltins) ? name.substr(kBuiltins.size()) : name;
}

std::string object_name(PyObject* object) {
  if (PyType_Check(object)) return type_name(reinterpret_cast<PyTypeObject*>(object));
  if (PyFunction_Check(object)) return plain_text(reinterpret_cast<PyFunctionObject*>(object)->func_qualname);
  if (PyMethod_Check(object)) return object_name(PyMethod_GET_FUNCTION(object));
  if (PyCFunction_Check(object)) return reinterpret_cast<PyCFunctionObject*>(object)->m_ml->ml_name;
  if (PyFrame_Check(object)) return plain_text(compat::code(compat::frame_of_object(object))->co_qualname);
  if (PyCode_Check(object)) return plain_text(reinterpret_cast<PyCodeObject*>(object)->co_qualname);
  if (PyGen_CheckExact(object) || PyCoro_CheckExact(object) || PyAsyncGen_CheckExact(object)) {
    return plain_text(reinterpret_cast<PyGenObject*>(object)->gi_qualname);
  }
  if (PyModule_Check(object)) {
    PyObject* const dict = PyModule_GetDict(object);
    PyObject* const name = dict == nullptr ? nullptr : value_of_key(dict, "__name__");
    return name != nullptr && PyUnicode_CheckExact(name) ? plain_text(name) : "";
  }
  return "";
}

std::string key_text(PyObject* key) {
  std::string text;
  append_key(text, key, 0);
  return text;
}

std::string plain_text(PyObject* text) {
  if (text == nullptr) return "?";
  if (!PyUnicode_Check(text)) return key_text(text);
  std::string result;
  const Py_ssize_t length = std::min(PyUnicode_GET_LENGTH(text), kLongestText);
  for (Py_ssize_t i = 0; i < length; ++i) append_character(result, PyUnicode_READ_CHAR(text, i));
  return result;
}

bool is_ascii(PyObject* text, std::string_view expected) noexcept {
  return PyUnicode_CheckExact(text) && PyUnicode_IS_COMPACT_ASCII(text) &&
         std::string_view(static_cast<const char*>(PyUnicode_DATA(text)),
                          static_cast<std::size_t>(PyUnicode_GET_LENGTH(text))) == expected;
}

PyObject* value_of_key(PyObject* dict, std::string_view wanted) noexcept {
  Py_ssize_t position = 0;
  PyObject *key = nullptr, *value = nullptr;
  while (PyDict_Next(dict, &position, &key, &value) != 0)
    if (is_ascii(key, wanted)) return value;
  return nullptr;
}

PyObject* own_attribute(PyObject* object, std::string_view name) noexcept {
  PyObject* found = nullptr;
  if (compat::values_of(object) != nullptr) {
    compat::for_each_value(object, [&](PyObject* key, PyObject* value) {
      if (is_ascii(key, name)) found = value;
    });
    return found;
  }
  PyObject* const dict = compat::dict_of(object);
  return dict != nullptr && PyDict_Check(dict) ? value_of_key(dict, name) : nullptr;
}

}  // namespace memtrace::references
