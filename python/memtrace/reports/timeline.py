"""The report on how much memory there was, and when."""

from __future__ import annotations

import csv
from typing import Any, NamedTuple, TextIO

import memtrace
from memtrace._timeline import TimelinePoint
from memtrace.reports import chart, text
from memtrace.reports.selection import SelectionError


class Line(NamedTuple):
    """A line of the chart in two parts, of which the second is drawn in colour."""

    text: str
    drawn: str = ""
    style: str = ""


class TimelineReport(NamedTuple):
    """The points in order of time; there is one at least."""

    points: tuple[TimelinePoint, ...]

    @classmethod
    def of(cls, snapshot: memtrace.Snapshot) -> TimelineReport:
        """Return the report on the timeline of *snapshot*. Raises SelectionError when it has none."""
        points = sorted(snapshot.timeline)
        if not points:
            raise SelectionError("has no timeline, which `memtrace run` records")
        return cls(tuple(points))

    @property
    def highest(self) -> TimelinePoint:
        """The first point with the largest peak."""
        return max(self.points, key=lambda point: (max(point.peak, point.size), -point.seconds))

    def lines(self, title: str, width: int, height: int, *, blocks: bool = True) -> list[Line]:
        """Return the chart, *width* columns and about *height* lines; in ASCII when not *blocks*."""
        first, last = self.points[0], self.points[-1]
        highest = self.highest
        top = max(highest.peak, highest.size)
        labels = [text.size(top * part / 4) for part in (4, 3, 2, 1, 0)]
        margin = max(map(len, labels))
        room = max(width - margin - 3, 1)
        peaks = [(point.seconds, max(point.peak, point.size)) for point in self.points]
        levels = chart.resampled(peaks, room)
        rows = chart.rows(levels, max(height - 8, 4), top, blocks=blocks)
        lines = [
            Line(
                f"{title}: at most {text.size(top)} after {_seconds(highest.seconds)}, {text.size(last.size)} at the end"
            )
        ]
        column = chart.column(highest.seconds, first.seconds, last.seconds, room)
        mark = f"peak {text.size(top)}"
        place = f"{mark} v" if column >= len(mark) + 1 else f"v {mark}"
        indent = column - len(mark) - 1 if column >= len(mark) + 1 else column
        lines += [Line(""), Line(" " * (margin + 3 + indent), place, "bold red")]
        bar = "\N{BOX DRAWINGS LIGHT VERTICAL}" if blocks else "|"
        for number, row in enumerate(rows):
            quarter = 4 * number / len(rows)
            label = labels[int(quarter)] if quarter == int(quarter) else ""
            lines.append(Line(f"{label.rjust(margin)} {bar} ", row, "green"))
        corner, line = (
            ("\N{BOX DRAWINGS LIGHT UP AND RIGHT}", "\N{BOX DRAWINGS LIGHT HORIZONTAL}") if blocks else ("+", "-")
        )
        lines.append(Line(f"{labels[-1].rjust(margin)} {corner}{line * (room + 1)}"))
        begin, end = _seconds(first.seconds), _seconds(last.seconds)
        lines.append(Line(" " * (margin + 3) + begin + end.rjust(max(room - len(begin), len(end) + 1))))
        lines += self._resident(margin, room, blocks)
        return lines

    def _resident(self, margin: int, room: int, blocks: bool) -> list[Line]:
        resident = [(point.seconds, point.resident) for point in self.points]
        largest = max(size for _, size in resident)
        if not largest:
            return []
        levels = chart.resampled(resident, room)
        (row,) = chart.rows(levels, 1, largest, blocks=blocks)
        return [
            Line(""),
            Line("RSS".rjust(margin) + "   ", row, "blue"),
            Line(f"The process had {text.size(largest)} in memory at most"),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the report as what json.dump() takes; sizes are in bytes."""
        return {
            "peak": self.highest._asdict(),
            "points": [point._asdict() for point in self.points],
        }

    def write_csv(self, stream: TextIO) -> None:
        """Write one line for each point, after one of names."""
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(TimelinePoint._fields)
        writer.writerows(self.points)


def show_on_terminal(lines: list[Line], stream: TextIO) -> None:
    """Write the chart in colours."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, markup=False, emoji=False, highlight=False)
    for line in lines:
        styled = Text.assemble(text.printable(line.text, console.encoding), (line.drawn, line.style))
        console.print(styled, no_wrap=True, overflow="crop")


def _seconds(number: float) -> str:
    if number < 120:
        return f"{number:.3g} s"
    minutes, seconds = divmod(round(number), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02} min"
