"""A program under `memtrace run` does, prints and ends as it does alone."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import zipapp
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Programs

SHOW_WORLD = """
import sys
def show(): print(sys.argv, sys.path, sys.flags, sys.warnoptions, sys._xoptions, sys.executable)
show()
main = sys.modules['__main__']
print(main.__dict__ is globals(), sorted(vars(main)))
print(__name__, __file__, __package__, __doc__, __spec__, __builtins__, type(__loader__))
import traceback
traceback.print_stack(file=sys.stdout)
frame, depth = sys._getframe(), 0
while frame: frame, depth = frame.f_back, depth + 1
print('depth', depth)
def recurse(n):
    try: return recurse(n + 1)
    except RecursionError: return n
print(recurse(0))
"""

ENDINGS = {
    "falls off": "print('done')",
    "exit()": "import sys; sys.exit()",
    "exit(0)": "import sys; sys.exit(0)",
    "exit(7)": "import sys; sys.exit(7)",
    "exit(-1)": "import sys; sys.exit(-1)",
    "exit(256)": "import sys; sys.exit(256)",
    "exit(True)": "import sys; sys.exit(True)",
    "exit(text)": "import sys; sys.exit('goodbye')",
    "exit(object)": "import sys; sys.exit([1, 2])",
    "raise SystemExit": "raise SystemExit(3)",
    "builtin quit": "quit(4)",
    "os._exit": "import os; print('out', flush=True); os._exit(5)",
    "exception": "def f(): raise ValueError('no')\nf()",
    "chained": "try:\n    {}['a']\nexcept KeyError as e:\n    raise RuntimeError('b') from e",
    "group": "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])",
    "syntax error": "def f(:\n",
    "null bytes": "x = '\0'\n",
    "own excepthook": """
import sys, traceback
sys.excepthook = lambda *a: print('hook', len(traceback.extract_tb(a[2])))
1/0
""",
    "broken excepthook": "import sys\nsys.excepthook = None\n1/0",
    "exit function raises": "import atexit\natexit.register(lambda: 1/0)",
    "exit functions in order": "import atexit\nfor i in range(3): atexit.register(print, i)",
    "exit function exits": "import atexit, sys\natexit.register(sys.exit, 9)",
    "thread raises": """
import threading
t = threading.Thread(target=lambda: 1/0, name='t'); t.start(); t.join()
""",
    "thread outlives main": """
import threading
threading.Thread(target=lambda: (threading.main_thread().join(), print('late'))).start()
print('main')
""",
    "daemon thread": """
import threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print('main')
""",
    "destructors": """
class C:
    def __del__(self): print('del', self.n)
a = C(); a.n = 1
C.last = C(); C.last.n = 2
""",
    "raise KeyboardInterrupt": "raise KeyboardInterrupt",
    "keyboard interrupt": """
import os, signal
os.kill(os.getpid(), signal.SIGINT)
import time
time.sleep(9)
""",
    "interrupt handled": """
import os, signal
try: os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(9)
except KeyboardInterrupt: print('caught')
""",
    "terminated": "import os, signal\nprint('out', flush=True)\nos.kill(os.getpid(), signal.SIGTERM)",
    "terminate handled": """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *a: sys.exit(11))
os.kill(os.getpid(), signal.SIGTERM)
""",
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "signal handlers": "import signal\nprint([signal.getsignal(s) for s in signal.valid_signals()])",
    "abort": "import os, resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nos.abort()",
    "closed stdout": "import sys\nprint('x'); sys.stdout.close()",
    "closed stderr": "import sys\nsys.stderr.close()\nsys.exit('unseen')",
    "unflushed output": "import sys\nsys.stdout.write('no newline')",
    "forked child exits": """
import os, sys
pid = os.fork()
if not pid: sys.exit(3)
print(os.waitpid(pid, 0)[1])
""",
    "forked child raises": """
import os
pid = os.fork()
if not pid: raise ValueError
print(os.waitpid(pid, 0)[1])
""",
    "replaces itself": """
import os, sys
os.execv(sys.executable, [sys.executable, '-c', 'print("other")'])
""",
    "warning at top": """
import warnings
warnings.warn('w', stacklevel=1); warnings.warn('v', stacklevel=2)
""",
    "unraisable": "class C:\n    def __del__(self): 1/0\nc = C(); del c",
}

# A signal that comes just before a sleep is looked at after it: many short ones.
WAIT = """
import os, time
try:
    print(os.getpid(), flush=True)
    for _ in range(5000): time.sleep(0.05)
finally: print('finally', flush=True)
"""

MULTIPROCESSING = """
import multiprocessing, sys

def work(n):
    return n * n, sys.modules['__main__'] is sys.modules['__mp_main__'], 'memtrace' in sys.modules

if __name__ == '__main__':
    multiprocessing.set_start_method(sys.argv[1])
    with multiprocessing.Pool(2) as pool:
        print(pool.map(work, range(4)))
    queue = multiprocessing.Queue()
    child = multiprocessing.Process(target=queue.put, args=('sent',))
    child.start(); print(queue.get()); child.join(); print(child.exitcode)
    child = multiprocessing.Process(target=sys.exit, args=(5,))
    child.start(); child.join(); print(child.exitcode)
"""


def outcome(completed: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    """Exit status, output and errors, without addresses."""
    out, errors = (re.sub("0x[0-9a-f]+", "0x", text) for text in (completed.stdout, completed.stderr))
    return completed.returncode, out, errors


def assert_same(programs: Programs, *words: str, **options: object) -> tuple[int, str, str]:
    alone = outcome(programs.python(*words, **options))
    assert outcome(programs.run(*words, **options)) == alone
    return alone


@pytest.mark.parametrize("ending", ENDINGS)
def test_how_it_ends(programs: Programs, ending: str) -> None:
    programs.write("program.py", ENDINGS[ending])
    assert_same(programs, "program.py")


@pytest.mark.parametrize("arguments", [[], ["a", "-o", "x", "--help", "-m", "--", "-q", ""]])
def test_script(programs: Programs, arguments: list[str]) -> None:
    programs.write("sub/program.py", SHOW_WORLD)
    status, out, _ = assert_same(programs, "sub/program.py", *arguments)
    assert status == 0
    assert "depth 1\n" in out


def test_module(programs: Programs) -> None:
    programs.write("package/__init__.py", "print('package', __name__)")
    programs.write("package/other.py", "name = __name__")
    programs.write(
        "package/tool.py",
        "from .other import name; print(name)\n" + SHOW_WORLD.replace("__spec__", "__spec__.name"),
    )
    programs.write("package/__main__.py", "from . import other; import sys; print(other.name, sys.argv)")
    for words in (["package.tool", "-x", "--help"], ["package", "y"]):
        assert assert_same(programs, "-m", *words)[0] == 0


def test_directory_and_archive(programs: Programs) -> None:
    main = programs.write("application/__main__.py", SHOW_WORLD.replace("__spec__", "__spec__.name"))
    zipapp.create_archive(main.parent, programs.directory / "application.pyz")
    for name in ("application", "application.pyz"):
        assert assert_same(programs, name, "a")[0] == 0


def test_standard_input(programs: Programs) -> None:
    programs.write("reads.py", "import sys; print(sys.stdin.read())")
    assert assert_same(programs, "reads.py", input="some text") == (0, "some text\n", "")
    assert_same(programs, "-", "a", input="import sys; print(sys.argv, __name__)")


@pytest.mark.parametrize(
    "interpreter",
    [
        ["-O"],
        ["-OO", "-B"],
        ["-I"],
        ["-E", "-s"],
        ["-u"],
        ["-bb", "-q"],
        ["-W", "error", "-Wignore::DeprecationWarning"],
        ["-X", "dev"],
        ["-Xutf8=0", "-X", "importtime=0"] if sys.version_info >= (3, 14) else ["-Xutf8=0"],
        ["--check-hash-based-pycs", "always"],
        ["-P"],
    ],
)
@pytest.mark.parametrize("join", [False, True])
def test_interpreter_options(programs: Programs, interpreter: list[str], join: bool) -> None:
    programs.write("program.py", SHOW_WORLD)
    alone = programs.python(*interpreter, "program.py", "a")
    *options, last = interpreter
    named = [*options, last + "m"] if join and len(last) == 2 else [*interpreter, "-m"]
    run = ["memtrace", "run", "-q", "-o", str(programs.snapshot), "program.py", "a"]
    assert outcome(programs.python(*named, *run)) == outcome(alone)
    assert programs.snapshot.exists()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(programs: Programs, method: str) -> None:
    programs.write("program.py", MULTIPROCESSING)
    alone = outcome(programs.python("program.py", method))
    status, out, errors = outcome(programs.run("program.py", method))
    if method == "fork":  # the children of a fork have whatever the parent has
        out = out.replace("True)", "False)")
        alone = alone[0], alone[1].replace("True)", "False)"), alone[2]
    assert (status, out, errors) == alone
    assert [path.name for path in programs.directory.glob("*.mtrace")] == ["out.mtrace"]


def test_modules_of_memtrace_are_not_in_its_way(programs: Programs) -> None:
    for name in ("click", "rich", "json", "linecache", "traceback"):
        programs.write(f"{name}.py", f"print('own {name}')\ndef __getattr__(name): raise RuntimeError(name)")
    programs.write("program.py", "import click, rich, json; print('ran')")
    assert assert_same(programs, "program.py") == (0, "own click\nown rich\nown json\nran\n", "")


def test_it_imports_what_it_imports_alone(programs: Programs) -> None:
    programs.write("program.py", "import sys; print(*sorted(sys.modules))")
    alone = set(programs.python("program.py").stdout.split())
    traced = set(programs.run("program.py").stdout.split())
    added = {name for name in traced if name.split(".")[0] != "memtrace"} - alone
    expected = {"__future__", "_operator", "atexit"}  # a few lines each, or built in
    if sys.version_info < (3, 12):
        expected.add("_xxsubinterpreters")
    assert added <= expected
    assert alone <= traced


def test_a_signal_from_outside(programs: Programs) -> None:
    programs.write("program.py", WAIT)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        child = subprocess.Popen(
            [sys.executable, "-m", "memtrace", "run", "-q", "-o", str(programs.snapshot), "program.py"],
            cwd=programs.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert int(child.stdout.readline()) == child.pid  # nothing stands between the program and its parent
        child.send_signal(number)
        out, errors = child.communicate(timeout=280)
        assert child.returncode == -number
        assert out == ("finally\n" if number == signal.SIGINT else "")
        assert ("KeyboardInterrupt" in errors) == (number == signal.SIGINT)
        assert programs.snapshot.exists() == (number == signal.SIGINT)
        programs.snapshot.unlink(missing_ok=True)
