"""``memtrace merge``: the snapshots of several processes as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtrace.cli.files import dump_snapshot, load_snapshot, output_path, snapshot_path
from memtrace.cli.progress import working

if TYPE_CHECKING:
    import memtrace
    from memtrace import _core


@click.command(short_help="Add snapshots of several processes up in one file.")
@click.argument("files", type=snapshot_path, nargs=-1, required=True, metavar="FILE FILE...")
@click.option("-o", "--output", type=output_path, required=True, metavar="OUT", help="Write the snapshot to OUT.")
def command(files: tuple[Path, ...], output: Path) -> None:
    """Add the snapshots in all FILEs up and write one, which every report reads.

    Sizes and counts are exact sums, by traceback, domain, mark, thread, label and type. Labels are the same
    where their names are, threads where name and native id are, marks where their names are, or their numbers
    if they have none. What has come and gone, single blocks and types are kept where every file has them. A peak
    and a timeline are of one process: they are not kept.

    \b
    Examples:
      python -m memtrace merge worker.1.mtrace worker.2.mtrace -o workers.mtrace
      python -m memtrace merge *.mtrace -o all.mtrace
    """
    if len(files) < 2:
        raise click.BadParameter("needs two snapshots or more.", param_hint="'FILE FILE...'")
    import memtrace
    from memtrace.reports.text import printable

    snapshots = []
    for number, file in enumerate(files, 1):
        with working(f"reading {file} ({number} of {len(files)})"):
            snapshots.append(load_snapshot(file))
    try:
        with working("adding up"):
            merged = memtrace.merge(snapshots)
    except ValueError as error:
        raise click.ClickException(printable(str(error))) from None
    with working(f"writing {output}"):
        dump_snapshot(merged, output)
    for note in _left_out(snapshots, merged):
        click.echo(f"memtrace: {note}", err=True)


def _left_out(snapshots: Sequence[memtrace.Snapshot], merged: memtrace.Snapshot) -> Iterator[str]:
    """Return what some of *snapshots* have and their sum has not, as sentences."""
    from memtrace._core import churn_seconds

    parts, whole = [snapshot._to_native() for snapshot in snapshots], merged._to_native()
    has: dict[str, Callable[[_core.Snapshot], bool]] = {
        "what has come and gone is": lambda native: churn_seconds(native) is not None,
        "single blocks are": lambda native: native.has_blocks,
        "types are": lambda native: native.has_types,
    }
    for what, is_there in has.items():
        if any(map(is_there, parts)) and not is_there(whole):
            yield f"{what} left out: not every file has that"
    if any(native.names("generation") for native in parts) and not whole.names("generation"):
        yield "marks are left out: the files have them in different orders"
