"""The fixtures of the command line, and a snapshot with everything in it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command_line import Programs, invoke, literal, programs, snapshots

import memtrace
from memtrace._timeline import TimelinePoint

__all__ = ["Programs", "invoke", "literal", "programs", "snapshots"]

SOURCE = """\
def leaf(number):
    return [bytearray(number * 100) for _ in range(number)]


def middle(number):
    kept = [leaf(each) for each in range(1, number)]
    bytearray(1_000_000)
    return kept


def other(number):
    return {each: str(each) * 20 for each in range(number)}


def main():
    large = bytearray(3_000_000)
    del large
    return middle(12), other(800), middle(7)
"""


class Recorded:
    """A program's file, the snapshot that was taken of it, and the file of that."""

    def __init__(self, source: Path, path: Path, snapshot: memtrace.Snapshot) -> None:
        self.source = source
        self.path = path
        self.snapshot = snapshot


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """A snapshot with blocks, a peak, churn and a timeline."""
    directory = tmp_path_factory.mktemp("recorded")
    source = directory / "program.py"
    source.write_text(SOURCE)
    names: dict[str, object] = {"__name__": "program"}
    exec(compile(SOURCE, str(source), "exec"), names)
    memtrace.start(25)
    try:
        # In a thread of its own, where the stack is not that of pytest.
        with ThreadPoolExecutor(1) as pool:
            kept = pool.submit(names["main"]).result()  # type: ignore[arg-type]
        snapshot = memtrace.take_snapshot()
        snapshot.peak = memtrace.take_peak_snapshot()
    finally:
        memtrace.stop()
    snapshot.timeline = tuple(
        TimelinePoint(number / 10, 1000 * number, 1000 * number + (50_000 if number == 30 else 0), 20_000_000)
        for number in range(60)
    )
    path = directory / "program.mtrace"
    snapshot.dump(path)
    del kept
    yield Recorded(source, path, snapshot.filter_traces([memtrace.Filter(False, memtrace.__file__)]))
