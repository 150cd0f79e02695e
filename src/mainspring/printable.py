"""Text that people give, shown in a line: without characters that would make another line of it, or look like other text."""

from __future__ import annotations

from reprlib import Repr
from typing import Any

_REPR = Repr()
_REPR.maxlevel = 4
_REPR.maxstring = _REPR.maxother = 200
_REPR.maxlong = 100
_REPR.maxlist = _REPR.maxtuple = _REPR.maxdict = _REPR.maxset = _REPR.maxfrozenset = 10


def shown(value: Any) -> str:
    """Any value that a program gave, as messages show it: as `repr` does, but short, however large or deep it is; it never raises."""
    try:
        return _REPR.repr(value)
    except Exception:  # noqa: BLE001 - a number of too many digits, or a `__repr__` of somebody's
        return f"<{type(value).__name__}>"


def printable(text: str) -> str:
    """`text` in one line: line breaks, escapes of terminals, marks that turn the direction of writing and the like as Python escapes them."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def printable_lines(text: str) -> str:
    """`text` in the lines that it has, each as by `printable`; tabs stay."""
    return "\n".join(
        "\t".join(map(printable, line.split("\t"))) for line in text.removesuffix("\n").split("\n")
    )
