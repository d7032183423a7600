"""What is said on standard error while a command works for more than a second."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 1.0


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say *what* is done, and for how long, when the block takes more than a second and somebody is watching."""
    if not (sys.stderr is not None and sys.stderr.isatty()):
        yield
        return
    display = _Display(what)
    timer = threading.Timer(_PATIENCE, display.begin)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        display.end()


class _Display:
    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._over = False

    def begin(self) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        from memtrace.reports.text import printable

        with self._lock:
            if self._over:
                return
            columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
            console = Console(stderr=True, markup=False, emoji=False, highlight=False)
            self._progress = Progress(*columns, console=console, transient=True)
            self._progress.add_task(printable(self._what), total=None)
            self._progress.start()

    def end(self) -> None:
        with self._lock:
            self._over = True
            if self._progress is not None:
                self._progress.stop()
