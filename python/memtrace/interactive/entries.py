"""The rows of an interactive table: statistics or differences with texts, and numbers to sort by."""

from __future__ import annotations

from typing import NamedTuple

import memtrace
from memtrace.reports import groups, text
from memtrace.reports.table import Tone
from memtrace.reports.text import printable


class Entry(NamedTuple):
    """One row."""

    label: str
    cells: tuple[str, ...]
    numbers: tuple[float, ...]
    """What the cells are sorted by."""
    frame: memtrace.Frame | None
    """The place of the group that holds the most memory."""
    tone: Tone = ""


class Entries(NamedTuple):
    """All rows of one grouping, largest first."""

    headers: tuple[str, ...]
    label_header: str
    rows: list[Entry]
    size: int
    size_diff: int
    blocks: int


def entries(new: memtrace.Snapshot, old: memtrace.Snapshot | None, group_by: str, cumulative: bool) -> Entries:
    """Return the groups of *new*, or what changed from *old* to it. Raises ValueError as statistics() does."""
    header = groups.header(group_by, cumulative)
    parts = new.statistics("filename")
    size, blocks = sum(part.size for part in parts), sum(part.count for part in parts)
    if old is None:
        rows = [_of_statistic(each, group_by, size, cumulative) for each in new.statistics(group_by, cumulative)]
        share = () if cumulative else ("Share",)
        return Entries(("Size", *share, "Blocks", "Average"), header, rows, size, 0, blocks)
    rows = [_of_difference(each, group_by) for each in new.compare_to(old, group_by, cumulative)]
    size_diff = size - sum(part.size for part in old.statistics("filename"))
    return Entries(("Change", "Size", "+Blocks", "Blocks"), header, rows, size, size_diff, blocks)


def _of_statistic(statistic: memtrace.Statistic, group_by: str, whole: int, cumulative: bool) -> Entry:
    # A block counts for each of its frames when cumulative: shares would come to more than all.
    share = () if cumulative else (text.percentage(statistic.size, whole),)
    average = statistic.size / statistic.count if statistic.count else 0
    return Entry(
        _label(group_by, statistic),
        (text.size(statistic.size), *share, text.count(statistic.count), text.size(average)),
        (statistic.size, *(statistic.size for _ in share), statistic.count, average),
        _frame(statistic),
    )


def _of_difference(difference: memtrace.StatisticDiff, group_by: str) -> Entry:
    tone: Tone = "grew" if difference.size_diff > 0 else "shrank" if difference.size_diff < 0 else ""
    return Entry(
        _label(group_by, difference),
        (
            text.size_change(difference.size_diff),
            text.size(difference.size),
            text.count_change(difference.count_diff),
            text.count(difference.count),
        ),
        (difference.size_diff, difference.size, difference.count_diff, difference.count),
        _frame(difference),
        tone,
    )


def _label(group_by: str, statistic: groups.AnyStatistic) -> str:
    label = groups.label(group_by, statistic)
    if group_by == "traceback" and len(statistic.traceback) > 1:
        label = f"{label} called from {statistic.traceback[-2]}"
    return printable(label)


def _frame(statistic: groups.AnyStatistic) -> memtrace.Frame | None:
    return statistic.traceback[-1] if len(statistic.traceback) else None
