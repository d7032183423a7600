"""Names in texts: those of memtrace lead to the reference, those of the standard library are known to exist.

The pages are read as plain Markdown, too, so names stand in them as code: ``take_snapshot()``, ``Snapshot.churn()``,
``TypeFilter``. Where that is a public name it becomes a link.
"""

from __future__ import annotations

import re
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

if TYPE_CHECKING:
    from docutils.nodes import Element, TextElement
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

# A function or method is written with its brackets, a class with a capital, an attribute after its class.
_NAME = re.compile(r"(?:memtrace\.)?((?:[A-Z]\w*\.)?\w+)(?:\(.*\))?")
_LIBRARY = ("builtins", "typing", "collections.abc", "os", "types", "contextlib")


class LinkNames(SphinxPostTransform):
    """Makes public names in inline code links, but on the page that describes them."""

    default_priority = 5  # before references are resolved, at 10

    def run(self, **kwargs: object) -> None:
        """Wrap each name in a reference."""
        known = self.env.domains.python_domain.objects
        for literal in list(self.document.findall(nodes.literal)):
            name = self._name_of(literal)
            if f"memtrace.{name}" not in known:
                continue
            entry = known[f"memtrace.{name}"]
            if entry.docname == self.env.docname:
                continue
            reference = addnodes.pending_xref(
                "", refdomain="py", reftype="obj", reftarget=f"memtrace.{name}", refdoc=self.env.docname
            )
            literal.replace_self(reference)
            reference += literal

    def _name_of(self, literal: nodes.literal) -> str | None:
        text = literal.astext()
        match = _NAME.fullmatch(text)
        if match is None or isinstance(literal.parent, nodes.reference | addnodes.pending_xref):
            return None
        name = match[1]
        return name if text.endswith(")") or name[0].isupper() or text.startswith("memtrace.") else None


def _is_of_the_library(name: str) -> bool:
    for place in ("", *(f"{module}:" for module in _LIBRARY)):
        try:
            resolve_name(f"{place}{name}")
        except (ImportError, AttributeError, ValueError):
            continue
        return True
    return False


def _library_name(app: Sphinx, env: BuildEnvironment, node: Element, text: TextElement) -> TextElement | None:
    """A name of the standard library is shown without a link: where its documentation has it is told by the web alone."""
    if node.get("refdomain") == "py" and _is_of_the_library(node["reftarget"]):
        return text
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    """Link names, and accept those of the standard library."""
    app.add_post_transform(LinkNames)
    app.connect("missing-reference", _library_name)
    return {"parallel_read_safe": True}
