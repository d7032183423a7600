"""What a block is tagged with besides its place: the generation, the label, the thread."""

from __future__ import annotations

import os
import sys

from memtrace import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Thread
    from types import TracebackType
    from typing import Any, Self, TypeVar

    _F = TypeVar("_F", bound=Callable[..., Any])

_generations: dict[int, str] = {}


class Generation(int):
    """What is allocated from one mark to the next: its number, which rises with each mark, and its name."""

    __slots__ = ()

    @property
    def name(self) -> str | None:
        """The name that the mark was given."""
        return _generations.get(self)

    def __repr__(self) -> str:
        return f"<Generation {int(self)}{'' if self.name is None else f' {self.name!r}'}>"

    __str__ = int.__repr__


def mark(name: str | None = None) -> Generation:
    """Begin a new generation, and return it: all that is allocated from now on, up to the next mark, is of it.

    What is still alive of it shows ``snapshot.since(generation)``; ``statistics('generation')`` has
    all of them, with their *name* if they have one. In all threads at once; a thread that allocates
    without the main interpreter's GIL may finish what it is at in the generation before. Generations
    are numbered through the whole process: :func:`clear_traces`, :func:`stop` and :func:`start`
    change nothing. Before the first mark it is 0.

    Costs little itself. But each place that allocates afterwards has counters of its own in each
    generation, some 100 bytes: mark phases of a program, not its requests.

    Raises TypeError when *name* is not a text.
    """
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name must be a str or None, not {type(name).__name__}")
    generation = Generation(_core.mark())
    if name is not None:
        _name_generation(generation, name)
    return generation


def _name_generation(number: int, name: str) -> None:
    _generations[int(number)] = name


def _generation_names() -> Mapping[int, str]:
    return _generations.copy()


def _number_of_mark(generation: int, argument: str) -> int:
    if not isinstance(generation, int):
        raise TypeError(f"{argument} must be what mark() returned, not {type(generation).__name__}")
    if generation < 0:
        raise ValueError(f"{argument} must be what mark() returned, not {int(generation)}")
    return int(generation)


_MOST_LABELS = 65_535
_OTHER_LABELS = 0xFFFF_FFFF  # no label's: without a GIL some numbers are drawn in vain

_labels: dict[str, Label] = {}


class Label:
    """What is allocated in a ``with`` block, or in calls of a function, is for *name*.

    Made by :func:`label`. May be entered any number of times, also at once, by any threads and tasks.
    """

    __slots__ = ("__weakref__", "_number", "name")

    name: str
    """What statistics show."""

    _number: int

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"name must be a str, not {type(name).__name__}")
        if not name:
            raise ValueError("name must not be empty")
        self.name = name
        known = _labels.get(name)
        if known is not None:
            self._number = known._number
        elif len(_labels) >= _MOST_LABELS:
            self._number = _OTHER_LABELS
        else:
            self._number = _core.new_label()
            self._number = _labels.setdefault(name, self)._number

    def __enter__(self) -> Self:
        _core.enter_label(self._number)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _core.leave_label(self._number)

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

    Entering and leaving cost a microsecond or so. But each place that allocates has counters of
    its own for each label, some 100 bytes: label kinds of requests, not each single one. After 65,535
    different names all further ones count together as ``other labels``.

    A block that is allocated without the GIL has the label that its thread had when it last allocated
    with it. In sub-interpreters there are no labels.

    Raises TypeError when *name* is not a text, ValueError when it is empty.
    """
    try:
        return _labels[name]
    except (KeyError, TypeError):
        return Label(name)


def _label_names() -> Mapping[int, str]:
    return {0: "no label", _OTHER_LABELS: "other labels"} | {
        label._number: name for name, label in list(_labels.items())
    }


def _name_threads() -> None:
    """Name the threads in all snapshots of the running trace, as far as their names are known now."""
    main = os.getpid()
    running: dict[int | None, str] = {main: "MainThread"}
    ended: dict[int | None, str] = {}
    threading = sys.modules.get("threading")
    if threading is not None:
        for thread in threading.enumerate():
            _note_name(thread, running)
        if "t" in sys.abiflags:
            # Without a GIL a thread's name is not noted when it begins. Here are all Thread objects there are: weak
            # references, undocumented, so perhaps not there. No iteration of Python's: it fails when others add one.
            for reference in list(getattr(getattr(threading, "_dangling", None), "data", ())):
                _note_name(reference(), ended)
    _core.name_threads(main, running, ended)


def _note_name(thread: Thread | None, names: dict[int | None, str]) -> None:
    if thread is None:
        return
    try:
        # The first: what gevent makes of threads runs in another, which has begun before.
        names.setdefault(thread.native_id, str(thread.name))
    except Exception:  # a class of the program's, with a way of its own
        return
