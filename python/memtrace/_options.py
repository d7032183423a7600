"""The keywords of start(), checked."""

from __future__ import annotations

from memtrace._size import _parse_size

_LARGEST_INTERVAL = 1 << 40
_SMALLEST_MEMORY = 4 << 20


def start(
    *,
    sample_interval: int | str | None = None,
    seed: int | None = None,
    max_memory: int | str | None = None,
    label_tasks: bool | None = None,
) -> tuple[int | None, int | None, int | None, bool | None]:
    """Return the keywords of :func:`memtrace.start` as integers and a bool, None where nothing was given.

    Has the name of what it checks for, which the messages of Python about unexpected keywords show.
    """
    interval = memory = None
    if sample_interval is not None:
        interval = _parse_size(sample_interval, "sample_interval")
        if not 1 <= interval <= _LARGEST_INTERVAL:
            raise ValueError(f"sample_interval must be from 1 byte to 1 TiB, not {sample_interval!r}")
    if max_memory is not None:
        memory = _parse_size(max_memory, "max_memory")
        if memory < _SMALLEST_MEMORY:
            raise ValueError(f"max_memory must be at least 4 MiB, not {max_memory!r}")
    if seed is not None:
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            raise TypeError(f"seed must be an integer, not {type(seed).__name__}")
        seed = seed.__index__()
        if not 0 <= seed < 1 << 64:
            raise ValueError(f"seed must be in range [0; {(1 << 64) - 1}], not {seed}")
    if label_tasks is not None and not isinstance(label_tasks, bool):
        raise TypeError(f"label_tasks must be True or False, not {type(label_tasks).__name__}")
    return interval, seed, memory, label_tasks
