"""``mainspring top``: starts the screen."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from mainspring.aside import Aside
from mainspring.cli.examples import Command
from mainspring.cli.exits import INTERRUPTED
from mainspring.cli.times import SPAN
from mainspring.cli.top.terminal import ending_with_its_terminal, is_terminal
from mainspring.clock import REAL_CLOCK  # noqa: TID251 - for how long a store is waited for, before a screen
from mainspring.extras import library_missing

if TYPE_CHECKING:
    from mainspring.cli.target import Target

#: More often nobody reads it, and the store has work to do.
_SHORTEST, _LONGEST = timedelta(milliseconds=200), timedelta(hours=1)
#: Which signals end it, and with which exit code.
_CODES = {signal.SIGTERM: 0, signal.SIGINT: INTERRUPTED}
#: For so long connections may take to be closed when it ends.
_CLOSE_SECONDS = 2.0


@click.command(cls=Command, examples=("mainspring --store jobs.sqlite top --interval 5s",))
@click.option(
    "--interval", type=SPAN, default="2s", show_default=True, help="How often the store is asked: 0.2s to 1h."
)
@click.pass_context
def top(context: click.Context, interval: timedelta) -> None:
    """Show what runs, what comes, what failed, who is at work and how late runs begin, and keep it up to date.

    Keys pause and resume jobs, run them now, cancel runs and show their logs; whatever changes something asks first. Tab goes to the next list.
    """
    if not _SHORTEST <= interval <= _LONGEST:
        raise click.BadParameter("it is from 0.2s to 1h", param_hint="--interval")
    try:
        import textual  # noqa: F401 - whether it is there
    except ImportError as error:
        raise library_missing("mainspring top", "Textual 8.2", "textual", "tui", error) from error
    if not is_terminal():
        raise click.UsageError(
            "top needs a terminal; for programs there is `runs list --json`, and `runs follow`"
        )
    from mainspring.cli.top.application import Top
    from mainspring.cli.top.store_thread import StoreThread

    target: Target = context.obj
    admin = target.open()
    try:
        screen = Top(
            StoreThread(admin, REAL_CLOCK),
            name=target.name,
            zone=admin.timezone,
            interval=interval.total_seconds(),
            clock=REAL_CLOCK,
            trouble=lambda: admin.store.trouble,
        )
        with ending_with_its_terminal(screen.told_to_end, _CODES):
            screen.run(mouse=False)  # so that the terminal's own marking and copying works
    finally:
        # The store may be away, and its thread still waiting for an answer.
        Aside("mainspring-top-closing", admin.close).wait(_CLOSE_SECONDS)
    if screen.return_code:
        context.exit(screen.return_code)
