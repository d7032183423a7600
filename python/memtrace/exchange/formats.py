"""The formats that a snapshot can be written in, and what they are called."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from memtrace.exchange.records import Records


class MissingLibraryError(Exception):
    """A format needs a library that is not installed; says which extra has it."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f"needs {library}: pip install 'memtrace-python[{extra}]'")


def messages() -> ModuleType:
    """Return the module of protobuf's messages. Raises MissingLibraryError where protobuf is not installed."""
    try:
        return import_module("memtrace.exchange.messages")
    except ImportError:
        raise MissingLibraryError("protobuf", "export") from None


class Format(NamedTuple):
    """One format: how its files end, and the function of this package that makes them."""

    suffixes: tuple[str, ...]
    encoder: str

    def encode(self, records: Records, title: str) -> bytes:
        """Return a file with what the records hold; *title* says where they come from.

        Raises MissingLibraryError where an optional library is not installed.
        """
        module, _, function = self.encoder.partition(":")
        encoded: bytes = getattr(import_module(f"memtrace.exchange.{module}"), function)(records, title)
        return encoded


FORMATS = {
    "pprof": Format((".pb.gz", ".pprof"), "pprof:encode"),
    "speedscope": Format((".speedscope.json", ".speedscope"), "speedscope:encode"),
    "collapsed": Format((".collapsed", ".folded"), "collapsed:encode_bytes"),
    "collapsed-blocks": Format((), "collapsed:encode_blocks"),
    "chrome": Format((".heapprofile",), "chrome:encode"),
    "dhat": Format((".dhat.json", ".dhat"), "dhat:encode"),
    "csv": Format((".csv",), "tables:encode_csv"),
    "json": Format((".json",), "tables:encode_json"),
    "arrow": Format((".arrow", ".feather"), "tables:encode_arrow"),
    "parquet": Format((".parquet",), "tables:encode_parquet"),
    "otlp": Format((".otlp",), "otlp:encode"),
}
"""By name, in the order in which help shows them."""

MEMTRACE = "memtrace"
"""The format of snapshot files, which is not made of records."""
MEMTRACE_SUFFIX = ".mtrace"


def format_of(path: Path) -> str | None:
    """Return the name of the format that files such as *path* have, None when nothing says."""
    name = path.name.lower()
    known = {suffix: each for each, (suffixes, _) in FORMATS.items() for suffix in suffixes}
    known[MEMTRACE_SUFFIX] = MEMTRACE
    longest_first = sorted(known, key=len, reverse=True)
    return next((known[suffix] for suffix in longest_first if name.endswith(suffix)), None)
