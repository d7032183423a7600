"""The call tree says what the blocks add up to, to the byte."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result
from rich.cells import cell_len
from window import shown_in_window

import memtrace
from memtrace.reports import calltree
from memtrace.reports.text import printable
from memtrace.reports.tree import TreeReport

if TYPE_CHECKING:
    from conftest import Recorded

Invoke = Callable[..., Result]
Place = tuple[str, int]
Sums = dict[tuple[Place, ...], list[int]]

HOSTILE = ["\x1b[31mred\x1b]0;title\x07", "line\nbreak\r\u2028", "[bold]markup[/] :bomb:", "\udcff lone", "nul\0"]


def sums_of(snapshot: memtrace.Snapshot, inverted: bool) -> tuple[Sums, Sums]:
    """What all blocks under a way, and those whose stack it is, come to: bytes and blocks."""
    through: Sums = {}
    own: Sums = {}
    for trace in snapshot.traces:
        places = [(frame.filename, frame.lineno) for frame in trace.traceback]
        if inverted:
            places.reverse()
        for length in range(len(places) + 1):
            for sums in (through, own) if length == len(places) else (through,):
                pair = sums.setdefault(tuple(places[:length]), [0, 0])
                pair[0] += trace.size
                pair[1] += 1
    return through, own


def check(node: dict[str, Any], way: tuple[Place, ...], through: Sums, own: Sums) -> int:
    """Compare a node of the JSON and all below it with the sums; return how many there are."""
    places = tuple((frame["filename"], frame["lineno"]) for frame in node["frames"])
    assert [node["size"], node["count"]] == through[way + places[:1]]
    way += places
    assert [node["own_size"], node["own_count"]] == own.get(way, [0, 0])
    children = node["children"]
    for total, own_part in (("size", "own_size"), ("count", "own_count")):
        assert node[total] == node[own_part] + node["folded"][total] + sum(child[total] for child in children)
    return 1 + sum(check(child, way, through, own) for child in children)


def random_snapshot(seed: int) -> memtrace.Snapshot:
    chance = random.Random(seed)
    places = [(f"/app/{name}.py", line) for name in "abc" for line in (1, 2)]
    traces = []
    for _ in range(chance.randrange(1, 60)):
        frames = tuple(chance.choices(places, k=chance.randrange(1, 8)))
        traces.append((0, chance.choice((0, 1, 10, 1000, 100_000)), frames, len(frames)))
    return memtrace.Snapshot(traces, 25)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_random_snapshots(seed: int, inverted: bool) -> None:
    snapshot = random_snapshot(seed)
    through, own = sums_of(snapshot, inverted)
    chance = random.Random(seed)
    for threshold, depth in ((0, 100), (chance.choice((0.5, 5, 40, 100)), chance.randrange(1, 6))):
        report = TreeReport.of(snapshot, inverted=inverted, threshold=threshold, depth=depth).to_json()
        number = check(report, (), through, own)
        if (threshold, depth) == (0, 100):
            assert places_in(report) == len(through)
        else:
            assert number <= len(through)


def places_in(node: dict[str, Any]) -> int:
    return max(len(node["frames"]), 1) + sum(map(places_in, node["children"]))


@pytest.mark.parametrize("inverted", [False, True])
def test_a_real_program(invoke: Invoke, recorded: Recorded, inverted: bool) -> None:
    words = ["--inverted"] if inverted else []
    result = invoke("tree", recorded.path, "--json", "--threshold", "0.01", *words)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert check(report, (), *sums_of(recorded.snapshot, inverted)) > 5
    assert report["size"] == sum(each.size for each in recorded.snapshot.statistics("filename"))


def test_what_is_below_the_threshold_is_folded(snapshots: Callable[..., Path], invoke: Invoke) -> None:
    root = ("main.py", 1)
    traces = [(0, size, (("callee.py", number), root), 2) for number, size in enumerate((900, 60, 30, 6, 4), 1)]
    file = snapshots("a.mtrace", *traces)
    assert invoke("tree", file).output.splitlines()[2:] == [
        "  Size   Share  Blocks  Called from, down to where it was allocated",
        "1000 B  100.0%       5  main.py:1",
        " 900 B   90.0%       1  ├─ callee.py:1",
        "  60 B    6.0%       1  ├─ callee.py:2",
        "  30 B    3.0%       1  ├─ callee.py:3",
        "  10 B    1.0%       2  └─ (2 more calls)",
    ]
    assert "callee.py:5" in invoke("tree", file, "--threshold", "0").output
    assert "callee" not in invoke("tree", file, "--depth", "1").output
    assert [line.strip() for line in invoke("tree", file, "--threshold", "11").output.splitlines()[4:]] == [
        "callee.py:1"
    ]


def test_chains_are_one_level(snapshots: Callable[..., Path], invoke: Invoke) -> None:
    chain = tuple((f"c{number}.py", number) for number in range(9, 0, -1))
    file = snapshots("a.mtrace", (0, 10, (("x.py", 1), *chain), 10), (0, 20, (("y.py", 1), *chain), 10))
    assert [line[22:].strip() for line in invoke("tree", file).output.splitlines()[3:]] == [
        "c1.py:1",
        "│  c2.py:2",
        "│  (6 calls between)",
        "│  c9.py:9",
        "├─ y.py:1",
        "└─ x.py:1",
    ]
    (top,) = json.loads(invoke("tree", file, "--json").output)["children"]
    assert [frame["filename"] for frame in top["frames"]] == [f"c{number}.py" for number in range(1, 10)]


def test_inverted_begins_where_memory_was_allocated(snapshots: Callable[..., Path], invoke: Invoke) -> None:
    file = snapshots("a.mtrace", (0, 10, (("leaf.py", 1), ("a.py", 2)), 2), (0, 20, (("leaf.py", 1), ("b.py", 3)), 2))
    lines = invoke("tree", file, "--inverted").output.splitlines()
    assert [line.rsplit("  ", 1)[-1] for line in lines[3:]] == ["leaf.py:1", "├─ b.py:3", "└─ a.py:2"]


def test_stacks_of_any_depth(snapshots: Callable[..., Path], invoke: Invoke) -> None:
    deep = tuple(("deep.py", number % 7) for number in range(20_000))
    forks = [(0, 1000, (("leaf.py", 1), *deep[:length]), length + 1) for length in range(10, 1500, 10)]
    file = snapshots("a.mtrace", (0, 50, deep, 20_000), *forks, limit=65535)
    for words in ((), ("--json",), ("--inverted",), ("--threshold", "0", "--json")):
        result = invoke("tree", file, *words)
        assert result.exit_code == 0, result.exception


def test_cut_stacks_are_said(snapshots: Callable[..., Path], invoke: Invoke) -> None:
    frames = (("a.py", 1), ("b.py", 2))
    assert "Stacks of 2 frames" in invoke("tree", snapshots("a.mtrace", (0, 1, frames, 9), limit=2)).output
    assert "Stacks of" not in invoke("tree", snapshots("b.mtrace", (0, 1, frames, 2), limit=3)).output


def test_an_empty_snapshot(snapshots: Callable[..., Path], invoke: Invoke) -> None:
    file = snapshots("a.mtrace")
    assert invoke("tree", file).output == f"{file}: 0 B in 0 blocks\n"
    assert json.loads(invoke("tree", file, "--json").output)["children"] == []


@pytest.mark.parametrize("name", HOSTILE)
def test_names_reach_the_terminal_as_text(
    snapshots: Callable[..., Path], invoke: Invoke, name: str, tmp_path: Path
) -> None:
    file = snapshots("a.mtrace", (0, 1, ((name, 1), (name, 2)), 2), (0, 1, ((name, 3), (name, 2)), 2))
    output = invoke("tree", file).output
    assert all(line.isprintable() for line in output.splitlines())
    assert printable(name) in output
    report = invoke("tree", file, "--json").output
    assert report.isascii() and json.loads(report)["children"][0]["frames"][0]["filename"] == name
    screen = shown_in_window(tmp_path, 80, "tree", file)
    assert printable(name) in screen
    assert all(line.isprintable() for line in screen.splitlines())


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_it_fits_the_window(snapshots: Callable[..., Path], tmp_path: Path, columns: int) -> None:
    long = "/a/rather/long/path/" * 8
    frames = [(f"{long}{name}.py", 12345) for name in ("outer", "inner", "leaf")]
    file = snapshots(
        "a.mtrace", (0, 10, tuple(reversed(frames)), 3), (0, 10, (("x" * 100_000 + ".py", 1), frames[1], frames[0]), 3)
    )
    screen = shown_in_window(tmp_path, columns, "tree", file)
    assert max(map(cell_len, screen.splitlines())) <= columns
    assert "outer.py:12345" in screen and "leaf.py:12345" in screen


def test_plain_text_when_colour_is_not_wanted(snapshots: Callable[..., Path], invoke: Invoke, tmp_path: Path) -> None:
    file = snapshots("a.mtrace", (0, 10, (("a.py", 1), ("b.py", 2)), 2))
    assert shown_in_window(tmp_path, 80, "tree", file, NO_COLOR="1") == invoke("tree", file).output
    ascii_only = shown_in_window(tmp_path, 80, "tree", file, NO_COLOR="1", PYTHONIOENCODING="ascii")
    assert ascii_only.isascii() and "b.py:2" in ascii_only


def test_children_are_in_order() -> None:
    root = calltree.build(random_snapshot(3))
    sizes = [child.size for child in root.sorted_children()]
    assert sizes == sorted(sizes, reverse=True)
    assert Counter(child.frame for child in root.children.values()).most_common(1)[0][1] == 1
