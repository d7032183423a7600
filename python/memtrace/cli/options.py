"""The options that every report takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

import memtrace
from memtrace.reports.selection import (
    CUMULATIVE_KEYS,
    GROUP_KEYS,
    Selection,
    alternatives,
    parse_filter,
    parse_label,
    parse_thread,
)

_GROUPS = (
    click.option(
        "-g",
        "--group-by",
        type=click.Choice(GROUP_KEYS),
        default="lineno",
        show_default=True,
        help="What blocks have in common that are counted together.",
    ),
    click.option(
        "-c",
        "--cumulative",
        is_flag=True,
        help="Count a block for every frame of its traceback, not only for the one that allocated it "
        "(by filename, lineno, function or module).",
    ),
)
_FILTERS = (
    click.option(
        "-f",
        "--filter",
        "filters",
        multiple=True,
        metavar="[!]PATTERN[:LINE]",
        help="Keep blocks allocated in files that match PATTERN (* ? [a-z]), '!' leaves them out. "
        "May be given more than once, as the next three may: any match keeps, any '!' match leaves out.",
    ),
    click.option("--all-frames", is_flag=True, help="Let --filter match any frame of the traceback."),
    click.option("--domain", "domains", multiple=True, metavar="[!]DOMAIN", help="Keep blocks of a domain: 0, numpy."),
    click.option(
        "--thread",
        "threads",
        multiple=True,
        metavar="[!]THREAD",
        help="Keep blocks of a thread: its name or native id.",
    ),
    click.option("--label", "labels", multiple=True, metavar="[!]PATTERN", help="Keep blocks with a label."),
    click.option("--since", metavar="MARK", help="Keep blocks allocated after a mark: its name or number."),
    click.option("--at-peak", is_flag=True, help="Show what was live at the peak, not at the end."),
    click.option(
        "--user-code", is_flag=True, help="Leave out the standard library, installed packages and the import system."
    ),
)
_LIMIT = click.option(
    "-l",
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="Show at most N groups.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON, sizes in bytes.")


def selection_options(*, groups: bool = True, limit: bool = True, json: bool = True) -> Callable[..., Any]:
    """Return a decorator that adds the options of all reports; the command gets a ``selection`` for them.

    Without *groups* or *limit* where those mean nothing. With *json* the command gets ``as_json``, too.
    """
    options = [*(_GROUPS if groups else ()), *_FILTERS, *([_LIMIT] if limit else []), *([_JSON] if json else [])]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def with_selection(
            *,
            group_by: str = "lineno",
            cumulative: bool = False,
            filters: tuple[str, ...],
            all_frames: bool,
            threads: tuple[str, ...],
            labels: tuple[str, ...],
            domains: tuple[str, ...],
            since: str | None,
            at_peak: bool,
            user_code: bool,
            limit: int = 10,
            **others: Any,
        ) -> None:
            if cumulative and group_by not in CUMULATIVE_KEYS:
                raise click.BadParameter(
                    f"cannot be used with --group-by {group_by}.", param_hint="'-c' / '--cumulative'"
                )
            chosen = _parsed_filters(filters, all_frames, threads, labels, user_code)
            command(selection=Selection(group_by, cumulative, chosen, domains, since, at_peak, limit), **others)

        decorated: Callable[..., None] = with_selection
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


def _parsed_filters(
    filters: Sequence[str], all_frames: bool, threads: Sequence[str], labels: Sequence[str], user_code: bool
) -> tuple[memtrace.BaseFilter, ...]:
    """Return what the options keep. Those of one option are alternatives, what several options ask for must all hold."""
    kinds: list[tuple[str, Sequence[str], Callable[[str], memtrace.BaseFilter]]] = [
        ("'-f' / '--filter'", filters, lambda text: parse_filter(text, all_frames)),
        ("'--thread'", threads, parse_thread),
        ("'--label'", labels, parse_label),
    ]
    chosen: list[memtrace.BaseFilter] = []
    for hint, texts, parse in kinds:
        try:
            chosen += alternatives([parse(text) for text in texts])
        except ValueError as error:
            raise click.BadParameter(f"{error}.", param_hint=hint) from None
    if user_code:
        chosen.append(memtrace.Filter.user_code())
    return tuple(chosen)
