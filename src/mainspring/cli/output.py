"""Shows lists as tables for people, or as JSON or CSV for programs."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mainspring.printable import printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from mainspring.admin.views import View

#: What is written into files and pipes isn't wrapped.
_UNWRAPPED = 10_000
#: So many columns a picture has.
_PICTURE = 100

#: In which colour a state is shown.
STYLES = {
    "succeeded": "green",
    "alive": "green",
    "running": "cyan",
    "queued": "cyan",
    "failed": "red",
    "timed_out": "red",
    "lost": "red",
    "dead": "red",
    "unreadable": "red",
    "silent": "yellow",
    "missed": "yellow",
    "skipped": "yellow",
    "cancelled": "yellow",
    "paused": "yellow",
}


#: What is shown in the lines that it has; all else is one line, so that no name looks like another row.
_WITH_LINES = {"traceback", "log"}


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        title: what stands above it.
        cell: what it shows of an item.
        wraps: whether it may be broken into lines; others are kept whole.
    """

    title: str
    cell: Callable[[Any], str]
    wraps: bool = False


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option ``--output`` of a command that shows something, and ``--json`` for one of its values."""
    command = click.option(
        "--output",
        type=click.Choice(["table", "json", "csv"]),
        default="table",
        show_default=True,
        help="How it is shown.",
    )(command)
    return click.option("--json", "output", flag_value="json", help="The same as --output json.")(command)


def show_list(items: Iterable[View], columns: Sequence[Column], output: str, nothing: str) -> None:
    """Show a list.

    Args:
        output: ``"table"``, ``"json"`` or ``"csv"``.
        nothing: what is said in a table's place if the list is empty.
    """
    rows = list(items)
    if output == "json":
        click.echo(json.dumps([row.to_dict() for row in rows], indent=2, ensure_ascii=False))
    elif output == "csv":
        _write_csv(rows)
    elif not rows:
        click.echo(nothing, err=True)
    else:
        _console().print(_table(rows, columns))


def save_picture(items: Sequence[View], columns: Sequence[Column], file: Path, title: str) -> None:
    """Write a list as a picture, in SVG."""
    console = Console(record=True, file=io.StringIO(), width=_PICTURE, highlight=False)
    console.print(_table(items, columns))
    file.write_text(console.export_svg(title=title), encoding="utf-8")


def show_one(item: View, output: str, zone: tzinfo) -> None:
    """Show all that is known of one thing; times in a zone."""
    if output != "table":
        show_list([item], (), output, "")
        return
    _console().print(facts(item, zone))


def facts(item: View, zone: tzinfo) -> Table:
    """All that is known of one thing, a line for each; times in a zone."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in vars(item).items():
        if value not in (None, "", (), {}):
            keeps_lines = name in _WITH_LINES
            table.add_row(name.replace("_", " "), _styled(_long(value, zone, keeps_lines=keeps_lines), name))
    return table


def _write_csv(rows: Sequence[View]) -> None:
    plain = [row.to_dict() for row in rows]
    if not plain:
        return
    writer = csv.writer(sys.stdout)
    writer.writerow(plain[0])
    for row in plain:
        writer.writerow(
            [json.dumps(value) if isinstance(value, list | dict) else value for value in row.values()]
        )


def _table(rows: Sequence[View], columns: Sequence[Column]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            column.title, no_wrap=not column.wraps, overflow="fold" if column.wraps else "ellipsis"
        )
    for row in rows:
        table.add_row(*(_styled(printable(column.cell(row)), column.title) for column in columns))
    return table


def _styled(text: str, title: str) -> Text:
    return Text(text, style=STYLES.get(text, "") if title.lower() in ("state", "outcome") else "")


def _console() -> Console:
    """Where tables are written: as wide as the terminal, and unwrapped where there is none."""
    if sys.stdout.isatty():
        return Console(file=sys.stdout, highlight=False)
    return Console(file=sys.stdout, highlight=False, width=_UNWRAPPED, soft_wrap=True)


def _long(value: Any, zone: tzinfo, *, keeps_lines: bool = False) -> str:
    if isinstance(value, datetime):
        return time_text(value, zone)
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, tuple):
        return ", ".join(printable(str(one)) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{printable(str(name))}={_long(one, zone)}" for name, one in value.items())
    return printable_lines(str(value)) if keeps_lines else printable(str(value))


def time_text(time: datetime | None, zone: tzinfo | None = None) -> str:
    """A time as people read it, in a zone, or in its own."""
    if time is None:
        return ""
    return (time if zone is None else time.astimezone(zone)).strftime("%Y-%m-%d %H:%M:%S %Z")


def duration_text(duration: timedelta | None) -> str:
    """A duration in its largest two units, such as ``"2 h 5 min"``."""
    if duration is None:
        return ""
    seconds = duration.total_seconds()
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    if seconds < 1:
        return f"{sign}{seconds * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{sign}{seconds:.1f} s"
    parts = []
    left = round(seconds)
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}")
    return sign + " ".join(parts[:2])


#: Of a bar, its parts in eighths.
_EIGHTHS = " \u258f\u258e\u258d\u258c\u258b\u258a\u2589"
_BAR = 16


def bar(value: Any, most: Any) -> str:
    """A bar as long as a duration, or a number, is beside the greatest; ``None``: nothing."""
    if value is None or not most:
        return ""
    whole, eighths = divmod(round(value / most * _BAR * 8), 8)
    return str("\u2588" * whole + _EIGHTHS[eighths]).rstrip()


def counted(number: int, noun: str) -> str:
    """A number with what it counts: ``"1 run"``, ``"2 runs"``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


_MINUTE = 60


def from_now(time: datetime | None, now: datetime) -> str:
    """How far a time is from now, such as ``"in 5 min"``."""
    if time is None:
        return ""
    return f"in {duration_text(time - now)}" if time >= now else f"{duration_text(now - time)} ago"
