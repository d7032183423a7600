"""The options by which every report is told which part of a snapshot it is about."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

import memtrace

Invoke = Callable[..., Result]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A snapshot with two labels, two threads, a mark, types, and a peak of which little is left."""
    path = tmp_path_factory.mktemp("selection") / "all.mtrace"
    memtrace.start(5)
    kept = [bytearray(500_000)]
    peak = memtrace.take_peak_snapshot()
    kept.clear()
    with memtrace.label("GET /users"):
        kept.append(bytearray(5_000))
    memtrace.mark("when warm")
    with memtrace.label("POST /users"):
        kept.append(bytearray(7_000))
    thread = threading.Thread(target=lambda: kept.append(bytearray(11_000)), name="worker")
    thread.start()
    thread.join()
    memtrace.mark("when late")
    snapshot = memtrace.take_snapshot(types=True)
    memtrace.stop()
    snapshot.peak = peak
    snapshot.dump(path)
    yield path


def sizes(invoke: Invoke, file: Path, *words: str) -> list[int]:
    """The thousands of bytes of the large groups."""
    result = invoke("stats", file, "--json", "--limit", "1000", *words)
    assert result.exit_code == 0, result.output
    return sorted(each["size"] // 1000 for each in json.loads(result.stdout)["statistics"] if each["size"] > 4_900)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), [5, 7, 11]),
        (("--label", "GET *"), [5]),
        (("--label", "GET *", "--label", "POST *"), [5, 7]),
        (("--label", "!GET *"), [7, 11]),
        (("--thread", "worker"), [11]),
        (("--thread", "!worker"), [5, 7]),
        (("--thread", "!worker", "--label", "!GET *"), [7]),
        (("--since", "when warm"), [7, 11]),
        (("--since", "when warm", "--label", "GET *"), []),
        (("--since", "when late"), []),
        (("--domain", "0"), [5, 7, 11]),
        (("--domain", "!0"), []),
        (("--at-peak",), [500]),
        (("--at-peak", "--label", "GET *"), []),
        (("--user-code", "--filter", "!*/threading.py"), [5, 7, 11]),
        (("--filter", "*/threading.py"), []),
        (("--group-by", "type"), [23]),
    ],
)
def test_what_is_kept(invoke: Invoke, file: Path, words: tuple[str, ...], expected: list[int]) -> None:
    assert sizes(invoke, file, *words) == expected


@pytest.mark.parametrize(
    ("group_by", "names"),
    [("label", {"GET /users", "POST /users", "no label"}), ("thread", {"worker"}), ("generation", {"when warm"})],
)
def test_groups_have_names(invoke: Invoke, file: Path, group_by: str, names: set[str]) -> None:
    result = invoke("stats", file, "--json", "--group-by", group_by)
    found = {each[group_by].partition(" (")[0] for each in json.loads(result.stdout)["statistics"]}
    assert names <= found


def test_a_number_names_a_mark_too(invoke: Invoke, file: Path) -> None:
    names = memtrace.Snapshot.load(file)._names("generation")
    (number,) = [number for number, name in names.items() if name == "when warm"]
    assert sizes(invoke, file, "--since", str(number)) == [7, 11]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--since", "cold"), "has no mark that is called 'cold' (there are: "),
        (("--domain", "gpu"), "has no domain that is called 'gpu'"),
        (("--at-peak", "--group-by", "type"), "has no types: take_snapshot(types=True) records them"),
    ],
)
def test_what_a_snapshot_lacks(invoke: Invoke, file: Path, words: tuple[str, ...], reason: str) -> None:
    result = invoke("stats", file, *words)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {file} {reason}")


def test_a_file_without_a_peak(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "plain.mtrace"
    memtrace.Snapshot([(0, 1, (("a.py", 1),), 1)], 1).dump(path)
    result = invoke("stats", path, "--at-peak")
    assert result.exit_code == 1
    assert result.stderr == f"Error: {path} has no breakdown of the peak, which `memtrace run` records\n"


def test_diff_selects_of_both(invoke: Invoke, file: Path) -> None:
    result = invoke("diff", file, file, "--json", "--label", "GET *")
    report = json.loads(result.stdout)
    assert (report["size_diff"], report["size"] // 1000) == (0, 5)
