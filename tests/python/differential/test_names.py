"""Every name of tracemalloc is here, with its signature, its attributes and its errors."""

from __future__ import annotations

import importlib
import inspect
import tracemalloc
import types
from typing import Any

import pytest
from both import assert_same

import memtrace

# What tracemalloc has imported is no part of it.
PUBLIC = sorted(
    name
    for name, value in vars(tracemalloc).items()
    if not name.startswith("_")
    and not isinstance(value, types.ModuleType)
    and getattr(value, "__module__", "").endswith("tracemalloc")
)
CLASSES = [name for name in PUBLIC if isinstance(getattr(tracemalloc, name), type)]
FUNCTIONS = [name for name in PUBLIC if name not in CLASSES]


def test_the_names_are_those_of_the_documentation() -> None:
    assert set(CLASSES) == {
        *("BaseFilter", "DomainFilter", "Filter", "Frame", "Snapshot", "Statistic", "StatisticDiff", "Trace"),
        "Traceback",
    }
    assert set(FUNCTIONS) == {
        *(
            "clear_traces",
            "get_object_traceback",
            "get_traceback_limit",
            "get_traced_memory",
            "get_tracemalloc_memory",
        ),
        *("is_tracing", "reset_peak", "start", "stop", "take_snapshot"),
    }


@pytest.mark.parametrize("name", PUBLIC)
def test_name(name: str) -> None:
    ours, theirs = getattr(memtrace, name), getattr(tracemalloc, name)
    assert name in memtrace.__all__
    assert isinstance(ours, type) == isinstance(theirs, type)
    assert ours.__name__ == theirs.__name__
    assert ours.__module__ == "memtrace"
    assert ours.__doc__


@pytest.mark.parametrize("name", set(PUBLIC) - {"start", "take_snapshot"})
def test_signature(name: str) -> None:
    assert inspect.signature(getattr(memtrace, name)) == inspect.signature(getattr(tracemalloc, name))


def test_signature_of_start_adds_keywords() -> None:
    keywords = "sample_interval=None, seed=None, max_memory=None, label_tasks=None, timeline=None"
    assert str(inspect.signature(memtrace.start)) == f"(nframe=1, /, *, {keywords})"


def test_signature_of_take_snapshot_adds_keywords() -> None:
    assert str(inspect.signature(memtrace.take_snapshot)) == "(*, blocks=True, mark=False, types=False)"


def members(cls: type) -> dict[str, Any]:
    return {name: inspect.getattr_static(cls, name) for name in dir(cls)}


@pytest.mark.parametrize("name", CLASSES)
def test_members(name: str) -> None:
    ours, theirs = members(getattr(memtrace, name)), members(getattr(tracemalloc, name))
    for member, value in theirs.items():
        if member.startswith("_") and not (inspect.isfunction(value) and member in MATCHING):
            continue
        assert member in ours, member
        if inspect.isfunction(value) or isinstance(value, staticmethod):
            assert type(ours[member]) is type(value)
            own_function = getattr(getattr(memtrace, name), member)
            assert inspect.signature(own_function) == inspect.signature(getattr(getattr(tracemalloc, name), member))


MATCHING = {"_match", "_match_frame", "_match_traceback"}


@pytest.mark.parametrize("name", CLASSES)
def test_special_methods(name: str) -> None:
    ours, theirs = getattr(memtrace, name), getattr(tracemalloc, name)
    for special in (
        "__eq__",
        "__hash__",
        "__lt__",
        "__le__",
        "__gt__",
        "__ge__",
        "__len__",
        "__getitem__",
        "__contains__",
    ):
        default = getattr(object, special, None)
        is_own = getattr(theirs, special, None) is not default
        assert (getattr(ours, special, None) is not default) == is_own, special


@pytest.mark.parametrize("name", CLASSES)
def test_bases(name: str) -> None:
    theirs = [base.__name__ for base in getattr(tracemalloc, name).__mro__]
    ours = [base.__name__ for base in getattr(memtrace, name).__mro__]
    assert [base for base in ours if base in theirs] == theirs


def test_instances_have_the_attributes() -> None:
    trace = (0, 5, (("a.py", 2), ("b.py", 3)), 2)
    for make in (
        lambda module: module.Frame(("a.py", 2)),
        lambda module: module.Traceback(trace[2], 2),
        lambda module: module.Trace(trace),
        lambda module: module.Statistic(module.Traceback(trace[2]), 5, 1),
        lambda module: module.StatisticDiff(module.Traceback(trace[2]), 5, 1, 2, 1),
        lambda module: module.Snapshot([trace], 2),
        lambda module: module.Filter(True, "a.py"),
        lambda module: module.DomainFilter(False, 3),
    ):
        ours, theirs = make(memtrace), make(tracemalloc)
        for name in dir(theirs):
            if name.startswith("_") or callable(getattr(theirs, name)):
                continue
            assert str(getattr(ours, name)) == str(getattr(theirs, name)), name


def test_private_names_that_others_use() -> None:
    assert memtrace._format_size(5000, False) == tracemalloc._format_size(5000, False)
    assert memtrace.linecache is tracemalloc.linecache
    with pytest.raises(AttributeError, match="module 'memtrace' has no attribute 'nothing'"):
        memtrace.nothing  # noqa: B018


@pytest.mark.parametrize("sign", [False, True])
def test_sizes(sign: bool) -> None:
    units = [1024**power for power in range(8)]
    for unit in units:
        for factor in (
            0,
            1,
            9.94,
            9.95,
            9.96,
            99,
            99.94,
            99.95,
            99.96,
            100,
            1023,
            1024,
            10239,
            10240,
            10241,
            99999,
        ):
            for size in (unit * factor, -unit * factor, int(unit * factor)):
                assert_same(lambda module, size=size: module._format_size(size, sign))


def test_nothing_is_traced_by_importing() -> None:
    assert not importlib.import_module("memtrace").is_tracing()
