"""The documentation site: built without a warning, complete, and whole without a network."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import memtrace
from memtrace import _startup

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[3]


# Where the address stands of what a browser loads by itself.
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}


class Page(HTMLParser):
    """What a page defines, where it leads, and what is loaded for it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value for name, value in attrs if value is not None}
        self.ids |= {attributes[name] for name in ("id", "name") if name in attributes}
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        source = attributes.get(LOADED.get(tag, ""))
        if source is not None:
            self.loaded.append(source)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """All pages of the site, by path."""
    pytest.importorskip("sphinx", reason="Sphinx is not installed (the extra 'docs')")
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs/site", ".", str(site)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert built.returncode == 0, built.stderr
    return {path: Page(path) for path in site.rglob("*.html")}


def ids_of(pages: dict[Path, Page], folder: str) -> set[str]:
    return set().union(*(page.ids for path, page in pages.items() if path.parent.name == folder))


def page_named(pages: dict[Path, Page], name: str) -> Page:
    (page,) = (page for path, page in pages.items() if path.as_posix().endswith(f"/{name}.html"))
    return page


def public_members() -> set[str]:
    members = set()
    for name in memtrace.__all__:
        public = getattr(memtrace, name)
        members.add(f"memtrace.{name}")
        if isinstance(public, type):
            own = {*vars(public), *vars(public).get("__annotations__", ())}
            members |= {f"memtrace.{name}.{member}" for member in own if not member.startswith("_")}
    return members


def test_the_reference_has_every_public_name_and_its_members(pages: dict[Path, Page]) -> None:
    assert len(public_members()) > 150
    assert public_members() - ids_of(pages, "reference") == set()


def test_the_reference_has_types_of_python_and_native_functions(pages: dict[Path, Page]) -> None:
    tracing, snapshots = page_named(pages, "reference/tracing"), page_named(pages, "reference/snapshots")
    for page, name, types in (
        (tracing, "memtrace.get_traced_memory", "() → tuple[int, int]"),
        (tracing, "memtrace.mark", "(name: str | None = None) → Generation"),
        (snapshots, "memtrace.Snapshot.traces", ": Sequence[Trace]"),
        (snapshots, "memtrace.Statistic.size", ": int"),
    ):
        entry = page.text.partition(f'id="{name}"')[2].partition("</dt>")[0]
        words = " ".join(unescape(re.sub(r"<[^>]+>", "", entry)).split())
        assert types in words, f"{name}: {words}"


def test_the_reference_has_every_option_of_every_command(pages: dict[Path, Page]) -> None:
    from memtrace.cli.commands import memtrace as group

    page = page_named(pages, "reference/command-line")
    context = group.make_context("memtrace", [], resilient_parsing=True)
    for name in group.list_commands(context):
        section = page.text.partition(f'id="memtrace-{name}"')[2].partition("<section")[0]
        command = group.get_command(context, name)
        assert command is not None
        for parameter in command.params:
            for option in parameter.opts if parameter.param_type_name == "option" else ():
                assert option in section, f"{name}: {option}"


def test_settings_has_every_key(pages: dict[Path, Page]) -> None:
    codes = re.findall(r'<span class="pre">([^<]*)</span>', page_named(pages, "reference/settings").text)
    assert {*(f"{name}=" for name in _startup._KEYWORDS), *_startup._SWITCHES, _startup._VARIABLE} <= set(codes)


def test_names_in_pages_lead_to_the_reference(pages: dict[Path, Page]) -> None:
    churn = page_named(pages, "docs/churn")
    assert "reference/snapshots.html#memtrace.Snapshot.churn" in churn.links
    assert "reference/tracing.html#memtrace.start" in churn.links


def test_links_of_the_site_resolve(pages: dict[Path, Page]) -> None:
    seen = 0
    for page in pages.values():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https"):
                continue
            assert not parts.scheme and not parts.netloc, f"{page.path}: {link}"
            target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            assert target.is_file(), f"{page.path}: {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].ids, f"{page.path}: {link}"
            seen += 1
    assert seen > 1000


def test_nothing_is_loaded_from_the_web(pages: dict[Path, Page]) -> None:
    for page in pages.values():
        for source in page.loaded:
            assert not urlsplit(source).netloc, f"{page.path}: {source}"
    (site,) = (path.parent for path in pages if path.name == "genindex.html")
    styles = list(site.rglob("*.css"))
    assert styles
    for style in styles:
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", style.read_text(encoding="utf-8")), style
