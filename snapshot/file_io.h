// Whole files. Errors are std::system_error with errno. Paths are in the file system's encoding.
// Thread-safety: pure functions; two writers of one path leave the file of one of them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace memtrace::snapshot {

std::vector<std::byte> read_file(const std::string& path);

// See dump() in format.h. Keeps the permissions of a file that exists. Where the folder may not be written to but the
// file may, it is written in place. Not synced to the disk.
void write_file(const std::string& path, std::span<const std::byte> bytes);

}  // namespace memtrace::snapshot
