"""Runs jobs at once, on the thread that submits them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.executors.base import NativeExecutor
from mainspring.executors.run import call_function, close_worker, perform

if TYPE_CHECKING:
    from mainspring.executors.report import RunReporter
    from mainspring.model import Submission


class DebugExecutor(NativeExecutor):
    """Runs each job on the scheduler's own thread, which waits for it: for debugging, and for tests."""

    def _submit(self, submission: Submission, reporter: RunReporter) -> None:
        """Run a submission before returning."""
        try:
            perform(submission, reporter, call_function, self._logger)
        finally:
            close_worker()  # the thread isn't ours: its event loop can't wait for it to end
