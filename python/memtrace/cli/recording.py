"""What ``memtrace run`` leaves in the traced program: a snapshot to write when the program has ended."""

from __future__ import annotations

import atexit
import os
import sys

import memtrace

# All that is needed at the end to write the file: a program may forbid to import anything by then, as pip does.
import memtrace._modules
from memtrace.reports.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from typing import TextIO

_PREFIX = "memtrace_run="


class Recording:
    """A snapshot file and what to show of it; travels as the value of an -X option."""

    def __init__(self, path: str | PathLike[str], show: str) -> None:
        """*path* is absolute, for the program may change its directory; *show* is ``end``, ``peak`` or ``nothing``."""
        self.path = os.fspath(path)
        self.show = show
        self._environment: dict[str, str] = {}

    @classmethod
    def from_option(cls, value: str) -> Recording:
        """Return what the part of to_option() after its ``=`` stands for."""
        show, _, path = value.partition(",")
        return cls(path, show)

    def to_option(self) -> str:
        """Return the recording as the text after ``-X``."""
        return f"{_PREFIX}{self.show},{self.path}"

    def write_at_exit(self) -> None:
        """Write the snapshot at the end of this process, after all of the program's own exit functions.

        Must be called before the program registers any. A child that the program forks writes nothing.
        """
        process = os.getpid()
        path = list(sys.path)
        self._environment = {name: value for name, value in os.environ.items() if name != "PYTHONMEMTRACE"}

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
        snapshot.peak = memtrace.take_peak_snapshot()
        snapshot._points = memtrace._core.timeline()  # without the class of its points, which needs imports
        memtrace.stop()
        written = True
        try:
            snapshot.dump(self.path)
        except OSError as error:
            written = False
            self._say(f"cannot write {self.path}: {error.strerror}")
        if self.show != "nothing":
            try:
                self._show(snapshot, peak)
            except Exception:  # whatever the program has left of the modules that this needs, or forbids to import
                if written:  # else what is there is another one
                    self._show_apart(peak)

    def _show(self, snapshot: memtrace.Snapshot, peak: int) -> None:
        from memtrace.cli.at_exit import show

        _on_standard_error(lambda stream: show(snapshot, peak, self.path, self.show == "peak", stream))

    def _show_apart(self, peak: int) -> None:
        """Show the snapshot from its file, in an interpreter that knows nothing of the program."""
        command = [sys.executable, "-P", "-m", "memtrace.cli.at_exit", self.path, str(peak), self.show]
        try:
            _, status = os.waitpid(os.posix_spawn(sys.executable, command, self._environment), 0)
        except ChildProcessError:  # the program lets the system collect its children
            status = 0
        except OSError:
            status = 1
        if status != 0:
            self._say(f"cannot show what {self.path} holds")

    def _say(self, message: str) -> None:
        _on_standard_error(lambda stream: print(f"memtrace: {printable(message)}", file=stream))


def _on_standard_error(write: Callable[[TextIO], None]) -> None:
    """Call *write* with the standard error that the program was started with, if it is still open.

    With a stream of our own on it: what cannot be written must not stay in the program's, whose exit status it
    would change.
    """
    stream = sys.__stderr__
    if stream is None or stream.closed:
        return
    try:
        stream.flush()
        with open(stream.fileno(), "w", encoding=stream.encoding, errors=stream.errors, closefd=False) as own:
            write(own)
    except OSError:
        pass
