"""What has come and gone: one object for each group of blocks."""

from __future__ import annotations

from memtrace._size import _format_size
from memtrace._statistic import _Group

_COUNTERS = (
    "allocated_size",
    "allocated_count",
    "freed_size",
    "freed_count",
    "temporary_size",
    "temporary_count",
)


class ChurnStatistic(_Group):
    """Blocks of a group that were allocated and freed in some time; made by :meth:`Snapshot.churn`.

    A block that is resized is freed, and another allocated; so is one that an object from a free
    list is made in (from Python 3.13 on; before, such reuse is not seen). Sizes are in bytes. A
    value, except that its attributes can be assigned; equality looks at all of them.
    """

    __slots__ = (*_COUNTERS, "seconds")

    _state = ("traceback", *_COUNTERS, "seconds", "_key")

    allocated_size: int
    """Bytes of all blocks that were allocated, whatever became of them."""

    allocated_count: int
    """Number of blocks that were allocated."""

    freed_size: int
    """Bytes of the blocks that were freed, also of those that are older than the time in question."""

    freed_count: int
    """Number of blocks that were freed."""

    temporary_size: int | None
    """Of *freed_size*, the bytes of temporary blocks. None in samples, of which nobody knows."""

    temporary_count: int | None
    """Number of temporary blocks, None in samples: freed by the thread that had allocated them when it had allocated one other at most."""

    seconds: float
    """The time in question: since the trace began, or between two snapshots."""

    @property
    def size_per_second(self) -> float:
        """Bytes allocated in a second, on average; 0 when there was no time."""
        return self.allocated_size / self.seconds if self.seconds else 0.0

    @property
    def count_per_second(self) -> float:
        """Blocks allocated in a second, on average; 0 when there was no time."""
        return self.allocated_count / self.seconds if self.seconds else 0.0

    def __hash__(self) -> int:
        return hash((self.traceback, self.allocated_size, self.freed_size))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ChurnStatistic):
            return NotImplemented
        return self.__getstate__() == other.__getstate__()

    def __str__(self) -> str:
        text = (
            f"{self.key}: allocated={_format_size(self.allocated_size, False)} in {self.allocated_count}"
            f" ({self.count_per_second:.0f}/s), freed={_format_size(self.freed_size, False)} in {self.freed_count}"
        )
        if self.temporary_size is not None:
            text += f", temporary={_format_size(self.temporary_size, False)} in {self.temporary_count}"
        return text

    def __repr__(self) -> str:
        counters = " ".join(f"{name}={getattr(self, name)}" for name in _COUNTERS)
        return f"<ChurnStatistic traceback={self.traceback!r} {counters} seconds={self.seconds}{self._key_repr()}>"
