"""``--watch``: a command that shows something shows it again and again, until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from mainspring.clock import REAL_CLOCK, pause  # noqa: TID251 - between two looks
from mainspring.errors import MainspringError, safe_str
from mainspring.masking import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Between two looks, in seconds, if it isn't said.
WATCHED_EACH = 2.0


@contextmanager
def _to_its_end() -> Iterator[None]:
    """Have Ctrl-C wait until a look is over: drivers and pools that it comes into the middle of say so at length. A second one doesn't wait."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False
    before = signal.getsignal(signal.SIGINT)

    def ask(*_: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt


def watch_option(show: Callable[..., Any]) -> Callable[..., Any]:
    """The option ``--watch`` of a command that shows something. A store that can't be had for a while is asked again."""

    @wraps(show)
    def shown(*args: Any, watch: float | None, **options: Any) -> Any:
        if watch is None:
            return show(*args, **options)
        while True:
            if sys.stdout.isatty():
                click.clear()
            with _to_its_end():
                try:
                    show(*args, **options)
                except Exit:
                    pass  # what it has found is seen, and looked at again
                except MainspringError as error:
                    click.echo(f"Error: {without_secrets(safe_str(error))}", err=True)
                sys.stdout.flush()
            pause(REAL_CLOCK, watch)

    return click.option(
        "--watch",
        type=click.FloatRange(0, min_open=True),
        is_flag=False,
        flag_value=WATCHED_EACH,
        metavar="[SECONDS]",
        help=f"Show it again and again, each {WATCHED_EACH:.0f} seconds if no others are given, until Ctrl-C.",
    )(shown)
