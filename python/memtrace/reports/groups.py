"""How the groups of statistics are named and told apart, in tables and in JSON."""

from __future__ import annotations

from typing import Any

import memtrace
from memtrace.reports.source import source_line

AnyStatistic = memtrace.Statistic | memtrace.StatisticDiff

_HEADERS = {
    "filename": "File",
    "lineno": "Line",
    "traceback": "Traceback",
    "function": "Function",
    "module": "Module",
}
_NOUNS = {
    "filename": ("file", "files"),
    "lineno": ("line", "lines"),
    "traceback": ("traceback", "tracebacks"),
    "function": ("function", "functions"),
    "module": ("module", "modules"),
}


def header(group_by: str, cumulative: bool) -> str:
    """Return the heading of the column that names the groups."""
    return f"{_HEADERS[group_by]} and all it called" if cumulative else _HEADERS[group_by]


def noun(group_by: str, number: int) -> str:
    """Return what the groups are, as in ``1 line`` or ``2,000 files``."""
    one, many = _NOUNS[group_by]
    return f"{number:,} {one if number == 1 else many}"


def label(group_by: str, statistic: AnyStatistic) -> str:
    """Return the name of one group."""
    if isinstance(statistic.key, str):
        return statistic.key
    frame = statistic.traceback[-1]
    return frame.filename if group_by == "filename" else str(frame)


def details(group_by: str, statistic: AnyStatistic) -> tuple[str, ...]:
    """Return the lines that go with the name: source code, or where in the group most memory comes from."""
    traceback = statistic.traceback
    if group_by == "traceback":
        return tuple(_call_stack(traceback)[1:])
    if group_by == "filename":
        return ()
    frame = traceback[-1]
    source = source_line(frame.filename, frame.lineno)
    if group_by == "lineno":
        return (source,) if source else ()
    return (f"mostly {frame}", f"  {source}") if source else (f"mostly {frame}",)


def _call_stack(traceback: memtrace.Traceback) -> list[str]:
    """Return the frames with their source code, from the one that allocated to the oldest."""
    lines = []
    for frame in reversed(traceback):
        lines.append(str(frame))
        if source := source_line(frame.filename, frame.lineno):
            lines.append(f"  {source}")
    return lines


def to_json(group_by: str, statistic: AnyStatistic) -> dict[str, Any]:
    """Return what identifies one group."""
    frames = [_frame_to_json(frame) for frame in statistic.traceback]
    if group_by == "traceback":
        return {"traceback": frames}
    if group_by == "filename":
        return {"filename": frames[-1]["filename"]}
    if group_by == "lineno":
        return {"filename": frames[-1]["filename"], "lineno": frames[-1]["lineno"]}
    return {group_by: statistic.key, "heaviest": frames[-1]}


def _frame_to_json(frame: memtrace.Frame) -> dict[str, Any]:
    return {"filename": frame.filename, "lineno": frame.lineno, "function": frame.function}
