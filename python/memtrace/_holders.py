"""Who holds an object: chains of references from what lives by itself, a module or a frame, to the object."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple, cast, overload

from memtrace import _core
from memtrace._statistic import Statistic, StatisticDiff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from memtrace._types import ChainTuple

_SAMPLES = 100  # objects of a statistic that are looked at

# What is between "held by" and the name.
_ROOTS = {
    "module": "module {!r}",
    "frame": "frame of {}",
    "caller": "the caller, {}",
    "stack": "a value that {} works with",
    "thread": "thread {}",
    "C": "C code",
    "cycle": "only a reference cycle: it waits for the garbage collector",
}
_NAMED = frozenset({"attribute", "local", "closure variable", "global", "default of argument", "context variable"})
# Links whose names differ from one object of a leak to the next.
_PLACES = frozenset({"index", "value of key", "key", "member"})


class Root(NamedTuple):
    """Where a chain begins: what lives without being held by an object."""

    kind: str
    """``module``; ``frame`` of a call that is running, ``caller`` the one that asks; ``stack``, what such a call works
    with under no name; ``thread``, what a thread has besides frames; ``C``, references that no object explains; or
    ``cycle``: nothing, the chain goes round."""

    name: str
    """Of the module or the thread; the function and the place where it is; empty for C code and cycles."""

    def __str__(self) -> str:
        return _ROOTS[self.kind].format(self.name)


class Link(NamedTuple):
    """One reference of a chain: by what, and what kind of object it leads to."""

    kind: str
    """``attribute``, ``value of key``, ``index``, ``closure variable``, ``local`` and others; ``reference`` where C
    code has it without a name."""

    name: str
    """The attribute, variable or index; the key as Python shows it, or its type; empty where there is none."""

    type_name: str
    """The object's type, with its module."""

    object_name: str
    """What the object itself is called: the qualified name of a function or class, else empty."""

    address: int
    """The object's :func:`id`. Another object may have it by now."""

    def __str__(self) -> str:
        target = f"{self.type_name} {self.object_name}" if self.object_name else self.type_name
        return f"{self._step()} -> {target}"

    def _step(self) -> str:
        if not self.name:
            return self.kind
        return f"{self.kind} {self.name!r}" if self.kind in _NAMED else f"{self.kind} {self.name}"


class Chain:
    """References from a root to an object, each held by the one before.

    A sequence of its :class:`Link` objects; the last leads to the object that was asked for. Holds text alone, so it
    keeps nothing alive. ``print(chain)`` shows it, a link a line.
    """

    __slots__ = ("_head", "count", "links", "root", "skipped")

    root: Root
    """What the chain begins at."""

    links: tuple[Link, ...]
    """Its links, without those in the middle of a chain that is longer than was asked for."""

    skipped: int
    """How many objects were left out in the middle."""

    count: int
    """Number of objects of a statistic that are held in this way; 1 otherwise."""

    def __init__(self, root: Root, links: Iterable[Link], skipped: int = 0, count: int = 1) -> None:
        self.root = root
        self.links = tuple(links)
        self.skipped = skipped
        self.count = count
        self._head = len(self.links) // 2

    @classmethod
    def _from_native(cls, native: ChainTuple) -> Chain:
        kind, name, head, skipped, links = native
        chain = cls(Root(kind, name), map(Link._make, links), skipped)
        chain._head = head
        return chain

    def __len__(self) -> int:
        return len(self.links)

    def __iter__(self) -> Iterator[Link]:
        return iter(self.links)

    @overload
    def __getitem__(self, index: int) -> Link: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Link, ...]: ...
    def __getitem__(self, index: int | slice) -> Link | tuple[Link, ...]:
        return self.links[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Chain):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.root, self.links))

    def to_dict(self) -> dict[str, Any]:
        """Return the chain as dictionaries, lists, texts and numbers, for JSON."""
        return {
            "root": self.root._asdict(),
            "links": [link._asdict() for link in self.links],
            "skipped": self.skipped,
            "count": self.count,
        }

    def __str__(self) -> str:
        lines = [f"    {link}" for link in self.links]
        if self.skipped:
            lines.insert(self._head, f"    ... {self.skipped} objects ...")
        first = str(self.root) if self.count == 1 else f"{self.count} objects: {self.root}"
        return "\n".join([first, *lines])

    def __repr__(self) -> str:
        target = self.links[-1].type_name if self.links else "?"
        return f"<Chain of {len(self.links) + self.skipped} links from {self.root} to {target}>"

    def _shape(self) -> tuple[Any, ...]:
        steps = ((link.kind, "" if link.kind in _PLACES else link.name, link.type_name) for link in self.links)
        return self.root, *steps


def holders(target: object, *, limit: int = 3, max_depth: int = 32) -> list[Chain]:
    """Return why *target* is still alive: shortest chains of references from roots to it::

        for chain in memtrace.holders(session):
            print(chain)    # module 'shop'
                            #     attribute 'sessions' -> dict
                            #     value of key 'ann' -> shop.Session

    At most *limit* chains, each from another direct holder of the object. First those that begin at a
    module, a thread, or a frame of another thread, the shortest first; then at a frame of this thread;
    then at references that no object explains, which C code has; last at the frame of the caller,
    which needs to hold the object to ask. Where there is nothing but the caller, or not even that, a
    chain with the root ``cycle`` tells of a reference cycle that waits for the garbage collector. An
    empty list: nothing but this call holds it. Of a chain of more than *max_depth* links half are of
    its beginning and half of its end.

    Of a :class:`Statistic` of a snapshot of the running trace, up to 100 of the objects behind it are
    looked at, and of each its shortest chain; chains that differ in nothing but keys and indexes are
    one, with their number as :attr:`Chain.count`, the most frequent first.

    Looks at all objects of the interpreter, about a second for a million, and holds the GIL meanwhile
    (without one, all threads stop). Nothing of the program runs, no reference count changes, nothing
    is kept. May be called from any thread, traced or not. Without a GIL neither what C code holds nor
    what only garbage holds is found.

    Raises TypeError when *limit* or *max_depth* is not an int, ValueError when *limit* is less than 1
    or *max_depth* less than 2.
    """
    limit = _at_least(1, limit, "limit")
    max_depth = _at_least(2, max_depth, "max_depth")
    # Not isinstance(), which asks the object for its __class__.
    if issubclass(type(target), Statistic | StatisticDiff):
        return _of_statistic(cast("Statistic | StatisticDiff", target), limit, max_depth)
    # The list alone holds it for us: a reference of this frame's could not be told from one that counts.
    targets = [target]
    del target
    (chains,) = _core.find_holders(targets, limit, max_depth, 1)
    return [Chain._from_native(chain) for chain in chains]


def _of_statistic(statistic: Statistic | StatisticDiff, limit: int, max_depth: int) -> list[Chain]:
    objects = import_module("memtrace._objects")._objects_behind(None, statistic, _SAMPLES)
    found = _core.find_holders(objects, 1, max_depth, 2)
    del objects
    groups: dict[tuple[Any, ...], Chain] = {}
    for chains in found:
        for native in chains:
            chain = Chain._from_native(native)
            first = groups.setdefault(chain._shape(), chain)
            if first is not chain:
                first.count += 1
    return sorted(groups.values(), key=lambda chain: -chain.count)[:limit]


def _at_least(least: int, value: int, argument: str) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{argument} must be an int, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{argument} must be at least {least}, not {int(value)}")
    return min(int(value), 1 << 31)
