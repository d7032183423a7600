#!/usr/bin/env python3
"""Hours of a busy program in minutes: does the tracer survive, are its sums right, does its memory stay flat?

    tests/stress/soak.py --seconds 600                  both modes
    tests/stress/soak.py --seconds 1800 --mode churn    everything at once: see churn.py
    tests/stress/soak.py --mode codes                   the same code a million times, then code that is always new
    tests/stress/soak.py --mode churn --parts slots,forks,operator --off

Prints what it did and what it measured. Exit status: 0, or 1 when a check failed. A hang ends with all stacks.
"""

from __future__ import annotations

import argparse
import faulthandler
import signal
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "python" / "common")]

import churn  # noqa: E402
import codes  # noqa: E402

# Full size of the mode `codes`: what ten minutes are for.
FULL_SECONDS = 600
FULL_CODES = 1_000_000


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seconds", type=float, default=60, help="of the mode churn; codes does its share of a million"
    )
    parser.add_argument("--mode", choices=("all", "churn", "codes"), default="all")
    parser.add_argument("--threads", type=int, default=8, help="that allocate in the mode churn (8)")
    parser.add_argument("--codes", type=int, help=f"identical codes to run (seconds/{FULL_SECONDS} of {FULL_CODES:,})")
    parser.add_argument("--parts", default=",".join(churn.PARTS), help="of the mode churn (all: %(default)s)")
    parser.add_argument(
        "--off", action="store_true", help="the mode churn without tracing: what the interpreter survives"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.seconds <= 0 or options.threads < 1:
        parser.error("--seconds must be positive and --threads at least 1")
    options.parts = set(options.parts.split(","))
    if not options.parts <= set(churn.PARTS):
        parser.error(f"--parts: there are {', '.join(churn.PARTS)}")
    if options.codes is None:
        options.codes = max(int(FULL_CODES * options.seconds / FULL_SECONDS), 5_000)
    return options


def main() -> int:
    options = parse()
    # A child that hangs is ended by an alarm: after its stacks.
    faulthandler.enable()
    faulthandler.register(signal.SIGALRM, chain=True)
    failures: list[str] = []
    if options.mode in ("all", "churn"):
        failures += churn.run(options.seconds, options.threads, options.seed, options.parts, not options.off)
    if options.mode in ("all", "codes") and not options.off:
        faulthandler.dump_traceback_later(options.seconds * 3 + 600, exit=True)
        failures += codes.run(options.codes)
    for failure in failures:
        print(f"FAILED: {failure}")
    print("soak:", "failed" if failures else "all checks passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
