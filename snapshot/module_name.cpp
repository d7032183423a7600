#include "snapshot/module_name.h"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace memtrace::snapshot {

namespace {

constexpr std::string_view kFrozen = "<frozen ";

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "python3.13", "python3.13t", "pypy3.10"
bool is_version_folder(std::string_view name) {
  for (const std::string_view prefix : {std::string_view("python3."), std::string_view("pypy3.")}) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    if (name.ends_with('t')) name.remove_suffix(1);
    return all_digits(name);
  }
  return false;
}

// What is below the last folder from which Python imports, when one can be told from its name.
std::optional<std::string_view> below_import_root(std::string_view path) {
  std::size_t root = std::string_view::npos;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = path.find('/', begin);
    if (end == std::string_view::npos) break;
    const std::string_view folder = path.substr(begin, end - begin);
    if (folder == "site-packages" || folder == "dist-packages" || folder == "lib-dynload" ||
        is_version_folder(folder)) {
      root = end + 1;
    }
    begin = end + 1;
  }
  if (root == std::string_view::npos) return std::nullopt;
  return path.substr(root);
}

void drop_suffix(std::string_view& path, std::string_view suffix) {
  if (path.ends_with(suffix)) path.remove_suffix(suffix.size());
}

}  // namespace

std::string module_name(std::string_view filename) {
  std::string_view path = filename;
  if (path.starts_with('<')) {
    if (path.starts_with(kFrozen) && path.ends_with('>')) {
      path.remove_prefix(kFrozen.size());
      path.remove_suffix(1);
    }
    return std::string(path);
  }
  if (path.ends_with(".pyc")) path.remove_suffix(1);
  drop_suffix(path, ".py");
  if (path != "/__init__") drop_suffix(path, "/__init__");

  if (const auto below = below_import_root(path)) {
    path = *below;
  } else if (path.starts_with('/')) {
    return std::string(path);
  }
  while (path.starts_with("./")) path.remove_prefix(2);
  if (path.empty()) return std::string(filename);
  std::string name(path);
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

}  // namespace memtrace::snapshot
