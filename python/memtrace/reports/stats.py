"""What a snapshot holds, largest first."""

from __future__ import annotations

from typing import Any, NamedTuple

import memtrace
from memtrace.reports import groups, text
from memtrace.reports.selection import Selection
from memtrace.reports.table import Row, Table


class StatsReport(NamedTuple):
    """The statistics of a selection, with the totals that they are parts of."""

    selection: Selection
    statistics: list[memtrace.Statistic]
    size: int
    blocks: int
    traceback_limit: int
    dropped: int

    @classmethod
    def of(cls, selected: memtrace.Snapshot, selection: Selection) -> StatsReport:
        """Return the report on what *selection* has left of a snapshot."""
        # Cumulative statistics count a block once a frame: only the others add up to the total.
        parts = selected.statistics("filename")
        return cls(
            selection,
            selected.statistics(selection.group_by, selection.cumulative),
            sum(part.size for part in parts),
            sum(part.count for part in parts),
            selected.traceback_limit,
            selected.dropped,
        )

    def to_table(self, title: str) -> Table:
        """Return the largest groups as a table that *title* introduces."""
        shown = self.statistics[: self.selection.limit]
        return Table(
            (f"{title}: {text.size(self.size)} in {text.blocks(self.blocks)}",),
            ("Size", *(() if self.selection.cumulative else ("Share",)), "Blocks", "Average"),
            groups.header(self.selection.group_by, self.selection.cumulative),
            tuple(self._row(statistic) for statistic in shown),
            (*self._rest(shown), *dropped_note(self.dropped)),
        )

    def _row(self, statistic: memtrace.Statistic) -> Row:
        # A block counts for each of its frames when cumulative: shares would come to more than all.
        share = () if self.selection.cumulative else (text.percentage(statistic.size, self.size),)
        average = text.size(statistic.size / statistic.count) if statistic.count else "-"
        return Row(
            (text.size(statistic.size), *share, text.count(statistic.count), average),
            groups.label(self.selection.group_by, statistic),
            groups.details(self.selection.group_by, statistic),
        )

    def _rest(self, shown: list[memtrace.Statistic]) -> tuple[str, ...]:
        rest = len(self.statistics) - len(shown)
        if rest == 0:
            return ()
        note = f"{groups.noun(self.selection.group_by, rest)} more"
        if self.selection.cumulative:
            return (note,)
        size = self.size - sum(statistic.size for statistic in shown)
        blocks = self.blocks - sum(statistic.count for statistic in shown)
        return (f"{note}: {text.size(size)} in {text.blocks(blocks)}",)

    def to_json(self) -> dict[str, Any]:
        """Return the report as what json.dump() takes; sizes are in bytes."""
        group_by = self.selection.group_by
        return {
            **self.selection.to_json(),
            "size": self.size,
            "count": self.blocks,
            "groups": len(self.statistics),
            "traceback_limit": self.traceback_limit,
            "dropped": self.dropped,
            "statistics": [
                {"size": statistic.size, "count": statistic.count, **groups.to_json(group_by, statistic)}
                for statistic in self.statistics[: self.selection.limit]
            ],
        }


def dropped_note(dropped: int) -> tuple[str, ...]:
    """Return the warning that belongs under every report when the tracer lost blocks."""
    if not dropped:
        return ()
    return (f"{text.blocks(dropped)} could not be recorded for want of memory and are missing above",)
