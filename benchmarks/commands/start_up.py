"""How long memtrace takes to import, and each of its commands to say what it does.

Interpreters of their own, in turn: one that does nothing, one that imports memtrace, and one for each --help. Exit
status: 0, 1 when a check or (with --assert) a bound failed, 2 for wrong usage.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from benchmarks.harness import environment
from benchmarks.harness.options import benchmark_parser
from benchmarks.harness.process import worker_environment
from benchmarks.harness.tables import conclude, facts_table, markdown_table

IMPORT_BOUND = 0.015
HELP_BOUND = 0.150
"""Seconds: of importing memtrace, beside an interpreter that does nothing, and of a whole process for help."""

_NOTHING = "an interpreter"
_IMPORT = "import memtrace"
_REPORTING = ("click", "rich", "textual", "google", "pyarrow", "json", "asyncio")

Times = Mapping[str, Sequence[float]]
"""Seconds of each process, by what it did."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit status."""
    parser = benchmark_parser("start_up", __doc__, smoke="each once")
    options = parser.parse_args(arguments)
    options.repeat = options.repeat or (1 if options.smoke else 15)
    problems: list[str] = []
    times = _measure(options.repeat, options.timeout, problems)
    facts = environment.describe()
    facts["method"] = f"repetitions: {options.repeat}, median of wall time; fresh process each, in turn"
    print(facts_table(facts))
    print(markdown_table(["process", "milliseconds"], [[name, f"{_median(times, name) * 1000:.0f}"] for name in times]))
    if options.assert_bounds:
        problems += exceeded_bounds(times)
    return conclude(options.json, "start_up", {"environment": facts, "problems": problems, "seconds": times})


def exceeded_bounds(times: Times) -> list[str]:
    """Return one line for each bound that is not kept."""
    beside = _median(times, _IMPORT) - _median(times, _NOTHING)
    found = [f"{_IMPORT}: {beside * 1000:.1f} ms, {IMPORT_BOUND * 1000:g} expected"] if beside > IMPORT_BOUND else []
    helps = {name: _median(times, name) for name in times if name.endswith("--help")}
    return found + [
        f"{name}: {seconds * 1000:.0f} ms, {HELP_BOUND * 1000:g} expected"
        for name, seconds in helps.items()
        if seconds > HELP_BOUND
    ]


def _measure(repeat: int, timeout: float, problems: list[str]) -> dict[str, list[float]]:
    checked = f"import memtrace, sys; print(*sorted({set(_REPORTING)} & set(sys.modules)))"
    if loaded := _run(["-c", checked], timeout).stdout.strip():
        problems.append(f"import memtrace loads {loaded}")
    commands = {_NOTHING: ["-c", ""], _IMPORT: ["-c", "import memtrace"]}
    for words in ([], *([name] for name in _names(timeout))):
        commands[" ".join(["memtrace", *words, "--help"])] = ["-m", "memtrace", *words, "--help"]
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, words in commands.items():
            begin = time.perf_counter()
            completed = _run(words, timeout)
            times[name].append(time.perf_counter() - begin)
            if completed.returncode or name.endswith("--help") != completed.stdout.startswith("Usage: "):
                problems.append(f"{name}: status {completed.returncode}, {completed.stderr.strip()[-200:]!r}")
    return times


def _names(timeout: float) -> list[str]:
    program = "from memtrace.cli.commands import memtrace; print(*memtrace.list_commands(None))"
    return _run(["-c", program], timeout).stdout.split()


def _run(words: Sequence[str], timeout: float) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(command, env=worker_environment(), capture_output=True, text=True, timeout=timeout)


def _median(times: Times, name: str) -> float:
    return statistics.median(times[name])
