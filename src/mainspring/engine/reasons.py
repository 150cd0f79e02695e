"""What is said of runs that were not run, or not to their end: the same words in every store."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

#: Of a queued run, or a retry, whose job is no more.
JOB_REMOVED = "its job was removed"
#: Of a run that was cancelled while it was queued, or had been submitted and not begun.
CANCELLED_UNBEGUN = "cancelled before it was begun"
#: Of the oldest due time beyond a backlog's limit.
BACKLOG_DROPPED = (
    "overdue too often: this run and those after it, up to the next that is recorded, are dropped"
)
#: Of an orphaned run: claimed by a node that is dead.
NODE_IS_SILENT = "the node that ran it was not heard of any more"
#: Of a run that its node had claimed, and may not begin any more.
LOST_TOUCH = "not begun: this node had lost touch with the job store"
#: Of a run that was going on when its process was to end, and wasn't waited for.
GIVEN_UP = "given up: it went on when its process was told to end"
#: Why a job is tried again later that was claimed, and that its executor has not taken.
EXECUTOR_REFUSED = "its executor refused it"


def lateness(scheduled: datetime, now: datetime) -> str:
    """Of a run that is later than its grace."""
    return f"{now.astimezone(UTC) - scheduled.astimezone(UTC)} late"


def overlap(max_instances: int) -> str:
    """Of a run that is skipped because of those that go on."""
    return f"{max_instances} instances were running"


def had_all(max_runs: int | None) -> str:
    """Why a job is paused that has had its `max_runs`, and how it gets more."""
    return f"it has had its {max_runs} runs; a higher max_runs by modify_job, then resume_job, grants more"


_NO_EXECUTOR = "no executor "


def no_executor(alias: str) -> str:
    """Why a job can't be run here whose executor isn't here."""
    return f"{_NO_EXECUTOR}{alias!r} here"


def names_no_executor(reason: str) -> bool:
    """Whether a job can't be run here because its executor isn't."""
    return reason.startswith(_NO_EXECUTOR)
