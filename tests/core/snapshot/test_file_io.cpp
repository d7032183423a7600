#include "snapshot/file_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "snapshot/format.h"
#include "tests/core/snapshot/model.h"

using namespace memtrace::snapshot;
namespace fs = std::filesystem;

namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "memtrace-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
};

int error_of(auto&& action) {
  try {
    action();
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

}  // namespace

TEST_CASE("files are written whole and leave nothing else behind") {
  const Folder folder;
  const std::string path = folder.file("x");
  write_file(path, bytes_of("first, longer"));
  write_file(path, bytes_of("second"));
  CHECK(read_file(path) == bytes_of("second"));
  write_file(path, {});
  CHECK(read_file(path).empty());
  CHECK(folder.entries() == 1);
}

TEST_CASE("permissions are those of umask, or of the file that was there") {
  const Folder folder;
  const std::string path = folder.file("x");
  const mode_t before = ::umask(027);
  write_file(path, bytes_of("1"));
  ::umask(before);
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
  REQUIRE(::chmod(path.c_str(), 0604) == 0);
  write_file(path, bytes_of("2"));
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0604);
}

TEST_CASE("a symbolic link is followed") {
  const Folder folder;
  write_file(folder.file("real"), bytes_of("1"));
  fs::create_symlink("real", folder.file("link"));
  write_file(folder.file("link"), bytes_of("2"));
  CHECK(fs::is_symlink(folder.file("link")));
  CHECK(read_file(folder.file("real")) == bytes_of("2"));
}

TEST_CASE("a pipe is written and read directly") {
  const Folder folder;
  const std::string path = folder.file("pipe");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const std::vector<std::byte> content(300000, std::byte{7});
  std::thread writer([&] { write_file(path, content); });
  CHECK(read_file(path) == content);
  writer.join();
  CHECK(fs::is_fifo(path));
}

TEST_CASE("errors carry errno") {
  const Folder folder;
  CHECK(error_of([&] { read_file(folder.file("none")); }) == ENOENT);
  CHECK(error_of([&] { write_file(folder.file("none/x"), {}); }) == ENOENT);
  CHECK(error_of([&] { read_file(folder.path.string()); }) == EISDIR);
  CHECK(error_of([&] { write_file(folder.path.string(), {}); }) == EISDIR);
  CHECK(error_of([&] { write_file("/dev/full", bytes_of("x")); }) == ENOSPC);
  CHECK(folder.entries() == 0);
}

TEST_CASE("dump and load") {
  const Folder folder;
  model::Random random(2);
  const model::Traces traces = random.traces(100);
  dump(model::build(traces, 9), folder.file("snapshot"));
  const Snapshot loaded = load(folder.file("snapshot"));
  CHECK(model::traces_of(loaded) == traces);
  CHECK(loaded.traceback_limit() == 9);
}
