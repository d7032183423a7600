"""What a snapshot file has: how much of what, and under which names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import memtrace
from memtrace import _core
from memtrace.reports import text
from memtrace.reports.stats import dropped_note
from memtrace.reports.table import Detail, Row, Table

_SHOWN_NAMES = 10
_NOTHING = {"label": "no label", "thread": "other threads", "generation": "0"}


class Group(NamedTuple):
    """Live memory of one domain, thread, label or generation."""

    name: str
    size: int
    blocks: int

    def __str__(self) -> str:
        return f"{self.name}: {text.size(self.size)} in {text.blocks(self.blocks)}"

    def to_json(self) -> dict[str, Any]:
        """Return the group as what json.dump() takes."""
        return {"name": self.name, "size": self.size, "count": self.blocks}


class TimelineSummary(NamedTuple):
    """What a timeline comes to."""

    points: int
    seconds: float
    """From when tracing began to the last point."""
    peak: int
    """The most bytes that were live."""
    resident: int
    """The most bytes of the process in memory; 0 when the system did not say."""

    @classmethod
    def of(cls, points: Sequence[memtrace.TimelinePoint]) -> TimelineSummary | None:
        """Return what *points* come to, None when there are none."""
        if not points:
            return None
        seconds, _, peaks, residents = zip(*points, strict=True)
        return cls(len(points), max(seconds), max(peaks), max(residents))


class InfoReport(NamedTuple):
    """Everything about a snapshot but where its memory was allocated. Sizes are in bytes."""

    format: str
    """``memtrace``, ``tracemalloc`` or ``pprof``."""
    version: int | None
    """Of memtrace's own format."""
    file_size: int
    size: int
    blocks: int
    traceback_limit: int
    tracebacks: int
    peak: Group | None
    """What was live at the peak, None when the file does not have it by traceback."""
    timeline: TimelineSummary | None
    seconds: float | None
    """What the churn is of, None when it is not known what has come and gone."""
    dropped: int
    sample_interval: int | None
    has_blocks: bool
    has_types: bool
    domains: tuple[Group, ...]
    threads: tuple[Group, ...]
    labels: tuple[Group, ...]
    generations: tuple[Group, ...]
    """Since which marks what is live was allocated; what is older than all of them is none."""
    marks: dict[int, str]
    """The names of marks by their numbers."""
    attributes: tuple[str, ...]
    """The names of what else was set on the snapshot."""

    @classmethod
    def of(cls, snapshot: memtrace.Snapshot, format: str, version: int | None, file_size: int) -> InfoReport:
        """Return the report on *snapshot*, the content of a file."""
        native = snapshot._to_native()
        peak = None if snapshot.peak is None else snapshot.peak._to_native()
        return cls(
            format,
            version,
            file_size,
            native.total_size,
            native.total_count,
            native.traceback_limit,
            len(snapshot.statistics("traceback")),
            None if peak is None else Group("peak", peak.total_size, peak.total_count),
            TimelineSummary.of(snapshot.timeline),
            _core.churn_seconds(native),
            native.dropped,
            native.sample_interval or None,
            native.has_blocks,
            bool(native.total_count and native.has_types),
            _groups(snapshot, "domain"),
            _groups(snapshot, "thread"),
            _groups(snapshot, "label"),
            _groups(snapshot, "generation"),
            snapshot._names("generation"),
            tuple(sorted(vars(snapshot))),
        )

    def to_table(self, title: str) -> Table:
        """Return the report as a table that *title* introduces."""
        format = self.format if self.version is None else f"{self.format}, version {self.version}"
        rows = [
            Row((text.size(self.size),), f"live, in {text.blocks(self.blocks)}"),
            Row((text.count(self.tracebacks),), f"tracebacks, of at most {text.count(self.traceback_limit)} frames"),
            self._peak_row(),
            self._timeline_row(),
            Row(("-" if self.seconds is None else f"{self.seconds:.1f} s",), "of what has come and gone"),
            Row(("-" if self.sample_interval is None else text.size(self.sample_interval),), "between samples"),
            Row((_yes(self.has_blocks),), "single blocks"),
            Row((_yes(self.has_types),), "types of objects"),
            *(_listed(noun, groups) for noun, groups in self._named_groups().items()),
            Row((text.count(len(self.marks)),), "marks with names", _names(list(self.marks.values()))),
        ]
        if self.attributes:
            rows.append(Row((text.count(len(self.attributes)),), "other attributes", _names(list(self.attributes))))
        heading = f"{title}: {format}, {text.size(self.file_size)}"
        return Table((heading,), ("Has",), "What", tuple(rows), dropped_note(self.dropped))

    def _peak_row(self) -> Row:
        if self.peak is None:
            return Row(("-",), "at the peak, by traceback")
        return Row((text.size(self.peak.size),), f"at the peak, in {text.blocks(self.peak.blocks)}, by traceback")

    def _timeline_row(self) -> Row:
        if self.timeline is None:
            return Row(("-",), "points of the timeline")
        label = (
            f"points of the timeline, over {self.timeline.seconds:.1f} s: at most {text.size(self.timeline.peak)} live"
        )
        if self.timeline.resident:
            label += f", {text.size(self.timeline.resident)} resident"
        return Row((text.count(self.timeline.points),), label)

    def _named_groups(self) -> dict[str, tuple[Group, ...]]:
        return {
            "domains": self.domains,
            "threads": self.threads,
            "labels": self.labels,
            "generations": self.generations,
        }

    def to_json(self) -> dict[str, Any]:
        """Return the report as what json.dump() takes; sizes are in bytes."""
        members = {("count" if name == "blocks" else name): value for name, value in self._asdict().items()}
        for noun, groups in self._named_groups().items():
            members[noun] = [group.to_json() for group in groups]
        members["peak"] = self.peak and {"size": self.peak.size, "count": self.peak.blocks}
        members["timeline"] = self.timeline and self.timeline._asdict()
        members["marks"] = [{"number": number, "name": name} for number, name in self.marks.items()]
        return members


def _groups(snapshot: memtrace.Snapshot, tag: str) -> tuple[Group, ...]:
    """Return the groups of a tag; what has no label, no thread that is known or is older than all marks is none."""
    statistics = snapshot.statistics(tag)
    return tuple(
        Group(str(each.key), each.size, each.count)
        for each in statistics
        if tag == "domain" or each.key not in ("0", _NOTHING[tag])
    )


def _yes(has: bool) -> str:
    return "yes" if has else "no"


def _listed(noun: str, groups: tuple[Group, ...]) -> Row:
    return Row((text.count(len(groups)),), noun, _names(list(map(str, groups))))


def _names(names: list[str]) -> tuple[Detail, ...]:
    more = [f"and {len(names) - _SHOWN_NAMES:,} more"] if len(names) > _SHOWN_NAMES else []
    return tuple(Detail(name, is_place=True) for name in [*names[:_SHOWN_NAMES], *more])
