"""`memtrace flamegraph` and `memtrace diff --html` as commands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from page_data import Page

import memtrace
from memtrace.cli.commands import memtrace as command_line


def invoke(*words: object) -> Result:
    return CliRunner().invoke(command_line, [str(word) for word in words])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "app.mtrace"
    memtrace.Snapshot([(0, 100, (("/srv/a.py", 1), ("/srv/b.py", 2)), 2)], 5).dump(path)
    return path


def test_the_page_is_beside_the_snapshot(file: Path) -> None:
    result = invoke("flamegraph", file)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"Wrote {file}.html\n")
    page = Page.of(file.with_name("app.mtrace.html"))
    assert page.header["title"] == str(file)
    assert page.amounts(page.view("live")["new"]) == {(("/srv/b.py", 2, None), ("/srv/a.py", 1, None)): (100, 1)}


def test_options_of_selection(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    assert invoke("flamegraph", file, "-o", out, "--filter", "!*/a.py").exit_code == 0
    page = Page.of(out)
    assert page.amounts(page.view("live")["new"]) == {}
    assert invoke("flamegraph", file, "--group-by", "filename").exit_code == 2


def test_what_a_snapshot_lacks(file: Path) -> None:
    result = invoke("flamegraph", file, "--at-peak")
    assert result.exit_code == 1
    assert result.stderr == f"Error: {file} has no breakdown of the peak, which `memtrace run` records\n"


def test_diff(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    result = invoke("diff", file, file, "--html", out, "--redact")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"Wrote {out}\n")
    page = Page.of(out)
    assert (page.header["title"], page.header["old_title"]) == ("app.mtrace", "app.mtrace")
    assert page.header["files"] == ["b.py", "a.py"]


def test_what_is_for_pages_alone(file: Path) -> None:
    result = invoke("diff", file, file, "--redact")
    assert result.exit_code == 2
    assert result.stderr.endswith("Error: --no-source and --redact are for --html.\n")


def test_one_form_of_a_report(file: Path, tmp_path: Path) -> None:
    result = invoke("diff", file, file, "--json", "--html", tmp_path / "out.html")
    assert result.exit_code == 2
    assert not (tmp_path / "out.html").exists()


def test_what_was_there_is_replaced_as_a_whole(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.html"
    target.write_text("before")
    target.chmod(0o600)
    link = tmp_path / "link.html"
    link.symlink_to(target)
    assert invoke("flamegraph", file, "-o", link).exit_code == 0
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o600
    assert Page.of(target).header["title"] == str(file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.mtrace", "link.html", "target.html"]


def test_a_new_file_has_the_usual_permissions(file: Path, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        assert invoke("flamegraph", file).exit_code == 0
    finally:
        os.umask(before)
    assert (tmp_path / "app.mtrace.html").stat().st_mode & 0o777 == 0o640


def test_where_nothing_can_be_written(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "out.html"
    result = invoke("flamegraph", file, "-o", out)
    assert result.exit_code == 1
    assert result.stderr == f"Error: {out}: cannot be written: No such file or directory\n"
    assert not out.parent.exists()


def test_without_the_page(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtrace.reports.page.document.files", lambda _: tmp_path)
    result = invoke("flamegraph", file)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: this installation of memtrace has no page: it was built without Node.js or")
    assert not Path(f"{file}.html").exists()
