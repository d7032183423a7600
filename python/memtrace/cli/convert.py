"""``memtrace convert``: a snapshot in the formats of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtrace.cli.files import dump_snapshot, output_path, selected, snapshot_path, write_file
from memtrace.cli.options import selection_options
from memtrace.cli.progress import working
from memtrace.exchange.formats import FORMATS, MEMTRACE, MEMTRACE_SUFFIX, MissingLibraryError, format_of

if TYPE_CHECKING:
    from memtrace.reports.selection import Selection

_KNOW_CHURN = ("pprof", "dhat", "otlp")


@click.command(short_help="Write a snapshot in the format of another tool.")
@click.argument("file", type=snapshot_path)
@click.option("-o", "--output", type=output_path, required=True, metavar="OUT", help="Write to OUT.")
@click.option(
    "-t",
    "--to",
    "name",
    type=click.Choice((*FORMATS, MEMTRACE)),
    help="The format.  [default: what OUT's suffix says]",
)
@selection_options(groups=False, limit=False, json=False)
def command(file: Path, output: Path, name: str | None, selection: Selection) -> None:
    """Write what the snapshot in FILE holds in a format that other tools read. memtrace's own lines are left out.

    \b
    pprof             .pb.gz .pprof    go tool pprof, Pyroscope, Parca
    speedscope        .speedscope.json www.speedscope.app
    collapsed         .collapsed       flamegraph.pl and many others; live bytes
    collapsed-blocks                   the same; live blocks
    chrome            .heapprofile     the Memory panel of Chrome's DevTools
    dhat              .dhat.json       the Firefox Profiler, Valgrind's dh_view
    csv json          .csv .json       one row for each traceback, thread, label, ...
    arrow parquet     .arrow .parquet  the same, typed
    otlp              .otlp            profiles of OpenTelemetry
    memtrace          .mtrace          a snapshot file, as of a pprof file or of a selection

    pprof and otlp need the extra memtrace-python[export], arrow and parquet memtrace-python[arrow]. FILE may be a snapshot of memtrace or tracemalloc or a pprof profile of live memory.

    \b
    Examples:
      python -m memtrace convert app.mtrace -o app.pb.gz
      python -m memtrace convert app.mtrace -o stacks.txt --to collapsed --user-code
    """
    chosen = name or format_of(output)
    if chosen is None:
        suffixes = [suffix for each in FORMATS.values() for suffix in each.suffixes] + [MEMTRACE_SUFFIX]
        raise click.BadParameter(
            f"the suffix of {output.name!r} says no format: use --to, or one of {', '.join(suffixes)}.",
            param_hint="'-o' / '--output'",
        )
    with working(f"reading {file}"):
        snapshot = selected(file, selection)
    with working(f"writing {output}"):
        if chosen == MEMTRACE:
            dump_snapshot(snapshot, output)
            return
        from memtrace.exchange.records import records_of

        try:
            records = records_of(snapshot)
            data = FORMATS[chosen].encode(records, file.name)
        except MissingLibraryError as error:
            raise click.ClickException(f"the format {chosen} {error}") from None
        except ValueError as error:  # more than a snapshot can hold, in a file that anybody wrote
            from memtrace.reports.text import printable

            raise click.ClickException(printable(f"{file}: {error}")) from None
        write_file(output, data)
    if chosen in _KNOW_CHURN and not records.has_churn:
        click.echo(
            "memtrace: only live memory was written, this snapshot does not know what has come and gone", err=True
        )
