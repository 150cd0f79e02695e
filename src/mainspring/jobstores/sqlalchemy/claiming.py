"""Taking due jobs: one transaction in which the engine decides, next run times are moved, and runs are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from mainspring.engine.decision import Decision
from mainspring.errors import MainspringError
from mainspring.jobstores.sqlalchemy.rows import Unreadable
from mainspring.jobstores.sqlalchemy.runs import claimed_runs, due_times_of
from mainspring.jobstores.sqlalchemy.statements import Move
from mainspring.jobstores.sqlalchemy.tables import ENDING, PAUSED, SCHEDULED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

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
        waiting: ids of jobs that wait for one of their instances to end.
        parked: decisions about jobs that can't be run here; nothing was changed about them.
        next_time: when the next job is due that this node could run, or ``None``.
    """

    decisions: list[Decision]
    waiting: list[str]
    parked: list[Decision]
    next_time: datetime | None


class Claiming:
    """What a claim asks and does in the database."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._jobs = context.tables.jobs
        self._runs = context.runs
        self._columns = context.columns

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
        claim = Claim([], [], [], None)
        if rows:
            # What was never claimed nor changed has never run.
            may_run = [row[0] for row in rows if row[-1]]
            running = statements.running(connection, may_run) if may_run else {}
            for row in rows:
                self._decide(row, decide, running.get(row[0], 0), claim)
            if may_repeat:
                self._count_attempts(connection, claim.decisions)
            self._make_true(connection, claim.decisions, now, token)
        if len(rows) == limit:
            return claim._replace(next_time=now)  # there is most likely more
        taken = {decision.job.id for decision in claim.parked} | set(claim.waiting)
        return claim._replace(
            next_time=statements.next_time(connection, now, executors, {*set_aside, *taken})
        )

    def claim_again(
        self,
        connection: Connection,
        now: datetime,
        limit: int,
        executors: Collection[str],
        token: int,
    ) -> list[Decision]:
        """Take runs that were lost and are to be run again."""
        keys = self._runs.waiting(connection, limit)
        if not keys:
            return []
        jobs = self._jobs
        ids = {key[0] for key in keys}
        rows = connection.execute(select(*self._columns).where(jobs.c.id.in_(ids)))
        records = {row[0]: self._context.job_of(row) for row in rows}
        running = self._context.statements.running(connection, sorted(ids))
        decisions = []
        for key in keys:
            record = records.get(key[0])
            if record is None:
                self._runs.skip(connection, key, now, "its job was removed")
                continue
            if isinstance(record, Unreadable) or record.func is None:
                continue
            begun = running.get(record.id, 0)
            if record.options.executor not in executors or begun >= record.options.max_instances:
                continue
            running[record.id] = begun + 1
            self._runs.take(connection, key, self._context.node_name, token, now)
            decision = Decision(record)
            zone = self._context.timezone if record.next_run_time is None else record.next_run_time.tzinfo
            decision.submit = [key[1].astimezone(zone)]
            decision.attempt = key[2]
            decision.following = record
            decisions.append(decision)
        return decisions

    def left(
        self, connection: Connection, before: datetime, decide: Decide, executors: Collection[str], limit: int
    ) -> list[Decision]:
        """What is to be said of jobs that were due before a time, and that nobody has run: they name other executors."""
        claim = Claim([], [], [], None)
        for row in self._context.statements.left(connection, before, executors, limit):
            self._decide(row, decide, 0, claim)
        return claim.parked

    def _decide(self, row: Any, decide: Decide, running: int, claim: Claim) -> None:
        record = self._context.job_of(row)
        if isinstance(record, Unreadable):
            decision = Decision(record.record)
            decision.reason, decision.error = record.reason, record.error
        else:
            decision = decide(record, running)
        if decision.reason is not None:
            claim.parked.append(decision)
        elif decision.waits:
            claim.waiting.append(decision.job.id)
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
        for decision in decisions:
            job, following = decision.job, decision.following
            runs += claimed_runs(decision, now)
            if following is not None:
                state = PAUSED if following.next_run_time is None else SCHEDULED
                moves.append(Move(job.id, job.version, following.next_run_time, state))
            elif job.options.on_lost == "rerun" and decision.submit:
                # It stays until its run has ended, for the case that this node dies.
                moves.append(Move(job.id, job.version, None, ENDING))
            else:
                ended.append(job.id)
        if moves and self._context.statements.move(connection, moves, now) != len(moves):
            raise ClaimRaceError("a job that was to be moved on was changed meanwhile")
        if ended and self._context.statements.remove(connection, ended) != len(ended):
            raise ClaimRaceError("a job that had ended was removed meanwhile")
        self._runs.insert(connection, runs, self._context.node_name, token, now)

    def give_back(
        self,
        connection: Connection,
        decision: Decision,
        token: int,
        insert: Callable[[Connection, JobRecord], object],
    ) -> bool:
        """Undo what was claimed for a decision; whether the job was still as the claim left it."""
        jobs, job, following = self._jobs, decision.job, decision.following
        if decision.attempt > 1:
            self._runs.release(connection, decision, token)
            return True
        if following is None and job.options.on_lost != "rerun":
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
