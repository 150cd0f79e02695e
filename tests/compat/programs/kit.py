"""What the programs of `themes/` share: how a program is registered, and how what it prints is the same on every run.

It is imported on both sides, with APScheduler and with mainspring in its place, so it imports nothing but Python's own library.
A program prints facts alone: times that were given, types of errors, events in an order that is promised. It waits for events.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

#: Seconds of a processor after which a program is said to compute for ever.
SECONDS_OF_COMPUTING = 2.0
#: Seconds after which a program that waits for something gives up.
PATIENCE = 20.0

UTC = UTC
#: A time that programs may print, long to come.
LATER = datetime(2055, 3, 4, 5, 6, 7, tzinfo=UTC)

PROGRAMS: dict[str, Callable[[], None]] = {}


def program(function: Callable[[], None]) -> Callable[[], None]:
    """Registers a function as a program."""
    PROGRAMS[function.__name__] = function
    return function


def each(rows: Sequence[str] | Mapping[str, str]) -> Callable[[Callable[[str], None]], Callable[[str], None]]:
    """Registers a function as one program for each row of a table; it gets the row.

    The rows are text that stands in the file, so that `collecting.py` can name the programs without running any.
    """

    def register(function: Callable[[str], None]) -> Callable[[str], None]:
        pairs = rows.items() if isinstance(rows, Mapping) else ((row, row) for row in rows)
        for key, row in pairs:
            PROGRAMS[f"{function.__name__}[{key}]"] = lambda row=row: function(row)
        return function

    return register


def nothing(*args: object, **kwargs: object) -> None:
    """A job that does nothing."""


#: The errors that have a name in APScheduler. Python's own are the others that a program written for it can catch.
OWN_ERRORS = {
    "ConflictingIdError",
    "JobLookupError",
    "MaxInstancesReachedError",
    "SchedulerAlreadyRunningError",
    "SchedulerNotRunningError",
}


def kind(error: BaseException) -> str:
    """The nearest type by which a program that is written for APScheduler can catch an error."""
    for above in type(error).__mro__:
        if above.__module__ == "builtins" or above.__name__ in OWN_ERRORS:
            return above.__name__
    raise AssertionError(error)


def tried(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a call returned, or the type of what it raised."""
    try:
        return call(*args, **kwargs)
    except Exception as error:
        if "-v" in sys.argv:
            traceback.print_exc()
        return f"raises {kind(error)}"


def evaluated(row: str, names: dict[str, Any]) -> Any:
    """The value of a row that is an expression, or the type of what it raises."""
    return tried(lambda: eval(row, dict(names)))


def now() -> datetime:
    return datetime.now(UTC)


def ago(**delta: float) -> datetime:
    return now() - timedelta(**delta)


def ahead(**delta: float) -> datetime:
    return now() + timedelta(**delta)


class Heard:
    """A listener that remembers, and that a program can wait on."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self._changed = threading.Condition()

    def __call__(self, event: Any) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait(self, code: int, times: int = 1) -> list[Any]:
        """The events of these codes, once there are as many."""

        def enough() -> bool:
            return len(self.of(code)) >= times

        with self._changed:
            if not self._changed.wait_for(enough, PATIENCE):
                raise TimeoutError(f"{times} events {code} were waited for, heard {self.names()}")
        return self.of(code)

    def of(self, code: int) -> list[Any]:
        return [event for event in self.events if event.code & code]

    def names(self, code: int = -1) -> list[str]:
        """The names of the events that were heard, in their order."""
        return [name_of(event.code) for event in self.of(code)]


def name_of(code: int) -> str:
    import apscheduler.events as events

    for name, value in vars(events).items():
        if name.startswith("EVENT_") and value == code and name not in ("EVENT_SCHEDULER_START", "EVENT_ALL"):
            return name.removeprefix("EVENT_")
    return str(code)


@contextlib.contextmanager
def running(scheduler: Any, *, paused: bool = False) -> Iterator[Any]:
    """Starts a scheduler, and shuts it down in the end if the program hasn't."""
    scheduler.start(paused=paused)
    try:
        yield scheduler
    finally:
        if scheduler.running:
            scheduler.shutdown()


@contextlib.contextmanager
def logged(name: str = "apscheduler", level: int = logging.DEBUG) -> Iterator[list[logging.LogRecord]]:
    """What is logged meanwhile under a name."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger = logging.getLogger(name)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield records
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


@contextlib.contextmanager
def warned() -> Iterator[list[str]]:
    """The kinds of the warnings that are raised meanwhile."""
    kinds: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield kinds
    kinds.extend(warning.category.__name__ for warning in caught)


def listing(scheduler: Any, **options: Any) -> str:
    """What `print_jobs` prints."""
    out = io.StringIO()
    scheduler.print_jobs(out=out, **options)
    return steady(out.getvalue().rstrip("\n"))


def steady(text: str) -> str:
    """A text without what differs between two runs: addresses, ids, moments."""
    text = re.sub(r"0x[0-9a-f]{6,}", "0x…", text)
    text = re.sub(r"\b[0-9a-f]{32}\b", "<id>", text)
    return re.sub(r"\b202\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( UTC|\+00:00)?", "<moment>", text)


def _hangs(*_: object) -> None:
    raise TimeoutError("the program computes, or waits, without end")


def run(function: Callable[[], None]) -> tuple[list[str], str]:
    """The lines that a program prints, and what it raised, for whoever has to look for the reason."""
    out = io.StringIO()
    trouble = ""
    signal.signal(signal.SIGVTALRM, _hangs)
    signal.signal(signal.SIGALRM, _hangs)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_OF_COMPUTING)
    signal.setitimer(signal.ITIMER_REAL, 2 * PATIENCE)
    with warnings.catch_warnings(), contextlib.redirect_stdout(out):
        warnings.simplefilter("ignore")
        try:
            function()
        except BaseException as error:
            print(f"raises {kind(error)}")
            trouble = traceback.format_exc()
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
    return out.getvalue().splitlines(), trouble
