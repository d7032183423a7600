"""Collapsed stacks, as flamegraph.pl, inferno, speedscope and the Firefox Profiler read them.

A line for each stack: its frames, oldest first, between semicolons, and its bytes or blocks.
"""

from __future__ import annotations

from functools import cache

from memtrace.exchange.records import Place, Records, encodable, frame_name
from memtrace.exchange.stacks import by_stack


def encode_bytes(records: Records, title: str) -> bytes:
    """Return the file, with the live bytes of each stack."""
    return _encode({stack: live.size for stack, live in by_stack(records).items()})


def encode_blocks(records: Records, title: str) -> bytes:
    """Return the file, with the live blocks of each stack."""
    return _encode({stack: live.blocks for stack, live in by_stack(records).items()})


def _encode(weights: dict[tuple[Place, ...], int]) -> bytes:
    name_of = cache(_name)  # most frames are in many stacks
    lines = (f"{';'.join(map(name_of, stack))} {weight}\n" for stack, weight in weights.items())
    return "".join(lines).encode()


def _name(place: Place) -> str:
    """Return a frame without what ends frames or lines, some of which only in some readers."""
    name = encodable(frame_name(place)).replace(";", ":")
    return "".join(char if char.isprintable() else "?" for char in name)
