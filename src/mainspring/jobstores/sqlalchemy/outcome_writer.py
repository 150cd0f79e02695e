"""What has become of runs: outcomes and what follows from them, and runs that are lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from mainspring.engine.failures import after_outcomes, has_paused_itself
from mainspring.engine.following import followed_job, following_runs
from mainspring.engine.retrying import after_loss
from mainspring.jobstores.shared.backend import ClusterStatus, Collected
from mainspring.jobstores.shared.rows import (
    ENDING,
    PAUSED,
    SCHEDULED,
    Unreadable,
    record_of,
    written_counters,
)
from mainspring.jobstores.shared.runs import Counted, Finished, counted_of, retries_of
from mainspring.jobstores.sqlalchemy import nodes
from mainspring.model import RunResult

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from mainspring.jobstores.shared.runs import Ended, LostRun
    from mainspring.jobstores.sqlalchemy.context import Context
    from mainspring.model import JobOptions, JobRecord, QueuedRun

_CHUNK = 500


class OutcomeWriter:
    """What is written when runs have ended, or are found to be lost."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def finish(self, connection: Connection, ended: Sequence[Ended]) -> Finished:
        """Write outcomes, and what follows from them."""
        if not ended:
            return Finished()
        context = self._context
        counted = counted_of(ended)
        retried = [one for one in ended if one.may_be_needed and retries_of([one])]
        new: set[tuple[str, datetime, int]] = set()
        if counted or retried:
            tokens = {one.key: one.token for one in counted} | {one.key: one.token for one in retried}
            new = context.runs.unended(connection, tokens)
        refused = context.runs.finish(connection, ended)
        said = {(one.key, one.token): one.result.progress for one in ended if one.result.progress}
        if said:
            context.runs.report_progress(connection, said)
        # Asked afterwards: whoever removes a job waits for this, or this has waited for that.
        disowned = context.runs.disowned(connection, sorted(new)) if new else set()
        of_jobs = new - disowned
        paused = self._count_failures(connection, [one for one in counted if tuple(one.key) in of_jobs])
        valid = [one for one in ended if one not in refused] if refused else ended
        expected = [self._follow(connection, valid)]
        kept = [one for one in ended if one.may_be_needed]
        if kept:
            again = [one for one in retried if one not in refused and tuple(one.key) in new]
            expected.append(self._run_again(connection, again, disowned))
            job_ids = sorted({one.job.id for one in kept})
            context.runs.drop_ended_jobs(connection, context.tables.jobs, job_ids)
        return Finished(refused, min(filter(None, expected), default=None), paused)

    def _run_again(
        self,
        connection: Connection,
        ended: Sequence[Ended],
        disowned: Collection[tuple[str, datetime, int]],
    ) -> datetime | None:
        """Queue what is to be run again, of jobs that weren't removed meanwhile; when the first of it is available."""
        runs = self._context.runs
        retries = retries_of(one for one in ended if tuple(one.key) not in disowned)
        skipped = retries_of(one for one in ended if tuple(one.key) in disowned)
        if retries:
            runs.enqueue(connection, runs.next_in_line(connection, retries))
        if skipped:
            runs.enter_skipped(connection, runs.next_in_line(connection, skipped), self._context.now())
        return min((run.available for run in retries), default=None)

    def _follow(self, connection: Connection, ended: Sequence[Ended]) -> datetime | None:
        """Queue the runs of jobs that come after those that have ended; when they are available."""
        followed = self._context.statements.followed(connection)
        results: dict[str, list[RunResult]] = {}
        for one in ended:
            if one.job.id in followed:
                results.setdefault(one.job.id, []).append(one.result)
        return self._queue_followers(connection, results) if results else None

    def _queue_followers(
        self, connection: Connection, results: Mapping[str, Sequence[RunResult]]
    ) -> datetime | None:
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
        if not runs:
            return None
        self._context.runs.enqueue(connection, runs)
        return now

    def _count_failures(self, connection: Connection, counted: Sequence[Counted]) -> list[JobRecord]:
        """Have jobs remember their failures, and pause those that have had too many; which are returned."""
        paused: list[JobRecord] = []
        if not counted:
            return paused
        jobs = self._context.tables.jobs
        by_job: dict[str, list[Counted]] = {}
        for one in counted:
            by_job.setdefault(one.key.job_id, []).append(one)
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
            after = after_outcomes(before, [(one.outcome, one.retry_at) for one in by_job[before.id]])
            if has_paused_itself(before, after):
                paused.append(after)
            if after is not before:
                connection.execute(
                    update(jobs)
                    .where(jobs.c.id == before.id)
                    .values(
                        tally=written_counters(after.counters),
                        next_run_time=after.next_run_time,
                        state=PAUSED if after.next_run_time is None else SCHEDULED,
                        version=after.version,
                    )
                )
        return paused

    def cluster_status(self, connection: Connection, token: int) -> ClusterStatus:
        """What there is to be done for this node, and for others that have died."""
        self._context.ask_time(connection)
        known = nodes.living(connection, self._context.tables)
        runs = self._context.runs
        has_orphans = runs.has_orphans(connection, [node.token for node in known])
        jobs = self._context.tables.jobs
        # In their order, so that the index is used also where the database doesn't know yet how few they are.
        few = select(jobs.c.id).where(jobs.c.priority != 0).order_by(jobs.c.priority).limit(1)
        prioritised = connection.execute(few).first()
        self._context.statements.has_priorities = prioritised is not None
        return ClusterStatus(
            known, has_orphans, runs.next_available(connection), runs.to_cancel(connection, token)
        )

    def collect_lost(
        self, connection: Connection, own: Callable[[], Collection[tuple[str, datetime, int]]]
    ) -> Collected:
        """Runs in the hands of nobody who is alive are lost; not those that are this process's own."""
        now = self._context.now()
        lost = self._context.runs.lose(connection, lambda: self._alive(connection), own, now)
        options = self._options_of(connection, lost)
        losses = {
            run: after_loss(options[run.job_id], run.key, run.reruns, now, due_times=run.due_times)
            for run in lost
            if run.job_id in options and not run.job_removed
        }
        again = {run: queued for run, queued in losses.items() if queued is not None}
        if again:
            runs = self._context.runs
            runs.enqueue(connection, runs.next_in_line(connection, list(again.values())))
        followed = self._context.statements.followed(connection)
        results: dict[str, list[RunResult]] = {}
        for run in lost:
            if run.job_id in followed and run not in again:
                results.setdefault(run.job_id, []).append(RunResult(run.scheduled, "lost"))
        expected = [run.available for run in again.values()]
        queued_from = self._queue_followers(connection, results) if results else None
        if queued_from is not None:
            expected.append(queued_from)
        ids = sorted({run.job_id for run in lost})
        for at in range(0, len(ids), _CHUNK):
            self._context.runs.drop_ended_jobs(connection, self._context.tables.jobs, ids[at : at + _CHUNK])
        when = {run: queued.available for run, queued in again.items()}
        counted = sorted(
            Counted(run.key, 0, "lost", when.get(run))
            for run in losses
            if options[run.job_id].pause_after_failures is not None
        )
        paused: list[JobRecord] = []
        for at in range(0, len(counted), _CHUNK):
            paused += self._count_failures(connection, counted[at : at + _CHUNK])
        given_up = {run for run in losses if run not in again and options[run.job_id].outlasts_schedule}
        return Collected(lost, when, min(expected, default=None), paused, given_up)

    def has_orphans(self, connection: Connection) -> bool:
        """Whether there are runs in the hands of nobody who is alive."""
        return self._context.runs.has_orphans(connection, self._alive(connection))

    def _alive(self, connection: Connection) -> list[int]:
        return [node.token for node in nodes.living(connection, self._context.tables)]

    def _options_of(self, connection: Connection, lost: Sequence[LostRun]) -> dict[str, JobOptions]:
        """What the jobs of these runs want, by their ids; those that are gone are left out."""
        jobs = self._context.tables.jobs
        ids = sorted({run.job_id for run in lost})
        options: dict[str, JobOptions] = {}
        for at in range(0, len(ids), _CHUNK):
            found = connection.execute(
                select(*self._context.columns).where(jobs.c.id.in_(ids[at : at + _CHUNK]))
            )
            for row in found:
                options[row[0]] = record_of(self._context.job_of(row)).options
        return options
