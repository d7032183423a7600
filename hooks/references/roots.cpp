#include "hooks/references/roots.h"

#include "hooks/references/text.h"

namespace memtrace::references {

namespace {

// The Thread object that threading has for it, or null.
PyObject* thread_object(const PyThreadState* thread) noexcept {
  PyObject* const modules = PyImport_GetModuleDict();
  PyObject* const threading =
      modules != nullptr && PyDict_Check(modules) ? value_of_key(modules, "threading") : nullptr;
  if (threading == nullptr || !PyModule_Check(threading)) return nullptr;
  PyObject* const active = value_of_key(PyModule_GetDict(threading), "_active");
  if (active == nullptr || !PyDict_Check(active)) return nullptr;
  Py_ssize_t position = 0;
  PyObject *ident = nullptr, *object = nullptr;
  while (PyDict_Next(active, &position, &ident, &object) != 0) {
    int overflow = 0;
    if (PyLong_CheckExact(ident) &&
        static_cast<unsigned long long>(PyLong_AsLongLongAndOverflow(ident, &overflow)) == thread->thread_id) {
      return object;
    }
  }
  return nullptr;
}

std::string place_of(const compat::Frame* frame) {
  const PyCodeObject* const code = compat::code(frame);
  return plain_text(code->co_qualname) + "() at " + plain_text(code->co_filename) + ':' +
         std::to_string(compat::line(frame));
}

}  // namespace

const char* kind_name(Root::Kind kind) noexcept {
  static constexpr const char* kNames[] = {"module", "thread", "frame", "stack", "C", "cycle"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string thread_name(const PyThreadState* thread) {
  PyObject* const object = thread_object(thread);
  PyObject* const name = object == nullptr ? nullptr : own_attribute(object, "_name");
  return name != nullptr && PyUnicode_CheckExact(name) ? key_text(name) : std::to_string(thread->thread_id);
}

std::string root_name(const Root& root) {
  switch (root.kind) {
    case Root::Kind::kModule:
      return plain_text(root.module);
    case Root::Kind::kThread:
      return thread_name(root.thread);
    case Root::Kind::kFrame:
    case Root::Kind::kStack:
      return place_of(root.frame) + " in thread " + thread_name(root.thread);
    default:
      return "";
  }
}

}  // namespace memtrace::references
