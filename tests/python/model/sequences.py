"""Runs sequences, each in a process of its own, and shortens one that fails to what is needed for it."""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from operations import random_sequence
from world import SECONDS, DifferenceError, Operation, World

_AGREED = b"agreed"


def difference(operations: Sequence[Operation]) -> str:
    """How tracer and model differ first; empty when they agree to the end."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        _run(operations, tell)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        verdict = pipe.read()
    _, status = os.waitpid(child, 0)
    if status == 0 and verdict.endswith(_AGREED):
        return ""
    return f"{verdict.decode()} (status {os.waitstatus_to_exitcode(status)})"


def agree(*operations: Operation) -> None:
    """They do: a sequence that once failed, as a test."""
    found = difference(operations)
    assert found == "", found


def check(seed: int, length: int) -> None:
    """Compare a random sequence; fail with the shortest part of it that fails."""
    operations = random_sequence(random.Random(seed), length)
    found = difference(operations)
    if found == "":
        return
    shortest, found = shortened(operations, found)
    code = "".join(f"        {operation!r},\n" for operation in shortest)
    raise AssertionError(f"seed {seed}: {found}\n\ndef test_seed_{seed}() -> None:\n    agree(\n{code}    )\n")


def shortened(operations: list[Operation], found: str) -> tuple[list[Operation], str]:
    """A sequence of which no part can be left out, and how it differs: halves go first, then single operations."""
    part = len(operations) // 2
    while part > 0:
        at = 0
        while at < len(operations):
            shorter = operations[:at] + operations[at + part :]
            still = difference(shorter)
            if still:
                operations, found = shorter, still
            else:
                at += part
        part //= 2
    return operations, found


def _run(operations: Sequence[Operation], tell: int) -> NoReturn:
    """In the child: say what differs, or that nothing does. The last number is the operation that was begun."""
    status = 1
    try:
        signal.alarm(SECONDS)
        gc.disable()
        world = World()
        for number, operation in enumerate(operations):
            os.write(tell, f"{number} ".encode())
            world.apply(operation)
            if world.is_over:
                os._exit(0)
        os.write(tell, _AGREED)
        status = 0
    except DifferenceError as differs:
        os.write(tell, str(differs).encode())
    except BaseException:
        os.write(tell, traceback.format_exc().encode())
    finally:
        sys.stdout.flush()
        os._exit(status)
