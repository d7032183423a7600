"""All traced blocks at one instant."""

from __future__ import annotations

import os
from _collections_abc import Iterable
from _weakref import ref

from memtrace import _core
from memtrace._domains import _all_names
from memtrace._filters import _Forms
from memtrace._statistic import Statistic, StatisticDiff
from memtrace._tags import Generation, _generation_names, _label_names, _number_of_mark
from memtrace._trace import _BlockTraces, _Traces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Self

    from memtrace._churn import ChurnStatistic
    from memtrace._filters import BaseFilter
    from memtrace._timeline import TimelinePoint
    from memtrace._types import TraceTuple

_NAME_KEYS = ("function", "module")
_CUMULATIVE_KEYS = ("lineno", "filename", *_NAME_KEYS)
_TAG_KEYS = ("domain", "generation", "thread", "label", "type")
_KEYS = ("traceback", *_TAG_KEYS, *_CUMULATIVE_KEYS)
_NAMED_KEYS = frozenset((*_TAG_KEYS, *_NAME_KEYS))
_NO_END = 1 << 32  # above all generations


class Snapshot:
    """The traced blocks of one instant; a value that later frees and stop() do not change.

    Made by :func:`take_snapshot`, by :meth:`load`, or from trace tuples ``(domain, size, frames,
    total_nframe)`` whose frames are ``(filename, lineno)`` tuples, most recent first. Further
    attributes can be set on it and are kept by :meth:`dump`. Its methods may be called from
    several threads at once.
    """

    __slots__ = ("__dict__", "__weakref__", "_in_process", "_native", "_peak", "_points", "_view", "traceback_limit")

    traceback_limit: int
    """Largest number of frames that the tracer kept of a traceback."""

    _view: _Traces | None
    _native: _core.Snapshot | None  # None: the traces of _view, not read yet
    _in_process: bool  # sys.modules is that of the traced program
    _peak: Snapshot | None
    _points: Sequence[tuple[int, int, int, int]]  # those of the timeline, with nanoseconds

    def __init__(self, traces: Sequence[TraceTuple], traceback_limit: int) -> None:
        self.traceback_limit = traceback_limit
        self._view = _Traces(traces.copy() if isinstance(traces, list) else traces)
        self._native = None
        self._in_process = False
        self._peak = None
        self._points = ()

    @classmethod
    def _from_native(cls, native: _core.Snapshot, traceback_limit: int, in_process: bool = False) -> Self:
        self = cls.__new__(cls)
        self.traceback_limit = traceback_limit
        self._view = None
        self._native = native
        self._in_process = in_process
        self._peak = None
        self._points = ()
        return self

    @property
    def traces(self) -> _Traces:
        """A sequence of all blocks as :class:`Trace` objects, which are made when looked at.

        Raises ValueError when the snapshot was taken with ``blocks=False``.
        """
        view = self._view
        if view is None:
            view = self._view = _BlockTraces(self._to_native())
        return view

    @traces.setter
    def traces(self, traces: _Traces) -> None:
        self._view = traces
        self._native = None

    @property
    def peak(self) -> Snapshot | None:
        """What was live at the peak of the recorded program, without a peak of its own; None when nobody has set it.

        ``memtrace run`` does, and :meth:`dump` keeps it, without attributes.
        """
        return self._peak

    @peak.setter
    def peak(self, peak: Snapshot | None) -> None:
        if peak is not None and not isinstance(peak, Snapshot):
            raise TypeError(f"peak must be a Snapshot or None, not {type(peak).__name__}")
        self._peak = peak

    @property
    def timeline(self) -> tuple[TimelinePoint, ...]:
        """How much memory the recorded program had, and when, as :func:`timeline` says; empty when nobody has set it.

        ``memtrace run`` does, and :meth:`dump` keeps it.
        """
        from memtrace._timeline import TimelinePoint

        return tuple(TimelinePoint(nanoseconds / 1e9, *sizes) for nanoseconds, *sizes in self._points)

    @timeline.setter
    def timeline(self, points: Iterable[TimelinePoint]) -> None:
        self._points = [(round(seconds * 1e9), *sizes) for seconds, *sizes in points]  # type: ignore[misc]

    @property
    def dropped(self) -> int:
        """Number of blocks that the tracer had no memory to record and that are missing here."""
        return self._to_native().dropped

    @property
    def sample_interval(self) -> int | None:
        """Mean distance, in allocated bytes, of the samples that it is made of; None when each block was traced.

        Sizes and counts of statistics are estimates then, and :attr:`traces` are the sampled blocks with
        their own sizes.
        """
        return self._to_native().sample_interval or None

    @property
    def mark(self) -> Generation | None:
        """The generation that began at its moment, if :func:`take_snapshot` was told to mark it."""
        mark = self._to_native().mark
        return Generation(mark) if mark else None

    def statistics(self, key_type: str | tuple[str, str], cumulative: bool = False) -> list[Statistic]:
        """Return the live memory by group, largest first.

        *key_type* says what makes a group: ``'filename'``, ``'lineno'``, ``'function'`` or
        ``'module'`` of the most recent frame, the whole ``'traceback'``, or the ``'domain'``,
        ``'generation'`` (see :func:`mark`), ``'label'`` (see :func:`label`) or ``'thread'``, which
        has its name and, in brackets, its native id; after 511 threads all further ones are
        ``other threads``. By ``'type'`` it is the type of the Python object that a block is, or is a
        part of, of a snapshot that was taken with ``types=True``. One of the first four and one of the last
        five, as a tuple, make groups of what has both in common. With *cumulative* every frame of a
        traceback counts, which only the first four allow. Raises ValueError for any other key type.
        Needs no blocks.
        """
        keys = _checked_keys(key_type, cumulative)
        return self._named(keys).statistics(keys, bool(cumulative), Statistic, self._origin(keys, cumulative))

    def compare_to(
        self, old_snapshot: Snapshot, key_type: str | tuple[str, str], cumulative: bool = False
    ) -> list[StatisticDiff]:
        """Return what changed since *old_snapshot* by group, the largest change first.

        *key_type* and *cumulative* are those of :meth:`statistics`. Where the old snapshot was taken
        with ``mark=True`` and the new one later in the same trace, the differences tell what has
        survived, what is new and what is dead: see :class:`StatisticDiff`.
        """
        keys = _checked_keys(key_type, cumulative)
        new, old = self._named(keys), old_snapshot._named(keys)
        return new.compare(old, keys, bool(cumulative), StatisticDiff, self._origin(keys, cumulative))

    def objects(self, statistic: Statistic | StatisticDiff, limit: int = 100) -> list[object]:
        """Return live Python objects behind a row of :meth:`statistics` or :meth:`compare_to`.

        At most *limit*, in no order, of those that are alive now: also what has been allocated at the same
        place since. A list or dictionary is there as well for what it has grown by. Objects that only C
        code refers to are not, since nobody can tell whether they are complete.

        Raises ValueError when the statistic is of another snapshot, or the snapshot not of the running
        trace.
        """
        from memtrace._objects import _objects_behind

        return _objects_behind(self, statistic, limit)

    def churn(
        self,
        key_type: str | tuple[str, str] = "lineno",
        cumulative: bool = False,
        *,
        since: Snapshot | None = None,
    ) -> list[ChurnStatistic]:
        """Return what has come and gone by group, the group that allocated the most bytes first.

        Everything from start() or :func:`clear_traces` to this snapshot counts, or what happened
        after *since*, an earlier snapshot of the same trace. *key_type* and *cumulative* are those of
        :meth:`statistics`, but for ``'type'``. Needs no blocks. Raises ValueError when *since* is anything else, and for
        snapshots that do not know: those of peaks, of trace tuples and from tracemalloc's files, and
        what filters left that are not memtrace's own.
        """
        keys = _checked_keys(key_type, cumulative)
        if since is not None and not isinstance(since, Snapshot):
            raise TypeError(f"since must be a Snapshot or None, not {type(since).__name__}")
        from memtrace._churn import ChurnStatistic

        earlier = None if since is None else since._to_native()
        origin = self._origin(keys, cumulative)
        return self._named(keys).churn(earlier, keys, bool(cumulative), ChurnStatistic, origin)

    def filter_traces(self, filters: Iterable[BaseFilter]) -> Snapshot:
        """Return a new snapshot of the blocks that the filters keep.

        A block is kept when any of the inclusive filters matches it, or there is none, and when no
        exclusive filter does. Without filters all blocks are kept. A combined filter, such as
        ``a & ~b``, counts as one inclusive filter.

        Raises ValueError where a filter looks at what the snapshot does not have: sizes of blocks
        with ``blocks=False``, or types.
        """
        if not isinstance(filters, Iterable):
            raise TypeError(f"filters must be a list of filters, not {type(filters).__name__}")
        forms = _Forms(self)
        chosen = [forms.of(one) for one in filters]
        native = self._complete_native() if forms.names else self._to_native()
        return Snapshot._from_native(native.filter_traces(chosen), self.traceback_limit, self._in_process)

    def since(self, mark: int) -> Snapshot:
        """Return a new snapshot of the blocks that were allocated after a mark, and are still alive.

        *mark* is what :func:`mark` returned; TypeError for anything else.
        """
        return self._of_generations(_number_of_mark(mark, "mark"), _NO_END)

    def between(self, first: int, second: int) -> Snapshot:
        """Return a new snapshot of the blocks that were allocated between two marks, and are still alive.

        Raises ValueError when *second* is the earlier mark.
        """
        begin, end = _number_of_mark(first, "first"), _number_of_mark(second, "second")
        if end < begin:
            raise ValueError(f"second must be a later mark than first, not {end} after {begin}")
        return self._of_generations(begin, end)

    def _of_generations(self, first: int, end: int) -> Snapshot:
        native = self._to_native().select_generations(min(first, _NO_END), min(end, _NO_END))
        return Snapshot._from_native(native, self.traceback_limit, self._in_process)

    def dump(self, filename: str | bytes | os.PathLike[Any] | int) -> None:
        """Write the snapshot and the attributes set on it into a file.

        The file appears whole or not at all. Raises OSError as :func:`open` does, and TypeError
        when an attribute is not made of built-in values.
        """
        native, extras = self._complete_native(), self._extras(self._encoded_attributes())
        if isinstance(filename, int):
            with open(filename, "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(native.to_bytes(extras))
        else:
            native.dump(filename, extras)

    @staticmethod
    def load(filename: str | bytes | os.PathLike[Any] | int) -> Snapshot:
        """Return the snapshot that :meth:`dump`, or tracemalloc's, wrote into a file.

        Runs no code of the file's. Raises OSError as :func:`open` does, and ValueError naming the
        file and the offset when it is damaged or no snapshot.
        """
        with open(filename, "rb") as file:  # noqa: PTH123 - or a descriptor
            data = file.read()
        try:
            return Snapshot._from_bytes(data)
        except ValueError as error:
            name = filename if isinstance(filename, int) else os.fsdecode(filename)
            raise ValueError(f"{name}: {error}") from None

    @staticmethod
    def _from_bytes(data: bytes) -> Snapshot:
        from memtrace import _tracemalloc_pickle

        if _tracemalloc_pickle.looks_like_pickle(data):
            native, attributes = _tracemalloc_pickle.read(data)
            snapshot = Snapshot._from_native(native, native.traceback_limit)
        else:
            from memtrace._attributes import decode

            native, (encoded, peak, points) = _core.Snapshot.from_bytes(data)
            attributes = decode(encoded)
            snapshot = Snapshot._from_native(native, attributes.pop("traceback_limit", native.traceback_limit))
            snapshot._read_extras(peak, points)
        snapshot.__dict__.update(attributes)
        return snapshot

    def _extras(self, attributes: bytes) -> tuple[bytes, bytes, bytes]:
        """Return what goes into a file beside the snapshot. Imports nothing: a program that ends may forbid it."""
        peak = b"" if self._peak is None else self._peak._complete_native().to_bytes((b"", b"", b""))
        return attributes, peak, b"".join(number.to_bytes(8, "little") for point in self._points for number in point)

    def _read_extras(self, peak: bytes, points: bytes) -> None:
        if peak:
            native, _ = _core.Snapshot.from_bytes(peak)
            self._peak = Snapshot._from_native(native, native.traceback_limit)
        numbers = [int.from_bytes(points[at : at + 8], "little") for at in range(0, len(points), 8)]
        if len(points) % 32:
            raise ValueError("its timeline is damaged")
        self._points = list(zip(*[iter(numbers)] * 4, strict=True))

    def _encoded_attributes(self) -> bytes:
        attributes = dict(self.__dict__)
        if self.traceback_limit != self._to_native().traceback_limit:
            attributes["traceback_limit"] = self.traceback_limit  # assigned afterwards
        if not attributes:
            return b""
        from memtrace._attributes import encode

        return encode(attributes)

    def _to_native(self) -> _core.Snapshot:
        if self._native is None:
            assert self._view is not None
            self._native = _core.Snapshot.from_traces(self._view._traces, self.traceback_limit)
        return self._native

    def _names(self, tag: str) -> dict[int, str]:
        """Return the names of the domains, generations, threads or labels that have some, by number."""
        return self._complete_native().names(tag)

    def _named(self, keys: tuple[str, ...]) -> _core.Snapshot:
        return self._to_native() if _NAMED_KEYS.isdisjoint(keys) else self._complete_native()

    def _origin(self, keys: tuple[str, ...], cumulative: bool) -> tuple[ref[Self], tuple[str, ...], bool] | None:
        return (ref(self), keys, bool(cumulative)) if self._in_process else None

    def _complete_native(self) -> _core.Snapshot:
        """Return the native snapshot, with what this process knows of the modules and domains in it."""
        native = self._to_native()
        native.set_names("domain", _all_names(), self._in_process)
        if self._in_process:
            native.set_names("generation", _generation_names(), True)
            native.set_names("label", _label_names(), False)
            from memtrace._modules import module_files

            native.set_modules(module_files())
        return native

    def _repr_html_(self) -> str:
        from memtrace._notebook import snapshot_table
        from memtrace.reports.html import render_html

        return render_html(snapshot_table(self, "memtrace snapshot"))

    def __copy__(self) -> Self:
        copied = self._copied()
        copied.__dict__.update(self.__dict__)
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        from copy import deepcopy

        copied = memo[id(self)] = self._copied()
        copied.__dict__.update(deepcopy(self.__dict__, memo))
        return copied

    def _copied(self) -> Self:
        copied = type(self)._from_native(self._to_native(), self.traceback_limit, self._in_process)
        copied._peak, copied._points = self._peak, self._points  # values both
        return copied

    def __getstate__(self) -> tuple[bytes, int, dict[str, Any]]:
        return self._complete_native().to_bytes(self._extras(b"")), self.traceback_limit, self.__dict__

    def __setstate__(self, state: tuple[bytes, int, dict[str, Any]] | dict[str, Any]) -> None:
        self._in_process = False
        self._peak = None
        self._points = ()
        if isinstance(state, dict):  # as tracemalloc pickles one
            attributes = dict(state)
            self._native = None
            self._view = attributes.pop("traces")
            self.traceback_limit = attributes.pop("traceback_limit")
        else:
            data, self.traceback_limit, attributes = state
            self._native, (_, peak, points) = _core.Snapshot.from_bytes(data)
            self._view = None
            self._read_extras(peak, points)
        self.__dict__.update(attributes)


def _checked_keys(key_type: str | tuple[str, str], cumulative: bool) -> tuple[str, ...]:
    if isinstance(key_type, tuple) and len(key_type) == 2:
        if not _is_pair(key_type):
            tags, frames = ", ".join(_TAG_KEYS), ", ".join(_CUMULATIVE_KEYS)
            raise ValueError(f"unknown key_type: {key_type!r}: a pair has one of {tags} and one of {frames}")
    elif key_type not in _KEYS:
        raise ValueError(f"unknown key_type: {key_type!r}")
    if cumulative and key_type not in _CUMULATIVE_KEYS:
        raise ValueError(f"cumulative mode cannot by used with key type {key_type!r}")
    return key_type if isinstance(key_type, tuple) else (key_type,)


def _is_pair(keys: tuple[str, ...]) -> bool:
    return any(tag in _TAG_KEYS and frames in _CUMULATIVE_KEYS for tag, frames in (keys, keys[::-1]))
