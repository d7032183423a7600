"""Where reports go: Rich on a terminal, plain text when piped or when NO_COLOR is set, or JSON."""

from __future__ import annotations

import os
from typing import Any, Protocol, TextIO

from memtrace.reports.plain import render_plain
from memtrace.reports.table import Table


class Report(Protocol):
    """What every report can be turned into."""

    def to_table(self, title: str) -> Table:
        """Return the report as a table that *title* introduces."""

    def to_json(self) -> dict[str, Any]:
        """Return the report as what json.dump() takes; sizes are in bytes."""


def show_report(report: Report, title: str, stream: TextIO, *, as_json: bool) -> None:
    """Write *report* to *stream* in the form asked for. Raises what the stream raises."""
    if not as_json:
        show_table(report.to_table(title), stream)
        return
    write_json(report.to_json(), stream)


def write_json(value: dict[str, Any], stream: TextIO) -> None:
    """Write *value* to *stream*. Raises what the stream raises."""
    import json

    json.dump(value, stream, indent=2)  # in ASCII, which is safe on any terminal
    stream.write("\n")


def show_table(table: Table, stream: TextIO) -> None:
    """Write *table* to *stream* in the form that fits it. Raises what the stream raises."""
    if is_rich(stream):
        try:
            from memtrace.reports.terminal import show_on_terminal
        except ImportError:  # a traced program may have shadowed Rich by a module of its own
            pass
        else:
            show_on_terminal(table, stream)
            return
    stream.write(render_plain(table, stream.encoding or "utf-8"))
    stream.flush()


def is_rich(stream: TextIO) -> bool:
    """Return whether *stream* is a terminal that may be sent colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
