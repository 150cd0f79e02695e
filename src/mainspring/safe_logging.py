"""Saying something in the log: which job and which run it is about, and without being stopped by a handler or filter that raises.

What is claimed must be handed out, and what has ended must be told, whatever becomes of the line that says so. An error of a
handler is printed, as `logging.Handler.handleError` prints what handlers catch themselves; none leaves here.

Every line about a job or a run is made by `of_job` or `of_run`: names of jobs need not differ, so each says the id as well, in its text and as a field of
the record for handlers that write JSON.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import suppress
from typing import Any


class SafeLogger:
    """A logger whose methods don't raise.

    Args:
        logger: the one that says it.
    """

    __slots__ = ("_logger",)

    def __init__(self, logger: Any) -> None:
        self._logger: Any = logger._logger if isinstance(logger, SafeLogger) else logger  # noqa: SLF001 - of its own kind

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
        if not self.isEnabledFor(level):
            return
        options = {"exc_info": exc_info, "extra": {"job_id": job_id}}
        self._say(level, f"{text} [job %s]", (*args, job_id), options)

    def of_run(
        self, level: int, run_id: str, text: str, *args: Any, below: str | None = None, exc_info: Any = None
    ) -> None:
        """Say a line about a run; the record has the ids as ``job_id`` and ``run_id``.

        Args:
            run_id: as of `mainspring.model.run_id`: it begins with the job's.
            below: text under the line, such as a traceback.
        """
        if not self.isEnabledFor(level):
            return
        text, args = f"{text} [run %s]", (*args, run_id)
        if below is not None:
            text, args = f"{text}\n%s", (*args, below)
        options = {"exc_info": exc_info, "extra": {"job_id": run_id.rsplit("/", 2)[0], "run_id": run_id}}
        self._say(level, text, args, options)

    def _say(self, level: int, text: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        try:
            # So that the line is said to come from whoever called.
            self._logger.log(level, text, *args, stacklevel=3, **options)
        except Exception:  # noqa: BLE001 - handlers and filters are users' code
            if logging.raiseExceptions and sys.stderr is not None:
                with suppress(Exception):
                    traceback.print_exc(file=sys.stderr)
