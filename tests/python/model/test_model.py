"""Random programs under the tracer and under a model of it that is too simple to be wrong.

Each runs in a process of its own, so that a crash or a hang is found and shortened like any other difference.
MEMTRACE_MODEL_SEEDS=1-5000 runs more of them, 17 that one again; MEMTRACE_MODEL_LENGTH makes them longer.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

import pytest
from operations import Block, Collect, Drop, EndThread, Fork, Look, Make, Report, ResetPeak, Start
from sequences import agree, check, difference, shortened
from world import Operation, World

import memtrace

LENGTH = int(os.environ.get("MEMTRACE_MODEL_LENGTH", "60"))
_first, _, _last = os.environ.get("MEMTRACE_MODEL_SEEDS", "1-100").partition("-")
SEEDS = range(int(_first), int(_last or _first) + 1)
# Of one test: what its time limit is for.
EACH = 20


@pytest.mark.parametrize("first", SEEDS[::EACH])
def test_random_sequences(first: int) -> None:
    for seed in range(first, min(first + EACH, SEEDS.stop)):
        check(seed, LENGTH)


def test_one_sequence_with_a_bit_of_everything() -> None:
    agree(
        Start(3),
        Make(number=0, size=1000, at="abC", thread=1),
        Block("malloc", slot=0, size=77, at="cdefZ", other=True),
        Report("track", domain=0, address=0, size=5, at="A", slot=0),
        Look(),
        Fork(),
        Block("realloc", slot=0, size=99, at="B", thread=2),
        EndThread(thread=2),
        Drop(number=0),
        Look(),
    )


@dataclass(frozen=True)
class Untold(Operation):
    """Something that the model does not hear of."""

    def apply(self, world: World) -> None:
        world.call("abA", 0, memtrace.track, 7001, 5, 99)


@dataclass(frozen=True)
class Crash(Operation):
    def apply(self, world: World) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("wrong", "needed", "told"),
    [(Untold(), [Start(2), Untold(), Look()], "surplus"), (Crash(), [Crash()], "-9")],
)
@pytest.mark.parametrize("forked", [False, True])
def test_a_difference_is_found_and_shortened(
    wrong: Operation, needed: list[Operation], told: str, forked: bool
) -> None:
    before = [Make(1, 50, "cA"), Block("malloc", 1, 33, "bB"), Fork() if forked else Collect(), ResetPeak()]
    sequence = [Start(2), *before, wrong, Make(2, 60, "dB"), Drop(1), Look()]
    found = difference(sequence)
    assert told in found
    shortest, found = shortened(sequence, found)
    assert shortest == needed
    assert told in found
