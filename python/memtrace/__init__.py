"""Trace the memory blocks that Python allocates: where, how many, how large.

A replacement for :mod:`tracemalloc`: every name of it is here and means the same. What memtrace adds
is marked in its documentation.
"""

from __future__ import annotations

from memtrace._core import (
    clear_traces,
    get_memtrace_memory,
    get_traceback_limit,
    get_traced_memory,
    get_tracemalloc_memory,
    is_tracing,
    reset_peak,
    start,
    stop,
    track,
    untrack,
)
from memtrace._domains import register_domain
from memtrace._filters import BaseFilter, DomainFilter, Filter
from memtrace._peak import PeakRegion, peak, take_peak_snapshot
from memtrace._size import _format_size as _format_size
from memtrace._snapshot import Snapshot
from memtrace._statistic import Statistic, StatisticDiff
from memtrace._tags import Generation, Label, label, mark
from memtrace._trace import Trace
from memtrace._trace import _Traces as _Traces
from memtrace._traceback import Frame, Traceback
from memtrace._tracer import _get_object_traceback as _get_object_traceback
from memtrace._tracer import _get_traces as _get_traces
from memtrace._tracer import get_object_traceback, take_snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memtrace._churn import ChurnStatistic
    from memtrace._combined_filter import CombinedFilter
    from memtrace._filter_kinds import (
        FunctionFilter,
        GenerationFilter,
        LabelFilter,
        ModuleFilter,
        PackageFilter,
        SizeFilter,
        ThreadFilter,
        TypeFilter,
    )
    from memtrace._holders import Chain, Link, Root, holders
    from memtrace._include import get_include
    from memtrace._install import install_as_tracemalloc
    from memtrace._merge import merge
    from memtrace._serve import Server, serve
    from memtrace._status import Status, status
    from memtrace._timeline import TimelinePoint, timeline

__all__ = [
    "BaseFilter",
    "Chain",
    "ChurnStatistic",
    "CombinedFilter",
    "DomainFilter",
    "Filter",
    "Frame",
    "FunctionFilter",
    "Generation",
    "GenerationFilter",
    "Label",
    "LabelFilter",
    "Link",
    "ModuleFilter",
    "PackageFilter",
    "PeakRegion",
    "Root",
    "Server",
    "SizeFilter",
    "Snapshot",
    "Statistic",
    "StatisticDiff",
    "Status",
    "ThreadFilter",
    "TimelinePoint",
    "Trace",
    "Traceback",
    "TypeFilter",
    "clear_traces",
    "get_include",
    "get_memtrace_memory",
    "get_object_traceback",
    "get_traceback_limit",
    "get_traced_memory",
    "get_tracemalloc_memory",
    "holders",
    "install_as_tracemalloc",
    "is_tracing",
    "label",
    "mark",
    "merge",
    "peak",
    "register_domain",
    "reset_peak",
    "serve",
    "start",
    "status",
    "stop",
    "take_peak_snapshot",
    "take_snapshot",
    "timeline",
    "track",
    "untrack",
]


# Imported when first asked for: what a program that is traced seldom needs, so that its start costs little.
_MODULES = {
    "Chain": "memtrace._holders",
    "ChurnStatistic": "memtrace._churn",
    "CombinedFilter": "memtrace._combined_filter",
    "FunctionFilter": "memtrace._filter_kinds",
    "GenerationFilter": "memtrace._filter_kinds",
    "LabelFilter": "memtrace._filter_kinds",
    "Link": "memtrace._holders",
    "ModuleFilter": "memtrace._filter_kinds",
    "PackageFilter": "memtrace._filter_kinds",
    "Root": "memtrace._holders",
    "Server": "memtrace._serve",
    "SizeFilter": "memtrace._filter_kinds",
    "Status": "memtrace._status",
    "ThreadFilter": "memtrace._filter_kinds",
    "TimelinePoint": "memtrace._timeline",
    "TypeFilter": "memtrace._filter_kinds",
    "get_include": "memtrace._include",
    "holders": "memtrace._holders",
    "install_as_tracemalloc": "memtrace._install",
    "load_ipython_extension": "memtrace._notebook",
    "merge": "memtrace._merge",
    "serve": "memtrace._serve",
    "status": "memtrace._status",
    "timeline": "memtrace._timeline",
    "unload_ipython_extension": "memtrace._notebook",
}


def __getattr__(name: str) -> Any:
    # Reached through tracemalloc by programs and tests that replace its getline().
    if name == "linecache":
        import linecache

        return linecache
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    public = getattr(__import__(_MODULES[name], fromlist=[name]), name)
    _publish(public)
    globals()[name] = public
    return public


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})


def _publish(public: Any) -> None:
    """Show a public name as tracemalloc shows its own: of this module, with a signature without annotations."""
    public.__module__ = __name__
    members = vars(public).values() if isinstance(public, type) else (public,)
    function = type(_publish)
    for member in members:
        member = getattr(member, "__func__", member)
        if isinstance(member, function):
            member.__annotations__ = {}


for _name in __all__:
    if _name not in _MODULES:
        _publish(globals()[_name])
del _name
