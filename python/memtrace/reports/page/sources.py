"""The source code around the lines that have memory."""

from __future__ import annotations

import linecache
from collections.abc import Mapping

from memtrace.reports.source import SOURCE_SUFFIXES, is_small_file
from memtrace.reports.text import printable

_AROUND = 4
_MOST_CHARACTERS = 1_000_000
_MOST_WIDTH = 400

Excerpt = tuple[int, list[str]]
"""The number of a line, from 1, and the lines from there on."""


def excerpts(lines: Mapping[str, Mapping[int, int]]) -> dict[str, list[Excerpt]]:
    """Return the lines that have memory, and those around, by file: as many as fit, the files with the most bytes first.

    A snapshot may name any file, and a page is made to be passed on: only what is called a source file of Python is
    read. Sources that the running program has registered with linecache, as notebooks do their cells, count too.
    """
    chosen: dict[str, list[Excerpt]] = {}
    left = _MOST_CHARACTERS
    for filename in sorted(lines, key=lambda name: (-sum(lines[name].values()), name)):
        if filename not in linecache.cache and not (filename.endswith(SOURCE_SUFFIXES) and is_small_file(filename)):
            continue
        found = _around(linecache.getlines(filename), lines[filename])
        left -= sum(len(line) + 1 for _, texts in found for line in texts)
        if left < 0:
            break
        if found:
            chosen[filename] = found
    return chosen


def _around(texts: list[str], lines: Mapping[int, int]) -> list[Excerpt]:
    found: list[Excerpt] = []
    end = 0  # the number of the line after the last excerpt
    for lineno in sorted(line for line in lines if 1 <= line <= len(texts)):
        first, stop = max(lineno - _AROUND, 1), min(lineno + _AROUND, len(texts)) + 1
        if end == 0 or first > end:
            found.append((first, []))
            end = first
        found[-1][1].extend(printable(text.rstrip())[:_MOST_WIDTH] for text in texts[end - 1 : stop - 1])
        end = max(end, stop)
    return found
