"""What a snapshot adds up to: one object for each group of blocks."""

from __future__ import annotations

from memtrace._size import _format_size
from memtrace._traceback import Traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar
    from weakref import ref

    from memtrace._core import Dictionary
    from memtrace._snapshot import Snapshot


_NONE_BY_DEFAULT = ("_key", "_number", "_origin", "survived_size", "survived_count")
_ZERO_BY_DEFAULT = ("size_error", "count_error", "size_diff_error", "count_diff_error")


class _Group:
    """The blocks of one key: what Statistic and StatisticDiff share."""

    __slots__ = ("_key", "_number", "_origin", "_source", "traceback")

    _state: ClassVar[tuple[str, ...]]

    traceback: Traceback
    """Where the blocks were allocated, reduced to what they were grouped by."""

    _key: str | None
    _source: tuple[Dictionary, int]
    # Where its blocks are to be looked for: the snapshot, what it was grouped by, and whether cumulatively. None when
    # it is not the binding that made it.
    _origin: tuple[ref[Snapshot], tuple[str, ...], bool] | None
    _number: int | None

    size_error: float
    """Standard error of *size*, in bytes; 0 when each block was traced."""

    count_error: float
    """Standard error of *count*; 0 when each block was traced."""

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
        elif name in _ZERO_BY_DEFAULT and name in self._state:
            return 0.0
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _repr_html_(self) -> str | None:
        from memtrace._notebook import _html_of_list

        return _html_of_list([self])

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        return None, {name: getattr(self, name) for name in self._state}

    @property
    def key(self) -> str | Traceback:
        """What the group has in common.

        The name of the function, module, domain, label, thread or type when the statistics are grouped by
        one, for a domain without a name the digits of its number; *traceback* is then the place in it
        that holds the most memory. Both texts, with a comma, when they are grouped by two keys. The traceback
        itself otherwise.
        """
        return self.traceback if self._key is None else self._key

    def _with_error(self, text: str, error: str) -> str:
        return (
            f"{text} ± {error}"
            if any(getattr(self, name) for name in _ZERO_BY_DEFAULT if name in self._state)
            else text
        )

    def _key_repr(self) -> str:
        return "" if self._key is None else f" key={self._key!r}"


class Statistic(_Group):
    """Live memory of a group of blocks: *size* in bytes in *count* blocks.

    Where blocks were sampled, both are unbiased estimates, with the standard errors *size_error* and
    *count_error*: the truth is within 1.96 of these in 95 of 100 cases, when many samples were taken.

    A value, except that its attributes can be assigned; equality and hashing look at all but the errors.
    """

    __slots__ = ("count", "count_error", "size", "size_error")

    _state = ("traceback", "size", "count", "_key", "size_error", "count_error")

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
        size = self._with_error(_format_size(self.size, False), _format_size(self.size_error, False))
        count = self._with_error(str(int(self.count)), f"{self.count_error:.0f}")
        text = f"{self.key}: size={size}, count={count}"
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
    look at all but the errors.

    Where it is known which blocks both snapshots have (see :meth:`Snapshot.compare_to`), *size* is
    *survived_size* plus *new_size*, and the old snapshot's *survived_size* plus *dead_size*; the same
    for counts. Otherwise these are None.

    Where blocks were sampled, all are estimates; the errors are those of :class:`Statistic`.
    """

    __slots__ = (
        "count",
        "count_diff",
        "count_diff_error",
        "count_error",
        "size",
        "size_diff",
        "size_diff_error",
        "size_error",
        "survived_count",
        "survived_size",
    )

    _state = (
        *("traceback", "size", "size_diff", "count", "count_diff", "_key", "survived_size", "survived_count"),
        *("size_error", "count_error", "size_diff_error", "count_diff_error"),
    )

    size: int
    """Total size of the blocks in the new snapshot, in bytes; 0 when the group is gone."""

    size_diff: int
    """By how many bytes the group grew; negative when it shrank."""

    count: int
    """Number of blocks in the new snapshot; 0 when the group is gone."""

    count_diff: int
    """By how many blocks the group grew; negative when it shrank."""

    size_diff_error: float
    """Standard error of *size_diff*, in bytes.

    Blocks that are known to be in both snapshots, as :attr:`survived_size` is, add nothing to it. Where that is not
    known, it is an upper bound: the errors of both sizes, as if no sample were in both.
    """

    count_diff_error: float
    """Standard error of *count_diff*, as that of *size_diff*."""

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
        size = self._with_error(_format_size(self.size, False), _format_size(self.size_error, False))
        size_diff = self._with_error(_format_size(self.size_diff, True), _format_size(self.size_diff_error, False))
        count = self._with_error(str(int(self.count)), f"{self.count_error:.0f}")
        count_diff = self._with_error(f"{int(self.count_diff):+}", f"{self.count_diff_error:.0f}")
        text = f"{self.key}: size={size} ({size_diff}), count={count} ({count_diff})"
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
