"""``memtrace top``: what a program holds while it runs.

Nothing is put into a process that has not asked for it. A program serves snapshots in a file by itself, with
memtrace.serve(), or is started by ``memtrace top --run``, which makes it do so: memtrace._serve has the reasons, and what a
program can notice of it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtrace.cli.browse import require_terminal
from memtrace.cli.options import selection_options

if TYPE_CHECKING:
    from memtrace.reports.selection import Selection

_DEFAULT_NFRAME = 25


@click.command(
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS]",
    short_help="Show what a program holds while it runs.",
)
@click.option("--run", is_flag=True, help="Start a program, and show what it holds until it ends or you leave.")
@click.option("-m", "as_module", is_flag=True, help="Run a module, as python -m does; implies --run.")
@click.option(
    "-n",
    "--nframe",
    type=click.IntRange(1, 65535),
    default=_DEFAULT_NFRAME,
    show_default=True,
    metavar="N",
    help="With --run, keep at most N frames of each traceback.",
)
@click.option(
    "-s", "--sample-interval", metavar="SIZE", help="With --run, sample blocks, one in SIZE allocated bytes on average."
)
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Look each so many seconds.",
)
@selection_options(limit=False, json=False)
@click.argument("file", metavar="(FILE | --run SCRIPT | -m MODULE)")
@click.argument("arguments", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
def command(
    run: bool,
    as_module: bool,
    nframe: int,
    sample_interval: str | None,
    interval: float,
    file: str,
    arguments: tuple[str, ...],
    selection: Selection,
) -> None:
    """Show what a program holds while it runs, and what has changed since the first look.

    FILE is a snapshot that is written again and again, as memtrace.serve(FILE) does in a program that calls it. With
    --run the program is started here and need not know: one thread more in it writes snapshots, its input is empty,
    and its output is shown below and, when you leave, written to standard output.

    \b
    Examples:
      python -m memtrace top /run/user/1000/app.mtrace
      python -m memtrace top --run app.py --port 8000
      python -m memtrace top --group-by function -m http.server
    """
    if not (run or as_module):
        _watch(Path(file), arguments, selection, interval)
    else:
        _run(file, as_module, arguments, nframe, sample_interval, selection, interval)


def _watch(file: Path, arguments: tuple[str, ...], selection: Selection, interval: float) -> None:
    if arguments:
        raise click.UsageError("a FILE has no arguments: --run starts a program.")
    try:
        exists, is_file = file.exists(), file.is_file()
    except OSError:  # the name is too long
        exists = is_file = False
    if not is_file:
        reason = "is no file" if exists else "does not exist"
        hint = ". A running process is shown when it calls memtrace.serve(FILE)" if str(file).isdigit() else ""
        raise click.BadParameter(f"{str(file)!r} {reason}{hint}.", param_hint="'FILE'")
    from memtrace.cli.files import selected

    selected(file, selection)  # raises what a first look would say
    require_terminal()
    from memtrace.interactive.top import TopApp
    from memtrace.interactive.watch import Watch

    TopApp(Watch(file, selection), None, selection, interval).run()


def _run(
    name: str,
    as_module: bool,
    arguments: tuple[str, ...],
    nframe: int,
    sample_interval: str | None,
    selection: Selection,
    interval: float,
) -> None:
    from memtrace.cli.interpreter import interpreter_options
    from memtrace.cli.run import check_script, check_startup_file, startup_keywords

    keywords = startup_keywords(sample_interval, None, None)
    check_startup_file()
    if not as_module:
        check_script(name)
    require_terminal()
    from memtrace.interactive.program import Program
    from memtrace.interactive.top import TopApp
    from memtrace.interactive.watch import Watch

    options = (*interpreter_options(sys.orig_argv), "-X", f"memtrace={','.join([str(nframe), *keywords])}")
    words = (*(("-m",) if as_module else ()), name, *arguments)
    with Program(name, options, words, interval) as program:
        TopApp(Watch(program.snapshot, selection), program, selection, interval / 2).run()
        status = program.status or 0  # none: it is ended by whoever leaves
        program.end()
        with program.output.open("rb") as output:
            shutil.copyfileobj(output, sys.stdout.buffer)
        sys.stdout.flush()
    sys.exit(status if status >= 0 else 128 - status)
