"""Command-line options that the benchmarks share."""

import argparse
import importlib.util
from collections.abc import Callable, Collection, Iterable
from pathlib import Path


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
