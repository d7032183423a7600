"""What the tracer is doing, and what it costs."""

from __future__ import annotations

from typing import NamedTuple

from memtrace import _core


class Status(NamedTuple):
    """The state of the tracer at one moment; made by :func:`status`. Numbers are 0 when not tracing."""

    tracing: bool
    """Whether memory allocations are being traced."""
    mode: str
    """``'off'``; ``'exact'``: each block is traced; ``'sampled'``; ``'full'``: nothing more is, for want of memory."""
    sample_interval: int | None
    """Mean distance of samples in allocated bytes, None when each block is traced."""
    traceback_limit: int
    """How many frames of each traceback are kept; when not tracing, that of the last start(), or 1."""
    blocks: int
    """Live blocks, an estimate where they are sampled."""
    bytes: int
    """Size of the live blocks, an estimate where they are sampled."""
    nodes: int
    """Distinct callers on the stacks."""
    records: int
    """Distinct places of allocations, with their domain, label, thread and generation."""
    dropped: int
    """Blocks that were not recorded for want of memory, or of that which *max_memory* allows."""
    own_bytes: int
    """Memory that the tracer itself uses, as get_memtrace_memory() says."""
    own_time: float
    """Seconds that tracing has taken since start() or clear_traces(): an estimate, rather too small.

    What a small allocation and its free take longer than untraced, measured at this moment and on this stack,
    times the blocks that were allocated. It grows with new call stacks, which this does not see.
    """
    max_memory: int | None
    """The limit of *own_bytes*, None when there is none."""


def status() -> Status:
    """Return what the tracer is doing and what it costs.

    Takes milliseconds when millions of blocks are traced. Measures with 512 allocations of its own, which the traces
    show as any others. May be called from any thread.
    """
    native = _core.status()
    tracing = bool(native["tracing"])
    interval = native.get("sample_interval", 0)
    mode = "off" if not tracing else "full" if native["is_full"] else "sampled" if interval else "exact"
    return Status(
        tracing=tracing,
        mode=mode,
        sample_interval=interval or None,
        traceback_limit=native["nframe"],
        blocks=native.get("blocks", 0),
        bytes=native.get("bytes", 0),
        nodes=native.get("nodes", 0),
        records=native.get("records", 0),
        dropped=native.get("dropped", 0),
        own_bytes=native["own_bytes"],
        own_time=native["allocated"] * _core.event_time() if tracing else 0.0,
        max_memory=(native["max_memory"] or None) if tracing else None,
    )
