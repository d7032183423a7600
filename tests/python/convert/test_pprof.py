"""pprof files, read by Google's pprof, by npm's pprof-format, and by memtrace itself."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import memtrace
from memtrace import _core
from memtrace.exchange import pprof, pprof_reader
from memtrace.exchange.records import Records, records_of
from memtrace.reports.selection import Selection

Convert = Callable[..., Path]
OfRows = Callable[..., memtrace.Snapshot]


def totals(records: Records) -> list[int]:
    churn = [record.churn for record in records.records if record.churn]
    allocated = [sum(each.allocated_count for each in churn), sum(each.allocated_size for each in churn)]
    return [*(allocated if records.has_churn else []), records.blocks, records.size]


def google_pprof(*words: object) -> str:
    go = shutil.which("go")
    if go is None:
        pytest.skip("Google's pprof comes with Go, which is not here")
    done = subprocess.run(
        [go, "tool", "pprof", "-symbolize=none", *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def samples_in(raw: str) -> list[tuple[list[int], list[int], str]]:
    """The values, the locations and the labels of the samples that ``pprof -raw`` prints."""
    body = raw.partition("Samples:\n")[2].partition("Locations\n")[0]
    samples: list[tuple[list[int], list[int], str]] = []
    for line in body.splitlines()[1:]:
        if match := re.fullmatch(r"\s*((?:\d+ +)*\d+): ([\d ]+)", line):
            samples.append(([int(each) for each in match[1].split()], [int(each) for each in match[2].split()], ""))
        else:
            values, locations, labels = samples.pop()
            samples.append((values, locations, f"{labels} {line.strip()}"))
    return samples


@pytest.mark.once
def test_google_pprof_reads_the_totals(file: Path, records: Records, convert: Convert) -> None:
    everything = google_pprof("-raw", convert(file, ".pb.gz"))
    samples = samples_in(everything)
    assert [sum(column) for column in zip(*(values for values, _, _ in samples), strict=True)] == (
        totals(records) if records.records else []
    )
    kinds = "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes[dflt]"
    assert ("inuse_objects/count inuse_space/bytes[dflt]" if not records.has_churn else kinds) in everything
    assert Counter(len(locations) for _, locations, _ in samples) == Counter(
        len(record.frames) for record in records.records
    )


@pytest.mark.once
def test_google_pprof_shows_functions_and_labels(live: Path, convert: Convert) -> None:
    output = convert(live, ".pprof")
    top = google_pprof("-top", "-unit=B", "-nodefraction=0", output)
    assert "Type: inuse_space" in top
    assert re.search(r"B\s+[\d.]+%\s+[\d.]+%.* live_snapshot(\.<locals>)?", top)
    assert "<module>" in google_pprof("-top", "-cum", "-nodefraction=0", output) or "<lambda>" in top
    tags = google_pprof("-tags", "-unit=B", output)
    selected = Selection().apply(memtrace.Snapshot.load(live))
    by_label = {each.key: each.size for each in selected.statistics("label")}
    assert re.search(rf"{by_label['POST /users']}B \(.*\): POST /users", tags)
    assert re.search(r": worker \(\d+\)", tags)
    assert re.search(r": warm", tags)
    lines = google_pprof("-list", "live_snapshot$", "-lines", output)
    assert "kept = [bytearray(50_000)]" in lines


@pytest.mark.once
def test_comments_and_intervals(tmp_path: Path, of_rows: OfRows) -> None:
    snapshot = of_rows(((0, 0, 0, 0), (1, 10)), sample_interval=4096)
    path = tmp_path / "few.pb.gz"
    path.write_bytes(pprof.encode(records_of(snapshot)._replace(dropped=7), "few.mtrace"))
    raw = google_pprof("-raw", path)
    assert "dropped blocks: 7 could" in raw
    assert "sampling interval: 4096 bytes" in raw
    assert "no alloc_objects and alloc_space" in raw
    assert "PeriodType: space bytes\nPeriod: 4096\n" in raw


@pytest.mark.once
def test_another_reader(file: Path, records: Records, convert: Convert, run_node: Callable[..., Any]) -> None:
    (found,) = run_node("pprof_format.cjs", convert(file, ".pb.gz"))
    assert [int(each) for each in found["totals"]] == totals(records) or not records.records
    assert found["default"] == "inuse_space"
    assert found["types"][-1] == ["inuse_space", "bytes"]
    for key, size in found["labels"].items():
        tag, _, text = key.partition("=")
        if tag in ("label", "thread"):
            assert size == sum(record.size for record in records.records if getattr(record, tag).text == text)


def test_round_trip(file: Path, snapshot: memtrace.Snapshot, records: Records, convert: Convert) -> None:
    from memtrace.cli.files import load_snapshot

    again = load_snapshot(convert(file, ".pb.gz"))
    native = again._to_native()
    assert (native.total_size, native.total_count) == (records.size, records.blocks)
    plain = records._replace(records=[record for record in records.records if record.blocks])
    for key_type in ("traceback", "lineno"):
        found = {each.traceback._frames: each.size for each in again.statistics(key_type)}
        expected: Counter[tuple[tuple[str, int], ...]] = Counter()
        for record in plain.records:
            frames = tuple((pprof_text(place.filename) or "<unknown>", place.lineno) for place in record.frames)
            expected[frames if key_type == "traceback" else frames[-1:]] += record.size
        assert found == expected
    for tag in ("thread", "label", "generation", "domain"):
        if tag not in records.tags:
            continue
        expected_by_tag: Counter[str] = Counter()
        for record in plain.records:
            expected_by_tag[getattr(record, tag).text] += record.size
        assert Counter({str(each.key): each.size for each in again.statistics(tag)}) == expected_by_tag
    if records.sample_interval:
        assert again.sample_interval == records.sample_interval


def test_what_was_allocated_comes_back(file: Path, snapshot: memtrace.Snapshot, convert: Convert) -> None:
    again = memtrace.Snapshot.load(convert(convert(file, ".pb.gz"), ".mtrace"))
    if _core.churn_seconds(snapshot._to_native()) is None:
        with pytest.raises(ValueError, match="has no churn"):
            again.churn("filename")
        return
    for name in ("allocated_size", "allocated_count", "freed_size", "freed_count"):
        expected = Counter({each.key: getattr(each, name) for each in snapshot.churn("label")})
        found = Counter({each.key: getattr(each, name) for each in again.churn("label")})
        assert found == expected


def test_types_come_back(live: Path, convert: Convert) -> None:
    again = memtrace.Snapshot.load(convert(convert(live, ".pb.gz"), ".mtrace"))
    selected = Selection().apply(memtrace.Snapshot.load(live))
    assert [(each.key, each.size) for each in again.statistics("type")] == [
        (each.key, each.size) for each in selected.statistics("type")
    ]


def pprof_text(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def test_reports_read_pprof(live: Path, convert: Convert, invoke: Callable[..., Result]) -> None:
    profile = convert(live, ".pb.gz")
    for words in (("stats", profile), ("stats", profile, "--label", "GET *"), ("diff", profile, live)):
        result = invoke(*words)
        assert result.exit_code == 0, result.output
    assert "conftest.py" in invoke("stats", profile).output
    back = convert(profile, ".mtrace")
    assert memtrace.Snapshot.load(back).statistics("label") == memtrace.Snapshot.load(back).statistics("label")
    assert {each.key for each in memtrace.Snapshot.load(back).statistics("label")} == {
        "GET /users",
        "POST /users",
        "no label",
    }


def test_uncompressed_and_joined_files(live: Path, convert: Convert) -> None:
    data = convert(live, ".pb.gz").read_bytes()
    plain = gzip.decompress(data)
    size = pprof_reader.read(data)._to_native().total_size
    half = len(plain) // 2
    for form in (plain, gzip.compress(plain[:half]) + gzip.compress(plain[half:])):
        assert pprof_reader.read(form)._to_native().total_size == size


GO_PROGRAM = """
package main
import ("os"; "runtime"; "runtime/pprof")
var kept [][]byte
func allocate() { for i := 0; i < 100; i++ { kept = append(kept, make([]byte, 100000)) } }
func main() {
  runtime.MemProfileRate = 1
  allocate(); runtime.GC()
  file, _ := os.Create(os.Args[1]); pprof.Lookup("heap").WriteTo(file, 0); file.Close()
}
"""


@pytest.mark.once
def test_a_heap_profile_of_go(tmp_path: Path, invoke: Callable[..., Result]) -> None:
    go = shutil.which("go")
    if go is None:
        pytest.skip("no Go here")
    (tmp_path / "main.go").write_text(GO_PROGRAM)
    profile = tmp_path / "heap.pb.gz"
    subprocess.run([go, "run", "main.go", str(profile)], cwd=tmp_path, check=True, timeout=280)
    expected = google_pprof("-top", "-unit=B", "-nodefraction=0", profile)
    match = re.search(r"of (\d+)B total", expected)
    assert match is not None
    snapshot = pprof_reader.read(profile.read_bytes())
    assert snapshot._to_native().total_size == int(match[1])
    largest = snapshot.statistics("function")[0]
    assert str(largest.key).endswith("main.allocate")
    assert largest.count >= 100
    assert largest.size >= 100 * 106_496  # the size class
    assert invoke("stats", profile, "--group-by", "function").exit_code == 0
