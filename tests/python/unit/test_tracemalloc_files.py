"""Snapshot.load() of what tracemalloc.Snapshot.dump() wrote, and of pickles that it did not."""

from __future__ import annotations

import io
import os
import pickle
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

import memtrace

TRACES = [
    (0, 10, (("a.py", 2), ("ä\udc80.py", 4)), 3),
    (0, 2**40, (("a.py", 2), ("ä\udc80.py", 4)), 3),
    (389047, 2, (("a.py", 5),), 1),
]


def dumped(path: Path, traces: Any = TRACES, **attributes: Any) -> Path:
    snapshot = tracemalloc.Snapshot(traces, 7)
    vars(snapshot).update(attributes)
    snapshot.dump(path)
    return path


def test_a_snapshot_of_a_real_program(tmp_path: Path) -> None:
    tracemalloc.start(5)
    try:
        kept = [bytes(100) for _ in range(1000)]
        theirs = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    assert kept
    theirs.dump(tmp_path / "snapshot")
    ours = memtrace.Snapshot.load(tmp_path / "snapshot")
    assert ours.traces._traces == theirs.traces._traces
    assert ours.traceback_limit == 5
    for key in ("filename", "lineno", "traceback"):
        assert [repr(group) for group in ours.statistics(key)] == [repr(group) for group in theirs.statistics(key)]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "snapshot"
    path.write_bytes(pickle.dumps(tracemalloc.Snapshot(TRACES, 7), protocol))
    assert memtrace.Snapshot.load(path).traces._traces == TRACES


def test_traces_without_a_total_and_in_a_tuple(tmp_path: Path) -> None:
    loaded = memtrace.Snapshot.load(dumped(tmp_path / "snapshot", tuple(trace[:3] for trace in TRACES)))
    assert loaded.traces._traces == [(*trace[:3], None) for trace in TRACES]


def test_attributes_come_back(tmp_path: Path) -> None:
    loaded = memtrace.Snapshot.load(dumped(tmp_path / "snapshot", note={"a": [1, (2.5, None)]}, other=b"x"))
    assert vars(loaded) == {"note": {"a": [1, (2.5, None)]}, "other": b"x"}
    loaded.dump(tmp_path / "again")
    assert vars(memtrace.Snapshot.load(tmp_path / "again")) == vars(loaded)


def refusal(path: Path) -> str:
    with pytest.raises(ValueError) as caught:
        memtrace.Snapshot.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: at offset "), message
    assert "not a snapshot of tracemalloc" in message
    return message


class Runs:
    """Calls something when it is unpickled."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call[0], self.call[1:]


def test_nothing_is_run(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    path = tmp_path / "snapshot"
    for call in ((os.mkdir, str(witness)), (eval, f"open({str(witness)!r}, 'w')"), (exec, "1"), (print, "x")):
        for value in (Runs(*call), [Runs(*call)]):
            path.write_bytes(pickle.dumps(value))
            refusal(path)
            refusal(dumped(path, note=value))
            refusal(dumped(path, [value]))
    assert not witness.exists()


def test_attributes_of_other_types_are_refused(tmp_path: Path) -> None:
    for value in (tracemalloc.Snapshot([], 1), [tracemalloc.Snapshot([], 1)], tracemalloc.Frame(("a", 1)), 1j):
        refusal(dumped(tmp_path / "snapshot", note=value))


def test_dotted_and_other_names_are_not_found(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    for module, name in (
        ("tracemalloc", "Snapshot.load"),
        ("tracemalloc", "start"),
        ("tracemalloc", "os"),
        ("memtrace", "Snapshot"),
        ("builtins", "getattr"),
        ("_tracemalloc", "Snapshot"),
    ):
        path.write_bytes(
            b"\x80\x04"
            + pickle.SHORT_BINUNICODE
            + bytes((len(module),))
            + module.encode()
            + pickle.SHORT_BINUNICODE
            + bytes((len(name),))
            + name.encode()
            + pickle.STACK_GLOBAL
            + b"."
        )
        assert f"it names {module}.{name}" in refusal(path)


def test_a_pickle_cannot_change_the_classes(tmp_path: Path) -> None:
    """BUILD on a class, not on an instance, sets attributes of the class."""
    output = io.BytesIO()
    output.write(b"\x80\x02ctracemalloc\nSnapshot\n(N}X\x04\x00\x00\x00loadK\x05sto\x62.")
    path = tmp_path / "snapshot"
    path.write_bytes(b"\x80\x02ctracemalloc\nSnapshot\nN}X\x04\x00\x00\x00loadK\x05s\x86b.")
    before = memtrace.Snapshot.load
    refusal(path)
    assert memtrace.Snapshot.load is before


@pytest.mark.parametrize("value", [None, 5, [], {}, "text", (1, 2), {"traces": [], "traceback_limit": 1}], ids=repr)
def test_pickles_of_something_else(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "snapshot"
    path.write_bytes(pickle.dumps(value))
    refusal(path)


@pytest.mark.parametrize(
    "traces",
    [
        None,
        5,
        "text",
        {},
        [5],
        [()],
        [(0, 1)],
        [(0, 1, (("a", 1),), 1, 1)],
        [("0", 1, (("a", 1),), 1)],
        [(0, -1, (("a", 1),), 1)],
    ],
    ids=repr,
)
def test_snapshots_of_something_else(tmp_path: Path, traces: Any) -> None:
    if traces == {}:
        assert len(memtrace.Snapshot.load(dumped(tmp_path / "snapshot", [])).traces) == 0
    refusal(dumped(tmp_path / "snapshot", traces))


def test_a_limit_that_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    for limit in (None, "x", 2**70, 1.5):
        tracemalloc.Snapshot(TRACES, limit).dump(path)  # type: ignore[arg-type]
        refusal(path)


def test_damaged_pickles_never_crash(tmp_path: Path) -> None:
    data = dumped(tmp_path / "snapshot").read_bytes()
    path = tmp_path / "damaged"
    for length in range(1, len(data)):
        path.write_bytes(data[:length])
        refusal(path)
    rng = random.Random(1)
    for position in range(1, len(data)):
        damaged = bytearray(data)
        damaged[position] ^= rng.randrange(1, 256)
        path.write_bytes(damaged)
        try:
            loaded = memtrace.Snapshot.load(path)
        except ValueError as error:
            assert str(error).startswith(f"{path}: ")
        else:  # a changed number or letter is still a snapshot
            assert loaded.statistics("lineno")
