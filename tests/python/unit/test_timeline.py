"""memtrace.timeline(): how much memory there was, and when."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from building import Run

import memtrace

LARGE = 3_000_000


@pytest.fixture(autouse=True)
def tracing_stopped() -> Iterator[None]:
    yield
    memtrace.stop()


def large(points: tuple[memtrace.TimelinePoint, ...]) -> list[int]:
    """How many large blocks were live at each point."""
    return [point.size // LARGE for point in points]


def test_points_follow_what_is_live() -> None:
    memtrace.start(timeline=0.001)
    kept: list[bytearray] = []
    for _ in range(3):
        kept.append(bytearray(LARGE))
        time.sleep(0.003)
    kept.clear()
    time.sleep(0.003)
    kept.append(bytearray(1_000_000))
    points = memtrace.timeline()
    memtrace.stop()
    counts = large(points)
    assert counts[-1] == 0
    assert {1, 2, 3} >= set(counts[:-1]) - {0}
    assert max(counts) == 3
    times = [point.seconds for point in points]
    assert times == sorted(times)
    assert all(point.peak >= point.size for point in points)
    assert all(point.resident > 4_000_000 for point in points)


def test_the_peak_is_not_missed_between_points() -> None:
    memtrace.start(timeline=60.0)
    bytearray(LARGE)
    bytearray(2 * LARGE)
    points = memtrace.timeline()
    assert len(points) <= 2
    assert points[-1].size // LARGE == 0
    assert max(point.peak for point in points) == memtrace.get_traced_memory()[1] > 2 * LARGE
    memtrace.stop()


def test_without_it_there_are_no_points() -> None:
    assert memtrace.timeline() == ()
    memtrace.start()
    assert memtrace.timeline() == ()
    memtrace.stop()
    memtrace.start(timeline=True)
    assert memtrace.timeline() != ()
    memtrace.stop()
    assert memtrace.timeline() == ()


def test_clear_begins_anew() -> None:
    memtrace.start(timeline=0.001)
    kept = [bytearray(LARGE)]
    time.sleep(0.005)
    kept.append(bytearray(LARGE))
    memtrace.clear_traces()
    points = memtrace.timeline()
    assert max(point.peak for point in points) < LARGE
    assert points[-1].seconds < 0.5
    memtrace.stop()


@pytest.mark.parametrize("keywords", [{"sample_interval": "8 KiB"}, {"max_memory": "64 MiB"}])
def test_with_samples_and_limits(keywords: dict[str, str]) -> None:
    memtrace.start(timeline=0.001, **keywords)  # type: ignore[arg-type]
    kept = []
    for _ in range(20):
        kept.append([bytearray(20_000) for _ in range(20)])
        time.sleep(0.001)
    points = memtrace.timeline()
    memtrace.stop()
    assert len(points) > 5
    assert points[-1].size > 4_000_000
    assert points[len(points) // 2].size < points[-1].size


def test_threads_that_look_at_once() -> None:
    memtrace.start(timeline=0.001)
    end = time.monotonic() + 1

    def allocate() -> None:
        while time.monotonic() < end:
            [bytearray(40_000) for _ in range(10)]

    threads = [threading.Thread(target=allocate) for _ in range(4)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        times = [point.seconds for point in memtrace.timeline()]
        assert times == sorted(times)
    for thread in threads:
        thread.join()
    assert len(memtrace.timeline()) > 10
    memtrace.stop()


@pytest.mark.parametrize(
    ("value", "error", "reason"),
    [
        ("x", TypeError, "timeline must be True, False or a number of seconds, not str"),
        (0, ValueError, "timeline must be from 0.001 to 3600 seconds, not 0"),
        (1e9, ValueError, "timeline must be from 0.001 to 3600 seconds, not 1000000000.0"),
        (float("nan"), ValueError, "timeline must be from 0.001 to 3600 seconds, not nan"),
    ],
)
def test_bad_distances(value: object, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason.replace(".", r"\.")):
        memtrace.start(timeline=value)  # type: ignore[arg-type]
    assert not memtrace.is_tracing()


def test_a_second_start_with_another_distance() -> None:
    memtrace.start(timeline=True)
    memtrace.start(timeline=0.01)
    memtrace.start()
    with pytest.raises(ValueError, match="timeline is another than tracing was started with"):
        memtrace.start(timeline=False)
    memtrace.stop()


def test_the_file_that_it_keeps_open() -> None:
    def open_files() -> dict[int, str]:
        names = {}
        for file in Path("/proc/self/fd").iterdir():
            try:
                names[int(file.name)] = str(file.readlink())
            except OSError:  # that of this very look
                continue
        return names

    before = open_files()
    memtrace.start(timeline=True)
    new = {number: name for number, name in open_files().items() if name.endswith("/statm")}
    assert len(new) == 1
    assert min(new) > 500
    memtrace.stop()
    assert open_files() == before


def test_a_program_that_closes_all_files_and_forks(run: Run) -> None:
    run(
        """
import os, time, memtrace
memtrace.start(timeline=0.001)
os.closerange(3, 5000)
opened = os.open(os.devnull, os.O_RDONLY)
assert opened == 3
time.sleep(0.01)
kept = [bytearray(100_000) for _ in range(10)]
assert memtrace.timeline()[-1].resident == 0
child = os.fork()
if child == 0:
    kept.append(bytearray(3_000_000))
    time.sleep(0.01)
    kept.append(bytearray(100_000))
    points = memtrace.timeline()
    os._exit(0 if points[-1].size > 4_000_000 and points[-1].resident > 0 else 1)
assert os.waitpid(child, 0)[1] == 0
assert memtrace.timeline()[-1].size < 3_000_000
memtrace.stop()
os.close(opened)
"""
    )
