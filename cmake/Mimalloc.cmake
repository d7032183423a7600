# memtrace::mimalloc: the tracer's own heap, and nothing else's. malloc, free, operator new and operator
# delete of the process, of our module and of every other extension stay libc's and libstdc++'s;
# tests/python/isolation proves it for the route that was built.
#
# Routes, in order: a source tree given by MEMTRACE_MIMALLOC_SOURCE; the system's library; the pinned
# download. A source tree is compiled into our module, hidden and without overrides, and keeps its
# resident memory small; prefer it (or MEMTRACE_FETCH=ALWAYS) for wheels that are given to others.

if(MEMTRACE_MIMALLOC_SOURCE)
  set(memtrace_mimalloc_source "${MEMTRACE_MIMALLOC_SOURCE}")
elseif(memtrace_use_system)
  find_path(MEMTRACE_MIMALLOC_INCLUDE_DIR mimalloc.h)
  find_library(MEMTRACE_MIMALLOC_LIBRARY mimalloc)
endif()

if(NOT memtrace_mimalloc_source AND NOT (MEMTRACE_MIMALLOC_INCLUDE_DIR AND MEMTRACE_MIMALLOC_LIBRARY))
  memtrace_fetch(mimalloc "On Debian: apt-get install libmimalloc-dev" ${memtrace_sources_only})
  set(memtrace_mimalloc_source "${mimalloc_SOURCE_DIR}")
endif()

if(memtrace_mimalloc_source)
  if(NOT EXISTS "${memtrace_mimalloc_source}/src/static.c")
    message(FATAL_ERROR "no mimalloc source tree in ${memtrace_mimalloc_source}: src/static.c is missing")
  endif()
  message(STATUS "mimalloc: compiled in from ${memtrace_mimalloc_source}")
  add_library(memtrace_mimalloc STATIC "${memtrace_mimalloc_source}/src/static.c")
  target_include_directories(memtrace_mimalloc SYSTEM PUBLIC "${memtrace_mimalloc_source}/include")
  target_compile_definitions(
    memtrace_mimalloc
    PRIVATE MI_STATIC_LIB
            # A MIMALLOC_* variable is meant for the user's program, not for us.
            MI_NO_GETENV
            # 8 MiB reserved at a time and committed on demand, instead of 1 GiB committed eagerly.
            MI_DEFAULT_ARENA_RESERVE=8192L
            MI_DEFAULT_ARENA_EAGER_COMMIT=0
            $<$<STREQUAL:${MEMTRACE_SANITIZE},thread>:MI_TSAN=1>)
  target_compile_options(memtrace_mimalloc PRIVATE -w -fno-builtin-malloc -ftls-model=initial-exec)
  target_link_libraries(memtrace_mimalloc PUBLIC Threads::Threads)
else()
  message(STATUS "mimalloc: ${MEMTRACE_MIMALLOC_LIBRARY}")
  add_library(memtrace_mimalloc INTERFACE)
  target_include_directories(memtrace_mimalloc SYSTEM INTERFACE "${MEMTRACE_MIMALLOC_INCLUDE_DIR}")
  # A distribution's library also defines malloc and operator new. The first DT_NEEDED entry that defines a
  # symbol wins, so libstdc++ and libc go before it: without this, libstdc++ itself binds operator new to
  # mimalloc, and an unrelated C++ extension that frees with libc's crashes.
  # A module that is to have libstdc++ inside (see python/binding) takes all of these from there, for the same reason.
  set(operators "")
  foreach(kind w a)
    foreach(how "" St11align_val_t RKSt9nothrow_t St11align_val_tRKSt9nothrow_t)
      string(APPEND operators "$<COMMA>-u$<COMMA>_Zn${kind}m${how}")
    endforeach()
  endforeach()
  foreach(kind l a)
    foreach(how "" m St11align_val_t mSt11align_val_t RKSt9nothrow_t St11align_val_tRKSt9nothrow_t)
      string(APPEND operators "$<COMMA>-u$<COMMA>_Zd${kind}Pv${how}")
    endforeach()
  endforeach()
  string(
    CONCAT libstdcxx_first
           "$<IF:$<BOOL:$<TARGET_PROPERTY:MEMTRACE_HAS_LIBSTDCXX>>,"
           "${operators}$<COMMA>-Bstatic$<COMMA>-lstdc++$<COMMA>-Bdynamic"
           ",$<COMMA>--no-as-needed$<COMMA>-lstdc++>")
  target_link_libraries(
    memtrace_mimalloc
    INTERFACE "-Wl,--push-state${libstdcxx_first},--no-as-needed,-lc,${MEMTRACE_MIMALLOC_LIBRARY},--pop-state")
endif()
add_library(memtrace::mimalloc ALIAS memtrace_mimalloc)
