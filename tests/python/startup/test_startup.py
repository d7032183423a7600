"""Tracing from the start of the interpreter, by -X memtrace and PYTHONMEMTRACE."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

Interpreter = Callable[..., "subprocess.CompletedProcess[str]"]

# What the program sees: the number of frames kept, or "off", which it learns without importing memtrace.
SHOW_NFRAME = """
import sys
memtrace = sys.modules.get('memtrace')
print(memtrace.get_traceback_limit() if memtrace and memtrace.is_tracing() else 'off')
"""

INVALID = [
    "x",
    "-1",
    "65536",
    "1e3",
    "0x10",
    "1.0",
    "1_0",
    "+5",
    " 5",
    "5 ",
    "5,",
    "\N{FULLWIDTH DIGIT FIVE}",
    "1\n2",
    "9" * 5000,
]


def nframe_of(completed: subprocess.CompletedProcess[str]) -> str:
    assert (completed.returncode, completed.stderr) == (0, "")
    return completed.stdout.strip()


def test_nothing_is_imported_when_nothing_asks_for_it(interpreter: Interpreter) -> None:
    program = "import sys; print(*sorted(name for name in sys.modules if 'memtrace' in name))"
    assert nframe_of(interpreter("-c", program)) == ""


@pytest.mark.parametrize(
    ("options", "variables", "nframe"),
    [
        ([], {}, "off"),
        (["-X", "memtrace"], {}, "1"),
        (["-X", "memtrace=1"], {}, "1"),
        (["-X", "memtrace=25"], {}, "25"),
        (["-Xmemtrace=0025"], {}, "25"),
        (["-X", "memtrace=65535"], {}, "65535"),
        (["-X", "memtrace=3", "-X", "memtrace=4"], {}, "4"),
        (["-X", "memtrace=0"], {}, "off"),
        (["-X", "memtrace="], {}, "off"),
        ([], {"PYTHONMEMTRACE": "25"}, "25"),
        ([], {"PYTHONMEMTRACE": "65535"}, "65535"),
        ([], {"PYTHONMEMTRACE": "0"}, "off"),
        ([], {"PYTHONMEMTRACE": "000"}, "off"),
        ([], {"PYTHONMEMTRACE": ""}, "off"),
        (["-E"], {"PYTHONMEMTRACE": "25"}, "off"),
        (["-I"], {"PYTHONMEMTRACE": "25"}, "off"),
        (["-E"], {"PYTHONMEMTRACE": "x"}, "off"),
        (["-I"], {"PYTHONMEMTRACE": "x"}, "off"),
        (["-E", "-X", "memtrace=7"], {"PYTHONMEMTRACE": "25"}, "7"),
        (["-I", "-X", "memtrace=7"], {"PYTHONMEMTRACE": "25"}, "7"),
        (["-s", "-X", "memtrace=7"], {}, "7"),
        (["-X", "memtrace=7"], {"PYTHONMEMTRACE": "25"}, "7"),
        (["-X", "memtrace"], {"PYTHONMEMTRACE": "25"}, "1"),
        (["-X", "memtrace=0"], {"PYTHONMEMTRACE": "25"}, "off"),
        (["-X", "memtrace=7"], {"PYTHONMEMTRACE": "x"}, "7"),
        (["-S", "-X", "memtrace=7"], {}, "off"),
        (["-S"], {"PYTHONMEMTRACE": "25"}, "off"),
        (["-S", "-X", "memtrace=x"], {}, "off"),
    ],
)
def test_number_of_frames(interpreter: Interpreter, options: list[str], variables: dict[str, str], nframe: str) -> None:
    assert nframe_of(interpreter(*options, "-c", SHOW_NFRAME, **variables)) == nframe


@pytest.mark.parametrize("value", INVALID)
@pytest.mark.parametrize("source", ["-X memtrace=NFRAME", "PYTHONMEMTRACE"])
def test_an_invalid_value_ends_the_process_with_one_line(interpreter: Interpreter, source: str, value: str) -> None:
    if source == "PYTHONMEMTRACE":
        completed = interpreter("-c", "print('ran')", PYTHONMEMTRACE=value)
    else:
        completed = interpreter("-X", f"memtrace={value}", "-c", "print('ran')")
    assert completed.returncode == 1
    assert completed.stdout == ""
    assert re.fullmatch(rf"Fatal Python error: {source}: [^\n]+\n", completed.stderr)
    assert len(completed.stderr) < 200
    assert completed.stderr.isascii()


def test_the_environment_may_hold_any_bytes(interpreter: Interpreter) -> None:
    completed = interpreter("-c", "print('ran')", PYTHONMEMTRACE="\udcff\x1b[31m")
    assert completed.returncode == 1
    assert completed.stderr == (
        r"Fatal Python error: PYTHONMEMTRACE: invalid number of frames: '\udcff\x1b[31m'" + "\n"
    )


def test_the_words_are_those_of_tracemalloc(interpreter: Interpreter) -> None:
    ours = interpreter("-X", "memtrace=x", "-c", "").stderr
    theirs = interpreter("-X", "tracemalloc=x", "-c", "").stderr.splitlines()[0]
    # "Fatal Python error: config_init_tracemalloc: -X tracemalloc=NFRAME: invalid number of frames"
    assert theirs.replace("config_init_tracemalloc: ", "").replace("tracemalloc", "memtrace") in ours


def test_a_tracer_that_cannot_start_ends_the_process_with_one_line(interpreter: Interpreter) -> None:
    program = """
import sys
import memtrace
def start(nframe):
    raise RuntimeError('no room')
memtrace.start = start
from memtrace import _startup
sys._xoptions['memtrace'] = '5'
_startup.begin()
print('ran')
"""
    completed = interpreter("-c", program)
    assert (completed.returncode, completed.stdout) == (1, "")
    assert completed.stderr == "Fatal Python error: memtrace cannot start: no room\n"


def test_the_program_is_traced_from_its_first_line(interpreter: Interpreter) -> None:
    program = "data = bytearray(5000)\nimport memtrace\nprint(memtrace.get_object_traceback(data))"
    assert nframe_of(interpreter("-X", "memtrace", "-c", program)) == "<string>:1"


def test_importing_the_module_starts_nothing(interpreter: Interpreter) -> None:
    program = "import memtrace._startup; print(memtrace.is_tracing())"
    assert nframe_of(interpreter("-c", program)) == "False"


def test_the_program_sees_the_option(interpreter: Interpreter) -> None:
    program = "import sys; print(sys._xoptions)"
    assert nframe_of(interpreter("-X", "memtrace=3", "-c", program)) == "{'memtrace': '3'}"


@pytest.mark.parametrize(("options", "nframe"), [([], "5"), (["-E"], "0"), (["-I"], "0")])
def test_the_request_alone_respects_the_options(interpreter: Interpreter, options: list[str], nframe: str) -> None:
    program = "from memtrace._startup import requested; print(*(requested() or (0,))[:1])"
    assert nframe_of(interpreter(*options, "-c", program, PYTHONMEMTRACE="5")) == nframe


SHOW_STATUS = """
import memtrace
status = memtrace.status()
print(status.traceback_limit, status.mode, status.sample_interval, status.max_memory)
"""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("25,sample=512KiB", "25 sampled 524288 None"),
        ("sample=512KiB", "1 sampled 524288 None"),
        ("3,sample=1000,seed=7", "3 sampled 1000 None"),
        ("3,max_memory=64MiB", "3 exact None 67108864"),
        ("max_memory=64MiB,sample=2 KiB,seed=0,label_tasks", "1 sampled 2048 67108864"),
        ("5,label_tasks", "5 exact None None"),
    ],
)
def test_keywords(interpreter: Interpreter, value: str, shown: str) -> None:
    assert nframe_of(interpreter("-X", f"memtrace={value}", "-c", SHOW_STATUS)) == shown
    assert nframe_of(interpreter("-c", SHOW_STATUS, PYTHONMEMTRACE=value)) == shown


def test_no_frames_with_keywords_is_no_tracing(interpreter: Interpreter) -> None:
    assert nframe_of(interpreter("-X", "memtrace=0,sample=512KiB", "-c", SHOW_NFRAME)) == "off"


@pytest.mark.parametrize(("value", "points"), [("5,timeline", True), ("timeline=0.5", True), ("5", False)])
def test_a_timeline(interpreter: Interpreter, value: str, points: bool) -> None:
    program = "import memtrace; print(memtrace.timeline() != ())"
    assert nframe_of(interpreter("-X", f"memtrace={value}", "-c", program)) == str(points)


def test_a_seed_draws_the_same_samples(interpreter: Interpreter) -> None:
    program = """
import memtrace
memtrace.clear_traces()
kept = [bytearray(1000) for _ in range(200)]
print([trace.size for trace in memtrace.take_snapshot().traces if trace.size > 900].__len__())
"""
    seeds = ["1", "1", "2", "3", "4"]
    counts = [nframe_of(interpreter("-X", f"memtrace=sample=4000,seed={seed}", "-c", program)) for seed in seeds]
    assert counts[0] == counts[1]
    assert len(set(counts)) > 1


def test_tasks_are_labelled(interpreter: Interpreter) -> None:
    program = """
import asyncio, memtrace
kept = []
async def main():
    await asyncio.create_task(work(), name='job')
async def work():
    kept.append(bytearray(50_000))
asyncio.run(main())
print(*[each.key for each in memtrace.take_snapshot().statistics('label') if each.size > 49_000])
"""
    assert "job" in nframe_of(interpreter("-X", "memtrace=5,label_tasks", "-c", program)).split()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("5,x", "invalid option: 'x', which is none of sample=, max_memory=, seed=, timeline=, label_tasks, timeline"),
        ("5,sample", "invalid option: 'sample', which is none of"),
        ("5,label_tasks=1", "invalid option: 'label_tasks=1', which is none of"),
        ("5,", "invalid option: '', which is none of"),
        ("sample=1KiB,5", "invalid option: '5', which is none of"),
        ("5,seed=1,seed=2", "seed is given twice"),
        ("5,sample=0", "sample_interval must be from 1 byte to 1 TiB, not '0'"),
        ("5,sample=many", "sample_interval must be"),
        ("5,max_memory=1MiB", "max_memory must be at least 4 MiB, not '1MiB'"),
        ("5,seed=-1", "seed must be an integer"),
        ("5,timeline=soon", "timeline must be True, False or a number of seconds"),
        ("5,timeline=0", "timeline must be from 0.001 to 3600 seconds, not 0.0"),
        ("5,seed=99999999999999999999", "seed must be in range [0; 18446744073709551615]"),
        ("x,seed=1", "invalid number of frames: 'x'"),
    ],
)
def test_keywords_that_say_nothing_end_the_process(interpreter: Interpreter, value: str, reason: str) -> None:
    completed = interpreter("-X", f"memtrace={value}", "-c", "print('ran')")
    assert (completed.returncode, completed.stdout) == (1, "")
    assert completed.stderr.startswith(f"Fatal Python error: -X memtrace=NFRAME: {reason}")
    assert completed.stderr.count("\n") == 1
