"""All that is known of a job or a run: its log, its error, its traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.console import Group, RenderableType
from rich.text import Text
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from mainspring.cli.output import facts
from mainspring.errors import RunLookupError
from mainspring.printable import printable

if TYPE_CHECKING:
    from datetime import tzinfo

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from mainspring.admin import Admin, JobView, RunView
    from mainspring.cli.top.panes import Row

__all__ = ["Details", "details_of"]


def details_of(admin: Admin, row: Row) -> tuple[JobView | RunView, ...]:
    """What is to be shown of a row: its run; of a job the latest run of it, and the job.

    Raises:
        JobLookupError: the job isn't there any more.
        RunLookupError: the run isn't there any more.
    """
    if row.run_id is not None:
        return (admin.run(row.run_id),)
    if row.job_id is None:
        raise RunLookupError(row.key)
    return (*admin.runs(row.job_id, limit=1), admin.job(row.job_id))


class Details(ModalScreen[None]):
    """Shows what `details_of` has found, and keeps it up to date."""

    DEFAULT_CSS = """
    Details { background: ansi_default; }
    Details > .heading { height: 1; text-style: bold reverse; }
    Details > VerticalScroll { height: 1fr; scrollbar-size: 1 1; }
    Details > .keys { height: 1; text-style: dim; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q,l,enter", "leave", "Back"),
        ("j", "scroll('down')", "Down"),
        ("k", "scroll('up')", "Up"),
    ]
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, row: Row, zone: tzinfo) -> None:
        super().__init__()
        self.row = row
        self._zone = zone
        self._words = Static(Text("Asking the store …"))

    def compose(self) -> ComposeResult:
        """Put it together."""
        yield Static(
            Text(printable(self.row.run_id or self.row.job_id or ""), no_wrap=True, overflow="ellipsis"),
            classes="heading",
        )
        with VerticalScroll():
            yield self._words
        yield Static(Text("Esc back  ↑ ↓ PgUp PgDn Home End scroll"), classes="keys")

    def show(self, found: tuple[JobView | RunView, ...]) -> None:
        """Show it."""
        parts: list[RenderableType] = []
        for one in found:
            parts += [*([Text()] if parts else []), facts(one, self._zone)]
        self._words.update(Group(*parts))

    def fail(self, words: str) -> None:
        """Say why there is nothing to be shown."""
        self._words.update(Text(printable(words)))

    def action_scroll(self, direction: str) -> None:
        """Scroll a line up or down."""
        scroll = self.query_one(VerticalScroll)
        (scroll.scroll_down if direction == "down" else scroll.scroll_up)(animate=False)

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)
