"""Context managers as decorators."""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any, TypeVar

    _F = TypeVar("_F", bound=Callable[..., Any])


def in_each_call(function: _F, make_context: Callable[[], AbstractContextManager[Any]]) -> _F:
    """Return *function* with each of its calls in a context of its own.

    Of a coroutine function a call is all the time from its first step to its last.
    """
    wrapper: Any
    if iscoroutinefunction(function):

        @wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with make_context():
                return await function(*args, **kwargs)

    else:

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with make_context():
                return function(*args, **kwargs)

    wrapped: _F = wrapper
    return wrapped
