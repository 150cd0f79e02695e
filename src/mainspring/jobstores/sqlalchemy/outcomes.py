"""What has become of runs: outcomes that are to be written, runs that are lost, history that has grown old."""

from __future__ import annotations

from collections import deque
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from mainspring.draining import drained
from mainspring.jobstores.sqlalchemy import nodes
from mainspring.jobstores.sqlalchemy.rows import Unreadable
from mainspring.jobstores.sqlalchemy.runs import Ended, LostRun, ended_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import timedelta

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
        has_waiting: whether there are runs that are to be run again.
    """

    living: list[nodes.LivingNode]
    has_orphans: bool
    has_waiting: bool


class Outcomes:
    """The outcomes of the runs of one node. Its methods may be called from any thread.

    Args:
        keep: how many ended runs of each job are kept.
        keep_for: how long.

    Attributes:
        may_wait_again: whether there may be runs that were lost and are to be run again.
    """

    def __init__(self, context: Context, keep: int, keep_for: timedelta) -> None:
        self._context = context
        self._keep = keep
        self._keep_for = keep_for
        self._ended: deque[Ended] = deque()
        self._writing = Lock()
        self._finished_jobs: set[str] = set()
        self.may_wait_again = True

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
        """Write outcomes; those that were refused."""
        refused = self._context.runs.finish(connection, ended)
        kept = [one for one in ended if one.job.options.on_lost == "rerun"]
        if kept:
            lost = [one for one in kept if one.result.outcome == "lost" and one not in refused]
            self._context.runs.again(
                connection, ((one.job.id, one.result.scheduled_run_time) for one in lost)
            )
            self.may_wait_again = self.may_wait_again or bool(lost)
            self._context.runs.drop_ended_jobs(
                connection, self._context.tables.jobs, sorted({one.job.id for one in kept})
            )
        return refused

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

    def look(self, connection: Connection) -> Look:
        """Whether there is something for `collect_lost` to do."""
        known = nodes.living(connection, self._context.tables)
        runs = self._context.runs
        has_orphans = runs.has_orphans(connection, [node.token for node in known])
        return Look(known, has_orphans, runs.has_waiting(connection))

    def collect_lost(self) -> bool:
        """Runs in the hands of nobody who is alive are lost; whether there are some to be run again now."""
        with self._context.database.reading() as connection:
            is_needed = self._context.runs.has_orphans(connection, self._alive(connection))
            waits = self._context.runs.has_waiting(connection)
        if not is_needed:
            self.may_wait_again = self.may_wait_again or waits
            return waits
        with self._context.database.writing() as connection:
            lost = self._context.runs.lose(connection, self._alive(connection), self._context.now())
            again = self._rerun(connection, lost)
        for run in lost:
            self._context.logger.error(
                'Run of job "%s" due at %s is lost with node %s%s',
                run.job_id,
                run.scheduled,
                run.node,
                "; it will be run again" if run in again else "",
            )
        waits = waits or bool(again)
        self.may_wait_again = self.may_wait_again or waits
        return waits

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
