"""The chart of a timeline, and its points."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result
from window import shown_in_window

import memtrace
from memtrace._timeline import TimelinePoint
from memtrace.reports import chart

if TYPE_CHECKING:
    from conftest import Recorded

Invoke = Callable[..., Result]


def write(tmp_path: Path, *points: TimelinePoint) -> Path:
    snapshot = memtrace.Snapshot([], 1)
    snapshot.timeline = points
    path = tmp_path / "t.mtrace"
    snapshot.dump(path)
    return path


def test_all_points_as_json_and_csv(invoke: Invoke, recorded: Recorded) -> None:
    points = memtrace.Snapshot.load(recorded.path).timeline
    report = json.loads(invoke("timeline", recorded.path, "--json").output)
    assert [TimelinePoint(**each) for each in report["points"]] == list(points)
    assert report["peak"]["seconds"] == 3.0
    rows = list(csv.reader(io.StringIO(invoke("timeline", recorded.path, "--csv").output)))
    assert rows[0] == ["seconds", "size", "peak", "resident"]
    assert [TimelinePoint(float(row[0]), *map(int, row[1:])) for row in rows[1:]] == list(points)


def test_the_peak_is_marked(invoke: Invoke, recorded: Recorded) -> None:
    lines = invoke("timeline", recorded.path).output.splitlines()
    assert lines[0].endswith("at most 78.1 KiB after 3 s, 57.6 KiB at the end")
    column = lines[2].rindex("v")
    assert lines[3][column] == "░"
    assert lines[3].count("░") == 1
    live = next(line for line in lines[3:] if "█" in line)
    assert live[column] == "░" and live.rstrip().endswith("█")  # at the end more is live than when the peak was
    assert any("19.1 MiB in memory at most" in line for line in lines)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_it_fits_the_window(recorded: Recorded, tmp_path: Path, columns: int) -> None:
    screen = shown_in_window(tmp_path, columns, "timeline", recorded.path)
    lines = screen.splitlines()
    assert max(map(len, lines)) <= columns and len(lines) <= 24
    assert max(map(len, lines)) > columns - 4
    assert "peak 78.1 KiB" in screen


def test_plain_and_ascii(recorded: Recorded, invoke: Invoke, tmp_path: Path) -> None:
    assert (
        shown_in_window(tmp_path, 80, "timeline", recorded.path, NO_COLOR="1")
        == invoke("timeline", recorded.path).output
    )
    screen = shown_in_window(tmp_path, 80, "timeline", recorded.path, PYTHONIOENCODING="ascii")
    assert screen.isascii() and "####" in screen


def test_no_timeline(invoke: Invoke, tmp_path: Path) -> None:
    path = write(tmp_path)
    result = invoke("timeline", path)
    assert result.exit_code == 1
    assert result.output == f"Error: {path} has no timeline, which `memtrace run` records\n"
    assert invoke("timeline", path, "--json", "--csv").exit_code == 2


def test_points_of_any_order_and_size(invoke: Invoke, tmp_path: Path) -> None:
    point, earlier, far = TimelinePoint(1.0, 10, 20, 0), TimelinePoint(0.5, 0, 0, 0), TimelinePoint(1e10, 5, 5, 5)
    huge = TimelinePoint(2.0, *[(1 << 64) - 1] * 3)
    output = invoke("timeline", write(tmp_path, point, earlier)).output
    assert "at most 20 B after 1 s" in output
    assert "RSS" not in output
    for odd in ((point,), (TimelinePoint(0.0, 0, 0, 0),), (earlier, far), (huge, huge, earlier)):
        assert invoke("timeline", write(tmp_path, *odd)).exit_code == 0


def test_bars() -> None:
    assert chart.rows([0, 1, 4, 8, 16], 2, 16) == ["    █", " ▁▄██"]
    assert chart.rows([0, 1, 16], 1, 16, blocks=False) == [" .#"]
    assert chart.rows([0, 4, 12, 16], 2, 16, above=[0, 12, 16, 16]) == [" ░▄█", " ▄██"]
    assert chart.rows([1, 2], 2, 2, above=[2, 2], blocks=False) == ["'#", "##"]
    assert chart.rows([0, 0], 1, 0) == ["  "]
    assert chart.resampled([(0, 5), (1, 9), (10, 2)], 5) == [9, 9, 9, 9, 2]
    assert chart.resampled([(0, 5)], 3) == [5, 5, 5]
