"""The job store: what schedulers and programs call."""

from __future__ import annotations

import os
import pickle
import socket
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import MetaData, make_url
from sqlalchemy.exc import IntegrityError

from mainspring.clock import SYSTEM_CLOCK
from mainspring.errors import ConfigurationError
from mainspring.jobstores.contract import ALL_JOBS, ClaimedBatch, JobQuery, ParkedJob
from mainspring.jobstores.ledger import Ledger
from mainspring.jobstores.native import NativeJobStore
from mainspring.jobstores.sqlalchemy.claiming import Claim, Claiming, QueueClaim
from mainspring.jobstores.sqlalchemy.context import Context
from mainspring.jobstores.sqlalchemy.database import Database, engine_for
from mainspring.jobstores.sqlalchemy.groups import GroupTable
from mainspring.jobstores.sqlalchemy.job_table import JobTable
from mainspring.jobstores.sqlalchemy.listening import Listening, can_listen, channel_for
from mainspring.jobstores.sqlalchemy.membership import Membership
from mainspring.jobstores.sqlalchemy.outcomes import Look, Outcomes
from mainspring.jobstores.sqlalchemy.rows import Unreadable
from mainspring.jobstores.sqlalchemy.runs import Ended, RunTable, due_times_of
from mainspring.jobstores.sqlalchemy.schema import create_tables, pending_migration
from mainspring.jobstores.sqlalchemy.statements import statements_for
from mainspring.jobstores.sqlalchemy.tables import tables
from mainspring.jobstores.sqlalchemy.upkeep import Upkeep
from mainspring.serializers.arguments import ArgumentSerializer, Serializer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from sqlalchemy.engine import URL, Connection, Engine

    from mainspring.engine.decision import Decision
    from mainspring.jobstores.contract import Decide
    from mainspring.jobstores.sqlalchemy.nodes import NodeLease
    from mainspring.model import Group, JobRecord, QueuedRun, RunKey, RunRecord, Submission

#: How long a node sleeps at most before it looks whether another one has changed something.
_POLL = timedelta(seconds=1)
#: Where due jobs are locked by others: look again after this.
_SOON = timedelta(milliseconds=20)
#: A job whose executor isn't here is told of when no node has run it for so long.
_LEFT_AFTER = timedelta(seconds=10)
_LEFT_SHOWN = 100
#: On the monotonic clock, which may begin anywhere.
_NEVER = float("-inf")
#: Seconds for which leaving in good order is tried.
_LEAVING = 5.0


class SQLAlchemyJobStore(NativeJobStore):
    """Keeps jobs in a database, for any number of schedulers.

    Each due run is claimed by one of them, in the transaction that moves the job on, and recorded until it has ended.

    Args:
        url: of the database, such as ``"sqlite:///jobs.sqlite"``.
        engine: an engine of SQLAlchemy, instead of `url`.
        tablename: of the table of jobs; those of runs and nodes are named after it.
        metadata: where to put the tables, if not into a `MetaData` of their own.
        pickle_protocol: of arguments that JSON can't hold.
        tableschema: the schema that the tables are in.
        engine_options: for ``create_engine``, besides `url`.
        serializer: ``"auto"``, or ``"json"``: arguments that JSON can't hold are refused.
        signing_key: sign pickled arguments, and read only those that are signed with it.
        lease: seconds (or a ``timedelta``) without a sign of life after which a node counts as dead.
        node_name: what other nodes and the history call this one; its host and process if not given.
        keep_runs: how many ended runs of each job are kept.
        keep_runs_for: how long (days, or a ``timedelta``).

    Raises:
        ConfigurationError: neither `url` nor `engine`, or both; a value that can't be.

    Attributes:
        engine: the engine.
        jobs_t: the table of jobs.
    """

    poll_interval: ClassVar[timedelta | None] = _POLL
    claim_limit: ClassVar[int] = 1000  # a transaction costs as much as deciding about hundreds

    def __init__(
        self,
        url: str | URL | None = None,
        engine: Engine | None = None,
        tablename: str = "mainspring_jobs",
        metadata: MetaData | None = None,
        pickle_protocol: int = pickle.HIGHEST_PROTOCOL,
        tableschema: str | None = None,
        engine_options: dict[str, Any] | None = None,
        *,
        serializer: Serializer = "auto",
        signing_key: str | bytes | None = None,
        lease: float | timedelta = 30,
        node_name: str | None = None,
        keep_runs: int = 100,
        keep_runs_for: float | timedelta = timedelta(days=30),
    ) -> None:
        if engine is None and url is None:
            raise ConfigurationError(
                "a SQLAlchemyJobStore needs a url, such as 'sqlite:///jobs.sqlite', or an engine"
            )
        if engine is not None and url is not None:
            raise ConfigurationError(
                "a SQLAlchemyJobStore takes a url or an engine, got both: give one of them"
            )
        if (engine is not None and (engine.dialect.is_async or not hasattr(engine, "connect"))) or (
            url is not None and make_url(url).get_dialect().is_async
        ):
            raise ConfigurationError(
                "a SQLAlchemyJobStore takes no async engine or driver: it asks the database from threads of its own, and no event loop "
                "waits for it. Use create_engine, or a url, with psycopg, PyMySQL or sqlite3"
            )
        duration = lease if isinstance(lease, timedelta) else timedelta(seconds=lease)
        if duration < timedelta(seconds=1):
            raise ConfigurationError(f"lease must be a second or more, got {lease!r}")
        if keep_runs < 0:
            raise ConfigurationError(f"keep_runs must be a whole number of 0 or more, got {keep_runs!r}")
        self._lease_duration = duration
        keep_for = keep_runs_for if isinstance(keep_runs_for, timedelta) else timedelta(days=keep_runs_for)
        arguments = ArgumentSerializer(serializer, signing_key, pickle_protocol)
        self._metadata = metadata if metadata is not None else MetaData()
        self._tables = tables(tablename, self._metadata, tableschema)
        self.jobs_t = self._tables.jobs
        self.engine = engine if engine is not None else engine_for(url, engine_options or {})  # type: ignore[arg-type]
        self._database = Database(self.engine, owns_engine=engine is None)
        statements = statements_for(self._tables, self.engine)
        self._runs = RunTable(self._tables, statements)
        self._context = Context(
            self._database,
            self._tables,
            statements,
            self._runs,
            GroupTable(self._tables, self._runs),
            arguments,
            SYSTEM_CLOCK,
            self._logger,
            node_name or f"{socket.gethostname()}-{os.getpid()}",
        )
        self._job_table = JobTable(self._context, self._announce)
        self._outcomes = Outcomes(self._context, keep_runs, keep_for)
        self._claiming = Claiming(self._context)
        self._channel = channel_for(self._tables.jobs.fullname)
        self._membership: Membership | None = None
        self._upkeep: Upkeep | None = None
        self._listening: Listening | None = None

        self._lock = Lock()
        self._ledger = Ledger()
        self._waiting: dict[str, datetime] = {}
        self._executors: tuple[str, ...] = ("default",)
        self._room_at: datetime | None = None  # when a group that jobs wait for has room again
        self._held = 0
        self._is_closing = False
        self._left_since: datetime | None = None
        self._left_jobs: set[str] = set()
        self._next: datetime | None = None
        self._knows_next = False
        self._has_more = False
        self._is_idle = False
        self._claims = self._claims_at_flush = 0
        self._said: dict[tuple[RunKey, int], str] = {}

    # Life

    def start(self, scheduler: Any, alias: str) -> None:
        """Create the tables where they aren't there, and enter this node.

        Raises:
            ConfigurationError: the tables are something else's.
            sqlalchemy.exc.SQLAlchemyError: the database can't be had.
        """
        super().start(scheduler, alias)
        if self._upkeep is not None:
            self._is_closing = False  # it was shut down, and runs of it still go on: it stays as it is
            return
        context = self._context
        context.clock = getattr(scheduler, "_clock", SYSTEM_CLOCK)
        context.timezone = getattr(scheduler, "timezone", None) or UTC
        context.logger = self._logger
        self._database.run(lambda: create_tables(self._database, self._tables, self._metadata))
        self._membership = Membership(
            context,
            self._lease_duration,
            lambda: getattr(self._scheduler, "_executors", {}),
            self._wake_scheduler,
        )
        seconds = self._lease_duration.total_seconds()
        self._looks_every = min(seconds / 3, 2.0)
        self._looked_at = _NEVER
        self._upkeep = Upkeep(
            f"mainspring-store-{alias}",
            {
                self._membership.renew: seconds / 3,
                self._look_for_dead: self._looks_every * 0.15,
                self._outcomes.prune: 60.0,
                self._write_said: _POLL.total_seconds(),
            },
            self._flush,
            self._leave,
            self._logger,
        )
        self._upkeep.start()
        if can_listen(self.engine):
            self._listening = Listening(
                self.engine, self._channel, self._signature, self._heard, self._logger
            )

    def pending_migration(self) -> str:
        """The SQL that `start` would bring the tables of an older release up to date with; empty if there is nothing to be done.

        Changes nothing, and needs no started scheduler.

        Raises:
            ConfigurationError: the tables are a newer release's.
        """
        return self._database.run(lambda: pending_migration(self._database, self._tables))

    def shutdown(self) -> None:
        """Write the outcomes that are there, and leave; later, where runs of this node still go on."""
        upkeep = self._upkeep
        if upkeep is None:
            return
        self._is_closing = True
        if self._listening is not None:
            self._listening.stop()
            self._listening = None
        with self._lock:
            is_idle = self._held == 0
        if is_idle:
            upkeep.stop()
            if not upkeep.join(_LEAVING):
                self._logger.warning("The job store could not be left in order: the database doesn't answer")
        super().shutdown()

    def _leave(self) -> None:
        try:
            self._outcomes.write(self._is_left)
            if self._membership is not None:
                self._membership.sign_off()
        finally:
            self._membership = self._upkeep = None
            self._is_closing = False
            self._database.close()

    def _has_ended(self) -> bool:
        """Whether nothing is to be tried again any more."""
        return self._is_left() or (self._scheduler is not None and not self._scheduler.running)

    def _is_left(self) -> bool:
        upkeep = self._upkeep  # read once: it goes when the store has been left
        return upkeep is None or upkeep.stopping.is_set()

    @property
    def clock_offset(self) -> timedelta:
        return self._context.offset

    def _look_for_dead(self) -> None:
        """Look after other nodes, unless that is done along with looks for due jobs: a little later if nothing else is done."""
        if self._has_looked_within(1.05 if self._is_idle else 0.85):
            return
        with self._database.reading() as connection:
            look = self._look(connection)
        self._see_to(look)

    def _look(self, connection: Connection) -> Look:
        membership = self._membership
        return self._outcomes.look(connection, 0 if membership is None else membership.lease.token)

    def _has_looked_within(self, share: float) -> bool:
        return SYSTEM_CLOCK.monotonic() - self._looked_at < share * self._looks_every

    def _see_to(self, look: Look) -> None:
        self._looked_at = SYSTEM_CLOCK.monotonic()
        if look.to_cancel and self._scheduler is not None:
            self._scheduler._cancel_here(look.to_cancel, self._alias)  # noqa: SLF001 - ours
        self._outcomes.expect(look.next_queued)
        somebody_died = self._membership is not None and self._membership.bury_silent(look.living)
        if ((somebody_died or look.has_orphans) and self._outcomes.collect_lost()) or self._is_queue_due():
            self._wake_scheduler()

    def _is_queue_due(self) -> bool:
        due = self._outcomes.queued_from
        return due is not None and due <= self._context.now()

    def _write_said(self) -> None:
        """Write how far runs say that they are."""
        said, self._said = self._said, {}
        if said:

            def write() -> None:
                with self._database.writing() as connection:
                    self._runs.say(connection, said)

            self._database.run(write, give_up=self._is_left)

    def _flush(self) -> None:
        if self._has_more and self._claims != self._claims_at_flush:
            # Claims follow one another, and take outcomes along.
            self._claims_at_flush = self._claims
            if self._upkeep is not None and len(self._outcomes):
                self._upkeep.flush_soon()
            return
        self._outcomes.write(self._is_left)
        queued_from = self._outcomes.queued_from
        if queued_from is not None:  # as may follow from an outcome
            wake_for = getattr(self._scheduler, "_wake_for", None)
            if wake_for is not None:
                wake_for(queued_from - self._context.offset)

    def _wake_scheduler(self) -> None:
        wake = getattr(self._scheduler, "_wake", None)
        if wake is not None:
            wake()

    # Jobs

    def add_records(
        self, records: Sequence[JobRecord], replace: Callable[[JobRecord, JobRecord], JobRecord] | None
    ) -> list[JobRecord]:
        kept = self._job_table.add(records, replace)
        if replace is not None:
            for record in kept:
                self._forget(record.id)
        return kept

    def get_record(self, job_id: str) -> JobRecord | None:
        return self._job_table.get(job_id)

    def list_records(self, query: JobQuery = ALL_JOBS) -> list[JobRecord]:
        records: list[JobRecord] = []
        for record in self._job_table.list(query):
            if isinstance(record, Unreadable):
                with self._lock:
                    if record.record.id not in self._ledger.parked:
                        self._ledger.park(record.record.id, record.reason, self._context.now())
            else:
                records.append(record)
        return records

    def find_equal(self, record: JobRecord) -> str | None:
        return self._job_table.find_equal(record)

    def change(self, job_id: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        changed = self._job_table.change(job_id, change)
        self._forget(job_id)
        return changed

    def _forget(self, job_id: str) -> None:
        """The job was changed or removed: whatever kept it from running here may have gone."""
        with self._lock:
            self._ledger.forget(job_id)
            self._waiting.pop(job_id, None)

    def remove(self, job_id: str) -> None:
        self._job_table.remove(job_id)
        self._forget(job_id)

    def remove_all(self) -> None:
        self._job_table.remove_all()
        with self._lock:
            self._ledger.parked.clear()
            self._waiting.clear()
        self._knows_next = False

    def earliest(self) -> JobRecord | None:
        return self._job_table.earliest()

    def _announce(self, connection: Connection, next_run_times: Iterable[datetime | None]) -> None:
        """Have other nodes look at once, where they would be late otherwise; and this one anew.

        Only what is due soon is announced: a claim reads every job afresh, so that a job was put off, paused or removed needs
        no announcement, and what is due later is found by looking once a second.
        """
        self._knows_next = False
        soon = self._context.now() + 2 * _POLL
        if any(time is not None and time <= soon for time in next_run_times):
            self._database.notify(connection, self._channel, self._signature())

    def _signature(self) -> str:
        return "" if self._membership is None else str(self._membership.lease.token)

    def _heard(self) -> None:
        """Another node has changed something."""
        self._knows_next = False
        self._looked_at = _NEVER  # it may have queued a run, or want one to be cancelled
        self._wake_scheduler()

    # Runs

    def claim(self, now: datetime, decide: Decide, limit: int, executors: Collection[str]) -> ClaimedBatch:
        membership = self._membership
        self._executors = executors = tuple(executors) or ("",)  # no list in SQL may be empty
        knew_next, self._knows_next = self._knows_next, True
        if membership is None or not membership.lease.is_held():
            if self._upkeep is not None and membership is not None:
                self._upkeep.call_now(membership.renew)
            self._next = now + _POLL
            return ClaimedBatch([], more=False)
        lease = membership.lease
        left = self._left(now, decide, executors)
        set_aside = self._set_aside(now)
        is_due = self._has_more or (knew_next and self._next is not None and self._next <= now)
        is_queue_due = self._outcomes.queued_from is not None and self._outcomes.queued_from <= now
        if not is_queue_due and not is_due:
            with self._database.reading() as connection:
                first = self._context.statements.next_time(connection, now, executors, set_aside)
                look = None if self._has_looked_within(0.75) else self._look(connection)
            self._is_idle = True
            if look is not None:
                self._see_to(look)
            if first is None or first > now:
                self._next = first
                return ClaimedBatch(left, more=False)
        again, claim = self._claimed(now, decide, limit, executors, set_aside, lease)
        submitted = 0
        for decision in (*again, *claim.decisions):
            if decision.submit:
                decision.lease = lease
                submitted += 1
        with self._lock:
            self._held += submitted
            for decision in claim.parked:
                decision.retry_at = self._ledger.park(decision.job.id, decision.reason or "", now)
            for decision in claim.decisions:
                if not decision.submit:
                    self._ledger.parked.pop(decision.job.id, None)
            self._room_at = min(filter(None, claim.waiting.values()), default=None)
            for job_id, free_at in claim.waiting.items():
                self._waiting[job_id] = min(now + _POLL, free_at or now + _POLL)
        decisions = [*again, *claim.decisions, *claim.parked, *left]
        self._next = claim.next_time
        self._has_more = more = claim.next_time is not None and claim.next_time <= now
        if more and not decisions:
            self._has_more = more = False
            self._next = now + _SOON  # others have locked what is due
        return ClaimedBatch(decisions, more)

    def _left(self, now: datetime, decide: Decide, executors: Collection[str]) -> list[Decision]:
        """Jobs that are overdue and name executors that this node doesn't have; looked for now and then, each told of once."""
        if self._left_since is not None and now - self._left_since < _LEFT_AFTER:
            return []
        self._left_since = now
        with self._database.reading() as connection:
            found = self._claiming.left(connection, now - _LEFT_AFTER, decide, executors, _LEFT_SHOWN)
        ids = {decision.job.id for decision in found}
        with self._lock:
            for job_id in self._left_jobs - ids:
                self._ledger.forget(job_id)  # a node that has the executor has run it
            new = [decision for decision in found if decision.job.id not in self._left_jobs]
            self._left_jobs = ids
            for decision in new:
                decision.retry_at = self._ledger.park(decision.job.id, decision.reason or "", now)
        return new

    def _claimed(
        self,
        now: datetime,
        decide: Decide,
        limit: int,
        executors: Collection[str],
        set_aside: Collection[str],
        lease: NodeLease,
    ) -> tuple[list[Decision], Claim]:
        self._claims += 1
        self._is_idle = False
        ended = self._outcomes.take_along(self._has_ended)
        attempted: list[tuple[QueueClaim, Claim, list[Ended]]] = []
        queued_from = self._outcomes.expect_none()
        looks_into_queue = queued_from is not None and queued_from <= now
        self._claiming.may_be_queued = queued_from is not None
        next_queued: list[datetime | None] = [queued_from]

        def take(*, may_repeat: bool = False) -> tuple[QueueClaim, Claim, list[Ended]]:
            attempted.clear()
            with self._database.writing() as connection:
                refused = self._outcomes.finish(connection, ended)
                queue = QueueClaim([], is_blocked=False)
                if looks_into_queue:
                    queue = self._claiming.claim_queued(
                        connection, now, decide, limit, executors, lease.token
                    )
                    next_queued[:] = [self._runs.next_available(connection)]
                claim = self._claiming.claim(
                    connection, now, decide, limit, executors, set_aside, lease.token, may_repeat=may_repeat
                )
                if any(decision.buffered for decision in claim.decisions):
                    next_queued[:] = [now]
                attempted.append((queue, claim, refused))
            return attempted[0]

        def was_taken() -> tuple[QueueClaim, Claim, list[Ended]] | None:
            if not attempted:
                return None
            queue, claim, _ = attempted[0]
            for decision in (*queue.decisions, *claim.decisions):
                time = due_times_of(decision)[0]
                with self._database.reading() as connection:
                    is_ours = self._runs.is_claimed(
                        connection, decision.job.id, time, decision.attempt, lease.token
                    )
                return attempted[0] if is_ours else None
            return None

        def take_also_again() -> tuple[QueueClaim, Claim, list[Ended]]:
            try:
                return take()
            except IntegrityError:  # a job was run before at the time at which it is due now
                return take(may_repeat=True)

        try:
            queue, claim, refused = self._database.run(
                take_also_again, give_up=self._has_ended, was_done=was_taken
            )
        except BaseException:
            self._outcomes.put_back(ended)
            self._outcomes.expect(queued_from)
            raise
        if looks_into_queue:
            self._outcomes.is_blocked = queue.is_blocked
        first = next_queued[0]
        if queue.is_blocked and first is not None:
            first = max(first, now + _POLL)  # or when an instance has ended here
        self._outcomes.expect(first)
        self._outcomes.tell_refused(refused)
        return queue.decisions, claim

    def _all_set_aside(self) -> list[str]:
        with self._lock:
            return [*self._ledger.parked, *self._waiting]

    def _set_aside(self, now: datetime) -> list[str]:
        """The jobs that this node doesn't try for now."""
        with self._lock:
            self._waiting = {job_id: until for job_id, until in self._waiting.items() if until > now}
            parked = [job_id for job_id, job in self._ledger.parked.items() if job.retry_at > now]
            return [*parked, *self._waiting]

    def finish(self, submissions: Sequence[Submission]) -> bool:
        was_awaited = False
        self._knows_next = self._knows_next and not self._waiting
        self._outcomes.add(submissions)
        if self._outcomes.is_blocked:
            self._outcomes.expect(self._context.now())
            was_awaited = True
        with self._lock:
            self._held -= len(submissions)
            is_last = self._held == 0
            for submission in submissions:
                job_id = submission.job.id
                self._ledger.parked.pop(job_id, None)
                if self._waiting.pop(job_id, None) is not None:
                    was_awaited = True
            if self._waiting and any(one.job.options.group is not None for one in submissions):
                self._waiting.clear()  # others of the group may have waited for one of them
                was_awaited = True
        upkeep = self._upkeep
        if upkeep is not None:
            if self._is_closing and is_last:
                upkeep.stop()
            else:
                upkeep.flush_soon()
        return was_awaited

    def progress(self, submission: Submission) -> None:
        self._outcomes.add_some(submission)
        if self._upkeep is not None:
            self._upkeep.flush_soon()

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting) or self._outcomes.is_blocked

    def give_back(self, decision: Decision, now: datetime) -> datetime | None:
        token = 0 if decision.lease is None else decision.lease.token
        later = None
        if decision.run is not None:
            later = now + _POLL
            self._outcomes.expect(later)

        def undo() -> bool:
            with self._database.writing() as connection:
                return self._claiming.give_back(connection, decision, token, self._insert, later)

        def was_undone() -> bool | None:
            with self._database.reading() as connection:
                is_ours = self._runs.is_claimed(
                    connection, decision.job.id, decision.submit[0], decision.attempt, token
                )
            return None if is_ours else True

        stands = not self._database.run(undo, was_done=was_undone)
        with self._lock:
            self._held -= 1
            if stands:
                return None
            self._knows_next = False
            return later or self._ledger.park(decision.job.id, "its executor refused it", now)

    def _insert(self, connection: Connection, job: JobRecord) -> None:
        self._context.statements.add(connection, [self._job_table.new_row(job, self._context.now())])

    def release(self, submissions: Sequence[Submission]) -> None:
        deadline = SYSTEM_CLOCK.monotonic() + _LEAVING

        def undo() -> None:
            with self._database.writing() as connection:
                for submission in submissions:
                    self._claiming.release(connection, submission, self._insert)
                self._announce(connection, [self._context.now()])

        try:
            self._database.run(undo, give_up=lambda: SYSTEM_CLOCK.monotonic() > deadline)
        finally:
            with self._lock:
                self._held -= len(submissions)

    def next_time(self) -> datetime | None:
        if not self._knows_next:
            self._knows_next = True  # before looking: what is changed meanwhile makes it unknown again

            def look() -> datetime | None:
                with self._database.reading() as connection:
                    return self._context.statements.next_time(
                        connection, self._context.now(), self._executors, self._all_set_aside()
                    )

            self._next = self._database.run(look)
        with self._lock:
            retries = [job.retry_at for job in self._ledger.parked.values()]
        times = (self._next, self._outcomes.queued_from, self._room_at, *retries)
        return min([time for time in times if time is not None], default=None)

    def parked(self) -> list[ParkedJob]:
        with self._lock:
            return list(self._ledger.parked.values())

    def retry_parked(self) -> None:
        with self._lock:
            self._ledger.parked.clear()
            self._left_jobs.clear()
        self._knows_next = False

    def say(self, submission: Submission, text: str) -> None:
        if submission.lease is not None:
            self._said[submission.key, submission.lease.token] = text

    def enqueue(self, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        def add() -> list[QueuedRun]:
            with self._database.writing() as connection:
                self._job_table.refuse_unknown(connection, {run.job_id for run in runs})
                new = list(self._runs.enqueue(connection, runs))
                self._announce(connection, [run.available for run in new])
            return new

        def was_done() -> list[QueuedRun] | None:
            found = [run for run in runs if self.get_run(run.key) is not None]
            return found if len(found) == len(runs) else None

        new = self._database.run(add, was_done=was_done)
        self._outcomes.expect(min((run.available for run in new), default=None))
        return new

    def cancel(self, key: RunKey) -> bool:
        def write() -> bool:
            with self._database.writing() as connection:
                now = self._context.now()
                if self._runs.end_queued(connection, key, now, "cancelled", "cancelled before it was begun"):
                    return True
                is_asked = self._runs.ask_to_cancel(connection, key.job_id, key)
                if is_asked:
                    self._announce(connection, [now])
                return is_asked

        return self._database.run(write)

    def set_group(self, group: Group) -> None:
        def write() -> None:
            with self._database.writing() as connection:
                self._context.groups.set(connection, group)
                self._announce(connection, [self._context.now()])

        self._database.run(write)
        with self._lock:
            self._waiting.clear()

    def remove_group(self, name: str) -> bool:
        def write() -> bool:
            with self._database.writing() as connection:
                was_there = self._context.groups.remove(connection, name)
                self._announce(connection, [self._context.now()])
                return was_there

        with self._lock:
            self._waiting.clear()
        return self._database.run(write)

    def list_groups(self) -> list[Group]:
        def look() -> list[Group]:
            with self._database.reading() as connection:
                return self._context.groups.list(connection)

        return self._database.run(look)

    def get_run(self, key: RunKey) -> RunRecord | None:
        def look() -> RunRecord | None:
            with self._database.reading() as connection:
                return self._runs.get(connection, key)

        return self._database.run(look)

    def list_runs(
        self, job_id: str | None, outcome: str | None, since: datetime | None, limit: int
    ) -> list[RunRecord]:
        def look() -> list[RunRecord]:
            with self._database.reading() as connection:
                return self._runs.list(connection, job_id, outcome, since, limit)

        return self._database.run(look)
