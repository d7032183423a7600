"""``memtrace run``: run a program unchanged, traced from its first line.

This process becomes, by exec(), a fresh interpreter with the same options, in which memtrace.pth starts the
tracer. Arguments, ``__main__``, ``sys.path``, tracebacks, exit status and signals are then the interpreter's
own doing, no frame of memtrace is on the program's stack, and what this command imported is gone.
"""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path
from typing import NoReturn

import click

from memtrace import _options
from memtrace.cli.interpreter import interpreter_options
from memtrace.cli.recording import Recording

_DEFAULT_NFRAME = 25


@click.command(
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS]",
    short_help="Run a program and record the memory it holds at its end.",
)
@click.option(
    "-n",
    "--nframe",
    type=click.IntRange(1, 65535),
    default=_DEFAULT_NFRAME,
    show_default=True,
    metavar="N",
    help="Keep at most N frames of each traceback.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the snapshot to FILE.  [default: PROGRAM.PID.mtrace]",
)
@click.option(
    "-s",
    "--sample-interval",
    metavar="SIZE",
    help="Sample blocks, one in SIZE allocated bytes on average (512KiB), instead of tracing each.",
)
@click.option("--seed", type=click.IntRange(0, (1 << 64) - 1), metavar="N", help="Draw the same samples in each run.")
@click.option(
    "--max-memory", metavar="SIZE", help="Let the tracer itself use at most SIZE (64MiB): it samples to keep it."
)
@click.option("--label-tasks", is_flag=True, help="Label asyncio tasks by their names.")
@click.option(
    "--timeline/--no-timeline",
    default=True,
    show_default=True,
    help="Record how much memory there is over time.",
)
@click.option("--at-peak", is_flag=True, help="Show what was live at the peak, not at the end.")
@click.option("-q", "--quiet", is_flag=True, help="Write the snapshot only, show nothing.")
@click.option("-m", "as_module", is_flag=True, help="Run a module, as python -m does.")
@click.argument("program", metavar="(SCRIPT | -m MODULE)")
@click.argument("arguments", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
def command(
    nframe: int,
    output: Path | None,
    sample_interval: str | None,
    seed: int | None,
    max_memory: str | None,
    label_tasks: bool,
    timeline: bool,
    at_peak: bool,
    quiet: bool,
    as_module: bool,
    program: str,
    arguments: tuple[str, ...],
) -> None:
    """Run a program unchanged and record the memory that is live when it ends.

    The snapshot is written at exit, also when the program raises or calls sys.exit(), with the peak and
    a timeline of the run, and its ten largest lines are shown on standard error. A program that is
    killed, that calls os._exit() or that replaces itself by another leaves no snapshot. Processes that
    it starts are not traced.

    \b
    Examples:
      python -m memtrace run app.py --port 8000
      python -m memtrace run -o tests.mtrace -m pytest -q
    """
    keywords = startup_keywords(sample_interval, seed, max_memory)
    keywords += [name for name, asked in (("label_tasks", label_tasks), ("timeline", timeline)) if asked]
    check_startup_file()
    if not as_module:
        check_script(program)
    path = _writable(output or Path(f"{_name_of(program, as_module)}.{os.getpid()}.mtrace"))
    recording = Recording(path, "nothing" if quiet else "peak" if at_peak else "end")
    _replace_process(
        [
            *interpreter_options(sys.orig_argv),
            *("-X", f"memtrace={','.join([str(nframe), *keywords])}"),
            *("-X", recording.to_option()),
            *(("-m",) if as_module else ()),
            program,
            *arguments,
        ]
    )


def startup_keywords(sample_interval: str | None, seed: int | None, max_memory: str | None) -> list[str]:
    """Return the options as the parts of ``-X memtrace=``. Raises a usage error when start() would refuse them."""
    try:
        interval, seed, memory, *_ = _options.start(sample_interval=sample_interval, seed=seed, max_memory=max_memory)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    values = {"sample": interval, "max_memory": memory, "seed": seed}
    return [f"{name}={value}" for name, value in values.items() if value is not None]


def _replace_process(arguments: list[str]) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os.execv(sys.executable, [sys.executable, *arguments])


def _name_of(program: str, as_module: bool) -> str:
    if as_module:
        return program
    return Path(program).stem if program != "-" else "stdin"


def check_script(program: str) -> None:
    """Raise a usage error when there is no such file."""
    if program != "-" and not os.path.exists(program):  # noqa: PTH110  (Path.exists() raises for long names)
        raise click.BadParameter(f"there is no file {program!r}.", param_hint="'SCRIPT'")


def _writable(path: Path) -> Path:
    """Return *path* made absolute; find out now, not after hours, that the snapshot cannot be written."""
    try:
        absolute = path.absolute()
        try:
            absolute.stat()  # not exists(), for which a name that is too long is that of no file
            place = absolute
        except FileNotFoundError:
            place = absolute.parent
        writable = os.access(place, os.W_OK)
    except OSError:  # the current directory is gone, or the name is too long
        writable = False
    if not writable:
        raise click.BadParameter(f"cannot write {str(path)!r}.", param_hint="'-o' / '--output'")
    return absolute


def check_startup_file() -> None:
    """Raise an error where a program would run untraced: only ``site`` starts the tracer in the new interpreter."""
    directories = [] if sys.flags.no_site else site.getsitepackages()
    if directories and site.ENABLE_USER_SITE:
        directories.append(site.getusersitepackages())
    if not any((Path(directory) / "memtrace.pth").is_file() for directory in directories):
        raise click.ClickException(
            "this interpreter does not process memtrace.pth, which starts the tracer: it was started with "
            "-S, or memtrace is not installed in its site-packages. Call memtrace.start() in the program."
        )
