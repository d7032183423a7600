#include "src/base/check.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <string>

namespace {

struct Death {
  int signal = 0;  // 0: it did not die of one
  std::string error;
};

// Runs `work` in a child and tells what it wrote to standard error and how it ended.
template <typename Work>
Death run_in_child(Work&& work) {
  int channel[2];
  REQUIRE(pipe(channel) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(channel[1], STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);
    work();
    _exit(0);
  }
  close(channel[1]);
  Death death;
  char piece[256];
  for (ssize_t n = 0; (n = read(channel[0], piece, sizeof piece)) > 0;)
    death.error.append(piece, static_cast<std::size_t>(n));
  close(channel[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) death.signal = WTERMSIG(status);
  return death;
}

}  // namespace

TEST_CASE("a check that holds does nothing") {
  const Death death = run_in_child([] { MT_CHECK(1 + 1 == 2); });
  CHECK(death.signal == 0);
  CHECK(death.error.empty());
}

TEST_CASE("a check that fails names itself and aborts") {
  const Death death = run_in_child([] { MT_CHECK(1 + 1 == 3); });
  CHECK(death.signal == SIGABRT);
  CHECK(death.error.starts_with("memtrace: check failed: 1 + 1 == 3 ("));
  CHECK(death.error.find("test_check.cpp:") != std::string::npos);
  CHECK(death.error.ends_with(")\n"));
}

TEST_CASE("a long condition is cut, not written past the end") {
  const std::string condition(2000, 'c');
  const Death death = run_in_child([&] { memtrace::check_failed(condition.c_str(), "file.cpp", 1); });
  CHECK(death.signal == SIGABRT);
  CHECK(death.error.size() == 511);
  CHECK(death.error.ends_with("ccc"));
}

TEST_CASE("an assertion evaluates its condition in debug builds only") {
  int evaluated = 0;
  MT_ASSERT(++evaluated > 0);
  MT_EXPENSIVE(++evaluated > 0);
#ifdef NDEBUG
  CHECK(evaluated == 0);
#else
  CHECK(evaluated == 2);
#endif
}
