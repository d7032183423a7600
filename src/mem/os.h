// What the tracer needs of the operating system: the whole contract, in one header.
//
// No function throws (but for what it calls), allocates through malloc, or takes a lock of ours. Sizes and addresses of mappings are multiples
// of page_size(). A null result means that the memory could not be had; the caller drops and counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace memtrace::os {

std::size_t page_size() noexcept;

// Zeroed, private, readable and writable memory, committed page by page at first touch and never in huge pages (a huge
// page would commit 2 MiB for the sake of one slot). Costs address space at once and memory only when touched.
void* map(std::size_t size) noexcept;
// pre: `address`, `size` are those of one map().
void unmap(void* address, std::size_t size) noexcept;
// Commits the whole pages in [address, address + size), any writable memory that is about to be written all over:
// cheaper at once than one by one. Does nothing where the system cannot.
void commit(void* address, std::size_t size) noexcept;
// Bytes of [address, address + size) that are backed by memory now. pre: a range inside one map().
std::size_t resident_bytes(const void* address, std::size_t size) noexcept;
// Calls visit(first, last) for each run of pages that are backed by memory, in address order; the others read as zero.
// pre: as resident_bytes(). Throws what `visit` throws.
void for_each_resident(const void* address, std::size_t size, void* context,
                       void (*visit)(void* context, const char* first, const char* last));

// The kernel's number of the calling thread, as debuggers and `threading.get_native_id()` show it.
std::uint64_t native_thread_id() noexcept;
// What the system calls the calling thread, filled up with zeros; all zeros when it has no names.
using ThreadName = std::array<char, 16>;
ThreadName thread_name() noexcept;
// Calls `on_exit(value)` when the calling thread ends, as late as the system allows: thread-local destructors of the
// traced program may still allocate. False when it cannot be arranged.
bool at_thread_exit(void (*on_exit)(void*), void* value) noexcept;

// Runs the three around every fork() of this process: `prepare` and `parent` in the forking thread before and after,
// `child` in the child's only thread. Each call adds three.
bool at_fork(void (*prepare)(), void (*parent)(), void (*child)()) noexcept;

void yield() noexcept;

// A function that loaded libraries import by name, and what they are to call in its place.
struct Redirection {
  const char* name;
  const void* original;
  const void* replacement;
};

// Redirects the imports of all libraries that are loaded now, but for the one that contains `except`; or, when not
// `active`, lets them call the originals again. An import that somebody else has redirected stays as it is. Waits for
// nobody but the dynamic loader; one call at a time.
void redirect_imports(std::span<const Redirection> redirections, const void* except, bool active) noexcept;
// How many libraries have ever been loaded: when it changes there are new imports.
std::uint64_t loaded_objects() noexcept;

}  // namespace memtrace::os
