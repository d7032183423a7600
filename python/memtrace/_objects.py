"""The live objects behind a row of statistics."""

from __future__ import annotations

from memtrace import _core
from memtrace._statistic import _Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtrace._snapshot import Snapshot
    from memtrace._statistic import Statistic, StatisticDiff


def _objects_behind(snapshot: Snapshot | None, statistic: Statistic | StatisticDiff, limit: int) -> list[object]:
    """Return at most *limit* live objects of the statistic, which is one of *snapshot* unless that is None."""
    if not isinstance(statistic, _Group):
        raise TypeError(f"statistic must be a Statistic or StatisticDiff, not {type(statistic).__name__}")
    if not isinstance(limit, int):
        raise TypeError(f"limit must be an integer, not {type(limit).__name__}")
    if limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}")
    origin = statistic._origin
    if origin is None:
        raise ValueError("statistic must be one that a snapshot of the running trace has returned")
    reference, keys, cumulative = origin
    source = reference()
    if source is None:
        raise ValueError("statistic must be of a snapshot that still exists: keep the snapshot")
    if snapshot is not None and source is not snapshot:
        raise ValueError("statistic must be one that this snapshot has returned")
    assert statistic._number is not None
    rows = source._to_native().select_group(keys, cumulative, statistic._source[1], statistic._number)
    return _core.live_objects(rows, min(limit, _MOST))


_MOST = (1 << 63) - 1
