"""pprof files that are damaged or made to do harm: one clear message, and no more memory than their size explains."""

from __future__ import annotations

import gzip
import random
import re
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import memtrace
from memtrace.exchange import pprof_reader
from memtrace.exchange.messages import PprofProfile

Invoke = Callable[..., Result]

DAMAGED = "it is damaged, or no message of protobuf"
STRINGS = ("", "inuse_objects", "count", "inuse_space", "bytes", "f", "f.py", "label", "GET", "generation", "domain")


def profile(*samples: dict[str, Any], strings: tuple[str, ...] = STRINGS, location: Any = None) -> bytes:
    message = PprofProfile(string_table=[text.encode() for text in strings])
    message.sample_type.add(type=1, unit=2)
    message.sample_type.add(type=3, unit=4)
    for sample in samples:
        message.sample.add(**sample)
    message.location.add(**(location or {"id": 1, "line": [{"function_id": 1, "line": 7}]}))
    message.function.add(id=1, name=5, filename=6)
    encoded: bytes = message.SerializeToString()
    return encoded


def sample(*values: int, location_id: Sequence[int] = (1,), label: Sequence[dict[str, int]] = ()) -> dict[str, Any]:
    return {"location_id": location_id, "value": values, "label": label}


def label(key: int, text: int) -> dict[str, int]:
    return {"key": key, "str": text}


def test_a_small_profile() -> None:
    both = profile(sample(2, 10), sample(1, 5, label=[label(7, 8)]))
    snapshot = pprof_reader.read(both)
    (statistic,) = snapshot.statistics("lineno")
    assert (str(statistic.traceback), statistic.size, statistic.count) == ("f.py:7", 15, 3)
    assert {each.key: each.size for each in snapshot.statistics("label")} == {"no label": 10, "GET": 5}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\n", DAMAGED),
        (b"hello\n"[::-1], DAMAGED),
        (b"\x1f\x8b", "its compressed data ends early"),
        (b"\x1f\x8b\x08\x00garbage and more of it", "it does not decompress"),
        (gzip.compress(profile(sample(1, 1)))[:-9], "its compressed data ends early"),
        (gzip.compress(profile(sample(1, 1))) + b"rest", "it does not decompress"),
        (gzip.compress(b""), "it has no sample types"),
        (gzip.compress(b"no profile"), ""),
        (profile(sample(1)), "another number of values than there are sample types"),
        (profile(sample(1, 2, 3)), "another number of values"),
        (profile(sample(-1, 5)), "negative: is this a difference"),
        (profile(sample(1, -5)), "negative: is this a difference"),
        (profile(sample(0, 5)), "has bytes and no objects"),
        (profile(sample(1, 1, location_id=[2])), "a location is referred to that does not exist"),
        (profile(sample(1, 1, label=[label(90, 1)])), "a text is referred to that does not exist"),
        (
            profile(sample(1, 1), strings=("", "samples", "count", "cpu", "nanoseconds", "f", "f.py")),
            "'samples', 'cpu'",
        ),
        (profile(sample(1, 1 << 62), sample(1, 1 << 62)), "too large for a snapshot"),
        (profile(sample(1, 1, location_id=[1] * 65_536)), "more than 65535 frames"),
        (b"\x0a\x00", "its sample types are '', and neither inuse_objects and inuse_space nor"),
        (b"\x0a\x00\x0b", DAMAGED),
        (b"\x0a" + b"\xff" * 11, DAMAGED),
        (b"\x0a\x00" + b"\xa3\x06" * 100_000, DAMAGED),  # groups in groups
        (profile(sample(1, 1, label=[label(-1, 1)])), "a text is referred to that does not exist"),
    ],
)
def test_what_is_wrong(data: bytes, reason: str, invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "wrong.pb.gz"
    path.write_bytes(data)
    for words in (["stats", path], ["info", path], ["merge", path, path, "-o", tmp_path / "out"]):
        result = invoke(*words)
        assert result.exit_code == 1, result.output
        assert re.fullmatch(rf"Error: ({re.escape(str(path))}: )?[^\n]+\n", result.output)
        assert reason in result.output
    assert not (tmp_path / "out").exists()


def test_damaged_files_are_errors_or_other_profiles() -> None:
    draw = random.Random(5)
    whole = profile(sample(2, 10), sample(1, 5, label=[label(7, 8)]), sample(1, 5, label=[label(9, 8)]))
    for _ in range(3_000):
        data = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        try:
            pprof_reader.read(bytes(data[: draw.randint(1, len(data))]))
        except ValueError as error:
            assert str(error).startswith("not a pprof profile of live memory: ")


def refused(data: bytes, reason: str) -> None:
    """It is refused within seconds and a hundred megabytes."""
    tracemalloc.start()
    begin = time.process_time()
    try:
        with pytest.raises(ValueError, match=reason):
            pprof_reader.read(data)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()
    assert time.process_time() - begin < 60


def test_a_decompression_bomb() -> None:
    refused(gzip.compress(b"\0" * 50_000_000), "expands to more than 64 times its size")


def test_many_joined_bombs() -> None:
    refused(gzip.compress(b"\0" * 500_000) * 200, "expands to more than 64 times its size")


def test_a_location_that_stands_for_many_frames() -> None:
    location = {"id": 1, "line": [{"function_id": 1, "line": line} for line in range(1_000)]}
    samples = [sample(1, i, location_id=[1] * 60) for i in range(2_000)]
    refused(profile(*samples, location=location), "too many frames for its size")


def test_names_that_are_no_utf8() -> None:
    data = profile(sample(1, 1)).replace(b"f.py", b"\xff.py")
    assert pprof_reader.read(data).statistics("filename")[0].traceback[0].filename == "\\xff.py"


def test_without_protobuf(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pb.gz"
    path.write_bytes(profile(sample(1, 1)))
    monkeypatch.setitem(sys.modules, "memtrace.exchange.messages", None)
    extra = "needs protobuf: pip install 'memtrace-python[export]'\n"
    assert invoke("stats", path).output == f"Error: {path}: a profile of pprof {extra}"
    snapshot = tmp_path / "a.mtrace"
    memtrace.Snapshot([(0, 5, (("a.py", 1),), 1)], 1).dump(snapshot)
    for name in ("pprof", "otlp"):
        result = invoke("convert", snapshot, "-o", tmp_path / "out", "--to", name)
        assert (result.exit_code, result.output) == (1, f"Error: the format {name} {extra}")


def test_names_reach_the_terminal_as_text(invoke: Invoke, tmp_path: Path) -> None:
    strings = (*STRINGS[:5], "f\x1b[31m", "a\nb\x1b]0;t\x07.py", "label", "GET\x1b[0m", "thread", "domain")
    path = tmp_path / "names.pb.gz"
    path.write_bytes(gzip.compress(profile(sample(1, 1, label=[label(7, 8)]), strings=strings)))
    for words in (["stats", path], ["stats", path, "--group-by", "label"], ["info", path], ["info", path, "--json"]):
        result = invoke(*words)
        assert result.exit_code == 0
        assert all(line.isprintable() for line in result.output.split("\n"))


def test_lines_and_tags_out_of_range() -> None:
    location = {"id": 1, "line": [{"function_id": 1, "line": 1 << 40, "column": -5}]}
    odd = sample(1, 1, label=[label(9, 8), {"key": 10, "num": 1 << 50}])
    snapshot = pprof_reader.read(profile(odd, location=location))
    assert str(snapshot.statistics("lineno")[0].traceback) == "f.py:0"
    assert {each.key for each in snapshot.statistics("generation")} == {"GET"}
    assert snapshot._to_native().total_size == 1
