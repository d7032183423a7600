#include "src/intern/code_table.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/fail_each.h"
#include "tests/support/threads.h"

using namespace memtrace;

namespace {

struct Fixture {
  std::unique_ptr<StringTable> strings = std::make_unique<StringTable>();
  std::unique_ptr<CodeTable> codes = std::make_unique<CodeTable>(*strings);
};

constexpr CodeView kView{"a.py", "f", "\x80\x00", 10, 7, 1};

}  // namespace

TEST_CASE("identical code is one entry, however often it comes") {
  Fixture fixture;
  const CodeId first = fixture.codes->intern(kView);
  REQUIRE(first != kNone);
  const std::size_t memory = fixture.codes->resident_bytes() + fixture.strings->resident_bytes();
  for (int i = 0; i < 100'000; ++i) REQUIRE(fixture.codes->intern(kView) == first);
  CHECK(fixture.codes->end() == first + 1);
  CHECK(fixture.codes->resident_bytes() + fixture.strings->resident_bytes() == memory);
}

TEST_CASE("what differs in anything is another code") {
  Fixture fixture;
  const CodeId first = fixture.codes->intern(kView);
  std::vector<CodeView> others(6, kView);
  others[0].filename = "b.py";
  others[1].qualname = "g";
  others[2].linetable = {"\x80\x01", 2};
  others[3].firstlineno = 11;
  others[4].units = 8;
  others[5].first_traceable = 2;
  for (const CodeView& other : others) {
    const CodeId id = fixture.codes->intern(other);
    CHECK(id != kNone);
    CHECK(id != first);
    CHECK(fixture.codes->intern(other) == id);
  }
}

TEST_CASE("an entry has all that was given") {
  Fixture fixture;
  const std::string linetable("\x80\x00\x91\x02\x03", 5);
  const Code& code = (*fixture.codes)[fixture.codes->intern({"a.py", "C.f", linetable, -3, 9, 4})];
  CHECK(fixture.strings->get(code.filename) == "a.py");
  CHECK(fixture.strings->get(code.qualname) == "C.f");
  CHECK(fixture.codes->linetable(code) == linetable);
  CHECK(code.firstlineno == -3);
  CHECK(code.units == 9);
  CHECK(code.first_traceable == 4);
}

TEST_CASE("codes have runs of sites that do not overlap, and site ids end") {
  Fixture fixture;
  SiteId next = 2;  // 0 is none, 1 unknown
  for (std::uint32_t i = 1; i < 200; ++i) {
    CodeView view = kView;
    view.units = i;
    const Code& code = (*fixture.codes)[fixture.codes->intern(view)];
    CHECK(code.base_site == next);
    next += i;
  }
  CodeView huge = kView;
  huge.units = kMaxCodeSites - next;
  CHECK(fixture.codes->intern(huge) == kNone);
  --huge.units;
  CHECK(fixture.codes->intern(huge) != kNone);
  huge.firstlineno = 1;
  CHECK(fixture.codes->intern(huge) == kNone);
}

TEST_CASE("whoever walks the entries while another thread makes them finds whole ones") {
  Fixture fixture;
  constexpr std::uint32_t kCodes = 5000;
  std::atomic<bool> good = true;
  test::run_together(2, [&](int thread) {
    CodeView view = kView;
    if (thread == 0) {
      for (view.units = 1; view.units <= kCodes; ++view.units) good = good && fixture.codes->intern(view) != kNone;
      return;
    }
    for (CodeId known = 1; known <= kCodes && good;) {
      if (known == fixture.codes->end() || fixture.codes->base_site(known) == kNone) continue;
      const Code& code = (*fixture.codes)[known];
      good = good && code.units == known && fixture.codes->linetable(code) == kView.linetable;
      ++known;
    }
  });
  CHECK(good);
}

TEST_CASE("a location table that is too long is left out") {
  Fixture fixture;
  const std::string linetable(ByteArena::kChunkSize + 1, '\x80');
  CodeView view = kView;
  view.linetable = linetable;
  const CodeId id = fixture.codes->intern(view);
  REQUIRE(id != kNone);
  CHECK(fixture.codes->linetable((*fixture.codes)[id]).empty());
  CHECK(fixture.codes->intern(view) == id);
}

TEST_CASE("a code for which there was no memory can be had later") {
  const auto needed = test::fail_each([](std::int64_t n) {
    Fixture fixture;
    CodeId id = kNone;
    {
      const test::Failing failing(n);
      id = fixture.codes->intern(kView);
    }
    CHECK((id != kNone) == (fault::failures.load() == 0));
    const CodeId again = fixture.codes->intern(kView);
    REQUIRE(again != kNone);
    CHECK((*fixture.codes)[again].units == kView.units);
  });
  CHECK(needed > 0);
}
