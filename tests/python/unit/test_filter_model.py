"""Random combinations of all filters keep what an evaluation trace by trace keeps."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import memtrace

pytestmark = pytest.mark.usefixtures("traced")

DOMAIN = 83
SOURCE = """
def f(go): return go()
class C:
    def put(self, go): return go()
def make():
    def inner(go): return go()
    return inner
CALLS = [f, C().put, make()]
"""
MODULES = {"/srv/shop/__init__.py": "shop", "/srv/shop/cart.py": "shop.cart", "/srv/shop_old.py": "shop_old"}
THREADS = ("pool a", "pool (b)", "pool (7)")


@dataclass
class Record:
    """What is known of a block from when it was reported, and its trace."""

    label: str
    thread: str
    native_id: int
    generation: int
    trace: memtrace.Trace

    def frames(self, all_frames: bool) -> list[memtrace.Frame]:
        return list(self.trace.traceback if all_frames else self.trace.traceback[-1:])


Keeps = Callable[[Record], bool]
Made = tuple[memtrace.BaseFilter, Keeps]


def module_of(frame: memtrace.Frame) -> str:
    return MODULES.get(frame.filename, "elsewhere")


def function_of(frame: memtrace.Frame) -> str:
    return f"{module_of(frame)}.{frame.function}"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Callable[..., Any]]:
    found: list[Callable[..., Any]] = []
    for filename, name in MODULES.items():
        module = ModuleType(name)
        module.__file__ = filename
        exec(compile(SOURCE, filename, "exec"), module.__dict__)
        monkeypatch.setitem(sys.modules, name, module)
        found += module.CALLS
    return found


Known = dict[int, tuple[str, str, int, int]]


@contextmanager
def allocated(choose: random.Random, calls: list[Callable[..., Any]]) -> Iterator[Known]:
    """Report blocks; label, thread, native id and generation by size, which no two blocks share.

    The threads run on inside: without a GIL, names of those that have ended are soon forgotten.
    """
    addresses, sizes = count(1), iter(choose.sample(range(1, 20_000), 400))
    known: Known = {}
    finish = threading.Event()

    def work(generation: int) -> None:
        me = threading.current_thread()
        for size in (next(sizes) for _ in range(20)):
            label = choose.choice([None, "GET /users", "GET /page", "POST /export"])
            known[size] = (label or "no label", me.name, threading.get_native_id(), generation)
            through = partial(memtrace.track, choose.choice([DOMAIN, DOMAIN + 1]), next(addresses), size)
            for _ in range(choose.randint(1, 3)):
                through = partial(choose.choice(calls), through)
            with memtrace.label(label) if label else nullcontext():
                through()

    def work_and_wait(generation: int, done: threading.Event) -> None:
        work(generation)
        done.set()
        finish.wait()

    threads = []
    try:
        for _ in range(4):
            generation = int(memtrace.mark())
            for name in THREADS:
                done = threading.Event()
                threads.append(threading.Thread(target=work_and_wait, args=(generation, done), name=name))
                threads[-1].start()
                assert done.wait(60)
            work(generation)
        yield known
    finally:
        finish.set()
        for thread in threads:
            thread.join()


class Odd(memtrace.BaseFilter):
    """A filter of the user's own."""

    def _match(self, trace: Any) -> bool:
        return bool(trace[1] % 2) == self.inclusive


class Expressions:
    """Makes random filters, each with what it should keep when it is the only one."""

    def __init__(self, choose: random.Random, records: list[Record], with_blocks: bool) -> None:
        self._choose = choose
        self._native_ids = sorted({record.native_id for record in records})
        self._generations = sorted({record.generation for record in records})
        self._leaves = [self._file, self._domain, self._function, self._module, self._package, self._label]
        self._leaves += [self._thread, self._generation]
        if with_blocks:
            self._leaves += [self._size, self._own]

    def make(self, depth: int) -> Made:
        operator = self._choose.choice("&|~.") if depth else "."
        if operator == "~":
            inner, keeps = self.make(depth - 1)
            return ~inner, lambda record: not keeps(record)
        if operator == ".":
            made, matches = self._choose.choice(self._leaves)(self._choose.random() < 0.5)
            return made, lambda record: matches(record) == made.inclusive
        (left, keeps_left), (right, keeps_right) = self.make(depth - 1), self.make(depth - 1)
        if operator == "&":
            return left & right, lambda record: keeps_left(record) and keeps_right(record)
        return left | right, lambda record: keeps_left(record) or keeps_right(record)

    def _file(self, inclusive: bool) -> Made:
        pattern = self._choose.choice(["/srv/*", "*/cart.pyc", "*/shop*.py", "*", "none"])
        line, all_frames = self._choose.choice([None, 2, 4]), self._choose.random() < 0.5
        domain = self._choose.choice([None, None, DOMAIN])
        return (
            memtrace.Filter(inclusive, pattern, line, all_frames, domain),
            lambda record: (
                domain in (None, record.trace.domain)
                and any(
                    fnmatchcase(frame.filename, pattern.removesuffix("c")) and line in (None, frame.lineno)
                    for frame in record.frames(all_frames)
                )
            ),
        )

    def _domain(self, inclusive: bool) -> Made:
        return memtrace.DomainFilter(inclusive, DOMAIN), lambda record: record.trace.domain == DOMAIN

    def _function(self, inclusive: bool) -> Made:
        pattern = self._choose.choice(["shop.f", "*.C.put", "shop.*", "shop*<locals>*", "*", "put"])
        all_frames = self._choose.random() < 0.5
        return memtrace.FunctionFilter(inclusive, pattern, all_frames), lambda record: any(
            fnmatchcase(function_of(frame), pattern) for frame in record.frames(all_frames)
        )

    def _module(self, inclusive: bool) -> Made:
        pattern = self._choose.choice(["shop", "shop*", "shop.*", "shop?[a-z]*", "*.cart"])
        all_frames = self._choose.random() < 0.5
        return memtrace.ModuleFilter(inclusive, pattern, all_frames), lambda record: any(
            fnmatchcase(module_of(frame), pattern) for frame in record.frames(all_frames)
        )

    def _package(self, inclusive: bool) -> Made:
        package, all_frames = self._choose.choice(["shop", "shop.cart", "sho?"]), self._choose.random() < 0.5
        return memtrace.PackageFilter(inclusive, package, all_frames), lambda record: any(
            f"{module_of(frame)}.".startswith(f"{package}.") for frame in record.frames(all_frames)
        )

    def _label(self, inclusive: bool) -> Made:
        pattern = self._choose.choice(["GET *", "*t", "no label", "POST /export", "none"])
        return memtrace.LabelFilter(inclusive, pattern), lambda record: fnmatchcase(record.label, pattern)

    def _thread(self, inclusive: bool) -> Made:
        if self._choose.random() < 0.3:
            native_id = self._choose.choice(self._native_ids)
            return memtrace.ThreadFilter(inclusive, native_id), lambda record: record.native_id == native_id
        pattern = self._choose.choice(["pool*", "pool (b)", "*(7)", "MainThread", "*a*"])
        return memtrace.ThreadFilter(inclusive, pattern), lambda record: fnmatchcase(record.thread, pattern)

    def _generation(self, inclusive: bool) -> Made:
        first, end = sorted(self._choose.choices(self._generations, k=2))
        if self._choose.random() < 0.5:
            return memtrace.GenerationFilter(inclusive, first), lambda record: record.generation >= first
        return memtrace.GenerationFilter(inclusive, first, end), lambda record: first <= record.generation < end

    def _size(self, inclusive: bool) -> Made:
        small, large = sorted(self._choose.choices(range(20_000), k=2))
        if self._choose.random() < 0.5:
            return memtrace.SizeFilter(inclusive, max="5 KiB"), lambda record: record.trace.size <= 5 * 1024
        return memtrace.SizeFilter(inclusive, small, large), lambda record: small <= record.trace.size <= large

    def _own(self, inclusive: bool) -> Made:
        return Odd(inclusive), lambda record: record.trace.size % 2 == 1


def expected_of(records: list[Record], made: list[Made]) -> list[Record]:
    """The rule for lists: any of the inclusive ones, all of the exclusive ones."""
    included = [keeps for one, keeps in made if one.inclusive]
    required = [keeps for one, keeps in made if not one.inclusive]
    return [
        record
        for record in records
        if (not included or any(keeps(record) for keeps in included)) and all(keeps(record) for keeps in required)
    ]


def totals(snapshot: memtrace.Snapshot) -> tuple[int, int]:
    groups = snapshot.statistics("domain")
    return sum(group.size for group in groups), sum(group.count for group in groups)


def test_random_combinations(calls: list[Callable[..., Any]], tmp_path: Path) -> None:
    choose = random.Random(5)
    reported = [memtrace.DomainFilter(True, DOMAIN), memtrace.DomainFilter(True, DOMAIN + 1)]
    with allocated(choose, calls) as known:
        snapshot = memtrace.take_snapshot().filter_traces(reported)
        bare = memtrace.take_snapshot(blocks=False).filter_traces(reported)
    snapshot.dump(tmp_path / "file")
    loaded = memtrace.Snapshot.load(tmp_path / "file")
    records = [Record(*known[trace.size], trace) for trace in snapshot.traces]
    assert len(records) == len(known) == 320

    for with_blocks in [True] * 300 + [False] * 100:
        expressions = Expressions(choose, records, with_blocks)
        made = [expressions.make(choose.randint(0, 4)) for _ in range(choose.choice([1, 1, 2, 3]))]
        filters = [one for one, _ in made]
        kept = expected_of(records, made)
        for each in (snapshot, loaded):
            filtered = each.filter_traces(filters)
            assert [trace.size for trace in filtered.traces] == [record.trace.size for record in kept], filters
        if not with_blocks:
            size = sum(record.trace.size for record in kept)
            assert totals(bare.filter_traces(filters)) == (size, len(kept)), filters
