"""Source files with the memory of each line: which lines, and what is in the margin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import memtrace
from memtrace.reports import text
from memtrace.reports.selection import Selection, SelectionError
from memtrace.reports.source import Source, read_source
from memtrace.reports.stats import dropped_note


class Numbers(NamedTuple):
    """The memory of one line, of a file or of everything. Sizes are in bytes."""

    size: int = 0
    """Of the live blocks."""
    blocks: int = 0
    """Number of live blocks."""
    peak: int = 0
    """Of what was live at the peak."""
    allocated: int = 0
    """Of all blocks ever allocated, whatever became of them."""

    def plus(self, other: Numbers) -> Numbers:
        """Return the sum of both."""
        return Numbers(*(one + two for one, two in zip(self, other, strict=True)))

    def reaches(self, smallest: Numbers, percent: float) -> bool:
        """Return whether bytes of any kind are at least *percent* of those in *smallest*, and some."""
        pairs = ((self.size, smallest.size), (self.peak, smallest.peak), (self.allocated, smallest.allocated))
        return any(part and part >= percent * whole / 100 for part, whole in pairs)


NOTHING = Numbers()


class AnnotatedFile(NamedTuple):
    """A file name, the numbers of its lines, and the source as far as there is one."""

    filename: str
    module: str | None
    total: Numbers
    by_line: dict[int, Numbers]
    source: Source | None
    is_newer: bool
    """Whether the source was written after the snapshot."""
    shown: tuple[int, ...]
    """Numbers of the lines to show, in order; also of lines that the source does not have."""

    def line(self, number: int) -> str:
        """Return the text of a line, empty when the source does not have it."""
        lines = self.source.lines if self.source else []
        return lines[number - 1] if 1 <= number <= len(lines) else ""

    def notes(self) -> tuple[str, ...]:
        """Return what is to be said about the source."""
        if self.source is None:
            return ("The source is not here.",)
        beyond = sum(number > len(self.source.lines) for number in self.by_line)
        return (
            *(("The source is newer than the snapshot: lines may have moved.",) if self.is_newer else ()),
            *((f"{beyond:,} of the lines that hold memory are behind its end.",) if beyond else ()),
        )


class AnnotateReport(NamedTuple):
    """The files that matter, largest first, and the totals of all."""

    files: tuple[AnnotatedFile, ...]
    total: Numbers
    rest: Numbers
    """Of the files that do not matter."""
    rest_files: int
    threshold: float
    is_cumulative: bool
    at_peak: bool
    has_peak: bool
    has_churn: bool
    dropped: int

    @classmethod
    def of(
        cls,
        snapshot: memtrace.Snapshot,
        selection: Selection,
        *,
        threshold: float,
        context: int | None,
        written: float | None,
        only: str | None = None,
    ) -> AnnotateReport:
        """Return the report on what *selection* leaves of a *snapshot* whose file was *written* then.

        Files and lines below *threshold* percent of everything do not matter. With *context*, only so many lines
        around those that do are shown. *only* is the name of the one file to report on, which matters in any case.
        Raises SelectionError as Selection.apply() does.
        """
        selected = selection.apply(snapshot)
        peak = _peak(snapshot, selection)
        lines: dict[str, dict[int, Numbers]] = {}
        for (filename, lineno), numbers in _numbers(selected, peak, "lineno", selection.cumulative).items():
            lines.setdefault(filename, {})[lineno] = numbers
        sums = {name: each for (name, _), each in _numbers(selected, peak, "filename", selection.cumulative).items()}
        # Cumulative statistics count a block once a frame: only the others add up to the total.
        total = _sum(_numbers(selected, peak, "filename", False).values())
        modules = {each.traceback[-1].filename: str(each.key) for each in selected.statistics("module")}
        order = sorted(sums, key=lambda filename: (*(-number for number in sums[filename]), filename))
        if only is not None:
            order, threshold = [only], 0
            sums, lines = {only: sums.get(only, NOTHING)}, {only: lines.get(only, {})}
        files: list[AnnotatedFile] = []
        rest, rest_files = NOTHING, 0
        for filename in order:
            if only is None and not sums[filename].reaches(total, threshold):
                rest, rest_files = rest.plus(sums[filename]), rest_files + 1
                continue
            source = read_source(filename)
            by_line = lines[filename]
            anchors = [number for number, each in by_line.items() if each.reaches(total, threshold)]
            largest = sorted(by_line, key=by_line.__getitem__)[-1:]
            files.append(
                AnnotatedFile(
                    filename,
                    modules.get(filename),
                    sums[filename],
                    by_line,
                    source,
                    source is not None and written is not None and source.modified > written,
                    _shown(source, by_line, anchors or largest, context),
                )
            )
        return cls(
            tuple(files),
            total,
            rest,
            rest_files,
            threshold,
            selection.cumulative,
            selection.at_peak,
            peak is not None,
            _has_churn(selected),
            selected.dropped,
        )

    def headers(self) -> tuple[str, ...]:
        """Return the headings of the numbers in the margin."""
        live = "At peak" if self.at_peak else "Live"
        return (live, *(("Peak",) if self.has_peak else ()), "Blocks", *(("Allocated",) if self.has_churn else ()))

    def cells(self, numbers: Numbers | None) -> tuple[str, ...]:
        """Return the numbers of the margin as texts, empty ones for nothing."""
        one = numbers or NOTHING
        return (
            _size(one.size),
            *((_size(one.peak),) if self.has_peak else ()),
            text.count(one.blocks) if one.blocks else "",
            *((_size(one.allocated),) if self.has_churn else ()),
        )

    def share(self, numbers: Numbers | None) -> float:
        """Return the largest share, in percent, that a line has of anything."""
        pairs = [] if numbers is None else zip(numbers, self.total, strict=True)
        return max((100 * part / whole for part, whole in pairs if whole), default=0.0)

    def summary(self) -> str:
        """Return the totals as one line of text."""
        parts = [f"{text.size(self.total.size)} in {text.blocks(self.total.blocks)}"]
        if self.has_peak:
            parts.append(f"{text.size(self.total.peak)} at the peak")
        if self.has_churn:
            parts.append(f"{text.size(self.total.allocated)} allocated in all")
        return ", ".join(parts)

    def notes(self) -> tuple[str, ...]:
        """Return what goes below all files."""
        rest = f"{self.rest_files:,} {'file' if self.rest_files == 1 else 'files'} below {self.threshold:g}%"
        if not self.is_cumulative:
            rest += f": {text.size(self.rest.size)} in {text.blocks(self.rest.blocks)}"
        return (*((rest,) if self.rest_files else ()), *dropped_note(self.dropped))

    def to_json(self) -> dict[str, Any]:
        """Return the report as what json.dump() takes; sizes are in bytes."""
        return {
            "cumulative": self.is_cumulative,
            "threshold": self.threshold,
            "dropped": self.dropped,
            **self._numbers(self.total),
            "files": [
                {
                    "filename": file.filename,
                    "module": file.module,
                    "source": "missing" if file.source is None else "newer" if file.is_newer else "found",
                    **self._numbers(file.total),
                    "lines": [
                        {"lineno": number, **self._numbers(numbers)} for number, numbers in sorted(file.by_line.items())
                    ],
                }
                for file in self.files
            ],
            "rest": {"files": self.rest_files, **self._numbers(self.rest)},
        }

    def _numbers(self, numbers: Numbers) -> dict[str, int | None]:
        return {
            "size": numbers.size,
            "count": numbers.blocks,
            "peak": numbers.peak if self.has_peak else None,
            "allocated": numbers.allocated if self.has_churn else None,
        }


def _size(number: int) -> str:
    return text.size(number) if number else ""


def _peak(snapshot: memtrace.Snapshot, selection: Selection) -> memtrace.Snapshot | None:
    if selection.at_peak or snapshot.peak is None:
        return None
    try:
        return selection.apply(snapshot.peak)
    except SelectionError:  # there is no such mark or domain at the peak
        return None


def _numbers(
    selected: memtrace.Snapshot, peak: memtrace.Snapshot | None, key: str, cumulative: bool
) -> dict[tuple[str, int], Numbers]:
    """Return the numbers by place, whose line is 0 where *key* is ``filename``."""
    places: dict[tuple[str, int], Numbers] = {}

    def add(traceback: memtrace.Traceback, numbers: Numbers) -> None:
        place = traceback._frames[-1]
        places[place] = places.get(place, NOTHING).plus(numbers)

    for live in selected.statistics(key, cumulative):
        add(live.traceback, Numbers(size=live.size, blocks=live.count))
    for past in peak.statistics(key, cumulative) if peak else ():
        add(past.traceback, Numbers(peak=past.size))
    for each in selected.churn(key, cumulative) if _has_churn(selected) else ():
        add(each.traceback, Numbers(allocated=each.allocated_size))
    return places


def _has_churn(selected: memtrace.Snapshot) -> bool:
    try:
        selected.churn("filename")
    except ValueError:  # the snapshot does not know
        return False
    return True


def _sum(numbers: Iterable[Numbers]) -> Numbers:
    total = NOTHING
    for each in numbers:
        total = total.plus(each)
    return total


def _shown(
    source: Source | None, by_line: dict[int, Numbers], anchors: list[int], context: int | None
) -> tuple[int, ...]:
    last = len(source.lines) if source else 0
    if context is None:
        return tuple(sorted({*by_line, *range(1, last + 1)}))
    shown: set[int] = set(anchors)
    for number in anchors:
        if number <= last:
            shown.update(range(max(number - context, 1), min(number + context, last) + 1))
    return tuple(sorted(shown))
