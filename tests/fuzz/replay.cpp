// Runs a fuzz target over its committed corpus, and over mutations of it from fixed seeds, without libFuzzer.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

std::vector<Input> corpus() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(MEMTRACE_FUZZ_CORPUS)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Input> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

void run(const Input& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

// A few changes of the kinds that break readers: bytes, extremes, and pieces taken out, doubled or put in from
// elsewhere.
Input mutate(Input input, const std::vector<Input>& others, std::mt19937& random) {
  const auto below = [&](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  const auto at = [](auto& bytes, std::size_t offset) { return bytes.begin() + static_cast<std::ptrdiff_t>(offset); };
  for (std::size_t changes = 1 + below(4); changes-- > 0;) {
    const std::size_t begin = 1 + below(input.size() - 1), length = std::min(input.size() - begin, below(9));
    switch (below(5)) {
      case 0:
        if (begin < input.size()) input[begin] = static_cast<std::uint8_t>(random());
        break;
      case 1:
        std::fill(at(input, begin), at(input, begin + length), static_cast<std::uint8_t>(random() % 2 != 0 ? 0xFF : 0));
        break;
      case 2:
        input.erase(at(input, begin), at(input, begin + length));
        break;
      case 3: {
        const Input piece(at(input, begin), at(input, begin + length));
        input.insert(at(input, begin), piece.begin(), piece.end());
        break;
      }
      default: {
        const Input& other = others[below(others.size())];
        const std::size_t from = below(other.size()), size = std::min(other.size() - from, below(64));
        input.insert(at(input, begin), at(other, from), at(other, from + size));
      }
    }
    if (input.size() < 2) return input;
  }
  return input;
}

}  // namespace

TEST_CASE("the corpus is replayed") {
  const std::vector<Input> inputs = corpus();
  REQUIRE(inputs.size() >= 5);
  for (const Input& input : inputs) run(input);
  run({});
}

TEST_CASE("mutations of the corpus are replayed") {
  const std::vector<Input> inputs = corpus();
  for (std::uint32_t seed = 0; seed < 20000; ++seed) {
    std::mt19937 random(seed);
    run(mutate(inputs[seed % inputs.size()], inputs, random));
  }
}
