// Conversions that pybind11's own casters do differently: text that may hold lone surrogates, and integers whose range
// is part of the error message. Every function raises through pybind11::error_already_set or a pybind11 exception.
#pragma once

#include <pybind11/pybind11.h>

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace memtrace::binding {

// WTF-8 to str.
inline pybind11::object to_str(std::string_view text) {
  PyObject* result = PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogatepass");
  if (result == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::object>(result);
}

// str to WTF-8; TypeError for anything else.
inline std::string to_wtf8(pybind11::handle text) {
  if (!PyUnicode_Check(text.ptr())) {
    throw pybind11::type_error(std::string("expected str, not ") + Py_TYPE(text.ptr())->tp_name);
  }
  Py_ssize_t size = 0;
  if (const char* data = PyUnicode_AsUTF8AndSize(text.ptr(), &size)) return {data, static_cast<std::size_t>(size)};
  PyErr_Clear();
  PyObject* encoded = PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogatepass");
  if (encoded == nullptr) throw pybind11::error_already_set();
  const auto bytes = pybind11::reinterpret_steal<pybind11::bytes>(encoded);
  return std::string(bytes);
}

// The integer `value` (anything with __index__); ValueError when it does not fit, TypeError when it is none.
template <std::integral Integer>
Integer to_integer(pybind11::handle value, const char* what) {
  PyObject* index = PyNumber_Index(value.ptr());
  if (index == nullptr) throw pybind11::error_already_set();
  const auto number = pybind11::reinterpret_steal<pybind11::object>(index);
  const auto out_of_range = [&] {
    return pybind11::value_error(std::string(what) + " " + std::string(pybind11::str(number)) + " is out of range");
  };
  if constexpr (std::same_as<Integer, std::uint64_t>) {
    const std::uint64_t result = PyLong_AsUnsignedLongLong(index);
    if (PyErr_Occurred() != nullptr) {
      PyErr_Clear();
      throw out_of_range();
    }
    return result;
  } else {
    int overflow = 0;
    const long long result = PyLong_AsLongLongAndOverflow(index, &overflow);
    if (overflow != 0 || !std::in_range<Integer>(result)) throw out_of_range();
    return static_cast<Integer>(result);
  }
}

}  // namespace memtrace::binding
