"""The examples of the documentation are run, so that what they show is what happens."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
PAGES = sorted((CHECKOUT / "docs").rglob("*.md"))
BLOCK = "```pycon\n"


def examples(page: Path) -> str:
    """The page's examples, the rest left blank, so that line numbers stay."""
    parts = page.read_text().split(BLOCK)
    kept = ["\n" * parts[0].count("\n")]
    for part in parts[1:]:
        code, _, rest = part.partition("```")
        kept += ["\n", code, "\n" * rest.count("\n")]
    return "".join(kept)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if BLOCK in page.read_text()], ids=lambda page: page.stem
)
def test_the_examples_of_a_page_do_what_it_says(page):
    test = doctest.DocTestParser().get_doctest(examples(page), {}, page.name, str(page), 0)
    said: list[str] = []
    result = doctest.DocTestRunner().run(test, out=said.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(said)


def test_every_trigger_has_a_page_with_examples():
    pages = {page.stem for page in PAGES if page.parent.name == "triggers" and BLOCK in page.read_text()}
    assert pages >= {
        "date",
        "interval",
        "cron",
        "calendarinterval",
        "combining",
        "excluding",
        "clock-changes",
    }
