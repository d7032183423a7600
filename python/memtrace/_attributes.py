"""The attributes that were set on a snapshot, as bytes in its file.

A version, the length of a text, the text, which is JSON, and what it refers to as bytes, one behind the other. What
JSON has no form for is an object of two members, its kind and its value. Reading makes nothing but built-in values,
whatever the bytes say.
"""

from __future__ import annotations

import json
from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_VERSION = 1
_HEAD = Struct("<HQ")  # version, length of the text
_KIND, _VALUE = "kind", "value"
_MOST_NESTED = 100
_LARGEST_PLAIN = (1 << 53) - 1  # every reader of JSON has it


def encode(attributes: dict[str, Any]) -> bytes:
    """Return *attributes* as bytes; TypeError when one is not made of built-in values."""
    if not attributes:
        return b""
    parts: list[bytes] = []
    tree = {name: _form(value, parts, 0) for name, value in attributes.items()}
    text = json.dumps([tree, [len(part) for part in parts]]).encode()
    return b"".join([_HEAD.pack(_VERSION, len(text)), text, *parts])


def decode(data: bytes) -> dict[str, Any]:
    """Return what encode() was given; ValueError when *data* is something else."""
    if not data:
        return {}
    try:
        version, length = _HEAD.unpack_from(data)
        if version != _VERSION:
            raise ValueError("they are of another version")
        begin = _HEAD.size + length
        tree, lengths = json.loads(data[_HEAD.size : begin])
        parts = []
        for length in lengths:
            parts.append(data[begin : begin + length])
            begin += length
        if begin != len(data):
            raise ValueError("they end too early or too late")
        return {name: _value(form, parts) for name, form in tree.items()}
    except Exception as error:
        raise ValueError(f"its attributes cannot be read: {error}") from None


def _form(value: Any, parts: list[bytes], depth: int) -> Any:
    """Return what stands for *value* in JSON, what is bytes put behind *parts*."""
    if depth > _MOST_NESTED:
        raise ValueError(f"a snapshot file cannot hold an attribute that is nested more than {_MOST_NESTED} deep")
    kind = type(value)
    if value is None or kind in (bool, float, str) or (kind is int and abs(value) <= _LARGEST_PLAIN):
        return value
    if kind is list:
        return [_form(each, parts, depth + 1) for each in value]
    return {_KIND: kind.__name__, _VALUE: _form_of_kind(kind, value, parts, depth + 1)}


def _form_of_kind(kind: type, value: Any, parts: list[bytes], depth: int) -> Any:
    if kind is int:
        return hex(value)
    if kind is complex:
        return [value.real, value.imag]
    if kind in (bytes, bytearray):
        parts.append(bytes(value))
        return len(parts) - 1
    if kind is dict:
        return [[_form(key, parts, depth), _form(each, parts, depth)] for key, each in value.items()]
    if kind in (tuple, set, frozenset):
        return [_form(each, parts, depth) for each in value]
    raise TypeError(f"a snapshot file cannot hold an attribute of type {kind.__name__}")


_READERS: dict[str, Callable[[Any, list[bytes]], Any]] = {
    "int": lambda form, parts: int(form, 16),
    "complex": lambda form, parts: complex(*form),
    "bytes": lambda form, parts: parts[form],
    "bytearray": lambda form, parts: bytearray(parts[form]),
    "dict": lambda form, parts: {_value(key, parts): _value(each, parts) for key, each in form},
    "tuple": lambda form, parts: tuple(_value(each, parts) for each in form),
    "set": lambda form, parts: {_value(each, parts) for each in form},
    "frozenset": lambda form, parts: frozenset(_value(each, parts) for each in form),
}


def _value(form: Any, parts: list[bytes]) -> Any:
    if isinstance(form, list):
        return [_value(each, parts) for each in form]
    if isinstance(form, dict):
        return _READERS[form[_KIND]](form[_VALUE], parts)
    return form
