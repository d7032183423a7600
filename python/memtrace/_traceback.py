"""Where a block was allocated: frames, and sequences of them."""

from __future__ import annotations

from _collections_abc import Sequence

TYPE_CHECKING = False  # importing typing would triple the time of importing memtrace
if TYPE_CHECKING:
    from typing import Any, overload

    from memtrace._core import Dictionary
    from memtrace._types import FrameDetail


class Frame:
    """A place in a program: a file and a line, and what else is known of the call.

    Equality, ordering and hashing look at the file name and the line number only. A value: safe to
    share between threads.
    """

    __slots__ = ("_detail", "_frame")

    _detail: FrameDetail | None
    _frame: tuple[str, int]

    def __init__(self, frame: tuple[str, int]) -> None:
        self._frame = frame
        self._detail = None

    @classmethod
    def _with_detail(cls, frame: tuple[str, int], detail: FrameDetail | None) -> Frame:
        self = cls(frame)
        self._detail = detail
        return self

    def __getattr__(self, name: str) -> None:
        # A frame that tracemalloc pickled has no such slot.
        if name == "_detail":
            return
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def filename(self) -> str:
        """The file name of the code, as its ``co_filename``; ``<unknown>`` when there is none."""
        return self._frame[0]

    @property
    def lineno(self) -> int:
        """The line number, from 1; 0 when it is not known or does not apply."""
        return self._frame[1]

    @property
    def function(self) -> str | None:
        """The qualified name of the function, or None when it is not known."""
        return None if self._detail is None else self._detail[0]

    @property
    def end_lineno(self) -> int | None:
        """The last line of the expression that was running, or None when it is not known."""
        return None if self._detail is None else self._detail[1]

    @property
    def colno(self) -> int | None:
        """The column where that expression starts, in bytes of UTF-8 from 0, or None."""
        return None if self._detail is None else self._detail[2]

    @property
    def end_colno(self) -> int | None:
        """The column after the last of that expression, in bytes of UTF-8 from 0, or None."""
        return None if self._detail is None else self._detail[3]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return self._frame == other._frame

    def __lt__(self, other: Frame) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return self._frame < other._frame

    def __le__(self, other: Frame) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return self._frame <= other._frame

    def __gt__(self, other: Frame) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return self._frame > other._frame

    def __ge__(self, other: Frame) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return self._frame >= other._frame

    def __hash__(self) -> int:
        return hash(self._frame)

    def __str__(self) -> str:
        return f"{self.filename}:{self.lineno}"

    def __repr__(self) -> str:
        return f"<Frame filename={self.filename!r} lineno={self.lineno!r}>"


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
