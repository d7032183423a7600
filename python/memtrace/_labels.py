"""Labels: for whom memory is allocated."""

from __future__ import annotations

from memtrace import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import ContextVar
    from types import TracebackType
    from typing import Any, Self, TypeAlias, TypeVar

    _F = TypeVar("_F", bound=Callable[..., Any])
    # The number of a label, and what was current before it.
    _Value: TypeAlias = tuple[int, "_Value | None"]

_MOST = 65_535
_OTHERS = _MOST + 1

_numbers: dict[str, int] = {}
_current: ContextVar[_Value | None] = _core.label_variable


class Label:
    """What is allocated in a ``with`` block, or in calls of a function, is for *name*.

    Made by :func:`label`. May be entered any number of times, also at once, by any threads and tasks.
    """

    __slots__ = ("__weakref__", "_number", "name")

    name: str
    """What statistics show."""

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"name must be a str, not {type(name).__name__}")
        if not name:
            raise ValueError("name must not be empty")
        self.name = name
        self._number = _number_of(name)

    def __enter__(self) -> Self:
        _current.set((self._number, _current.get(None)))
        _core.label_changed()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        value = _current.get(None)
        # A generator may be left in another context than it was entered in. That one has its own.
        if value is not None and value[0] == self._number:
            _current.set(value[1])
            _core.label_changed()

    def __call__(self, function: _F) -> _F:
        """Return *function* with its calls, all steps of a coroutine function's, labelled."""
        from memtrace._decorator import in_each_call

        return in_each_call(function, lambda: self)

    def __repr__(self) -> str:
        return f"memtrace.label({self.name!r})"


def label(name: str) -> Label:
    """Return a label: what is allocated inside of it is for *name*, for ``with`` or as a decorator::

        with memtrace.label("GET /users"):
            answer(request)
        ...
        memtrace.take_snapshot().statistics("label")

    The label is a context variable's value (PEP 567). So it belongs to the thread or asyncio task that
    enters it, and to the tasks that are begun inside; of nested labels the innermost counts. What is
    alive keeps its label, whatever happens to it later. Labels may be entered before :func:`start`;
    :func:`clear_traces` and :func:`stop` leave nobody's.

    Entering and leaving cost well under a microsecond. But each place that allocates has counters of
    its own for each label, some 100 bytes: label kinds of requests, not each single one. After 65,535
    different names all further ones count together as ``other labels``.

    A block that is allocated without the GIL has the label that its thread had when it last allocated
    with it. In sub-interpreters there are no labels.

    Raises TypeError when *name* is not a text, ValueError when it is empty.
    """
    return Label(name)


def _number_of(name: str) -> int:
    number = _numbers.get(name)
    if number is None:
        number = _OTHERS if len(_numbers) >= _MOST else _numbers.setdefault(name, _core.new_label())
    return number


def _label_names() -> Mapping[int, str]:
    return {0: "no label", _OTHERS: "other labels"} | {number: name for name, number in list(_numbers.items())}
