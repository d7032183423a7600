#!/usr/bin/env python3
"""Records sessions: `record.py WHEEL [NAME]...` types what NAME.md shows into a shell, and writes down what comes back.

The shell is a new user's: an empty directory, a home without caches, and pip, which finds memtrace in WHEEL. All commands
of a page are typed, in order. Recording fails when a command does, and when the line that the session is about is
not what a report shows first, or not what memray, which knows nothing of memtrace, finds largest at the peak.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Self

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path += [str(ROOT / "tests" / "python" / "docs"), str(ROOT / "tests" / "tools")]

import pinned  # noqa: E402
import transcript  # noqa: E402


class Session(NamedTuple):
    """What a page is about."""

    package: str
    file: str
    """Where the line is that it finds: the end of a file's path."""
    source: str
    """The line."""
    files: str = ""
    """A folder here, whose files the user has."""
    memray: tuple[str, ...] = ()
    """For lines that nobody has put there: the program, and whether the largest ``line`` or ``traceback`` is it."""


SESSIONS = {
    "black": Session(
        "black",
        "blib2to3/pytree.py",
        "return object.__new__(cls)",
        memray=("line", "-m black --check --quiet --workers 1 black-*/src"),
    ),
    "django": Session("Django", "shop/middleware.py", "self.pages[address] = response.content.decode()", files="shop"),
    "pandas": Session(
        "pandas",
        "report.py",
        'sales["month"] = sales["day"].dt.strftime("%Y-%m")',
        files="sales",
        memray=("traceback", "report.py"),
    ),
}

# Prints the places of the group of blocks that memray finds largest at the peak.
LARGEST = """
import collections, json, sys, memray
sizes = collections.Counter()
for record in memray.FileReader("memray.bin").get_high_watermark_allocation_records(merge_threads=True):
    stack = record.stack_trace(max_stacks=1) if sys.argv[1] == "line" else record.stack_trace()
    sizes[tuple(f"{file}:{line}" for _, file, line in stack)] += record.size
print(json.dumps(sizes.most_common(1)[0][0]))
"""
# Commands that go on until a key is pressed.
INTERACTIVE = ("memtrace browse ", "memtrace top ")
END = "\x1e"  # before the status of a command; no command prints one
ROW = re.compile(r"^(?=\s*[+-]?[\d.]+ (?:B|[KMGT]iB) )", re.MULTILINE)
RECORDED = re.compile(r"^Recorded on.*$", re.MULTILINE)


class Shell:
    """A new user's shell; leaving the ``with`` block ends it and removes what it has made."""

    def __init__(self, wheels: Path, files: Path | None) -> None:
        self._home = tempfile.TemporaryDirectory()
        self.directory = Path(self._home.name).resolve() / "work"
        if files is None:
            self.directory.mkdir()
        else:
            shutil.copytree(files, self.directory, ignore=shutil.ignore_patterns("__pycache__"))
        # Names of the interpreter that runs this, such as python3, and nothing of the environment that it is in.
        programs = Path(sys.base_prefix) / "bin"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))},
            "PATH": f"{programs}{os.pathsep}{os.defpath}",
            "HOME": self._home.name,
            "TMUX_TMPDIR": self._home.name,
            "LANG": "C.UTF-8",
            "PIP_FIND_LINKS": str(wheels),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            cwd=self.directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bash.kill()
        self._bash.communicate()
        self._home.cleanup()

    def run(self, command: str) -> str:
        """Return what the command prints, with the paths of this machine replaced by short ones."""
        if command.startswith(INTERACTIVE):
            return self._screen(command)
        return self._typed(command)

    def _screen(self, command: str) -> str:
        """What the command shows on a terminal when it has drawn its first picture, in tmux."""
        # Wide enough that no path is cut before it is replaced by a shorter one.
        self._typed(f"tmux -f /dev/null new-session -d -x 150 -y 24 {shlex.quote(command)}")
        deadline = time.monotonic() + 30
        before, screen = "", " "
        while screen != before or not screen.strip():
            if time.monotonic() > deadline:
                raise SystemExit(f"no picture of {command}:\n{screen}")
            time.sleep(1)
            before, screen = screen, self._typed("tmux capture-pane -p")
        self._typed("tmux kill-server")
        return "".join(f"{line.rstrip()}\n" for line in screen.rstrip().splitlines())

    def _typed(self, command: str) -> str:
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{{ {command}\n}} </dev/null; printf '{END}%s\\n' $?\n")
        self._bash.stdin.flush()
        text = ""
        while END not in text:
            line = self._bash.stdout.readline()
            if not line:
                raise SystemExit(f"the shell ended in: {command}\n{text}")
            text += line
        text, _, status = text.partition(END)
        if status.strip() != "0":
            raise SystemExit(f"status {status.strip()}: {command}\n{text}")
        text = text.replace(f"{self.directory}/", "")
        return text.replace(sysconfig.get_path("stdlib"), transcript.STANDARD_LIBRARY)


class Recorder:
    """Types the commands of one session, and looks for its line."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self.session = session
        self.shell = shell
        self.pip_seconds = 0.0
        self.found_after: float | None = None
        self._began: float | None = None

    def run(self, command: str) -> str:
        """Return what the command prints."""
        begin = time.monotonic()
        if self._began is None and command.startswith("pip "):
            self._began = begin
        printed = self.shell.run(command)
        end = time.monotonic()
        if command.startswith("pip "):
            self.pip_seconds += end - begin
        elif self.found_after is None and self._began is not None:
            row = first_row(printed)
            if row and self._place() in row:
                self.found_after = end - self._began
        return printed

    def _place(self) -> str:
        """The line with its number, as reports show it and as it ends there."""
        for path in self.shell.directory.rglob(Path(self.session.file).name):
            if path.as_posix().endswith(f"/{self.session.file}"):
                for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                    if line.strip() == self.session.source:
                        return f"{self.session.file}:{number}\n"
        raise SystemExit(f"there is no line {self.session.source!r} in a file {self.session.file}")

    def check(self) -> None:
        """Raise SystemExit unless the line was shown, and is the one that memray finds."""
        if self.found_after is None:
            raise SystemExit(f"no report has {self.session.file} {self.session.source!r} in its first row")
        if not self.session.memray:
            return
        largest, program = self.session.memray
        (memray,) = (one for one in pinned.requirements("bench") if one.startswith("memray"))
        self.shell.run(f"pip install --quiet {memray}")
        self.shell.run(f"rm -r ~/.cache; memray run --quiet --trace-python-allocators --output memray.bin {program}")
        (self.shell.directory / "largest.py").write_text(LARGEST)
        places = json.loads(self.shell.run(f"python largest.py {largest}"))
        if not any(f"{place}\n".endswith(self._place()) for place in places):
            raise SystemExit(f"memray finds something else: {places}")

    def summary(self) -> str:
        """The sentence of the page that says when it was recorded, and how long it took."""
        listed = json.loads(self.shell.run("pip list --format json"))
        versions = {package["name"]: package["version"] for package in listed}
        return (
            f"Recorded on CPython {platform.python_version()} with {self.session.package}"
            f" {versions[self.session.package]}: {self.found_after:.0f} seconds from the first `pip install` to the line,"
            f" {self.pip_seconds:.0f} of them pip's."
        )


def take_pictures(folder: Path) -> None:
    """Show the pages that were written into *folder* in a browser; PAGE.png beside this file is what it shows."""
    for page in folder.glob("*.html"):
        chromium = shutil.which("chromium")
        if chromium is None:
            raise SystemExit("there is no Chromium on PATH (Debian's package chromium)")
        picture = HERE / f"{page.stem}.png"
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1200,700"]
        options += ["--virtual-time-budget=3000", f"--screenshot={picture}"]
        subprocess.run([chromium, *options, page.as_uri()], check=True, stderr=subprocess.DEVNULL, timeout=60)


def first_row(printed: str) -> str:
    """The first row of a table, with its source lines or frames."""
    rows = ROW.split(printed)
    return rows[1] if len(rows) > 1 else ""


def record(name: str, wheels: Path) -> None:
    """Write what is printed now into the page."""
    page = HERE / f"{name}.md"
    session = SESSIONS[name]
    with Shell(wheels, HERE / session.files if session.files else None) as shell:
        recorder = Recorder(session, shell)
        text = transcript.updated(page.read_text(), HERE / session.files, recorder.run)
        recorder.check()
        take_pictures(shell.directory)
        page.write_text(RECORDED.sub(lambda _: recorder.summary(), text))
    print(f"{name}: {recorder.found_after:.1f} s")


def main() -> None:
    """Record the sessions that the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("wheel", type=Path, metavar="WHEEL", help="the wheel of memtrace for this interpreter")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"sessions: {', '.join(SESSIONS)} (all)")
    arguments = parser.parse_args()
    if not arguments.wheel.is_file():
        parser.error(f"there is no file {str(arguments.wheel)!r}")
    unknown = sorted(set(arguments.names) - set(SESSIONS))
    if unknown:
        parser.error(f"no session {unknown[0]!r}: they are {', '.join(SESSIONS)}")
    for name in arguments.names or SESSIONS:
        record(name, arguments.wheel.resolve().parent)


if __name__ == "__main__":
    main()
