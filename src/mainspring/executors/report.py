"""What an executor tells about the runs it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.model import Submission


class RunReporter(Protocol):
    """Where executors send what happens to a submission.

    For each due time the order is `started`, then `succeeded`, `failed` or `cancelled`; when nothing of the submission is left to
    run, `done`, exactly once, whatever happened. All may be called from any thread, never raise, and never block on
    listeners or locks held by user code.

    Attributes:
        holds_back: whether nothing more is to begin that can be left to other nodes, since this one is shutting down.
    """

    holds_back: bool

    def may_begin(self, submission: Submission) -> bool:
        """Whether the next run of a submission with a lease may be begun here.

        A node that was cut off for too long may have lost its claim to others, and one that is shutting down leaves it to them.
        """

    def started(self, submission: Submission, scheduled_run_time: datetime) -> Any:
        """The function is about to be called; the answer, which is not ``None``, is to be handed back with the outcome."""

    def succeeded(
        self, submission: Submission, scheduled_run_time: datetime, started: Any, retval: Any
    ) -> None:
        """The function returned `retval`."""

    def failed(
        self,
        submission: Submission,
        scheduled_run_time: datetime,
        started: Any,
        error: BaseException,
        traceback: str,
    ) -> None:
        """The run ended with `error`; `traceback` is its formatted text."""

    def cancelled(self, submission: Submission, scheduled_run_time: datetime, started: Any) -> None:
        """The run was cancelled, and has ended; if `started` is ``None``, it was not begun."""

    def done(self, submission: Submission) -> None:
        """Nothing of the submission is left to run: its instance slot is free."""
