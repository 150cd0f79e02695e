"""What a claim comes to: which jobs are run, wait, are parked, and what becomes of them in the store.

The engine decides about each; here is what any shared store does with the answers. Nothing here asks the store.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.engine.counting import given_back
from mainspring.engine.decision import Decision
from mainspring.engine.misfire import how_late
from mainspring.engine.precedence import by_priority, in_turn, turn_of_job, turn_of_run
from mainspring.engine.reasons import JOB_REMOVED
from mainspring.errors import MainspringError, SerializationError
from mainspring.jobstores.shared.agenda import UNCLAIMABLE_AFTER
from mainspring.jobstores.shared.rows import ENDING, PAUSED, SCHEDULED, Unreadable, record_of
from mainspring.jobstores.shared.runs import JobUpdate
from mainspring.model import JobRecord, QueuedRun

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping, Sequence
    from datetime import datetime, tzinfo

    from mainspring.engine.grouping import GroupBudget
    from mainspring.engine.precedence import Turn
    from mainspring.jobstores.contract import Decide
    from mainspring.jobstores.shared.runs import Ended, Finished
    from mainspring.model import Outcome, Submission


class ClaimRaceError(MainspringError):
    """A job was changed under a lock that should have kept it: the claim is undone and done again."""


class ClaimRequest(NamedTuple):
    """What a node asks for.

    Attributes:
        now: by the store's clock.
        set_aside: ids of jobs that this node doesn't try for now.
        token: under which runs are claimed.
        ended: outcomes that are to be written along.
        queued_from: when a queued run may be available; ``None``: none is queued.
    """

    now: datetime
    decide: Decide
    limit: int
    executors: Collection[str]
    set_aside: Collection[str]
    token: int
    ended: Sequence[Ended]
    queued_from: datetime | None

    @property
    def looks_into_queue(self) -> bool:
        """Whether there may be queued runs to be claimed."""
        return self.queued_from is not None and self.queued_from <= self.now


class Claim(NamedTuple):
    """What a look at the due jobs came to.

    Attributes:
        decisions: made true in the store.
        waiting: ids of jobs that wait for an instance to end, or for room in their group; with the time at which there is some, if
            time alone makes it.
        parked: decisions about jobs that can't be run here; nothing was changed about them.
        next_time: when the next job is due that this node could run, or ``None``.
        postponed: rows of due jobs whose triggers are to be asked before a transaction; nothing was decided about them.
    """

    decisions: list[Decision]
    waiting: dict[str, datetime | None]
    parked: list[Decision]
    next_time: datetime | None
    postponed: Sequence[Any] = ()

    def add(
        self,
        record: JobRecord | Unreadable,
        decide: Decide,
        running: int,
        buffered: Callable[[str], int],
        budget: GroupBudget | None,
    ) -> None:
        """Have it decided what becomes of a due job.

        Args:
            running: how many of its instances go on.
            buffered: how many runs of a job are queued because they overlapped; asked only where that matters.
        """
        if isinstance(record, Unreadable):
            decision = _undecidable(record)
        else:
            options = record.options
            queued = buffered(record.id) if running and options.overlap != "skip" else 0
            capacity = None if budget is None else budget.capacity(options.group)
            decision = decide(record, running, None, queued, capacity)
            if budget is not None and decision.submit:
                budget.reserve(options.group, len(decision.submit))
        if decision.reason is not None:
            self.parked.append(decision)
        elif decision.waits:
            self.waiting[decision.job.id] = decision.waits_until
        else:
            self.decisions.append(decision)

    def add_obstacle(self, decision: Decision, run: QueuedRun, request: ClaimRequest) -> None:
        """Take note that a queued run waits since its job can't be run: it is told as of a job that is due.

        Not, if its job waits to be tried again. And what another node may have begun meanwhile is left a moment for that.
        """
        decision.run = run
        is_left_to_others = (
            not isinstance(decision.error, SerializationError)
            and run.available + UNCLAIMABLE_AFTER > request.now
        )
        known = {*request.set_aside, *(other.job.id for other in self.parked)}
        if run.job_id not in known and not is_left_to_others:
            self.parked.append(decision)

    def ids_left(self) -> set[str]:
        """The jobs that are still due, and that this node doesn't try again at once."""
        return {decision.job.id for decision in self.parked} | set(self.waiting)


class QueueClaim(NamedTuple):
    """What a look into the queue came to.

    Attributes:
        decisions: made true in the store.
        blocked: ids of jobs with available runs that this node can't take for now; with the time at which it can, if time alone makes
            that.
    """

    decisions: list[Decision]
    blocked: dict[str, datetime | None]

    @property
    def free_at(self) -> datetime | None:
        """When the first of them can be taken, as far as time alone makes that."""
        return min(filter(None, self.blocked.values()), default=None)


class Claimed(NamedTuple):
    """What a claim came to.

    Attributes:
        finished: what writing the outcomes came to that were to be written along with it.
        queued_from: when a queued run of a job that isn't blocked may be available next; ``None``: none is queued, as far as was seen.
    """

    queue: QueueClaim
    claim: Claim
    finished: Finished
    queued_from: datetime | None

    def in_turn(self) -> list[Decision]:
        """What was made true, in the order in which it is to be begun."""
        due = by_priority(self.claim.decisions, lambda decision: decision.job.options.priority)
        queued = self.queue.decisions
        return in_turn((*queued, *due), turn_of_decision) if queued else due


def joined(first: Claimed, second: Claimed) -> Claimed:
    """What two parts of one claim came to: the second about due jobs alone, which the first has left for later."""
    one, other = first.claim, second.claim
    next_time = min(filter(None, (one.next_time, other.next_time)), default=None)
    claim = Claim(
        one.decisions + other.decisions,
        {**one.waiting, **other.waiting},
        one.parked + other.parked,
        next_time,
    )
    expected = min(filter(None, (first.queued_from, second.queued_from)), default=None)
    return first._replace(claim=claim, queued_from=expected)


def groups_of(records: Iterable[JobRecord | Unreadable]) -> list[str]:
    """The names of the groups that these jobs are in, in order."""
    return sorted(
        {
            record.options.group
            for record in records
            if not isinstance(record, Unreadable) and record.options.group is not None
        }
    )


class Decided(NamedTuple):
    """What is to be done about queued runs.

    Attributes:
        begun: decisions to run some.
        missed: those that have waited for too long.
        orphans: runs whose jobs are gone.
    """

    begun: list[Decision]
    missed: list[Decision]
    orphans: list[QueuedRun]

    def not_run(self, now: datetime) -> list[tuple[QueuedRun, Outcome, str]]:
        """The runs that will not be run, with what is kept of them."""
        missed = [decision.run for decision in self.missed if decision.run is not None]
        return [
            *((run, "skipped", JOB_REMOVED) for run in self.orphans),
            *((run, "missed", how_late(run, now)) for run in missed),
        ]


def decide_in_turn(
    claim: Claim,
    due: Iterable[JobRecord | Unreadable],
    runs: Iterable[QueuedRun],
    jobs: Mapping[str, JobRecord | Unreadable],
    running: MutableMapping[str, int],
    request: ClaimRequest,
    budget: GroupBudget | None,
    blocked: dict[str, datetime | None],
    buffered: Callable[[str], int],
    timezone: tzinfo,
) -> Decided:
    """Decide about due jobs and queued runs, each in its turn; about the jobs in `claim`.

    Where there are both, not more are begun than are asked for; what comes after those is left for the next look. More queued runs may
    be given than that, since some of them may be blocked.

    Args:
        due: in their order.
        jobs: of the queued runs.
        running: how many instances go on, by job; counted up.
        blocked: as in `QueueClaim`; added to.
        buffered: how many runs of a job are queued because they overlapped.
        timezone: of the due times of jobs that are paused.
    """
    decided = Decided([], [], [])
    waiting = list(runs)
    if not waiting and budget is None:
        for record in due:  # whichever comes first, it takes nothing from the others
            claim.add(record, request.decide, running.get(record_id(record), 0), buffered, budget)
        return decided
    claimants: list[tuple[JobRecord | Unreadable | None, QueuedRun | None]] = [(one, None) for one in due]
    claimants += [(jobs.get(run.job_id), run) for run in waiting]
    left: Counter[str] = Counter()  # the queue for good, of those that overlapped
    submitted = 0

    def still_buffered(job_id: str) -> int:
        return buffered(job_id) - left[job_id]

    for claimant in in_turn(claimants, _turn_of):
        record_or_none, run = claimant
        job_id = record_id(record_or_none) if run is None else run.job_id
        if submitted >= request.limit:
            break
        if run is None:
            assert record_or_none is not None  # noqa: S101 - it is due
            count = len(claim.decisions)
            claim.add(record_or_none, request.decide, running.get(job_id, 0), still_buffered, budget)
            if len(claim.decisions) > count and claim.decisions[-1].submit:
                submitted += 1
                running[job_id] = running.get(job_id, 0) + 1
        elif job_id not in blocked or not _is_held_back(run, record_or_none):
            begun, missed = len(decided.begun), len(decided.missed)
            _decide_queued(decided, claim, record_or_none, run, running, request, budget, blocked, timezone)
            if len(decided.begun) > begun:
                submitted += 1
            if (len(decided.begun), len(decided.missed)) != (begun, missed):
                left[job_id] += run.cause == "buffered"
    return decided


def _is_held_back(run: QueuedRun, record: JobRecord | Unreadable | None) -> bool:
    """Whether a run waits for certain, if another one of its job does: it asks for a place of its job, and is never too late."""
    if record is None or isinstance(record, Unreadable):
        return True
    return run.cause != "parallel" and record.options.misfire_grace_time is None


def record_id(record: JobRecord | Unreadable | None) -> str:
    """The id of a job as it was read."""
    return "" if record is None else record_of(record).id


def turn_of_decision(decision: Decision) -> Turn:
    """When what a decision is about has its turn."""
    job, run = decision.job, decision.run
    return turn_of_job(job) if run is None else turn_of_run(run, job)


def _turn_of(claimant: tuple[JobRecord | Unreadable | None, QueuedRun | None]) -> Turn:
    record, run = claimant
    job = None if record is None else record_of(record)
    if run is not None:
        return turn_of_run(run, job)
    assert job is not None  # noqa: S101 - it is due
    return turn_of_job(job)


def _undecidable(unreadable: Unreadable) -> Decision:
    decision = Decision(unreadable.record)
    decision.reason, decision.error = unreadable.reason, unreadable.error
    return decision


def _decide_queued(
    decided: Decided,
    claim: Claim,
    record: JobRecord | Unreadable | None,
    run: QueuedRun,
    running: MutableMapping[str, int],
    request: ClaimRequest,
    budget: GroupBudget | None,
    blocked: dict[str, datetime | None],
    timezone: tzinfo,
) -> None:
    if record is None:
        decided.orphans.append(run)
        return
    if isinstance(record, Unreadable):
        blocked[run.job_id] = None
        claim.add_obstacle(_undecidable(record), run, request)
        return
    group = record.options.group
    capacity = None if budget is None else budget.capacity(group)
    decision = request.decide(record, running.get(record.id, 0), run, capacity=capacity)
    if decision.reason is not None:
        blocked[run.job_id] = None
        claim.add_obstacle(decision, run, request)
        return
    zone = timezone if record.next_run_time is None else record.next_run_time.tzinfo
    if decision.missed:
        decision.missed = [run.scheduled_run_time.astimezone(zone)]
        decided.missed.append(decision)
        return
    if not decision.submit:
        times = (blocked.get(run.job_id), decision.waits_until)
        blocked[run.job_id] = min(filter(None, times), default=None)
        return
    running[record.id] = running.get(record.id, 0) + 1
    if budget is not None:
        budget.reserve(group, 1)
    decision.submit = [run.scheduled_run_time.astimezone(zone)]
    decided.begun.append(decision)


def buffered_runs(decision: Decision, now: datetime) -> list[QueuedRun]:
    """The runs that a decision has wait."""
    job_id, attempt_of, count = decision.job.id, decision.attempt_of, decision.due_times
    return [
        QueuedRun(job_id, time, attempt_of(time), now, "buffered", due_times=count)
        for time in decision.buffered
    ]


def move_of(
    decision: Decision, has_queued: Callable[[str], bool], has_running: Callable[[str], bool]
) -> JobUpdate | None:
    """Where a decision has its job go; ``None``: out of the store.

    Args:
        has_queued, has_running: whether runs of a job are queued, or go on; asked only where that matters.
    """
    job, following = decision.job, decision.following
    if following is not None:
        state = PAUSED if following.next_run_time is None else SCHEDULED
        return JobUpdate(job.id, job.version, following.next_run_time, state)
    may_run_again = job.options.outlasts_schedule and (decision.submit or has_running(job.id))
    if may_run_again or decision.buffered or has_queued(job.id):
        # It stays until its last run has ended, for the case that it is to be run again.
        return JobUpdate(job.id, job.version, None, ENDING)
    return None


def decision_of(submission: Submission, now: datetime) -> Decision:
    """The decision that a submission was made of, for its claim to be undone."""
    decision = Decision(submission.job)
    decision.submit = submission.run_times
    decision.attempts = {time.astimezone(UTC): submission.attempt_of(time) for time in submission.run_times}
    decision.following, decision.claimed = submission.following, submission.claimed
    decision.cause, decision.due_times = submission.cause, submission.due_times
    # A run that was given back before waits as one of the schedule.
    if submission.cause != "schedule" or submission.is_partial or submission.following is submission.job:
        decision.run = QueuedRun(
            *submission.key, now, submission.cause, submission.reruns, submission.due_times
        )
    return decision


def restored_job(decision: Decision) -> JobRecord:
    """The job of a decision as it is when its claim is undone, if it is still as the claim has left it."""
    job = decision.job
    return given_back(decision.following, job, decision.submit)
