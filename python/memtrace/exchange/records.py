"""A snapshot taken apart: one record for each traceback, domain, generation, thread, label and type."""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple

import memtrace
from memtrace import _core

TAGS = ("domain", "generation", "thread", "label")
"""What churn is known by, too; a record may have a type besides."""


class Place(NamedTuple):
    """A frame with all that is known of it; the line is 0 when that is not, the others are None then."""

    filename: str
    lineno: int
    function: str | None = None
    end_lineno: int | None = None
    colno: int | None = None
    end_colno: int | None = None


class Tag(NamedTuple):
    """A domain, generation, thread, label or type: its number, and the text that statistics show for it."""

    number: int
    text: str


class Churn(NamedTuple):
    """What has come and gone. Sizes are in bytes; temporary blocks are None when nobody knows, as in samples."""

    allocated_size: int
    allocated_count: int
    freed_size: int
    freed_count: int
    temporary_size: int | None
    temporary_count: int | None


class Record(NamedTuple):
    """What was live of one place and one of each tag, and what has come and gone there."""

    frames: tuple[Place, ...]
    """The traceback, oldest frame first."""
    domain: Tag
    generation: Tag
    thread: Tag
    label: Tag
    type: str | None
    size: int
    """In bytes."""
    blocks: int
    """Number of them."""
    size_error: float
    """Standard error of *size*; 0 when each block was traced."""
    blocks_error: float
    churn: Churn | None
    """None where it is not known; of a snapshot with types it is in records without one."""


class Records(NamedTuple):
    """All records of a snapshot, largest first, and what the snapshot says of itself."""

    records: list[Record]
    has_churn: bool
    seconds: float
    """The time that the churn is of, 0 without one."""
    tags: frozenset[str]
    """The tags that tell records apart, ``type`` among them. A tag that is not here says nothing."""
    dropped: int
    sample_interval: int | None
    traceback_limit: int

    @property
    def size(self) -> int:
        """Live bytes."""
        return sum(record.size for record in self.records)

    @property
    def blocks(self) -> int:
        """Live blocks."""
        return sum(record.blocks for record in self.records)


def records_of(snapshot: memtrace.Snapshot) -> Records:
    """Return what *snapshot* is made of."""
    native = snapshot._complete_native()
    table = _Table(native)
    records = table.records({tag: native.names(tag) for tag in TAGS})
    records.sort(key=lambda record: (-record.size, -record.blocks))
    tags = {tag for tag in TAGS if any(table.columns[tag])}
    return Records(
        records,
        table.seconds is not None,
        table.seconds or 0.0,
        frozenset(tags | {"type"} if native.has_types else tags),
        native.dropped,
        native.sample_interval or None,
        native.traceback_limit,  # the snapshot's own may be anything, in a file that anybody wrote
    )


class _Table:
    """The rows of a snapshot, as columns; those of frames and stacks are by their numbers."""

    def __init__(self, native: _core.Snapshot) -> None:
        self._strings, views = _core.flatten(native)
        self.columns: dict[str, list[Any]] = {name: view.tolist() for name, view in views.items()}
        self.seconds = _core.churn_seconds(native)
        # Of samples nobody knows which blocks were temporary.
        self._knows_temporary = not (native.sample_interval or self.columns["size_variance"])
        self._stacks: dict[int, tuple[Place, ...]] = {}
        column = self.columns
        self._places = [
            Place(
                self._strings[filename],
                lineno,
                self._strings[function] or None,
                end_lineno or None,
                None if colno < 0 else colno,
                None if end_colno < 0 else end_colno,
            )
            for filename, lineno, function, end_lineno, colno, end_colno in zip(
                *(column[f"frame_{name}"] for name in ("filename", "lineno", "function")),
                *(column[f"frame_{name}"] for name in ("end_lineno", "colno", "end_colno")),
                strict=True,
            )
        ]

    def records(self, names: dict[str, dict[int, str]]) -> list[Record]:
        """Return a record for each row; *names* are those of the tags by number."""
        column = self.columns
        domains, generations, threads, labels = (self._tags(tag, names[tag]) for tag in TAGS)
        tags = zip(domains, generations, threads, labels, strict=True)
        count = len(column["stack"])
        variances = (column[name] or [0.0] * count for name in ("size_variance", "count_variance"))
        size_errors, count_errors = ([sqrt(variance) for variance in each] for each in variances)
        amounts = zip(column["size"], column["count"], size_errors, count_errors, self._churn(), strict=True)
        rows = zip(column["stack"], tags, column["type"], amounts, strict=True)
        return [
            Record(
                self._frames(stack),
                *tags_of_row,
                self._strings[type] if type else None,
                size,
                blocks,
                size_error,
                blocks_error,
                churn,
            )
            for stack, tags_of_row, type, (size, blocks, size_error, blocks_error, churn) in rows
        ]

    def _tags(self, tag: str, names: dict[int, str]) -> list[Tag]:
        numbers = self.columns[tag]
        made = {number: Tag(number, names.get(number) or str(number)) for number in set(numbers)}
        return [made[number] for number in numbers]

    def _churn(self) -> list[Churn | None]:
        if self.seconds is None:
            return [None] * len(self.columns["stack"])
        kinds = ("allocated", "freed", "temporary")
        amounts = zip(*(self.columns[f"{kind}_{name}"] for kind in kinds for name in ("size", "count")), strict=True)
        unknown = () if self._knows_temporary else (None, None)
        # Churn knows no types: a record that has one says nothing of it.
        return [
            None if type else Churn(*each[: 6 - len(unknown)], *unknown)
            for type, each in zip(self.columns["type"], amounts, strict=True)
        ]

    def _frames(self, stack: int) -> tuple[Place, ...]:
        found = self._stacks.get(stack)
        if found is None:
            parents, frames, places = self.columns["stack_parent"], self.columns["stack_frame"], self._places
            oldest_last = []
            frame = stack
            while frame:
                oldest_last.append(places[frames[frame]])
                frame = parents[frame]
            found = self._stacks[stack] = tuple(reversed(oldest_last))
        return found


def shown(records: Records, record: Record, tag: str) -> str | None:
    """Return the text for a tag of *record*, None where it says nothing: no label, before all marks, no such tag."""
    if tag not in records.tags:
        return None
    if tag == "type":
        return record.type
    found: Tag = getattr(record, tag)
    return None if found.number == 0 and tag in ("generation", "label") else found.text


def function_name(place: Place) -> str:
    """Return what stands for the function of a frame where there must be one: the file, where it is not known."""
    return place.function or place.filename or "<unknown>"


def frame_name(place: Place) -> str:
    """Return a frame as one text: ``function (file:line)``, or ``file:line`` where no function is known."""
    where = f"{place.filename}:{place.lineno}"
    return f"{place.function} ({where})" if place.function else where


def encodable(text: str) -> str:
    """Return *text* with lone surrogates, which UTF-8 has no form for, written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
