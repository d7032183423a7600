# memtrace_options: the flags and the include path of every target of ours.
include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(MEMTRACE_CCACHE ccache)
if(MEMTRACE_CCACHE)
  foreach(language C CXX)
    if(NOT DEFINED CMAKE_${language}_COMPILER_LAUNCHER)
      set(CMAKE_${language}_COMPILER_LAUNCHER "${MEMTRACE_CCACHE}")
    endif()
  endforeach()
endif()

add_library(memtrace_options INTERFACE)
add_library(memtrace::options ALIAS memtrace_options)
target_compile_features(memtrace_options INTERFACE cxx_std_20)
target_include_directories(memtrace_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(
  memtrace_options
  INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wconversion>
            $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${MEMTRACE_WERROR}>>:-Werror>
            -fno-plt
            -fno-semantic-interposition)

if(MEMTRACE_SANITIZE)
  # For the whole tree, third-party sources included: TSan reports false races on what it cannot see.
  add_compile_options("-fsanitize=${MEMTRACE_SANITIZE}")
  add_link_options("-fsanitize=${MEMTRACE_SANITIZE}")
  if(MEMTRACE_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

# For the targets with the hot path, one by one: the others would gain nothing by it, and take a minute longer. Said so
# here, or pybind11 decides.
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION OFF)
if(MEMTRACE_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(LANGUAGES CXX)
endif()
