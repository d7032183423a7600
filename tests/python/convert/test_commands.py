"""The commands convert and info themselves: formats by suffix, selections, bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import memtrace
from memtrace.exchange.formats import FORMATS, format_of

Invoke = Callable[..., Result]


def test_every_suffix_has_one_format() -> None:
    for name, (suffixes, _) in FORMATS.items():
        for suffix in suffixes:
            assert format_of(Path(f"a.b{suffix}")) == name
            assert format_of(Path(f"A{suffix.upper()}")) == name
    assert format_of(Path("a.mtrace")) == "memtrace"
    assert format_of(Path("json")) is None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--label", "GET *"], lambda row: row.get("label") == "GET /users"),
        (["--thread", "worker"], lambda row: row["thread"].startswith("worker")),
        (["--since", "warm"], lambda row: row["generation"] != "0"),
        (["--filter", "*/conftest.py"], lambda row: True),
    ],
)
def test_selections(
    words: list[str], expected: Callable[[dict[str, str]], bool], live: Path, invoke: Invoke, tmp_path: Path
) -> None:
    output = tmp_path / "out.json"
    assert invoke("convert", live, "-o", output, *words).exit_code == 0
    document = json.loads(output.read_text())
    assert document["size"] == json.loads(invoke("stats", live, "--json", *words).stdout)["size"] > 0
    assert all(map(expected, document["records"]))


def test_the_peak(invoke: Invoke, tmp_path: Path) -> None:
    memtrace.start(3)
    kept = [bytearray(500_000)]
    peak = memtrace.take_peak_snapshot()
    kept.clear()
    snapshot = memtrace.take_snapshot()
    memtrace.stop()
    snapshot.peak = peak
    snapshot.dump(tmp_path / "peak.mtrace")
    result = invoke("convert", tmp_path / "peak.mtrace", "-o", tmp_path / "peak.pb.gz", "--at-peak")
    assert result.exit_code == 0
    assert "memtrace: only live memory was written" in result.stderr
    assert json.loads(invoke("info", tmp_path / "peak.pb.gz", "--json").stdout)["size"] > 500_000
    assert json.loads(invoke("info", tmp_path / "peak.mtrace", "--json").stdout)["peak"]["size"] > 500_000


def test_a_part_as_a_snapshot_file(live: Path, invoke: Invoke, tmp_path: Path) -> None:
    output = tmp_path / "part.mtrace"
    assert invoke("convert", live, "-o", output, "--label", "GET *").exit_code == 0
    assert {each.key for each in memtrace.Snapshot.load(output).statistics("label")} == {"GET /users"}


def test_tracemalloc_files(invoke: Invoke, tmp_path: Path) -> None:
    program = "import tracemalloc; tracemalloc.start(5); kept = bytearray(50_000)\n"
    program += f"tracemalloc.take_snapshot().dump({str(tmp_path / 'theirs')!r})"
    subprocess.run([sys.executable, "-c", program], check=True)
    assert invoke("convert", tmp_path / "theirs", "-o", tmp_path / "out.csv").exit_code == 0
    largest = (tmp_path / "out.csv").read_text().splitlines()[1]
    assert 50_000 <= int(largest.partition(",")[0]) < 51_000
    report = json.loads(invoke("info", tmp_path / "theirs", "--json").stdout)
    assert (report["format"], report["version"], report["seconds"]) == ("tracemalloc", None, None)


def test_bad_input(live: Path, invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("convert", live, "-o", tmp_path / "out.xyz")
    assert result.exit_code == 2
    assert "'-o' / '--output': the suffix of 'out.xyz' says no format: use --to, or one of .pb.gz," in result.output
    result = invoke("convert", live, "-o", tmp_path / "out", "--to", "svg")
    assert result.exit_code == 2
    assert "'svg' is not one of 'pprof', 'speedscope'" in result.output
    assert "Missing option '-o' / '--output'." in invoke("convert", live).output
    assert invoke("convert", tmp_path / "missing", "-o", "x.json").exit_code == 2
    for suffix in (".json", ".mtrace"):
        result = invoke("convert", live, "-o", tmp_path / "no" / f"out{suffix}")
        assert (result.exit_code, result.output.count("\n")) == (1, 1)
        assert "cannot be written: No such file or directory" in result.output
    result = invoke("convert", live, "-o", tmp_path / ("x" * 300 + ".json"))
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert sorted(tmp_path.iterdir()) == []


def test_a_file_appears_whole(live: Path, invoke: Invoke, tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link.json"
    target.write_text("before")
    link.symlink_to(target)
    assert invoke("convert", live, "-o", link).exit_code == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())["format"] == "memtrace records"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "target"]


def test_pipes(live: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "memtrace", "convert", "/dev/stdin", "-o", "/dev/stdout", "--to", "collapsed"]
    with live.open("rb") as file:
        done = subprocess.run(words, stdin=file, capture_output=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr
    assert b"live_snapshot" in done.stdout


def test_info(live: Path, invoke: Invoke) -> None:
    snapshot = memtrace.Snapshot.load(live)
    report = json.loads(invoke("info", live, "--json").stdout)
    native = snapshot._to_native()
    assert (report["size"], report["count"]) == (native.total_size, native.total_count)
    assert report["tracebacks"] == len(snapshot.statistics("traceback"))
    assert (report["format"], report["version"], report["file_size"]) == ("memtrace", 1, live.stat().st_size)
    assert {each["name"] for each in report["labels"]} == {"GET /users", "POST /users"}
    assert [each["name"].partition(" ")[0] for each in report["threads"]] == ["MainThread", "worker"]
    assert "warm" in {each["name"] for each in report["marks"]}  # and those of this process's other traces
    assert report["generations"][0].keys() == {"name", "size", "count"}
    assert "warm" in {each["name"] for each in report["generations"]}
    assert (report["peak"], report["timeline"]) == (None, None)
    assert sum(each["size"] for each in report["domains"]) == report["size"]
    assert (report["has_blocks"], report["has_types"], report["sample_interval"]) == (True, True, None)
    assert report["seconds"] > 0
    output = invoke("info", live).output
    for text in (
        f"{live}: memtrace, version 1, ",
        " live, in ",
        " tracebacks, of at most 10 frames",
        "worker (",
        "warm",
    ):
        assert text in output


def test_info_of_everything(file: Path, invoke: Invoke) -> None:
    assert invoke("info", file).exit_code == 0
    report = json.loads(invoke("info", file, "--json").stdout)
    assert report["size"] == memtrace.Snapshot.load(file)._to_native().total_size


def test_info_of_a_peak_and_a_timeline(invoke: Invoke, tmp_path: Path) -> None:
    snapshot = memtrace.Snapshot([(0, 1, (("a.py", 1),), 1)], 1)
    snapshot.peak = memtrace.Snapshot([(0, 2048, (("a.py", 1),), 1)] * 2, 1)
    snapshot.timeline = (memtrace.TimelinePoint(0.0, 1, 9, 0), memtrace.TimelinePoint(2.5, 1, 4096, 1 << 20))
    snapshot.dump(tmp_path / "a.mtrace")
    report = json.loads(invoke("info", tmp_path / "a.mtrace", "--json").stdout)
    assert report["peak"] == {"size": 4096, "count": 2}
    assert report["timeline"] == {"points": 2, "seconds": 2.5, "peak": 4096, "resident": 1 << 20}
    output = invoke("info", tmp_path / "a.mtrace").output
    assert "4096 B  at the peak, in 2 blocks, by traceback\n" in output
    assert "     2  points of the timeline, over 2.5 s: at most 4096 B live, 1024 KiB resident\n" in output


def test_info_of_attributes(invoke: Invoke, tmp_path: Path) -> None:
    snapshot = memtrace.Snapshot([(0, 1, (("a.py", 1),), 1)], 1)
    snapshot.comment = "mine"  # type: ignore[attr-defined]
    assert snapshot.statistics("filename")  # reads the traces, for which the limit is needed
    snapshot.traceback_limit = "many"  # type: ignore[assignment]
    snapshot.dump(tmp_path / "a.mtrace")
    report = json.loads(invoke("info", tmp_path / "a.mtrace", "--json").stdout)
    assert report["attributes"] == ["comment"]
    assert report["traceback_limit"] == 1
    for words in (["convert", tmp_path / "a.mtrace"], ["merge", tmp_path / "a.mtrace", tmp_path / "a.mtrace"]):
        assert invoke(*words, "-o", tmp_path / "out.mtrace").exit_code == 0
