// From sites to frames: which code a site belongs to, and where in its file.
//
// Thread-safety: none; a TracerResolver guards it.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "snapshot/dictionary.h"
#include "src/intern/location.h"
#include "src/intern/tables.h"

namespace memtrace::snapshot {

class SiteDecoder {
 public:
  explicit SiteDecoder(const Tables& tables) : tables_(tables) {}

  // The frame of `site`, interned by `writer`, always the same one. Decoded once a site.
  FrameId frame(SiteId site, Dictionary::Writer& writer);

 private:
  CodeId code_of(SiteId site);

  const Tables& tables_;
  CodeId seen_ = 1;
  std::vector<std::pair<SiteId, CodeId>> codes_;  // by first site
  std::unordered_map<CodeId, LocationTable> locations_;
  std::unordered_map<SiteId, FrameId> frames_;
};

}  // namespace memtrace::snapshot
