# Python::Module (headers of one interpreter, no libpython) and pybind11, for hooks/ and python/binding.
include_guard(GLOBAL)

set(PYBIND11_FINDPYTHON ON)
find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)

if(NOT pybind11_DIR)
  # Outside a wheel build pybind11 is a package of the chosen interpreter, as `make setup` installs it.
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -m pybind11 --cmakedir
    OUTPUT_VARIABLE pybind11_cmakedir
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(pybind11_cmakedir)
    set(pybind11_DIR "${pybind11_cmakedir}" CACHE PATH "")
  endif()
endif()
find_package(pybind11 3.0 CONFIG REQUIRED)
