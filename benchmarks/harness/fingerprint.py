"""A short digest of what a program computed, equal when the results are equal.

Plain data counts by value. Of any other object only the type counts (its address and repr
differ from process to process), and of a generator or coroutine also whether it has finished.
"""

import hashlib
import inspect
from collections.abc import Iterator
from types import CoroutineType, GeneratorType

MAX_ITEMS = 50_000
MAX_DEPTH = 50


def fingerprint(value: object) -> str:
    """Return 16 hexadecimal digits; only the first `MAX_ITEMS` items of a large value count."""
    digest = hashlib.sha256()
    for index, token in enumerate(_tokens(value, 0)):
        if index == MAX_ITEMS:
            break
        digest.update(token.encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def _tokens(value: object, depth: int) -> Iterator[str]:
    kind = type(value).__qualname__
    match value:
        case None | bool() | float() | complex() | str() | bytes() | bytearray():
            yield f"{kind} {value!r}"
        case int():
            yield f"{kind} {value:x}"
        case list() | tuple() if depth < MAX_DEPTH:
            yield f"{kind} {len(value)}"
            for item in value:
                yield from _tokens(item, depth + 1)
        case dict() if depth < MAX_DEPTH:
            yield f"{kind} {len(value)}"
            for key, item in value.items():
                yield from _tokens(key, depth + 1)
                yield from _tokens(item, depth + 1)
        case set() | frozenset() if depth < MAX_DEPTH:
            yield f"{kind} {len(value)}"
            yield from sorted(fingerprint(item) for item in value)
        case GeneratorType():
            yield f"{kind} {inspect.getgeneratorstate(value)}"
        case CoroutineType():
            yield f"{kind} {inspect.getcoroutinestate(value)}"
        case _:
            yield kind
