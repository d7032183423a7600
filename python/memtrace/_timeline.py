"""How much memory there was, and when."""

from __future__ import annotations

from typing import NamedTuple


class TimelinePoint(NamedTuple):
    """What memory there was at one moment. Sizes are in bytes."""

    seconds: float
    """Since tracing began."""
    size: int
    """Of the traced blocks that were live."""
    peak: int
    """The largest *size* that was seen since the point before."""
    resident: int
    """Of the process in memory, all of it; 0 when the system did not say."""
