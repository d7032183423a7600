"""`memtrace stats` against the numbers put into a snapshot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import memtrace

Invoke = Callable[..., Result]

A, B, C = ("/app/a.py", 10), ("/app/b.py", 20), ("/lib/c.py", 30)


def trace(size: int, *frames: tuple[str, int], domain: int = 0) -> tuple[object, ...]:
    return domain, size, frames, len(frames)


@pytest.fixture
def file(snapshots: Callable[..., Path]) -> Path:
    return snapshots(
        "file.mtrace",
        trace(3000, A, C),
        trace(1000, A, B, C),
        trace(4096, B, C),
        trace(100, ("/app/a.py", 11)),
        trace(4, C),
    )


def run_json(invoke: Invoke, *words: object) -> dict[str, object]:
    result = invoke("stats", "--json", *words)
    assert result.exit_code == 0, result.output
    report: dict[str, object] = json.loads(result.output)
    return report


def test_plain_text(invoke: Invoke, file: Path) -> None:
    assert (
        invoke("stats", file).output
        == f"""\
{file}: 8200 B in 5 blocks

  Size  Share  Blocks  Average  Line
4096 B  50.0%       1   4096 B  /app/b.py:20
4000 B  48.8%       2   2000 B  /app/a.py:10
 100 B   1.2%       1    100 B  /app/a.py:11
   4 B   0.0%       1      4 B  /lib/c.py:30
"""
    )


def test_cumulative(invoke: Invoke, file: Path) -> None:
    assert (
        invoke("stats", file, "--cumulative", "--limit", 2).output
        == f"""\
{file}: 8200 B in 5 blocks

  Size  Blocks  Average  Line and all it called
8100 B       4   2025 B  /lib/c.py:30
5096 B       2   2548 B  /app/b.py:20

2 lines more
"""
    )


def test_the_rest_is_summed(invoke: Invoke, file: Path) -> None:
    lines = invoke("stats", file, "--limit", 1).output.splitlines()
    assert lines[3:] == [
        "4096 B  50.0%       1   4096 B  /app/b.py:20",
        "",
        "3 lines more: 4104 B in 4 blocks",
    ]
    assert invoke("stats", file, "--limit", 0).output.splitlines()[1:] == [
        "",
        "4 lines more: 8200 B in 5 blocks",
    ]


@pytest.mark.parametrize("group_by", ["filename", "lineno", "traceback", "function", "module"])
@pytest.mark.parametrize("cumulative", [False, True])
@pytest.mark.parametrize("limit", [0, 2, 100])
def test_json_is_what_the_api_says(invoke: Invoke, file: Path, group_by: str, cumulative: bool, limit: int) -> None:
    if cumulative and group_by == "traceback":
        return
    expected = memtrace.Snapshot.load(file).statistics(group_by, cumulative)
    options = ["--cumulative"] if cumulative else []
    report = run_json(invoke, file, "--group-by", group_by, "--limit", limit, *options)
    statistics = report.pop("statistics")
    assert report == {
        "group_by": group_by,
        "cumulative": cumulative,
        "size": 8200,
        "count": 5,
        "groups": len(expected),
        "traceback_limit": 25,
        "dropped": 0,
    }
    assert isinstance(statistics, list)
    assert [(each["size"], each["count"]) for each in statistics] == [
        (each.size, each.count) for each in expected[:limit]
    ]
    for shown, statistic in zip(statistics, expected, strict=False):
        frame = statistic.traceback[-1]
        if group_by == "filename":
            assert shown["filename"] == frame.filename
        elif group_by == "lineno":
            assert (shown["filename"], shown["lineno"]) == (frame.filename, frame.lineno)
        elif group_by == "traceback":
            assert [(each["filename"], each["lineno"]) for each in shown["traceback"]] == [
                (each.filename, each.lineno) for each in statistic.traceback
            ]
        else:
            assert shown[group_by] == statistic.key


@pytest.mark.parametrize(
    ("filters", "sizes"),
    [
        (["/app/*"], [4096, 4000, 100]),
        (["*/a.py"], [4000, 100]),
        (["*/a.py:11"], [100]),
        (["*/a.py", "/lib/*"], [4000, 100, 4]),
        (["!/app/*"], [4]),
        (["/app/*", "!*/b.py"], [4000, 100]),
        (["/app/*", "!/app/a.py:10"], [4096, 100]),
        (["/nowhere/*"], []),
        (["--all-frames", "/lib/c.py:30"], [4096, 4000, 4]),
        (["--all-frames", "!/app/b.py"], [3000, 100, 4]),
    ],
)
def test_filters(invoke: Invoke, file: Path, filters: list[str], sizes: list[int]) -> None:
    options = [word for text in filters for word in ((text,) if text.startswith("--") else ("--filter", text))]
    report = run_json(invoke, file, *options)
    assert isinstance(report["statistics"], list)
    assert [each["size"] for each in report["statistics"]] == sizes
    assert report["size"] == sum(sizes)


def test_a_pattern_may_hold_a_colon(invoke: Invoke, snapshots: Callable[..., Path]) -> None:
    file = snapshots("file.mtrace", trace(1, ("<a:b>", 5)), trace(2, ("x:7", 5)))
    for pattern, sizes in (("<a:b>", [1]), ("x:7:5", [2]), ("x:7", []), ("<a:*:5", [1])):
        statistics = run_json(invoke, file, "--filter", pattern)["statistics"]
        assert isinstance(statistics, list)
        assert [each["size"] for each in statistics] == sizes


def test_the_lines_of_memtrace_are_left_out(invoke: Invoke, snapshots: Callable[..., Path]) -> None:
    own = Path(memtrace.__file__).parent
    file = snapshots("file.mtrace", trace(7, (str(own / "cli" / "x.py"), 1)), trace(5, (str(own) + "_other.py", 1)))
    assert run_json(invoke, file)["size"] == 5


def test_source_lines(invoke: Invoke, snapshots: Callable[..., Path], tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text("first\n\tsecond([1,\t2])  \n")
    file = snapshots("file.mtrace", trace(1, (str(source), 2), (str(source), 1)), trace(2, (str(source), 99)))
    lines = invoke("stats", file).output.splitlines()[3:]
    assert [line.split() for line in lines] == [
        ["2", "B", "66.7%", "1", "2", "B", f"{source}:99"],
        ["1", "B", "33.3%", "1", "1", "B", f"{source}:2"],
        ["second([1,", "2])"],
    ]
    lines = invoke("stats", file, "--group-by", "traceback", "--filter", "*:2").output.splitlines()[3:]
    assert [line.split() for line in lines] == [
        ["1", "B", "100.0%", "1", "1", "B", f"{source}:2"],
        ["second([1,", "2])"],
        [f"{source}:1"],
        ["first"],
    ]


def test_an_empty_snapshot(invoke: Invoke, snapshots: Callable[..., Path]) -> None:
    file = snapshots("file.mtrace")
    assert invoke("stats", file).output == f"{file}: 0 B in 0 blocks\n"
    assert run_json(invoke, file)["statistics"] == []


def test_blocks_of_no_size(invoke: Invoke, snapshots: Callable[..., Path]) -> None:
    file = snapshots("file.mtrace", trace(0, A))
    assert invoke("stats", file).output.splitlines()[3] == " 0 B      -       1      0 B  /app/a.py:10"


def test_lost_blocks_are_told(invoke: Invoke, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "missing" not in invoke("stats", file).output
    monkeypatch.setattr(memtrace.Snapshot, "dropped", 1234)
    assert invoke("stats", file).output.splitlines()[-1] == (
        "1,234 blocks could not be recorded for want of memory and are missing above"
    )
    assert run_json(invoke, file)["dropped"] == 1234


def test_a_file_of_tracemalloc(invoke: Invoke, tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "stdlib.pickle"
    tracemalloc.Snapshot([(0, 12, (A,), 1)], 1).dump(str(path))  # type: ignore[arg-type]
    assert run_json(invoke, path)["size"] == 12
