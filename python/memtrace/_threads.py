"""What the threads are called that an era has seen."""

from __future__ import annotations

import os
import sys

from memtrace import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from threading import Thread

_OTHERS = {0: "other threads"}


def _name_threads() -> None:
    """Name the threads in all snapshots of the running trace, as far as their names are known now.

    A thread that runs is called what its Thread object says now, one that has ended what it was called
    when it began. Where nobody noted that (without a GIL), it is what the object says if there still is
    one, else the system's name for it, as for threads that C code began.
    """
    era, threads = _core.threads()
    if not threads:
        return
    running, ended = _names_in_python()
    main = next((name for _, native_id, name, _, _ in threads if native_id == os.getpid()), b"")
    known, guessed = {}, dict(_OTHERS)
    for number, native_id, noted, is_own, is_running in threads:
        name = running.get(native_id) if is_running else None
        if name is not None:
            known[number] = f"{name} ({native_id})"
            continue
        if is_own:
            name = noted.decode("utf-8", "replace")
        elif native_id in ended:
            name = ended[native_id]
        else:
            # A thread that nobody named has the name of the one that began it: the program's.
            name = "thread" if noted == main else noted.decode("utf-8", "replace")
        guessed[number] = f"{name} ({native_id})"
    _core.name_threads(era, known, True)
    # The native id of a thread that has ended may be another's by now: what was said first is kept.
    _core.name_threads(era, guessed, False)


def _names_in_python() -> tuple[Mapping[int | None, str], Mapping[int | None, str]]:
    """Return the names by native id, of threads that run and of threads that have ended."""
    running: dict[int | None, str] = {os.getpid(): "MainThread"}
    threading = sys.modules.get("threading")
    if threading is None:
        return running, {}
    running |= _names(threading.enumerate())
    # All Thread objects there are; undocumented, so perhaps not there.
    return running, _names(list(getattr(threading, "_dangling", ())))


def _names(threads: Iterable[Thread]) -> Mapping[int | None, str]:
    return {thread.native_id: thread.name for thread in threads}
