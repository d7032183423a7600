// Python.h and the internal headers, once and in the order that compiles on every version. Include this and never
// Python.h.
//
// The internal headers are for the layout of frames and code objects, which has no public form, for what the interpreter
// itself says of it, for where it has its allocators, and for the objects that the collector tracks. They belong to one
// minor version: the module is built for the interpreter that loads it.
#pragma once

#ifndef Py_BUILD_CORE_MODULE
#define Py_BUILD_CORE_MODULE 1
#endif
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#define PY_SSIZE_T_CLEAN

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <Python.h>

#if PY_VERSION_HEX < 0x030b0000
#error "memtrace supports CPython 3.11 and later"
#endif

#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_interpframe.h>
#else
#include <internal/pycore_code.h>
#include <internal/pycore_frame.h>
#endif
#if PY_VERSION_HEX >= 0x030d0000
#include <internal/pycore_runtime.h>
#else
#undef HAVE_STD_ATOMIC  // C's, which C++ has not: the header knows the compiler's own as well
#undef _PyGC_FINALIZED  // 3.12's macro for who is not of the core, which whoever came first may have been
#include <internal/pycore_interp.h>
#endif
#pragma GCC diagnostic pop
