"""What a snapshot adds up to: one object for each group of blocks."""

from __future__ import annotations

from memtrace._size import _format_size
from memtrace._traceback import Traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from memtrace._core import Dictionary


_NONE_BY_DEFAULT = ("_key", "survived_size", "survived_count")


class _Group:
    """The blocks of one key: what Statistic and StatisticDiff share."""

    __slots__ = ("_key", "_source", "traceback")

    _state: ClassVar[tuple[str, ...]]

    traceback: Traceback
    """Where the blocks were allocated, reduced to what they were grouped by."""

    _key: str | None
    _source: tuple[Dictionary, int]

    def __getattr__(self, name: str) -> Any:
        # Only what is not set yet comes here. The binding fills in _source, from which the
        # traceback is made when it is first looked at.
        if name == "traceback":
            source = getattr(self, "_source", None)
            if source is not None:
                self.traceback = Traceback._from_source(source)
                return self.traceback
        elif name in _NONE_BY_DEFAULT:
            return None
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        return None, {name: getattr(self, name) for name in self._state}

    @property
    def key(self) -> str | Traceback:
        """What the group has in common.

        The name of the function, module or domain when the statistics are grouped by one, for a
        domain without a name the digits of its number; *traceback* is then the place in it that holds the most
        memory. The traceback itself otherwise.
        """
        return self.traceback if self._key is None else self._key

    def _key_repr(self) -> str:
        return "" if self._key is None else f" key={self._key!r}"


class Statistic(_Group):
    """Live memory of a group of blocks: *size* in bytes in *count* blocks.

    A value, except that its attributes can be assigned; equality and hashing look at all of them.
    """

    __slots__ = ("count", "size")

    _state = ("traceback", "size", "count", "_key")

    size: int
    """Total size of the blocks, in bytes."""

    count: int
    """Number of blocks."""

    def __init__(self, traceback: Traceback, size: int, count: int) -> None:
        self.traceback = traceback
        self.size = size
        self.count = count
        self._key = None

    def __hash__(self) -> int:
        return hash((self.traceback, self.size, self.count))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Statistic):
            return NotImplemented
        return (
            self.size == other.size
            and self.count == other.count
            and self._key == other._key
            and self.traceback == other.traceback
        )

    def __str__(self) -> str:
        text = f"{self.key}: size={_format_size(self.size, False)}, count={int(self.count)}"
        if self.count:
            text += f", average={_format_size(self.size / self.count, False)}"
        return text

    def __repr__(self) -> str:
        return (
            f"<Statistic traceback={self.traceback!r} size={int(self.size)} count={int(self.count)}{self._key_repr()}>"
        )

    def _sort_key(self) -> tuple[int, int, Traceback]:
        return self.size, self.count, self.traceback


class StatisticDiff(_Group):
    """What changed in a group of blocks from an old snapshot to a new one.

    *size* (bytes) and *count* (blocks) are those of the new snapshot, *size_diff* and *count_diff*
    the new less the old. A value, except that its attributes can be assigned; equality and hashing
    look at all of them.

    Where it is known which blocks both snapshots have (see :meth:`Snapshot.compare_to`), *size* is
    *survived_size* plus *new_size*, and the old snapshot's *survived_size* plus *dead_size*; the same
    for counts. Otherwise these are None.
    """

    __slots__ = ("count", "count_diff", "size", "size_diff", "survived_count", "survived_size")

    _state = ("traceback", "size", "size_diff", "count", "count_diff", "_key", "survived_size", "survived_count")

    size: int
    """Total size of the blocks in the new snapshot, in bytes; 0 when the group is gone."""

    size_diff: int
    """By how many bytes the group grew; negative when it shrank."""

    count: int
    """Number of blocks in the new snapshot; 0 when the group is gone."""

    count_diff: int
    """By how many blocks the group grew; negative when it shrank."""

    survived_size: int | None
    """Bytes in blocks that both snapshots have."""

    survived_count: int | None
    """Number of blocks that both snapshots have."""

    def __init__(self, traceback: Traceback, size: int, size_diff: int, count: int, count_diff: int) -> None:
        self.traceback = traceback
        self.size = size
        self.size_diff = size_diff
        self.count = count
        self.count_diff = count_diff
        self.survived_size = None
        self.survived_count = None
        self._key = None

    @property
    def new_size(self) -> int | None:
        """Bytes in blocks that were allocated since the old snapshot, and are still alive."""
        return None if self.survived_size is None else self.size - self.survived_size

    @property
    def new_count(self) -> int | None:
        """Number of blocks that were allocated since the old snapshot, and are still alive."""
        return None if self.survived_count is None else self.count - self.survived_count

    @property
    def dead_size(self) -> int | None:
        """Bytes in blocks that were alive in the old snapshot, and are no more."""
        return None if self.survived_size is None else self.size - self.size_diff - self.survived_size

    @property
    def dead_count(self) -> int | None:
        """Number of blocks that were alive in the old snapshot, and are no more."""
        return None if self.survived_count is None else self.count - self.count_diff - self.survived_count

    def __hash__(self) -> int:
        return hash((self.traceback, self.size, self.size_diff, self.count, self.count_diff))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StatisticDiff):
            return NotImplemented
        return (
            self.size == other.size
            and self.size_diff == other.size_diff
            and self.count == other.count
            and self.count_diff == other.count_diff
            and self._key == other._key
            and self.traceback == other.traceback
        )

    def __str__(self) -> str:
        text = (
            f"{self.key}: size={_format_size(self.size, False)}"
            f" ({_format_size(self.size_diff, True)}),"
            f" count={int(self.count)} ({int(self.count_diff):+})"
        )
        if self.count:
            text += f", average={_format_size(self.size / self.count, False)}"
        return text

    def __repr__(self) -> str:
        return (
            f"<StatisticDiff traceback={self.traceback!r}"
            f" size={int(self.size)} ({int(self.size_diff):+})"
            f" count={int(self.count)} ({int(self.count_diff):+})"
            f"{self._key_repr()}>"
        )

    def _sort_key(self) -> tuple[int, int, int, int, Traceback]:
        return (
            abs(self.size_diff),
            self.size,
            abs(self.count_diff),
            self.count,
            self.traceback,
        )
