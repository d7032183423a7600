"""Marks: moments that divide what was allocated into generations."""

from __future__ import annotations

from memtrace import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_names: dict[int, str] = {}


class Generation(int):
    """What is allocated from one mark to the next: its number, which rises with each mark, and its name."""

    __slots__ = ()

    @property
    def name(self) -> str | None:
        """The name that the mark was given."""
        return _names.get(self)

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
        _names[int(generation)] = name
    return generation


def _generation_names() -> Mapping[int, str]:
    return _names.copy()


def _number_of(generation: int, argument: str) -> int:
    if not isinstance(generation, int):
        raise TypeError(f"{argument} must be what mark() returned, not {type(generation).__name__}")
    if generation < 0:
        raise ValueError(f"{argument} must be what mark() returned, not {int(generation)}")
    return int(generation)
