"""Functions refuse what tracemalloc's refuse, with its exceptions and messages."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Iterator
from types import ModuleType

import pytest
from both import assert_same

import memtrace


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    memtrace.stop()
    tracemalloc.stop()
    yield
    memtrace.stop()
    tracemalloc.stop()


class Index:
    def __init__(self, value: object) -> None:
        self.value = value

    def __index__(self) -> object:
        return self.value


BUILTINS = [
    *("clear_traces", "get_traceback_limit", "get_traced_memory", "get_tracemalloc_memory", "is_tracing"),
    *("reset_peak", "start", "stop"),
]
BAD_NFRAMES = [
    *(0, -1, 65536, 2**30, 2**31 - 1, -(2**31), 2**31, -(2**31) - 1, 2**40, 2**63, -(2**63) - 1, 2**100),
    *("x", "1", b"1", 1.0, 1.5, None, [], (1,), Index(0), Index(65536), Index("x"), False),
]


@pytest.mark.parametrize("nframe", BAD_NFRAMES, ids=repr)
def test_start(nframe: object) -> None:
    assert_same(lambda module: module.start(nframe))
    assert not memtrace.is_tracing()


@pytest.mark.parametrize("nframe", BAD_NFRAMES, ids=repr)
def test_start_while_tracing(nframe: object) -> None:
    for module in (tracemalloc, memtrace):
        module.start(3)
    try:
        assert_same(lambda module: module.start(nframe))
        assert memtrace.is_tracing()
        assert memtrace.get_traceback_limit() == 3
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("nframe", [1, 25, 65535, True, Index(7)], ids=repr)
def test_start_accepts(nframe: object) -> None:
    for module in (tracemalloc, memtrace):
        assert module.start(nframe) is None
        limit = module.get_traceback_limit()
        assert (type(limit), limit) == (int, nframe.value if isinstance(nframe, Index) else int(nframe))  # type: ignore[call-overload]
        assert module.stop() is None


def test_answers_when_not_tracing() -> None:
    for module in (tracemalloc, memtrace):
        module.start(9)
        module.stop()
    for call in (
        lambda module: module.is_tracing(),
        lambda module: module.get_traced_memory(),
        lambda module: module.get_traceback_limit(),
        lambda module: module.clear_traces(),
        lambda module: module.reset_peak(),
        lambda module: module.stop(),
        lambda module: module.get_object_traceback(object()),
        lambda module: module._get_traces(),
        lambda module: module._get_object_traceback(object()),
        lambda module: module.take_snapshot(),
    ):
        assert_same(call)


@pytest.mark.parametrize("name", BUILTINS)
@pytest.mark.parametrize("arguments", [(1, 2), (1, 2, 3), ("x", "y")])
@pytest.mark.parametrize("keywords", [{}, {"nframe": 1}, {"x": 1}])
def test_wrong_arguments_of_builtins(name: str, arguments: tuple[object, ...], keywords: dict[str, object]) -> None:
    def refuses(also: dict[str, object], *given: object) -> None:
        if name == "start" and also:  # has keywords of its own
            with pytest.raises(TypeError):
                memtrace.start(*given, **also)  # type: ignore[call-overload]
        else:
            assert_same(lambda module: getattr(module, name)(*given, **also))

    refuses(keywords, *arguments)
    refuses({**keywords, "wrong": 1})
    assert not memtrace.is_tracing()


@pytest.mark.parametrize("name", BUILTINS)
def test_builtins_can_be_pickled_and_described(name: str) -> None:
    ours = getattr(memtrace, name)
    assert pickle.loads(pickle.dumps(ours)) is ours
    assert (ours.__name__, ours.__qualname__, ours.__module__) == (name, name, "memtrace")
    assert type(ours) is type(getattr(tracemalloc, name))


def test_what_a_builtin_returns_belongs_to_its_caller() -> None:
    def owner(module: ModuleType) -> str:
        module.start(1)
        # Past the free list of pairs, which may hold blocks from before.
        answers = [module.get_traced_memory() for _ in range(5000)]
        traceback = module.get_object_traceback(answers[-1])
        module.stop()
        return str(traceback)

    assert owner(memtrace).startswith(f"{__file__}:")
    assert_same(owner)


def test_arguments_of_the_functions_in_python() -> None:
    for call in (
        lambda module: module.get_object_traceback(),
        lambda module: module.get_object_traceback(1, 2),
        lambda module: module.get_object_traceback(object=1),
        lambda module: module.Snapshot(),
        lambda module: module.Snapshot([]),
        lambda module: module.Snapshot([], 1, 2),
        lambda module: module.Snapshot.load(),
        lambda module: module.Snapshot.load("/nowhere/at all"),
        lambda module: module.Snapshot.load("/"),
        lambda module: module.Snapshot.load(None),
        lambda module: module.Snapshot.load(1.5),
        lambda module: module.Snapshot([], 1).dump(),
        lambda module: module.Snapshot([], 1).dump(None),
        lambda module: module.Snapshot([], 1).dump("/nowhere/at all"),
        lambda module: module.Snapshot([], 1).dump("/"),
        lambda module: module.Snapshot([], 1).dump("a\0b"),
    ):
        assert_same(call)
    with pytest.raises(TypeError):
        memtrace.take_snapshot(True)  # type: ignore[misc]
