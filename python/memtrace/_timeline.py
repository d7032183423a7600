"""How much memory there was, and when."""

from __future__ import annotations

from typing import NamedTuple

from memtrace import _core


class TimelinePoint(NamedTuple):
    """What memory there was at one moment; made by :func:`timeline`. Sizes are in bytes."""

    seconds: float
    """Since tracing began."""
    size: int
    """Of the traced blocks that were live."""
    peak: int
    """The largest *size* that was seen since the point before."""
    resident: int
    """Of the process in memory, all of it; 0 when the system did not say."""


def timeline() -> tuple[TimelinePoint, ...]:
    """Return the points that have been recorded since tracing began, the present moment last.

    ``start(timeline=...)`` says how far they are apart at first. There are at most 2048: when a program runs longer, the
    distance doubles, and two points become one that keeps the larger *peak*. Points are recorded when memory is allocated:
    between two of them that are further apart nothing was. Empty when tracing has begun without *timeline*, or not at
    all. May be called from any thread.
    """
    return tuple(TimelinePoint(nanoseconds / 1e9, *sizes) for nanoseconds, *sizes in _core.timeline())
