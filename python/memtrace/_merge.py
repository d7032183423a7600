"""Several snapshots as one."""

from __future__ import annotations

from _collections_abc import Iterable

from memtrace import _core
from memtrace._snapshot import Snapshot


def merge(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Return the sum of *snapshots*, such as those of the processes of one program.

    Sizes and counts are exact sums by traceback, domain, mark, thread, label and type. Domains are the same where
    their numbers are; threads, whose names have their native ids, labels and types where their names are; marks, too, or
    where their numbers are if they have no names. Where snapshots have marks in different orders, all blocks are before
    the first mark.

    Single blocks, types and what has come and gone are kept where all snapshots have them. Samples keep their standard
    errors; :attr:`Snapshot.sample_interval` is the largest of all. A peak, a timeline and attributes are of
    one process: they are left out.

    Raises TypeError for anything but snapshots, and ValueError when there are none or when they are more than one
    can hold.
    """
    parts = list(snapshots)
    for part in parts:
        if not isinstance(part, Snapshot):
            raise TypeError(f"snapshots must be Snapshot objects, not {type(part).__name__}")
    if not parts:
        raise ValueError("snapshots must have at least one")
    native = _core.merge([part._complete_native() for part in parts])
    return Snapshot._from_native(native, native.traceback_limit)
