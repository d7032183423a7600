// Import slots of ELF objects: the entries of their global offset tables that the dynamic loader has filled in.
//
// Reads what the loader itself reads (the dynamic section of each loaded object) under the loader's own lock. Source:
// System V ABI, chapter 5 (dynamic section, relocations), and the processor supplements for x86-64 and AArch64.
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "src/mem/os.h"

namespace memtrace::os {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kJumpSlot = R_X86_64_JUMP_SLOT;
constexpr std::uint32_t kGlobalData = R_X86_64_GLOB_DAT;
constexpr std::uint32_t kAbsolute = R_X86_64_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kJumpSlot = R_AARCH64_JUMP_SLOT;
constexpr std::uint32_t kGlobalData = R_AARCH64_GLOB_DAT;
constexpr std::uint32_t kAbsolute = R_AARCH64_ABS64;
#else
#error "import slots: this processor's relocation types are not known here"
#endif

using Address = std::uintptr_t;

// What one loaded object imports.
struct Object {
  Address base;
  const dl_phdr_info* info;
  const ElfW(Sym) * symbols = nullptr;
  const char* strings = nullptr;
  const ElfW(Rela) * tables[2] = {};
  std::size_t sizes[2] = {};  // of the tables, in bytes

  explicit Object(const dl_phdr_info& loaded) noexcept : base(loaded.dlpi_addr), info(&loaded) {
    for (int i = 0; i < loaded.dlpi_phnum; ++i)
      if (loaded.dlpi_phdr[i].p_type == PT_DYNAMIC)
        read(reinterpret_cast<const ElfW(Dyn)*>(base + loaded.dlpi_phdr[i].p_vaddr));
  }

  // Whether it has all that is needed to name its imports.
  explicit operator bool() const noexcept { return symbols != nullptr && strings != nullptr; }

  bool contains(Address address) const noexcept {
    for (int i = 0; i < info->dlpi_phnum; ++i) {
      const ElfW(Phdr) & header = info->dlpi_phdr[i];
      if (header.p_type == PT_LOAD && address - (base + header.p_vaddr) < header.p_memsz) return true;
    }
    return false;
  }

  // Whether the loader makes the slot read-only once it is filled in.
  bool is_sealed(Address slot) const noexcept {
    for (int i = 0; i < info->dlpi_phnum; ++i) {
      const ElfW(Phdr) & header = info->dlpi_phdr[i];
      if (header.p_type == PT_GNU_RELRO && slot - (base + header.p_vaddr) < header.p_memsz) return true;
    }
    return false;
  }

 private:
  void read(const ElfW(Dyn) * entry) noexcept {
    // glibc has made these absolute; musl, and the kernel's own object, leave them relative.
    const auto absolute = [this](Address pointer) { return contains(pointer) ? pointer : base + pointer; };
    for (; entry->d_tag != DT_NULL; ++entry) {
      const Address pointer = entry->d_un.d_ptr;
      switch (entry->d_tag) {
        case DT_SYMTAB:
          symbols = reinterpret_cast<const ElfW(Sym)*>(absolute(pointer));
          break;
        case DT_STRTAB:
          strings = reinterpret_cast<const char*>(absolute(pointer));
          break;
        case DT_JMPREL:
          tables[0] = reinterpret_cast<const ElfW(Rela)*>(absolute(pointer));
          break;
        case DT_PLTRELSZ:
          sizes[0] = entry->d_un.d_val;
          break;
        case DT_RELA:
          tables[1] = reinterpret_cast<const ElfW(Rela)*>(absolute(pointer));
          break;
        case DT_RELASZ:
          sizes[1] = entry->d_un.d_val;
          break;
        default:
          break;
      }
    }
  }
};

// Whether the page of `address` can be written to, from /proc/self/maps. False when that cannot be told.
bool is_writable(Address address) noexcept {
  const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  // A line is "first-last rwxp …\n", in hexadecimal, in address order.
  Address bounds[2] = {};
  unsigned field = 0;
  bool writable = false;
  bool found = false;
  char buffer[4096];
  for (ssize_t size; !found && (size = ::read(file, buffer, sizeof buffer)) > 0;) {
    for (ssize_t i = 0; i < size && !found; ++i) {
      const char c = buffer[i];
      if (c == '\n') {
        field = 0;
        bounds[0] = bounds[1] = 0;
      } else if (field < 2) {
        if (c == '-' || c == ' ')
          ++field;
        else
          bounds[field] = bounds[field] << 4 | static_cast<Address>(c <= '9' ? c - '0' : c - 'a' + 10);
      } else if (field == 2) {
        // 'r', then the flag that is asked for.
        field = 3;
      } else if (field == 3) {
        field = 4;
        found = bounds[0] <= address && address < bounds[1];
        writable = c == 'w';
      }
    }
  }
  close(file);
  return found && writable;
}

void set_slot(const Object& object, Address slot, const void* value) noexcept {
  auto* const word = reinterpret_cast<const void**>(slot);
  // A sealed slot that is still writable belongs to an object that is being loaded: the loader will seal it, and must
  // find it writable until then.
  const bool seal = object.is_sealed(slot) && !is_writable(slot);
  void* const page = reinterpret_cast<void*>(slot & ~(page_size() - 1));
  if (seal && mprotect(page, page_size(), PROT_READ | PROT_WRITE) != 0) return;
  std::atomic_ref(*word).store(value, std::memory_order_release);
  if (seal) mprotect(page, page_size(), PROT_READ);
}

struct Request {
  std::span<const Redirection> redirections;
  Address except;
  bool active;
};

void redirect_slot(const Object& object, const Redirection& redirection, Address slot, bool active) noexcept {
  const auto* const now = *reinterpret_cast<const void* const*>(slot);
  if (active) {
    // Before the first call the slot leads to a stub of the object's own, which has the loader look the name up.
    // Anything else is somebody else's redirection, and stays.
    const bool unbound = object.contains(reinterpret_cast<Address>(now));
    if (now == redirection.original || unbound) set_slot(object, slot, redirection.replacement);
  } else if (now == redirection.replacement) {
    set_slot(object, slot, redirection.original);
  }
}

void redirect_object(const Object& object, const Request& request) noexcept {
  for (int table = 0; table < 2; ++table) {
    const ElfW(Rela)* const first = object.tables[table];
    if (first == nullptr) continue;
    for (const ElfW(Rela)* entry = first; entry != first + object.sizes[table] / sizeof *first; ++entry) {
      const auto type = static_cast<std::uint32_t>(ELF64_R_TYPE(entry->r_info));
      if (type != kJumpSlot && type != kGlobalData && (type != kAbsolute || entry->r_addend != 0)) continue;
      const ElfW(Sym) & symbol = object.symbols[ELF64_R_SYM(entry->r_info)];
      if (symbol.st_shndx != SHN_UNDEF) continue;
      const char* const name = object.strings + symbol.st_name;
      for (const Redirection& redirection : request.redirections)
        if (std::strcmp(name, redirection.name) == 0)
          redirect_slot(object, redirection, object.base + entry->r_offset, request.active);
    }
  }
}

}  // namespace

void redirect_imports(std::span<const Redirection> redirections, const void* except, bool active) noexcept {
  Request request{redirections, reinterpret_cast<Address>(except), active};
  const auto visit = [](dl_phdr_info* info, std::size_t, void* argument) {
    const Request& asked = *static_cast<const Request*>(argument);
    const Object object(*info);
    if (object && !object.contains(asked.except)) redirect_object(object, asked);
    return 0;
  };
  dl_iterate_phdr(visit, &request);
}

std::uint64_t loaded_objects() noexcept {
  std::uint64_t loaded = 0;
  const auto visit = [](dl_phdr_info* info, std::size_t, void* argument) {
    *static_cast<std::uint64_t*>(argument) = info->dlpi_adds;
    return 1;
  };
  dl_iterate_phdr(visit, &loaded);
  return loaded;
}

}  // namespace memtrace::os
