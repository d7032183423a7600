"""To ask who holds an object changes nothing: no method of the program's runs, no reference is kept, nothing is collected."""

from __future__ import annotations

import gc
import sys
import threading
import types
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

import memtrace


class Evil:
    """All that a method could do happens when one runs."""

    ran: list[str] = []  # noqa: RUF012 - the class's own

    def __init__(self, held: Any = None) -> None:
        self.held = held

    def __del__(self) -> None:
        Evil.ran.append("__del__")

    def __getattribute__(self, name: str) -> Any:
        Evil.ran.append(name)
        return object.__getattribute__(self, name)

    def _run(name: str) -> Any:  # type: ignore[misc]  # noqa: N805
        def method(self: Any, *arguments: Any) -> Any:
            Evil.ran.append(name)
            raise RuntimeError(name)

        return method

    __eq__ = _run("__eq__")
    __repr__ = _run("__repr__")
    __str__ = _run("__str__")
    __len__ = _run("__len__")
    __bool__ = _run("__bool__")
    __iter__ = _run("__iter__")
    __sizeof__ = _run("__sizeof__")
    __getattr__ = _run("__getattr__")

    def __hash__(self) -> int:
        Evil.ran.append("__hash__")
        return 5


class EvilMeta(type):
    def __getattribute__(cls, name: str) -> Any:
        Evil.ran.append(f"meta {name}")
        return super().__getattribute__(name)

    def __repr__(cls) -> str:
        Evil.ran.append("meta __repr__")
        return super().__repr__()

    def __subclasscheck__(cls, subclass: type) -> bool:
        Evil.ran.append("meta __subclasscheck__")
        return False


class EvilDict(dict[Any, Any]):
    def __getitem__(self, key: Any) -> Any:
        Evil.ran.append("dict __getitem__")
        raise RuntimeError

    __iter__ = items = keys = values = get = __getitem__  # type: ignore[assignment]


class EvilModule(types.ModuleType):
    def __getattribute__(self, name: str) -> Any:
        Evil.ran.append(f"module {name}")
        raise RuntimeError


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    sys.modules["evil"] = types.ModuleType("evil")
    yield sys.modules["evil"]
    del sys.modules["evil"]


def test_no_method_of_the_program_runs() -> None:
    evil_class = EvilMeta("Class", (Evil,), {})
    module = EvilModule("evil")
    names = types.ModuleType.__dict__["__dict__"].__get__(module)
    target = evil_class()
    names["first"] = EvilDict({Evil(): [target]})
    names["second"] = {(Evil(), 1): target}
    names["third"] = Evil(Evil(target))
    names["__name__"] = Evil()
    sys.modules["evil"] = module
    Evil.ran.clear()
    try:
        chains = memtrace.holders(target, limit=3)
        ran = Evil.ran.copy()
        texts = [str(chain) for chain in chains]
    finally:
        del sys.modules["evil"]
    assert ran == []
    assert [chain[0].name for chain in chains] == ["second", "first", "third"]
    assert "value of key (<" in texts[0]
    assert texts[1].endswith(f"    index 0 -> {__name__}.Class")
    for name in ("first", "second", "third"):
        del names[name]


def kept(module: types.ModuleType) -> list[Any]:
    """Objects of many kinds, which one module holds."""

    class Slots:
        __slots__ = ("held",)

    def closure() -> list[Any]:
        return things

    def steps() -> Iterator[Any]:
        yield things

    things: list[Any] = [Slots(), closure, steps(), {"a": 1}, (1, []), {5}, Slots, closure.__get__(5), 3.5, "text" * 20]
    things[0].held = things
    next(things[2])
    module.things = things  # type: ignore[attr-defined]
    return things


def test_reference_counts(module: types.ModuleType) -> None:
    things = kept(module)
    before = [sys.getrefcount(thing) for thing in things]
    for thing in things:
        chains = memtrace.holders(thing)
        assert chains
    del thing, chains
    assert [sys.getrefcount(thing) for thing in things] == before


def test_chains_keep_nothing_alive(module: types.ModuleType) -> None:
    class Session:
        pass

    module.cache = {"ann": Session()}  # type: ignore[attr-defined]
    reference = weakref.ref(module.cache["ann"])
    chains = memtrace.holders(reference())
    assert reference() is not None
    module.cache.clear()
    assert reference() is None
    assert chains[0][-1].type_name.endswith("Session")


def test_the_collector_is_left_alone() -> None:
    class Node:
        def __del__(self) -> None:
            finalized.append(True)

    finalized: list[bool] = []
    node = Node()
    node.me = node  # type: ignore[attr-defined]
    reference = weakref.ref(node)
    del node
    gc.collect()
    assert finalized == [True]
    node = Node()
    node.me = node  # type: ignore[attr-defined]
    reference = weakref.ref(node, lambda _: finalized.append(False))
    del node
    gc.disable()
    try:
        memtrace.holders(5)  # what the first call imports
        state = gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), len(gc.garbage), gc.get_stats()
        for _ in range(3):
            chains = memtrace.holders(reference())
            assert chains[0].root.kind == "cycle"
        assert state == (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), len(gc.garbage), gc.get_stats())
        assert finalized == [True]
        assert reference() is not None
    finally:
        gc.enable()
    gc.collect()
    assert reference() is None
    assert len(finalized) == 3


def test_no_dictionaries_are_made(module: types.ModuleType) -> None:
    class Plain:
        def __init__(self, held: Any) -> None:
            self.a, self.held = 1, held

    def dictionaries() -> int:
        return sum(type(thing) is dict for thing in gc.get_referents(*plain))

    module.plain = plain = [Plain([]) for _ in range(50)]  # type: ignore[attr-defined]
    before = dictionaries()
    assert memtrace.holders(plain[9].held)[0][-1].name == "held"
    assert dictionaries() == before


def test_nothing_is_left_behind(module: types.ModuleType) -> None:
    things = kept(module)

    def growth() -> int:
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(10):
            for thing in (things, 5):
                str(memtrace.holders(thing))
        gc.collect()
        return sys.getallocatedblocks() - before

    assert min(growth() for _ in range(5)) < 10


def test_the_trace_sees_little_of_it(module: types.ModuleType) -> None:
    """All of the walk's memory is the tracer's own: what the program allocates is what the chains are made of."""
    module.many = [[] for _ in range(100_000)]  # type: ignore[attr-defined]
    memtrace.holders(5)
    memtrace.stop()
    memtrace.start()
    try:
        memtrace.reset_peak()
        before = memtrace.get_traced_memory()[0]
        memtrace.holders(module.many[5])  # type: ignore[attr-defined]
        assert memtrace.get_traced_memory()[1] - before < 50_000
    finally:
        memtrace.stop()


def test_while_others_work(module: types.ModuleType) -> None:
    """Threads that make, change and drop objects of all kinds all the time."""

    def churn(number: int) -> None:
        while not stop.is_set():
            things = kept(types.ModuleType("other"))
            setattr(module, f"x{number}", things)
            things.append({i: [i] for i in range(100)})
            local.value = things
            list(steps(things))

    def steps(held: Any) -> Iterator[Any]:
        for index in range(5):
            yield index, held

    class Session:
        pass

    local = threading.local()
    stop = threading.Event()
    module.session = Session()  # type: ignore[attr-defined]
    reference = weakref.ref(module.session)
    threads = [threading.Thread(target=churn, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(25):
            assert str(memtrace.holders(reference())[0]).startswith("module 'evil'\n    attribute 'session' -> ")
            memtrace.holders(module.__dict__.get("x1"))
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_from_a_finalizer(module: types.ModuleType) -> None:
    class Last:
        def __del__(self) -> None:
            found.extend(memtrace.holders(self))
            found.extend(memtrace.holders(module))

    def leave() -> None:
        first, last = Last(), Last()
        assert first is not last

    found: list[memtrace.Chain] = []
    leave()
    assert {chain.root.kind for chain in found} >= {"caller", "module"}
