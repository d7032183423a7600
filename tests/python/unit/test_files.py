"""Snapshot.dump() and Snapshot.load(): what is kept, and what a damaged file says."""

from __future__ import annotations

import copy
import os
import pickle
import re
import stat
import struct
from pathlib import Path

import pytest

import memtrace
from memtrace import _core
from memtrace._timeline import TimelinePoint

TRACES = [
    (0, 10, (("a.py", 2), ("ä\udc80.py", 4)), 3),
    (0, 2**40, (("a.py", 2), ("ä\udc80.py", 4)), 3),
    (389047, 2, (("a.py", 5),), 1),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "snapshot"
    memtrace.Snapshot(TRACES, 7).dump(path)
    return path


def test_everything_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    snapshot = memtrace.Snapshot(TRACES, 7)
    snapshot.dump(path)
    loaded = memtrace.Snapshot.load(path)
    assert type(loaded) is memtrace.Snapshot
    assert loaded.traces == snapshot.traces
    assert loaded.traces._traces == TRACES
    assert loaded.traceback_limit == 7
    for key in ("filename", "lineno", "traceback", "function", "module"):
        assert loaded.statistics(key) == snapshot.statistics(key)
        assert all(group.size_diff == 0 for group in loaded.compare_to(snapshot, key))


def test_a_filtered_snapshot_keeps_only_what_it_shows(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    memtrace.Snapshot(TRACES, 7).filter_traces([memtrace.DomainFilter(False, 0)]).dump(path)
    assert memtrace.Snapshot.load(path).traces._traces == TRACES[2:]
    assert b"\xc3\xa4" not in path.read_bytes()


def test_attributes_come_back(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    snapshot = memtrace.Snapshot(TRACES, 7)
    kept = {"text": "ä", "number": -1.5, "nested": {"list": [1, (None, True)], "set": {1, 2}}, "bytes": b"\0"}
    for name, value in kept.items():
        setattr(snapshot, name, value)
    snapshot.traceback_limit = 9
    snapshot.dump(path)
    loaded = memtrace.Snapshot.load(path)
    assert vars(loaded) == kept
    assert loaded.traceback_limit == 9
    loaded.traceback_limit = 11
    loaded.dump(path)
    again = memtrace.Snapshot.load(path)
    assert vars(again) == kept
    assert again.traceback_limit == 11


def test_the_peak_and_the_timeline_come_back(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    snapshot = memtrace.Snapshot(TRACES, 7)
    assert (snapshot.peak, snapshot.timeline) == (None, ())
    snapshot.peak = memtrace.Snapshot(TRACES[:2], 9)
    snapshot.peak.note = "stays behind"  # type: ignore[attr-defined]
    snapshot.peak.peak = snapshot
    snapshot.timeline = (TimelinePoint(0.5, 10, 20, 30), TimelinePoint(1.0, 0, 1 << 60, 0))
    assert snapshot.timeline[1].peak == 1 << 60
    snapshot.note = "kept"  # type: ignore[attr-defined]
    snapshot.dump(path)
    for again in (memtrace.Snapshot.load(path), pickle.loads(pickle.dumps(snapshot)), copy.deepcopy(snapshot)):
        assert again.peak is not None
        assert (again.peak.traces._traces, again.peak.traceback_limit) == (TRACES[:2], 9)
        assert again.timeline == snapshot.timeline
        assert type(again.timeline[0]) is TimelinePoint
        assert again.traces._traces == TRACES
        assert again.note == "kept"
    loaded = memtrace.Snapshot.load(path)
    assert loaded.peak is not None
    assert (vars(loaded.peak), loaded.peak.peak) == ({}, None)
    with pytest.raises(TypeError, match="peak must be a Snapshot or None, not int"):
        snapshot.peak = 5  # type: ignore[assignment]


@pytest.mark.parametrize("extras", [(b"", b"no snapshot", b""), (b"", b"", b"x" * 33)])
def test_a_damaged_peak_or_timeline(tmp_path: Path, extras: tuple[bytes, bytes, bytes]) -> None:
    path = tmp_path / "snapshot"
    _core.Snapshot.from_traces(TRACES, 7).dump(path, extras)
    with pytest.raises(ValueError, match=r"not a memtrace snapshot|its timeline is damaged"):
        memtrace.Snapshot.load(path)


def test_attributes_of_all_kinds(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    snapshot = memtrace.Snapshot(TRACES, 7)
    kept = {
        "numbers": [0, -1, 1 << 53, -(1 << 200), True, 0.1, float("inf"), 1e300, 2 - 3j],
        "texts": ["", "\udcff", "\N{SNAKE}", "\0"],
        "bytes": (b"", bytearray(b"\xff" * 5000)),
        "keys": {None: 1, (1, "x"): {}, 1.5: [], frozenset({1}): set()},
    }
    vars(snapshot).update(kept)
    snapshot.dump(path)
    assert vars(memtrace.Snapshot.load(path)) == kept


def test_attributes_that_are_nested_too_deeply(tmp_path: Path) -> None:
    nested: list[object] = []
    nested.append(nested)
    snapshot = memtrace.Snapshot(TRACES, 7)
    snapshot.note = nested  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        snapshot.dump(tmp_path / "snapshot")


def test_an_attribute_that_is_no_plain_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    snapshot = memtrace.Snapshot(TRACES, 7)
    for value in (print, object(), Path("x"), type, [memtrace.Frame(("a", 1))]):
        snapshot.note = value  # type: ignore[attr-defined]
        with pytest.raises(TypeError) as caught:
            snapshot.dump(path)
        # Without the notes that 3.15 adds.
        assert re.fullmatch(r"a snapshot file cannot hold an attribute of type \w+", str(caught.value))
    assert not path.exists()


def _written(text: bytes, version: int = 1, length: int | None = None, parts: bytes = b"") -> bytes:
    return struct.pack("<HQ", version, len(text) if length is None else length) + text + parts


@pytest.mark.parametrize(
    "attributes",
    [
        b"x",
        pickle.dumps({"a": 5}),
        _written(b"[{}, []]", version=2),
        _written(b"[{}, []]", length=1 << 40),
        _written(b"[{}, []]", parts=b"more"),
        _written(b"[{}, [5]]", parts=b"less"),
        _written(b"[{}]"),
        _written(b"[[], []]"),
        _written(b"no JSON"),
        _written(b'[{"a": {"kind": "bytes", "value": 1}}, [0]]'),
        _written(b'[{"a": {"kind": "Path", "value": "x"}}, []]'),
        _written(b'[{"a": {"value": "x"}}, []]'),
        _written(b'[{"a": {"kind": "dict", "value": [[[], 1]]}}, []]'),
        _written(b'[{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}, []]"),
    ],
)
def test_attributes_that_dump_does_not_write(tmp_path: Path, attributes: bytes) -> None:
    path = tmp_path / "snapshot"
    _core.Snapshot.from_traces(TRACES, 7).dump(path, (attributes, b"", b""))
    with pytest.raises(ValueError, match="its attributes cannot be read") as caught:
        memtrace.Snapshot.load(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("form", [str, os.fsencode, Path])
def test_paths_of_all_kinds(tmp_path: Path, form) -> None:  # type: ignore[no-untyped-def]
    path = form(str(tmp_path / "snap\udcffshot"))
    memtrace.Snapshot(TRACES, 7).dump(path)
    assert memtrace.Snapshot.load(path).traces._traces == TRACES


def test_file_descriptors(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    memtrace.Snapshot(TRACES, 7).dump(os.open(path, os.O_WRONLY | os.O_CREAT))
    assert memtrace.Snapshot.load(os.open(path, os.O_RDONLY)).traces._traces == TRACES
    with pytest.raises(OSError, match="Bad file descriptor"):
        memtrace.Snapshot.load(10_000)


def test_an_existing_file_is_replaced_and_a_link_followed(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file.name)
    memtrace.Snapshot(TRACES[:1], 7).dump(link)
    assert link.is_symlink()
    assert memtrace.Snapshot.load(file).traces._traces == TRACES[:1]
    assert sorted(path.name for path in file.parent.iterdir()) == ["link", "snapshot"]


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        memtrace.Snapshot(TRACES, 7).dump(tmp_path / "snapshot")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "snapshot").stat().st_mode) == 0o640


def test_a_failed_dump_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = memtrace.Snapshot(TRACES[:1], 7)
    snapshot.note = object()  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        snapshot.dump(file)
    assert memtrace.Snapshot.load(file).traces._traces == TRACES
    with pytest.raises(FileNotFoundError) as caught:
        memtrace.Snapshot(TRACES, 7).dump(file / "gone" if not file.exists() else file.parent / "gone" / "snapshot")
    assert caught.value.filename == file.parent / "gone" / "snapshot"


def assert_damaged(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(ValueError) as caught:
        memtrace.Snapshot.load(path)
    match = re.fullmatch(re.escape(str(path)) + r": at offset (\d+): .+", str(caught.value))
    assert match, str(caught.value)
    assert int(match[1]) <= len(data)


def test_truncated_at_every_byte(file: Path) -> None:
    data = file.read_bytes()
    for length in range(len(data)):
        assert_damaged(file, data[:length])


def test_every_byte_flipped(file: Path) -> None:
    data = file.read_bytes()
    for position, byte in enumerate(data):
        for flipped in {byte ^ 0xFF, byte ^ 1, byte ^ 0x80, 0x80} - {byte}:
            assert_damaged(file, data[:position] + bytes((flipped,)) + data[position + 1 :])


def test_bytes_appended(file: Path) -> None:
    data = file.read_bytes()
    for more in (b"\0", b"x", data):
        assert_damaged(file, data + more)


def test_a_file_with_attributes_is_checked_as_well(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    snapshot = memtrace.Snapshot(TRACES[:1], 7)
    snapshot.note = "x" * 10  # type: ignore[attr-defined]
    snapshot.dump(path)
    data = path.read_bytes()
    for position in range(len(data)):
        assert_damaged(path, data[:position])
        assert_damaged(path, data[:position] + bytes((data[position] ^ 0xFF,)) + data[position + 1 :])


@pytest.mark.parametrize("data", [b"", b"x", b"hello world\n", b"\0" * 500, b"PK\x03\x04" + b"\0" * 60])
def test_other_files_are_named_as_such(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "other"
    assert_damaged(path, data)
    with pytest.raises(ValueError, match="snapshot"):
        memtrace.Snapshot.load(path)
