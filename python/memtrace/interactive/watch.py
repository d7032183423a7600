"""A snapshot file that is replaced from time to time."""

from __future__ import annotations

import time
from pathlib import Path

import memtrace
from memtrace.reports.selection import Selection


class Watch:
    """Reads the file when it is another one than before, and keeps the first snapshot to compare with.

    May be used by one thread at a time.
    """

    def __init__(self, path: Path, selection: Selection) -> None:
        self.path = path
        self.error = ""
        """Why there is no newer snapshot, empty when there is nothing wrong."""
        self.first: memtrace.Snapshot | None = None
        self.latest: memtrace.Snapshot | None = None
        self.read_at = 0.0
        """When the latest was read, in seconds of time.monotonic()."""
        self._selection = selection
        self._seen: tuple[int, int, int] | None = None

    def look(self) -> bool:
        """Read the file if it has changed; return whether there is a new snapshot."""
        try:
            status = self.path.stat()
            seen = status.st_ino, status.st_mtime_ns, status.st_size
            if seen == self._seen:
                return False
            snapshot = self._selection.apply(memtrace.Snapshot.load(self.path))
        except OSError as error:
            self.error = error.strerror or str(error)
            return False
        except ValueError as error:  # half of it is there yet, or it is something else
            self.error = str(error)
            return False
        self._seen = seen
        self.error = ""
        self.read_at = time.monotonic()
        self.latest = snapshot
        if self.first is None or _is_of_another_trace(snapshot, self.first):
            self.first = snapshot
        return True


def _is_of_another_trace(new: memtrace.Snapshot, old: memtrace.Snapshot) -> bool:
    """Return whether tracing began anew between the two, so that to compare them means nothing."""
    try:
        new.churn("filename", since=old)
    except ValueError:
        return _has_churn(new) and _has_churn(old)
    return False


def _has_churn(snapshot: memtrace.Snapshot) -> bool:
    try:
        snapshot.churn("filename")
    except ValueError:
        return False
    return True
