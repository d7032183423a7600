"""A stand-in for ``pyperf.Runner`` that runs one benchmark of a pyperformance program here.

The real runner spawns processes and calibrates; ours calls the benchmark in this process with
a given number of loops, at the very point where the program hands it over, so that a program's
own setup and clean-up happen around it.
"""

import argparse
import asyncio
import importlib.machinery
import importlib.util
import platform
import sys
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from benchmarks.harness.measure import Measurement


class ProgramError(Exception):
    """A pyperformance program is missing or did not hand over the expected benchmark."""


class Measure(Protocol):
    """Runs and times a workload."""

    def __call__(
        self,
        workload: Callable[[], object],
        *,
        timed_function: Callable[..., object] | None = None,
        unstable_locals: Collection[str] = (),
    ) -> Measurement:
        """Return the measurement of one run."""


class Runner:
    """What a pyperformance program sees as ``pyperf.Runner``."""

    wanted: str
    loops: int
    measure: Measure
    result: Measurement | None = None

    def __init__(self, **_options: Any) -> None:
        """Accept and ignore the options of the real runner."""
        self.argparser = argparse.ArgumentParser()
        self.metadata: dict[str, object] = {}
        self.args = argparse.Namespace()

    def parse_args(self, arguments: list[str] | None = None) -> argparse.Namespace:
        """Parse the program's own options."""
        self.args = self.argparser.parse_args(arguments)
        return self.args

    def bench_func(self, name: str, function: Callable[..., object], *arguments: Any, **_options: Any) -> None:
        """Call *function* ``loops`` times."""

        def workload() -> object:
            value = None
            for _ in range(self.loops):
                value = function(*arguments)
            return value

        self._run(name, workload, None)

    def bench_time_func(self, name: str, function: Callable[..., float], *arguments: Any, **_options: Any) -> None:
        """Call *function* once; it repeats its work ``loops`` times and returns a duration."""
        self._run(name, lambda: function(self.loops, *arguments), function)

    def bench_async_func(
        self, name: str, function: Callable[..., Awaitable[object]], *arguments: Any, **_options: Any
    ) -> None:
        """Await *function* ``loops`` times in one event loop."""

        async def repeat() -> object:
            value = None
            for _ in range(self.loops):
                value = await function(*arguments)
            return value

        self._run(name, lambda: asyncio.run(repeat()), None)

    def _run(
        self,
        name: str,
        workload: Callable[[], object],
        timed_function: Callable[..., object] | None,
    ) -> None:
        if name == Runner.wanted:
            Runner.result = Runner.measure(workload, timed_function=timed_function)


def pyperf_stand_in() -> ModuleType:
    """Return a module to be imported as ``pyperf``."""
    module = ModuleType("pyperf")
    module.Runner = Runner  # type: ignore[attr-defined]
    module.perf_counter = time.perf_counter  # type: ignore[attr-defined]
    module.python_implementation = (  # type: ignore[attr-defined]
        lambda: platform.python_implementation().lower()
    )
    return module


def benchmarks_folder() -> Path:
    """Return the folder of the installed pyperformance's programs, without importing it."""
    spec = importlib.util.find_spec("pyperformance")
    if spec is None or spec.origin is None:
        raise ProgramError("pyperformance is not installed: see benchmarks/requirements.txt")
    return Path(spec.origin).parent / "data-files" / "benchmarks"


def run_program(folder: str, benchmark: str, arguments: tuple[str, ...], loops: int, measure: Measure) -> Measurement:
    """Execute ``bm_<folder>/run_benchmark.py`` as ``__main__``; return its *benchmark*'s run.

    Replaces ``sys.argv``, ``__main__`` and the ``pyperf`` module of this process for good.
    """
    script = benchmarks_folder() / f"bm_{folder}" / "run_benchmark.py"
    if not script.exists():
        raise ProgramError(f"this pyperformance has no program {folder}")
    Runner.wanted, Runner.loops, Runner.measure = benchmark, loops, measure
    sys.modules["pyperf"] = pyperf_stand_in()
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, str(script.parent))
    loader = importlib.machinery.SourceFileLoader("__main__", str(script))
    spec = importlib.util.spec_from_loader("__main__", loader)
    assert spec is not None
    main = importlib.util.module_from_spec(spec)
    sys.modules["__main__"] = main
    loader.exec_module(main)
    if Runner.result is None:
        raise ProgramError(f"{folder} has no benchmark {benchmark}")
    return Runner.result
