"""The interpreter's own word on where its fields lie, believed by start()."""

from __future__ import annotations

import sys

import pytest
from building import Run

PROGRAM = """
import ctypes, os

WORDS = 57  # as far as the last one that is compared; no version has fewer
offsets = (ctypes.c_uint64 * WORDS).in_dll(ctypes.pythonapi, "_PyRuntime")

def started_with(word):
    "What start() says when this word of the interpreter's is another."
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        if word is not None:
            offsets[word] += 8
        import memtrace
        said = "started"
        try:
            memtrace.start(5)
        except RuntimeError as error:
            said = str(error)
            assert not memtrace.is_tracing()
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    said = os.read(reader, 1000).decode()
    os.close(reader)
    assert os.waitpid(child, 0)[1] == 0
    return said

assert started_with(None) == "started"
refused = {said for word in range(WORDS) if (said := started_with(word)) != "started"}
assert all("built with this interpreter" in said for said in refused)
print(*sorted(word for said in refused for word in said.split() if "_Py" in word or word.startswith(("PyT", "PyC"))))
"""


@pytest.mark.skipif(sys.version_info < (3, 13), reason="the interpreter does not tell where its fields lie")
def test_a_field_that_lies_elsewhere(run: Run) -> None:
    assert run(PROGRAM).split() == [
        "PyCodeObject.co_code_adaptive",
        "PyCodeObject.co_filename",
        "PyCodeObject.co_firstlineno",
        "PyCodeObject.co_linetable",
        "PyCodeObject.co_qualname",
        "PyThreadState.current_frame",
        "PyThreadState.interp",
        *(
            ["PyThreadState.last_profiled_frame", "PyThreadState.last_profiled_frame_seq"]
            if sys.version_info >= (3, 15)
            else []
        ),
        "_PyInterpreterFrame.f_executable",
        "_PyInterpreterFrame.instr_ptr",
        "_PyInterpreterFrame.owner",
        "_PyInterpreterFrame.previous",
        "_PyRuntime.debug_offsets",
    ]
