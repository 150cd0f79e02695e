"""Why a run was not run, or not to its end, or why its job is paused or waits: a code for programs, and the same words in every store.

Stores keep the words. `REASONS` is the one table of both: words are written from it, and read back by it (`known_reason`), so that what is kept, also what an
older release has kept, has its code without a column of its own.
"""

from __future__ import annotations

import re
from datetime import UTC
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = ["REASONS", "KnownReason", "Reason", "ReasonCode", "known_reason"]


class ReasonCode(StrEnum):
    """What a reason is called; a name that stays once it is released."""

    # Of runs
    TOO_LATE = "too-late"
    BACKLOG_DROPPED = "backlog-dropped"
    OVERLAPPING = "overlapping"
    EXECUTOR_FULL = "executor-full"
    JOB_REMOVED = "job-removed"
    CANCELLED_UNBEGUN = "cancelled-unbegun"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed-out"
    NODE_SILENT = "node-silent"
    LOST_TOUCH = "lost-touch"
    GIVEN_UP = "given-up"
    FAILED = "failed"
    # Of due times of which nothing is recorded, or that are still to come
    COALESCED = "coalesced"
    NOT_RECORDED = "not-recorded"
    NOT_DUE = "not-due"
    LEFT_OUT = "left-out"
    NO_TIME_LEFT = "no-time-left"
    AFTER_JOB = "after-job"
    LATER = "later"
    NO_NODE = "no-node"
    GROUP_FULL = "group-full"
    UNREADABLE = "unreadable"
    PAUSED = "paused"
    # Of jobs that can't be run for now
    NO_EXECUTOR = "no-executor"
    NO_FUNCTION = "no-function"
    TRIGGER_FAILED = "trigger-failed"
    EXECUTOR_REFUSED = "executor-refused"
    # Of jobs that are paused
    MAX_RUNS = "max-runs"
    FAILURES = "failures"
    STUCK_RUNS = "stuck-runs"


class Reason(NamedTuple):
    """A row of the table.

    Attributes:
        states: of which runs it is said; ``"parked"``, of a job that can't be run for now; or ``"paused"``.
        words: what is said, with the names of what varies in braces.
    """

    code: ReasonCode
    states: tuple[str, ...]
    words: str


class KnownReason(NamedTuple):
    """What words mean.

    Attributes:
        details: what varies in them, as text.
    """

    code: ReasonCode
    details: Mapping[str, str]


#: In the order in which words are looked for; each is found by one row alone.
REASONS: Final = (
    Reason(ReasonCode.TOO_LATE, ("missed",), "{lateness} late"),
    # The oldest due time beyond a backlog's limit.
    Reason(
        ReasonCode.BACKLOG_DROPPED,
        ("missed",),
        "overdue too often: this run and those after it, up to the next that is recorded, are dropped",
    ),
    Reason(ReasonCode.OVERLAPPING, ("skipped",), "{instances} instances were running"),
    Reason(ReasonCode.EXECUTOR_FULL, ("skipped",), "executor {executor} runs as many instances as it may"),
    # A queued run, or a retry, whose job is no more.
    Reason(ReasonCode.JOB_REMOVED, ("skipped",), "its job was removed"),
    # While it was queued, or had been submitted and not begun.
    Reason(ReasonCode.CANCELLED_UNBEGUN, ("cancelled",), "cancelled before it was begun"),
    Reason(ReasonCode.CANCELLED, ("cancelled",), "cancelled"),
    # Claimed by a node that is dead.
    Reason(ReasonCode.NODE_SILENT, ("lost",), "the node that ran it was not heard of any more"),
    # Its node had claimed it, and may not begin it any more.
    Reason(ReasonCode.LOST_TOUCH, ("lost",), "not begun: this node had lost touch with the job store"),
    # It was going on when its process was to end, and wasn't waited for.
    Reason(ReasonCode.GIVEN_UP, ("lost",), "given up: it went on when its process was told to end"),
    Reason(ReasonCode.NO_EXECUTOR, ("parked",), "no executor {executor} here"),
    Reason(ReasonCode.NO_FUNCTION, ("parked",), "no function {function} here"),
    Reason(ReasonCode.TRIGGER_FAILED, ("parked",), "its trigger failed"),
    # It was claimed, and its executor has not taken it.
    Reason(ReasonCode.EXECUTOR_REFUSED, ("parked",), "its executor refused it"),
    Reason(ReasonCode.EXECUTOR_REFUSED, ("parked",), "executor {executor} refused it"),
    Reason(
        ReasonCode.MAX_RUNS,
        ("paused",),
        "it has had its {max_runs} runs; a higher max_runs by modify_job, then resume_job, grants more",
    ),
    Reason(ReasonCode.FAILURES, ("paused",), "paused after {failures} failed runs in a row"),
    Reason(
        ReasonCode.STUCK_RUNS,
        ("paused",),
        "paused because {runs} runs of it don't end though they were told to, and keep their threads in the process {process} "
        "as long as it lives. Have the function look at current_run().cancelled, or wait with a limit; then call resume_job",
    ),
)

#: What may stand in words for what varies; where it isn't here, any text.
_SHAPES = {
    "lateness": r"-?(?:\d+ days?, )?\d+:\d\d:\d\d(?:\.\d+)?",
    "instances": r"\d+",
    "max_runs": r"\d+|None",
    "failures": r"\d+",
    "runs": r"\d+",
    "executor": r"'.*'|\".*\"",
    "function": r"None|'.*'|\".*\"",
}
#: What a run that ended so is said to have, whatever its error was.
_BY_STATE = {
    "failed": ReasonCode.FAILED,
    "timed_out": ReasonCode.TIMED_OUT,
    "cancelled": ReasonCode.CANCELLED,
}


@lru_cache
def _pattern(words: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", words)
    for at in range(len(parts)):
        name = parts[at]
        parts[at] = f"(?P<{name}>{_SHAPES.get(name, '.+')})" if at % 2 else re.escape(name)
    return re.compile("".join(parts), re.DOTALL)


def known_reason(state: str, words: str | None) -> KnownReason | None:
    """What is meant by words that are kept of a run, or of a job; ``None``: they aren't ours, as the error of a function or the note of a person.

    Args:
        state: the outcome of the run, ``"parked"`` or ``"paused"``: the same words in the error of a run that failed are its function's.
    """
    for reason in REASONS:
        if state in reason.states and words is not None:
            found = _pattern(reason.words).fullmatch(words)
            if found is not None:
                return KnownReason(reason.code, found.groupdict())
    code = _BY_STATE.get(state)
    return None if code is None else KnownReason(code, {})


_NAMES = re.compile(r"\{(\w+)\}")
_WORDS = {(reason.code, frozenset(_NAMES.findall(reason.words))): reason.words for reason in REASONS}


def _words(code: ReasonCode, **details: Any) -> str:
    return _WORDS[code, frozenset(details)].format(**details)


JOB_REMOVED = _words(ReasonCode.JOB_REMOVED)
CANCELLED = _words(ReasonCode.CANCELLED)
CANCELLED_UNBEGUN = _words(ReasonCode.CANCELLED_UNBEGUN)
BACKLOG_DROPPED = _words(ReasonCode.BACKLOG_DROPPED)
NODE_IS_SILENT = _words(ReasonCode.NODE_SILENT)
LOST_TOUCH = _words(ReasonCode.LOST_TOUCH)
GIVEN_UP = _words(ReasonCode.GIVEN_UP)
EXECUTOR_REFUSED = _words(ReasonCode.EXECUTOR_REFUSED)
TRIGGER_FAILED = _words(ReasonCode.TRIGGER_FAILED)


def lateness(scheduled: datetime, now: datetime) -> str:
    """Of a run that is later than its grace."""
    return _words(ReasonCode.TOO_LATE, lateness=now.astimezone(UTC) - scheduled.astimezone(UTC))


def overlap(max_instances: int) -> str:
    """Of a run that is skipped because of those that go on."""
    return _words(ReasonCode.OVERLAPPING, instances=max_instances)


def executor_full(alias: str) -> str:
    """Of a run that is skipped because its executor has a limit of its own."""
    return _words(ReasonCode.EXECUTOR_FULL, executor=repr(alias))


def had_all(max_runs: int | None) -> str:
    """Why a job is paused that has had its `max_runs`, and how it gets more."""
    return _words(ReasonCode.MAX_RUNS, max_runs=max_runs)


def failed_in_a_row(failures: int) -> str:
    """Why a job is paused that has failed as often as `pause_after_failures` lets it."""
    return _words(ReasonCode.FAILURES, failures=failures)


def stuck_runs(runs: int, process: str) -> str:
    """Why a job is paused of which so many runs don't end."""
    return _words(ReasonCode.STUCK_RUNS, runs=runs, process=process)


def no_executor(alias: str) -> str:
    """Why a job can't be run here whose executor isn't here."""
    return _words(ReasonCode.NO_EXECUTOR, executor=repr(alias))


def no_function(reference: str | None) -> str:
    """Why a job can't be run here whose function isn't here."""
    return _words(ReasonCode.NO_FUNCTION, function=repr(reference))


def refused_by(alias: str) -> str:
    """Why a job is tried again later that its executor has not taken."""
    return _words(ReasonCode.EXECUTOR_REFUSED, executor=repr(alias))


def names_no_executor(reason: str) -> bool:
    """Whether a job can't be run here because its executor isn't."""
    known = known_reason("parked", reason)
    return known is not None and known.code == ReasonCode.NO_EXECUTOR
