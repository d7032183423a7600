"""Which traces a snapshot keeps."""

from __future__ import annotations

import os

from memtrace._domains import _domain_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtrace._types import FilterTuple, TraceTuple

_PACKAGE_PREFIX = __file__.rpartition(os.sep)[0] + os.sep
_PACKAGE_FILE = _PACKAGE_PREFIX + "__init__.py"


def _normalize_filename(filename: str | os.PathLike[str]) -> str:
    name = os.path.normcase(filename)
    return name[:-1] if name.endswith(".pyc") else name


class BaseFilter:
    """What all filters have: *inclusive* says whether matching traces are kept or left out."""

    inclusive: bool
    """True keeps the traces that match, False leaves them out."""

    def __init__(self, inclusive: bool) -> None:
        self.inclusive = inclusive

    def _match(self, trace: TraceTuple) -> bool:
        """Return whether this filter, taken alone, keeps the trace."""
        raise TypeError(f"{type(self).__name__} does not say what it matches")


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

    def _native(self) -> FilterTuple:
        pattern = self._filename_pattern
        if pattern == _PACKAGE_FILE:
            from glob import escape

            pattern = escape(_PACKAGE_PREFIX) + "*"
        return (bool(self.inclusive), pattern, self.lineno, bool(self.all_frames), self.domain)


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

    def _native(self) -> FilterTuple:
        return (bool(self.inclusive), None, None, False, self.domain)


def _native_filters(filters: Sequence[BaseFilter]) -> list[FilterTuple] | None:
    """Return the filters as the native library takes them.

    None when one of them has no such form: a filter of the caller's own class, or one that
    compares with something else than an integer.
    """
    forms = []
    for one in filters:
        if type(one) is not Filter and type(one) is not DomainFilter:
            return None
        form = one._native()
        _, pattern, lineno, _, domain = form
        if not _is_native_number(lineno) or not _is_native_number(domain):
            return None
        if pattern is None and domain is None:
            return None
        forms.append(form)
    return forms


def _is_native_number(value: object) -> bool:
    return value is None or (isinstance(value, int) and -(2**63) <= value < 2**63)


def _keeps(filters: Sequence[BaseFilter], trace: TraceTuple) -> bool:
    """Return whether the filters together keep the trace."""
    include = [one for one in filters if one.inclusive]
    if include and not any(one._match(trace) for one in include):
        return False
    return all(one._match(trace) for one in filters if not one.inclusive)
