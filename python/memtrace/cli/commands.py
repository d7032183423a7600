"""The group of commands, each loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module

import click

# A command NAME is the function `command` of the module memtrace.cli.NAME, in the order of the help.
_COMMANDS = (
    "run",
    "stats",
    "diff",
    "tree",
    "flamegraph",
    "annotate",
    "timeline",
    "browse",
    "top",
    "info",
    "convert",
    "merge",
    "completion",
)


class _LazyGroup(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"memtrace.cli.{name}").command
        return command


def _print_version(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    from importlib.metadata import version

    click.echo(f"memtrace {version('memtrace-python')}")
    context.exit()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def memtrace() -> None:
    """Trace the memory of Python programs and look at what was recorded.

    \b
    Example:
      python -m memtrace run -o app.mtrace app.py --port 8000
      python -m memtrace stats app.mtrace --group-by filename
    """
