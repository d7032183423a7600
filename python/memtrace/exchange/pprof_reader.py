"""Snapshots from pprof files of live memory: those of memtrace, of Go's heap profiles and the like.

Rows with exact counts and sizes: no single blocks. What was allocated in all becomes what has come and gone, of which
nobody knows what was temporary. A file may come from anywhere: what it makes this process do is bounded by its size.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

import memtrace
from memtrace import _core
from memtrace.exchange.formats import messages

_GZIP = b"\x1f\x8b"
# As in snapshot files: a small file cannot ask for much memory.
_FREE_EXPANSION = 1 << 20
_MOST_EXPANSION = 64
_FREE_FRAMES = 1 << 20
_FRAMES_IN_BYTE = 16
_MOST_FRAMES = 65_535  # of a snapshot's tracebacks
_LIVE = (("inuse_objects", "inuse_space"), ("objects", "space"))
_ALLOCATED = ("alloc_objects", "alloc_space")
_NO_TYPE = "<unknown>"
_LARGEST_LINE = (1 << 31) - 1
_LARGEST_TAG = (1 << 32) - 1
_LARGEST_INTERVAL = 1 << 62

_Labels = dict[str, str | int]
_Pair = tuple[int, int]
_TagNumbers = tuple[int, int, int, int]


def read(data: bytes) -> memtrace.Snapshot:
    """Return the snapshot of what is in use, and was allocated, in a profile.

    Labels ``thread``, ``label``, ``generation``, ``domain`` and ``type`` become those of the rows; all others are left
    out. Raises ValueError when *data* is damaged, when it is no profile of live memory, and when it asks for memory out
    of proportion to its size; MissingLibraryError without protobuf.
    """
    try:
        return _Reader(_decompressed(data)).snapshot()
    except ValueError as error:
        raise ValueError(f"not a pprof profile of live memory: {error}") from None


def _decompressed(data: bytes) -> bytes:
    if data[:2] != _GZIP:
        return data
    most = _FREE_EXPANSION + _MOST_EXPANSION * len(data)
    parts: list[bytes] = []
    size = 0
    while data:
        decompressor = zlib.decompressobj(wbits=31)
        try:
            parts.append(decompressor.decompress(data, most - size + 1))
        except zlib.error as error:
            raise ValueError(f"it does not decompress: {error}") from None
        size += len(parts[-1])
        if size > most:
            raise ValueError(f"it expands to more than {_MOST_EXPANSION} times its size")
        if not decompressor.eof:
            raise ValueError("its compressed data ends early")
        data = decompressor.unused_data  # gzip files may be joined
    return b"".join(parts)


class _Reader:
    def __init__(self, data: bytes) -> None:
        try:
            self._profile = messages().PprofProfile.FromString(data)
        except messages().DecodeError:
            raise ValueError("it is damaged, or no message of protobuf") from None
        # Of other profilers, whose names need not be UTF-8.
        self._strings: list[str] = [text.decode("utf-8", "backslashreplace") for text in self._profile.string_table]
        self._builder = _core.RowBuilder()
        functions = {function.id: self._function(function) for function in self._profile.function}
        self._frames = {location.id: self._frames_of(location, functions) for location in self._profile.location}
        # One byte may stand for a location, and that for many inlined frames.
        self._frames_left = _FREE_FRAMES + _FRAMES_IN_BYTE * len(data)
        self._tags: dict[str, _Numbers | _NamedNumbers] = {
            "domain": _NamedNumbers(_domain_number),
            "generation": _NamedNumbers(_first_mark),
            "thread": _Numbers("other threads"),
            "label": _Numbers("no label"),
        }
        self._churn: dict[tuple[int, _TagNumbers], _Churn] = {}
        self._traceback_limit = 1

    def snapshot(self) -> memtrace.Snapshot:
        kinds = [self._string(kind.type) for kind in self._profile.sample_type]
        live, allocated = _values_of(kinds)
        has_types = any(self._string(label.key) == "type" for sample in self._profile.sample for label in sample.label)
        for sample in self._profile.sample:
            if len(sample.value) != len(kinds):
                raise ValueError("a sample has another number of values than there are sample types")
            self._add(sample, live, allocated, has_types)
        for (traceback, tags), churn in self._churn.items():
            self._builder.add_churn(traceback, tags, churn.allocated, churn.freed(), (0, 0))
        seconds = max(self._profile.duration_nanos, 0) / 1e9 if allocated else None
        native = self._builder.build(self._traceback_limit, self._interval() or 0, seconds)
        for tag, numbers in self._tags.items():
            native.set_names(tag, numbers.names(), True)
        return memtrace.Snapshot._from_native(native, native.traceback_limit)

    def _interval(self) -> int | None:
        """Return the sampling interval, None where each block was recorded."""
        period = self._profile.period
        is_of_bytes = self._string(self._profile.period_type.type) == "space"
        return period if is_of_bytes and 1 < period < _LARGEST_INTERVAL else None

    def _add(self, sample: Any, live: _Pair, allocated: _Pair | None, has_types: bool) -> None:
        amount = _amount(sample.value, live)
        amount_allocated = (0, 0) if allocated is None else _amount(sample.value, allocated)
        if not amount[0] and not amount_allocated[0]:
            return
        labels = {self._string(each.key): self._string(each.str) or each.num for each in sample.label}
        traceback = self._traceback(sample.location_id)
        domain, generation, thread, label = (each.number(labels, tag) for tag, each in self._tags.items())
        tags = domain, generation, thread, label
        if amount[0]:
            type_name = str(labels.get("type") or _NO_TYPE) if has_types else None
            self._builder.add(traceback, tags, type_name, amount)
        if allocated is not None:
            churn = self._churn.setdefault((traceback, tags), _Churn())
            churn.allocated = _sum(churn.allocated, amount_allocated)
            churn.live = _sum(churn.live, amount)

    def _traceback(self, locations: Sequence[int]) -> int:
        """Return the number of the traceback whose most recent frames are those of the first location."""
        frames: list[int] = []
        for location in locations:
            places = self._frames.get(location)
            if places is None:
                raise ValueError("a location is referred to that does not exist")
            frames += places
            if len(frames) > _MOST_FRAMES:
                raise ValueError(f"a sample has more than {_MOST_FRAMES} frames")
        self._frames_left -= len(frames)
        if self._frames_left < 0:
            raise ValueError("all samples together have too many frames for its size")
        self._traceback_limit = max(self._traceback_limit, len(frames))
        return self._builder.traceback(frames[::-1] or [self._builder.frame("<unknown>")])

    def _function(self, function: Any) -> tuple[str, str]:
        name = self._string(function.name) or self._string(function.system_name)
        return name, self._string(function.filename)

    def _frames_of(self, location: Any, functions: dict[int, tuple[str, str]]) -> list[int]:
        """Return the frames of a location, the most recent first: inlined calls come before."""
        frames = [self._frame(line, *functions.get(line.function_id, ("", ""))) for line in location.line]
        place = f"0x{location.address:x}" if location.address else "<unknown>"
        return frames or [self._builder.frame(place)]

    def _frame(self, line: Any, name: str, filename: str) -> int:
        return self._builder.frame(
            filename or name or "<unknown>",
            name if filename and name != filename else "",
            line.line if 0 <= line.line <= _LARGEST_LINE else 0,
            colno=line.column - 1 if 0 < line.column <= _LARGEST_LINE else -1,
        )

    def _string(self, number: int) -> str:
        if number == 0:
            return ""
        if not 0 < number < len(self._strings):
            raise ValueError("a text is referred to that does not exist")
        return self._strings[number]


def _values_of(kinds: Sequence[str]) -> tuple[_Pair, _Pair | None]:
    """Return which values of a sample are blocks and bytes: of what is in use, and of what was allocated in all."""
    if not kinds:
        raise ValueError("it has no sample types")
    pairs = [
        (kinds.index(count), kinds.index(size)) if count in kinds and size in kinds else None
        for count, size in (*_LIVE, _ALLOCATED)
    ]
    live = pairs[0] or pairs[1]
    if live is None:
        shown = ", ".join(map(repr, kinds[:10]))
        raise ValueError(
            f"its sample types are {shown}, and neither inuse_objects and inuse_space nor objects and space"
        )
    return live, pairs[2]


def _amount(values: Sequence[int], places: _Pair) -> _Pair:
    """Return blocks and bytes of a sample."""
    count, size = (values[place] for place in places)
    if count < 0 or size < 0:
        raise ValueError("a sample is negative: is this a difference of two profiles?")
    if size and not count:
        raise ValueError("a sample has bytes and no objects")
    return count, size


def _sum(first: _Pair, second: _Pair) -> _Pair:
    return first[0] + second[0], first[1] + second[1]


class _Churn:
    """What was allocated in all and what is live of one place, both as blocks and bytes."""

    __slots__ = ("allocated", "live")

    def __init__(self) -> None:
        self.allocated: _Pair = (0, 0)
        self.live: _Pair = (0, 0)

    def freed(self) -> _Pair:
        """Return what is no longer live; nothing where more is live than was allocated."""
        return max(self.allocated[0] - self.live[0], 0), max(self.allocated[1] - self.live[1], 0)


class _Numbers:
    """Numbers for the texts of threads or labels, from 1; nothing has 0."""

    def __init__(self, nothing: str) -> None:
        self._numbers: dict[str, int] = {}
        self._nothing = nothing

    def number(self, labels: _Labels, tag: str) -> int:
        """Return the number of a sample's text."""
        text = labels.get(tag)
        return 0 if text is None else self._numbers.setdefault(str(text), len(self._numbers) + 1)

    def names(self) -> dict[int, str]:
        """Return the texts by number; for 0, too, when there are any."""
        return {0: self._nothing, **{number: text for text, number in self._numbers.items()}} if self._numbers else {}


class _NamedNumbers:
    """Domains or marks, which have numbers, and some of them names."""

    def __init__(self, guess: Callable[[str], int]) -> None:
        """*guess* says which number a name may have that comes without one."""
        self._names: dict[int, str] = {}
        self._guess = guess

    def number(self, labels: _Labels, tag: str) -> int:
        """Return the number that a sample says, or that its name is given."""
        text, number = labels.get(tag), labels.get(f"{tag}_number")
        if text is None or isinstance(text, int):
            return text if text is not None and 0 <= text <= _LARGEST_TAG else 0
        if not isinstance(number, int) or not 0 <= number <= _LARGEST_TAG:
            number = int(text) if _is_number(text) else self._guess(text)
            while self._names.get(number, text) != text:
                number = (number + 1) & _LARGEST_TAG
        if not _is_number(text):
            self._names[number] = text
        return number

    def names(self) -> dict[int, str]:
        """Return the names by number."""
        return self._names


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _LARGEST_TAG


def _domain_number(text: str) -> int:
    from memtrace._domains import _all_names

    return next((number for number, name in _all_names().items() if name == text), crc32(text.encode()))


def _first_mark(text: str) -> int:
    return 1
