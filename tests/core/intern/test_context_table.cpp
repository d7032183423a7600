#include "src/intern/context_table.h"

#include <catch2/catch_test_macros.hpp>
#include <memory>

using namespace memtrace;

TEST_CASE("a context has one id, and each of its parts makes another") {
  const auto table = std::make_unique<ContextTable>();
  const Context contexts[] = {{},
                              {.domain = 1},
                              {.generation = 1},
                              {.thread = 1},
                              {.label = 1},
                              {.owner = 1},
                              {.domain = 389047, .generation = 2, .thread = 3, .label = 4, .owner = 1}};
  for (const Context& context : contexts) CHECK(table->intern(context) != kNone);
  for (const Context& context : contexts) {
    const ContextId id = table->intern(context);
    CHECK((*table)[id] == context);
    for (const Context& other : contexts) CHECK((table->intern(other) == id) == (other == context));
  }
}
