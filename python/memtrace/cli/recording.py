"""What ``memtrace run`` leaves in the traced program: a snapshot to write when the program has ended."""

from __future__ import annotations

import atexit
import os
import sys

import memtrace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from typing import TextIO

_PREFIX = "memtrace_run="


class Recording:
    """A snapshot file and whether to show its largest lines; travels as the value of an -X option."""

    def __init__(self, path: str | PathLike[str], quiet: bool) -> None:
        """*path* is absolute, for the program may change its directory."""
        self.path = os.fspath(path)
        self.quiet = quiet

    @classmethod
    def from_option(cls, value: str) -> Recording:
        """Return what the part of to_option() after its ``=`` stands for."""
        verbosity, _, path = value.partition(",")
        return cls(path, verbosity == "quiet")

    def to_option(self) -> str:
        """Return the recording as the text after ``-X``."""
        return f"{_PREFIX}{'quiet' if self.quiet else 'show'},{self.path}"

    def write_at_exit(self) -> None:
        """Write the snapshot at the end of this process, after all of the program's own exit functions.

        Must be called before the program registers any. A child that the program forks writes nothing.
        """
        process = os.getpid()
        path = list(sys.path)

        def finish() -> None:
            if os.getpid() == process:
                sys.path[:] = path  # the program's own modules may have the names of those imported below
                self._finish()

        atexit.register(finish)

    def _finish(self) -> None:
        if not memtrace.is_tracing():
            self._say(f"the program stopped the tracer, {self.path} is not written")
            return
        peak = memtrace.get_traced_memory()[1]
        snapshot = memtrace.take_snapshot()
        memtrace.stop()
        try:
            snapshot.dump(self.path)
        except OSError as error:
            self._say(f"cannot write {self.path}: {error.strerror}")
        if not self.quiet:
            try:
                self._show(snapshot, peak)
            except Exception as error:  # whatever the program has left of the modules that this needs
                self._say(f"cannot show what {self.path} holds: {type(error).__name__}: {error}")

    def _show(self, snapshot: memtrace.Snapshot, peak: int) -> None:
        from memtrace.reports import text
        from memtrace.reports.output import show_table
        from memtrace.reports.selection import Selection
        from memtrace.reports.stats import StatsReport

        table = StatsReport.of(snapshot, Selection()).to_table("memtrace: live at exit")
        notes = (f"The peak was {text.size(peak)}. Snapshot: {self.path}",)
        _on_standard_error(lambda stream: show_table(table._replace(notes=table.notes + notes), stream))

    def _say(self, message: str) -> None:
        from memtrace.reports.text import printable

        _on_standard_error(lambda stream: print(f"memtrace: {printable(message)}", file=stream))


def _on_standard_error(write: Callable[[TextIO], None]) -> None:
    """Call *write* with the standard error that the program was started with, if it is still open."""
    stream = sys.__stderr__
    if stream is None or stream.closed:
        return
    from contextlib import suppress

    with suppress(OSError):
        write(stream)
