"""The log of `mainspring run`: lines for people, or JSON for collectors, both with the ids of job and run."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mainspring.current import current_run
from mainspring.errors import NoRunError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What lines about jobs and runs have besides their text.
FIELDS = ("job_id", "run_id")


class JSONFormatter(logging.Formatter):
    """A line of JSON for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, on one line."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in FIELDS:
            value = getattr(record, name, None)
            if value is not None:
                said[name] = value
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


class RunFilter(logging.Filter):
    """Gives what a job's function logs the ids of its run, as the scheduler's own lines have them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        run = getattr(
            record, "mainspring_run", None
        )  # of lines that are written on another thread than the run's
        if run is None and not hasattr(record, "run_id"):
            with suppress(NoRunError):
                run = current_run()
        if run is not None:
            record.job_id, record.run_id = run.job_id, run.run_id
        return True


@contextmanager
def written_logs(form: str, *, verbose: bool) -> Iterator[None]:
    """Have the log written to standard error meanwhile.

    Args:
        form: ``"plain"`` or ``"json"``.
        verbose: everything, not only what operators need.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JSONFormatter() if form == "json" else logging.Formatter("%(asctime)s %(levelname)-7s %(message)s")
    )
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
