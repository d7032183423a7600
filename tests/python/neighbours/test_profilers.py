"""Debuggers, profilers and coverage beside memtrace: they see what they see alone, and tracebacks stay right."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from building import Run
from interpreter import needs_package_with_gil

# Something with calls, exceptions, generators and recursion for others to look at. Written to a file: coverage wants one.
SUBJECT = """
def generate(count):
    for number in range(count):
        yield [number] * 3

def fall(depth):
    if depth == 0:
        raise ValueError(depth)
    return fall(depth - 1)

class Thing:
    def __init__(self, value):
        self.value = [bytearray(value)]
    def __getattr__(self, name):
        return [name * 2]

def subject():
    kept = [Thing(number) for number in range(20)]
    kept += [thing.anything for thing in kept]
    kept += list(generate(30))
    kept += sorted([3, 1, 2], key=lambda number: -number)
    try:
        fall(10)
    except ValueError as error:
        kept.append(error.__traceback__)
    return len(kept)
"""

NEIGHBOURS = {
    "settrace": """
def trace(frame, event, argument):
    frame.f_trace_opcodes = True
    seen.append((frame.f_code.co_name, event, frame.f_lineno))
    ask()
    return trace
sys.settrace(trace)
subject.subject()
sys.settrace(None)
""",
    "setprofile": """
def profile(frame, event, argument):
    seen.append((frame.f_code.co_name, event, frame.f_lineno))
    ask()
sys.setprofile(profile)
subject.subject()
sys.setprofile(None)
""",
    "bdb": """
import bdb
class Stepper(bdb.Bdb):
    def user_line(self, frame):
        seen.append((frame.f_code.co_name, frame.f_lineno))
        ask()
        self.set_step()
    def user_return(self, frame, value):
        seen.append((frame.f_code.co_name, "return"))
        ask()
    def user_exception(self, frame, info):
        seen.append((frame.f_code.co_name, str(info[1])))
Stepper(skip=["workload", "traceback", "linecache", "memtrace*"]).runcall(subject.subject)
""",
    "cProfile": """
import cProfile, pstats
profiler = cProfile.Profile()
profiler.runcall(subject.subject)
ask()
for (path, line, name), (calls, total, *_) in sorted(pstats.Stats(profiler).stats.items()):
    if "disable" not in name: seen.append((line, name, calls, total))
""",
}
if sys.version_info >= (3, 12):
    NEIGHBOURS["monitoring"] = """
monitoring = sys.monitoring
monitoring.use_tool_id(3, "neighbour")
def callback(code, *rest):
    if code.co_filename == subject.__file__:
        seen.append((code.co_name, str(rest[0])))
        ask()
events = ["LINE", "PY_START", "PY_RETURN", "PY_YIELD", "PY_RESUME", "CALL", "INSTRUCTION", "BRANCH", "JUMP", "RAISE", "PY_UNWIND"]
wanted = 0
for name in events:
    wanted |= getattr(monitoring.events, name, 0)
    if hasattr(monitoring.events, name): monitoring.register_callback(3, getattr(monitoring.events, name), callback)
monitoring.set_events(3, wanted)
subject.subject()
monitoring.set_events(3, 0)
monitoring.free_tool_id(3)
"""

PROGRAM = """
import sys, hashlib
import workload, subject, memtrace
seen = []
asked = 0
def ask():
    "While memtrace traces: whether it takes this function for what it is."
    global asked
    if memtrace.is_tracing():
        asked += 1
        if asked % 7 == 1: workload.assert_traced_here()
{before}
{neighbour}
{after}
assert len(seen) > 5
print(len(seen), hashlib.sha256(repr(seen).encode()).hexdigest())
"""
AFTER = """
from sums import assert_sums_agree
assert asked > 0
workload.deeper(40)
assert_sums_agree()
memtrace.stop()
"""


@pytest.fixture
def subject(tmp_path: Path) -> Path:
    path = tmp_path / "subject.py"
    path.write_text(SUBJECT)
    return path


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_they_see_the_same(neighbour: str, run: Run, subject: Path) -> None:
    preamble = f"import sys; sys.path.insert(0, {str(subject.parent)!r})\n"
    # Imported already, or importing the subject would be seen the first time only.
    run(preamble + "import subject")
    program = preamble + PROGRAM
    alone = run(program.format(before="", neighbour=NEIGHBOURS[neighbour], after=""))
    for frames in (1, 25):
        traced = program.format(before=f"memtrace.start({frames})", neighbour=NEIGHBOURS[neighbour], after=AFTER)
        assert run(traced) == alone


COVERAGE = """
import sys, coverage, workload, memtrace
{before}
measure = coverage.Coverage(data_file=None, config_file=False, branch=True, include=["*/subject.py"])
measure.start()
{between}
import subject
subject.subject()
if memtrace.is_tracing(): workload.deeper(40)
measure.stop()
{after}
data = measure.get_data()
(path,) = data.measured_files()
print(sorted(data.arcs(path)))
"""
CORES = ["ctrace", "pytrace"]
if sys.version_info >= (3, 14):
    CORES.append("sysmon")  # measures branches from 3.14 on


@needs_package_with_gil
@pytest.mark.parametrize("core", CORES)
def test_coverage(core: str, run: Run, subject: Path) -> None:
    preamble = f"import sys; sys.path.insert(0, {str(subject.parent)!r})\n"

    def measured(before: str = "", between: str = "", after: str = "") -> str:
        program = preamble + COVERAGE.format(before=before, between=between, after=after)
        return run(program, COVERAGE_CORE=core)

    alone = measured()
    assert alone.count("(") > 20, alone
    checks = "from sums import assert_sums_agree\nassert_sums_agree()"
    assert measured(before="memtrace.start(25)", after=checks) == alone
    assert measured(between="memtrace.start(25)", after=checks + "\nmemtrace.stop()") == alone
    assert measured(before="memtrace.start(25)", between="memtrace.stop(); memtrace.start(3)") == alone


MEMRAY = """
import json, sys, memray, memtrace, workload
from sums import assert_sums_agree
import warnings
warnings.simplefilter("ignore")
memray.set_log_level(40)  # it warns of static executables
path = {path!r}
def start_memray():
    global tracker
    tracker = memray.Tracker(path, trace_python_allocators={python_allocators})
    tracker.__enter__()
def stop_memray(): tracker.__exit__(None, None, None)
def start_memtrace(): memtrace.start(5)
def stop_memtrace(): memtrace.stop()
for step in {starts!r}: globals()[step]()
kept = workload.work()
traced = memtrace.is_tracing()
if traced:
    print(json.dumps(workload.lines()))
    workload.deeper(30)
    assert_sums_agree()
for step in {stops!r}: globals()[step]()
more = workload.work()
del kept, more
if memtrace.is_tracing(): assert_sums_agree()
memtrace.stop()
memtrace.start(25)
workload.deeper(30)
assert_sums_agree()
"""
STOPS = (["stop_memray", "stop_memtrace"], ["stop_memtrace", "stop_memray"])


def memray_lines(path: Path) -> dict[int, int]:
    """What memray has of work() in its file: bytes allocated by line.

    Without mappings: memtrace makes its tables of them, which memray takes for the program's.
    """
    import memray

    kind = memray.AllocatorType
    others = {kind.MMAP, kind.MUNMAP, kind.FREE, kind.PYMALLOC_FREE}
    found: dict[int, int] = {}
    for record in memray.FileReader(path).get_allocation_records():
        if record.allocator in others:
            continue
        # On 3.11 a comprehension is a function, called from its own line.
        frames = (f for f in record.stack_trace() if f[1].endswith("workload.py") and f[0] != "<listcomp>")
        function, _, line = next(frames, ("", "", 0))
        if function in ("work", "__init__"):
            found[line] = found.get(line, 0) + record.size
    return found


@needs_package_with_gil
@pytest.mark.parametrize("python_allocators", [True, False], ids=["pymalloc", "malloc"])
def test_memray(python_allocators: bool, run: Run, extensions: Path, tmp_path: Path) -> None:
    """Both orders of starting and stopping. What memray finds of the program does not depend on memtrace."""
    import workload

    def measured(starts: list[str], stops: list[str]) -> tuple[str, dict[int, int]]:
        path = tmp_path / "-".join([*starts, *stops])
        output = run(MEMRAY.format(path=str(path), python_allocators=python_allocators, starts=starts, stops=stops))
        return output, memray_lines(path) if path.exists() else {}

    def check(told: str, found: dict[int, int]) -> None:
        assert workload.agree(json.loads(told), json.loads(lines)), (told, lines)
        assert found.keys() == alone.keys(), (found, alone)
        assert all(abs(found[line] - alone[line]) <= 500 for line in alone), (found, alone)

    _, alone = measured(["start_memray"], ["stop_memray"])
    assert sum(alone.values()) > 1_000_000, alone
    lines, _ = measured(["start_memtrace"], ["stop_memtrace"])
    for stops in STOPS:
        check(*measured(["start_memray", "start_memtrace"], stops))
        check(*measured(["start_memtrace", "start_memray"], stops))
