"""Which traces a snapshot keeps."""

from __future__ import annotations

import os

from memtrace._domains import _domain_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from memtrace._combined_filter import CombinedFilter
    from memtrace._snapshot import Snapshot
    from memtrace._types import FilterForm, TraceTuple

_PACKAGE_PREFIX = __file__.rpartition(os.sep)[0] + os.sep
_PACKAGE_FILE = _PACKAGE_PREFIX + "__init__.py"


def _normalize_filename(filename: str | os.PathLike[str]) -> str:
    name = os.path.normcase(filename)
    return name[:-1] if name.endswith(".pyc") else name


class BaseFilter:
    """What all filters have: *inclusive* says whether matching traces are kept or left out.

    ``a & b``, ``a | b`` and ``~a`` are filters, too: see :class:`CombinedFilter`.
    """

    inclusive: bool
    """True keeps the traces that match, False leaves them out."""

    def __init__(self, inclusive: bool) -> None:
        self.inclusive = inclusive

    def _match(self, trace: TraceTuple) -> bool:
        """Return whether this filter, taken alone, keeps the trace."""
        raise TypeError(f"{type(self).__name__} does not say what it matches")

    def _form(self, forms: _Forms) -> FilterForm | None:
        """Return the filter as the native library takes it; None when only :meth:`_match` can tell."""
        return None

    def _value(self) -> tuple[Any, ...]:
        """Return what makes the filter: of equal ones the same."""
        return type(self), vars(self)

    def __and__(self, other: BaseFilter) -> CombinedFilter:
        if not isinstance(other, BaseFilter):
            return NotImplemented
        from memtrace import CombinedFilter

        return CombinedFilter("&", self, other)

    def __or__(self, other: BaseFilter) -> CombinedFilter:
        if not isinstance(other, BaseFilter):
            return NotImplemented
        from memtrace import CombinedFilter

        return CombinedFilter("|", self, other)

    def __invert__(self) -> CombinedFilter:
        from memtrace import CombinedFilter

        return CombinedFilter("~", self)

    def __repr__(self) -> str:
        shown = (
            f"{name.lstrip('_')}={value!r}"
            for name, value in vars(self).items()
            if name == "inclusive" or (value is not None and value is not False)
        )
        return f"{type(self).__name__}({', '.join(shown)})"


class Filter(BaseFilter):
    """Matches traces by the file names, and optionally a line number, of their frames.

    The pattern is that of :mod:`fnmatch`; ``.pyc`` at the end of a pattern or a file name counts
    as ``.py``. Without *all_frames* only the most recent frame is looked at. *domain* limits the
    filter to one domain, by number or name: an inclusive filter then keeps matching traces of that domain only, an
    exclusive one leaves out only those.

    The pattern ``memtrace.__file__`` stands for every file of the memtrace package.
    """

    lineno: int | None
    """The line number to match, or None for any."""

    all_frames: bool
    """Whether any frame of the traceback may match, not just the most recent."""

    domain: int | None
    """The number of the domain to match, or None for any."""

    def __init__(
        self,
        inclusive: bool,
        filename_pattern: str,
        lineno: int | None = None,
        all_frames: bool = False,
        domain: int | str | None = None,
    ) -> None:
        super().__init__(inclusive)
        self._filename_pattern = _normalize_filename(filename_pattern)
        self.lineno = lineno
        self.all_frames = all_frames
        self.domain = None if domain is None else _domain_of(domain)

    @property
    def filename_pattern(self) -> str:
        """The pattern for file names, with ``.pyc`` at its end replaced by ``.py``."""
        return self._filename_pattern

    def _match_filename(self, filename: str) -> bool:
        from fnmatch import fnmatch

        filename = _normalize_filename(filename)
        if self._filename_pattern == _PACKAGE_FILE:
            return filename.startswith(_PACKAGE_PREFIX)
        return fnmatch(filename, self._filename_pattern)

    def _match_frame_impl(self, filename: str, lineno: int) -> bool:
        return self._match_filename(filename) and (self.lineno is None or lineno == self.lineno)

    def _match_frame(self, filename: str, lineno: int) -> bool:
        return self._match_frame_impl(filename, lineno) ^ (not self.inclusive)

    def _match_traceback(self, traceback: Sequence[tuple[str, int]]) -> bool:
        frames = traceback if self.all_frames else traceback[:1]
        return any(self._match_frame_impl(*frame) for frame in frames) ^ (not self.inclusive)

    def _match(self, trace: TraceTuple) -> bool:
        matched = self._match_traceback(trace[2])
        if self.domain is None:
            return matched
        if self.inclusive:
            return matched and trace[0] == self.domain
        return matched or trace[0] != self.domain

    def _form(self, forms: _Forms) -> FilterForm | None:
        if type(self) is not Filter or not _are_native_numbers(self.lineno, self.domain):
            return None
        pattern = self._filename_pattern
        if pattern == _PACKAGE_FILE:
            from glob import escape

            pattern = escape(_PACKAGE_PREFIX) + "*"
        return "file", bool(self.inclusive), pattern, self.lineno, bool(self.all_frames), self.domain

    @staticmethod
    def user_code(imports: bool = False) -> CombinedFilter:
        """Return a filter that keeps what the user's own code has allocated, not what libraries have.

        It keeps a trace whose most recent frame is in none of these:

        - the standard library: where this process has it, any ``lib/python3.*`` folder, and
          ``<frozen ...>``;
        - installed packages: where this process has them, and any folder ``site-packages`` or
          ``dist-packages``;
        - memtrace, and ``<unknown>``, which is where no Python code was running.

        And which, unless *imports* is true, does not pass through the import system: modules, classes
        and functions that are made when a module is imported stay as long as the program runs, and so
        do the tables at its top level. A tracer that was started with few frames cannot see that a
        trace has passed there, and such a trace is kept.

        What a library allocates on behalf of user code is the library's. Code that was generated, in
        ``<string>``, is the user's. An application that is itself an installed package is kept by
        ``Filter.user_code() | PackageFilter(True, "app")``.
        """
        from memtrace._user_code import user_code

        return user_code(bool(imports))


class DomainFilter(BaseFilter):
    """Matches traces by their domain, which is given by its number or its name.

    Raises ValueError for a name that no domain has; see :func:`register_domain`.
    """

    def __init__(self, inclusive: bool, domain: int | str) -> None:
        super().__init__(inclusive)
        self._domain = _domain_of(domain)

    @property
    def domain(self) -> int:
        """The number of the domain to match."""
        return self._domain

    def _match(self, trace: TraceTuple) -> bool:
        return (trace[0] == self.domain) ^ (not self.inclusive)

    def _form(self, forms: _Forms) -> FilterForm | None:
        if type(self) is not DomainFilter or self.domain is None or not _are_native_numbers(self.domain):
            return None
        return "domain", bool(self.inclusive), self.domain


def _are_native_numbers(*values: object) -> bool:
    """Return whether the native library can compare with these: not with a float, or what has no bound."""
    return all(value is None or (isinstance(value, int) and -(2**63) <= value < 2**63) for value in values)


class _Forms:
    """Filters in the form in which the native library takes them, for one snapshot."""

    names = False
    """Whether names take part that this process may know: of modules, labels."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._tuples: Sequence[TraceTuple] | None = None

    def of(self, one: BaseFilter) -> FilterForm:
        # A class of the caller's own may derive from any of ours.
        is_ours = getattr(type(one), "_match", None) in (BaseFilter._match, Filter._match, DomainFilter._match)
        form = one._form(self) if is_ours else None
        return self._of_class_of_ones_own(one) if form is None else form

    def _of_class_of_ones_own(self, one: BaseFilter) -> FilterForm:
        inclusive = bool(one.inclusive)
        if self._tuples is None:
            self._tuples = self._snapshot.traces._traces
        return "blocks", inclusive, bytes(bool(one._match(trace)) == inclusive for trace in self._tuples)
