"""The keywords of start(), checked."""

from __future__ import annotations

from memtrace._size import _parse_size

_LARGEST_INTERVAL = 1 << 40
_SMALLEST_MEMORY = 4 << 20
_USUAL_DISTANCE = 0.01
_SHORTEST_DISTANCE = 0.001
_LONGEST_DISTANCE = 3600


def start(
    *,
    sample_interval: int | str | None = None,
    seed: int | None = None,
    max_memory: int | str | None = None,
    label_tasks: bool | None = None,
    timeline: bool | float | None = None,
) -> tuple[int | None, int | None, int | None, bool | None, int | None]:
    """Return the keywords of :func:`memtrace.start` as integers and a bool, None where nothing was given.

    The distance of the timeline's points is in nanoseconds, 0 for none.

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
    return interval, seed, memory, label_tasks, _distance(timeline)


def _distance(timeline: bool | float | None) -> int | None:
    if timeline is None:
        return None
    if isinstance(timeline, bool):
        timeline = _USUAL_DISTANCE if timeline else 0
    elif not isinstance(timeline, (int, float)):
        raise TypeError(f"timeline must be True, False or a number of seconds, not {type(timeline).__name__}")
    elif not _SHORTEST_DISTANCE <= timeline <= _LONGEST_DISTANCE:
        raise ValueError(f"timeline must be from {_SHORTEST_DISTANCE} to {_LONGEST_DISTANCE} seconds, not {timeline!r}")
    return round(timeline * 1e9)
