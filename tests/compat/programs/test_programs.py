"""Programs as users write them, on the original and on mainspring under its name: they print the same.

What differs on purpose stands in `differences.toml` with the lines of both. An entry of a program that doesn't differ any more, or otherwise, fails.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import collecting
import on_purpose
import pytest
import sides

NAMED = [(theme, name) for theme in collecting.themes() for name in collecting.programs(theme)]
LISTED = on_purpose.listed()
DECISIONS = Path(__file__).parents[3] / "docs" / "decisions"

pytestmark = pytest.mark.one_python


@pytest.fixture(scope="session")
def both(tmp_path_factory):
    return sides.Sides(tmp_path_factory.mktemp("programs"))


@pytest.mark.parametrize(
    ("theme", "name"),
    [
        pytest.param(theme, name, id=f"{theme}-{name}", marks=pytest.mark.xdist_group(f"programs-{theme}"))
        for theme, name in NAMED
    ],
)
def test_a_program_prints_the_same_on_the_original_and_here(both, theme, name):
    sides.leave_out_if_missing(theme)
    original, here = both.of(theme)
    for side, answers in (("the original", original), ("mainspring", here)):
        assert name in answers, f"{name} has not ended on {side}. {answers.get('*', {}).get('trouble', '')}"
    # A row that uses a name which its file doesn't have would be the same on both sides.
    assert "raises NameError" not in original[name]["lines"], original[name]["trouble"]
    differing = on_purpose.differing(original[name]["lines"], here[name]["lines"])
    difference = LISTED.get(f"{theme}.{name}")
    told = _told(original[name], here[name])
    if difference is None:
        assert differing == ([], []), told
    else:
        assert differing != ([], []), (
            f"{theme}.{name} is listed in differences.toml, and does not differ\n{told}"
        )
        assert differing == (difference.original, difference.here), told


def _told(original, here):
    lines = difflib.unified_diff(
        original["lines"], here["lines"], "the original", "mainspring", lineterm="", n=100
    )
    return "\n".join(["", *lines, original["trouble"], here["trouble"]])


def test_there_are_at_least_three_hundred_programs():
    assert len(NAMED) == len(set(NAMED)) >= 300


@pytest.mark.parametrize("difference", on_purpose.read(), ids=lambda one: one.programs[0])
def test_what_a_user_sees_is_named_by_its_decision(difference):
    (record,) = DECISIONS.glob(f"{difference.decision:04}-*.md")
    assert difference.kind in on_purpose.KINDS
    assert difference.sees in record.read_text()


def test_decision_5_names_no_difference_that_is_gone():
    (record,) = DECISIONS.glob("0005-*.md")
    _, _, as_programs_see_it = record.read_text().partition("## As programs see it")
    named = {line.removeprefix("- ") for line in as_programs_see_it.splitlines() if line.startswith("- ")}
    assert named == {difference.sees for difference in on_purpose.read() if difference.decision == 5}


def test_every_difference_on_purpose_belongs_to_a_program():
    assert LISTED.keys() <= {f"{theme}.{name}" for theme, name in NAMED}
