"""What a page does not tell, and that nothing in a snapshot gets out of where it belongs."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from pathlib import Path

import pytest
from page_data import Page

import memtrace
from memtrace.reports.page.data import Input, Privacy, encode
from memtrace.reports.page.document import render
from memtrace.reports.page.places import Kind, Places
from memtrace.reports.selection import Selection


def data_of(snapshot: memtrace.Snapshot, privacy: Privacy, name: str = "/home/me/secret project/app.mtrace") -> Page:
    return Page(encode(Input(snapshot, name), None, Selection(), privacy))


@pytest.fixture
def snapshot(tmp_path: Path) -> memtrace.Snapshot:
    """Of a file whose folder, source, label and thread are nobody's business."""
    folder = tmp_path / "secret folder"
    folder.mkdir()
    path = folder / "module.py"
    path.write_text("def allocate():\n    return bytearray(100_000), 'secret source'\n")
    names: dict[str, object] = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    snapshots = []

    def work() -> None:
        with memtrace.label("secret label"):
            kept = names["allocate"]()  # type: ignore[operator]
        snapshots.append(memtrace.take_snapshot())
        del kept

    memtrace.start(10)
    thread = threading.Thread(target=work, name="secret thread")
    thread.start()
    thread.join()
    memtrace.stop()
    return snapshots[0]


def test_by_default_all_is_told(snapshot: memtrace.Snapshot) -> None:
    data = data_of(snapshot, Privacy()).data
    for secret in (b"secret project", b"secret folder", b"secret source", b"secret label", b"secret thread"):
        assert secret in data


def test_no_source(snapshot: memtrace.Snapshot) -> None:
    data = data_of(snapshot, Privacy(source=False)).data
    assert b"secret source" not in data
    assert b"secret folder" in data


def test_redacted(snapshot: memtrace.Snapshot, tmp_path: Path) -> None:
    page = data_of(snapshot, Privacy(redact=True))
    assert b"secret" not in page.data
    assert str(tmp_path).encode() not in page.data
    assert str(Path(threading.__file__).parent).encode() not in page.data
    assert page.header["title"] == "app.mtrace"
    assert {"module.py", "threading.py"} <= set(page.header["files"])
    assert page.header["sources"] == []
    assert "allocate" in page.header["functions"]
    names = {tag: {part["name"] for part in parts} for tag, parts in page.view("live")["tags"].items()}
    assert names["label"] <= {"label 1", "label 2", "no label"}
    assert all(re.fullmatch(r"thread \d+", name) for name in names["thread"])


def test_redaction_changes_no_number(snapshot: memtrace.Snapshot) -> None:
    plain, redacted = (data_of(snapshot, privacy) for privacy in (Privacy(), Privacy(redact=True)))
    for name in ("node_up", "node_frame", "frame_line"):
        assert plain.column(plain.header[name]) == redacted.column(redacted.header[name])
    for name in ("node", "size", "count"):
        first, second = (page.column(page.view("live")["new"][name]) for page in (plain, redacted))
        assert first == second


@pytest.mark.parametrize(
    ("filename", "kind", "redacted"),
    [
        ("/home/me/app/main.py", Kind.OWN, "main.py"),
        ("C:\\Users\\me\\main.py", Kind.OWN, "main.py"),
        ("<string>", Kind.OWN, "<string>"),
        ("/srv/venv/lib/python3.12/site-packages/click/core.py", Kind.PACKAGES, "click/core.py"),
        ("/usr/lib/python3/dist-packages/yaml/nodes.py", Kind.PACKAGES, "yaml/nodes.py"),
        ("/opt/lib/python3.14t/json/decoder.py", Kind.STANDARD_LIBRARY, "json/decoder.py"),
        (threading.__file__, Kind.STANDARD_LIBRARY, "threading.py"),
        ("<frozen os>", Kind.STANDARD_LIBRARY, "<frozen os>"),
        ("<frozen importlib._bootstrap_external>", Kind.IMPORT_SYSTEM, "<frozen importlib._bootstrap_external>"),
        ("/a\n/b\nc.py", Kind.OWN, "b\nc.py"),
    ],
)
def test_names_of_files(filename: str, kind: Kind, redacted: str) -> None:
    places = Places()
    assert places.kind(filename) == kind
    assert places.redacted(filename) == redacted


def test_only_source_files_of_python_are_read(tmp_path: Path) -> None:
    for name in ("id_rsa", "notes.txt", "shadow", "module.py"):
        (tmp_path / name).write_text("secret\n")
    link = tmp_path / "pipe.py"
    link.symlink_to("/dev/zero")
    traces = [(0, 1, ((str(path), 1),), 1) for path in sorted(tmp_path.iterdir())]
    page = data_of(memtrace.Snapshot(traces, 1), Privacy())
    assert [page.header["files"][source["file"]] for source in page.header["sources"]] == [str(tmp_path / "module.py")]


def test_excerpts_are_around_lines_that_have_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.py"
    path.write_text("".join(f"line {number}\n" for number in range(1, 101)))
    lines = [2, 40, 47, 100, 500, 0]
    page = data_of(memtrace.Snapshot([(0, 1, ((str(path), line),), 1) for line in lines], 1), Privacy())
    ((source),) = page.header["sources"]
    spans = [(first, first + len(texts) - 1) for first, texts in source["excerpts"]]
    assert spans == [(1, 6), (36, 51), (96, 100)]
    assert all(texts[0] == f"line {first}" for first, texts in source["excerpts"])


HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\x1b[31m\ud800<!--"


def test_hostile_names_stay_in_the_data() -> None:
    traces = [(0, 1, ((HOSTILE, 1), (f"/{HOSTILE}.py", 2)), 2)]
    snapshot = memtrace.Snapshot(traces, 5)
    compressed = encode(Input(snapshot, HOSTILE), None, Selection(), Privacy())
    empty = render(b"")
    assert "img src" not in render(compressed)
    assert len(re.findall("</script", render(compressed))) == len(re.findall("</script", empty)) == 2
    page = Page(compressed)
    for name in [page.header["title"], *page.header["files"]]:
        assert "<img src=x" in name  # as text
        assert name.isprintable()


def test_the_policy_allows_what_is_there_and_nothing_else() -> None:
    page = render(b"")
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style)]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"\s(?:on\w+|style|src|href)=", page.partition("<body>")[2].partition("<script")[0])
