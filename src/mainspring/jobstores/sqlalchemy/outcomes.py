"""What has become of runs: outcomes that are to be written, runs that are lost, history that has grown old."""

from __future__ import annotations

from collections import deque
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select, update

from mainspring.draining import drained
from mainspring.engine.failures import after_outcomes
from mainspring.engine.following import followed_job, following_runs
from mainspring.jobstores.sqlalchemy import nodes
from mainspring.jobstores.sqlalchemy.rows import Unreadable, written_tally
from mainspring.jobstores.sqlalchemy.runs import Ended, LostRun, ended_of
from mainspring.jobstores.sqlalchemy.tables import ENDING, PAUSED, SCHEDULED
from mainspring.model import QueuedRun, RunKey, RunResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection

    from mainspring.jobstores.sqlalchemy.context import Context
    from mainspring.model import Submission

_CHUNK = 500
_PRUNED_AT_ONCE = 1000
#: Seconds between two looks at whether to give up.
_PATIENCE = 0.1


class Look(NamedTuple):
    """What is to be seen of the nodes and their runs.

    Attributes:
        living: who is counted among the living.
        has_orphans: whether there are runs in the hands of nobody of them.
        next_queued: when the first queued run is available; ``None``: none is queued.
        to_cancel: the runs of this node that it is to cancel.
    """

    living: list[nodes.LivingNode]
    has_orphans: bool
    next_queued: datetime | None
    to_cancel: Sequence[RunKey]


class Outcomes:
    """The outcomes of the runs of one node. Its methods may be called from any thread.

    Args:
        keep: how many ended runs of each job are kept.
        keep_for: how long.

    Attributes:
        queued_from: when a queued run may be there to be claimed; ``None``: not until there is word of one.
        is_blocked: whether some are there that could not be claimed for now.
    """

    def __init__(self, context: Context, keep: int, keep_for: timedelta) -> None:
        self._context = context
        self._keep = keep
        self._keep_for = keep_for
        self._ended: deque[Ended] = deque()
        self._writing = Lock()
        self._finished_jobs: set[str] = set()
        self.queued_from: datetime | None = None
        self.is_blocked = False
        self._expecting = Lock()

    def expect(self, moment: datetime | None) -> None:
        """Queued runs may be there to be claimed at a time."""
        with self._expecting:
            if moment is not None and (self.queued_from is None or moment < self.queued_from):
                self.queued_from = moment

    def expect_none(self) -> datetime | None:
        """The queue is about to be looked into; until when, at the latest, that was to be done."""
        with self._expecting:
            before, self.queued_from = self.queued_from, None
            return before

    def add(self, submissions: Iterable[Submission]) -> None:
        """These have ended; `write` is to be called soon."""
        for submission in submissions:
            self._ended.extend(ended_of(submission, self._context.offset, is_over=True))
            self._finished_jobs.add(submission.job.id)

    def add_some(self, submission: Submission) -> None:
        """Some of its runs have ended, and others are still to come."""
        self._ended.extend(ended_of(submission, self._context.offset, is_over=False))

    def __len__(self) -> int:
        return len(self._ended)

    def take_along(self, give_up: Callable[[], bool]) -> list[Ended]:
        """What is to be written along with a claim; whoever takes it writes it, or puts it back.

        Waits for a `write` that is under way, or until `give_up`: the claim would count those runs as going on.
        """
        while not self._writing.acquire(timeout=_PATIENCE):
            if give_up():
                return []
        try:
            return drained(self._ended)
        finally:
            self._writing.release()

    def put_back(self, ended: Sequence[Ended]) -> None:
        """It could not be written."""
        self._ended.extendleft(reversed(ended))

    def write(self, give_up: Callable[[], bool] | None = None) -> None:
        """Write what there is, trying again for as long as it takes, or until `give_up` says so."""
        with self._writing:
            self._write(give_up)

    def _write(self, give_up: Callable[[], bool] | None) -> None:
        ended = drained(self._ended)
        if not ended:
            return

        def work() -> list[Ended]:
            with self._context.database.writing() as connection:
                return self.finish(connection, ended)

        try:
            refused = self._context.database.run(work, give_up=give_up)
        except BaseException:
            self.put_back(ended)
            raise
        self.tell_refused(refused)

    def finish(self, connection: Connection, ended: list[Ended]) -> list[Ended]:
        """Write outcomes, and what follows from them; those that were refused."""
        if not ended:
            return []
        counted = [one for one in ended if one.job.options.pause_after_failures is not None]
        new = self._context.runs.unended(connection, [_key(one) for one in counted]) if counted else set()
        refused = self._context.runs.finish(connection, ended)
        said = {(RunKey(*_key(one)), one.token): one.result.progress for one in ended if one.result.progress}
        if said:
            self._context.runs.say(connection, said)
        if new:
            self._count_failures(connection, [one for one in counted if _key(one) in new])
        self._follow(connection, [one for one in ended if one not in refused] if refused else ended)
        kept = [one for one in ended if _may_be_needed(one)]
        if kept:
            self._run_again(connection, [one for one in kept if one not in refused])
            self._context.runs.drop_ended_jobs(
                connection, self._context.tables.jobs, sorted({one.job.id for one in kept})
            )
        return refused

    def _run_again(self, connection: Connection, ended: Sequence[Ended]) -> None:
        lost = [
            (one.job.id, one.result.scheduled_run_time)
            for one in ended
            if one.result.outcome == "lost" and one.job.options.on_lost == "rerun"
        ]
        self._context.runs.again(connection, lost)
        retries = [
            QueuedRun(
                one.job.id, one.result.scheduled_run_time, one.attempt + 1, one.result.retry_at, "retry"
            )
            for one in ended
            if one.result.retry_at is not None
        ]
        if retries:
            self._context.runs.enqueue(connection, retries)
        if lost:
            self.expect(self._context.now())
        self.expect(min((run.available for run in retries), default=None))

    def _follow(self, connection: Connection, ended: Sequence[Ended]) -> None:
        """Queue the runs of jobs that come after those that have ended."""
        followed = self._context.statements.followed(connection)
        results: dict[str, list[RunResult]] = {}
        for one in ended:
            if one.job.id in followed:
                results.setdefault(one.job.id, []).append(one.result)
        if results:
            self._queue_followers(connection, results)

    def _queue_followers(self, connection: Connection, results: Mapping[str, Sequence[RunResult]]) -> None:
        jobs = self._context.tables.jobs
        now = self._context.now()
        rows = connection.execute(
            select(*self._context.columns).where(jobs.c.follows.in_(list(results)), jobs.c.state == SCHEDULED)
        ).all()
        runs: list[QueuedRun] = []
        for row in rows:
            follower = self._context.job_of(row)
            if not isinstance(follower, Unreadable):
                runs += following_runs(follower, results[followed_job(follower) or ""], now)
        if runs:
            self._context.runs.enqueue(connection, runs)
            self.expect(now)

    def _count_failures(self, connection: Connection, ended: Sequence[Ended]) -> None:
        """Have jobs remember their failures, and pause those that have had too many."""
        jobs = self._context.tables.jobs
        by_job: dict[str, list[Ended]] = {}
        for one in ended:
            by_job.setdefault(one.job.id, []).append(one)
        rows = connection.execute(
            select(*self._context.columns)
            .where(jobs.c.id.in_(by_job), jobs.c.state != ENDING)
            .order_by(jobs.c.id)
            .with_for_update()
        ).all()
        for row in rows:
            before = self._context.job_of(row)
            if isinstance(before, Unreadable):
                continue
            outcomes = [(one.result.outcome, one.result.retry_at) for one in by_job[before.id]]
            after = after_outcomes(before, outcomes)
            if after is not before:
                connection.execute(
                    update(jobs)
                    .where(jobs.c.id == before.id)
                    .values(
                        tally=written_tally(after.tally),
                        next_run_time=after.next_run_time,
                        state=PAUSED if after.next_run_time is None else SCHEDULED,
                        version=after.version,
                    )
                )

    def tell_refused(self, refused: Iterable[Ended]) -> None:
        """Say that others had taken over what this node ran."""
        for one in refused:
            self._context.logger.warning(
                'The outcome (%s) of job "%s" due at %s is refused: this node had been taken for dead, and the run was '
                "recorded as lost",
                one.result.outcome,
                one.job.name,
                one.result.scheduled_run_time,
            )

    def look(self, connection: Connection, token: int) -> Look:
        """What there is to be done for this node, and for others that have died."""
        known = nodes.living(connection, self._context.tables)
        runs = self._context.runs
        has_orphans = runs.has_orphans(connection, [node.token for node in known])
        jobs = self._context.tables.jobs
        prioritised = connection.execute(select(jobs.c.id).where(jobs.c.priority != 0).limit(1)).first()
        self._context.statements.has_priorities = prioritised is not None
        return Look(known, has_orphans, runs.next_available(connection), runs.to_cancel(connection, token))

    def collect_lost(self) -> bool:
        """Runs in the hands of nobody who is alive are lost; whether there are some to be run again now."""
        with self._context.database.reading() as connection:
            is_needed = self._context.runs.has_orphans(connection, self._alive(connection))
        if not is_needed:
            return False
        with self._context.database.writing() as connection:
            lost = self._context.runs.lose(connection, self._alive(connection), self._context.now())
            again = self._rerun(connection, lost)
            followed = self._context.statements.followed(connection)
            results = {
                run.job_id: [RunResult(run.scheduled, "lost")]
                for run in lost
                if run.job_id in followed and run not in again
            }
            if results:
                self._queue_followers(connection, results)
        for run in lost:
            self._context.logger.error(
                'Run of job "%s" due at %s is lost with node %s%s',
                run.job_id,
                run.scheduled,
                run.node,
                "; it will be run again" if run in again else "",
            )
        if again:
            self.expect(self._context.now())
        return bool(again)

    def _alive(self, connection: Connection) -> list[int]:
        return [node.token for node in nodes.living(connection, self._context.tables)]

    def _rerun(self, connection: Connection, lost: Sequence[LostRun]) -> list[LostRun]:
        """Have those of the lost runs run again whose jobs want that; returns them."""
        jobs = self._context.tables.jobs
        ids = sorted({run.job_id for run in lost})
        wants: set[str] = set()
        for at in range(0, len(ids), _CHUNK):
            found = connection.execute(
                select(*self._context.columns).where(jobs.c.id.in_(ids[at : at + _CHUNK]))
            )
            for row in found:
                record = self._context.job_of(row)
                options = (record.record if isinstance(record, Unreadable) else record).options
                if options.on_lost == "rerun":
                    wants.add(row[0])
        again = [run for run in lost if run.job_id in wants]
        self._context.runs.again(connection, ((run.job_id, run.scheduled) for run in again))
        return again

    def prune(self) -> None:
        """Remove history that is too old, or too much."""
        finished, self._finished_jobs = self._finished_jobs, set()
        job_ids = sorted(finished)
        before = self._context.now() - self._keep_for
        runs = self._context.runs
        self._in_batches(lambda connection: runs.prune_old(connection, before, _PRUNED_AT_ONCE))
        for at in range(0, len(job_ids), _CHUNK):
            chunk = job_ids[at : at + _CHUNK]
            self._in_batches(partial(runs.prune_many, job_ids=chunk, keep=self._keep, batch=_PRUNED_AT_ONCE))
        with self._context.database.writing() as connection:
            nodes.forget_old(connection, self._context.tables, before)

    def _in_batches(self, remove: Callable[[Connection], int]) -> None:
        """Call `remove`, each time in a transaction of its own, until it finds less than a whole batch."""
        removed = _PRUNED_AT_ONCE
        while removed >= _PRUNED_AT_ONCE:
            with self._context.database.writing() as connection:
                removed = remove(connection)


def _key(one: Ended) -> tuple[str, datetime, int]:
    return one.job.id, one.result.scheduled_run_time, one.attempt


def _may_be_needed(one: Ended) -> bool:
    """Whether the job of a run may have stayed when its schedule had ended."""
    options = one.job.options
    return options.outlasts_schedule or options.overlap not in ("skip", "allow") or one.cause != "schedule"
