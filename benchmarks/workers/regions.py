"""Worker: marks, labels and peak regions around nothing, in a loop, less the loop itself."""

import gc
import time
from collections.abc import Callable
from typing import Any

import memtrace
from benchmarks.harness.process import read_request, write_report

ROUNDS = 7
"""The fastest counts: what else a machine does only adds."""

LINES_OF_A_FUNCTION = 500


def marks(times: int) -> None:
    """Begin generations."""
    for _ in range(times):
        memtrace.mark()


def labels(times: int) -> None:
    """Enter a label and leave it."""
    for _ in range(times):
        with memtrace.label("request"):
            pass


def regions(times: int) -> None:
    """Enter a region and leave it. What it is made of is a new peak, of which a copy is made."""
    hoard: list[Any] = []
    for _ in range(times):
        with memtrace.peak() as region:
            pass
        hoard.append(region)


def hoards(times: int) -> None:
    """As much memory, no region."""
    hoard: list[Any] = []
    for _ in range(times):
        hoard.append(bytearray(100))  # noqa: PERF401


def nothing(times: int) -> None:
    """Do nothing."""
    for _ in range(times):
        pass


def nanoseconds(body: Callable[[int], None], without: Callable[[int], None], times: int) -> float:
    """Return what one turn of *body* takes, less one of *without*."""

    def fastest(loop: Callable[[int], None]) -> float:
        durations = []
        for _ in range(ROUNDS):
            begin = time.process_time_ns()
            loop(times)
            durations.append(time.process_time_ns() - begin)
        return min(durations) / times

    return fastest(body) - fastest(without)


def blocks_of_many_lines(lines: int) -> list[Any]:
    """Return blocks from as many lines: each line has a record of its own."""
    blocks: list[Any] = []
    for first in range(0, lines, LINES_OF_A_FUNCTION):
        names: dict[str, Any] = {}
        body = "".join("    keep(bytearray(1))\n" for _ in range(min(LINES_OF_A_FUNCTION, lines - first)))
        exec(compile(f"def fill(keep):\n{body}", f"lines from {first}", "exec"), names)
        names["fill"](blocks.append)
    return blocks


def main() -> None:
    """Time all three; regions beside as many records as asked for."""
    request = read_request()
    times = request["times"]
    gc.disable()
    memtrace.start(1)
    report: dict[str, Any] = {
        "label": nanoseconds(labels, nothing, times),
        "regions": {},
    }
    for lines in request["lines"]:
        kept = blocks_of_many_lines(lines)
        records = len(memtrace.take_snapshot().statistics("lineno"))
        turns = max(times // (10 + lines // 10), 20)
        report["regions"][str(records)] = nanoseconds(regions, hoards, turns)
        del kept
        memtrace.clear_traces()
    # Last: each generation has records of its own.
    report["mark"] = nanoseconds(marks, nothing, times)
    write_report(request, report)


if __name__ == "__main__":
    main()
