"""What threads do side by side: allocate without the GIL, in C or, where there is none, in Python."""

import ctypes
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.harness.compiled import compiled

_SOURCE = Path(__file__).with_name("raw_loop.c")

RING: Final = 1000
"""How many blocks each thread keeps."""

Loop = Callable[[int], None]
"""Replaces a kept block so many times."""


class RawBlocks:
    """Blocks of `PyMem_RawMalloc`, replaced by a C function that is called without the GIL."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(str(compiled(_SOURCE)))
        self._ring = (ctypes.c_void_p * RING)()

    def replace(self, rounds: int) -> None:
        if self._library.replace_blocks(self._ring, ctypes.c_size_t(RING), ctypes.c_size_t(rounds)) != 0:
            raise MemoryError

    def free(self) -> None:
        self._library.free_blocks(self._ring, ctypes.c_size_t(RING))


class Objects:
    """Objects of Python, replaced by Python code."""

    def __init__(self) -> None:
        self._ring: list[bytes | None] = [None] * RING

    def replace(self, rounds: int) -> None:
        ring = self._ring
        for i in range(rounds):
            ring[i % RING] = bytes(16 + i % 31 * 16)

    def free(self) -> None:
        self._ring.clear()


WORKLOADS: Final[dict[str, type[RawBlocks] | type[Objects]]] = {"raw": RawBlocks}
if not getattr(sys, "_is_gil_enabled", lambda: True)():
    WORKLOADS["objects"] = Objects


@dataclass(frozen=True)
class Times:
    """How long it took until the last thread had ended, and the processor time of all together."""

    seconds: float
    cpu_seconds: float


def run_side_by_side(loops: Sequence[Loop], rounds: int) -> Times:
    """Call all *loops* at once, each in a thread of its own."""
    failures: list[BaseException] = []
    cpu_seconds: list[float] = []
    barrier = threading.Barrier(len(loops) + 1)

    def run(loop: Loop) -> None:
        barrier.wait()
        begin = time.thread_time()
        try:
            loop(rounds)
        except BaseException as failure:
            failures.append(failure)
        cpu_seconds.append(time.thread_time() - begin)

    threads = [threading.Thread(target=run, args=(loop,)) for loop in loops]
    for thread in threads:
        thread.start()
    barrier.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    for failure in failures:
        raise failure
    return Times(seconds, sum(cpu_seconds))
