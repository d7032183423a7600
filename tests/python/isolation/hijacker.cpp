// A library that takes over malloc and operator new the way an allocator's shared library does. Linked plainly
// to a neighbour it must show up in that neighbour's report: the control that keeps the other tests honest.
#include <cstddef>

extern "C" {
void* __libc_malloc(std::size_t size);
void __libc_free(void* block);

__attribute__((visibility("default"))) void* malloc(std::size_t size) { return __libc_malloc(size); }
__attribute__((visibility("default"))) void free(void* block) { __libc_free(block); }
}

__attribute__((visibility("default"))) void* operator new(std::size_t size) { return __libc_malloc(size); }
__attribute__((visibility("default"))) void* operator new[](std::size_t size) { return __libc_malloc(size); }
__attribute__((visibility("default"))) void operator delete(void* block) noexcept { __libc_free(block); }
__attribute__((visibility("default"))) void operator delete[](void* block) noexcept { __libc_free(block); }
__attribute__((visibility("default"))) void operator delete(void* block, std::size_t) noexcept { __libc_free(block); }
