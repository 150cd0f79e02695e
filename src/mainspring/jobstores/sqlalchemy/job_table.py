"""The table of jobs, as it is read and changed by programs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from mainspring.errors import ConflictingIdError, JobLookupError, SerializationError
from mainspring.jobstores.shared.backend import StoredJobs
from mainspring.jobstores.shared.claims import ClaimRaceError
from mainspring.jobstores.shared.rows import ENDING, Unreadable, is_equal, record_of, written_tag
from mainspring.triggers.date import DateTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from mainspring.jobstores.contract import JobQuery
    from mainspring.jobstores.sqlalchemy.context import Context
    from mainspring.model import JobRecord

_CHUNK = 500
_COMPARED = 20


class _Plan(NamedTuple):
    """What jobs that are added, and perhaps replace others, come to.

    Attributes:
        kept: all of them, as they are kept.
        new: the rows of those that aren't there.
        changed: the rows of the others, each with the version that it takes the place of.
    """

    kept: list[JobRecord]
    new: list[dict[str, Any]]
    changed: list[tuple[dict[str, Any], int]]


class JobTable(StoredJobs):
    """The jobs of one store."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._announce = context.announce
        self._columns = context.columns

    def add(
        self, records: Sequence[JobRecord], replace: Callable[[JobRecord, JobRecord], JobRecord] | None
    ) -> list[JobRecord]:
        """See `RunStore.add_records`."""
        now = self._context.now()
        if replace is None:
            rows = [self.new_row(record, now) for record in records]
            self._context.database.run(
                lambda: self._insert(rows), was_done=lambda: self._is_stored(records[0], now) or None
            )
            return list(records)
        attempted: list[list[JobRecord]] = []

        def was_done() -> list[JobRecord] | None:
            return attempted[-1] if attempted and self._is_stored(attempted[-1][0], now) else None

        kept, locks = None, False
        while kept is None:
            write = partial(self._insert_or_replace, records, replace, now, attempted, locks=locks)
            kept, locks = self._context.database.run(write, was_done=was_done), True
        return kept

    def new_row(self, record: JobRecord, now: datetime) -> dict[str, Any]:
        """The columns of a job that is new."""
        return {**self._row(record, now), "created": now}

    def _row(self, record: JobRecord, now: datetime) -> dict[str, Any]:
        if record.options.priority:
            self._context.statements.has_priorities = True  # not only when it is looked for next
        return {**self._context.writable(record), "updated": now}

    def _insert(self, rows: list[dict[str, Any]]) -> bool:
        try:
            with self._context.database.writing() as connection:
                self._context.statements.add(connection, rows)
                self._context.note(connection, "add", (row["id"] for row in rows))
                self._announce(connection, (row["next_run_time"] for row in rows))
        except IntegrityError:
            taken = self._rows_of([row["id"] for row in rows])
            for row in rows:
                if row["id"] in taken and taken[row["id"]].state != ENDING:
                    raise ConflictingIdError(row["id"]) from None
            ended = sorted(taken)
            if not ended:
                raise
            return self._insert_in_place_of(ended, rows)
        return True

    def _insert_in_place_of(self, ended: Sequence[str], rows: list[dict[str, Any]]) -> bool:
        """Keep jobs with the ids of some whose schedules have ended, and that nobody sees any more: those make room."""
        jobs = self._context.tables.jobs
        try:
            with self._context.database.writing() as connection:
                for at in range(0, len(ended), _CHUNK):
                    of_these = jobs.c.id.in_(ended[at : at + _CHUNK])
                    connection.execute(delete(jobs).where(of_these, jobs.c.state == ENDING))
                self._context.runs.disown(connection, ended, self._context.now())
                self._context.statements.add(connection, rows)
                self._context.note(connection, "add", (row["id"] for row in rows))
                self._announce(connection, (row["next_run_time"] for row in rows))
        except IntegrityError:  # somebody else has added one of them meanwhile
            raise ConflictingIdError(ended[0]) from None
        return True

    def _is_stored(self, record: JobRecord, updated: datetime) -> bool:
        """Whether this very record is what is stored: it was written at `updated`, at this version."""
        jobs = self._context.tables.jobs
        with self._context.database.reading() as connection:
            found = connection.execute(
                select(jobs.c.version, jobs.c.updated).where(jobs.c.id == record.id)
            ).one_or_none()
        return found is not None and tuple(found) == (record.version, updated)

    def _rows_of(self, job_ids: Sequence[str]) -> dict[str, Any]:
        with self._context.database.reading() as connection:
            return self._rows_in(connection, job_ids, locks=False)

    def _rows_in(self, connection: Connection, job_ids: Sequence[str], *, locks: bool) -> dict[str, Any]:
        jobs = self._context.tables.jobs
        found: dict[str, Any] = {}
        for at in range(0, len(job_ids), _CHUNK):
            read = select(*self._columns, jobs.c.state).where(jobs.c.id.in_(job_ids[at : at + _CHUNK]))
            if locks:
                read = read.order_by(jobs.c.id).with_for_update(key_share=True)
            found.update((row[0], row) for row in connection.execute(read))
        return found

    def _insert_or_replace(
        self,
        records: Sequence[JobRecord],
        replace: Callable[[JobRecord, JobRecord], JobRecord],
        now: datetime,
        attempted: list[list[JobRecord]],
        *,
        locks: bool,
    ) -> list[JobRecord] | None:
        """Keep all of `records`, or, where one was changed meanwhile, none: ``None``.

        Args:
            locks: the rows that are there, from their reading on; for the same reason as in `_change_locked`.
        """
        ids = sorted(record.id for record in records)
        plan = None if locks else self._plan(records, self._rows_of(ids), replace, now)
        jobs = self._context.tables.jobs
        try:
            with self._context.database.writing() as connection:
                if plan is None:
                    plan = self._plan(records, self._rows_in(connection, ids, locks=True), replace, now)
                attempted.append(plan.kept)
                if plan.new:
                    self._context.statements.add(connection, plan.new)
                for values, version in plan.changed:
                    written = connection.execute(
                        update(jobs)
                        .where(jobs.c.id == values["id"], jobs.c.version == version)
                        .values(values)
                    )
                    if written.rowcount != 1:
                        raise ClaimRaceError("changed meanwhile")  # noqa: TRY301 - undoes the transaction
                self._context.note(connection, "add", (values["id"] for values in plan.new))
                self._context.note(connection, "change", (values["id"] for values, _ in plan.changed))
                self._announce(connection, (record.next_run_time for record in plan.kept))
        except (IntegrityError, ClaimRaceError):
            return None
        return plan.kept

    def _plan(
        self,
        records: Sequence[JobRecord],
        stored: dict[str, Any],
        replace: Callable[[JobRecord, JobRecord], JobRecord],
        now: datetime,
    ) -> _Plan:
        plan = _Plan([], [], [])
        for record in records:
            row = stored.get(record.id)
            if row is None:
                plan.kept.append(record)
                plan.new.append(self.new_row(record, now))
                continue
            old = self._context.job_of(row[:-1])
            if isinstance(old, Unreadable) or row.state == ENDING:
                after = record._replace(version=row.version + 1)
            else:
                after = replace(old, record)
            plan.kept.append(after)
            plan.changed.append((self._row(after, now), row.version))
        return plan

    def get(self, job_id: str) -> JobRecord | None:
        """The job with this id, or ``None``.

        Raises:
            SerializationError: its row can't be read.
        """
        jobs = self._context.tables.jobs

        def look() -> Any:
            with self._context.database.reading() as connection:
                return connection.execute(
                    select(*self._columns).where(jobs.c.id == job_id, jobs.c.state != ENDING)
                ).one_or_none()

        return self._readable(job_id, self._context.database.run(look))

    def _readable(self, job_id: str, row: Any) -> JobRecord | None:
        """The job of a row, if there is one.

        Raises:
            SerializationError: the row can't be read.
        """
        if row is None:
            return None
        record = self._context.job_of(row)
        if isinstance(record, Unreadable):
            raise SerializationError(f"job {job_id!r} can't be had: {record.reason}") from record.error
        return record

    def list_jobs(self, query: JobQuery) -> list[JobRecord | Unreadable]:
        """The jobs that are asked for, soonest first, paused ones last; and rows that can't be read."""
        rows = self._context.database.run(lambda: self._rows_for(query))
        return self._context.jobs_of(rows)

    def list_ending(self) -> list[JobRecord | Unreadable]:
        """See `StoredJobs.list_ending`."""
        return [self._context.job_of(row) for row in self._context.database.run(self._ending_rows)]

    def _ending_rows(self, job_id: str | None = None) -> Sequence[Any]:
        jobs = self._context.tables.jobs
        statement = select(*self._columns).where(jobs.c.state == ENDING).order_by(jobs.c.id)
        if job_id is not None:
            statement = statement.where(jobs.c.id == job_id)
        with self._context.database.reading() as connection:
            return connection.execute(statement).all()

    def write_ending(self, job_id: str) -> bool:
        """See `StoredJobs.write_ending`."""
        jobs = self._context.tables.jobs
        for row in self._context.database.run(lambda: self._ending_rows(job_id)):
            record = self._context.job_of(row)
            if isinstance(record, Unreadable):
                return False
            # A signature is in the arguments. The version stays, by which a claim that is given back knows the job.
            written = self._context.writable(record)["arguments"]
            as_read = (jobs.c.id == job_id, jobs.c.state == ENDING, jobs.c.version == record.version)

            def write(arguments: Any = written, as_read: Any = as_read) -> bool:
                with self._context.database.writing() as connection:
                    done = connection.execute(update(jobs).where(*as_read).values(arguments=arguments))
                return done.rowcount == 1

            return self._context.database.run(write)
        return False

    def find_equal(self, record: JobRecord) -> str | None:
        """See `RunStore.find_equal`. Looks at some jobs of the same function alone."""
        if isinstance(record.trigger, DateTrigger):
            return None
        jobs = self._context.tables.jobs
        row = self._context.writable(record)
        with self._context.database.reading() as connection:
            found = connection.execute(
                select(*self._columns)
                .where(jobs.c.func == row["func"], jobs.c.state != ENDING)
                .limit(_COMPARED)
            ).all()
        for one in found:
            other = self._context.job_of(one)
            if is_equal(other, record, row["arguments"], self._context.arguments):
                return str(one[0])
        return None

    def earliest(self) -> JobRecord | None:
        """The job with the earliest next run time; what is known of it, if its row can't be read."""
        jobs = self._context.tables.jobs
        with self._context.database.reading() as connection:
            row = connection.execute(
                select(*self._columns)
                .where(jobs.c.next_run_time.is_not(None))
                .order_by(jobs.c.next_run_time)
                .limit(1)
            ).first()
        if row is None:
            return None
        return record_of(self._context.job_of(row))

    def _rows_for(self, query: JobQuery) -> Sequence[Any]:
        jobs = self._context.tables.jobs
        statement = select(*self._columns).where(jobs.c.state != ENDING)
        if query.state is not None:
            statement = statement.where(jobs.c.state == query.state)
        if query.tag is not None:
            # The column has JSON: what is looked for is the tag in its quotation marks, as `writable` writes it.
            place = func.strpos if self._context.database.name == "postgresql" else func.instr
            statement = statement.where(place(jobs.c.tags, written_tag(query.tag)) > 0)
        if query.executor is not None:
            statement = statement.where(jobs.c.executor == query.executor)
        if query.search is not None:
            words = query.search.lower()
            found = [
                func.lower(column).contains(words, autoescape=True)
                for column in (jobs.c.id, jobs.c.name, jobs.c.func)
            ]
            statement = statement.where(or_(*found))
        order = (jobs.c.next_run_time.is_(None), jobs.c.next_run_time, jobs.c.id)
        with self._context.database.reading() as connection:
            if query.after is not None:
                last = connection.execute(
                    select(jobs.c.next_run_time).where(jobs.c.id == query.after)
                ).one_or_none()
                if last is None:
                    raise JobLookupError(query.after)
                later = and_(jobs.c.next_run_time == last[0], jobs.c.id > query.after)
                if last[0] is None:
                    statement = statement.where(jobs.c.next_run_time.is_(None), jobs.c.id > query.after)
                else:
                    statement = statement.where(
                        or_(jobs.c.next_run_time.is_(None), jobs.c.next_run_time > last[0], later)
                    )
            return connection.execute(statement.order_by(*order).limit(query.limit)).all()

    def change(self, job_id: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        """Put ``change(record)`` in the place of a job: see `RunStore.change`."""
        before = self.get(job_id)
        if before is None:
            raise JobLookupError(job_id)
        after = change(before)
        values = self._row(after, self._context.now())

        def write() -> bool:
            with self._context.database.writing() as connection:
                return self._put(connection, values, before.version)

        def was_written() -> bool | None:
            return self._is_stored(after, values["updated"]) or None

        if self._context.database.run(write, was_done=was_written):
            return after
        return self._change_locked(job_id, change)

    def _change_locked(self, job_id: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        """The same, with the row locked from its reading on: a job that is claimed faster than it is changed would never be."""
        jobs = self._context.tables.jobs
        read = (
            select(*self._columns)
            .where(jobs.c.id == job_id, jobs.c.state != ENDING)
            .with_for_update(key_share=True)
        )
        tried: list[tuple[JobRecord, dict[str, Any]]] = []

        def write() -> JobRecord:
            with self._context.database.writing() as connection:
                before = self._readable(job_id, connection.execute(read).one_or_none())
                if before is None:
                    raise JobLookupError(job_id)
                after = change(before)
                values = self._row(after, self._context.now())
                tried.append((after, values))
                self._put(connection, values, before.version)
            return after

        def was_written() -> JobRecord | None:
            return next(
                (after for after, values in tried[-1:] if self._is_stored(after, values["updated"])), None
            )

        return self._context.database.run(write, was_done=was_written)

    def _put(self, connection: Connection, values: dict[str, Any], version: int) -> bool:
        """Write a job in the place of the one with its id, if that has this version; whether it has."""
        jobs = self._context.tables.jobs
        written = connection.execute(
            update(jobs).where(jobs.c.id == values["id"], jobs.c.version == version).values(values)
        )
        if written.rowcount == 1:
            self._context.note(connection, "change", [values["id"]])
        self._announce(connection, [values["next_run_time"]])
        return written.rowcount == 1

    def remove(self, job_id: str) -> None:
        """Remove a job.

        Raises:
            JobLookupError: there is no such job.
        """
        jobs = self._context.tables.jobs

        def write() -> bool:
            with self._context.database.writing() as connection:
                written = connection.execute(delete(jobs).where(jobs.c.id == job_id, jobs.c.state != ENDING))
                if written.rowcount:
                    self._context.runs.disown(connection, [job_id], self._context.now())
                    self._context.note(connection, "remove", [job_id])
                self._announce(connection, [])
            return written.rowcount == 1

        def was_written() -> bool | None:
            with self._context.database.reading() as connection:
                found = connection.execute(select(jobs.c.id).where(jobs.c.id == job_id)).one_or_none()
            return True if found is None else None

        if not self._context.database.run(write, was_done=was_written):
            raise JobLookupError(job_id)

    def refuse_unknown(self, connection: Connection, job_ids: Iterable[str]) -> None:
        """See to it that there are jobs with these ids, and that they stay until the transaction ends.

        Raises:
            JobLookupError: there is none with one of them.
        """
        jobs = self._context.tables.jobs
        for job_id in sorted(job_ids):
            if not connection.execute(
                select(jobs.c.id)
                .where(jobs.c.id == job_id, jobs.c.state != ENDING)
                .with_for_update(read=True, key_share=True)
            ).first():
                raise JobLookupError(job_id)

    def remove_all(self) -> None:
        """Remove all jobs."""

        def write() -> None:
            with self._context.database.writing() as connection:
                connection.execute(delete(self._context.tables.jobs))
                self._context.runs.disown(connection, None, self._context.now())
                self._announce(connection, [])

        self._context.database.run(write)
