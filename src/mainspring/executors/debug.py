"""Runs jobs at once, on the thread that submits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.executors.native import NativeExecutor
from mainspring.executors.run import call_function, close_worker, perform
from mainspring.former_names import former_names

if TYPE_CHECKING:
    from mainspring.executors.report import RunReporter
    from mainspring.model import JobRecord, Submission


class DebugExecutor(NativeExecutor):
    """Runs each job on the scheduler's own thread, which waits for it: for debugging, and for tests."""

    def _submit(self, submission: Submission, reporter: RunReporter) -> None:
        """Run a submission before returning."""
        try:
            perform(submission, reporter, self._call, self._logger)
        finally:
            close_worker()  # the thread isn't ours: its event loop can't wait for it to end

    def _call(self, job: JobRecord) -> Any:
        return call_function(job, self._around)


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
