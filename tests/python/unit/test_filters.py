"""What memtrace's filters add to tracemalloc's."""

from __future__ import annotations

import pickle

import pytest

import memtrace
from memtrace import _core


def kept(pattern_filter: memtrace.BaseFilter, *filenames: str) -> list[str]:
    snapshot = memtrace.Snapshot([(0, 1, ((name, 1),), 1) for name in filenames], 1)
    return [trace.traceback[0].filename for trace in snapshot.filter_traces([pattern_filter]).traces]


def test_the_package_is_hidden_by_its_file() -> None:
    package = memtrace.__file__.removesuffix("__init__.py")
    own = [
        memtrace.__file__,
        memtrace.take_snapshot.__code__.co_filename,
        package + "cli/run.py",
        package + "x.pyc",
    ]
    others = ["a.py", package.rstrip("/") + ".py", package.rstrip("/") + "_extra/a.py"]
    assert kept(memtrace.Filter(False, memtrace.__file__), *own, *others) == others
    assert kept(memtrace.Filter(True, memtrace.__file__), *own, *others) == own
    hiding = memtrace.Filter(False, memtrace.__file__)
    assert hiding.filename_pattern == memtrace.__file__
    assert not hiding._match_frame(own[1], 5)
    assert hiding._match_frame("a.py", 5)


def test_the_package_pattern_is_literal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtrace._filters._PACKAGE_PREFIX", "/venv [3.*]/memtrace/")
    monkeypatch.setattr("memtrace._filters._PACKAGE_FILE", "/venv [3.*]/memtrace/__init__.py")
    names = ("/venv [3.*]/memtrace/_core.py", "/venv 3/memtrace/_core.py")
    assert kept(memtrace.Filter(False, "/venv [3.*]/memtrace/__init__.py"), *names) == [names[1]]


def test_the_python_side_agrees_with_the_native_one() -> None:
    filters = [
        memtrace.Filter(True, "*a.py", 2, True, 1),
        memtrace.Filter(False, "[!b]*"),
        memtrace.DomainFilter(False, 1),
    ]
    frames = (("a.py", 2), ("b.py", 2), ("b.py", 3))
    traces = [(domain, 1, (first, second), 2) for domain in (0, 1) for first in frames for second in frames]
    snapshot = memtrace.Snapshot(traces, 2)
    for one in filters:
        assert snapshot.filter_traces([one]).traces._traces == [trace for trace in traces if one._match(trace)]


def test_a_filter_without_a_match_says_so() -> None:
    class Empty(memtrace.BaseFilter):
        pass

    with pytest.raises(TypeError, match="Empty does not say what it matches"):
        memtrace.Snapshot([(0, 1, (("a.py", 1),), 1)], 1).filter_traces([Empty(True)])


def test_filters_pickle() -> None:
    for one in (memtrace.Filter(False, "a.pyc", 3, True, 5), memtrace.DomainFilter(True, 4)):
        assert vars(pickle.loads(pickle.dumps(one))) == vars(one)


def test_native_filters_check_their_types() -> None:
    native = _core.Snapshot.from_traces([], 1)
    with pytest.raises(TypeError, match="expected str, not int"):
        native.filter_traces([("file", True, 5, None, False, None)])
