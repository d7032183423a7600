"""Three ways to count what is live, which must agree: the blocks, the records' counters, the total."""

from __future__ import annotations

import sys
import time

import memtrace

# Before 3.13, Thread.join() waits for the end of the thread's Python code only: its state is freed after that,
# without the GIL (https://github.com/python/cpython/issues/110829).
_JOINED_THREADS_ARE_GONE = sys.version_info >= (3, 13)


def _assert_sums_agree_at_once() -> None:
    status = memtrace._core.status()
    assert status["traced_bytes"] == status["bytes"], status
    snapshot = memtrace.take_snapshot()
    sizes = [trace.size for trace in snapshot.traces]
    statistics = snapshot.statistics("filename")
    counted = sum(statistic.count for statistic in statistics), sum(statistic.size for statistic in statistics)
    assert (len(sizes), sum(sizes)) == counted


def assert_sums_agree() -> None:
    """Compare them, each pair at one instant. Nobody but a joined thread may be in the middle of an allocation."""
    if _JOINED_THREADS_ARE_GONE:
        _assert_sums_agree_at_once()
    else:
        await_sums_agree()


def await_sums_agree() -> None:
    """Do the same where there are threads for whose events nobody can wait: what they have half done is done soon."""
    for _ in range(100):
        try:
            _assert_sums_agree_at_once()
            return
        except AssertionError:
            time.sleep(0.01)
    _assert_sums_agree_at_once()
