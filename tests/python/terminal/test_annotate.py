"""The margins of source files say what the blocks add up to, to the byte."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result
from rich.cells import cell_len
from window import shown_in_window

import memtrace
from memtrace.reports.source import read_source

if TYPE_CHECKING:
    from conftest import Recorded

Invoke = Callable[..., Result]
Snapshots = Callable[..., Path]


def report_of(invoke: Invoke, file: Path, *words: object) -> dict[str, Any]:
    result = invoke("annotate", file, "--json", *words)
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def lines_of(report: dict[str, Any]) -> dict[tuple[str, int], tuple[int, int]]:
    return {
        (file["filename"], line["lineno"]): (line["size"], line["count"])
        for file in report["files"]
        for line in file["lines"]
        if line["count"]
    }


def sums_of(snapshot: memtrace.Snapshot, cumulative: bool) -> dict[tuple[str, int], tuple[int, int]]:
    sums: dict[tuple[str, int], tuple[int, int]] = {}
    for trace in snapshot.traces:
        for frame in trace.traceback if cumulative else trace.traceback[-1:]:
            size, count = sums.get((frame.filename, frame.lineno), (0, 0))
            sums[frame.filename, frame.lineno] = size + trace.size, count + 1
    return sums


@pytest.mark.parametrize("cumulative", [False, True])
def test_live_memory_is_that_of_the_blocks(invoke: Invoke, recorded: Recorded, cumulative: bool) -> None:
    words = ["--cumulative"] if cumulative else []
    report = report_of(invoke, recorded.path, "--threshold", 0, *words)
    assert lines_of(report) == sums_of(recorded.snapshot, cumulative)
    assert report["size"] == sum(trace.size for trace in recorded.snapshot.traces)
    if not cumulative:
        for file in report["files"]:
            assert file["size"] == sum(line["size"] for line in file["lines"])
        assert report["size"] == sum(file["size"] for file in report["files"])


def test_peak_and_churn_are_those_of_the_snapshot(invoke: Invoke, recorded: Recorded) -> None:
    snapshot = memtrace.Snapshot.load(recorded.path)
    assert snapshot.peak is not None
    report = report_of(invoke, recorded.path, "--threshold", 0, "--filter", recorded.source)
    (file,) = report["files"]
    peak = {
        each.traceback[0].lineno: each.size
        for each in snapshot.peak.statistics("lineno")
        if each.traceback[0].filename == str(recorded.source)
    }
    churn = {
        each.traceback[0].lineno: each.allocated_size
        for each in snapshot.churn("lineno")
        if each.traceback[0].filename == str(recorded.source)
    }
    assert {line["lineno"]: line["peak"] for line in file["lines"] if line["peak"]} == {
        k: v for k, v in peak.items() if v
    }
    assert {line["lineno"]: line["allocated"] for line in file["lines"] if line["allocated"]} == {
        line: size for line, size in churn.items() if size
    }
    assert max(peak.values()) >= 3_000_000
    assert file["module"] == "program" or file["module"]


def test_the_margin(invoke: Invoke, recorded: Recorded) -> None:
    output = invoke("annotate", recorded.path, "--filter", recorded.source, "--whole").output
    lines = output.splitlines()
    assert lines[2].startswith(f"{recorded.source}: ")
    assert lines[3].split() == ["Live", "Peak", "Blocks", "Allocated", "Line"]
    source = recorded.source.read_text().splitlines()
    width = lines[3].index("Line") + 6
    assert [line[width:] for line in lines[4 : 4 + len(source)]] == source
    large = next(line for line in lines if "large = bytearray" in line)
    assert large.split()[:3] == ["2930", "KiB", "2930"]  # at the peak and allocated, not live


def test_only_what_matters(invoke: Invoke, recorded: Recorded) -> None:
    words = ("annotate", recorded.path, "--filter", recorded.source, "--threshold", 20)
    around = invoke(*words, "--context", 0).output
    assert "large = bytearray(3_000_000)" in around
    assert "def other" not in around and "..." in around
    assert "del large" not in around and "del large" in invoke(*words, "--context", 1).output
    assert invoke(*words, "--context", 1000).output == invoke(*words, "--whole").output


def test_files_below_the_threshold(snapshots: Snapshots, invoke: Invoke) -> None:
    file = snapshots("a.mtrace", (0, 990, (("large.py", 1),), 1), (0, 6, (("b.py", 1),), 1), (0, 4, (("c.py", 1),), 1))
    output = invoke("annotate", file).output
    assert "b.py" not in output
    assert output.endswith("2 files below 1%: 10 B in 2 blocks\n")
    assert report_of(invoke, file)["rest"] == {"files": 2, "size": 10, "count": 2, "peak": None, "allocated": None}


def test_sources_that_are_missing_newer_or_shorter(snapshots: Snapshots, invoke: Invoke, tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text("first\nsecond\n")
    file = snapshots("a.mtrace", (0, 10, ((str(source), 2),), 1), (0, 5, ((str(tmp_path / "gone.py"), 7),), 1))
    os.utime(file, (2e9, 2e9))
    output = invoke("annotate", file).output
    assert "newer" not in output
    assert "gone.py: 5 B in 1 block\nThe source is not here.\n" in output
    os.utime(source, (2.1e9, 2.1e9))
    assert "The source is newer than the snapshot" in invoke("annotate", file).output
    assert [each["source"] for each in report_of(invoke, file)["files"]] == ["newer", "missing"]
    source.write_text("first\n")
    output = invoke("annotate", file).output
    assert "1 of the lines that hold memory are behind its end." in output
    assert re.search(r"^10 B +1 +2$", output, re.MULTILINE)


def test_only_small_regular_files_are_opened(snapshots: Snapshots, invoke: Invoke, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    large = tmp_path / "large.py"
    with large.open("wb") as file:
        file.truncate(1 << 40)
    names = [str(pipe), str(large), "/dev/zero", "/dev/stdin", str(tmp_path), "nul\0", "x" * 5000, "", "\udcff"]
    file = snapshots("a.mtrace", *((0, 1, ((name, 1),), 1) for name in names))
    for words in ((), ("--html", tmp_path / "a.html"), ("--directory", tmp_path / "listings")):
        assert invoke("annotate", file, *words).exit_code == 0  # reading any of them would not return


def test_other_files_are_not_read(snapshots: Snapshots, invoke: Invoke, tmp_path: Path) -> None:
    secret = tmp_path / "id_ed25519"
    secret.write_text("a secret\n")
    file = snapshots("a.mtrace", (0, 1, ((str(secret), 1),), 1))
    page = tmp_path / "a.html"
    for words in ((), ("--html", page), ("--directory", tmp_path / "listings")):
        assert "a secret" not in invoke("annotate", file, *words).output
    assert all("a secret" not in path.read_text() for path in (page, *(tmp_path / "listings").iterdir()))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a = '\xff\xfe'\n", ["a = '\\xff\\xfe'"]),
        (b"# coding: latin-1\n# \xe4\n", ["# coding: latin-1", "# ä"]),
        (b"# coding: nonsense\n# \xc3\xa4", ["# coding: nonsense", "# ä"]),
        (b"# coding: hex\n#\n", ["# coding: hex", "#"]),
        (b"# coding: punycode\n" + b"# a-b" * 1000, ["# coding: punycode", "# a-b" * 1000]),
        (b"# coding: undefined\nb\n", ["# coding: undefined", "b"]),
        (b"\xef\xbb\xbfa\r\nb\rc\x0cd\x1ee\xe2\x80\xa8f\n\n", ["a", "b", "c\x0cd\x1ee\u2028f", ""]),
        (b"\xff\xfea\0b\0", ["\\xff\\xfea\0b\0"]),
        (b"", []),
    ],
)
def test_sources_in_any_encoding(tmp_path: Path, data: bytes, expected: list[str]) -> None:
    path = tmp_path / "module.py"
    path.write_bytes(data)
    source = read_source(str(path))
    assert source is not None and source.lines == expected


HOSTILE_SOURCE = b"x = '\x1b[31m[bold]<script>alert(1)</script>&\x07'\n\xff\xfe\xe2\x80\xae\n" + b"y" * 200_000 + b"\n"


def hostile(snapshots: Snapshots, tmp_path: Path) -> tuple[Path, Path]:
    source = tmp_path / "a<b>\x1b[31m.py"
    source.write_bytes(HOSTILE_SOURCE)
    return snapshots("a.mtrace", *((0, 10, ((str(source), number),), 1) for number in range(1, 4))), source


def test_hostile_sources_are_text(snapshots: Snapshots, invoke: Invoke, tmp_path: Path) -> None:
    file, _ = hostile(snapshots, tmp_path)
    output = invoke("annotate", file).output
    assert all(line.isprintable() for line in output.splitlines())
    assert r"x = '\x1b[31m[bold]<script>" in output and r"\xff\xfe\u202e" in output and "y" * 200_000 in output
    for columns in (60, 200):
        screen = shown_in_window(tmp_path, columns, "annotate", file)
        assert max(map(cell_len, screen.splitlines())) <= columns
        assert all(line.isprintable() for line in screen.splitlines())
        assert r"x = '\x1b[31m[bold]<scr" in screen


class Elements(HTMLParser):
    """The elements and attributes of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.seen.update(f"{tag}.{name}" for name, _ in attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_html_is_static_and_escaped(snapshots: Snapshots, invoke: Invoke, tmp_path: Path) -> None:
    file, _ = hostile(snapshots, tmp_path)
    page = tmp_path / "page.html"
    result = invoke("annotate", file, "--html", page)
    assert (result.exit_code, result.output) == (0, "")
    text = page.read_text(encoding="utf-8")
    elements = Elements()
    elements.feed(text)
    assert elements.open == []
    assert {element for element in elements.seen if "." not in element} == {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "table", "tr", "th", "td", "a"),
        *("details", "summary"),
    }
    assert not [element for element in elements.seen if ".on" in element or element.endswith((".src", ".style"))]
    assert re.findall(r'href="[^"]*"', text) == ['href="#f0"']
    assert r"x = '\x1b[31m[bold]<script>alert(1)</script>&\x07'" in elements.texts
    assert all(line.isprintable() for line in text.splitlines())
    assert "prefers-color-scheme: dark" in text and "default-src 'none'" in text


def test_html_has_the_numbers(invoke: Invoke, recorded: Recorded, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    invoke("annotate", recorded.path, "--html", page, "--filter", recorded.source)
    text = re.sub(r"<[^>]*>", "|", page.read_text())
    assert re.search(r"\|2930 KiB\|+\d*\|*2930 KiB\|+16\|+    large = bytearray\(3_000_000\)", text)


def test_one_listing_for_each_module(snapshots: Snapshots, invoke: Invoke, tmp_path: Path) -> None:
    names = [
        "/x/pkg/mod.py",
        "/y/pkg/mod.py",
        "../../../etc/passwd",
        "a" * 500 + ".py",
        "<string>",
        "\udcff\x1b.py",
        "..",
        "",
    ]
    file = snapshots("a.mtrace", *((0, 10, ((name, 1),), 1) for name in names))
    inner = tmp_path / "one" / "two"
    result = invoke("annotate", file, "--directory", inner)
    assert result.exit_code == 0
    assert result.stderr == f"8 listings in {inner}\n"
    assert {path.parent for path in tmp_path.rglob("*.cover")} == {inner}
    listings = sorted(inner.iterdir())
    assert len(listings) == 8
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]{1,110}\.cover", path.name) for path in listings)
    assert sum("10 B" in path.read_text(encoding="utf-8") for path in listings) == 8


def test_a_listing_is_the_whole_file(invoke: Invoke, recorded: Recorded, tmp_path: Path) -> None:
    invoke("annotate", recorded.path, "--directory", tmp_path / "listings", "--filter", recorded.source)
    (listing,) = (tmp_path / "listings").iterdir()
    text = listing.read_text()
    assert all(line in text for line in recorded.source.read_text().splitlines())


def test_what_cannot_be_done(invoke: Invoke, recorded: Recorded, tmp_path: Path) -> None:
    for words, status, message in (
        (("--html", tmp_path / "no" / "such.html"), 1, "No such file or directory"),
        (("--directory", recorded.path), 2, "is a file"),
        (("--whole", "--context", 3), 2, "--whole and --context cannot be used together."),
        (("--threshold", 101), 2, "is not in the range"),
        (("--since", "nothing"), 1, "has no mark that is called 'nothing'"),
    ):
        result = invoke("annotate", recorded.path, *words)
        assert (result.exit_code, message in result.output) == (status, True), result.output
    assert invoke("annotate", tmp_path / "missing").exit_code == 2
    (tmp_path / "wrong").write_bytes(b"wrong")
    assert invoke("annotate", tmp_path / "wrong").exit_code == 1


def test_at_the_peak(invoke: Invoke, recorded: Recorded) -> None:
    output = invoke("annotate", recorded.path, "--at-peak", "--filter", recorded.source).output
    assert output.splitlines()[3].split() == ["At", "peak", "Blocks", "Line"]
    assert "2930 KiB" in output
