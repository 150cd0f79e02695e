"""What is asked before something is changed, and for what is to be found."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mainspring.printable import printable

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

__all__ = ["Dialog"]

#: What is typed is as long as this at most: longer ones nobody reads in a list.
_LONGEST = 200


class Dialog(ModalScreen["str | None"]):
    """Asks for a line of text; ``None`` if it was left without one.

    Args:
        title: what it is about; may hold anything.
        label: what the text is.
        keys: what is to be pressed.
        text: what stands there at first.
    """

    DEFAULT_CSS = """
    Dialog { align: center middle; background: transparent; }
    Dialog > Vertical { width: 100%; max-width: 76; height: auto; max-height: 100%; border: round ansi_default; background: ansi_default; padding: 0 1; }
    Dialog .title { height: auto; max-height: 5; text-style: bold; }
    Dialog Input { border: none; height: 1; padding: 0; background: transparent; text-style: underline; }
    Dialog Input:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "Leave")]
    AUTO_FOCUS = "Input"

    def __init__(self, title: str, label: str, keys: str, text: str = "") -> None:
        super().__init__()
        self._title, self._label, self._keys, self._text = title, label, keys, text

    def compose(self) -> ComposeResult:
        """Put it together."""
        with Vertical():
            yield Static(Text(printable(self._title), overflow="fold"), classes="title")
            yield Static(Text(self._label))
            yield Input(self._text, max_length=_LONGEST, select_on_focus=False)
            yield Static(Text(self._keys, style="dim"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on with what was typed."""
        self.dismiss(event.value.strip())

    def action_leave(self) -> None:
        """Go back, and do nothing."""
        self.dismiss(None)
