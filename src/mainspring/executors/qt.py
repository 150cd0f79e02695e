"""Runs jobs in the GUI thread of a `QtScheduler`: the one that may touch widgets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mainspring.errors import ConfigurationError
from mainspring.executors.native import NativeExecutor
from mainspring.executors.run import call_function, close_worker, perform

if TYPE_CHECKING:
    from mainspring.executors.report import RunReporter
    from mainspring.model import JobRecord, Submission

__all__ = ["QtExecutor"]


class QtExecutor(NativeExecutor):
    """Calls each job's function in the GUI thread, which does nothing else meanwhile: for short jobs that touch widgets."""

    def start(self, scheduler: Any, alias: str) -> None:
        """Called when the scheduler starts.

        Raises:
            ConfigurationError: the scheduler is no `QtScheduler`.
        """
        if not hasattr(scheduler, "_caller"):
            raise ConfigurationError(
                f"QtExecutor runs jobs in the GUI thread of a QtScheduler, and the scheduler is a {type(scheduler).__name__}: "
                "use that, or a ThreadPoolExecutor"
            )
        super().start(scheduler, alias)

    def _submit(self, submission: Submission, reporter: RunReporter) -> None:
        self._scheduler.call_soon(partial(self._run, submission, reporter))

    def _run(self, submission: Submission, reporter: RunReporter) -> None:
        try:
            perform(submission, reporter, self._call, self._logger)
        finally:
            close_worker()  # the thread isn't ours: its event loop can't wait for it to end

    def _call(self, job: JobRecord) -> Any:
        return call_function(job, self._around)
