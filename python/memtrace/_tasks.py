"""Labels of asyncio tasks: ``start(label_tasks=True)``."""

from __future__ import annotations

import sys
from asyncio import base_events, taskgroups, tasks
from contextlib import suppress
from contextvars import Context, ContextVar
from functools import wraps

from memtrace import _core
from memtrace._tags import Label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

# Before 3.13 these name a task when it has been made.
_NAMING_LATER = (
    () if sys.version_info >= (3, 13) else (tasks.create_task.__code__, taskgroups.TaskGroup.create_task.__code__)
)
# In a context that a task was given: the label that it has from here.
_given: ContextVar[int] = ContextVar("memtrace.task")
_original: Any = None
_wrapper: Any = None


def _label_tasks() -> None:
    """Let tasks that are made from now on have labels, of all loops that are asyncio's own or derived from them.

    A task's label is the name that it was given; without one, the qualified name of its coroutine.
    """
    global _original, _wrapper
    _leave_tasks()
    original = _original = base_events.BaseEventLoop.create_task

    @wraps(original)
    def create_task(self: Any, coro: Any, *args: Any, **keywords: Any) -> Any:
        label = _label_of(coro, _name_of(keywords, sys._getframe(1))) if _wrapper is create_task else None
        context = keywords.get("context")
        if label is None or not (context is None or isinstance(context, Context)):
            return original(self, coro, *args, **keywords)
        if context is None:
            with label:  # the task copies the present context
                return original(self, coro, *args, **keywords)
        with suppress(RuntimeError):  # it is the present one, or another thread's
            context.run(_relabel, label._number)
        return original(self, coro, *args, **keywords)

    _wrapper = create_task
    base_events.BaseEventLoop.create_task = create_task  # type: ignore[method-assign]


def _leave_tasks() -> None:
    """Undo it. Where somebody has wrapped it since, it stays and does nothing."""
    global _original, _wrapper
    if _wrapper is not None and base_events.BaseEventLoop.create_task is _wrapper:
        base_events.BaseEventLoop.create_task = _original  # type: ignore[method-assign]
    _original = _wrapper = None


def _name_of(keywords: dict[str, Any], caller: FrameType) -> Any:
    if "name" not in keywords and caller.f_code in _NAMING_LATER:
        return caller.f_locals.get("name")
    return keywords.get("name")


def _label_of(coro: Any, name: Any) -> Label | None:
    if not isinstance(name, str) or not name:
        name = getattr(coro, "__qualname__", None)
    return Label(name) if isinstance(name, str) and name else None


def _relabel(number: int) -> None:
    # Tasks that are given the same context one after the other have one label each, not one inside the other.
    last = _given.get(None)
    if last is not None:
        _core.leave_label(last)
    _core.enter_label(number)
    _given.set(number)
