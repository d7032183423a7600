"""A program that runs while ``memtrace top`` shows the snapshots that it writes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

_LONGEST_TAIL = 8192
_SECONDS_TO_END = 5


class Program:
    """A traced program in a process of its own; its output goes to a file, its input is empty.

    The file, and the one for its snapshots, lie in a folder that nobody else may look into and that is gone afterwards.
    As a context it ends with the block, or with the terminal; enter it in the main thread.
    """

    def __init__(self, name: str, interpreter: Sequence[str], words: Sequence[str], interval: float) -> None:
        """*interpreter* are options that go before those of the tracer, *words* what comes after."""
        self.name = name
        self._folder = tempfile.TemporaryDirectory(prefix="memtrace-")
        folder = Path(self._folder.name)
        self.snapshot = folder / "live.mtrace"
        self.output = folder / "output"
        serving = ("-X", f"memtrace_serve={interval:g},{self.snapshot}")
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *interpreter, *serving, *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    def state(self) -> str:
        """Return in words how it is."""
        status = self.status
        if status is None:
            return "running"
        return f"ended with status {status}" if status >= 0 else f"ended by signal {-status}"

    def tail(self, lines: int) -> list[str]:
        """Return the last lines of its output."""
        with self.output.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - _LONGEST_TAIL, 0))
            text = file.read().decode("utf-8", "backslashreplace")
        return text.rstrip("\n").split("\n")[-lines:]

    def end(self) -> None:
        """End it, if it still runs: by SIGTERM, and when that does not help by SIGKILL."""
        if self.status is None:
            self._process.terminate()
            try:
                self._process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> Self:
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._hang_up)
        return self

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        # The terminal is gone, and an application that still writes to it waits for ever: end here.
        self._process.terminate()
        self._folder.cleanup()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()
        self._folder.cleanup()
