"""A source file with numbers in its margin, of any length."""

from __future__ import annotations

from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from memtrace.reports.annotate import AnnotatedFile, AnnotateReport
from memtrace.reports.annotate_text import margins
from memtrace.reports.text import printable

_LONGEST_LINE = 1000
_HOT, _WARM = 10, 1  # percent of all


class _Line(NamedTuple):
    margin: str
    text: str
    style: str


class Listing(ScrollView, can_focus=True):
    """Lines that are drawn when they come into view, below the headings of the margin."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._lines: list[_Line] = []
        self._selected = -1
        self._header = 0

    @property
    def text(self) -> str:
        """All that is shown, as text."""
        return "\n".join(line.margin + line.text for line in self._lines)

    def show(self, report: AnnotateReport, file: AnnotatedFile, lineno: int) -> None:
        """Show *file* of the report, and select its line *lineno*."""
        self._lines = [_Line("", printable(note), "yellow") for note in (file.filename, *file.notes())]
        self._selected = -1
        self._header = len(self._lines)
        numbers = (0, *file.shown)
        for number, line in zip(numbers, margins(report, file), strict=True):
            if number and number == lineno:
                self._selected = len(self._lines)
            style = "bold" if not number else "red" if line.share >= _HOT else "yellow" if line.share >= _WARM else ""
            self._lines.append(_Line(line.margin, printable(line.text[:_LONGEST_LINE]), style))
        width = max(len(line.margin) + len(line.text) for line in self._lines)
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def reveal(self) -> None:
        """Bring the selected line into the middle of the window, which must be on the screen."""
        self.scroll_to(0, max(self._selected - self.size.height // 2, 0), animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        """Return one line of the window."""
        left, top = self.scroll_offset
        index = self._header if y == 0 and top > self._header else y + top
        base = self.rich_style
        if index >= len(self._lines):
            return Strip.blank(self.size.width, base)
        line = self._lines[index]
        if index == self._selected:
            base += Style(reverse=True)
        strip = Strip([Segment(line.margin, base + Style.parse(line.style)), Segment(line.text, base)])
        return strip.crop_extend(left, left + self.size.width, base)
