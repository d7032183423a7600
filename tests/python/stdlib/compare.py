"""CPython's own tests with -X memtrace and without: every test must end in the same way. See README.md."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

SELECTIONS = (
    "test_threading",
    "test_fork1",
    "test_subprocess",
    "test_gc",
    "test_asyncio",
    "test_generators",
    "test_coroutines",
    "test_embed",
    "test_capi",
    "test_interpreters",
    "test_multiprocessing_fork",
    "test_multiprocessing_spawn",
    "test_multiprocessing_forkserver",
)
NOT_RUN = "did not end"


class Run(NamedTuple):
    """What one run of a selection left."""

    status: int
    outcomes: dict[str, str]
    seconds: float
    log: Path


class Runner:
    """Runs tests of the interpreter that runs this, one process for each run."""

    def __init__(self, home: Path, nframe: int, limit: float) -> None:
        """Work below *home*; kill a run after *limit* seconds."""
        self._home = home
        self._limit = limit
        unwanted = ("PYTHONMEMTRACE", "PYTHONTRACEMALLOC", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
        self._plain = {name: value for name, value in os.environ.items() if name not in unwanted}
        # The option is for the process of the tests, the variable for the interpreters that they start.
        self._traced = self._plain | {"PYTHONMEMTRACE": str(nframe)}
        self._option = ["-X", f"memtrace={nframe}"]
        self._runs = 0

    def run(self, name: str, traced: bool, only: str | None = None) -> Run:
        """Run a selection, or the one test of it that is called *only*."""
        self._runs += 1
        place = self._home / f"{self._runs:03}-{name}-{'traced' if traced else 'alone'}"
        place.mkdir(parents=True)
        results, log = place / "results.xml", place / "log"
        words = [sys.executable, *(self._option if traced else []), "-m", "test", "-v", "--timeout", str(self._limit)]
        words += ["--tempdir", str(place), "--junit-xml", str(results)]
        if only is not None:
            words += ["--match", only]
        started = time.monotonic()
        with log.open("w") as output:
            try:
                status = subprocess.run(
                    [*words, name],
                    cwd=place,
                    env=self._traced if traced else self._plain,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=self._limit + 60,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                status = 124
        return Run(status, dict(_outcomes(results)), time.monotonic() - started, log)


def _outcomes(results: Path) -> Iterator[tuple[str, str]]:
    """The tests of a result file, which a run that crashed does not write."""
    if not results.exists():
        return
    for case in ElementTree.parse(results).iter("testcase"):
        # A test that fails in a subTest() has no name here: it is missed in the comparison.
        if "name" not in case.attrib:
            continue
        kinds = {part.tag for part in case} & {"error", "failure", "skipped", "outcome"}
        yield case.attrib["name"], min(kinds, default="passed")


class Comparison:
    """The comparison of one selection."""

    def __init__(self, runner: Runner, name: str, repeats: int) -> None:
        """Decide each difference by *repeats* runs of its test alone."""
        self._runner = runner
        self._name = name
        self._repeats = repeats

    def run(self) -> tuple[int, list[str]]:
        """Return how many tests end in the same way, and a line for each that does not."""
        alone, traced = (self._runner.run(self._name, traced) for traced in (False, True))
        tests = sorted(alone.outcomes.keys() | traced.outcomes.keys())
        ends = list(alone.outcomes.values())
        print(
            f"{self._name}: {len(tests)} tests, {ends.count('passed')} pass, {ends.count('skipped')} are skipped; "
            f"status {alone.status}, traced {traced.status}; {alone.seconds:.0f} s, traced {traced.seconds:.0f} s",
            flush=True,
        )
        different = [test for test in tests if alone.outcomes.get(test) != traced.outcomes.get(test)]
        if bool(alone.outcomes) != bool(traced.outcomes) or (alone.status != traced.status and not different):
            # Killed, or crashed: a run without a file of results says nothing of its tests.
            return 0, [f"{self._name}: status {alone.status}, traced {traced.status}; see {traced.log}"]
        decided = [
            self._decided(test, alone.outcomes.get(test, NOT_RUN), traced.outcomes.get(test, NOT_RUN))
            for test in different
        ]
        faults = [fault for fault in decided if fault is not None]
        return len(tests) - len(faults), faults

    def _decided(self, test: str, alone: str, traced: str) -> str | None:
        """Run a test alone, in turn with and without: what comes both ways is not the tracer's."""
        ends: tuple[list[str], list[str]] = ([], [])
        for _ in range(self._repeats):
            for traces, found in zip((False, True), ends, strict=True):
                found.append(self._runner.run(self._name, traces, only=test).outcomes.get(test, NOT_RUN))
        told = f"{test}: {alone}, traced {traced}; again {', '.join(ends[0])}, traced {', '.join(ends[1])}"
        if set(ends[0]) == set(ends[1]) or set(ends[1]) == {"passed"}:
            print(f"  {told}: not the tracer's")
            return None
        return told


def present(name: str) -> bool:
    """Return whether this interpreter has the tests."""
    import test

    return any((Path(folder) / entry).exists() for folder in test.__path__ for entry in (name, f"{name}.py"))


def main() -> None:
    """Compare the selections named on the command line, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="SELECTION", help=", ".join(SELECTIONS))
    parser.add_argument("--nframe", type=int, default=25, help="frames to keep (default 25)")
    parser.add_argument("--repeats", type=int, default=3, help="how often a test that differs is run again (default 3)")
    parser.add_argument(
        "--limit", type=float, default=1800, metavar="SECONDS", help="ends a run that hangs (default 1800)"
    )
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="leave the logs in DIRECTORY")
    options = parser.parse_args()

    # A shell's background job ignores SIGINT, and so would the tests that wait for it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    passed, failed = 0, 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        runner = Runner((options.keep or Path(temporary)).resolve(), options.nframe, options.limit)
        for name in options.names or SELECTIONS:
            if not present(name):
                print(f"{name}: Python {sys.version_info.major}.{sys.version_info.minor} has no such tests")
                failed += bool(options.names)
                continue
            same, faults = Comparison(runner, name, options.repeats).run()
            passed += same
            failed += len(faults)
            for fault in faults:
                print(f"FAILED: {fault}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
