"""The names of domains."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_DOMAIN = 0xFFFF_FFFF

# Those of the libraries that report their blocks to tracemalloc; 0 is what Python's own allocators give out.
_names = {0: "python", 389047: "numpy", 414141: "cykhash", 424242: "pandas"}


def register_domain(domain: int, name: str) -> None:
    """Give a *domain* a *name*, by which reports show it and :class:`DomainFilter` finds it.

    *domain* is a number from 0 to 4,294,967,295, *name* a text that is not empty and not all digits;
    an earlier name of the domain is replaced. Raises ValueError when another domain has the name.
    Known from the start: 0 is ``python``, 389047 ``numpy``, 424242 ``pandas``, 414141 ``cykhash``.
    """
    if not isinstance(domain, int):
        raise TypeError(f"domain must be an integer, not {type(domain).__name__}")
    if not 0 <= domain <= _MAX_DOMAIN:
        raise ValueError(f"domain must be in range [0; {_MAX_DOMAIN}], not {domain}")
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, not {type(name).__name__}")
    if not name or name.isdigit():
        raise ValueError(f"name must be a text that is not empty and no number, not {name!r}")
    for other, present in list(_names.items()):
        if present == name and other != domain:
            raise ValueError(f"name {name!r} is that of domain {other}")
    _names[domain] = name


def _domain_of(domain: int | str) -> int:
    """Return the number of the domain that has this name, or these digits; a number is returned as it is."""
    if not isinstance(domain, str):
        return domain
    if domain.isascii() and domain.isdigit():
        return int(domain)
    for number, name in list(_names.items()):
        if name == domain:
            return number
    known = ", ".join(sorted(_names.values()))
    raise ValueError(f"unknown domain {domain!r}: register_domain() gives a domain its name; there are {known}")


def _all_names() -> Mapping[int, str]:
    return _names.copy()
