"""``mainspring explain``: what a schedule written as text means."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from mainspring.cli.examples import Command
from mainspring.cli.output import time_text
from mainspring.clock import SYSTEM_CLOCK  # noqa: TID251 - it is asked from now on
from mainspring.timezones import astimezone, local_timezone
from mainspring.triggers import lint, parse
from mainspring.triggers.explaining.catalogues import LANGUAGES
from mainspring.triggers.parsing import DIALECTS

if TYPE_CHECKING:
    from mainspring.cli.target import Target


@click.command(
    cls=Command,
    examples=(
        'mainspring --timezone Europe/Berlin explain "30 2 * * mon-fri"',
        'mainspring explain "every 2 weeks on monday at 9:30"',
        'mainspring explain "0 0 9 ? * 2#1" --dialect quartz',
    ),
)
@click.argument("expression", metavar="EXPR")
@click.option(
    "--dialect",
    type=click.Choice(sorted(DIALECTS)),
    help="What it is written in, where more than one can be meant.",
)
@click.option(
    "--count", type=click.IntRange(0, 1000), default=10, show_default=True, help="So many times are shown."
)
@click.option(
    "--language",
    type=click.Choice(sorted(LANGUAGES)),
    default="en",
    show_default=True,
    help="Of the sentence.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def explain(
    target: Target, expression: str, dialect: str | None, count: int, language: str, as_json: bool
) -> None:
    """Say what a schedule means, when it is due next, and what may surprise about it."""
    zone = astimezone(target.timezone) or local_timezone()
    now = SYSTEM_CLOCK.now(zone)
    trigger = parse(expression, dialect).bind(timezone=zone, now=now, job_id="explained")
    sentence, times = trigger.explain(language=language), trigger.upcoming(now, count)
    warnings = lint(trigger, now)
    if as_json:
        said = {
            "sentence": sentence,
            "times": [time.isoformat() for time in times],
            "warnings": [{"code": str(one.code), "message": one.message} for one in warnings],
        }
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
        return
    click.echo(sentence[:1].upper() + sentence[1:])
    for time in times:
        click.echo(f"  {time:%a} {time_text(time)}")
    if count and not times:
        click.echo("  It is never due.")
    for one in warnings:
        click.echo(f"Note: {one.message}")
