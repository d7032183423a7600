"""One line of source in a traceback."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would triple the time of importing memtrace
if TYPE_CHECKING:
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
