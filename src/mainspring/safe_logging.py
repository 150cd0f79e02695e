"""Saying something in the log: which job and which run it is about, and without being stopped by a handler or filter that raises.

What is claimed must be handed out, and what has ended must be told, whatever becomes of the line that says so. An error of a
handler is printed, as `logging.Handler.handleError` prints what handlers catch themselves; none leaves here.

Every line about a job or a run is made by `of_job` or `of_run`: names of jobs need not differ, so each says the id as well, in its text and as a field of
the record for handlers that write JSON.

Names and ids are whatever a program or a row says. What is put into a line can't make a second one of it, nor steer a terminal: see `printable`.
What errors say may have several lines: they are indented under the line that is about them, so that none of them looks like one of the log.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from mainspring.errors import safe_str
from mainspring.masking import without_secrets
from mainspring.printable import printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Iterator


class SafeLogger:
    """A logger whose methods don't raise.

    Args:
        logger: the one that says it.
    """

    __slots__ = ("_logger",)

    def __init__(self, logger: Any) -> None:
        self._logger: Any = logger._logger if isinstance(logger, SafeLogger) else logger  # noqa: SLF001 - of its own kind

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._logger,)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._logger, name)  # whatever else third parties ask of a logger

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - as loggers call it
        """Whether anything of this level is said."""
        return bool(self._logger.isEnabledFor(level))

    def log(self, level: int, text: str, *args: Any, **options: Any) -> None:
        """Say a line; arguments as for `logging.Logger.log`."""
        self._say(level, text, args, options)

    def debug(self, text: str, *args: Any, **options: Any) -> None:
        """Say a line of level DEBUG."""
        self._say(logging.DEBUG, text, args, options)

    def info(self, text: str, *args: Any, **options: Any) -> None:
        """Say a line of level INFO."""
        self._say(logging.INFO, text, args, options)

    def warning(self, text: str, *args: Any, **options: Any) -> None:
        """Say a line of level WARNING."""
        self._say(logging.WARNING, text, args, options)

    def error(self, text: str, *args: Any, **options: Any) -> None:
        """Say a line of level ERROR."""
        self._say(logging.ERROR, text, args, options)

    def exception(self, text: str, *args: Any, **options: Any) -> None:
        """Say a line of level ERROR, with the error that is being handled."""
        self._say(logging.ERROR, text, args, {"exc_info": True, **options})

    def of_job(self, level: int, job_id: str, text: str, *args: Any, exc_info: Any = None) -> None:
        """Say a line about a job; the record has its id as ``job_id``."""
        if not self._logger.isEnabledFor(level):
            return
        options = {"exc_info": exc_info, "extra": {"job_id": job_id}}
        self._say(level, f"{text} [job %s]", (*args, job_id), options)

    def of_run(
        self,
        level: int,
        run_id: str,
        text: str,
        *args: Any,
        below: str | None = None,
        exc_info: Any = None,
        outcome: str | None = None,
    ) -> None:
        """Say a line about a run; the record has the ids as ``job_id`` and ``run_id``, and ``attempt`` and ``outcome``.

        Args:
            run_id: as of `mainspring.model.run_id`: it begins with the job's, and ends with the attempt.
            below: text under the line, such as a traceback.
            outcome: how it has ended, as far as this line is about that; ``"running"``: it begins.
        """
        if not self.isEnabledFor(level):
            return
        text, args = f"{text} [run %s]", (*args, run_id)
        if below is not None:
            text, args = f"{text}\n%s", (*args, _Lines(_indented(without_secrets(below))))
        parts = run_id.rsplit("/", 2)
        attempt = int(parts[-1]) if parts[-1].isdecimal() else None
        extra = {"job_id": parts[0], "run_id": run_id, "attempt": attempt, "outcome": outcome}
        options = {"exc_info": exc_info, "extra": extra}
        self._say(level, text, args, options)

    def _handle(
        self,
        level: int,
        text: str,
        args: tuple[Any, ...],
        error: Any,
        below: str,
        extra: dict[str, Any] | None,
    ) -> None:
        """Hand a record to the handlers that has the error itself, and how it is to be written."""
        logger = self._logger
        file, line, function, stack = logger.findCaller(False, 4)
        raised = (type(error), error, error.__traceback__)
        record = logger.makeRecord(logger.name, level, file, line, text, args, raised, function, extra, stack)
        record.exc_text = below
        logger.handle(record)

    def _say(self, level: int, text: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        try:
            if args and not self._logger.isEnabledFor(level):
                return
            args = tuple(map(_in_line, args))
            below = None
            error = options.get("exc_info")
            if error:
                error = error if isinstance(error, BaseException) else sys.exc_info()[1]
                below, is_secret = _shown_otherwise(error)
                if below is not None and (is_secret or not _makes_records(self._logger)):
                    # Handlers would write the error as it is.
                    text, args = f"{text}\n%s", (*args, _Lines(below))
                    options, below = {**options, "exc_info": None}, None
            if "extra" in options:
                options["extra"] = {key: _in_line(value) for key, value in options["extra"].items()}
            # So that the line is said to come from whoever called.
            if below is None:
                self._logger.log(level, text, *args, stacklevel=3, **options)
            elif self._logger.isEnabledFor(level):
                self._handle(level, text, args, error, below, options.get("extra"))
        except Exception:  # noqa: BLE001 - handlers and filters are users' code
            if logging.raiseExceptions and sys.stderr is not None:
                with suppress(Exception):
                    traceback.print_exc(file=sys.stderr)


def _shown_otherwise(error: BaseException | None) -> tuple[str | None, bool]:
    """The traceback of an error in other words than its own, if those would show a secret or look like lines of a log; and whether it has secrets."""
    if error is None:
        return None, False
    with suppress(Exception):  # users' objects
        told = "".join(traceback.format_exception(error))
        masked = without_secrets(told)
        if masked != told or not all(map(str.isprintable, _words_at_the_margin(error))):
            return _indented(masked), masked != told
    return None, False


def _words_at_the_margin(error: BaseException) -> Iterator[str]:
    """What a traceback says of an error, and of those that it came from, in their own words."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield safe_str(one)
        yield f"{type(one).__module__}.{type(one).__qualname__}"
        yield from map(safe_str, getattr(one, "__notes__", None) or ())
        waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


def _indented(text: str) -> str:
    """Lines that are below one of the log."""
    return "\n".join(f"    {line}" if line else line for line in printable_lines(text.rstrip()).split("\n"))


def _makes_records(logger: Any) -> bool:
    """Whether a logger makes its records as those of the standard library do."""
    return isinstance(logger, logging.Logger) and type(logger)._log is logging.Logger._log  # noqa: SLF001 - perhaps somebody has replaced it


class _Lines(str):
    """Text that is to have several lines."""

    __slots__ = ()


#: What is formatted without any text of somebody's; subclasses may have one.
_PLAIN = frozenset({int, float, bool, type(None), _Lines})


def _in_line(value: Any) -> Any:
    """A value for a line of a log: itself, unless its text would make more of the line."""
    if type(value) in _PLAIN:
        return value
    words = safe_str(value)
    shown = printable(without_secrets(words))
    return value if shown == words else shown


def safe_logger(logger: logging.Logger | str) -> logging.Logger:
    """The logger of this name, or the one that is given, in the hands of those who log as with any other."""
    return cast(
        "logging.Logger", SafeLogger(logging.getLogger(logger) if isinstance(logger, str) else logger)
    )
