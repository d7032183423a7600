# memtrace::mimalloc, memtrace::xxhash, memtrace::zstd and, for the tests, Catch2::Catch2WithMain.
#
# Each is taken from the system when it is there, else downloaded at the version pinned below. The table
# in README.md says why each version was chosen.
include_guard(GLOBAL)
include(FetchContent)
find_package(Threads REQUIRED)

set(MEMTRACE_FETCH "AUTO" CACHE STRING
    "AUTO: download what the system lacks. ALWAYS: download everything. NEVER: download nothing.")
set_property(CACHE MEMTRACE_FETCH PROPERTY STRINGS AUTO ALWAYS NEVER)
set(MEMTRACE_MIMALLOC_SOURCE "" CACHE PATH "A mimalloc 2.x source tree to compile in")

# memtrace_pin(<NAME> <url> <sha256>): where a download comes from; MEMTRACE_<NAME>_URL may name a mirror.
function(memtrace_pin name url sha256)
  set(MEMTRACE_${name}_URL "${url}" CACHE STRING "Where to download ${name} from")
  mark_as_advanced(MEMTRACE_${name}_URL)
  set(MEMTRACE_${name}_SHA256 "${sha256}" PARENT_SCOPE)
endfunction()

memtrace_pin(MIMALLOC https://github.com/microsoft/mimalloc/archive/refs/tags/v2.4.1.tar.gz
             44aec43262c96be4f3e10ea38fa7c51c444fd6ea99fbc06a714792d7b3fb4fd3)
memtrace_pin(XXHASH https://github.com/Cyan4973/xxHash/archive/refs/tags/v0.8.3.tar.gz
             aae608dfe8213dfd05d909a57718ef82f30722c392344583d3f39050c7f29a80)
memtrace_pin(ZSTD https://github.com/facebook/zstd/releases/download/v1.5.7/zstd-1.5.7.tar.gz
             eb33e51f49a15e023950cd7825ca74a4a2b43db8354825ac24fc1b7ee09e6fa3)
memtrace_pin(CATCH2 https://github.com/catchorg/Catch2/archive/refs/tags/v3.16.0.tar.gz
             0957cae5821b17ce07f0833aaa52b5137643a8382203221f363a8303c109af34)

# Whether a system copy may be looked for at all.
if(MEMTRACE_FETCH STREQUAL "ALWAYS")
  set(memtrace_use_system FALSE)
else()
  set(memtrace_use_system TRUE)
endif()

# memtrace_fetch(<name> <hint> [<FetchContent option>...]): makes the pinned sources available and sets
# <name>_SOURCE_DIR; the hint says what to install instead.
#
# Downloads by itself and gives FetchContent the file: FetchContent would try for a minute and a half where
# the network is closed.
macro(memtrace_fetch name hint)
  string(TOUPPER ${name} memtrace_upper)
  set(memtrace_archive "${PROJECT_BINARY_DIR}/_deps/${name}.tar.gz")
  if(NOT FETCHCONTENT_SOURCE_DIR_${memtrace_upper} AND NOT EXISTS "${memtrace_archive}")
    if(MEMTRACE_FETCH STREQUAL "NEVER")
      message(FATAL_ERROR "${name} was not found and MEMTRACE_FETCH is NEVER. ${hint}")
    endif()
    message(STATUS "${name}: downloading ${MEMTRACE_${memtrace_upper}_URL}")
    file(DOWNLOAD "${MEMTRACE_${memtrace_upper}_URL}" "${memtrace_archive}.part" TIMEOUT 120 INACTIVITY_TIMEOUT 20
         STATUS memtrace_status)
    list(POP_FRONT memtrace_status memtrace_error)
    if(memtrace_error)
      message(FATAL_ERROR "${name} was not found and could not be downloaded: ${memtrace_status}. ${hint}")
    endif()
    file(RENAME "${memtrace_archive}.part" "${memtrace_archive}")
  endif()
  FetchContent_Declare(${name} URL "${memtrace_archive}" URL_HASH "SHA256=${MEMTRACE_${memtrace_upper}_SHA256}"
                       DOWNLOAD_EXTRACT_TIMESTAMP FALSE ${ARGN})
  FetchContent_MakeAvailable(${name})
endmacro()

# Sources that we compile ourselves: a third-party CMakeLists.txt never runs, its options and targets stay out.
set(memtrace_sources_only SOURCE_SUBDIR not-configured)

include(Mimalloc)

# xxHash is used as a header, whatever the route.
add_library(memtrace_xxhash INTERFACE)
add_library(memtrace::xxhash ALIAS memtrace_xxhash)
if(memtrace_use_system)
  find_path(MEMTRACE_XXHASH_INCLUDE_DIR xxhash.h)
endif()
if(NOT MEMTRACE_XXHASH_INCLUDE_DIR)
  memtrace_fetch(xxhash "On Debian: apt-get install libxxhash-dev" ${memtrace_sources_only})
  set(MEMTRACE_XXHASH_INCLUDE_DIR "${xxhash_SOURCE_DIR}")
endif()
target_include_directories(memtrace_xxhash SYSTEM INTERFACE "${MEMTRACE_XXHASH_INCLUDE_DIR}")

if(memtrace_use_system)
  find_path(MEMTRACE_ZSTD_INCLUDE_DIR zstd.h)
  find_library(MEMTRACE_ZSTD_LIBRARY zstd)
endif()
if(MEMTRACE_ZSTD_INCLUDE_DIR AND MEMTRACE_ZSTD_LIBRARY)
  add_library(memtrace_zstd INTERFACE)
  target_include_directories(memtrace_zstd SYSTEM INTERFACE "${MEMTRACE_ZSTD_INCLUDE_DIR}")
  target_link_libraries(memtrace_zstd INTERFACE "${MEMTRACE_ZSTD_LIBRARY}")
else()
  memtrace_fetch(zstd "On Debian: apt-get install libzstd-dev" ${memtrace_sources_only})
  file(GLOB memtrace_zstd_sources "${zstd_SOURCE_DIR}/lib/common/*.c" "${zstd_SOURCE_DIR}/lib/compress/*.c"
       "${zstd_SOURCE_DIR}/lib/decompress/*.c")
  add_library(memtrace_zstd STATIC ${memtrace_zstd_sources})
  target_include_directories(memtrace_zstd SYSTEM PUBLIC "${zstd_SOURCE_DIR}/lib")
  # The Huffman decoder's assembly is left out, and no symbol leaves our module.
  target_compile_definitions(memtrace_zstd PUBLIC ZSTDLIB_VISIBLE= PRIVATE ZSTD_DISABLE_ASM=1)
endif()
add_library(memtrace::zstd ALIAS memtrace_zstd)

if(MEMTRACE_BUILD_TESTS)
  if(memtrace_use_system)
    find_package(Catch2 3 CONFIG QUIET HINTS "${PROJECT_SOURCE_DIR}/build/catch2/usr")
  endif()
  if(NOT Catch2_FOUND)
    memtrace_fetch(catch2 "On Debian 12 tests/tools/get_catch2.sh takes version 3 from bookworm-backports")
    list(APPEND CMAKE_MODULE_PATH "${catch2_SOURCE_DIR}/extras")
  endif()
endif()
