"""What changed between two snapshots, largest change first."""

from __future__ import annotations

from typing import Any, NamedTuple

import memtrace
from memtrace.reports import groups, text
from memtrace.reports.selection import Selection
from memtrace.reports.stats import dropped_note
from memtrace.reports.table import Row, Table, Tone


class DiffReport(NamedTuple):
    """The differences within a selection, with the totals that they add up to."""

    selection: Selection
    differences: list[memtrace.StatisticDiff]
    size: int
    size_diff: int
    blocks: int
    blocks_diff: int
    dropped: int

    @classmethod
    def of(cls, old: memtrace.Snapshot, new: memtrace.Snapshot, selection: Selection) -> DiffReport:
        """Return the report on what *new* has and *old* has not, of what *selection* has left of both."""
        # Cumulative statistics count a block once a frame: only the others add up to the total.
        parts = new.compare_to(old, "filename")
        return cls(
            selection,
            new.compare_to(old, selection.group_by, selection.cumulative),
            sum(part.size for part in parts),
            sum(part.size_diff for part in parts),
            sum(part.count for part in parts),
            sum(part.count_diff for part in parts),
            old.dropped + new.dropped,
        )

    def to_table(self, title: str) -> Table:
        """Return the largest changes as a table that *title* introduces."""
        changed = [difference for difference in self.differences if difference.size_diff or difference.count_diff]
        shown = changed[: self.selection.limit]
        change = f"{text.size_change(self.size_diff)} in {text.count_change(self.blocks_diff)} blocks"
        total = f"{text.size(self.size)} in {text.blocks(self.blocks)}"
        return Table(
            (f"{title}: {change}, now {total}",),
            ("Change", "Size", "Change", "Blocks"),
            groups.header(self.selection.group_by, self.selection.cumulative),
            tuple(self._row(difference) for difference in shown),
            (*self._rest(changed, shown), *dropped_note(self.dropped)),
        )

    def _row(self, difference: memtrace.StatisticDiff) -> Row:
        group_by = self.selection.group_by
        return Row(
            (
                text.size_change(difference.size_diff),
                text.size(difference.size),
                text.count_change(difference.count_diff),
                text.count(difference.count),
            ),
            groups.label(group_by, difference),
            groups.details(group_by, difference),
            _tone(difference),
        )

    def _rest(self, changed: list[memtrace.StatisticDiff], shown: list[memtrace.StatisticDiff]) -> tuple[str, ...]:
        notes = []
        if rest := changed[len(shown) :]:
            note = f"{groups.noun(self.selection.group_by, len(rest))} more changed"
            if not self.selection.cumulative:
                note += (
                    f": {text.size_change(sum(difference.size_diff for difference in rest))} in "
                    f"{text.count_change(sum(difference.count_diff for difference in rest))} blocks"
                )
            notes.append(note)
        if same := len(self.differences) - len(changed):
            notes.append(f"{groups.noun(self.selection.group_by, same)} unchanged")
        return tuple(notes)

    def to_json(self) -> dict[str, Any]:
        """Return the report as what json.dump() takes; sizes are in bytes."""
        group_by = self.selection.group_by
        return {
            **self.selection.to_json(),
            "size": self.size,
            "size_diff": self.size_diff,
            "count": self.blocks,
            "count_diff": self.blocks_diff,
            "groups": len(self.differences),
            "dropped": self.dropped,
            "differences": [
                {
                    "size": difference.size,
                    "size_diff": difference.size_diff,
                    "count": difference.count,
                    "count_diff": difference.count_diff,
                    **groups.to_json(group_by, difference),
                }
                for difference in self.differences[: self.selection.limit]
            ],
        }


def _tone(difference: memtrace.StatisticDiff) -> Tone:
    if difference.size_diff == 0:
        return ""
    return "grew" if difference.size_diff > 0 else "shrank"
