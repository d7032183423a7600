"""Frame, Traceback, Trace, Statistic and StatisticDiff show, compare and hash as tracemalloc's do."""

from __future__ import annotations

import copy
import itertools
import operator
import pickle
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from both import FILENAMES, assert_same, random_frames, random_traces

import memtrace

MODULES = (tracemalloc, memtrace)
COMPARISONS = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge)


def make_frames(module: ModuleType, rng: random.Random) -> list[Any]:
    return [module.Frame((rng.choice(FILENAMES), rng.randint(0, 3))) for _ in range(12)]


def make_tracebacks(module: ModuleType, rng: random.Random) -> list[Any]:
    return [module.Traceback(random_frames(rng), rng.choice((None, 0, 4))) for _ in range(12)]


def make_traces(module: ModuleType, rng: random.Random) -> list[Any]:
    return [module.Trace(trace) for trace in random_traces(rng, 12)]


def make_statistics(module: ModuleType, rng: random.Random) -> list[Any]:
    sizes = (0, 1, 99, 100, 10239, 10240, 102399, 2**20, 2**30, 2**40, 2**50, 2**63)
    return [
        module.Statistic(module.Traceback(random_frames(rng)), rng.choice(sizes), rng.choice((0, 1, 3)))
        for _ in range(12)
    ]


def make_differences(module: ModuleType, rng: random.Random) -> list[Any]:
    sizes = (0, 1, -1, 99, -100, 10240, -10239, 102399, -(2**20), 2**50, -(2**63))
    return [
        module.StatisticDiff(
            module.Traceback(random_frames(rng)),
            abs(rng.choice(sizes)),
            rng.choice(sizes),
            rng.choice((0, 1, 3)),
            rng.choice((0, 2, -2)),
        )
        for _ in range(12)
    ]


MAKERS = (make_frames, make_tracebacks, make_traces, make_statistics, make_differences)


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__.removeprefix("make_"))
def pairs(request: pytest.FixtureRequest, rng: random.Random) -> list[tuple[Any, Any]]:
    state = rng.getstate()
    theirs = request.param(tracemalloc, rng)
    rng.setstate(state)
    return list(zip(theirs, request.param(memtrace, rng), strict=True))


def test_text_and_hash(pairs: list[tuple[Any, Any]]) -> None:
    for theirs, ours in pairs:
        assert (str(ours), repr(ours), hash(ours)) == (str(theirs), repr(theirs), hash(theirs))


def test_comparisons(pairs: list[tuple[Any, Any]]) -> None:
    def compared(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        try:
            return compare(left, right)
        except TypeError as error:
            return str(error)

    for left, right in itertools.product(pairs, pairs):
        for compare in COMPARISONS:
            assert compared(compare, left[1], right[1]) == compared(compare, left[0], right[0])


def test_foreign_values_are_different(pairs: list[tuple[Any, Any]]) -> None:
    for theirs, ours in pairs:
        assert ours != theirs
        assert ours.__eq__(1) is NotImplemented


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(pairs: list[tuple[Any, Any]], protocol: int) -> None:
    for theirs, ours in pairs:
        again = pickle.loads(pickle.dumps(ours, protocol))
        assert again == ours
        assert type(again) is type(ours)
        assert (repr(again), hash(again)) == (repr(theirs), hash(theirs))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies(pairs: list[tuple[Any, Any]], duplicate: Callable[[Any], Any]) -> None:
    for theirs, ours in pairs:
        again = duplicate(ours)
        assert again == ours
        assert again is not ours
        assert repr(again) == repr(theirs)


def test_attributes_can_be_assigned_where_they_can_there(pairs: list[tuple[Any, Any]]) -> None:
    theirs, ours = pairs[0]
    for name in dir(theirs):
        if name.startswith("_"):
            continue

        def assign(value: Any, name: str = name) -> type | None:
            try:
                setattr(value, name, getattr(value, name))
            except Exception as error:
                return type(error)
            return None

        assert assign(ours) == assign(theirs), name


def test_no_other_attribute_can_be_set(pairs: list[tuple[Any, Any]]) -> None:
    for theirs, ours in pairs:
        for value in (theirs, ours):
            # A Traceback of either module has a __dict__ or not, as the abstract base class has.
            if hasattr(theirs, "__dict__"):
                continue
            with pytest.raises(AttributeError):
                value.another = 1


def test_indexing(rng: random.Random) -> None:
    frames = random_frames(rng)
    for index in (
        *range(-6, 6),
        slice(None),
        slice(1),
        slice(-1),
        slice(None, None, -1),
        slice(3, 1),
        "x",
        1.0,
        None,
    ):
        assert_same(lambda module, index=index: repr(module.Traceback(frames)[index]))
        assert_same(lambda module, index=index: repr(module.Snapshot([(0, 1, frames, 4)] * 3, 1).traces[index]))


def test_containment(rng: random.Random) -> None:
    frames, others = random_frames(rng), random_frames(rng)
    for frame in (*frames, *others):
        assert_same(lambda module, frame=frame: module.Frame(frame) in module.Traceback(frames))
        assert_same(lambda module, frame=frame: frame in module.Traceback(frames))
    traces = random_traces(rng, 5)
    for trace in (*traces, *random_traces(rng, 5)):
        assert_same(lambda module, trace=trace: module.Trace(trace) in module.Snapshot(traces, 1).traces)
        assert_same(lambda module, trace=trace: trace in module.Snapshot(traces, 1).traces)


def test_sequence_methods(rng: random.Random) -> None:
    frames = random_frames(rng)
    traces = random_traces(rng, 9)
    for position in range(len(traces)):
        assert_same(lambda module, at=position: module.Snapshot(traces, 1).traces.index(module.Trace(traces[at])))
        assert_same(lambda module, at=position: module.Snapshot(traces, 1).traces.count(module.Trace(traces[at])))
    assert_same(lambda module: repr(list(reversed(module.Snapshot(traces, 1).traces))))
    assert_same(lambda module: repr(list(reversed(module.Traceback(frames)))))
    assert_same(lambda module: repr(module.Snapshot(traces, 1).traces))
    assert_same(lambda module: module.Traceback(frames).index(module.Frame(frames[0])))


def test_equality_of_traces(rng: random.Random) -> None:
    traces = random_traces(rng, 9)
    shuffled = rng.sample(traces, 9)

    def equal(module: ModuleType, left: Any, right: Any) -> bool:
        return bool(module.Snapshot(left, 1).traces == module.Snapshot(right, 1).traces)

    assert_same(lambda module: equal(module, traces, traces))
    assert_same(lambda module: equal(module, traces, shuffled))
    assert_same(lambda module: equal(module, traces, traces[1:]))
    assert_same(lambda module: module.Snapshot(traces, 1).traces == traces)
    assert_same(lambda module: hash(module.Snapshot(traces, 1).traces))


@pytest.mark.parametrize("most_recent_first", [False, True])
@pytest.mark.parametrize("limit", [None, 0, 1, 2, 3, 9, -1, -2, -3, -9])
def test_format(tmp_path: Path, limit: int | None, most_recent_first: bool) -> None:
    source = tmp_path / "source.py"
    source.write_text("first = 1\n    second = 2\n\nfourth = 4\n")
    frames = ((str(source), 1), (str(source), 2), (str(source), 3), ("gone.py", 4), (str(source), 99))
    assert_same(lambda module: module.Traceback(frames).format(limit, most_recent_first))
    assert_same(lambda module: module.Traceback(frames).format(limit=limit, most_recent_first=most_recent_first))
    assert_same(lambda module: module.Traceback(()).format(limit, most_recent_first))


def test_values_of_the_wrong_shape_fail_alike() -> None:
    for call in (
        lambda module: module.Frame(),
        lambda module: module.Frame(("a.py", 1), 2),
        lambda module: module.Frame(5).filename,
        lambda module: repr(module.Frame(("a.py",))),
        lambda module: module.Traceback(),
        lambda module: module.Traceback(5),
        lambda module: str(module.Traceback(())),
        lambda module: module.Traceback((("a.py", 1),)) < 1,
        lambda module: module.Frame(("a.py", 1)) >= 1,
        lambda module: module.Trace(),
        lambda module: module.Trace((0, 1)).traceback,
        lambda module: module.Trace((0,)).size,
        lambda module: module.Statistic(),
        lambda module: module.Statistic(None, 1),
        lambda module: str(module.Statistic("here", 5, 2)),
        lambda module: str(module.Statistic("here", 1.5, 2.9)),
        lambda module: repr(module.Statistic("here", 1.5, 2.9)),
        lambda module: str(module.Statistic("here", "x", 2)),
        lambda module: module.StatisticDiff(None, 1, 1, 1),
        lambda module: str(module.StatisticDiff("here", 1, -5, 2, 3)),
        lambda module: repr(module.StatisticDiff("here", 1.5, -5.5, 2.5, 3.5)),
        lambda module: module.Frame(("a.py", 1)).nothing,
        lambda module: module.Traceback(()).nothing,
        lambda module: module.Trace(()).nothing,
        lambda module: module.Statistic(None, 1, 1).nothing,
    ):
        assert_same(call)
