"""Worker: one program, under one mode, once."""

import functools
import sys
from pathlib import Path

from benchmarks.harness.measure import measure
from benchmarks.harness.modes import MODES
from benchmarks.harness.process import read_request, write_report
from benchmarks.programs.catalogue import PROGRAMS


def main() -> None:
    """Run the program and mode named in the request; report its `Measurement`."""
    request = read_request()
    mode = MODES[request["mode"]]
    program = PROGRAMS[request["program"]]
    mode.prepare(Path(request["scratch"]))
    # The program takes the place of __main__: without a reference this module would be cleared.
    own_main = sys.modules["__main__"]
    measurement = program.run(functools.partial(measure, mode), smoke=request["smoke"])
    sys.modules["__main__"] = own_main
    write_report(request, measurement.as_report())


if __name__ == "__main__":
    main()
