"""Real programs under memtrace: unchanged, and in agreement with tracemalloc. See README.md."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from programs import PROGRAMS, Program

HERE = Path(__file__).parent
TOLERANCE = 0.01
LINES = 10
# Before 3.13 memtrace cannot know that an object comes from a free list: docs/differences.md.
KNOWS_FREE_LISTS = sys.version_info >= (3, 13)


class Outcome(NamedTuple):
    """What a user can see of a run."""

    status: int
    out: str
    errors: str
    files: dict[str, str]


class Place:
    """A directory in which every run of a program finds the same input under the same path."""

    def __init__(self, home: Path, program: Program, smoke: bool) -> None:
        """Make the input of *program* below *home*."""
        self.program = program
        self.work = home / program.name
        self.results = home / "results"
        self._input = home / f"{program.name}.input"
        self._caches = home / "byte-code"
        self.results.mkdir(exist_ok=True)
        self.work.mkdir()
        self.arguments = program.prepare(self.work, smoke)
        self.work.rename(self._input)

    def run(self, words: list[str], **variables: str) -> tuple[subprocess.CompletedProcess[str], float]:
        """Run the interpreter on fresh input; also return the seconds it took."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self._input, self.work)
        unwanted = ("PYTHONMEMTRACE", "PYTHONTRACEMALLOC", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
        environment = {name: value for name, value in os.environ.items() if name not in unwanted}
        environment |= {"PYTHONPYCACHEPREFIX": str(self._caches)} | variables
        started = time.perf_counter()
        completed = subprocess.run(
            [sys.executable, *words], cwd=self.work, env=environment, capture_output=True, text=True, check=False
        )
        return completed, time.perf_counter() - started

    def outcome(self, words: list[str]) -> tuple[Outcome, float]:
        """Run the interpreter and return all that can be seen of it."""
        completed, seconds = self.run(words)
        texts = [completed.stdout, completed.stderr]
        if not self.program.ordered:
            texts = ["".join(sorted(text.splitlines(keepends=True))) for text in texts]
        return Outcome(completed.returncode, *texts, dict(self._written())), seconds

    def _written(self) -> Iterator[tuple[str, str]]:
        for path in sorted(self.work.rglob("*")):
            if path.is_file():
                yield str(path.relative_to(self.work)), hashlib.sha256(path.read_bytes()).hexdigest()


def check_unchanged(place: Place) -> list[str]:
    """Return what is wrong with the program's commands under memtrace, and print how long they took."""
    faults = []
    for number, words in enumerate(place.program.command_lines(place.arguments)):
        before, _ = place.outcome(words)  # also fills the caches
        alone, seconds = place.outcome(words)
        snapshot = place.results / f"{place.program.name}.{number}.mtrace"
        ways = {
            "-X memtrace=25": ["-X", "memtrace=25", *words],
            "memtrace run": ["-m", "memtrace", "run", "--quiet", "--output", str(snapshot), *words],
        }
        shown = f"{place.program.name}: {shlex.join(words[:3])[-40:]}: {seconds:.2f} s"
        if before != alone:
            faults.append(f"{shlex.join(words)} alone is not the same twice")
        if alone.status != 0:
            faults.append(f"{shlex.join(words)} ends with status {alone.status}: {alone.errors}")
        for way, line in ways.items():
            traced, seconds = place.outcome(line)
            shown += f", {way} {seconds:.2f} s"
            faults += [
                f"{way} {shlex.join(words)} changes the {name}"
                for name in Outcome._fields
                if getattr(traced, name) != getattr(alone, name)
            ]
        if not snapshot.exists():
            faults.append(f"memtrace run {shlex.join(words)} wrote no snapshot")
        print(f"{shown}, {len(alone.files)} files, {len(alone.out)} characters of output", flush=True)
    return faults


def check_agreement(place: Place) -> list[str]:
    """Return in what memtrace and tracemalloc differ, and print their figures."""
    name = place.program.name
    # With cold caches a run compiles, and has part of the compiler's memory before the tracer starts.
    _found_by("memtrace", place)
    memtrace, tracemalloc = _found_by("memtrace", place), _found_by("tracemalloc", place)
    faults = []
    for quantity in ("size", "peak"):
        ours, theirs = memtrace[quantity], tracemalloc[quantity]
        difference = ours / theirs - 1
        print(f"{name}: {quantity} {ours:,} B, tracemalloc {theirs:,} B ({difference:+.3%})")
        if abs(difference) > TOLERANCE:
            faults.append(f"the {quantity} differs by {difference:+.2%}")
    print(f"{name}: {memtrace['blocks']:,} blocks, tracemalloc {tracemalloc['blocks']:,}")
    print(f"{name}: {memtrace['seconds']:.2f} s, tracemalloc {tracemalloc['seconds']:.2f} s, 1 frame each")
    common = _lines_in_common(memtrace, tracemalloc)
    print(f"{name}: {common} of the {LINES} largest lines are the same", flush=True)
    if not KNOWS_FREE_LISTS:
        tracemalloc = _found_by("tracemalloc", place, keep_first_owners=True)
        common = _lines_in_common(memtrace, tracemalloc)
        print(f"{name}: {common} of the {LINES} when free lists keep first owners in both", flush=True)
    if memtrace["status"] != tracemalloc["status"]:
        faults.append(f"status {memtrace['status']} and {tracemalloc['status']}")
    if common < min(LINES, len(tracemalloc["lines"])):
        faults.append(f"{common} of {LINES} lines are the same: memtrace {memtrace['lines']}, {tracemalloc['lines']}")
    return faults


def _lines_in_common(*found: dict[str, Any]) -> int:
    return len(set.intersection(*({line for line, _ in each["lines"][:LINES]} for each in found)))


def _found_by(tracer: str, place: Place, keep_first_owners: bool = False) -> dict[str, Any]:
    result = place.results / f"{place.program.name}.{tracer}.json"
    result.unlink(missing_ok=True)
    words = [str(HERE / "under_tracer.py"), tracer, str(result), *place.program.traced_line(place.arguments)]
    preload = {"LD_PRELOAD": str(_compile_preload(place.results))} if keep_first_owners else {}
    completed, seconds = place.run(words, PYTHONHASHSEED="0", **preload)
    if not result.exists():
        sys.exit(f"{place.program.name} under {tracer}: {completed.stderr}")
    found: dict[str, Any] = json.loads(result.read_text())
    return found | {"seconds": seconds}


def _compile_preload(directory: Path) -> Path:
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    library = directory / "first_owners.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(HERE / "first_owners.c")], check=True)
    return library


def main() -> None:
    """Check the programs named on the command line, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="PROGRAM", help=", ".join(each.name for each in PROGRAMS))
    parser.add_argument("--smoke", action="store_true", help="small inputs, and only programs that are installed")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="work in DIRECTORY and leave everything there")
    options = parser.parse_args()
    if unknown := set(options.names) - {program.name for program in PROGRAMS}:
        parser.error(f"no program is called {', '.join(sorted(unknown))}")

    passed, failed = 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        home = (options.keep or Path(temporary)).resolve()
        home.mkdir(parents=True, exist_ok=True)
        for program in PROGRAMS:
            if options.names and program.name not in options.names:
                continue
            if not program.is_installed():
                print(f"{program.name}: {program.module} is not installed, not run")
                failed += not options.smoke
                continue
            place = Place(home, program, options.smoke)
            for faults in (check_unchanged(place), check_agreement(place)):
                failed += bool(faults)
                passed += not faults
                for fault in faults:
                    print(f"{program.name}: FAILED: {fault}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
