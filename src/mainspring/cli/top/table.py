"""A pane on the screen: its heading, and its rows, of which one is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.containers import Vertical
from textual.coordinate import Coordinate
from textual.widgets import DataTable, Static

from mainspring.cli.top.panes import cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Resize

    from mainspring.cli.top.panes import Pane, Row

__all__ = ["PaneView"]


class Rows(DataTable[Text]):
    """A table of which a row is chosen, by the keys that lists have.

    The row is seen where there are no colours, too.
    """

    DEFAULT_CSS = """
    Rows > .datatable--cursor, Rows:focus > .datatable--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home,g", "scroll_top", show=False),
        Binding("end,G", "scroll_bottom", show=False),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
    ]


class PaneView(Vertical):
    """Shows a pane.

    The row that is chosen stays chosen when the rows change, wherever it goes; where it ends, the one in its place is chosen.
    """

    DEFAULT_CSS = """
    PaneView { background: transparent; }
    PaneView > .heading { height: 1; text-style: bold; }
    PaneView.-active > .heading { text-style: bold reverse; }
    PaneView > Rows { height: 1fr; background: transparent; scrollbar-size: 1 1; overflow-x: hidden; }
    """

    def __init__(self, pane: Pane) -> None:
        super().__init__(id=pane.name)
        self.pane = pane
        self.table = Rows(show_header=False, cursor_type="row", cell_padding=0)
        self.table.show_cursor = False
        self._heading = Static(classes="heading", markup=False)
        self._rows: list[Row] = []
        self._number = ""
        self._is_known = False
        self._widths: Sequence[int] = ()

    def compose(self) -> ComposeResult:
        """Put it together."""
        yield self._heading
        yield self.table

    @property
    def chosen(self) -> Row | None:
        """The row that is chosen; ``None``: there are no rows."""
        return self._rows[self.table.cursor_row] if self._rows else None

    def activate(self, *, is_active: bool) -> None:
        """Have it be the pane that keys are about, or not."""
        self.set_class(is_active, "-active")
        self.table.show_cursor = is_active
        if is_active:
            self.table.focus()

    def show(self, rows: Sequence[Row], number: str) -> None:
        """Show these rows.

        Args:
            number: how many there are, as it is said.
        """
        before, self._rows = self._rows, list(rows)
        self._number, self._is_known = number, True
        if not self._widths:
            return  # it is not on the screen yet
        if [row.key for row in before] == [row.key for row in rows] and self.table.row_count == len(rows):
            for index, (old, new) in enumerate(zip(before, rows, strict=True)):
                if old != new:
                    self._update_row(index, new)
        else:
            self._fill(before)
        self._update_heading()

    def on_resize(self, event: Resize) -> None:
        """Give the columns their widths."""
        widths = self.pane.widths(max(event.size.width - 1, 0))  # the last one is the scroll bar's
        if widths == self._widths:
            return
        self._widths = widths
        self.table.clear(columns=True)
        for width in filter(None, widths):
            self.table.add_column(Text(), width=width)
        self._fill(self._rows)
        self._update_heading()

    def _cells(self, row: Row) -> Iterable[Text]:
        for index, (text, width) in enumerate(zip(row.cells, self._widths, strict=True)):
            if width:
                yield cell(text, width, row.styles.get(index, ""))

    def _update_row(self, index: int, row: Row) -> None:
        for column, text in enumerate(self._cells(row)):
            place = Coordinate(index, column)
            if self.table.get_cell_at(place) != text:
                self.table.update_cell_at(place, text)

    def _fill(self, before: Sequence[Row]) -> None:
        """Put all rows in, with the one chosen that was, of those that were shown before."""
        table = self.table
        index, scroll = table.cursor_row, table.scroll_y
        key = before[index].key if index < len(before) else None
        table.clear()
        for row in self._rows:
            table.add_row(*self._cells(row))
        if not self._rows:
            return
        found = next((number for number, row in enumerate(self._rows) if row.key == key), index)
        table.scroll_to(y=scroll, animate=False, force=True)
        table.move_cursor(row=min(found, len(self._rows) - 1), animate=False)

    def _update_heading(self) -> None:
        if self._rows or not self._is_known:
            self._heading.update(self.pane.heading(self._number, self._widths))
        else:
            self._heading.update(Text(f"{self.pane.title} 0: {self.pane.nothing}"))
