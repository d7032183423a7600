#include "hooks/references/steps.h"

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "hooks/compat/instance.h"
#include "hooks/compat/referents.h"
#include "hooks/references/roots.h"
#include "hooks/references/text.h"

// Behind Python.h, which hooks/compat/python.h includes.
#include <frameobject.h>
#include <structmember.h>

namespace memtrace::references {

namespace {

using Found = std::optional<Step>;

bool is_named(PyTypeObject* type, std::string_view name) noexcept { return name == type->tp_name; }

bool has_base_named(PyTypeObject* type, std::string_view name) noexcept {
  for (; type != nullptr; type = type->tp_base)
    if (is_named(type, name)) return true;
  return false;
}

bool is_generator_like(PyObject* object) noexcept {
  return PyGen_CheckExact(object) || PyCoro_CheckExact(object) || PyAsyncGen_CheckExact(object);
}

// The key whose value is `value`, or null.
PyObject* key_of(PyObject* dict, const PyObject* wanted) noexcept {
  Py_ssize_t position = 0;
  PyObject *key = nullptr, *value = nullptr;
  while (PyDict_Next(dict, &position, &key, &value) != 0)
    if (value == wanted) return key;
  return nullptr;
}

bool has_key(PyObject* dict, const PyObject* wanted) noexcept {
  Py_ssize_t position = 0;
  PyObject *key = nullptr, *value = nullptr;
  while (PyDict_Next(dict, &position, &key, &value) != 0)
    if (key == wanted) return true;
  return false;
}

// Of a dictionary of names: by it to the value, or to itself, which is called `own_name`.
Found by_names(PyObject* dict, Path path, const char* kind, const char* own_name) {
  if (dict == nullptr || path[0] != dict) return {};
  if (path.size() > 1 && PyDict_Check(dict)) {
    if (PyObject* const key = key_of(dict, path[1])) return Step{kind, plain_text(key), 2};
  }
  return Step{"attribute", own_name};
}

// The number of the variable, the cell or what is in the cell, by the function's code.
Step by_variable(const PyCodeObject* code, int number, Path path) {
  const auto kind = static_cast<unsigned char>(PyBytes_AS_STRING(code->co_localspluskinds)[number]);
  const bool through_cell = PyCell_Check(path[0]) && (kind & (CO_FAST_CELL | CO_FAST_FREE)) != 0 && path.size() > 1;
  return Step{(kind & CO_FAST_FREE) != 0 ? "closure variable" : "local",
              plain_text(compat::variable_name(code, number)), through_cell ? std::size_t{2} : std::size_t{1}};
}

Found among_variables(const compat::Frame* frame, Path path) {
  for (int i = 0; i < compat::variable_count(frame); ++i)
    if (compat::variable(frame, i).object == path[0]) return by_variable(compat::code(frame), i, path);
  return {};
}

Found of_closure(PyFunctionObject* function, Path path) {
  if (function->func_closure == nullptr || path[0] != function->func_closure) return {};
  if (path.size() == 1) return Step{"attribute", "__closure__"};
  const auto* const code = reinterpret_cast<PyCodeObject*>(function->func_code);
  const int first = code->co_nlocalsplus - code->co_nfreevars;
  for (int i = 0; i < code->co_nfreevars && i < PyTuple_GET_SIZE(function->func_closure); ++i) {
    if (PyTuple_GET_ITEM(function->func_closure, i) != path[1]) continue;
    Step step = by_variable(code, first + i, path.subspan(1));
    ++step.objects;
    return step;
  }
  return Step{"attribute", "__closure__"};
}

// Defaults belong to the last of the positional arguments.
Found of_defaults(PyFunctionObject* function, Path path) {
  if (function->func_defaults == nullptr || path[0] != function->func_defaults) return {};
  if (path.size() == 1 || !PyTuple_Check(function->func_defaults)) return Step{"attribute", "__defaults__"};
  const auto* const code = reinterpret_cast<PyCodeObject*>(function->func_code);
  const Py_ssize_t count = PyTuple_GET_SIZE(function->func_defaults);
  for (Py_ssize_t i = 0; i < count; ++i) {
    const Py_ssize_t argument = code->co_argcount - count + i;
    if (PyTuple_GET_ITEM(function->func_defaults, i) == path[1] && argument >= 0) {
      return Step{"default of argument", plain_text(compat::variable_name(code, static_cast<int>(argument))), 2};
    }
  }
  return Step{"attribute", "__defaults__"};
}

Found of_function(PyObject* holder, Path path) {
  auto* const function = reinterpret_cast<PyFunctionObject*>(holder);
  if (Found found = of_closure(function, path)) return found;
  if (Found found = of_defaults(function, path)) return found;
  if (Found found = by_names(function->func_kwdefaults, path, "default of argument", "__kwdefaults__")) return found;
  if (Found found = by_names(function->func_dict, path, "attribute", "__dict__")) return found;
  if (Found found = by_names(function->func_globals, path, "global", "__globals__")) return found;
  if (path[0] == function->func_code) return Step{"attribute", "__code__"};
  if (path[0] == function->func_annotations) return Step{"attribute", "__annotations__"};
  return {};
}

Found of_class(PyObject* holder, Path path) {
  auto* const type = reinterpret_cast<PyTypeObject*>(holder);
  if (Found found = by_names(compat::class_dict(type), path, "attribute", "__dict__")) return found;
  if (path[0] == type->tp_mro) return Step{"attribute", "__mro__"};
  if (path[0] == type->tp_bases) return Step{"attribute", "__bases__"};
  if (path[0] == reinterpret_cast<PyObject*>(type->tp_base)) return Step{"attribute", "__base__"};
  return {};
}

Found of_dict(PyObject* holder, Path path) {
  if (PyObject* const key = key_of(holder, path[0])) return Step{"value of key", key_text(key)};
  if (has_key(holder, path[0])) return Step{"key", ""};
  return {};
}

Found of_tuple(PyObject* holder, Path path) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(holder); ++i)
    if (PyTuple_GET_ITEM(holder, i) == path[0]) return Step{"index", std::to_string(i)};
  return {};
}

Found of_list(PyObject* holder, Path path) {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(holder); ++i)
    if (PyList_GET_ITEM(holder, i) == path[0]) return Step{"index", std::to_string(i)};
  return {};
}

// It visits its items in their order, and its class.
Found of_deque(PyObject* holder, Path path) {
  std::size_t index = 0;
  const auto look = [&](PyObject* referent) {
    if (referent == path[0]) return false;
    index += referent == reinterpret_cast<PyObject*>(Py_TYPE(holder)) ? 0u : 1u;
    return true;
  };
  compat::for_each_referent(holder, look);
  return Step{"index", std::to_string(index)};
}

Found of_generator(PyObject* holder, Path path) {
  const compat::Frame* const frame = compat::frame_of_generator(holder);
  if (frame == nullptr) return {};
  if (Found found = among_variables(frame, path)) return found;
  if (is_generator_like(path[0])) return Step{"awaited", ""};
  if (compat::function(frame).object == path[0]) return Step{"function", ""};
  return Step{"stack", ""};
}

// One that is still running has nothing but its caller: its variables are the frame's.
Found of_frame_object(PyObject* holder, Path path) {
  if (Found found = among_variables(compat::frame_of_object(holder), path)) return found;
  if (PyFrame_Check(path[0])) return Step{"attribute", "f_back"};
  return {};
}

Found of_exception(PyObject* holder, Path path) {
  const auto* const exception = reinterpret_cast<PyBaseExceptionObject*>(holder);
  const std::pair<PyObject*, const char*> fields[] = {{exception->args, "args"},
                                                      {exception->notes, "__notes__"},
                                                      {exception->traceback, "__traceback__"},
                                                      {exception->context, "__context__"},
                                                      {exception->cause, "__cause__"}};
  for (const auto& [object, name] : fields)
    if (object == path[0]) return Step{"attribute", name};
  return {};
}

// The wrapper visits the keys and results of its links, and its dictionary of links or, without a limit, of results.
Found of_cached_function(PyObject* holder, Path path) {
  if (Found found = by_names(compat::dict_of(holder), path, "attribute", "__dict__")) return found;
  if (PyFunction_Check(path[0])) return Step{"attribute", "__wrapped__"};
  PyObject* cache = nullptr;
  const auto look = [&](PyObject* referent) {
    if (PyDict_CheckExact(referent) && referent != compat::dict_of(holder)) cache = referent;
    return true;
  };
  compat::for_each_referent(holder, look);
  if (cache == nullptr) return {};
  const std::size_t objects = path[0] == cache && path.size() > 1 ? 2 : 1;
  if (path[objects - 1] == cache) return Step{"cache", ""};
  return Step{has_key(cache, path[objects - 1]) ? "cached arguments" : "cached result", "", objects};
}

// Which thread's attributes these are. A thread has an object that stands for it: one, or before 3.13 one for each
// thread-local, in its own dictionary.
std::string thread_of_attributes(PyObject* stand_in) {
  std::string name = "an ended thread";
  compat::for_each_thread([&](const PyThreadState* thread) {
#if PY_VERSION_HEX >= 0x030d0000
    const bool is_its = thread->threading_local_key == stand_in;
#else
    const PyObject* const local =
        PyWeakref_CheckRef(stand_in) ? reinterpret_cast<PyWeakReference*>(stand_in)->wr_object : nullptr;
    const bool is_its = thread->dict != nullptr && key_of(thread->dict, local) != nullptr;
#endif
    if (is_its) name = "thread " + thread_name(thread);
  });
  return name;
}

// A dictionary of dictionaries, one for each thread.
Found of_thread_local(Path path) {
  if (!PyDict_CheckExact(path[0]) || path.size() < 2) return {};
  PyObject* const stand_in = key_of(path[0], path[1]);
  if (stand_in == nullptr || !PyDict_Check(path[1])) return {};
  const std::string thread = thread_of_attributes(stand_in);
  if (path.size() > 2) {
    if (PyObject* const key = key_of(path[1], path[2])) {
      return Step{"thread-local", key_text(key) + " of " + thread, 3};
    }
  }
  return Step{"thread-local", "__dict__ of " + thread, 2};
}

// A node of a context's tree visits its pairs from the last to the first, values before their variables.
Found of_context_node(PyObject* holder, Path path) {
  bool is_next = false;
  PyObject* variable = nullptr;
  const auto look = [&](PyObject* referent) {
    if (is_next) variable = referent;
    is_next = referent == path[0];
    return variable == nullptr;
  };
  compat::for_each_referent(holder, look);
  if (variable == nullptr || !PyContextVar_CheckExact(variable)) return {};
  PyObject* name = nullptr;
  const auto find_name = [&](PyObject* referent) {
    if (PyUnicode_CheckExact(referent)) name = referent;
    return name == nullptr;
  };
  compat::for_each_referent(variable, find_name);
  return Step{"context variable", plain_text(name)};
}

// Over the nodes between a context and a variable's value.
Found of_context(Path path) {
  std::size_t nodes = 0;
  while (nodes < path.size() && std::string_view(Py_TYPE(path[nodes])->tp_name).starts_with("hamt")) ++nodes;
  if (nodes == 0 || nodes == path.size()) return {};
  Found found = of_context_node(path[nodes - 1], path.subspan(nodes));
  if (found) found->objects += nodes;
  return found;
}

// Members that a class describes: __slots__, and what classes made in C show as attributes.
Found of_members(PyObject* holder, Path path) {
  PyObject* const mro = Py_TYPE(holder)->tp_mro;
  if (mro == nullptr) return {};
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); ++i) {
    PyObject* const dict = compat::class_dict(reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(mro, i)));
    Py_ssize_t position = 0;
    PyObject *name = nullptr, *value = nullptr;
    while (dict != nullptr && PyDict_Next(dict, &position, &name, &value) != 0) {
      if (!Py_IS_TYPE(value, &PyMemberDescr_Type)) continue;
      const PyMemberDef* const member = reinterpret_cast<PyMemberDescrObject*>(value)->d_member;
      if (member->type != T_OBJECT && member->type != T_OBJECT_EX) continue;
#ifdef Py_RELATIVE_OFFSET
      if ((member->flags & Py_RELATIVE_OFFSET) != 0) continue;
#endif
      const char* const slot = reinterpret_cast<const char*>(holder) + member->offset;
      PyObject* content = nullptr;
      std::memcpy(&content, slot, sizeof content);
      if (content == path[0]) return Step{"attribute", plain_text(name)};
    }
  }
  return {};
}

Found of_instance(PyObject* holder, Path path) {
  PyObject* attribute = nullptr;
  compat::for_each_value(holder, [&](PyObject* name, PyObject* value) {
    if (value == path[0]) attribute = name;
  });
  if (attribute != nullptr) return Step{"attribute", plain_text(attribute)};
  if (Found found = by_names(compat::dict_of(holder), path, "attribute", "__dict__")) return found;
  return of_members(holder, path);
}

Found by_type(PyObject* holder, Path path) {
  PyTypeObject* const type = Py_TYPE(holder);
  if (PyModule_Check(holder)) return by_names(PyModule_GetDict(holder), path, "attribute", "__dict__");
  if (PyFunction_Check(holder)) return of_function(holder, path);
  if (PyType_Check(holder)) return of_class(holder, path);
  if (is_generator_like(holder)) return of_generator(holder, path);
  if (PyDict_Check(holder)) return of_dict(holder, path);
  if (PyTuple_Check(holder)) return of_tuple(holder, path);
  if (PyList_Check(holder)) return of_list(holder, path);
  if (PyExceptionInstance_Check(holder)) return of_exception(holder, path);
  if (PyCell_Check(holder)) return Step{"contents", ""};
  if (PyFrame_Check(holder)) return of_frame_object(holder, path);
  if (PyTraceBack_Check(holder)) {
    const auto* const traceback = reinterpret_cast<PyTracebackObject*>(holder);
    return Step{"attribute", path[0] == reinterpret_cast<PyObject*>(traceback->tb_next) ? "tb_next" : "tb_frame"};
  }
  if (PyMethod_Check(holder)) return Step{"attribute", path[0] == PyMethod_GET_SELF(holder) ? "__self__" : "__func__"};
  if (PyCFunction_Check(holder) && path[0] == PyCFunction_GET_SELF(holder)) return Step{"attribute", "__self__"};
  if (PyWeakref_CheckRef(holder)) return Step{"callback", ""};
  if (is_named(type, "functools._lru_cache_wrapper")) return of_cached_function(holder, path);
  if (has_base_named(type, "_thread._local")) return of_thread_local(path);
  if (PyContext_CheckExact(holder)) return of_context(path);
  if (has_base_named(type, "_asyncio.Task") && is_generator_like(path[0])) return Step{"coroutine", ""};
  return {};
}

}  // namespace

Step step_from(PyObject* holder, Path path) {
  if (Found found = by_type(holder, path)) return *std::move(found);
  // An instance of a subclass has attributes, too.
  if (Found found = of_instance(holder, path)) return *std::move(found);
  if (path[0] == reinterpret_cast<PyObject*>(Py_TYPE(holder))) return {"class", ""};
  if (PyAnySet_Check(holder)) return {"member", ""};
  if (has_base_named(Py_TYPE(holder), "collections.deque")) return *of_deque(holder, path);
  return {"reference", ""};
}

Step step_from(const compat::Frame* frame, Path path) {
  if (Found found = among_variables(frame, path)) return *std::move(found);
  if (Found found = by_names(compat::names(frame), path, "local", "locals()")) return *std::move(found);
  if (path[0] == compat::function(frame).object) return {"function", ""};
  return {"reference", ""};
}

}  // namespace memtrace::references
