#include "src/base/types.h"

#include <catch2/catch_test_macros.hpp>

using namespace memtrace;

TEST_CASE("the halves of the record ids do not meet") {
  CHECK_FALSE(is_thread_record(kNone));
  CHECK_FALSE(is_thread_record(1));
  CHECK_FALSE(is_thread_record(kThreadRecords - 1));
  CHECK(is_thread_record(kThreadRecords));
  CHECK(is_thread_record(kRecordLimit - 1));
  CHECK(kThreadRecords * 2 == kRecordLimit);
}
