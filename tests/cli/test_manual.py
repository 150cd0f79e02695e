"""``man mainspring``: the page that is shipped is that of the commands as they are, and readers of such pages find nothing wrong with it."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

import servers
from mainspring.cli.application import mainspring

pytestmark = pytest.mark.one_python

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "man" / "mainspring.1"


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(CHECKOUT / "scripts" / "manual.py"))


@pytest.fixture(scope="module")
def shown():
    """The page as people read it."""
    return read("-T", "utf8", "-O", "width=500", PAGE)


def read(*arguments):
    mandoc = shutil.which("mandoc")
    if mandoc is None:
        servers.missing("mandoc is not installed (apt-get install mandoc)")
    answer = subprocess.run([mandoc, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert answer.stderr == ""
    return "".join(part.partition("\b")[2] or part for part in overstruck(answer.stdout))


def overstruck(text):
    """Bold is a character struck twice."""
    index = 0
    while index < len(text):
        length = 3 if text[index + 1 : index + 2] == "\b" else 1
        yield text[index : index + length]
        index += length


def test_the_page_is_that_of_the_commands(script):
    assert script["page"]() == PAGE.read_text(encoding="utf-8"), "make it anew: python scripts/manual.py"


def test_the_page_has_no_mistakes():
    assert read("-T", "lint", "-W", "style", PAGE) == ""


def test_each_command_is_in_it_with_its_options_and_examples(script, shown):
    context = click.Context(mainspring, info_name="mainspring")
    found = list(script["commands_of"](mainspring, context))
    assert len(found) > 30
    for command, of in found:
        assert f"   {of.command_path.removeprefix('mainspring ')}" in shown
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert any(f" {option}" in shown for option in parameter.opts), parameter.opts
        for example in command.examples:
            assert f"           {example}\n" in shown


def test_what_texts_hold_is_shown_as_it_is(script, tmp_path):
    odd = """.SH forged 'quoted' "twice" a\\fBb --no-such-option ^x~ `tick` ü … \\n(.x"""
    page = tmp_path / "odd.1"
    page.write_text("\n".join(['.TH ODD 1 "2026-11-27"', ".SH NAME", *script["wrapped"](odd)]) + "\n")
    assert odd in read("-T", "utf8", "-O", "width=200", page)


def test_the_page_is_shipped_where_man_looks_for_it():
    built = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    assert {str(PAGE.relative_to(CHECKOUT)): "share/man/man1/mainspring.1"} == built["shared-data"]
