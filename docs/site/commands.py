"""The command line's reference, from the commands: the directive ``commands`` shows what ``--help`` says of each.

Built from nodes, not from text that is parsed: help is plain text, in which ``*`` and ``|`` mean themselves.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import click
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from memtrace.cli.commands import memtrace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

_EXAMPLES = "\b\n"  # click's mark of a paragraph that is not to be wrapped


class Commands(SphinxDirective):
    """A section for each command."""

    def run(self) -> list[nodes.Node]:
        """Return the sections, of the group itself first what stands before its commands."""
        group = memtrace.make_context("memtrace", [], resilient_parsing=True)
        sections = []
        for name in memtrace.list_commands(group):
            command = memtrace.get_command(group, name)
            assert command is not None
            sections.append(self._section(command.make_context(name, [], parent=group, resilient_parsing=True)))
        return [*self._body(group), *sections]

    def _section(self, context: click.Context) -> nodes.section:
        path = context.command_path
        title = nodes.title("", "", nodes.literal("", path))
        section = nodes.section("", title, *self._body(context), ids=[path.replace(" ", "-")], names=[path])
        self.state.document.note_explicit_target(section)
        return section

    def _body(self, context: click.Context) -> Iterator[nodes.Node]:
        command = context.command
        usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
        yield nodes.literal_block(usage, usage, language="text")
        for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
            if paragraph.startswith(_EXAMPLES):
                title, _, lines = paragraph.removeprefix(_EXAMPLES).partition("\n")
                lines = "\n".join(line.strip() for line in lines.splitlines())
                yield nodes.paragraph("", title)
                yield nodes.literal_block(lines, lines, language="sh")
            else:
                yield nodes.paragraph("", "", *_inline(" ".join(paragraph.split())))
        records = filter(None, (parameter.get_help_record(context) for parameter in command.get_params(context)))
        yield nodes.definition_list("", *(_option(*record) for record in records), classes=["options"])


def _option(names: str, text: str) -> nodes.definition_list_item:
    definition = nodes.definition("", nodes.paragraph("", "", *_inline(text)))
    return nodes.definition_list_item("", nodes.term("", "", nodes.literal("", names)), definition)


def _inline(text: str) -> Iterator[nodes.Node]:
    """The text with what it has in backquotes, and the names of options, as code."""
    for number, part in enumerate(re.split(r"`([^`]+)`|(?<![\w-])(--?[a-z][\w-]*)", text)):
        if part:
            yield nodes.literal("", part) if number % 3 else nodes.Text(part)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True}
