"""Taking due jobs: one transaction in which the engine decides, next run times are moved, and runs are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from mainspring.engine.decision import Decision
from mainspring.errors import MainspringError
from mainspring.jobstores.sqlalchemy.rows import Unreadable, written_tally
from mainspring.jobstores.sqlalchemy.runs import claimed_runs, due_times_of
from mainspring.jobstores.sqlalchemy.statements import Move
from mainspring.jobstores.sqlalchemy.tables import ENDING, PAUSED, SCHEDULED
from mainspring.model import QueuedRun

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from mainspring.engine.grouping import GroupBook
    from mainspring.jobstores.contract import Decide
    from mainspring.jobstores.sqlalchemy.context import Context
    from mainspring.jobstores.sqlalchemy.statements import NewRun
    from mainspring.model import JobRecord, Submission


class ClaimRaceError(MainspringError):
    """A job was changed under a lock that should have kept it: the claim is undone and done again."""


class Claim(NamedTuple):
    """What a claim's transaction came to.

    Attributes:
        decisions: made true in the database.
        waiting: ids of jobs that wait for an instance to end, or for room in their group; with the time at which there is some, if
            time alone makes it.
        parked: decisions about jobs that can't be run here; nothing was changed about them.
        next_time: when the next job is due that this node could run, or ``None``.
    """

    decisions: list[Decision]
    waiting: dict[str, datetime | None]
    parked: list[Decision]
    next_time: datetime | None


class QueueClaim(NamedTuple):
    """What a look into the queue came to.

    Attributes:
        decisions: made true in the database.
        is_blocked: whether some runs are available that this node can't take for now.
    """

    decisions: list[Decision]
    is_blocked: bool


#: How often a claim looks for queued runs behind those that it can't take.
_ROUNDS = 5


class Claiming:
    """What a claim asks and does in the database."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._jobs = context.tables.jobs
        self._runs = context.runs
        self._columns = context.columns
        self._groups = context.groups
        #: Whether there may be queued runs, so that a job whose schedule ends may have some.
        self.may_be_queued = True

    def claim(
        self,
        connection: Connection,
        now: datetime,
        decide: Decide,
        limit: int,
        executors: Collection[str],
        set_aside: Collection[str],
        token: int,
        *,
        may_repeat: bool,
    ) -> Claim:
        """Take up to `limit` due jobs, in the transaction of `connection`.

        Args:
            may_repeat: whether to look if jobs have been run at their due times before, and count these runs as further
                attempts: a job can be moved back, or removed and added again. That is rare, so it is looked for only when
                it has been met.

        Raises:
            sqlalchemy.exc.IntegrityError: it was met, and not looked for.
        """
        statements = self._context.statements
        rows = statements.due(connection, now, executors, set_aside, limit)
        claim = Claim([], {}, [], None)
        if rows:
            # What was never claimed nor changed has never run.
            may_run = [row[0] for row in rows if row[-1]]
            running = statements.running(connection, may_run) if may_run else {}
            records = [self._context.job_of(row) for row in rows]
            book = self._book(connection, records, now)
            for record in records:
                self._decide(connection, record, decide, running, claim, book)
            if book is not None:
                self._groups.write(connection, book)
            if may_repeat:
                self._count_attempts(connection, claim.decisions)
            self._make_true(connection, claim.decisions, now, token)
        if len(rows) == limit:
            return claim._replace(next_time=now)  # there is most likely more
        taken = {decision.job.id for decision in claim.parked} | set(claim.waiting)
        return claim._replace(
            next_time=statements.next_time(connection, now, executors, {*set_aside, *taken})
        )

    def claim_queued(
        self,
        connection: Connection,
        now: datetime,
        decide: Decide,
        limit: int,
        executors: Collection[str],
        token: int,
    ) -> QueueClaim:
        """Take queued runs that are available, and whose jobs may be run here now."""
        claim = QueueClaim([], is_blocked=False)
        blocked: list[str] = []
        for _ in range(_ROUNDS):
            runs = self._runs.available(connection, now, limit - len(claim.decisions), blocked)
            jobs = self._jobs_of(connection, runs)
            book = self._book(connection, jobs.values(), now)
            running = self._context.statements.running(connection, sorted(jobs)) if jobs else {}
            for run in runs:
                if run.job_id in blocked:
                    continue
                record = jobs.get(run.job_id)
                if record is None:
                    self._runs.end_queued(connection, run.key, now, "skipped", "its job was removed")
                    continue
                if isinstance(record, Unreadable) or record.options.executor not in executors:
                    blocked.append(run.job_id)
                    continue
                group = record.options.group
                room = None if book is None else book.room(group)
                decision = decide(record, running.get(record.id, 0), run, room=room)
                if not decision.submit:
                    blocked.append(run.job_id)
                    continue
                running[record.id] = running.get(record.id, 0) + 1
                self._runs.take(connection, run, self._context.node_name, token, now, group)
                if book is not None:
                    book.take(group, 1)
                zone = self._context.timezone if record.next_run_time is None else record.next_run_time.tzinfo
                decision.submit = [run.scheduled_run_time.astimezone(zone)]
                claim.decisions.append(decision)
            if book is not None:
                self._groups.write(connection, book)
            if not blocked or len(runs) < limit - len(claim.decisions):
                break  # those that are blocked have kept no others from being found
        return claim._replace(is_blocked=bool(blocked))

    def _book(
        self, connection: Connection, records: Iterable[JobRecord | Unreadable], now: datetime
    ) -> GroupBook | None:
        """What the groups of these jobs have room for, locked; ``None`` if they are in none."""
        names = {
            record.options.group
            for record in records
            if not isinstance(record, Unreadable) and record.options.group is not None
        }
        return self._groups.book(connection, sorted(names), now) if names else None

    def _jobs_of(
        self, connection: Connection, runs: Sequence[QueuedRun]
    ) -> dict[str, JobRecord | Unreadable]:
        """The jobs of queued runs, locked, so that no other node counts their instances meanwhile."""
        if not runs:
            return {}
        jobs = self._jobs
        rows = connection.execute(
            select(*self._columns)
            .where(jobs.c.id.in_({run.job_id for run in runs}))
            .order_by(jobs.c.id)
            .with_for_update()
        )
        return {row[0]: self._context.job_of(row) for row in rows}

    def left(
        self, connection: Connection, before: datetime, decide: Decide, executors: Collection[str], limit: int
    ) -> list[Decision]:
        """What is to be said of jobs that were due before a time, and that nobody has run: they name other executors."""
        claim = Claim([], {}, [], None)
        for row in self._context.statements.left(connection, before, executors, limit):
            self._decide(connection, self._context.job_of(row), decide, {}, claim, None)
        return claim.parked

    def _decide(
        self,
        connection: Connection,
        record: JobRecord | Unreadable,
        decide: Decide,
        running: Mapping[str, int],
        claim: Claim,
        book: GroupBook | None,
    ) -> None:
        if isinstance(record, Unreadable):
            decision = Decision(record.record)
            decision.reason, decision.error = record.reason, record.error
        else:
            begun = running.get(record.id, 0)
            buffered = 0
            if begun and record.options.overlap != "skip":
                buffered = self._runs.queued_of(connection, [record.id], "buffered").get(record.id, 0)
            group = record.options.group
            room = None if book is None else book.room(group)
            decision = decide(record, begun, None, buffered, room)
            if book is not None and decision.submit:
                book.take(group, len(decision.submit))
        if decision.reason is not None:
            claim.parked.append(decision)
        elif decision.waits:
            claim.waiting[decision.job.id] = decision.free_at
        else:
            claim.decisions.append(decision)

    def _count_attempts(self, connection: Connection, decisions: Sequence[Decision]) -> None:
        times = {decision.job.id: due_times_of(decision) for decision in decisions}
        attempts = self._runs.attempts(connection, times)
        for decision in decisions:
            decision.attempt = 1 + max(
                attempts.get((decision.job.id, time), 0) for time in times[decision.job.id]
            )

    def _make_true(
        self, connection: Connection, decisions: Sequence[Decision], now: datetime, token: int
    ) -> None:
        moves: list[Move] = []
        ended: list[str] = []
        runs: list[NewRun] = []
        buffered: list[QueuedRun] = []
        for decision in decisions:
            job, following = decision.job, decision.following
            runs += claimed_runs(decision, now)
            buffered += [
                QueuedRun(job.id, time, decision.attempt, now, "buffered") for time in decision.buffered
            ]
            if decision.cancels:
                self._runs.ask_to_cancel(connection, job.id)
            if following is not None:
                state = PAUSED if following.next_run_time is None else SCHEDULED
                moves.append(Move(job.id, job.version, following.next_run_time, state))
                if following.tally is not job.tally:
                    self._remember(connection, following)
            elif (job.options.outlasts_schedule and decision.submit) or self._is_queued(
                connection, job, decision
            ):
                # It stays until its last run has ended, for the case that it is to be run again.
                moves.append(Move(job.id, job.version, None, ENDING))
            else:
                ended.append(job.id)
        if moves and self._context.statements.move(connection, moves, now) != len(moves):
            raise ClaimRaceError("a job that was to be moved on was changed meanwhile")
        if ended and self._context.statements.remove(connection, ended) != len(ended):
            raise ClaimRaceError("a job that had ended was removed meanwhile")
        self._runs.insert(connection, runs, self._context.node_name, token, now)
        if buffered:
            self._runs.enqueue(connection, buffered)

    def _remember(self, connection: Connection, job: JobRecord) -> None:
        jobs = self._jobs
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(tally=written_tally(job.tally)))

    def _is_queued(self, connection: Connection, job: JobRecord, decision: Decision) -> bool:
        """Whether runs of a job whose schedule has ended are queued."""
        if decision.buffered:
            return True
        return self.may_be_queued and bool(self._runs.queued_of(connection, [job.id]))

    def give_back(
        self,
        connection: Connection,
        decision: Decision,
        token: int,
        insert: Callable[[Connection, JobRecord], object],
        available: datetime | None = None,
    ) -> bool:
        """Undo what was claimed for a decision; whether the job was still as the claim left it.

        Args:
            available: when it may be claimed again, if it was queued.
        """
        jobs, job, following = self._jobs, decision.job, decision.following
        if decision.run is not None:
            self._runs.release(connection, decision, token, available)
            return True
        if following is None and not job.options.outlasts_schedule:
            insert(connection, job)
            restored = 1
        else:
            version = job.version + 1 if following is None else following.version
            restored = connection.execute(
                update(jobs)
                .where(jobs.c.id == job.id, jobs.c.version == version)
                .values(next_run_time=job.next_run_time, state=SCHEDULED, version=version + 1)
            ).rowcount
        if restored:
            self._runs.take_back(connection, decision, token)
        return bool(restored)

    def release(
        self,
        connection: Connection,
        submission: Submission,
        insert: Callable[[Connection, JobRecord], object],
    ) -> None:
        """Undo the claim of a submission that was not begun; what can't be undone waits to be run by any node.

        May be done again after a commit whose end wasn't seen.
        """
        token = 0 if submission.lease is None else submission.lease.token
        decision = Decision(submission.job)
        decision.submit, decision.attempt = submission.run_times, submission.attempt
        decision.following = submission.following
        if submission.cause != "schedule":
            decision.run = QueuedRun(*submission.key, self._context.now(), submission.cause)
        job_id, first = submission.job.id, submission.run_times[0]
        if not self._runs.is_claimed(connection, job_id, first, submission.attempt, token):
            return  # it was done
        try:
            with connection.begin_nested():
                is_undone = self.give_back(connection, decision, token, insert)
        except IntegrityError:  # a job of this id was added meanwhile
            is_undone = False
        if not is_undone:
            self._runs.release(connection, decision, token)
