"""`memtrace diff` against the numbers put into two snapshots."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import memtrace

Invoke = Callable[..., Result]

A, B, C, D = ("/app/a.py", 10), ("/app/b.py", 20), ("/lib/c.py", 30), ("/lib/d.py", 40)


def trace(size: int, *frames: tuple[str, int]) -> tuple[object, ...]:
    return 0, size, frames, len(frames)


@pytest.fixture
def files(snapshots: Callable[..., Path]) -> tuple[Path, Path]:
    old = snapshots("old.mtrace", trace(500, A), trace(500, A), trace(7000, B, A), trace(30, C), trace(40, D))
    new = snapshots("new.mtrace", trace(3000, A), trace(30, C), trace(20, D), trace(20, D), trace(9, D, C))
    return old, new


def test_plain_text(invoke: Invoke, files: tuple[Path, Path]) -> None:
    old, new = files
    assert (
        invoke("diff", old, new).output
        == f"""\
{old} to {new}: -4991 B in 0 blocks, now 3079 B in 5 blocks

 Change    Size  Change  Blocks  Line
-7000 B     0 B      -1       0  /app/b.py:20
+2000 B  3000 B      -1       1  /app/a.py:10
   +9 B    49 B      +2       3  /lib/d.py:40

1 line unchanged
"""
    )


def test_the_rest_is_summed(invoke: Invoke, files: tuple[Path, Path]) -> None:
    lines = invoke("diff", *files, "--limit", 1).output.splitlines()
    assert lines[4:] == ["", "2 lines more changed: +2009 B in +1 blocks", "1 line unchanged"]


@pytest.mark.parametrize("group_by", ["filename", "lineno", "traceback", "function", "module"])
@pytest.mark.parametrize("limit", [0, 2, 100])
def test_json_is_what_the_api_says(invoke: Invoke, files: tuple[Path, Path], group_by: str, limit: int) -> None:
    old, new = (memtrace.Snapshot.load(file) for file in files)
    expected = new.compare_to(old, group_by)
    result = invoke("diff", *files, "--json", "--group-by", group_by, "--limit", limit)
    report = json.loads(result.output)
    differences = report.pop("differences")
    assert report == {
        "group_by": group_by,
        "cumulative": False,
        "size": 3079,
        "size_diff": -4991,
        "count": 5,
        "count_diff": 0,
        "groups": len(expected),
        "dropped": 0,
    }
    assert [(each["size"], each["size_diff"], each["count"], each["count_diff"]) for each in differences] == [
        (each.size, each.size_diff, each.count, each.count_diff) for each in expected[:limit]
    ]


def test_filters_apply_to_both(invoke: Invoke, files: tuple[Path, Path]) -> None:
    report = json.loads(invoke("diff", *files, "--json", "--filter", "/lib/*", "--filter", "!*/c.py").output)
    assert (report["size"], report["size_diff"]) == (49, 9)
    assert [each["filename"] for each in report["differences"]] == ["/lib/d.py"]


def test_cumulative(invoke: Invoke, files: tuple[Path, Path]) -> None:
    report = json.loads(invoke("diff", *files, "--json", "--cumulative").output)
    (of_a,) = (each for each in report["differences"] if each["filename"] == "/app/a.py")
    assert (of_a["size"], of_a["size_diff"]) == (3000, 3000 - 8000)
    assert report["size_diff"] == -4991


def test_a_file_compared_to_itself(invoke: Invoke, files: tuple[Path, Path]) -> None:
    old, _ = files
    assert invoke("diff", old, old).output == (
        f"{old} to {old}: 0 B in 0 blocks, now 8070 B in 5 blocks\n\n4 lines unchanged\n"
    )
