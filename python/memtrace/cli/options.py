"""The options that every report takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from memtrace.reports.selection import CUMULATIVE_KEYS, GROUP_KEYS, Selection, parse_filter

_OPTIONS = (
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
        "(not by traceback).",
    ),
    click.option(
        "-f",
        "--filter",
        "filters",
        multiple=True,
        metavar="[!]PATTERN[:LINE]",
        help="Keep blocks allocated in files that match PATTERN (* ? [a-z]), '!' leaves them out. "
        "May be given more than once: any match keeps, any '!' match leaves out.",
    ),
    click.option("--all-frames", is_flag=True, help="Let filters match any frame of the traceback."),
    click.option(
        "-l",
        "--limit",
        type=click.IntRange(min=0),
        default=10,
        show_default=True,
        metavar="N",
        help="Show at most N groups.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Write JSON, sizes in bytes."),
)


def selection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of all reports to *command*, which gets a ``selection`` and ``as_json`` for them."""

    @wraps(command)
    def with_selection(
        *, group_by: str, cumulative: bool, filters: tuple[str, ...], all_frames: bool, limit: int, **others: Any
    ) -> None:
        command(selection=_make_selection(group_by, cumulative, filters, all_frames, limit), **others)

    decorated = with_selection
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _make_selection(
    group_by: str, cumulative: bool, filters: tuple[str, ...], all_frames: bool, limit: int
) -> Selection:
    """Return what the options select. Raises a usage error when they contradict each other."""
    if cumulative and group_by not in CUMULATIVE_KEYS:
        raise click.BadParameter(f"cannot be used with --group-by {group_by}.", param_hint="'-c' / '--cumulative'")
    try:
        parsed = tuple(parse_filter(text, all_frames) for text in filters)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="'-f' / '--filter'") from None
    return Selection(group_by, cumulative, parsed, limit)
