"""Which part of a snapshot a report is about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple

import memtrace

CUMULATIVE_KEYS = ("filename", "lineno", "function", "module")
"""The keys that each frame has, so that a block can count for all of its frames."""
GROUP_KEYS = (
    "filename",
    "lineno",
    "traceback",
    "function",
    "module",
    "domain",
    "generation",
    "thread",
    "label",
    "type",
)


class SelectionError(ValueError):
    """A snapshot does not have what was selected; says what, and where it would come from."""


class Selection(NamedTuple):
    """What the options that all reports share ask for."""

    group_by: str = "lineno"
    cumulative: bool = False
    filters: tuple[memtrace.BaseFilter, ...] = ()
    """What is to hold, all of it."""
    domains: tuple[str, ...] = ()
    """Numbers or names, of which one is to be a block's, after ``!`` none."""
    since: str | None = None
    """The number or the name of a mark."""
    at_peak: bool = False
    limit: int = 10

    def to_json(self) -> dict[str, Any]:
        """Return how the groups of a report are made."""
        return {"group_by": self.group_by, "cumulative": self.cumulative}

    def apply(self, snapshot: memtrace.Snapshot) -> memtrace.Snapshot:
        """Return what is selected of *snapshot*, always without memtrace's own files.

        Raises SelectionError when it has no peak, no such mark or domain, or no types to group by.
        """
        if self.at_peak:
            if snapshot.peak is None:
                raise SelectionError("has no breakdown of the peak, which `memtrace run` records")
            snapshot = snapshot.peak
        if self.since is not None:
            snapshot = snapshot.since(_number_of("generation", "mark", self.since, snapshot))
        domains = [
            memtrace.DomainFilter(
                not text.startswith("!"), _number_of("domain", "domain", text.removeprefix("!"), snapshot)
            )
            for text in self.domains
        ]
        conditions = [*self.filters, *alternatives(domains), memtrace.Filter(False, memtrace.__file__)]
        selected = snapshot.filter_traces([reduce(and_, conditions)])
        if self.group_by == "type" and snapshot._to_native().total_count and not snapshot._to_native().has_types:
            raise SelectionError("has no types: take_snapshot(types=True) records them")
        return selected


def alternatives(filters: Sequence[memtrace.BaseFilter]) -> list[memtrace.BaseFilter]:
    """Return conditions that all hold where any of the inclusive filters matches, if there is one, and no exclusive one."""
    inclusive = [each for each in filters if each.inclusive]
    exclusive = [each for each in filters if not each.inclusive]
    return [*([reduce(or_, inclusive)] if inclusive else []), *exclusive]


def _number_of(tag: str, noun: str, text: str, snapshot: memtrace.Snapshot) -> int:
    """Return the number that *text* is, or names in *snapshot*."""
    if text.isascii() and text.isdigit():
        return int(text)
    names = snapshot._names(tag)
    for number, name in reversed(names.items()):  # of several of one name the last
        if name == text:
            return number
    known = ", ".join(map(repr, names.values())) or "none"
    raise SelectionError(f"has no {noun} that is called {text!r} (there are: {known})")


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


def parse_thread(text: str) -> memtrace.ThreadFilter:
    """Return the filter of ``[!]NAME`` or ``[!]NATIVE_ID``."""
    thread = text.removeprefix("!")
    is_number = thread.isascii() and thread.isdigit()
    return memtrace.ThreadFilter(not text.startswith("!"), int(thread) if is_number else thread)


def parse_label(text: str) -> memtrace.LabelFilter:
    """Return the filter of ``[!]PATTERN``."""
    return memtrace.LabelFilter(not text.startswith("!"), text.removeprefix("!"))
