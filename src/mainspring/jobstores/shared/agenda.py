"""What one node is to ask of the database, and when.

A node asks the database five things, and each costs a trip, so each is asked only when it is due:

- a **claim**, when a job or a queued run is due as far as this node knows, or when the last claim left something;
- else a **poll**: when is the next job due? At each pass that doesn't claim;
- a **look**: which nodes live, has one left runs behind, are runs queued, is one of ours to be cancelled? Every few seconds, with a poll where
  there is one;
- **unclaimable** jobs: which are overdue because nobody has their executor? Every two seconds;
- a **flush** of outcomes, soon after they are there, unless a claim takes them along.

Meanwhile some jobs are **set aside**: those that wait for an instance to end or for room in their group, for a second at most, and those that are
parked, until they are to be retried.

The agenda decides and asks nothing: it is told what was asked and answered. `now` is the store's time, by which jobs are due. `monotonic` is in
seconds. The store's time may be set back; so nothing that was put off by it stays put off for longer than it was meant to.
"""

from __future__ import annotations

from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from mainspring.engine.waiting import LONGEST_RETRY
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from mainspring.jobstores.contract import ParkedJob

#: How long a node sleeps at most before it polls.
POLL = timedelta(seconds=1)
#: Where due jobs are locked by others, they are tried again after this.
LOCKED_PAUSE = timedelta(milliseconds=20)
#: A job whose executor isn't here is reported when no node has run it for so long.
UNCLAIMABLE_AFTER = timedelta(seconds=2)
#: How often a node looks at most, in parts of its interval: with a poll, by itself while claims follow one another, by itself while
#: polls follow one another.
_WITH_POLL, _BESIDE_CLAIMS, _BESIDE_POLLS = 0.75, 0.85, 1.05

_NEVER_LOOKED = float("-inf")


class Step(NamedTuple):
    """What a pass asks: a claim, or a poll, and a look with that."""

    claims: bool
    looks: bool


class Agenda:
    """What is due to be asked, as one node knows it. Its methods may be called from any thread.

    Args:
        looks_every: seconds between two looks.

    Attributes:
        looks_every: the same, as it is now.
    """

    def __init__(self, looks_every: float = 2.0) -> None:
        self._lock = Lock()
        self._next: datetime | None = None
        self._idle_until: datetime | None = None  # since this node may not claim
        self._knows_next = False
        self._has_more = False
        self._room_at: datetime | None = None
        self._waiting: dict[str, datetime] = {}
        self.looks_every = looks_every
        self._looked_at = _NEVER_LOOKED
        self._is_polling = False
        self._nothing_due_at: datetime | None = None
        self._unclaimable_at: datetime | None = None
        self._claims = self._claims_at_flush = 0
        self._queue_due: datetime | None = None
        self._is_queue_blocked = False

    # When the next job is due

    @property
    def knows_next(self) -> bool:
        """Whether it is known when the next job is due, or that none is."""
        return self._knows_next

    def next_is_unknown(self) -> None:
        """Jobs were added or changed."""
        self._knows_next = False

    def next_is_asked(self) -> None:
        """It is about to be asked when the next job is due; what is changed meanwhile makes it unknown again."""
        self._knows_next = True

    def next_is(self, due: datetime | None) -> None:
        """The answer."""
        self._next = due

    def changed_elsewhere(self) -> None:
        """Another node has changed something: perhaps a job, or it has queued a run, or wants one to be cancelled."""
        self._knows_next = False
        self._looked_at = _NEVER_LOOKED

    def wake_at(self, parked: Iterable[ParkedJob]) -> datetime | None:
        """When there is something to be claimed, as far as is known."""
        with self._lock:
            times = [self._next, self._queue_due, self._room_at, *(job.retry_at for job in parked)]
        first = min([time for time in times if time is not None], default=None)
        if first is None or self._idle_until is None:
            return first
        return max(first, self._idle_until)  # what is due stays so, and nothing can be done about it

    # Passes

    def step(self, now: datetime, monotonic: float) -> Step:
        """What a pass asks now; one of `polled` and `claimed` is to follow."""
        self._idle_until = None
        knew_next, self._knows_next = self._knows_next, True
        is_due = self._has_more or (knew_next and self._next is not None and self._next <= now)
        if is_due or self.is_queue_due(now):
            return Step(claims=True, looks=False)
        return Step(claims=False, looks=not self._has_looked_within(_WITH_POLL, monotonic))

    def may_not_claim(self, now: datetime) -> None:
        """A pass asks nothing, since this node has no lease: it comes back."""
        self._knows_next = True
        self._next = self._idle_until = shifted(now, POLL)

    def polled(self, first: datetime | None, now: datetime) -> bool:
        """A poll has been answered; whether a claim is to follow at once."""
        self._is_polling = True
        if first is not None and first <= now:
            return True
        self._nothing_due_at = now
        self._next = first
        with self._lock:
            if self._room_at is not None and self._room_at <= now:
                self._room_at = None  # what waited for it was paused or removed: there is nothing to wake for
        return False

    def is_unexpected(self, first: datetime | None) -> bool:
        """Whether a job was due before an earlier poll, and wasn't then: it was put there since, or all is as it was once."""
        return first is not None and self._nothing_due_at is not None and first < self._nothing_due_at

    def claiming(self) -> datetime | None:
        """A claim begins; since when queued runs were to be looked for that it looks for."""
        self._claims += 1
        self._is_polling = False
        with self._lock:
            due, self._queue_due = self._queue_due, None
        return due

    def queue_claimed(
        self,
        first: datetime | None,
        now: datetime,
        *,
        looked: bool,
        is_blocked: bool,
        free_at: datetime | None = None,
    ) -> None:
        """A claim has come by the queue.

        Args:
            first: when the first of the runs that are still queued is available.
            looked: whether it has looked for queued runs.
            is_blocked: whether some could not be taken for now; `first` is not about their jobs.
            free_at: when the first of those can be, as far as time alone makes that.
        """
        if looked:
            self._is_queue_blocked = is_blocked
        if (
            is_blocked
        ):  # they are looked for again then, or when an instance has ended here; others don't wait for that
            first = min(filter(None, (first, free_at, shifted(now, POLL))))
        self.note_queue_due(first)

    def claimed(
        self,
        next_time: datetime | None,
        waiting: Mapping[str, datetime | None],
        now: datetime,
        *,
        found: bool,
    ) -> bool:
        """A claim has been answered; whether another is to follow at once.

        Args:
            next_time: when the next job is due.
            waiting: jobs that wait for an instance or for room; with the time at which there is some, if time alone makes it.
            found: whether something was due that this node could deal with.
        """
        with self._lock:
            self._room_at = min(filter(None, waiting.values()), default=None)
            for job_id, free_at in waiting.items():
                self._waiting[job_id] = min(shifted(now, POLL), free_at or shifted(now, POLL))
        self._next = next_time
        self._has_more = next_time is not None and next_time <= now
        if self._has_more and not found:
            self._has_more = False
            self._next = shifted(now, LOCKED_PAUSE)
        return self._has_more

    # Jobs that are set aside

    @property
    def has_waiting(self) -> bool:
        """Whether something waits for a run to end."""
        return bool(self._waiting) or self._is_queue_blocked

    def set_aside(self, parked: Iterable[ParkedJob], now: datetime) -> list[str]:
        """The jobs that a claim leaves alone."""
        with self._lock:
            self._waiting = {
                job_id: until for job_id, until in self._waiting.items() if is_put_off(until, now, POLL)
            }
            return [
                *(job.job_id for job in parked if is_put_off(job.retry_at, now, LONGEST_RETRY)),
                *self._waiting,
            ]

    def all_set_aside(self, parked: Iterable[str]) -> list[str]:
        """The jobs of which something else says when they are tried again."""
        with self._lock:
            return [*parked, *self._waiting]

    def waits_no_more(self, job_id: str) -> bool:
        """A job was changed, or an instance of it has ended; whether it waited."""
        with self._lock:
            return self._waiting.pop(job_id, None) is not None

    def nothing_waits(self) -> bool:
        """Whatever waited may have room now; whether anything did."""
        with self._lock:
            was_any = bool(self._waiting)
            self._waiting.clear()
        return was_any

    def runs_ended(self) -> None:
        """Runs have ended here: those that waited for that are due."""
        if self._waiting:
            self._knows_next = False

    # Looks

    def look_every(self, seconds: float) -> None:
        """Change how often to look."""
        self.looks_every = seconds

    def is_look_due(self, monotonic: float) -> bool:
        """Whether to look now, beside the passes: a little later than with a poll, for which that is cheaper."""
        return not self._has_looked_within(_BESIDE_POLLS if self._is_polling else _BESIDE_CLAIMS, monotonic)

    def _has_looked_within(self, share: float, monotonic: float) -> bool:
        return monotonic - self._looked_at < share * self.looks_every

    def looked(self, monotonic: float) -> None:
        """A look has been answered."""
        self._looked_at = monotonic

    def is_unclaimable_due(self, now: datetime) -> bool:
        """Whether to ask now for overdue jobs whose executor nobody has; if so, it is asked."""
        since = self._unclaimable_at
        if since is not None and is_put_off(since + UNCLAIMABLE_AFTER, now, UNCLAIMABLE_AFTER):
            return False
        self._unclaimable_at = now
        return True

    # Outcomes

    def flushes(self) -> bool:
        """Whether outcomes are to be written by themselves now, since no claim has come that would have taken them along."""
        if self._has_more and self._claims != self._claims_at_flush:
            self._claims_at_flush = self._claims
            return False
        return True

    # The queue

    @property
    def queue_due(self) -> datetime | None:
        """When a queued run may be there to be claimed; ``None``: not until there is word of one."""
        return self._queue_due

    @property
    def is_queue_blocked(self) -> bool:
        """Whether queued runs are there that could not be claimed for now."""
        return self._is_queue_blocked

    def note_queue_due(self, moment: datetime | None) -> None:
        """Queued runs may be there to be claimed at a time."""
        with self._lock:
            if moment is not None and (self._queue_due is None or moment < self._queue_due):
                self._queue_due = moment

    def is_queue_due(self, now: datetime) -> bool:
        """Whether queued runs may be there to be claimed."""
        due = self._queue_due
        return due is not None and due <= now


def is_put_off(until: datetime, now: datetime, longest: timedelta) -> bool:
    """Whether something that was put off for `longest` at most still is: not if the clock was set back meanwhile."""
    return now < until <= shifted(now, longest)
