"""What ``memtrace run`` shows when the program has ended.

In the program's own interpreter where that still can import, else as ``python -m memtrace.cli.at_exit FILE PEAK (end|peak)``.
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


def show(snapshot: memtrace.Snapshot, peak: int, path: str, at_peak: bool, stream: TextIO) -> None:
    """Write the largest lines of *snapshot*, or of its peak, to *stream*. Raises what the stream raises."""
    selection = Selection(at_peak=at_peak and snapshot.peak is not None)
    title = "memtrace: live at the peak" if selection.at_peak else "memtrace: live at exit"
    table = StatsReport.of(selection.apply(snapshot), selection).to_table(title)
    notes = (f"The peak was {text.size(peak)}. Snapshot: {path}",)
    show_table(table._replace(notes=table.notes + notes), stream)


def main() -> None:
    """Show the snapshot file and the peak that the command line names."""
    _, path, peak, what = sys.argv
    show(memtrace.Snapshot.load(path), int(peak), path, what == "peak", sys.stderr)


if __name__ == "__main__":
    main()
