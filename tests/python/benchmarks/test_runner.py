"""The stand-in for pyperf runs the wanted benchmark, with the given loops, and no other."""

from collections.abc import Callable

import pytest
from benchmarks.harness.measure import Measurement
from benchmarks.programs.runner import Runner


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    values: list[object] = []

    def measure(workload: Callable[[], object], **_options: object) -> Measurement:
        values.append(workload())
        return Measurement(0.0, 0.0, 0, 0, {}, 0, {})

    monkeypatch.setattr(Runner, "wanted", "wanted", raising=False)
    monkeypatch.setattr(Runner, "loops", 3, raising=False)
    monkeypatch.setattr(Runner, "measure", staticmethod(measure), raising=False)
    monkeypatch.setattr(Runner, "result", None)
    return values


def test_function(seen: list[object]):
    calls: list[int] = []
    Runner().bench_func("wanted", lambda number: calls.append(number) or len(calls), 7, inner_loops=5)
    assert (calls, seen) == ([7, 7, 7], [3])


def test_timed_function(seen: list[object]):
    Runner(add_cmdline_args=None).bench_time_func("wanted", lambda loops, x: loops * x, 2.0)
    assert seen == [6.0]


def test_coroutine_function(seen: list[object]):
    calls: list[int] = []

    async def benchmark() -> int:
        calls.append(1)
        return len(calls)

    Runner().bench_async_func("wanted", benchmark)
    assert seen == [3]


def test_other_benchmarks_are_passed_over(seen: list[object]):
    Runner().bench_func("other", lambda: pytest.fail("ran"))
    assert (seen, Runner.result) == ([], None)


def test_options_of_the_program():
    runner = Runner()
    runner.argparser.add_argument("--size", type=int, default=1)
    assert runner.parse_args(["--size", "5"]).size == 5
    assert runner.args.size == 5
