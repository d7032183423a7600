"""Tracing from the start of the interpreter: ``-X memtrace[=NFRAME[,KEYWORD=VALUE]...[,SWITCH]...]`` and ``PYTHONMEMTRACE``.

``memtrace.pth`` imports this module while ``site`` runs, and only when one of the two was given. Whatever
is imported here is in the traced program too, so this module stays with what ``site`` has already loaded.
"""

from __future__ import annotations

import os
import sys

from memtrace import start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_OPTION = "memtrace"
_RECORDING_OPTION = "memtrace_run"
_SERVING_OPTION = "memtrace_serve"
_VARIABLE = "PYTHONMEMTRACE"
_MAX_NFRAME = 65535
_MAX_DIGITS = 20
_KEYWORDS = {"sample": "sample_interval", "max_memory": "max_memory", "seed": "seed", "timeline": "timeline"}
_SWITCHES = ("label_tasks", "timeline")

_begun = False


class RequestError(ValueError):
    """The option or the variable holds something that start() cannot be told."""


def begin() -> None:
    """Start tracing as the interpreter's options or its environment ask.

    A virtual environment may process ``memtrace.pth`` twice: a second call does nothing. An invalid
    value writes one line to standard error and ends the process with status 1, as ``-X tracemalloc=x``
    does; an exception would be printed by ``site``, which then runs the program untraced.
    """
    global _begun
    if _begun:
        return
    _begun = True
    try:
        request = requested()
    except RequestError as error:
        _fail(str(error))
    if request is None:
        return
    recording = sys._xoptions.get(_RECORDING_OPTION)
    if isinstance(recording, str):
        # `memtrace run` wants this process and no other: interpreters hand their -X options on to children.
        del sys._xoptions[_RECORDING_OPTION]
        sys._xoptions.pop(_OPTION, None)
        from memtrace.cli.recording import Recording

        Recording.from_option(recording).write_at_exit()
    serving = sys._xoptions.pop(_SERVING_OPTION, None)
    if isinstance(serving, str):  # so does `memtrace top --run`
        sys._xoptions.pop(_OPTION, None)
    try:
        start(request[0], **request[1])
        if isinstance(serving, str):
            from memtrace._serve import serve

            interval, _, path = serving.partition(",")
            serve(path, float(interval))
    except Exception as error:
        _fail(f"memtrace cannot start: {error}")


def requested() -> tuple[int, dict[str, Any]] | None:
    """Return the number of frames and the keywords for start(), None when nothing asks for tracing.

    ``-X memtrace`` comes before ``PYTHONMEMTRACE``, which ``-E`` and ``-I`` ignore and which means
    nothing when it is empty. Raises RequestError with a text that names where the value came from.
    """
    if _OPTION in sys._xoptions:
        value = sys._xoptions[_OPTION]
        return (1, {}) if value is True else _parse(f"-X {_OPTION}=NFRAME", value)
    value = "" if sys.flags.ignore_environment else os.environ.get(_VARIABLE, "")
    return _parse(_VARIABLE, value)


def _parse(source: str, text: str) -> tuple[int, dict[str, Any]] | None:
    first, *others = text.split(",")
    keywords: dict[str, Any] = {}
    if others or "=" in first:
        if "=" in first:  # the number of frames may be left out before keywords
            others.insert(0, first)
            first = "1"
        keywords = _parse_keywords(source, others)
    nframe = _parse_nframe(source, first)
    return (nframe, keywords) if nframe else None


def _parse_keywords(source: str, texts: list[str]) -> dict[str, Any]:
    from memtrace import _options

    keywords: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        keyword = text if text in _SWITCHES else _KEYWORDS.get(name) if equals else None
        if keyword is None:
            known = ", ".join([*(f"{name}=" for name in _KEYWORDS), *_SWITCHES])
            raise RequestError(f"{source}: invalid option: {_quoted(text)}, which is none of {known}")
        if keyword in keywords:
            raise RequestError(f"{source}: {name} is given twice")
        if not equals:
            keywords[keyword] = True
        elif keyword == "timeline":
            keywords[keyword] = _seconds(value)
        elif keyword == "seed" and value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS:
            keywords[keyword] = int(value)
        else:
            keywords[keyword] = value
    try:
        _options.start(**keywords)
    except (TypeError, ValueError) as error:
        raise RequestError(f"{source}: {error}") from None
    return keywords


def _seconds(text: str) -> float | str:
    """Return the number that *text* is, or *text*, for whoever checks keywords to refuse."""
    try:
        return float(text)
    except ValueError:
        return text


def _parse_nframe(source: str, text: str) -> int:
    if not text:  # also `-X memtrace=`, which is 0 for tracemalloc
        return 0
    if not (text.isascii() and text.isdigit()):
        raise RequestError(f"{source}: invalid number of frames: {_quoted(text)}")
    digits = text.lstrip("0")
    if len(digits) > len(str(_MAX_NFRAME)) or int(digits or "0") > _MAX_NFRAME:
        raise RequestError(f"{source}: the number of frames must be in range [0; {_MAX_NFRAME}]: {_quoted(text)}")
    return int(digits or "0")


def _quoted(text: str) -> str:
    """Return *text* as an ASCII literal on one line, cut when it is long."""
    return ascii(text if len(text) <= 40 else text[:40] + "...")


def _fail(reason: str) -> NoReturn:
    # sys.stderr does not flush on the way out of os._exit().
    os.write(2, f"Fatal Python error: {reason}\n".encode("utf-8", "backslashreplace"))
    os._exit(1)
