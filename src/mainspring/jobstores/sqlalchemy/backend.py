"""The database of a job store: each step one transaction."""

from __future__ import annotations

from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from mainspring.engine.reasons import CANCELLED_UNBEGUN
from mainspring.engine.setbacks import kept_from
from mainspring.errors import ConfigurationError, safe_str
from mainspring.jobstores.shared.backend import OLDER_RELEASE, Backend, ClusterStatus, Collected
from mainspring.jobstores.shared.change_feed import ChangeFeed
from mainspring.jobstores.shared.claims import Claimed, QueueClaim, joined
from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.shared.namespaces import shown_with, within
from mainspring.jobstores.shared.outage import said_by
from mainspring.jobstores.shared.runs import Finished
from mainspring.jobstores.sqlalchemy import nodes
from mainspring.jobstores.sqlalchemy.adoption import Adoptions
from mainspring.jobstores.sqlalchemy.audit import AuditTable
from mainspring.jobstores.sqlalchemy.change_feed import announcements, can_listen, channel_for
from mainspring.jobstores.sqlalchemy.claiming import Claiming
from mainspring.jobstores.sqlalchemy.context import Context
from mainspring.jobstores.sqlalchemy.database import Database
from mainspring.jobstores.sqlalchemy.engines import engine_for_one, file_of
from mainspring.jobstores.sqlalchemy.groups import GroupTable
from mainspring.jobstores.sqlalchemy.job_table import JobTable
from mainspring.jobstores.sqlalchemy.outcome_writer import OutcomeWriter
from mainspring.jobstores.sqlalchemy.predecessor import OldTable, Reader
from mainspring.jobstores.sqlalchemy.rollups import RollUpTable
from mainspring.jobstores.sqlalchemy.runs import RunTable
from mainspring.jobstores.sqlalchemy.schema import (
    create_tables,
    has_tables,
    pending_migration,
    refuse_newer_tables,
)
from mainspring.jobstores.sqlalchemy.sqlite import refuse_bound_to_threads
from mainspring.jobstores.sqlalchemy.statements import statements_for
from mainspring.jobstores.sqlalchemy.tables import refuse_long_names, tables
from mainspring.safe_logging import safe_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import MetaData
    from sqlalchemy.engine import Connection, Engine

    from mainspring.engine.decision import Decision
    from mainspring.engine.setbacks import KnownNode
    from mainspring.jobstores.contract import Decide
    from mainspring.jobstores.shared.claims import ClaimRequest
    from mainspring.jobstores.shared.lease import Heartbeats, Registration
    from mainspring.jobstores.shared.row_locks import RowFormat
    from mainspring.jobstores.shared.runs import Ended
    from mainspring.model import Group, JobRecord, NodeRecord, QueuedRun, RunKey, RunRecord, Submission

_CHUNK = 500
_PRUNED_AT_ONCE = 1000
#: So many others may begin a roll-up at the same time, each time.
_PRUNED_BESIDE = 10
#: Nodes that register at the same time want the same number; each time one of them gets it.
_TOKENS_TRIED = 100


class SQLBackend(Backend):
    """A database that SQLAlchemy knows."""

    jobs: JobTable

    def __init__(
        self,
        engine: Engine,
        row_format: RowFormat,
        node_name: str,
        metadata: MetaData,
        tablename: str,
        tableschema: str | None,
        namespace: str,
        *,
        owns_engine: bool,
        pooled: bool | None,
        sets_limits: bool,
        old_table: str | None,
    ) -> None:
        self.database = Database(
            engine, owns_engine=owns_engine, namespace=namespace, pooled=pooled, sets_limits=sets_limits
        )
        self.outage = self.database.outage
        self.outage.where = shown_with(namespace, self.outage.where)
        self.tables = tables(within(namespace, tablename, "_"), metadata, tableschema)
        refuse_long_names(self.tables, self.database.name)
        self._metadata = metadata
        self._old_table = old_table
        self.pads_ids = self.database.name == "mysql"
        self._engine = engine
        statements = statements_for(self.tables, engine)
        self._runs = RunTable(self.tables, statements)
        self._groups = GroupTable(self.tables, self._runs)
        self.node_context = self._context = Context(
            **row_format,
            logger=safe_logger(__name__),  # until the store is started
            node_name=node_name,
            namespace=namespace,
            database=self.database,
            tables=self.tables,
            statements=statements,
            runs=self._runs,
            groups=self._groups,
            channel=channel_for(self.tables.jobs.fullname),
        )
        self.jobs = JobTable(self._context)
        self.adoptions = Adoptions(self._context, self.jobs)
        self.audit = AuditTable(self.database, self.tables)
        self.rollups = RollUpTable(self.database, self.tables)
        self._claiming = Claiming(self._context)
        self._outcome_writer = OutcomeWriter(self._context)

    # Life

    def ask_first(self) -> None:
        if self.database.has_clock:
            with self.database.reading() as connection:
                self.database.now(connection)

    def prepare(self) -> None:
        """Create the tables where they aren't there."""
        if self.database.name == "sqlite":
            self.database.run(lambda: refuse_bound_to_threads(self._engine))
        self.complete_tables()

        def ask() -> tuple[int, str]:
            with self.database.reading() as connection:
                return self.database.request_limit(connection), self.database.own_name(connection)

        self._context.request_limit, name = self.database.run(ask)
        self._context.locks.scope = f"sql {name} {self.tables.jobs.fullname}"

    def complete_tables(self) -> None:
        """Create the tables, or what is missing of them."""

        def create() -> None:
            now = self._context.clock.now(UTC)
            create_tables(self.database, self.tables, self._metadata, now)

        try:
            self.database.run(create)
        except Exception as error:
            if self.outage.failure_of(error) is Failure.PERMANENT and self.database.has_clock:
                self._refuse_without_rights(error)
            raise

    def _refuse_without_rights(self, error: Exception) -> None:
        """Say which statements somebody else has to run, if it is them that failed for good."""
        try:
            statements = self.pending_migration()
        except Exception:  # noqa: BLE001 - what is raised already says what is wrong
            return
        if statements:
            raise ConfigurationError(
                f"{self.outage.name} needs tables, or columns, that this user may not make: {said_by(error).rstrip('.')}. Have somebody run these "
                f"statements who may (pending_migration() of the store gives them too), and let this user read and write these tables:\n\n{statements}"
            ) from error

    def lacks(self) -> str | None:
        file = file_of(self._engine)
        if file is not None and not file.exists():
            return f"there is no file {str(file)!r}"
        statements = self.pending_migration()
        if not statements:
            return None
        tables = self.tables.jobs.fullname
        if self.database.run(self._has_schema):
            return f"its tables ({tables} and others) {OLDER_RELEASE}"
        return f"it has no tables of mainspring ({tables} and others)"

    def _has_schema(self) -> bool:
        with self.database.reading() as connection:
            return has_tables(connection, self.tables)

    def ask_time(self) -> None:
        def ask() -> None:
            with self.database.reading() as connection:
                self._context.ask_time(connection)

        self.database.run(ask)

    def pending_migration(self) -> str:
        """The SQL that `prepare` would create tables with, or bring older ones up to date."""
        return self.database.run(lambda: pending_migration(self.database, self.tables, self._metadata))

    def close(self) -> None:
        self.database.close()

    def flaw(self, error: Exception) -> str | None:
        return self.database.flaw(error)

    def predecessor(self) -> OldTable | None:
        if self._old_table is None:
            return None
        reader = Reader.of_store(self.database)
        return OldTable.found(reader, self._old_table, self.tables.jobs.schema, is_own=True)

    def listen(self, heard: Callable[[], None]) -> ChangeFeed | None:
        if not can_listen(self._engine) or self.database.is_pooled:
            return None
        engine = engine_for_one(self._engine)
        return ChangeFeed(partial(announcements, engine, self._context.channel), self._context, heard)

    # Nodes

    def register(self, node: Registration, beats: Heartbeats) -> tuple[int, float]:
        def enter() -> tuple[int, float]:
            with self.database.writing() as connection:
                refuse_newer_tables(connection, self.tables)
                self._context.ask_time(connection)
                asked = self._context.clock.monotonic()
                offset, now = self._context.offset, self._context.now()
                return nodes.register(connection, self.tables, node, offset, now, beats), asked

        def enter_among_others() -> tuple[int, float]:
            for _ in range(_TOKENS_TRIED):
                try:
                    return enter()
                except IntegrityError:  # another node has taken the number
                    continue
            return enter()

        return self.database.run(enter_among_others)

    def renew(self, token: int, node: Registration, beats: Heartbeats) -> bool:
        with self.database.writing() as connection:
            self._context.ask_time(connection)
            offset, now = self._context.offset, self._context.now()
            return nodes.renew(connection, self.tables, token, node, offset, now, beats)

    def known_nodes(self) -> list[KnownNode]:
        def look() -> list[KnownNode]:
            with self.database.reading() as connection:
                return nodes.known(connection, self.tables)

        return self.database.run(look)

    def list_nodes(self) -> list[NodeRecord]:
        def look() -> list[NodeRecord]:
            with self.database.reading() as connection:
                return nodes.list_nodes(connection, self.tables)

        return self.database.run(look)

    def declare_dead(self, token: int, heartbeat: datetime) -> bool:
        with self.database.writing() as connection:
            return nodes.declare_dead(connection, self.tables, token, heartbeat)

    def sign_off(self, token: int) -> None:
        with self.database.writing() as connection:
            nodes.sign_off(connection, self.tables, token, self._context.now())

    def cluster_status(self, token: int) -> ClusterStatus:
        with self.database.reading() as connection:
            return self._outcome_writer.cluster_status(connection, token)

    # Runs

    def next_time(
        self, now: datetime, executors: Collection[str], set_aside: Collection[str]
    ) -> datetime | None:
        def look() -> datetime | None:
            with self.database.reading() as connection:
                return self._context.statements.next_time(connection, now, executors, set_aside)

        return self.database.run(look)

    def poll(
        self, now: datetime, executors: Collection[str], set_aside: Collection[str], token: int | None
    ) -> tuple[datetime | None, ClusterStatus | None]:
        with self.database.reading() as connection:
            first = self._context.statements.next_time(connection, now, executors, set_aside)
            return first, None if token is None else self._outcome_writer.cluster_status(connection, token)

    def unclaimable(
        self, before: datetime, decide: Decide, executors: Collection[str], limit: int
    ) -> list[Decision]:
        with self.database.reading() as connection:
            return self._claiming.unclaimable(connection, before, decide, executors, limit)

    def claim(self, request: ClaimRequest, give_up: Callable[[], bool]) -> Claimed:
        claimed = self._claim(request, give_up, self._take)
        if not claimed.claim.postponed:
            return claimed
        try:
            known = self._claiming.ask(claimed.claim.postponed, request)

            def take_asked(connection: Connection, request: ClaimRequest, *, may_repeat: bool) -> Claimed:
                claim = self._claiming.claim_asked(connection, request, known, may_repeat=may_repeat)
                has_buffered = any(decision.buffered for decision in claim.decisions)
                nothing = QueueClaim([], {})
                return Claimed(nothing, claim, Finished(), request.now if has_buffered else None)

            later = self._claim(request, give_up, take_asked)
        except Exception as error:  # noqa: BLE001 - what has been claimed before that must be run
            self._context.logger.warning(
                "Some due jobs can't be claimed for now: %s; trying again", safe_str(error)
            )
            return claimed
        return joined(claimed, later)

    def _claim(
        self, request: ClaimRequest, give_up: Callable[[], bool], step: Callable[..., Claimed]
    ) -> Claimed:
        """Take what `step` takes, in one transaction."""
        attempted: list[Claimed] = []

        def take(*, may_repeat: bool = False) -> Claimed:
            attempted.clear()
            with self.database.writing() as connection:
                attempted.append(step(connection, request, may_repeat=may_repeat))
            return attempted[0]

        def was_taken() -> Claimed | None:
            for claimed in attempted:
                for decision in (*claimed.queue.decisions, *claimed.claim.decisions):
                    if decision.run is not None and decision.missed:
                        continue  # it is in nobody's hands
                    time = decision.run_times()[0]
                    return claimed if self._is_claimed(decision, time, request.token) else None
            return None

        def take_also_again() -> Claimed:
            try:
                return take()
            except IntegrityError:  # a job was run before at the time at which it is due now
                return take(may_repeat=True)

        return self.database.run(take_also_again, give_up=give_up, was_done=was_taken)

    def _take(self, connection: Connection, request: ClaimRequest, *, may_repeat: bool) -> Claimed:
        finished = self._outcome_writer.finish(connection, request.ended)
        queue, claim = self._claiming.claim(connection, request, may_repeat=may_repeat)
        queued_from = request.queued_from
        if request.looks_into_queue:
            queued_from = self._runs.next_available(connection, queue.blocked)
        if any(decision.buffered for decision in claim.decisions):
            queued_from = request.now
        expected = min(filter(None, (queued_from, finished.queued_from)), default=None)
        return Claimed(queue, claim, finished, expected)

    def _is_claimed(self, decision: Decision, scheduled: datetime, token: int) -> bool:
        with self.database.reading() as connection:
            return self._runs.is_claimed(
                connection, decision.job.id, scheduled, decision.attempt_of(scheduled), token
            )

    def give_back(self, decision: Decision, token: int, later: datetime | None) -> bool:
        first = decision.submit[0]

        def undo() -> bool:
            with self.database.writing() as connection:
                if not self._runs.goes_on_here(
                    connection, decision.job.id, first, decision.attempt_of(first), token
                ):
                    return True  # it was done
                return self._claiming.give_back(connection, decision, token, self._insert, later)

        def was_undone() -> bool | None:
            return None if self._is_claimed(decision, first, token) else True

        return self.database.run(undo, was_done=was_undone)

    def _insert(self, connection: Connection, job: JobRecord) -> None:
        self._context.statements.add(connection, [self.jobs.new_row(job, self._context.now())])

    def release(self, submissions: Sequence[Submission], give_up: Callable[[], bool]) -> None:
        def undo() -> None:
            with self.database.writing() as connection:
                for submission in submissions:
                    self._claiming.release(connection, submission, self._insert)
                self._context.announce(connection, [self._context.now()])

        self.database.run(undo, give_up=give_up)

    def finish(self, ended: Sequence[Ended], give_up: Callable[[], bool] | None) -> Finished:
        def work() -> Finished:
            with self.database.writing() as connection:
                return self._outcome_writer.finish(connection, ended)

        return self.database.run(work, give_up=give_up)

    def report_progress(self, said: Mapping[tuple[RunKey, int], str], give_up: Callable[[], bool]) -> None:
        def write() -> None:
            with self.database.writing() as connection:
                self._runs.report_progress(connection, said)

        self.database.run(write, give_up=give_up)

    def collect_lost(self, own: Callable[[], Collection[tuple[str, datetime, int]]]) -> Collected:
        def collect() -> Collected:
            with self.database.reading() as connection:
                if not self._outcome_writer.has_orphans(connection):
                    return Collected([], {}, None)
            with self.database.writing() as connection:
                return self._outcome_writer.collect_lost(connection, own)

        return self.database.run(collect)

    def prune(self, job_ids: Sequence[str], keep: int, before: datetime) -> None:
        runs = self._runs
        now = self._context.now()
        self._in_batches(partial(runs.prune_old, before=before, batch=_PRUNED_AT_ONCE, now=now))
        for at in range(0, len(job_ids), _CHUNK):
            chunk = job_ids[at : at + _CHUNK]
            self._in_batches(
                partial(runs.prune_many, job_ids=chunk, keep=keep, batch=_PRUNED_AT_ONCE, now=now)
            )
        with self.database.writing() as connection:
            nodes.forget_old(connection, self.tables, kept_from(before, now))

    def prunable(self, job_ids: Sequence[str], keep: int, before: datetime) -> int:
        def count() -> int:
            with self.database.reading() as connection:
                found = self._runs.count_old(connection, before)
                for at in range(0, len(job_ids), _CHUNK):
                    found += self._runs.prunable(connection, job_ids[at : at + _CHUNK], keep, before)
            return found

        return self.database.run(count)

    def _in_batches(self, remove: Callable[[Connection], int]) -> None:
        """Call `remove`, each time in a transaction of its own, until it finds less than a whole batch."""

        def work() -> int:
            with self.database.writing() as connection:
                return remove(connection)

        removed, tries = _PRUNED_AT_ONCE, 0
        while removed >= _PRUNED_AT_ONCE:
            try:
                removed, tries = self.database.run(work), 0
            except IntegrityError:  # another node has begun the same hour's roll-up: now it is there
                tries += 1
                if tries > _PRUNED_BESIDE:
                    raise

    def enqueue(self, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        def add() -> list[QueuedRun]:
            with self.database.writing() as connection:
                self.jobs.refuse_unknown(connection, {run.job_id for run in runs})
                new = list(self._runs.enqueue(connection, runs))
                self._context.note(connection, "run", [run.key for run in new])
                self._context.announce(connection, [run.available for run in new])
            return new

        def was_done() -> list[QueuedRun] | None:
            found = [run for run in runs if self.get_run(run.key) is not None]
            return found if len(found) == len(runs) else None

        return self.database.run(add, was_done=was_done)

    def cancel(self, key: RunKey) -> bool:
        def write() -> bool:
            with self.database.writing() as connection:
                now = self._context.now()
                was_queued = self._runs.end_queued(connection, key, now, "cancelled", CANCELLED_UNBEGUN)
                is_asked = was_queued or self._runs.ask_to_cancel(connection, key.job_id, key)
                if is_asked:
                    self._context.note(connection, "cancel", [key])
                if is_asked and not was_queued:
                    self._context.announce(connection, [now])
                return is_asked

        def was_cancelled() -> bool | None:
            found = self.get_run(key)
            return True if found is not None and found.outcome == "cancelled" else None

        return self.database.run(write, was_done=was_cancelled)

    def get_run(self, key: RunKey) -> RunRecord | None:
        def look() -> RunRecord | None:
            with self.database.reading() as connection:
                return self._runs.get(connection, key)

        return self.database.run(look)

    def list_runs(
        self, job_id: str | None, outcome: str | None, since: datetime | None, limit: int
    ) -> list[RunRecord]:
        def look() -> list[RunRecord]:
            with self.database.reading() as connection:
                return self._runs.list(connection, job_id, outcome, since, limit)

        return self.database.run(look)

    # Groups

    def set_group(self, group: Group) -> None:
        def write() -> None:
            with self.database.writing() as connection:
                self._groups.set(connection, group)
                self._context.announce(connection, [self._context.now()])

        self.database.run(write)

    def remove_group(self, name: str) -> bool:
        def write() -> bool:
            with self.database.writing() as connection:
                was_there = self._groups.remove(connection, name)
                self._context.announce(connection, [self._context.now()])
                return was_there

        def was_removed() -> bool | None:
            return True if all(group.name != name for group in self.list_groups()) else None

        return self.database.run(write, was_done=was_removed)

    def list_groups(self) -> list[Group]:
        def look() -> list[Group]:
            with self.database.reading() as connection:
                return self._groups.list(connection)

        return self.database.run(look)
