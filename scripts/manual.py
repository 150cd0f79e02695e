"""The manual page of the command line, from its commands: `docs/man/mainspring.1`.

    .venv/bin/python scripts/manual.py
    man -l docs/man/mainspring.1

What it says of commands and options is their own help, examples included; the exit codes are those of `docs/cli.md`. It is the same whenever it is made.
"""

from __future__ import annotations

import argparse
import re
import textwrap
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mainspring._version import __version__
from mainspring.cli.application import mainspring
from mainspring.cli.examples import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[1]
PAGE = CHECKOUT / "docs" / "man" / "mainspring.1"
#: Formatters of manual pages like no lines of more than 80 bytes in their source, in which some characters are escapes.
WIDTH = 70
#: When its own words were last gone over.
DATE = "2026-11-27"
MORE = "https://github.com/mainspring-scheduler/mainspring/blob/main/docs/cli.md"

ENVIRONMENT = {
    "MAINSPRING_STORE": "The job store, where --store isn't given.",
    "MAINSPRING_NAMESPACE": "The deployment, where --namespace isn't given.",
    "NO_COLOR": "If it isn't empty, nothing is in colour.",
    "FORCE_COLOR": "If it isn't empty, the log of run is in colour, also where it isn't written to a terminal.",
}
FILES = {
    "mainspring.toml": "What is run and applied, if no other file is named; its default store is the job store, if none is named."
}


def escaped(text: str) -> str:
    """A text as roff has it: nothing in it is a request, an escape, or another character than it looks."""
    shown = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    shown = shown.replace("^", "\\(ha").replace("~", "\\(ti").replace('"', "\\(dq")
    return "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in shown)


def wrapped(text: str) -> list[str]:
    """A paragraph, in lines that begin no request."""
    lines = textwrap.wrap(" ".join(text.split()), WIDTH, break_on_hyphens=False, break_long_words=False)
    return [f"\\&{line}" if line.startswith(".") else line for line in map(escaped, lines)]


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a help."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", cleandoc(text.partition("\f")[0]).strip())):
        if number:
            yield ".PP"
        yield from wrapped(paragraph)


def described(term: str, text: str) -> Iterator[str]:
    """A term with what it means."""
    yield ".TP"
    # It may be broken after a bar: there are lists of values that no line takes.
    yield f"\\fB{escaped(term)}\\fR".replace("|", "|\\:")
    yield from wrapped(text)


def options_of(command: click.Command, context: click.Context) -> Iterator[str]:
    """The options of a command, but for --help, which all have."""
    for parameter in command.params:
        record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if record is not None and parameter.name != "help":
            yield from described(*record)


def commands_of(group: click.Group, parent: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """The commands of a group and of the groups in it, by their names."""
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        if command is None or command.hidden:
            continue
        context = click.Context(command, info_name=name, parent=parent)
        if isinstance(command, click.Group):
            yield from commands_of(command, context)
        else:
            yield command, context


def section_of(command: click.Command, context: click.Context) -> Iterator[str]:
    """What the page says of a command."""
    usage = " ".join(part for part in command.collect_usage_pieces(context) if part != "[OPTIONS]")
    path = context.command_path.removeprefix("mainspring ")
    yield f'.SS "{escaped(f"{path} {usage}".strip())}"'
    yield from paragraphs(command.help or "")
    yield from options_of(command, context)
    if isinstance(command, Command):
        yield ".PP"
        yield "Examples:" if len(command.examples) > 1 else "Example:"
        yield from (".PP", ".RS 4", ".nf")
        yield from map(escaped, command.examples)
        yield from (".fi", ".RE")


def exit_codes() -> Iterator[str]:
    """The table of exit codes in the documentation."""
    text = (CHECKOUT / "docs" / "cli.md").read_text(encoding="utf-8")
    table = text.partition("## Exit codes")[2].partition("\n## ")[0]
    for code, meaning in re.findall(r"^\| (\d+) \| (.*) \|$", table, re.MULTILINE):
        yield from described(code, meaning.replace("`", ""))


def page() -> str:
    """The manual page."""
    context = click.Context(mainspring, info_name="mainspring")
    lines = [
        ".\\\" Made by scripts/manual.py from the commands' own help.",
        f'.TH MAINSPRING 1 "{DATE}" "mainspring {__version__}" "User Commands"',
        ".nh",  # options aren't broken in two
        ".ad l",
        ".SH NAME",
        "mainspring \\- runs jobs on schedules, and looks into job stores",
        ".SH SYNOPSIS",
        "\\fBmainspring\\fR [\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
        *paragraphs(mainspring.help or ""),
        ".PP",
        *wrapped(
            "Looking and switching is not being a node: nothing is run by it, and no code of jobs is imported."
        ),
        *wrapped("Each command has --help. Lists are tables; --json and --output csv are for programs."),
        ".SH OPTIONS",
        *wrapped("These come before the command."),
        *options_of(mainspring, context),
        ".SH COMMANDS",
    ]
    for command, its_context in commands_of(mainspring, context):
        lines += section_of(command, its_context)
    lines += [".SH ENVIRONMENT", *(line for one in ENVIRONMENT.items() for line in described(*one))]
    lines += [".SH FILES", *(line for one in FILES.items() for line in described(*one))]
    lines += [".SH EXIT STATUS", *exit_codes()]
    lines += [".SH SEE ALSO", *(line.replace("/", "/\\:") for line in wrapped(MORE))]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--to", type=Path, default=PAGE)
    to = parser.parse_args().to
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
