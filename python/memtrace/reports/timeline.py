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
        last, highest = self.points[-1], self.highest
        top = max(highest.peak, highest.size)
        labels = [text.size(top * part / 4) for part in (4, 3, 2, 1, 0)]
        margin = max(map(len, labels))
        room = max(width - margin - 3, 1)
        live = chart.resampled([(point.seconds, point.size) for point in self.points], room)
        peaks = chart.resampled([(point.seconds, max(point.peak, point.size)) for point in self.points], room)
        rows = chart.rows(live, max(height - 8, 4), top, above=peaks, blocks=blocks)
        legend = f"{chart.FULL[blocks]} live   {chart.SHADES[blocks]} at the peak between two points"
        lines = [
            Line(
                f"{title}: at most {text.size(top)} after {_seconds(highest.seconds)}, {text.size(last.size)} at the end"
            ),
            Line(legend),
            self._mark(f"peak {text.size(top)}", margin + 3, room),
        ]
        bar = "\N{BOX DRAWINGS LIGHT VERTICAL}" if blocks else "|"
        for number, row in enumerate(rows):
            quarter = 4 * number / len(rows)
            label = labels[int(quarter)] if quarter == int(quarter) else ""
            lines.append(Line(f"{label.rjust(margin)} {bar} ", row, "green"))
        return lines + self._axis(labels[-1].rjust(margin), room, blocks) + self._resident(margin, room, blocks)

    def _mark(self, mark: str, margin: int, room: int) -> Line:
        """Return the line that points to the peak."""
        column = chart.column(self.highest.seconds, self.points[0].seconds, self.points[-1].seconds, room)
        if column > len(mark):
            return Line(" " * (margin + column - len(mark) - 1), f"{mark} v", "bold red")
        return Line(" " * (margin + column), f"v {mark}", "bold red")

    def _axis(self, label: str, room: int, blocks: bool) -> list[Line]:
        """Return the line below the bars, and when they begin and end."""
        corner = "\N{BOX DRAWINGS LIGHT UP AND RIGHT}" if blocks else "+"
        line = "\N{BOX DRAWINGS LIGHT HORIZONTAL}" if blocks else "-"
        begin, end = _seconds(self.points[0].seconds), _seconds(self.points[-1].seconds)
        times = begin + end.rjust(max(room - len(begin), len(end) + 1))
        return [Line(f"{label} {corner}{line * (room + 1)}"), Line(" " * (len(label) + 3) + times)]

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
        return f"{round(number, 3):.3g} s"
    minutes, seconds = divmod(round(number), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02} min"
