"""The log of `mainspring run`: lines for people, in colour or not, or JSON for collectors. Each line about a run has its job, its id, its attempt, its outcome and its duration.

What is put into a line can't make a second one of it, nor steer a terminal: mainspring's own lines see to that themselves (`safe_logging`), and it is done here for those of
jobs' functions and of other libraries.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

import click

from mainspring.cli.output import STYLES
from mainspring.current import current_run
from mainspring.errors import NoRunError
from mainspring.printable import printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "FIELDS",
    "FORMS",
    "ColourFormatter",
    "JSONFormatter",
    "PlainFormatter",
    "RunFilter",
    "written_logs",
]

#: How it can be written.
FORMS = ("auto", "plain", "colour", "json")
#: What lines about runs have besides their text; those about jobs have the first.
FIELDS = ("job_id", "run_id", "attempt", "outcome", "duration")

#: Of so many runs that go on it is known when they began. Runs whose end nobody tells of are few, and must not add up.
_KNOWN = 10_000
_LEVEL_COLOURS = {
    "DEBUG": "bright_black",
    "INFO": "green",
    "WARNING": "yellow",
    "ERROR": "red",
    "CRITICAL": "red",
}
#: What stands before each further line of a record, so that none looks like one of the log.
_INDENT = "    "


class RunFilter(logging.Filter):
    """Gives lines about runs what the scheduler's own don't have: to what a job's function logs, the ids of its run; to all, the outcome so far and the duration."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()
        self._begun: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        # Of lines that are written on another thread than the run's.
        run = getattr(record, "mainspring_run", None)
        if run is None and not hasattr(record, "run_id"):
            with suppress(NoRunError):
                run = current_run()
        if run is not None:
            record.job_id, record.run_id, record.attempt = run.job_id, run.run_id, run.attempt
            record.outcome = None
        run_id = getattr(record, "run_id", None)
        if isinstance(run_id, str):
            self._measure(record, run_id)
        return True

    def _measure(self, record: logging.LogRecord, run_id: str) -> None:
        outcome = getattr(record, "outcome", None)
        with self._lock:
            if outcome == "running":
                self._begun[run_id] = record.created
                if len(self._begun) > _KNOWN:
                    del self._begun[next(iter(self._begun))]
            begun = self._begun.get(run_id)
            if outcome not in (None, "running"):
                self._begun.pop(run_id, None)
        record.outcome = outcome or (None if begun is None else "running")
        record.duration = None if begun is None else round(max(record.created - begun, 0.0), 6)


class JSONFormatter(logging.Formatter):
    """A line of JSON for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, on one line; one about a run has all of `FIELDS`."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        is_of_run = isinstance(getattr(record, "run_id", None), str)
        for name in FIELDS if is_of_run else FIELDS[:1]:
            value = getattr(record, name, None)
            if value is not None or is_of_run:
                said[name] = value
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, default=str)


class PlainFormatter(logging.Formatter):
    """Lines for people: the time, the level, what is said, and of a run its id, attempt, outcome and duration."""

    def format(self, record: logging.LogRecord) -> str:
        """The record, on one line unless it has more; those are indented."""
        said, *more = printable_lines(record.getMessage()).split("\n")
        lines = [self._line(record, said), *map(_below, more)]
        for text in (self._traceback(record), record.stack_info):
            if text:
                lines += map(_below, printable_lines(text).split("\n"))
        return "\n".join(lines)

    def _line(self, record: logging.LogRecord, said: str) -> str:
        colour = _LEVEL_COLOURS.get(record.levelname)
        parts = [
            self._styled(self.formatTime(record), dim=True),
            self._styled(f"{record.levelname:<7}", fg=colour),
        ]
        text_colour = colour if record.levelno >= logging.WARNING else None
        run_id = getattr(record, "run_id", None)
        if not isinstance(run_id, str):
            return " ".join([*parts, self._styled(said, fg=text_colour)])
        known = f"[run {printable(run_id)}]"
        parts += [
            self._styled(said.removesuffix(known).rstrip(), fg=text_colour),
            self._styled(known, dim=True),
            f"({self._state(record)})",
        ]
        return " ".join(parts)

    def _state(self, record: logging.LogRecord) -> str:
        attempt, outcome, duration = (getattr(record, name, None) for name in FIELDS[2:])
        parts = [] if attempt is None else [printable(f"attempt {attempt}")]
        if outcome is not None:
            words = printable(str(outcome))
            ended = self._styled(words, fg=STYLES.get(words))
            if isinstance(duration, float):
                ended += f" {'for' if outcome == 'running' else 'after'} {duration:.3f} s"
            parts.append(ended)
        return ", ".join(parts)

    def _traceback(self, record: logging.LogRecord) -> str | None:
        if record.exc_info and not record.exc_text:
            return self.formatException(record.exc_info)
        return record.exc_text

    def _styled(self, text: str, *, fg: str | None = None, dim: bool | None = None) -> str:
        """A text in a style, where there are styles."""
        del fg, dim
        return text


class ColourFormatter(PlainFormatter):
    """`PlainFormatter` in the colours of terminals: levels and outcomes are seen at a glance, and times and ids stand back."""

    def _styled(self, text: str, *, fg: str | None = None, dim: bool | None = None) -> str:
        return click.style(text, fg=fg, dim=dim) if fg or dim else text


def _below(line: str) -> str:
    return line if not line or line.startswith(_INDENT) else f"{_INDENT}{line}"


def _form_meant(form: str) -> str:
    """The form that ``auto`` means here: NO_COLOR and FORCE_COLOR have a say, if they aren't empty, the first one before the other."""
    if form != "auto":
        return form
    if os.environ.get("NO_COLOR"):
        return "plain"
    if os.environ.get("FORCE_COLOR"):
        return "colour"
    stream = sys.stderr
    return "colour" if stream.isatty() and os.environ.get("TERM") != "dumb" else "plain"


_FORMATTERS = {"plain": PlainFormatter, "colour": ColourFormatter, "json": JSONFormatter}


@contextmanager
def written_logs(form: str, *, verbose: bool) -> Iterator[None]:
    """Have the log written to standard error meanwhile.

    Args:
        form: one of `FORMS`.
        verbose: everything, not only what operators need.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_FORMATTERS[_form_meant(form)]())
    handler.addFilter(RunFilter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    try:
        yield
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
