"""How this interpreter was started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_NAME_PROGRAM = "cm"
_TAKE_VALUE = "WX"


def interpreter_options(orig_argv: Sequence[str]) -> list[str]:
    """Return the interpreter's own options in *orig_argv* (``sys.orig_argv``), such as ``-O`` or ``-X dev``.

    Those are the words before the one that names the program, read as CPython reads them: letters may be
    joined (``-IX dev``), also to the ``-m`` that names the program (``-Im memtrace``), which is left out.
    """
    options: list[str] = []
    words = iter(orig_argv[1:])
    for word in words:
        if word in ("-", "--") or not word.startswith("-"):
            break
        if word.startswith("--"):  # --check-hash-based-pycs is the only one that does not end the interpreter
            options += [word, *_next(words)]
            continue
        for place, letter in enumerate(word[1:], start=1):
            if letter in _NAME_PROGRAM:
                return options + ([word[:place]] if place > 1 else [])
            if letter in _TAKE_VALUE:
                options.append(word)
                if place == len(word) - 1:
                    options += _next(words)
                break
        else:
            options.append(word)
    return options


def _next(words: Iterator[str]) -> list[str]:
    return [word for word in [next(words, None)] if word is not None]
