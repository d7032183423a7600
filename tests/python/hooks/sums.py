"""Three ways to count what is live, which must agree: the blocks, the records' counters, the total."""

from __future__ import annotations

from memtrace import _core


def assert_sums_agree() -> None:
    """Compare them, each pair at one instant. Nobody may be in the middle of an allocation."""
    status = _core.status()
    assert status["traced_bytes"] == status["bytes"], status
    snapshot = _core.take_snapshot(True)
    blocks = _core.Blocks(snapshot)
    sizes = [block[1] for block in blocks.read(0, 1, len(blocks))]
    assert (len(sizes), sum(sizes)) == (snapshot.total_count, snapshot.total_size)
