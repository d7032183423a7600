"""Churn: what has come and gone, and how much of it was temporary."""

from __future__ import annotations

import copy
import importlib
import itertools
import pickle
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import memtrace

pytestmark = pytest.mark.usefixtures("traced")

# No operation makes an object, so that a thread's blocks are those of the operations alone: the slots are small integers,
# and no call packs its arguments.
SLOTS = range(200)
# One line each.
PLACES: list[Callable[..., Any]] = [
    lambda call, slot, kind, size: call(slot, kind, size),
    lambda call, slot, kind, size: call(slot, kind, size),
    lambda call, slot, kind, size: call(slot, kind, size),
    lambda call, slot, kind, size: call(slot, kind, size),
]
COUNTERS = ("allocated", "freed", "temporary")
# By line and counter: blocks and bytes.
Amounts = dict[int, dict[str, tuple[int, int]]]


@pytest.fixture
def allocations(extensions: Path) -> Iterator[Any]:
    module = importlib.import_module("allocations")
    # Code that runs for the first time after something was monitored, if long ago, gets what instrumentation needs.
    for place in PLACES:
        place(min, 0, 0, 0)
    memtrace.clear_traces()
    yield module
    for slot in SLOTS:
        module.free(slot, module.RAW)


class Model:
    """A log of all that happens, summed up."""

    def __init__(self) -> None:
        self._serial = itertools.count()
        self._live: dict[int, tuple[int, int, int]] = {}  # by slot: serial number, line and size
        self._counts: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
        self._latest: list[int] = []

    def begin_thread(self) -> None:
        self._latest = []

    def has(self, slot: int) -> bool:
        return slot in self._live

    def allocate(self, slot: int, line: int, size: int) -> None:
        number = next(self._serial)
        self._live[slot] = number, line, size
        self._latest = [number, *self._latest[:1]]
        self._count(line, "allocated", size)

    def free(self, slot: int) -> None:
        number, line, size = self._live.pop(slot)
        self._count(line, "freed", size)
        if number in self._latest:
            self._count(line, "temporary", size)

    def _count(self, line: int, what: str, size: int) -> None:
        self._counts[line, what].update(count=1, size=size)

    def amounts(self) -> Amounts:
        found: Amounts = defaultdict(lambda: dict.fromkeys(COUNTERS, (0, 0)))
        for (line, what), counter in self._counts.items():
            found[line][what] = counter["count"], counter["size"]
        return dict(found)


def difference(now: Amounts, before: Amounts) -> Amounts:
    nothing = dict.fromkeys(COUNTERS, (0, 0))
    less: Amounts = {}
    for line, amounts in now.items():
        old = before.get(line, nothing)
        less[line] = {what: (amounts[what][0] - old[what][0], amounts[what][1] - old[what][1]) for what in COUNTERS}
    return {line: amounts for line, amounts in less.items() if amounts != nothing}


def amounts_of(churn: list[memtrace.ChurnStatistic]) -> Amounts:
    lines = {place.__code__.co_firstlineno for place in PLACES}
    return {
        group.traceback[0].lineno: {
            what: (getattr(group, f"{what}_count"), getattr(group, f"{what}_size")) for what in COUNTERS
        }
        for group in churn
        if group.traceback[0].filename == __file__ and group.traceback[0].lineno in lines
    }


def operate(chance: random.Random, allocations: Any, model: Model, times: int) -> None:
    """Allocate, resize and free here and there, and tell the model afterwards."""
    kinds = (allocations.RAW, allocations.RAW_WITHOUT_GIL)
    done = []
    live = {slot for slot in SLOTS if model.has(slot)}
    for _ in range(times):
        # The last few again and again, so that there is something temporary.
        slot = chance.choice(SLOTS) if chance.random() < 0.3 else chance.choice(SLOTS[:4])
        if slot not in live:
            live.add(slot)
            done.append(("malloc", slot))
        elif chance.random() < 0.3:
            done.append(("realloc", slot))
        else:
            live.remove(slot)
            done.append(("free", slot))
    steps = [
        (
            name,
            (lambda call, slot, kind, _: call(slot, kind)) if name == "free" else chance.choice(PLACES),
            getattr(allocations, name),
            slot,
            chance.choice(kinds),
            chance.randrange(5000),
        )
        for name, slot in done
    ]
    # Unpacked, each would make an iterator where the interpreter does not specialize.
    for step in steps:
        step[1](step[2], step[3], step[4], step[5])
    for name, place, _, slot, _, size in steps:
        if name != "malloc":
            model.free(slot)
        if name != "free":
            model.allocate(slot, place.__code__.co_firstlineno, size)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_models(seed: int, allocations: Any) -> None:
    chance = random.Random(seed)
    model = Model()
    snapshots: list[tuple[memtrace.Snapshot, Amounts]] = [(memtrace.take_snapshot(), {})]
    for _ in range(4):
        # In a thread of its own, which frees what others have allocated.
        model.begin_thread()
        thread = threading.Thread(target=operate, args=(chance, allocations, model, 300))
        thread.start()
        thread.join()
        snapshots.append((memtrace.take_snapshot(blocks=chance.random() < 0.5), model.amounts()))
        assert amounts_of(snapshots[-1][0].churn()) == snapshots[-1][1]
    for (old, before), (new, now) in itertools.combinations(snapshots, 2):
        assert amounts_of(new.churn(since=old)) == difference(now, before)
    assert amounts_of(snapshots[-1][0].churn("lineno", cumulative=True)) == snapshots[-1][1]


def test_groups_filters_and_files(allocations: Any, tmp_path: Path) -> None:
    def work() -> None:
        for slot in (1, 2, 1, 2, 1):
            PLACES[0](allocations.realloc, slot, allocations.RAW, 1000)

    before = memtrace.take_snapshot()
    with memtrace.label("first"):
        work()
    mark = memtrace.mark()
    with memtrace.label("second"):
        work()
    after = memtrace.take_snapshot()

    here = [memtrace.Filter(True, __file__, PLACES[0].__code__.co_firstlineno)]
    assert [(s.allocated_count, s.freed_count) for s in after.filter_traces(here).churn()] == [(10, 8)]
    assert [s.allocated_count for s in after.since(mark).filter_traces(here).churn()] == [5]
    by_label = {s.key: s.allocated_size for s in after.filter_traces(here).churn("label")}
    assert by_label == {"first": 5000, "second": 5000}
    assert [s.key for s in after.filter_traces(here).churn("function")] == [f"{__name__}.<lambda>"]

    for number, snapshot in enumerate((before, after)):
        snapshot.dump(tmp_path / f"{number}.mtrace")
    old, new = (memtrace.Snapshot.load(tmp_path / f"{number}.mtrace") for number in range(2))
    for key_type in ("lineno", "traceback", "label", "module"):
        assert new.churn(key_type) == after.churn(key_type)
        assert new.churn(key_type, since=old) == after.churn(key_type, since=before)
    assert new.churn(since=before) == after.churn(since=old) == after.churn(since=before)
    filtered = after.filter_traces(here)
    for copied in (pickle.loads(pickle.dumps(filtered)), copy.copy(filtered), copy.deepcopy(filtered)):
        assert copied.churn("traceback") == filtered.churn("traceback")


def test_rates() -> None:
    before = memtrace.take_snapshot()
    kept = [bytearray(1000) for _ in range(1000)]
    after = memtrace.take_snapshot()
    group = after.churn("filename", since=before)[0]
    assert 0 < group.seconds < after.churn()[0].seconds
    assert group.size_per_second == group.allocated_size / group.seconds
    assert group.count_per_second == group.allocated_count / group.seconds
    assert group.allocated_size >= 1000 * len(kept)
    text = str(group)
    assert text.startswith(f"{__file__}:0: allocated=") and "/s)" in text
    assert repr(group).startswith("<ChurnStatistic traceback=<Traceback")
    assert pickle.loads(pickle.dumps(group)) == group != after.churn()[0]


def test_clear_traces_begins_anew() -> None:
    del [bytearray(100_000) for _ in range(10)][:]
    memtrace.clear_traces()
    assert sum(group.allocated_size for group in memtrace.take_snapshot().churn()) < 1_000_000


def test_what_does_not_know(tmp_path: Path) -> None:
    snapshot = memtrace.take_snapshot()
    literal = memtrace.Snapshot([(0, 10, (("a.py", 1),), 1)], 1)
    with pytest.raises(ValueError, match="the snapshot has no churn"):
        literal.churn()
    with pytest.raises(ValueError, match="the snapshot has no churn"):
        memtrace.take_peak_snapshot().churn()
    with pytest.raises(ValueError, match="since has no churn"):
        snapshot.churn(since=literal)
    with pytest.raises(TypeError, match="since must be a Snapshot or None, not int"):
        snapshot.churn(since=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="since must be an earlier snapshot of the same trace"):
        snapshot.churn(since=memtrace.take_snapshot())
    memtrace.clear_traces()
    with pytest.raises(ValueError, match="since must be an earlier snapshot of the same trace"):
        memtrace.take_snapshot().churn(since=snapshot)
    with pytest.raises(ValueError, match="unknown key_type: 'size'"):
        snapshot.churn("size")
    with pytest.raises(ValueError, match="cumulative mode"):
        snapshot.churn("label", cumulative=True)
