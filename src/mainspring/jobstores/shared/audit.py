"""Who has done what to jobs and runs, and why: what is kept of it, and who acts at present.

Only what is done within `acting` is noted, as `mainspring.admin` does everything; what programs do by their schedulers isn't.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from mainspring.model import RunKey
from mainspring.storable import storable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

#: So many entries are kept, the latest.
ENTRIES_KEPT = 10_000
#: Longer texts are cut off.
LONGEST_WHO, LONGEST_WHY = 200, 2000

#: What becomes of a job or a run in one step of a database.
Step = Literal["add", "change", "remove", "run", "cancel"]


class AuditEntry(NamedTuple):
    """One thing that somebody did.

    Attributes:
        time: by the store's clock, in UTC.
        who: as they or their program named them.
        action: such as ``"pause"``.
        job_id: to this job; ``None``: to the store as a whole.
        run_id: to this run of it.
        why: in their words.
    """

    time: datetime
    who: str
    action: str
    job_id: str | None = None
    run_id: str | None = None
    why: str | None = None


class AuditQuery(NamedTuple):
    """Which entries are asked for: all that match what is given, the latest first, at most so many."""

    job_id: str | None = None
    who: str | None = None
    since: datetime | None = None
    limit: int = 100

    def matches(self, entry: AuditEntry) -> bool:
        """Whether an entry is asked for."""
        return (
            self.job_id in (None, entry.job_id)
            and self.who in (None, entry.who)
            and (self.since is None or entry.time >= self.since)
        )


class AuditLog(Protocol):
    """The entries in a database."""

    def write(self, entries: Sequence[AuditEntry]) -> None:
        """Add entries."""

    def entries(self, query: AuditQuery) -> list[AuditEntry]:
        """The entries that are asked for, the latest first."""

    def prune(self, keep: int) -> None:
        """Remove all but the latest so many."""


class _Actor(NamedTuple):
    who: str
    action: str
    why: str | None
    names_steps: bool


_ACTOR: ContextVar[_Actor | None] = ContextVar("mainspring_actor", default=None)


@contextmanager
def acting(who: str, action: str, why: str | None, *, names_steps: bool = False) -> Iterator[None]:
    """Have what is done to stores by this thread, or task, noted meanwhile.

    Args:
        names_steps: the action is followed by what becomes of each job: ``"apply-remove"``.
    """
    reason = None if why is None else storable(why)[:LONGEST_WHY]
    token = _ACTOR.set(_Actor(storable(who)[:LONGEST_WHO], action, reason, names_steps))
    try:
        yield
    finally:
        _ACTOR.reset(token)


def entries_of(now: datetime, step: Step, subjects: Iterable[str | RunKey | None]) -> list[AuditEntry]:
    """What is to be noted of a step that concerns these jobs, or runs (``None``: the whole store): an entry for each, or nothing if nobody acts."""
    actor = _ACTOR.get()
    if actor is None:
        return []
    action = f"{actor.action}-{step}" if actor.names_steps else actor.action
    return [
        AuditEntry(now, actor.who, action, subject.job_id, subject.id, actor.why)
        if isinstance(subject, RunKey)
        else AuditEntry(now, actor.who, action, subject, None, actor.why)
        for subject in subjects
    ]
