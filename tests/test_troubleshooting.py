"""The page of troubles by message is in order, and every message on it can still be met."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
PAGE = (CHECKOUT / "docs" / "troubleshooting.md").read_text()
HEADINGS = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)


@cache
def texts_of_the_code() -> list[str]:
    """All texts that the library has, with a NUL for what is put in when it speaks."""
    found = []
    for path in (CHECKOUT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "\0" for part in node.values]
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"%[a-z]|%\.\df", "\0", node.value))
    return found


def test_the_messages_are_in_alphabetical_order():
    keys = [re.sub(r"[^a-z0-9 ]", "", heading.lower()).strip() for heading in HEADINGS]
    assert keys == sorted(keys)


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_message_is_one_that_the_library_has(heading):
    assert re.fullmatch("`[^`]+`", heading), "a heading is one message, in backquotes, with … for what varies"
    for part in heading.strip("`").split("…"):
        words = part.strip(" \"':()")
        assert any(words in text for text in texts_of_the_code()), words
