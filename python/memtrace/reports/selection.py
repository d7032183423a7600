"""Which part of a snapshot a report is about."""

from __future__ import annotations

from typing import Any, NamedTuple

import memtrace

GROUP_KEYS = ("filename", "lineno", "traceback", "function", "module")
CUMULATIVE_KEYS = ("filename", "lineno", "function", "module")
"""The keys that each frame has, so that a block can count for all of its frames."""


class Selection(NamedTuple):
    """What the options that all reports share ask for."""

    group_by: str = "lineno"
    cumulative: bool = False
    filters: tuple[memtrace.Filter, ...] = ()
    limit: int = 10

    def to_json(self) -> dict[str, Any]:
        """Return how the groups of a report are made."""
        return {"group_by": self.group_by, "cumulative": self.cumulative}

    def apply(self, snapshot: memtrace.Snapshot) -> memtrace.Snapshot:
        """Return what the filters leave of *snapshot*, always without memtrace's own files."""
        return snapshot.filter_traces([*self.filters, memtrace.Filter(False, memtrace.__file__)])


def parse_filter(text: str, all_frames: bool = False) -> memtrace.Filter:
    """Return the filter that ``[!]PATTERN[:LINE]`` describes; ``!`` leaves the matching lines out.

    Raises ValueError when there is no pattern.
    """
    pattern = text.removeprefix("!")
    head, colon, tail = pattern.rpartition(":")
    lineno = None
    if colon and tail.isascii() and tail.isdigit():
        pattern, lineno = head, int(tail)
    if not pattern:
        raise ValueError("a filter needs a pattern for file names")
    return memtrace.Filter(not text.startswith("!"), pattern, lineno, all_frames)
