"""filter_traces() keeps the traces that tracemalloc keeps, in order."""

from __future__ import annotations

import random
import tracemalloc
from types import ModuleType
from typing import Any

import pytest
from both import FILENAMES, PATTERNS, assert_same, plain, random_frames, random_traces, snapshots

import memtrace

Recipe = tuple[str, tuple[Any, ...]]


def random_recipe(rng: random.Random) -> Recipe:
    if rng.random() < 0.2:
        return "DomainFilter", (rng.random() < 0.5, rng.choice((0, 1, 389047, 5)))
    return "Filter", (
        rng.random() < 0.6,
        rng.choice(PATTERNS),
        rng.choice((None, None, 0, 1, 2)),
        rng.random() < 0.4,
        rng.choice((None, None, None, 0, 1)),
    )


def kept(module: ModuleType, traces: list[Any], recipes: list[Recipe]) -> list[Any]:
    filters = [getattr(module, name)(*arguments) for name, arguments in recipes]
    return list(module.Snapshot(traces, 4).filter_traces(filters).traces._traces)


def test_random_filters(rng: random.Random) -> None:
    traces = random_traces(rng, 200)
    for _ in range(20):
        recipes = [random_recipe(rng) for _ in range(rng.randint(0, 4))]
        assert_same(lambda module, recipes=recipes: kept(module, traces, recipes))


def test_filters_of_filtered_snapshots(rng: random.Random) -> None:
    traces = random_traces(rng, 200)
    first, second = ([random_recipe(rng) for _ in range(rng.randint(1, 2))] for _ in range(2))

    def twice(module: ModuleType) -> Any:
        snapshot = module.Snapshot(traces, 4)
        for recipes in (first, second):
            snapshot = snapshot.filter_traces([getattr(module, name)(*args) for name, args in recipes])
        statistics = [plain(group) for group in snapshot.statistics("traceback")]
        return list(snapshot.traces._traces), statistics, snapshot.traceback_limit

    assert_same(twice)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("inclusive", [True, False])
def test_patterns(pattern: str, inclusive: bool) -> None:
    traces = [(0, 1, ((filename, 1),), 1) for filename in FILENAMES]
    assert_same(lambda module: kept(module, traces, [("Filter", (inclusive, pattern))]))


def random_pattern(rng: random.Random) -> str:
    return "".join(rng.choice("ab[]!-*?^\\é\x00.") for _ in range(rng.randint(0, 8)))


def test_random_patterns(rng: random.Random) -> None:
    names = ["".join(rng.choice("ab[]!-é\x00.") for _ in range(rng.randint(0, 6))) for _ in range(60)]
    traces = [(0, 1, ((name, 1),), 1) for name in names]
    for _ in range(40):
        pattern = random_pattern(rng)
        assert_same(lambda module, pattern=pattern: kept(module, traces, [("Filter", (True, pattern))]))


def test_single_frames_and_tracebacks(rng: random.Random) -> None:
    def matched(module: ModuleType, name: str, arguments: tuple[Any, ...], frames: Any) -> list[Any]:
        made = getattr(module, name)(*arguments)
        answers = [made._match((domain, 5, frames, 4)) for domain in (0, 1)]
        if name == "Filter":
            answers += [made._match_traceback(frames), *(made._match_frame(*frame) for frame in frames)]
        return answers

    for _ in range(60):
        (name, arguments), frames = random_recipe(rng), random_frames(rng)
        assert matched(memtrace, name, arguments, frames) == matched(tracemalloc, name, arguments, frames)


def test_values_that_only_python_compares(rng: random.Random) -> None:
    traces = random_traces(rng, 60)
    for arguments in (
        (True, "*.py", 1.0),
        (True, "*.py", "1"),
        (False, "*", True),
        (True, "*", None, "yes"),
        (1, "*", None, 0),
        (0, "a.py", None, []),
        (True, "*", None, False, 1.0),
        (True, "*", 2**70),
        (False, "*", -(2**63), False, 2**64),
    ):
        assert_same(lambda module, args=arguments: kept(module, traces, [("Filter", args)]))
    for arguments in ((True, None), (False, None), (True, 1.0), (False, 2**64), (False, -1)):
        assert_same(lambda module, args=arguments: kept(module, traces, [("DomainFilter", args)]))


def test_filters_of_ones_own(rng: random.Random) -> None:
    traces = random_traces(rng, 60)

    def filtered(module: ModuleType) -> Any:
        class Large(module.BaseFilter):  # type: ignore[misc]
            def _match(self, trace: Any) -> bool:
                return bool(trace[1] >= 100) ^ (not self.inclusive)

        class Never(module.Filter):  # type: ignore[misc]
            def _match(self, trace: Any) -> bool:
                return False

        snapshot = module.Snapshot(traces, 4)
        chosen = (
            [Large(True)],
            [Large(False)],
            [Large(True), module.Filter(False, "a.py")],
            [Never(True, "*")],
        )
        return [list(snapshot.filter_traces(filters).traces._traces) for filters in chosen]

    assert_same(filtered)


def test_changed_attributes_take_effect(rng: random.Random) -> None:
    traces = random_traces(rng, 60)

    def filtered(module: ModuleType) -> Any:
        changed = module.Filter(True, "*.py")
        changed.inclusive, changed.lineno, changed.all_frames, changed.domain = False, 2, True, 0
        return list(module.Snapshot(traces, 4).filter_traces([changed]).traces._traces)

    assert_same(filtered)


def test_no_filter_copies(rng: random.Random) -> None:
    both = snapshots(random_traces(rng, 20), limit=7)
    copied = both.ours.filter_traces([])
    assert copied is not both.ours
    assert copied.traces is not both.ours.traces
    assert copied.traces == both.ours.traces
    assert copied.traces._traces == both.stdlib.filter_traces([]).traces._traces
    assert copied.traceback_limit == 7


def test_any_iterable_serves(rng: random.Random) -> None:
    traces = random_traces(rng, 20)
    for collect in (
        list,
        tuple,
        set,
        frozenset,
        iter,
        lambda filters: (one for one in filters),
        dict.fromkeys,
    ):
        assert_same(
            lambda module, collect=collect: list(
                module.Snapshot(traces, 4).filter_traces(collect([module.Filter(True, "a.py")])).traces._traces
            )
        )


def test_what_is_no_filter_fails_alike() -> None:
    for call in (
        lambda module: module.Snapshot([], 1).filter_traces(module.Filter(True, "a")),
        lambda module: module.Snapshot([], 1).filter_traces(None),
        lambda module: module.Snapshot([], 1).filter_traces(5),
        lambda module: module.Snapshot([(0, 1, (("a", 1),), 1)], 1).filter_traces([5]),
        lambda module: module.Snapshot([(0, 1, (("a", 1),), 1)], 1).filter_traces("ab"),
        lambda module: module.Snapshot([], 1).filter_traces(),
        lambda module: module.Filter(),
        lambda module: module.Filter(True),
        lambda module: module.Filter(True, None),
        lambda module: module.Filter(True, 5),
        lambda module: module.Filter(True, b"a.py"),
        lambda module: module.Filter(True, "a", 1, True, 0, 5),
        lambda module: module.Filter(True, "a", linenumber=1),
        lambda module: module.DomainFilter(True),
        lambda module: module.DomainFilter(True, 1, 2),
        lambda module: module.BaseFilter(),
        lambda module: setattr(module.Filter(True, "a"), "filename_pattern", "b"),
        lambda module: setattr(module.DomainFilter(True, 1), "domain", 2),
        lambda module: module.Filter(True, "a")._match_frame(b"a", 1),
    ):
        assert_same(call)


def test_paths_as_patterns() -> None:
    from pathlib import Path

    for module in (tracemalloc, memtrace):
        assert module.Filter(True, Path("x/a.pyc")).filename_pattern == "x/a.py"
