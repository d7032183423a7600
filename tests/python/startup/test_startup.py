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
