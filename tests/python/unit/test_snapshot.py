"""What memtrace.Snapshot has beyond tracemalloc's: immutability, copies, names of functions and modules."""

from __future__ import annotations

import copy
import pickle
import weakref

import pytest

import memtrace

TRACES = [
    (0, 10, (("/app/pkg/a.py", 2), ("/app/pkg/b.py", 4)), 3),
    (0, 20, (("/app/pkg/a.py", 2), ("/app/pkg/b.py", 4)), 3),
    (1, 2, (("/app/pkg/a.py", 5),), 1),
    (2, 66, (("/app/pkg/b.py", 1),), 1),
]


def make() -> memtrace.Snapshot:
    return memtrace.Snapshot(TRACES, 7)


def test_a_snapshot_does_not_follow_the_list_it_was_made_from() -> None:
    traces = list(TRACES)
    snapshot = memtrace.Snapshot(traces, 7)
    traces.clear()
    assert len(snapshot.traces) == 4
    assert sum(group.size for group in snapshot.statistics("lineno")) == 98


def test_assigned_traces_are_used() -> None:
    snapshot = make()
    assert snapshot.statistics("lineno")[0].size == 66
    snapshot.traces = memtrace.Snapshot(TRACES[:3], 7).traces
    assert snapshot.statistics("lineno")[0].size == 30
    assert len(snapshot.traces) == 3


def test_equal_stacks_share_their_frames() -> None:
    loaded = pickle.loads(pickle.dumps(make()))
    first, second, *_ = loaded.traces._traces
    assert first[2] is second[2]


def test_traces_of_a_native_snapshot_are_a_sequence() -> None:
    native = make().filter_traces([memtrace.DomainFilter(True, 0), memtrace.DomainFilter(True, 2)])
    expected = [TRACES[0], TRACES[1], TRACES[3]]
    traces = native.traces
    assert traces._traces == expected
    assert [trace._trace for trace in traces] == expected
    assert [traces[at]._trace for at in range(-3, 3)] == expected * 2
    for picked in (
        slice(None),
        slice(1, None),
        slice(-1, None),
        slice(None, None, -1),
        slice(0, 3, 2),
        slice(5, 9),
    ):
        assert [trace._trace for trace in traces[picked]] == expected[picked]
        assert type(traces[picked]) is tuple
    for outside in (3, -4, 2**80):
        with pytest.raises(IndexError):
            traces[outside]
    with pytest.raises(TypeError):
        traces["0"]  # type: ignore[call-overload]
    assert memtrace.Trace(TRACES[3]) in traces
    assert memtrace.Trace(TRACES[2]) not in traces
    assert traces == memtrace.Snapshot(expected, 1).traces
    assert memtrace.Snapshot(expected, 1).traces == traces
    assert traces != memtrace.Snapshot(TRACES, 1).traces
    assert traces == pickle.loads(pickle.dumps(native)).traces
    assert repr(traces) == "<Traces len=3>"
    with pytest.raises(TypeError, match="unhashable"):
        hash(traces)


def test_iteration_in_runs_reaches_every_block() -> None:
    count = 5000
    traces = [(0, size, (("a.py", size % 7),), 1) for size in range(count)]
    native = pickle.loads(pickle.dumps(memtrace.Snapshot(traces, 1)))
    assert [trace.size for trace in native.traces] == list(range(count))
    assert memtrace.Trace(traces[-1]) in native.traces
    assert memtrace.Trace((0, count, (("a.py", 0),), 1)) not in native.traces


def test_a_huge_block_keeps_its_size() -> None:
    sizes = [2**32 - 2, 2**32 - 1, 2**32, 2**40, 2**63, 0]
    snapshot = pickle.loads(pickle.dumps(memtrace.Snapshot([(0, size, (("a.py", 1),), 1) for size in sizes], 1)))
    assert [trace.size for trace in snapshot.traces] == sizes


def test_traces_pickle_as_what_they_hold() -> None:
    native = make().filter_traces([])
    for traces in (make().traces, native.traces):
        again = pickle.loads(pickle.dumps(traces))
        assert again == traces
        assert again._traces == TRACES
        assert copy.deepcopy(traces) == traces


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
@pytest.mark.parametrize("filtered", [False, True])
def test_copies(duplicate, filtered: bool) -> None:  # type: ignore[no-untyped-def]
    snapshot = make().filter_traces([memtrace.Filter(True, "*a.py")]) if filtered else make()
    snapshot.note = {"run": [1, 2]}  # type: ignore[attr-defined]
    again = duplicate(snapshot)
    assert type(again) is memtrace.Snapshot
    assert again.traces == snapshot.traces
    assert again.traceback_limit == 7
    assert again.note == {"run": [1, 2]}
    assert again.statistics("traceback") == snapshot.statistics("traceback")
    assert (again.note["run"] is snapshot.note["run"]) == (duplicate is copy.copy)  # type: ignore[attr-defined]


def test_a_subclass_stays_one() -> None:
    class Named(memtrace.Snapshot):
        pass

    assert type(copy.copy(Named(TRACES, 1))) is Named
    assert type(copy.deepcopy(Named(TRACES, 1))) is Named


def test_weak_references() -> None:
    snapshot = make()
    assert weakref.ref(snapshot)() is snapshot


def test_changing_a_statistic_changes_nothing_else() -> None:
    snapshot = make()
    snapshot.statistics("lineno")[0].size = 0
    assert snapshot.statistics("lineno")[0].size == 66


def test_a_statistic_outlives_its_snapshot() -> None:
    group = make().statistics("traceback")[0]
    assert [str(frame) for frame in group.traceback] == ["/app/pkg/b.py:1"]


def test_modules() -> None:
    groups = make().statistics("module")
    assert [(group.key, group.size, group.count) for group in groups] == [
        ("/app/pkg/b", 66, 1),
        ("/app/pkg/a", 32, 3),
    ]
    assert [str(group.traceback) for group in groups] == ["/app/pkg/b.py:1", "/app/pkg/a.py:2"]
    assert str(groups[1]) == "/app/pkg/a: size=32 B, count=3, average=11 B"
    assert repr(groups[0]) == (
        "<Statistic traceback=<Traceback (<Frame filename='/app/pkg/b.py' lineno=1>,)>"
        " size=66 count=1 key='/app/pkg/b'>"
    )


def test_cumulative_modules_count_a_traceback_once() -> None:
    recursive = [(0, 10, (("pkg/a.py", 1), ("pkg/a.py", 2), ("pkg/b.py", 3)), 3)]
    groups = memtrace.Snapshot(recursive, 3).statistics("module", cumulative=True)
    assert sorted((group.key, group.size, group.count) for group in groups) == [
        ("pkg.a", 10, 1),
        ("pkg.b", 10, 1),
    ]


@pytest.mark.parametrize("key", ["function", "module"])
def test_compare_to_by_name(key: str) -> None:
    old = memtrace.Snapshot(TRACES[:3], 7)
    differences = {group.key: group for group in make().compare_to(old, key)}
    assert sum(group.size_diff for group in differences.values()) == 66
    gone = {group.key: group for group in old.compare_to(make(), key)}
    assert {name: -group.size_diff for name, group in gone.items()} == {
        name: group.size_diff for name, group in differences.items()
    }
    changed = max(differences.values(), key=lambda group: group.size_diff)
    assert (changed.size, changed.size_diff, changed.count, changed.count_diff) == (66, 66, 1, 1)
    assert str(changed).startswith(f"{changed.key}: size=66 B (+66 B), count=1 (+1), average=66 B")
    assert repr(changed).endswith(f"count=1 (+1) key={changed.key!r}>")


def test_key_of_other_groups_is_the_traceback() -> None:
    for key in ("filename", "lineno", "traceback"):
        for group in (*make().statistics(key), *make().compare_to(memtrace.Snapshot([], 1), key)):
            assert group.key is group.traceback
    built = memtrace.Statistic(memtrace.Traceback((("a.py", 1),)), 5, 1)
    assert built.key is built.traceback


def test_the_key_takes_part_in_equality() -> None:
    named = make().statistics("module")[0]
    plain = memtrace.Statistic(named.traceback, named.size, named.count)
    assert named != plain
    assert named == pickle.loads(pickle.dumps(named)) == copy.deepcopy(named)
    difference = make().compare_to(memtrace.Snapshot([], 1), "module")[0]
    assert difference == pickle.loads(pickle.dumps(difference)) == copy.copy(difference)
    assert difference.key == copy.copy(difference).key


def test_cumulative_tracebacks_are_refused() -> None:
    with pytest.raises(ValueError, match="cumulative mode cannot by used with key type 'traceback'"):
        make().statistics("traceback", cumulative=True)


BAD_TRACES = [
    (5, TypeError, "trace 0: a trace must be a tuple, not int"),
    ((0, 1), ValueError, "trace 0: expected (domain, size, frames, total_nframe), got 2 values"),
    (
        (0, 1, (("a", 1),), 1, 1),
        ValueError,
        "trace 0: expected (domain, size, frames, total_nframe), got 5 values",
    ),
    ((-1, 1, (("a", 1),), 1), ValueError, "trace 0: domain -1 is out of range"),
    ((2**32, 1, (("a", 1),), 1), ValueError, "trace 0: domain 4294967296 is out of range"),
    ((0, -1, (("a", 1),), 1), ValueError, "trace 0: size -1 is out of range"),
    ((0, 2**64, (("a", 1),), 1), ValueError, "trace 0: size 18446744073709551616 is out of range"),
    ((0, 1.5, (("a", 1),), 1), TypeError, "trace 0: 'float' object cannot be interpreted as an integer"),
    ((0, 1, 5, 1), TypeError, "trace 0: frames must be a tuple, not int"),
    ((0, 1, (), 1), ValueError, "trace 0: a trace has at least one frame"),
    ((0, 1, (5,), 1), TypeError, "trace 0: a frame must be a tuple, not int"),
    ((0, 1, (("a",),), 1), ValueError, "trace 0: expected (filename, lineno), got 1 values"),
    ((0, 1, ((5, 1),), 1), TypeError, "trace 0: expected str, not int"),
    ((0, 1, ((b"a", 1),), 1), TypeError, "trace 0: expected str, not bytes"),
    ((0, 1, (("a", "1"),), 1), TypeError, "trace 0: 'str' object cannot be interpreted as an integer"),
    ((0, 1, (("a", 2**31),), 1), ValueError, "trace 0: lineno 2147483648 is out of range"),
    ((0, 1, (("a", 1),), -1), ValueError, "trace 0: total_nframe is negative"),
    ((0, 1, (("a", 1),), "1"), TypeError, "trace 0: 'str' object cannot be interpreted as an integer"),
]


@pytest.mark.parametrize(("trace", "kind", "message"), BAD_TRACES)
def test_bad_traces_are_named(trace: object, kind: type[Exception], message: str) -> None:
    snapshot = memtrace.Snapshot([trace], 1)  # type: ignore[list-item]
    with pytest.raises(kind) as caught:
        snapshot.statistics("lineno")
    assert str(caught.value) == message
    with pytest.raises(kind, match=r"^trace 4: "):
        memtrace.Snapshot([*TRACES, trace], 1).filter_traces([])  # type: ignore[list-item]


def test_unknown_totals_stay_unknown() -> None:
    traces = [(0, 1, (("a", 1),)), (0, 1, (("a", 1),), None), (0, 1, (("a", 1),), 5)]
    copied = memtrace.Snapshot(traces, 1).filter_traces([])  # type: ignore[arg-type]
    assert [trace.traceback.total_nframe for trace in copied.traces] == [None, None, 5]


def test_a_limit_that_is_no_number() -> None:
    with pytest.raises(TypeError):
        memtrace.Snapshot([], "x").statistics("lineno")  # type: ignore[arg-type]


def test_twenty_thousand_statistics() -> None:
    snapshot = memtrace.Snapshot([(0, size, ((f"{size}.py", 1),), 1) for size in range(20_000)], 1).filter_traces([])
    assert [statistic.size for statistic in snapshot.statistics("lineno")] == list(range(19_999, -1, -1))
