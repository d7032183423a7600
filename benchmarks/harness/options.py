"""Command-line options that the benchmarks share."""

import argparse
import importlib.util
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.harness.measure import Measurement
from benchmarks.harness.modes import MODES
from benchmarks.programs.catalogue import PROGRAMS

CLOCKS: Mapping[str, Callable[[Measurement], float]] = {
    "wall": lambda measurement: measurement.seconds,
    "cpu": lambda measurement: measurement.cpu_seconds,
}
SMOKE_PROGRAMS = ("deltablue", "json_loads", "bintree")


def benchmark_parser(name: str, description: str | None, *, smoke: str) -> argparse.ArgumentParser:
    """Return a parser with the common options; *smoke* says what the smoke size leaves out."""
    parser = argparse.ArgumentParser(
        prog=f"{name}.py", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--smoke", action="store_true", help=smoke)
    parser.add_argument("--repeat", type=positive, help="repetitions (1 with --smoke)")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds for one process (1800)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all results here")
    parser.add_argument(
        "--assert",
        dest="assert_bounds",
        action="store_true",
        help="fail unless the bounds of benchmarks/README.md are kept",
    )
    return parser


def program_parser(name: str, description: str | None, modes: Collection[str]) -> argparse.ArgumentParser:
    """Return a parser with the options of those who run the programs of the catalogue under some of *modes*."""
    parser = benchmark_parser(name, description, smoke=f"one loop of {', '.join(SMOKE_PROGRAMS)}: times mean nothing")
    parser.add_argument(
        "--clock",
        choices=CLOCKS,
        default="wall",
        help="wall, or cpu: on a machine that is busy with other things (wall)",
    )
    parser.add_argument("--modes", type=names_of(modes), help=f"of {','.join(modes)} (all)")
    parser.add_argument("--programs", type=names_of(PROGRAMS), help="comma-separated names (all)")
    return parser


def parse_with_defaults(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None, modes: Iterable[str]
) -> argparse.Namespace:
    """Parse *arguments* with what `program_parser` returned; say what was left out, refuse what cannot be run."""
    options = parser.parse_args(arguments)
    options.modes = options.modes or list(modes)
    options.programs = options.programs or list(SMOKE_PROGRAMS if options.smoke else PROGRAMS)
    options.repeat = options.repeat or (1 if options.smoke else 5)
    modules = {module for name in options.programs for module in PROGRAMS[name].modules}
    modules |= {MODES[mode].module for mode in options.modes} - {""}
    require_modules(parser, modules, "see benchmarks/requirements.txt, or choose others with --modes and --programs")
    return options


def names_of(known: Collection[str]) -> Callable[[str], list[str]]:
    """Return an argument type: comma-separated names out of *known*."""

    def parse(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(known)}")
        return names

    return parse


def positive(text: str) -> int:
    """Argument type: an integer of at least one."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not positive")
    return number


def require_modules(parser: argparse.ArgumentParser, modules: Iterable[str], remedy: str) -> None:
    """End the program with usage and *remedy* when one of *modules* cannot be imported."""
    missing = sorted({name for name in modules if importlib.util.find_spec(name) is None})
    if missing:
        parser.error(f"not installed: {', '.join(missing)}; {remedy}")
