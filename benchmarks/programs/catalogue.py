"""The table of programs and the size at which each is run.

``loops`` is chosen once so that the bare run takes about 0.2 to 0.6 s on the interpreter and
machine named in the README: long enough to time, short enough for a tracer that is a hundred
times slower. It never depends on the machine at hand, so results stay comparable.
"""

import functools
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

from benchmarks.harness.measure import Measurement
from benchmarks.programs import own
from benchmarks.programs.runner import Measure, run_program


@dataclass(frozen=True)
class Program(ABC):
    """A program that can be measured in this process."""

    name: str

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules outside the standard library that it needs."""
        return ()

    @abstractmethod
    def run(self, measure: Measure, *, smoke: bool) -> Measurement:
        """Run it once through *measure*; *smoke* asks for the smallest size."""


@dataclass(frozen=True)
class PyperformanceProgram(Program):
    """One benchmark of a pyperformance program, repeated ``loops`` times.

    ``unstable_locals`` name file descriptors and random paths: see `measure`. ``unimported`` are
    modules that the program must find not yet imported, whatever a tracer needed.
    """

    folder: str
    loops: int
    arguments: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    unstable_locals: frozenset[str] = frozenset()
    unimported: tuple[str, ...] = ()

    @property
    def modules(self) -> tuple[str, ...]:
        return ("pyperformance", *self.requires)

    def run(self, measure: Measure, *, smoke: bool) -> Measurement:
        loops = 1 if smoke else self.loops
        for name in self.unimported:
            sys.modules.pop(name, None)
        measure = functools.partial(measure, unstable_locals=self.unstable_locals)
        return run_program(self.folder, self.name, self.arguments, loops, measure)


@dataclass(frozen=True)
class OwnProgram(Program):
    """One of the five workloads, at full size and call depth 20."""

    def run(self, measure: Measure, *, smoke: bool) -> Measurement:
        workload, scale = own.WORKLOADS[self.name], 0.05 if smoke else 1.0
        return measure(lambda: own.at_depth(own.CALL_DEPTH, lambda: workload(scale)))


def _catalogue() -> dict[str, Program]:
    pyperformance = [
        PyperformanceProgram("async_generators", "async_generators", 1),
        PyperformanceProgram("async_tree_none", "async_tree", 1, ("none",)),
        PyperformanceProgram("chaos", "chaos", 4),
        PyperformanceProgram("coroutines", "coroutines", 10),
        PyperformanceProgram("crypto_pyaes", "crypto_pyaes", 4, requires=("pyaes",)),
        PyperformanceProgram("deepcopy", "deepcopy", 500),
        PyperformanceProgram("deltablue", "deltablue", 80),
        PyperformanceProgram("django_template", "django_template", 8, requires=("django",)),
        PyperformanceProgram("float", "float", 4),
        PyperformanceProgram("generators", "generators", 3),
        PyperformanceProgram("genshi_xml", "genshi", 5, ("xml",), requires=("genshi",)),
        PyperformanceProgram("go", "go", 2),
        PyperformanceProgram("hexiom", "hexiom", 50),
        PyperformanceProgram("html5lib", "html5lib", 4, requires=("html5lib",)),
        PyperformanceProgram("json_dumps", "json_dumps", 25),
        PyperformanceProgram("json_loads", "json_loads", 500),
        PyperformanceProgram("logging_format", "logging", 3000, ("format",)),
        PyperformanceProgram("mako", "mako", 20, requires=("mako",)),
        PyperformanceProgram("nbody", "nbody", 3),
        PyperformanceProgram("pathlib", "pathlib", 8, unstable_locals=frozenset({"tmp_path"})),
        PyperformanceProgram(
            "pickle_pure_python", "pickle", 40, ("pickle", "--pure-python"), unimported=("pickle", "_pickle")
        ),
        PyperformanceProgram("pyflate", "pyflate", 1),
        PyperformanceProgram("quadtree_nbody", "barnes_hut", 1, ("--iterations", "20")),
        PyperformanceProgram("raytrace", "raytrace", 1),
        PyperformanceProgram("regex_compile", "regex_compile", 2),
        PyperformanceProgram("richards", "richards", 7),
        PyperformanceProgram("spectral_norm", "spectral_norm", 3),
        PyperformanceProgram("sqlalchemy_declarative", "sqlalchemy_declarative", 2, requires=("sqlalchemy",)),
        PyperformanceProgram("sqlglot_v2_optimize", "sqlglot_v2", 4, ("optimize",), requires=("sqlglot",)),
        PyperformanceProgram("sympy_str", "sympy", 1, ("str",), requires=("sympy",)),
        PyperformanceProgram("unpack_sequence", "unpack_sequence", 15000),
        PyperformanceProgram(
            "xml_etree_process", "xml_etree", 3, ("process",), unstable_locals=frozenset({"tf", "file_path"})
        ),
    ]
    programs = [*pyperformance, *(OwnProgram(name) for name in own.WORKLOADS)]
    return {program.name: program for program in programs}


PROGRAMS: Final = _catalogue()
