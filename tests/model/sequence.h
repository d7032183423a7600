// Random sequences of operations on a structure and on a dumb model of it.
//
// A World holds both. A sequence that makes them differ is shortened to what is needed for it and printed as C++, ready
// to become a test.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/random.h"

namespace memtrace::test {

// World has
//   using Operation, with `std::string code() const`: the member call of World that it stands for;
//   static Operation random(Random&);
//   std::string apply(const Operation&): how structure and model differ after it; empty when they agree.
template <typename World>
class Sequences {
 public:
  using Operation = typename World::Operation;

  // Runs sequences of `length` operations for seeds 1 to `seeds`.
  static void check(std::uint64_t seeds, std::size_t length) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      Random random(seed);
      std::vector<Operation> operations;
      for (std::size_t i = 0; i < length; ++i) operations.push_back(World::random(random));
      if (!difference(operations).empty()) report(seed, std::move(operations));
    }
    SUCCEED();
  }

 private:
  // What differs first; `operations` then ends with what made the difference.
  static std::string difference(std::vector<Operation>& operations) {
    World world;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      std::string found = world.apply(operations[i]);
      if (found.empty()) continue;
      operations.resize(i + 1);
      return found;
    }
    return {};
  }

  static void report(std::uint64_t seed, std::vector<Operation> operations) {
    std::string found = difference(operations);
    for (std::size_t i = operations.size(); i-- > 0;) {
      std::vector<Operation> shorter = operations;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
      std::string still = difference(shorter);
      if (still.empty()) continue;
      operations = std::move(shorter);
      found = std::move(still);
      i = std::min(i, operations.size());
    }
    std::string code = "  World world;\n";
    for (const Operation& operation : operations) code += "  CHECK(world." + operation.code() + " == \"\");\n";
    FAIL("seed " << seed << ": " << found << "\n" << code);
  }
};

}  // namespace memtrace::test
