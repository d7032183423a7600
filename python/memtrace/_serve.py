"""Snapshots of the running program, written to a file again and again: what ``memtrace top`` looks at.

Nothing that runs from time to time in a process is quite invisible to the program in it. A signal would interrupt its
system calls and take a handler that it may want for itself; a profile function, a hook of the garbage collector or of
the audit would be called in its own threads, not when it waits, and can be seen and replaced; code that is put into the
process from outside needs the rights of a debugger. That leaves a thread, and only for who asks: serve() in the
program, or ``memtrace top --run``.

The thread is none of the ``threading`` module's, which needs not be imported: it is not in ``threading.enumerate()``, and
nobody waits for it at the end. What can be seen of it: ``sys._current_frames()`` has its frame, the system counts it, so
that from Python 3.12 on ``os.fork()`` warns of a process with several threads, and while it takes a snapshot no other
thread runs Python code. It holds no lock of the program's, imports nothing, and leaves the program's
own errors alone. A child that the program forks has no such thread and writes nothing.
"""

from __future__ import annotations

import atexit
import os
from _thread import allocate_lock, start_new_thread

# All that is needed to write a file: the program may have modules of the same names as those imported later.
import memtrace._modules  # noqa: F401
from memtrace import _core
from memtrace._tracer import _check_tracing, take_snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_SHORTEST = 0.01
_LONGEST = 24 * 60 * 60.0


class Server:
    """A thread that writes snapshots, from :func:`serve`; in a ``with`` statement it ends with the block."""

    __slots__ = ("_done", "_interval", "_path", "_process", "_wake", "error")

    error: Exception | None
    """Why the last snapshot could not be written, None when it was."""

    def __init__(self, path: str, interval: float) -> None:
        self._path = path
        self._interval = interval
        self._process = os.getpid()
        self._wake = allocate_lock()
        self._done = allocate_lock()
        self.error = None

    def _begin(self) -> None:
        self._wake.acquire()
        self._done.acquire()
        # Ended before the interpreter is: a thread that it stops in the middle of native code may end the process.
        atexit.register(self.stop)
        start_new_thread(self._run, ())

    def stop(self) -> None:
        """Write a last snapshot and end the thread. Does nothing in a forked child, or the second time."""
        atexit.unregister(self.stop)
        if self._process != os.getpid():
            return
        self._process = -1
        self._wake.release()
        self._done.acquire()
        self._write()

    def _run(self) -> None:
        try:
            self._write()
            while not self._wake.acquire(timeout=self._interval):
                self._write()
        finally:
            self._done.release()

    def _write(self) -> None:
        if not _core.is_tracing():  # it may go on
            return
        try:
            take_snapshot(blocks=False).dump(self._path)
            self.error = None
        except Exception as error:  # the program goes on, whatever its disk or its memory says
            self.error = error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "serving" if self._process == os.getpid() else "stopped"
        return f"<memtrace.Server {state}, {self._path!r} every {self._interval:g} s>"


def serve(path: str | bytes | os.PathLike[str] | os.PathLike[bytes], interval: float = 1.0) -> Server:
    """Write a snapshot to *path* now, every *interval* seconds, and at the end of the program::

        memtrace.start(25)
        memtrace.serve("/run/user/1000/app.mtrace")     # python -m memtrace top /run/user/1000/app.mtrace

    The file is replaced as a whole: who reads it has one snapshot or the next. The snapshots have all but
    single blocks. One daemon thread is started for it, which ``threading.enumerate()`` does not have; what else
    of it can be seen says the text of the module ``memtrace._serve``. Whoever may write to the folder of
    *path* may replace the file.

    Returns an object whose ``stop()`` ends it. Raises RuntimeError when not tracing, and ValueError when *interval*
    is not from 10 milliseconds to a day.
    """
    _check_tracing("to serve snapshots")
    interval = float(interval)
    if not _SHORTEST <= interval <= _LONGEST:
        raise ValueError(f"interval must be from {_SHORTEST} to {_LONGEST:.0f} seconds, not {interval!r}")
    server = Server(os.path.abspath(os.fsdecode(path)), interval)  # noqa: PTH100  (no import of pathlib here)
    server._begin()
    return server
