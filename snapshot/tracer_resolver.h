// The Resolver over one era's tables, which it keeps alive.
//
// Thread-safety: resolve() serialises itself by the Dictionary's writer lock.
#pragma once

#include <cstdint>
#include <vector>

#include "snapshot/resolver.h"
#include "snapshot/site_decoder.h"
#include "src/tracer/era.h"

namespace memtrace::snapshot {

class TracerResolver final : public Resolver {
 public:
  // The ids of records come in two halves far apart (kThreadRecords); their numbers take one of each in turn.
  static constexpr RecordNumber number_of(RecordId record) noexcept {
    return (record << 1 | record >> (kRecordBits - 1)) & (kRecordLimit - 1);
  }
  static constexpr RecordId record_of(RecordNumber number) noexcept {
    return number >> 1 | (number & 1) << (kRecordBits - 1);
  }

  TracerResolver(SharedTables& tables, std::uint32_t nframe) : tables_(tables), nframe_(nframe), sites_(tables) {
    tables_.retain();
  }
  TracerResolver(const TracerResolver&) = delete;
  TracerResolver& operator=(const TracerResolver&) = delete;
  ~TracerResolver() override { tables_.release(); }

  void resolve(std::span<const RecordNumber> records, Dictionary& dictionary, std::span<ResolvedRecord> out) override;

 private:
  struct Known {
    bool done = false;
    ResolvedRecord record;
  };

  ResolvedRecord decode(RecordId record, Dictionary::Writer& writer);
  TracebackId traceback(const RecordKey& key, Dictionary::Writer& writer);

  SharedTables& tables_;
  const std::uint32_t nframe_;
  SiteDecoder sites_;
  std::vector<Known> known_;   // by number
  std::vector<SiteId> chain_;  // scratch
};

}  // namespace memtrace::snapshot
