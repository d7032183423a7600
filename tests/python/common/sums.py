"""Three ways to count what is live, which must agree: the blocks, the records' counters, the total."""

from __future__ import annotations

import time

import memtrace


def assert_sums_agree() -> None:
    """Compare them, each pair at one instant. Nobody may be in the middle of an allocation."""
    status = memtrace._core.status()
    assert status["traced_bytes"] == status["bytes"], status
    snapshot = memtrace.take_snapshot()
    sizes = [trace.size for trace in snapshot.traces]
    statistics = snapshot.statistics("filename")
    counted = sum(statistic.count for statistic in statistics), sum(statistic.size for statistic in statistics)
    assert (len(sizes), sum(sizes)) == counted


def await_sums_agree() -> None:
    """Do the same where there are threads for whose events nobody can wait: what they have half done is done soon."""
    for _ in range(100):
        try:
            assert_sums_agree()
            return
        except AssertionError:
            time.sleep(0.01)
    assert_sums_agree()
