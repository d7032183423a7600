"""What ``memtrace run`` shows when the program has ended.

In the program's own interpreter where that still can import, else as ``python -m memtrace.cli.at_exit FILE PEAK``.
"""

from __future__ import annotations

import sys

import memtrace
from memtrace.reports import text
from memtrace.reports.output import show_table
from memtrace.reports.selection import Selection
from memtrace.reports.stats import StatsReport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


def show(snapshot: memtrace.Snapshot, peak: int, path: str, stream: TextIO) -> None:
    """Write the largest lines of *snapshot* to *stream*. Raises what the stream raises."""
    selection = Selection()
    table = StatsReport.of(selection.apply(snapshot), selection).to_table("memtrace: live at exit")
    notes = (f"The peak was {text.size(peak)}. Snapshot: {path}",)
    show_table(table._replace(notes=table.notes + notes), stream)


def main() -> None:
    """Show the snapshot file and the peak that the command line names."""
    _, path, peak = sys.argv
    show(memtrace.Snapshot.load(path), int(peak), path, sys.stderr)


if __name__ == "__main__":
    main()
