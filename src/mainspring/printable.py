"""Text that people give, shown in a line: without characters that would make another line of it, or look like other text."""

from __future__ import annotations


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
