"""Annotated source files as one page of HTML: static, without scripts, and with nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from memtrace.reports.annotate import AnnotatedFile, AnnotateReport
from memtrace.reports.text import printable

_HOT, _WARM = 10, 1  # percent of all
_STYLE = """
:root { color-scheme: light dark; --text: #1c1e21; --dim: #6a7078; --ground: #fff; --line: #e3e6ea; --hot: #ffd9d2;
  --warm: #fff1cc; --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --text: #dfe3e8; --dim: #8b939c; --ground: #16181b; --line: #2c3036;
  --hot: #5c231a; --warm: #463812; --link: #7db7f5; } }
body { margin: 1.5rem; font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--ground); }
h1 { font-size: 1.3rem; } h2 { font-size: 1rem; display: inline; overflow-wrap: anywhere; }
a { color: var(--link); } summary { padding: .5rem 0; cursor: pointer; }
table { border-collapse: collapse; } .scroll { overflow-x: auto; }
th { text-align: right; font-weight: 600; position: sticky; top: 0; background: var(--ground); }
th:last-child { text-align: left; }
td, th { padding: 0 .6rem; white-space: pre; border-bottom: 1px solid var(--line); }
.lines td { border: 0; font: 13px/1.4 ui-monospace, monospace; }
td.n { text-align: right; } td.l, .note { color: var(--dim); } tr.hot td { background: var(--hot); }
tr.warm td { background: var(--warm); }
"""


def render_html(report: AnnotateReport, title: str) -> str:
    """Return the page. All text from files is escaped in it."""
    return "\n".join(_page(report, title)) + "\n"


def _page(report: AnnotateReport, title: str) -> Iterator[str]:
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>{_text(title)}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{_text(title)}</h1><p>{_text(report.summary())}</p>"
    yield f'<div class="scroll"><table><tr>{_header((*report.headers(), "File"))}</tr>'
    for number, file in enumerate(report.files):
        name = f'<td><a href="#f{number}">{_text(file.filename)}</a></td>'
        yield f"<tr>{_cells(report.cells(file.total))}{name}</tr>"
    yield "</table></div>"
    yield from (f'<p class="note">{_text(note)}</p>' for note in report.notes())
    for number, file in enumerate(report.files):
        yield from _section(report, file, number)
    yield "</body></html>"


def _section(report: AnnotateReport, file: AnnotatedFile, number: int) -> Iterator[str]:
    yield f'<details open id="f{number}"><summary><h2>{_text(file.filename)}</h2></summary>'
    yield from (f'<p class="note">{_text(note)}</p>' for note in file.notes())
    yield f'<div class="scroll"><table class="lines"><tr>{_header((*report.headers(), "Line", "Source"))}</tr>'
    before = None
    for lineno in file.shown:
        if before is not None and lineno > before + 1:
            yield f'<tr><td class="l n" colspan="{len(report.headers()) + 1}">...</td><td></td></tr>'
        before = lineno
        share = report.share(file.by_line.get(lineno))
        kind = ' class="hot"' if share >= _HOT else ' class="warm"' if share >= _WARM else ""
        margin = f'{_cells(report.cells(file.by_line.get(lineno)))}<td class="l n">{lineno or "?"}</td>'
        yield f"<tr{kind}>{margin}<td>{_text(file.line(lineno))}</td></tr>"
    yield "</table></div></details>"


def _header(names: tuple[str, ...]) -> str:
    return "".join(f"<th>{_text(name)}</th>" for name in names)


def _cells(cells: tuple[str, ...]) -> str:
    return "".join(f'<td class="n">{_text(cell)}</td>' for cell in cells)


def _text(text: str) -> str:
    return escape(printable(text))
