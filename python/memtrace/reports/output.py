"""Where tables go: Rich on a terminal, plain text when piped or when NO_COLOR is set."""

from __future__ import annotations

import os
from typing import Any, TextIO

from memtrace.reports.plain import render_plain
from memtrace.reports.table import Table


def show(table: Table, stream: TextIO) -> None:
    """Write *table* to *stream* in the form that fits it. Raises what the stream raises."""
    if _is_rich(stream):
        try:
            from memtrace.reports.terminal import show_on_terminal
        except ImportError:  # a traced program may have shadowed Rich by a module of its own
            pass
        else:
            show_on_terminal(table, stream)
            return
    stream.write(render_plain(table, stream.encoding or "utf-8"))
    stream.flush()


def _is_rich(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show_json(report: dict[str, Any], stream: TextIO) -> None:
    """Write *report* as indented JSON in ASCII, which is safe on any terminal."""
    import json

    json.dump(report, stream, indent=2)
    stream.write("\n")
