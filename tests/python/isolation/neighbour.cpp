// A C++ extension that has nothing to do with memtrace, built twice under two names (MODULE_NAME).
//
// It reports which library each allocation function is bound to, and moves memory between the places that
// must agree on one allocator: this module, libstdc++, libc and the other copy of this module.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Binding {
  const char* name;
  const char* symbol;  // as the dynamic linker knows it
  void* bound;         // as this module is bound to it
};

// volatile: the compiler must load the address from the GOT and cannot fold a comparison or a call.
template <class Function>
void* address_of(Function* function) {
  Function* volatile loaded = function;
  return reinterpret_cast<void*>(loaded);
}

std::vector<Binding> bindings() {
  using Size = std::size_t;
  return {
      {"malloc", "malloc", address_of<void*(Size)>(&malloc)},
      {"calloc", "calloc", address_of<void*(Size, Size)>(&calloc)},
      {"realloc", "realloc", address_of<void*(void*, Size)>(&realloc)},
      {"free", "free", address_of<void(void*)>(&free)},
      {"operator new", "_Znwm", address_of<void*(Size)>(&::operator new)},
      {"operator new[]", "_Znam", address_of<void*(Size)>(&::operator new[])},
      {"operator delete", "_ZdlPv", address_of<void(void*)>(&::operator delete)},
      {"operator delete[]", "_ZdaPv", address_of<void(void*)>(&::operator delete[])},
      {"operator delete(size)", "_ZdlPvm", address_of<void(void*, Size)>(&::operator delete)},
  };
}

std::string library_of(void* address) {
  Dl_info info;
  return address != nullptr && dladdr(address, &info) != 0 ? info.dli_fname : "nothing";
}

// name -> (library this module is bound to, library the process' global scope finds)
PyObject* report(PyObject*, PyObject*) {
  PyObject* result = PyDict_New();
  for (const Binding& binding : bindings()) {
    PyObject* pair = Py_BuildValue("(ss)", library_of(binding.bound).c_str(),
                                   library_of(dlsym(RTLD_DEFAULT, binding.symbol)).c_str());
    PyDict_SetItemString(result, binding.name, pair);
    Py_DECREF(pair);
  }
  return result;
}

// Memory that libstdc++ allocates out of line and this module frees inline, and the other way round.
void cross_libstdcxx() {
  for (int i = 0; i < 200; ++i) {
    std::ostringstream stream;
    stream << "a string that is too long for the small-string buffer: " << i;
    std::string text = stream.str();
    text.append(text);
    text.reserve(text.size() * 3);
    std::vector<std::string> words(static_cast<std::size_t>(i % 7 + 1), text);
    words.resize(40, std::string(static_cast<std::size_t>(i) * 11, 'x'));
    std::filesystem::path path = std::filesystem::path("/") / text / words.back();
    std::shared_ptr<std::string> shared = std::make_shared<std::string>(path.parent_path().string());
    std::stringstream(text) >> *shared;
    try {
      throw std::string(text);  // the exception object comes from libstdc++
    } catch (const std::string&) {
    }
  }
}

// Memory that libc allocates and this module frees, and the other way round.
void cross_libc() {
  for (int i = 0; i < 200; ++i) {
    char* copy = strdup("allocated inside libc");
    copy = static_cast<char*>(realloc(copy, 4096));
    free(copy);
    char* line = static_cast<char*>(malloc(1));
    std::size_t room = 1;
    if (FILE* file = fopen("/proc/self/maps", "r")) {
      while (getline(&line, &room, file) > 0) {
      }
      fclose(file);
    }
    free(line);
    free(realpath("/proc/self/exe", nullptr));
    void* aligned = nullptr;
    if (posix_memalign(&aligned, 64, 300) == 0) free(aligned);
  }
}

PyObject* exercise(PyObject*, PyObject*) {
  Py_BEGIN_ALLOW_THREADS;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      cross_libstdcxx();
      cross_libc();
    });
  }
  for (std::thread& thread : threads) thread.join();
  Py_END_ALLOW_THREADS;
  Py_RETURN_NONE;
}

constexpr std::size_t kSizes[] = {1, 8, 24, 100, 1000, 5000, 70'000, 3'000'000};

// Addresses of new strings, arrays and malloc blocks, for the other module to release.
PyObject* allocate(PyObject*, PyObject*) {
  PyObject* result = PyList_New(0);
  for (std::size_t size : kSizes) {
    auto* text = new std::string(size, 'x');
    auto* array = new char[size];
    void* block = malloc(size);
    memset(array, 0, size);
    memset(block, 0, size);
    PyObject* row = Py_BuildValue("(KKK)", reinterpret_cast<std::uintptr_t>(text),
                                  reinterpret_cast<std::uintptr_t>(array), reinterpret_cast<std::uintptr_t>(block));
    PyList_Append(result, row);
    Py_DECREF(row);
  }
  return result;
}

PyObject* release(PyObject*, PyObject* rows) {
  for (Py_ssize_t i = 0; i < PyList_Size(rows); ++i) {
    unsigned long long text = 0;
    unsigned long long array = 0;
    unsigned long long block = 0;
    if (!PyArg_ParseTuple(PyList_GetItem(rows, i), "KKK", &text, &array, &block)) return nullptr;
    delete reinterpret_cast<std::string*>(text);
    delete[] reinterpret_cast<char*>(array);
    free(realloc(reinterpret_cast<void*>(block), 10));
  }
  Py_RETURN_NONE;
}

PyMethodDef methods[] = {
    {"report", report, METH_NOARGS, nullptr},
    {"exercise", exercise, METH_NOARGS, nullptr},
    {"allocate", allocate, METH_NOARGS, nullptr},
    {"release", release, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

#define STRING_OF(x) #x
#define NAME_OF(x) STRING_OF(x)
#define CONCATENATED(a, b) a##b
#define INIT_OF(name) CONCATENATED(PyInit_, name)

PyModuleDef module = {
    PyModuleDef_HEAD_INIT, NAME_OF(MODULE_NAME), nullptr, 0, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC INIT_OF(MODULE_NAME)() { return PyModule_Create(&module); }
