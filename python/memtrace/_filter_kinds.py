"""Filters by what tracemalloc does not know: functions, modules, labels, threads, generations, sizes."""

from __future__ import annotations

from memtrace._filters import BaseFilter
from memtrace._size import _parse_size
from memtrace._tags import _number_of_mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtrace._filters import _Forms
    from memtrace._types import FilterForm

_MOST = 2**64 - 1


def _check_text(value: object, argument: str) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be a str, not {type(value).__name__}")


class _ValueFilter(BaseFilter):
    """What tracemalloc's filters are not: equal to those that say the same."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BaseFilter):
            return NotImplemented
        return self._value() == other._value()

    def __hash__(self) -> int:
        return hash(type(self))  # the rest may be assigned


class _NameFilter(_ValueFilter):
    _name_of: str  # 'function' or 'module'

    pattern: str
    """The pattern for names, as in :mod:`fnmatch`."""

    all_frames: bool
    """Whether any frame of the traceback may match, not just the most recent."""

    def __init__(self, inclusive: bool, pattern: str, all_frames: bool = False) -> None:
        _check_text(pattern, "pattern")
        super().__init__(inclusive)
        self.pattern = pattern
        self.all_frames = all_frames

    def _form(self, forms: _Forms) -> FilterForm:
        forms.names = True
        return self._name_of, bool(self.inclusive), (self.pattern,), bool(self.all_frames)


class FunctionFilter(_NameFilter):
    """Matches traces by the function of their frames.

    *pattern* is one of :mod:`fnmatch`, for names as ``statistics('function')`` shows them: the module and
    the qualified name, as in ``app.cache.Cache.put`` or ``app.views.show.<locals>.key``. Without
    *all_frames* only the most recent frame is looked at. Raises TypeError when *pattern* is no text.
    """

    _name_of = "function"


class ModuleFilter(_NameFilter):
    """Matches traces by the module of their frames.

    *pattern* is one of :mod:`fnmatch`, for names as ``statistics('module')`` shows them, as in
    ``app.cache``. Without *all_frames* only the most recent frame is looked at. Raises TypeError when
    *pattern* is no text.
    """

    _name_of = "module"


class PackageFilter(_ValueFilter):
    """Matches traces by the package of their frames: *package* itself and all modules below it.

    The name is meant as it is, with dots where the package is inside of another: ``app.models`` matches
    ``app.models`` and ``app.models.user``, but not ``app.models_old``. Without *all_frames* only the
    most recent frame is looked at. Raises TypeError when *package* is no text, ValueError when it is
    empty.
    """

    package: str
    """The name of the package."""

    all_frames: bool
    """Whether any frame of the traceback may match, not just the most recent."""

    def __init__(self, inclusive: bool, package: str, all_frames: bool = False) -> None:
        _check_text(package, "package")
        if not package:
            raise ValueError("package must not be empty")
        super().__init__(inclusive)
        self.package = package
        self.all_frames = all_frames

    def _form(self, forms: _Forms) -> FilterForm:
        from glob import escape

        forms.names = True
        name = escape(self.package)
        return "module", bool(self.inclusive), (name, f"{name}.*"), bool(self.all_frames)


class _TagFilter(_ValueFilter):
    _tag: str

    pattern: str
    """The pattern for names, as in :mod:`fnmatch`."""

    def __init__(self, inclusive: bool, pattern: str) -> None:
        _check_text(pattern, "pattern")
        super().__init__(inclusive)
        self.pattern = pattern

    def _form(self, forms: _Forms) -> FilterForm:
        forms.names = True
        return "tag", bool(self.inclusive), self._tag, self.pattern


class LabelFilter(_TagFilter):
    """Matches traces by the label under which they were allocated: see :func:`label`.

    *pattern* is one of :mod:`fnmatch`, for names as ``statistics('label')`` shows them; what was
    allocated under none has ``no label``. Raises TypeError when *pattern* is no text.
    """

    _tag = "label"


class TypeFilter(_TagFilter):
    """Matches traces by the type of the object that the block holds.

    *pattern* is one of :mod:`fnmatch`, for names as ``statistics('type')`` shows them, as in
    ``app.models.User``. Raises TypeError when *pattern* is no text; :meth:`Snapshot.filter_traces` raises
    ValueError when the snapshot was taken without types.
    """

    _tag = "type"


class ThreadFilter(_ValueFilter):
    """Matches traces by the thread that has allocated them.

    *thread* is a pattern of :mod:`fnmatch` for the thread's name, without the native id that
    ``statistics('thread')`` shows behind it; or that native id, an integer. An era tells 511 threads apart;
    all further ones are ``other threads``. Raises TypeError when *thread* is neither, ValueError when it
    is no native id.
    """

    thread: str | int
    """The pattern for names, or the native id."""

    def __init__(self, inclusive: bool, thread: str | int) -> None:
        if not isinstance(thread, str | int):
            raise TypeError(f"thread must be a pattern for names or a native id, not {type(thread).__name__}")
        if isinstance(thread, int) and not 0 <= thread <= _MOST:
            raise ValueError(f"thread must be a native id, which is not negative and has 64 bits, not {thread}")
        super().__init__(inclusive)
        self.thread = thread

    def _form(self, forms: _Forms) -> FilterForm:
        return "thread", bool(self.inclusive), self.thread


class GenerationFilter(_ValueFilter):
    """Matches what was allocated after *mark*, and before the mark *end* if that is given.

    Both are what :func:`mark` returned. So ``GenerationFilter(True, mark)`` keeps what
    :meth:`Snapshot.since` does, and with *end* what :meth:`Snapshot.between` does. Raises TypeError
    for anything else, ValueError when *end* is the earlier mark.
    """

    mark: int
    """The first generation that matches."""

    end: int | None
    """The generation before which the last one ends that matches, or None for no end."""

    def __init__(self, inclusive: bool, mark: int, end: int | None = None) -> None:
        super().__init__(inclusive)
        self.mark = _number_of_mark(mark, "mark")
        self.end = None if end is None else _number_of_mark(end, "end")
        if self.end is not None and self.end < self.mark:
            raise ValueError(f"end must be a later mark than mark, not {self.end} after {self.mark}")

    def _form(self, forms: _Forms) -> FilterForm:
        end = _MOST if self.end is None else self.end
        return "generation", bool(self.inclusive), min(self.mark, _MOST), min(end, _MOST)


class SizeFilter(_ValueFilter):
    """Matches blocks by their size in bytes: at least *min*, at most *max*, both included.

    Sizes are numbers of bytes or texts such as ``4 KiB``, with the units B, KiB, MiB, GiB and TiB. Single
    blocks are looked at, not what a place has allocated together: :meth:`Snapshot.filter_traces` raises
    ValueError when the snapshot was taken with ``blocks=False``. Raises TypeError when neither is given
    or one is no size, ValueError when it is negative or *max* is below *min*.
    """

    min: int | None
    """The smallest size that matches, in bytes, or None for any."""

    max: int | None
    """The largest size that matches, in bytes, or None for any."""

    def __init__(self, inclusive: bool, min: int | str | None = None, max: int | str | None = None) -> None:
        if min is None and max is None:
            raise TypeError("SizeFilter takes min, max or both")
        super().__init__(inclusive)
        self.min = None if min is None else _parse_size(min, "min")
        self.max = None if max is None else _parse_size(max, "max")
        if self.min is not None and self.max is not None and self.max < self.min:
            raise ValueError(f"max must be at least min, {self.min}, not {self.max}")

    def _form(self, forms: _Forms) -> FilterForm:
        least = 0 if self.min is None else self.min
        most = _MOST if self.max is None else self.max
        return "size", bool(self.inclusive), min(least, _MOST), min(most, _MOST)
