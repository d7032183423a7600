"""Types of live blocks: objects of all kinds, their bodies, and that the program is left as it was."""

from __future__ import annotations

import array
import collections
import contextvars
import ctypes
import datetime
import decimal
import fractions
import gc
import os
import pickle
import random
import re
import sys
import threading
import weakref
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import pytest
from interpreter import HAS_GIL

import memtrace

HERE = __file__
NOT_AN_OBJECT = "<not an object>"

pytestmark = pytest.mark.usefixtures("traced")


class Plain:
    def __init__(self, value: object = 1) -> None:
        self.value = value


class Slots:
    __slots__ = ("first", "second")


class WeakSlots:
    __slots__ = ("__weakref__", "first")


class OnlyDict:
    __slots__ = ("__dict__",)


class Int(int):
    pass


class Tuple(tuple[int, ...]):
    __slots__ = ()


class Str(str):
    pass


class Bytes(bytes):
    __slots__ = ()


class List(list[int]):
    pass


class Dict(dict[int, int]):
    __slots__ = ("extra",)


class Error(ValueError):
    pass


class Secretive(type):
    """A metaclass whose ways must not be asked."""

    def __subclasses__(cls) -> NoReturn:
        raise AssertionError("asked for its subclasses")

    def __getattribute__(cls, name: str) -> NoReturn:
        raise AssertionError(f"asked for {name}")

    def __repr__(cls) -> NoReturn:
        raise AssertionError("asked for its repr")

    __hash__ = type.__hash__


Hidden = Secretive("Hidden", (), {"__module__": __name__})
HiddenBelow = Secretive("HiddenBelow", (Hidden,), {"__slots__": ("a",), "__module__": 5})


class Liar:
    """Says that it is something else."""

    @property
    def __class__(self) -> type:
        return int

    @__class__.setter
    def __class__(self, value: type) -> None: ...

    def __eq__(self, other: object) -> NoReturn:
        raise AssertionError("compared")

    def __hash__(self) -> NoReturn:
        raise AssertionError("hashed")

    def __repr__(self) -> NoReturn:
        raise AssertionError("asked for its repr")


Point = collections.namedtuple("Point", ["x", "y"] + [f"z{number}" for number in range(30)])  # noqa: PYI024 - that many
Structure = type("Structure", (ctypes.Structure,), {"_fields_": [("x", ctypes.c_int)], "__module__": __name__})

MAKERS: dict[str, Callable[[int], object]] = {
    f"{__name__}.Plain": lambda i: Plain(i),
    f"{__name__}.Slots": lambda i: Slots(),
    f"{__name__}.WeakSlots": lambda i: WeakSlots(),
    f"{__name__}.OnlyDict": lambda i: OnlyDict(),
    f"{__name__}.Int": lambda i: Int(10**30 + i),
    f"{__name__}.Tuple": lambda i: Tuple(range(i % 50)),
    f"{__name__}.Str": lambda i: Str("é" * i),
    f"{__name__}.Bytes": lambda i: Bytes(i),
    f"{__name__}.List": lambda i: List(range(i)),
    f"{__name__}.Dict": lambda i: Dict({i: i}),
    f"{__name__}.Error": lambda i: Error(i),
    f"{__name__}.Liar": lambda i: Liar(),
    f"{__name__}.Point": lambda i: Point(*range(32)),
    f"{__name__}.Structure": lambda i: Structure(),
    f"{__name__}.Hidden": lambda i: type.__call__(Hidden),
    "HiddenBelow": lambda i: type.__call__(HiddenBelow),
    f"{__name__}.Secretive": lambda i: Secretive(f"Class{i}", (), {}),
    "type": lambda i: type(f"Class{i}", (), {"__doc__": f"Documented {i}."}),
    "int": lambda i: i + 10_000_000_000,
    "complex": lambda i: complex(i, 1),
    "str": lambda i: f"{i:>30}",
    "bytes": lambda i: bytes(i),
    "bytearray": lambda i: bytearray(i),
    "tuple": lambda i: tuple(range(40)),
    "set": lambda i: set(range(i)),
    "frozenset": lambda i: frozenset(range(i)),
    "range": lambda i: range(i, 10**9),
    "memoryview": lambda i: memoryview(b"xyz"),
    "function": lambda i: lambda: i,
    "cell": lambda i: (lambda: i).__closure__[0],  # type: ignore[index]
    "generator": lambda i: (j for j in range(i)),
    "property": lambda i: property(),
    "code": lambda i: compile(f"a = {i}", "<types>", "exec"),
    "array.array": lambda i: array.array("i", range(i)),
    "collections.deque": lambda i: collections.deque(range(i)),
    "collections.OrderedDict": lambda i: collections.OrderedDict({i: i}),
    "collections.defaultdict": lambda i: collections.defaultdict(int),
    "datetime.datetime": lambda i: datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC if i % 2 else None),
    "datetime.time": lambda i: datetime.time(1),
    "decimal.Decimal": lambda i: decimal.Decimal(i),
    "fractions.Fraction": lambda i: fractions.Fraction(i, 7),
    "re.Pattern": lambda i: re.compile(f"a{{{i}}}"),
}
MADE = 500


def types_of(snapshot: memtrace.Snapshot) -> dict[str, memtrace.Statistic]:
    return {str(statistic.key): statistic for statistic in snapshot.statistics("type")}


def own(snapshot: memtrace.Snapshot) -> memtrace.Snapshot:
    return snapshot.filter_traces([memtrace.Filter(True, HERE)])


@pytest.mark.parametrize("name", MAKERS)
def test_objects_of_all_kinds(name: str) -> None:
    make = MAKERS[name]
    kept = [make(i) for i in range(MADE)]
    snapshot = memtrace.take_snapshot(types=True)
    # What free lists held before is not traced.
    found = types_of(snapshot)[name]
    assert found.count >= MADE - 120
    objects = snapshot.objects(found, 10 * MADE)
    assert all(type(obj) is type(kept[0]) for obj in objects)
    assert len({id(obj) for obj in objects} & {id(obj) for obj in kept}) >= MADE - 120
    assert kept


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("list", lambda: [None] * 100_000),
        ("dict", lambda: dict.fromkeys(range(10_000))),
        ("set", lambda: set(range(10_000))),
        ("frozenset", lambda: frozenset(range(10_000))),
        ("bytearray", lambda: bytearray(100_000)),
        ("array.array", lambda: array.array("b", bytes(100_000))),
        ("collections.deque", lambda: collections.deque([None], 100_000) * 100_000),
        (f"{__name__}.Str", lambda: Str("x" * 100_000)),
        (f"{__name__}.List", lambda: List([7] * 100_000)),
        (f"{__name__}.Dict", lambda: Dict(dict.fromkeys(range(10_000), 1))),
    ],
)
def test_bodies_are_their_owner_s(name: str, make: Callable[[], Any]) -> None:
    before = types_of(memtrace.take_snapshot(types=True)).get(name)
    kept = make()
    snapshot = memtrace.take_snapshot(types=True)
    size = types_of(snapshot)[name].size - (before.size if before else 0)
    # A block that bytearray reuses, and growth in steps, are larger than what is used.
    assert 0.9 * sys.getsizeof(kept) < size < 1.3 * sys.getsizeof(kept)


def test_attributes_are_their_object_s() -> None:
    def make() -> list[Plain]:
        objects = [Plain() for _ in range(1000)]
        for number, obj in enumerate(objects):
            obj.other = number  # type: ignore[attr-defined]
        return objects

    kept = make()
    types = types_of(own(memtrace.take_snapshot(types=True)))
    assert types.get(NOT_AN_OBJECT, types["list"]).size < 40_000
    assert kept
    for obj in kept:
        obj.__dict__["third"] = 5
    types = types_of(own(memtrace.take_snapshot(types=True)))
    assert types.get(NOT_AN_OBJECT, types["list"]).size < 40_000


def test_a_container_that_is_older_than_the_trace_grows() -> None:
    memtrace.stop()
    old_list: list[object] = []
    old_dict: dict[int, object] = {}
    old_set: set[int] = set()
    memtrace.start(10)
    for number in range(10_000):
        old_list.append(None)
        old_dict[number] = None
        old_set.add(number)
    snapshot = memtrace.take_snapshot(types=True)
    types = types_of(own(snapshot))
    for old in (old_list, old_dict, old_set):
        found = types[type(old).__name__]
        assert found.size > 80_000
        assert any(obj is old for obj in snapshot.objects(next_of(snapshot, type(old).__name__), 10_000))


def next_of(snapshot: memtrace.Snapshot, name: str) -> memtrace.Statistic:
    return types_of(snapshot)[name]


def test_dead_objects_in_free_lists_are_none() -> None:
    kept = [(i, i, i, i, i, i) for i in range(1000)]
    line = sys._getframe().f_lineno - 1
    kept.clear()
    snapshot = memtrace.take_snapshot(types=True)
    here = snapshot.filter_traces([memtrace.Filter(True, HERE, line)])
    assert types_of(here).get("tuple") is None or types_of(here)["tuple"].count < 10


def test_blocks_that_are_no_objects() -> None:
    memtrace.track(79, 1 << 20, 500)
    raw_malloc = ctypes.pythonapi.PyMem_RawMalloc
    raw_malloc.restype, raw_malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    address = raw_malloc(100_003)
    words = (ctypes.c_size_t * 16).from_address(address)
    # One reference, and a type whose objects are another: a text that would be longer than the block.
    words[:] = [1, id(str), 1 << 40, *[0] * 13]
    snapshot = memtrace.take_snapshot(types=True)
    ctypes.pythonapi.PyMem_RawFree(ctypes.c_void_p(address))
    memtrace.untrack(79, 1 << 20)
    rows = {(s.key, s.size) for s in snapshot.filter_traces([memtrace.DomainFilter(True, 79)]).statistics("type")}
    assert rows == {(NOT_AN_OBJECT, 500)}
    assert types_of(snapshot)[NOT_AN_OBJECT].size >= 100_003
    assert snapshot.objects(types_of(snapshot)[NOT_AN_OBJECT]) == []


def test_all_other_statistics_are_as_without_types() -> None:
    kept = [Plain(str(i)) for i in range(1000)]
    typed, plain = memtrace.take_snapshot(types=True), memtrace.take_snapshot()
    key = (HERE, test_all_other_statistics_are_as_without_types.__code__.co_firstlineno + 1)
    for group_by in ("lineno", "traceback", "function"):
        found = [
            sum(s.size for s in own(snapshot).statistics(group_by) if s.traceback[-1]._frame == key)
            for snapshot in (typed, plain)
        ]
        assert found[0] == found[1] > 0
    assert len(typed.traces) == sum(s.count for s in typed.statistics("type"))
    assert memtrace.take_snapshot(types=True, blocks=False).statistics("type")
    assert memtrace.take_snapshot(types=True, mark="moment").mark is not None
    assert kept


def test_pairs_of_keys_in_either_order() -> None:
    kept: list[object] = [Plain(), Slots(), bytes(1000)]
    line = sys._getframe().f_lineno - 1
    snapshot = own(memtrace.take_snapshot(types=True))
    by_pair = {str(s.key): s for s in snapshot.statistics(("type", "lineno"))}
    slots = by_pair[f"{__name__}.Slots, {HERE}:{line}"]
    assert slots.count == 1
    assert slots.traceback[0].lineno == line
    assert str(slots).startswith(f"{__name__}.Slots, {HERE}:{line}: size=")
    assert f"{HERE}:{line}, {__name__}.Slots" in {s.key for s in snapshot.statistics(("lineno", "type"))}
    assert f"bytes, {HERE}" in {s.key for s in snapshot.statistics(("type", "filename"))}
    functions = {s.key for s in snapshot.statistics(("function", "type"))}
    assert f"{__name__}.test_pairs_of_keys_in_either_order, bytes" in functions
    with memtrace.label("labelled"):
        kept.append(bytes(2000))
    labelled = own(memtrace.take_snapshot()).statistics(("label", "filename"))
    assert [s.key for s in labelled if s.size > 2000 and "no label" not in str(s.key)] == [f"labelled, {HERE}"]
    differences = own(memtrace.take_snapshot(types=True)).compare_to(snapshot, ("type", "filename"))
    assert next(d for d in differences if d.key == f"bytes, {HERE}").size_diff >= 2000


@pytest.mark.parametrize(
    "keys",
    [
        (),
        ("type",),
        ("type", "thread"),
        ("lineno", "filename"),
        ("type", "traceback"),
        ("type", "lineno", "thread"),
        ("type", 5),
        ["type", "lineno"],
        ([], "type"),
    ],
)
def test_pairs_that_are_refused(keys: Any) -> None:
    snapshot = memtrace.take_snapshot(types=True)
    with pytest.raises(ValueError, match="unknown key_type"):
        snapshot.statistics(keys)
    with pytest.raises(ValueError, match="unknown key_type"):
        snapshot.compare_to(snapshot, keys)


def test_without_types_there_are_none() -> None:
    plain, typed = memtrace.take_snapshot(), memtrace.take_snapshot(types=True)
    for use in (
        lambda: plain.statistics("type"),
        lambda: plain.statistics(("type", "lineno")),
        lambda: typed.compare_to(plain, "type"),
        lambda: plain.compare_to(typed, "type"),
        lambda: plain.filter_traces([memtrace.Filter(True, "none")]).statistics("type"),
        lambda: memtrace.Snapshot([(0, 1, (("a", 1),), 1)], 1).statistics("type"),
    ):
        with pytest.raises(ValueError, match=re.escape("take_snapshot(types=True)")):
            use()
    with pytest.raises(ValueError, match="cumulative"):
        typed.statistics("type", cumulative=True)
    with pytest.raises(ValueError, match="cumulative"):
        typed.statistics(("type", "lineno"), cumulative=True)


def test_types_in_files(tmp_path: Path) -> None:
    kept = [Plain() for _ in range(100)]
    snapshot = memtrace.take_snapshot(types=True)
    snapshot.dump(tmp_path / "types")
    for read in (memtrace.Snapshot.load(tmp_path / "types"), pickle.loads(pickle.dumps(snapshot))):
        assert {k: (s.size, s.count) for k, s in types_of(read).items()} == {
            k: (s.size, s.count) for k, s in types_of(snapshot).items()
        }
        assert not any(d.size_diff for d in snapshot.compare_to(read, ("type", "lineno")))
    assert kept


def test_two_classes_of_one_name_are_one() -> None:
    classes = [type("Twin", (), {"__module__": "a", "__slots__": ()}) for _ in range(3)]
    kept = [cls() for cls in classes for _ in range(100)]
    snapshot = memtrace.take_snapshot(types=True)
    twins = types_of(snapshot)["a.Twin"]
    assert twins.count == 300
    assert {type(obj) for obj in snapshot.objects(twins, 1000)} == set(classes)
    assert kept


@pytest.mark.parametrize("name", ["", "lone \ud800", "é", "\N{SNAKE}", "a\0b"])
def test_names_of_all_sorts(name: str) -> None:
    cls = type("Class", (), {"__module__": None, "__slots__": ()})
    cls.__qualname__ = name
    kept = [cls() for _ in range(10)]
    assert types_of(memtrace.take_snapshot(types=True))[name or "<unnamed>"].count == 10
    assert kept


# --- The program is left as it was.


def test_nothing_of_the_program_runs_or_changes() -> None:
    kept = [Plain([Slots(), {}]) for _ in range(1000)]
    weak = [weakref.ref(obj) for obj in kept]
    untracked = [(1, 2, i) for i in range(1000)]
    events: list[str] = []
    gc.collect()
    gc.disable()
    gc.callbacks.append(lambda phase, info: events.append(phase))
    watched = [Plain, Slots, Hidden, kept[0], kept[0].value, int, list, type, sys, untracked[5]]
    thresholds, stats, frozen = gc.get_threshold(), gc.get_stats(), gc.get_freeze_count()
    before = [sys.getrefcount(obj) for obj in watched]
    tracked = {id(obj) for obj in gc.get_objects()} & {id(obj) for obj in (*kept, *untracked, *watched)}
    snapshot = memtrace.take_snapshot(types=True)
    assert gc.isenabled() is False
    assert events == []
    gc.callbacks.pop()
    assert {id(obj) for obj in gc.get_objects()} & {id(obj) for obj in (*kept, *untracked, *watched)} == tracked
    assert [sys.getrefcount(obj) for obj in watched] == before
    assert (gc.get_threshold(), gc.get_stats(), gc.get_freeze_count()) == (thresholds, stats, frozen)
    gc.enable()
    objects = snapshot.objects(types_of(snapshot)[f"{__name__}.Plain"], 10_000)
    assert len(objects) >= 1000
    del objects
    assert [sys.getrefcount(obj) for obj in watched] == before
    kept.clear()
    watched.clear()
    assert all(reference() is None for reference in weak)


@pytest.mark.skipif(not HAS_GIL, reason="3.13 without a GIL makes classes immortal once there was a thread")
def test_classes_die_as_ever() -> None:
    cls = type("Mortal", (), {})
    dead = weakref.ref(cls)
    kept = [cls() for _ in range(10)]
    snapshot = memtrace.take_snapshot(types=True)
    assert types_of(snapshot)[f"{__name__}.Mortal"].count >= 10
    del kept, cls
    gc.collect()
    assert dead() is None
    assert types_of(snapshot)[f"{__name__}.Mortal"].count >= 10


def test_the_collector_runs_meanwhile_as_ever() -> None:
    class Cycle:
        pass

    for _ in range(10):
        for _ in range(500):
            cycle = Cycle()
            cycle.me = cycle  # type: ignore[attr-defined]
        snapshot = memtrace.take_snapshot(types=True)
        snapshot.objects(snapshot.statistics("type")[0], 1000)
    del cycle, snapshot
    gc.collect()
    assert not [obj for obj in gc.get_objects() if type(obj) is Cycle]


# --- The objects behind a row.


def test_the_objects_behind_a_row_are_those_alive() -> None:
    kept = [Slots() for _ in range(100)]
    line = sys._getframe().f_lineno - 1
    snapshot = memtrace.take_snapshot(types=True)
    rows = {str(s.key): s for s in snapshot.statistics(("type", "lineno"))}
    row = rows[f"{__name__}.Slots, {HERE}:{line}"]
    assert {id(obj) for obj in snapshot.objects(row)} == {id(obj) for obj in kept}
    assert len(snapshot.objects(row, limit=7)) == 7
    del kept[10:]
    assert {id(obj) for obj in snapshot.objects(row)} == {id(obj) for obj in kept}
    # Other kinds of rows, and the same place seen through a filter.
    for other in (
        snapshot.statistics("lineno"),
        snapshot.statistics("traceback"),
        snapshot.statistics("filename", True),
    ):
        statistic = next(s for s in other if s.traceback[-1].filename == HERE and s.traceback[-1].lineno in (0, line))
        found = {id(obj) for obj in snapshot.objects(statistic, 100_000)}
        assert {id(obj) for obj in kept} <= found
    filtered = snapshot.filter_traces([memtrace.Filter(True, HERE, line)])
    slots = types_of(filtered)[f"{__name__}.Slots"]
    assert {id(obj) for obj in filtered.objects(slots)} == {id(obj) for obj in kept}


def test_objects_that_only_others_refer_to() -> None:
    holder = Plain({"text" * 3: (f"{sys.maxsize} and", bytes(700))})
    snapshot = memtrace.take_snapshot(types=True)
    value: Any = holder.value
    ((_, (text, data)),) = value.items()
    for obj, name in ((text, "str"), (data, "bytes")):
        assert any(found is obj for found in snapshot.objects(types_of(snapshot)[name], 1_000_000))


def test_the_objects_of_a_difference() -> None:
    before = memtrace.take_snapshot(types=True)
    kept = [Slots() for _ in range(50)]
    after = memtrace.take_snapshot(types=True)
    grown = next(d for d in after.compare_to(before, "type") if d.key == f"{__name__}.Slots")
    assert grown.count_diff == 50
    assert {id(obj) for obj in kept} <= {id(obj) for obj in after.objects(grown, 1000)}


def test_what_is_half_made_is_not_given_out() -> None:
    reader, writer = os.pipe()
    read: list[bytes] = []
    thread = threading.Thread(target=lambda: read.append(os.read(reader, 100_000)))
    thread.start()
    deadline = threading.Event()
    while True:
        snapshot = memtrace.take_snapshot(types=True)
        half_made = types_of(own(snapshot)).get("bytes")
        if half_made is not None and half_made.size >= 100_000:
            break
        deadline.wait(0.01)
    found = snapshot.objects(types_of(snapshot)["bytes"], 1_000_000)
    assert not [obj for obj in found if len(obj) == 100_000]  # type: ignore[arg-type]
    os.write(writer, b"xyz")
    thread.join()
    assert read == [b"xyz"]

    given: list[int] = []
    whole = tuple(range(40))

    def items() -> Any:
        yield from range(30)
        taken = memtrace.take_snapshot(types=True)
        given.extend(len(obj) for obj in taken.objects(types_of(taken)["tuple"], 1_000_000))  # type: ignore[arg-type]
        yield from range(30)

    assert len(tuple(items())) == 60
    assert len(whole) in given


def test_finalizers_run_once() -> None:
    ended: list[int] = []

    class Ending:
        def __del__(self) -> None:
            ended.append(len(snapshot.objects(row, 1000)))

    kept = [Ending() for _ in range(3)]
    snapshot = memtrace.take_snapshot(types=True)
    row = types_of(snapshot)[f"{__name__}.test_finalizers_run_once.<locals>.Ending"]
    assert len(snapshot.objects(row)) == 3
    kept.clear()
    assert len(ended) == 3
    assert snapshot.objects(row) == []


def test_statistics_of_other_snapshots_are_refused(tmp_path: Path) -> None:
    kept = [Plain() for _ in range(10)]
    snapshot, other = memtrace.take_snapshot(types=True), memtrace.take_snapshot(types=True)
    row = types_of(snapshot)[f"{__name__}.Plain"]
    with pytest.raises(ValueError, match="this snapshot"):
        other.objects(row)
    with pytest.raises(ValueError, match="snapshot of the running trace"):
        snapshot.objects(memtrace.Statistic(row.traceback, 1, 1))
    snapshot.dump(tmp_path / "file")
    loaded = memtrace.Snapshot.load(tmp_path / "file")
    with pytest.raises(ValueError, match="snapshot of the running trace"):
        loaded.objects(loaded.statistics("type")[0])
    with pytest.raises(ValueError, match="snapshot of the running trace"):
        loaded.objects(loaded.compare_to(snapshot, "type")[0])
    for statistic, limit in ((5, 1), (row, "1"), (row, None)):
        with pytest.raises(TypeError, match=r"statistic must be|limit must be"):
            snapshot.objects(statistic, limit)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="limit must be at least 1"):
        snapshot.objects(row, 0)
    assert len(snapshot.objects(row, 1 << 80)) >= len(kept)
    memtrace.clear_traces()
    with pytest.raises(ValueError, match="not of the running trace"):
        snapshot.objects(row)
    memtrace.stop()
    with pytest.raises(ValueError, match="not of the running trace"):
        snapshot.objects(row)
    with pytest.raises(RuntimeError, match="must be tracing"):
        memtrace.take_snapshot(types=True)


def test_a_statistic_does_not_keep_its_snapshot() -> None:
    from memtrace._objects import _objects_behind

    kept = [Plain() for _ in range(10)]
    snapshot = memtrace.take_snapshot(types=True)
    row = types_of(snapshot)[f"{__name__}.Plain"]
    assert len(_objects_behind(None, row, 5)) == 5
    assert kept
    gone = weakref.ref(snapshot)
    del snapshot
    assert gone() is None
    with pytest.raises(ValueError, match="keep the snapshot"):
        _objects_behind(None, row, 5)


# --- At random, against what is known.


class Model:
    """Objects of known types made at known places."""

    KINDS: tuple[tuple[str, str, int], ...] = (
        (f"{__name__}.Slots", "Slots()", 1),
        (f"{__name__}.WeakSlots", "WeakSlots()", 1),
        (f"{__name__}.Bytes", "Bytes(i % 2000 + 1)", 1),
        (f"{__name__}.Tuple", "Tuple((1, 2, 3))", 1),
        (f"{__name__}.List", "List((1, 2, 3, 4, 5, 6, 7, 8, 9))", 2),
        (f"{__name__}.Str", "Str('x' * (i % 2000 + 1))", 2),
        ("bytearray", "bytearray(i % 3000 + 1)", 2),
        ("decimal.Decimal", "Decimal(i)", 1),
    )

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        names = globals() | {"Decimal": decimal.Decimal}
        self._makers = [
            (place, name, blocks, eval(compile(f"lambda i: {text}", f"<place {place}>", "eval"), names))
            for place, (name, text, blocks) in enumerate(self._random.choices(self.KINDS, k=20))
        ]
        self._alive: list[tuple[int, str, int, object]] = []
        self._numbers = count()

    def step(self) -> None:
        if self._alive and self._random.random() < 0.4:
            self._alive.pop(self._random.randrange(len(self._alive)))
        else:
            place, name, blocks, make = self._random.choice(self._makers)
            self._alive.append((place, name, blocks, make(next(self._numbers))))

    def check(self) -> None:
        expected: collections.Counter[str] = collections.Counter()
        behind: dict[str, set[int]] = {}
        for place, name, blocks, obj in self._alive:
            key = f"{name}, <place {place}>"
            expected[key] += blocks
            behind.setdefault(key, set()).add(id(obj))
        snapshot = memtrace.take_snapshot(types=True)
        rows = {str(s.key): s for s in snapshot.statistics(("type", "filename")) if "<place" in str(s.key)}
        kinds = {name for name, _, _ in self.KINDS}
        found = {key: row.count for key, row in rows.items() if key.split(", ")[0] in kinds}
        assert found == dict(expected)
        for key in list(behind)[:3]:
            assert {id(obj) for obj in snapshot.objects(rows[key], 100_000)} == behind[key]


@pytest.mark.parametrize("seed", range(4))
def test_random_objects_have_the_types_they_have(seed: int) -> None:
    model = Model(seed)
    for _ in range(5):
        for _ in range(200):
            model.step()
        model.check()


def test_in_another_context_and_thread() -> None:
    kept: list[object] = []
    context = contextvars.copy_context()
    threads = [threading.Thread(target=context.copy().run, args=(kept.append, Plain())) for _ in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    assert types_of(memtrace.take_snapshot(types=True))[f"{__name__}.Plain"].count >= 3
