"""Saying something in the log without being stopped by a handler or filter that raises.

What is claimed must be handed out, and what has ended must be told, whatever becomes of the line that says so. An error of a
handler is printed, as `logging.Handler.handleError` prints what handlers catch themselves; none leaves here.
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

    def _say(self, level: int, text: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        try:
            # So that the line is said to come from whoever called.
            self._logger.log(level, text, *args, stacklevel=3, **options)
        except Exception:  # noqa: BLE001 - handlers and filters are users' code
            if logging.raiseExceptions and sys.stderr is not None:
                with suppress(Exception):
                    traceback.print_exc(file=sys.stderr)
