"""Windows above the others: help, and a choice of one of several words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

_STYLE = """
    {name} {{ align: center middle; }}
    {name} > * {{ width: auto; max-width: 96%; height: auto; max-height: 90%; padding: 0 2;
        border: round $primary; background: $surface; }}
    {name} Static {{ width: auto; }}
"""


class Help(ModalScreen[None]):
    """What the keys do."""

    DEFAULT_CSS = _STYLE.format(name="Help")
    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,question_mark,enter", "dismiss", "Close")]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """Make the window."""
        window = VerticalScroll(Static(self._text, markup=False))
        window.border_title = "Help"
        yield window


class Choice(ModalScreen[str | None]):
    """One of several words, or None when nothing was chosen."""

    DEFAULT_CSS = _STYLE.format(name="Choice") + "Choice OptionList { min-width: 30; }"
    BINDINGS: ClassVar[list[BindingType]] = [("escape,q", "dismiss", "Close")]

    def __init__(self, title: str, words: Sequence[str], current: str) -> None:
        super().__init__()
        self._title = title
        self._words = list(words)
        self._current = current

    def compose(self) -> ComposeResult:
        """Make the window."""
        options = OptionList(*self._words, markup=False)
        options.border_title = self._title
        options.highlighted = self._words.index(self._current) if self._current in self._words else 0
        yield options

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return the word that was chosen."""
        self.dismiss(self._words[event.option_index])
