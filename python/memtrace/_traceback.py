"""Where a block was allocated: a sequence of frames."""

from __future__ import annotations

from _collections_abc import Sequence

from memtrace._frame import Frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, overload

    from memtrace._core import Dictionary
    from memtrace._types import FrameDetail


class Traceback(Sequence[Frame]):
    """Frames of one call stack, from the oldest to the most recent.

    Equality, ordering and hashing look at the file names and line numbers of the frames. A value:
    safe to share between threads. The frames of a traceback that comes out of a snapshot are
    decoded when they are first looked at.
    """

    __slots__ = ("_details", "_frames", "_source", "_total_nframe")

    _details: tuple[FrameDetail, ...] | None
    _frames: tuple[tuple[str, int], ...]
    _source: tuple[Dictionary, int]
    _total_nframe: int | None

    def __init__(self, frames: Sequence[tuple[str, int]], total_nframe: int | None = None) -> None:
        # The tracer's own order is from the most recent frame to the oldest.
        self._frames = tuple(reversed(frames))
        self._total_nframe = total_nframe
        self._details = None

    @classmethod
    def _from_source(cls, source: tuple[Dictionary, int], total_nframe: int | None = None) -> Traceback:
        self = cls.__new__(cls)
        self._source = source
        self._total_nframe = total_nframe
        return self

    def __getattr__(self, name: str) -> Any:
        # Only what is not set yet comes here: what __init__ leaves out, what _source stands for,
        # and what another tracemalloc did not pickle.
        if name == "_frames" or name == "_details":
            source = getattr(self, "_source", None)
            if source is not None:
                dictionary, traceback_id = source
                self._frames = dictionary.frames(traceback_id)
                self._details = dictionary.details(traceback_id)
                return self._frames if name == "_frames" else self._details
            if name == "_details":
                return None
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        slots = ("_details", "_frames", "_total_nframe")
        return None, {name: getattr(self, name) for name in slots}

    @property
    def total_nframe(self) -> int | None:
        """Number of frames of the stack before it was cut at the limit; None when not known."""
        return self._total_nframe

    def __len__(self) -> int:
        return len(self._frames)

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, index: int) -> Frame: ...
        @overload
        def __getitem__(self, index: slice) -> tuple[Frame, ...]: ...

    def __getitem__(self, index: int | slice) -> Frame | tuple[Frame, ...]:
        details = self._details
        if isinstance(index, slice):
            frames = self._frames[index]
            if details is None:
                return tuple(map(Frame, frames))
            return tuple(map(Frame._with_detail, frames, details[index]))
        detail = None if details is None else details[index]
        return Frame._with_detail(self._frames[index], detail)

    def __contains__(self, frame: Any) -> bool:
        return frame._frame in self._frames

    def __hash__(self) -> int:
        return hash(self._frames)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Traceback):
            return NotImplemented
        return self._frames == other._frames

    def __lt__(self, other: Traceback) -> bool:
        if not isinstance(other, Traceback):
            return NotImplemented
        return self._frames < other._frames

    def __le__(self, other: Traceback) -> bool:
        if not isinstance(other, Traceback):
            return NotImplemented
        return self._frames <= other._frames

    def __gt__(self, other: Traceback) -> bool:
        if not isinstance(other, Traceback):
            return NotImplemented
        return self._frames > other._frames

    def __ge__(self, other: Traceback) -> bool:
        if not isinstance(other, Traceback):
            return NotImplemented
        return self._frames >= other._frames

    def __str__(self) -> str:
        return str(self[0])

    def __repr__(self) -> str:
        total = "" if self._total_nframe is None else f" total_nframe={self._total_nframe}"
        return f"<Traceback {tuple(self)}{total}>"

    def format(self, limit: int | None = None, most_recent_first: bool = False) -> list[str]:
        """Return the frames as lines of text, each followed by its source line when there is one.

        A positive *limit* keeps that many of the most recent frames, a negative one leaves that
        many of the most recent out, and 0 keeps none. *most_recent_first* turns the order around.
        The source lines are read through :mod:`linecache`.
        """
        from linecache import getline

        frames: Sequence[Frame]
        if limit is None:
            frames = self
        elif limit > 0:
            frames = self[-limit:]
        else:
            frames = self[:limit]
        lines = []
        for frame in reversed(frames) if most_recent_first else frames:
            lines.append(f'  File "{frame.filename}", line {frame.lineno}')
            source = getline(frame.filename, frame.lineno).strip()
            if source:
                lines.append(f"    {source}")
        return lines
