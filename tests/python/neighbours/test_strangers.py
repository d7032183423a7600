"""Extensions with blocks that are not Python's, or no longer."""

from __future__ import annotations

from building import Run


def test_blocks_of_the_c_library(run: Run) -> None:
    """Freed and resized by Python's allocator, which never gave them out: nothing is counted out."""
    run(
        """
import memtrace, strangers
from sums import assert_sums_agree
memtrace.start(5)
before = memtrace.get_traced_memory()[0]
for size in (1, 100, 5000, 300_000):
    strangers.free_foreign(size, 1000)
    assert strangers.resize_foreign(size, size * 2)
    assert strangers.resize_foreign(size, 1)
assert abs(memtrace.get_traced_memory()[0] - before) < 5000
assert_sums_agree()
""",
        PYTHONMALLOC="default",
    )


def test_blocks_freed_behind_the_tracer(run: Run) -> None:
    """They seem to live until somebody gets the same address; the sums agree all the same."""
    run(
        """
import memtrace, strangers
from sums import assert_sums_agree
memtrace.start(5)
for size in (40, 5000, 300_000):
    before = memtrace.get_traced_memory()[0]
    strangers.free_behind(size, 1000)
    assert_sums_agree()
    # The C library gives the same few addresses again and again.
    assert memtrace.get_traced_memory()[0] - before < 20 * size + 100_000
kept = [bytearray(size) for size in range(5000)]
assert memtrace.get_object_traceback(kept[4000])[-1].lineno == 11
assert_sums_agree()
memtrace.clear_traces()
del kept
assert_sums_agree()
""",
        PYTHONMALLOC="default",
    )
