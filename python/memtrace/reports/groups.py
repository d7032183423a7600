"""How the groups of statistics are named and told apart, in tables and in JSON."""

from __future__ import annotations

from typing import Any

import memtrace
from memtrace.reports.source import source_line
from memtrace.reports.table import Detail

AnyStatistic = memtrace.Statistic | memtrace.StatisticDiff

_HEADERS = {
    "filename": "File",
    "lineno": "Line",
    "traceback": "Traceback",
    "function": "Function",
    "module": "Module",
    "domain": "Domain",
    "generation": "Generation",
    "thread": "Thread",
    "label": "Label",
    "type": "Type",
}
_NOUNS = {
    "filename": ("file", "files"),
    "lineno": ("line", "lines"),
    "traceback": ("traceback", "tracebacks"),
    "function": ("function", "functions"),
    "module": ("module", "modules"),
    "domain": ("domain", "domains"),
    "generation": ("generation", "generations"),
    "thread": ("thread", "threads"),
    "label": ("label", "labels"),
    "type": ("type", "types"),
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


def details(group_by: str, statistic: AnyStatistic) -> tuple[Detail, ...]:
    """Return the lines that go with the name: source code, or where in the group most memory comes from."""
    traceback = statistic.traceback
    if group_by == "traceback":
        callers = (detail for frame in reversed(traceback[:-1]) for detail in _place_and_source(frame))
        return (*_source(traceback[-1]), *callers)
    if group_by == "filename":
        return ()
    if group_by == "lineno":
        return _source(traceback[-1])
    return _place_and_source(traceback[-1])


def _place_and_source(frame: memtrace.Frame) -> tuple[Detail, ...]:
    return (Detail(str(frame), is_place=True), *_source(frame))


def _source(frame: memtrace.Frame) -> tuple[Detail, ...]:
    line = source_line(frame.filename, frame.lineno)
    return (Detail(line, is_place=False),) if line else ()


def to_json(group_by: str, statistic: AnyStatistic) -> dict[str, Any]:
    """Return what identifies one group."""
    frames = [frame_to_json(frame) for frame in statistic.traceback]
    if group_by == "traceback":
        return {"traceback": frames}
    if group_by == "filename":
        return {"filename": frames[-1]["filename"]}
    if group_by == "lineno":
        return {"filename": frames[-1]["filename"], "lineno": frames[-1]["lineno"]}
    return {group_by: statistic.key, "heaviest": frames[-1]}


def frame_to_json(frame: memtrace.Frame) -> dict[str, Any]:
    """Return a place as it is in all reports."""
    return {"filename": frame.filename, "lineno": frame.lineno, "function": frame.function}
