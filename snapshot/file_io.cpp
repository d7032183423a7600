#include "snapshot/file_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace memtrace::snapshot {

namespace {

[[noreturn]] void fail(int error, const std::string& path) {
  throw std::system_error(error, std::generic_category(), path);
}

class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { close(); }

  bool is_open() const noexcept { return fd_ >= 0; }
  int fd() const noexcept { return fd_; }

  // Some file systems report a failed write only here.
  bool close() noexcept {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0 || errno == EINTR;
  }

 private:
  int fd_;
};

bool write_all(File& file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.fd(), bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return false;
    }
  }
  return file.close();
}

void write_in_place(const std::string& path, std::span<const std::byte> bytes) {
  File file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.is_open() || !write_all(file, bytes)) fail(errno, path);
}

// A rename would replace a symbolic link itself.
std::string without_links(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : path;
}

struct Temporary {
  std::string path;
  File file;
};

// A new file in the folder of `target`, with the permissions that umask gives.
std::optional<Temporary> make_temporary(const std::string& target) {
  static std::atomic<unsigned> next{0};
  const std::size_t slash = target.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : target.substr(0, slash + 1);
  for (;;) {
    std::string path =
        folder + ".memtrace-" + std::to_string(::getpid()) + "-" + std::to_string(next.fetch_add(1)) + ".tmp";
    File file(path, O_WRONLY | O_CREAT | O_EXCL);
    if (file.is_open()) return Temporary{std::move(path), std::move(file)};
    if (errno != EEXIST) return std::nullopt;
  }
}

}  // namespace

std::vector<std::byte> read_file(const std::string& path) {
  constexpr std::size_t kStep = 1 << 16;
  const File file(path, O_RDONLY);
  struct stat status{};
  if (!file.is_open() || ::fstat(file.fd(), &status) != 0) fail(errno, path);
  // One byte more than the size, so that the end is seen without growing; pipes grow as they are read.
  std::vector<std::byte> bytes(S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) + 1 : kStep);
  for (std::size_t size = 0;;) {
    if (size == bytes.size()) bytes.resize(bytes.size() + std::max(bytes.size() / 2, kStep));
    const ssize_t got = ::read(file.fd(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(errno, path);
    if (got == 0) {
      bytes.resize(size);
      return bytes;
    }
    size += static_cast<std::size_t>(got);
  }
}

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  struct stat status{};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) return write_in_place(path, bytes);
  const std::string target = without_links(path);
  std::optional<Temporary> temporary = make_temporary(target);
  if (!temporary) return write_in_place(path, bytes);
  // Best effort: only the owner may, and the content matters more.
  if (exists) static_cast<void>(::fchmod(temporary->file.fd(), status.st_mode & 07777) == 0);
  if (!write_all(temporary->file, bytes) || ::rename(temporary->path.c_str(), target.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary->path.c_str());
    fail(error, path);
  }
}

}  // namespace memtrace::snapshot
