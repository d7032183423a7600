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

    A thread has the name of its Thread object while that exists. After it, and for threads that C code
    began, it is what the system calls it: from 3.14 on Python says so to the system.
    """
    era, threads = _core.threads()
    if not threads:
        return
    running, ended = _names_in_python()
    main = next((os_name for _, native_id, os_name, _ in threads if native_id == os.getpid()), b"")
    known, guessed = {}, dict(_OTHERS)
    for number, native_id, os_name, is_running in threads:
        name = (running if is_running else ended).get(native_id)
        if name is None:
            # A thread that nobody named has the name of the one that began it: the program's.
            name = "thread" if os_name == main else os_name.decode("utf-8", "replace")
        elif is_running:
            known[number] = f"{name} ({native_id})"
        # The native id of a thread that has ended may be another's by now. What was said first is kept.
        guessed[number] = f"{name} ({native_id})"
    _core.name_threads(era, known, True)
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
