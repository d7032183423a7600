"""Reads a function's local variables at the moment it returns, at no cost before that.

pyperformance's timed functions return only a duration; what they computed is in their locals.
One ``PY_RETURN`` event on one code object changes that function's return instruction and
nothing else, so the measured loop runs as it would without.
"""

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

TOOL_ID = 4


def _code_of(function: Callable[..., object]) -> CodeType | None:
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__code__", None)


@contextmanager
def return_locals(function: Callable[..., object]) -> Iterator[dict[str, Any]]:
    """Yield a dictionary that holds the locals of *function* once it has returned.

    Variables that are floats are left out: in a timed function they are clock readings. The
    dictionary stays empty on Python 3.11, which has no ``sys.monitoring``, and for a function
    that is not written in Python. Not for use in two threads at once.
    """
    captured: dict[str, Any] = {}
    code = _code_of(function)
    if sys.version_info < (3, 12) or code is None:
        yield captured
        return

    monitoring = sys.monitoring

    def on_return(_code: CodeType, _offset: int, _value: object) -> None:
        captured.clear()
        captured.update(sys._getframe(1).f_locals)

    monitoring.use_tool_id(TOOL_ID, "memtrace benchmarks")
    monitoring.register_callback(TOOL_ID, monitoring.events.PY_RETURN, on_return)
    monitoring.set_local_events(TOOL_ID, code, monitoring.events.PY_RETURN)
    try:
        yield captured
    finally:
        monitoring.set_local_events(TOOL_ID, code, monitoring.events.NO_EVENTS)
        monitoring.register_callback(TOOL_ID, monitoring.events.PY_RETURN, None)
        monitoring.free_tool_id(TOOL_ID)
        for name in [n for n, v in captured.items() if isinstance(v, float)]:
            del captured[name]
