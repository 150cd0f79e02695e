"""The statements of claims and of adding, in the form that is fastest in each database.

A claim of hundreds of runs is a few statements, whatever their number: what is due is read, jobs are moved, jobs that have ended
are removed, runs are recorded. SQLAlchemy's own handling of parameters and results takes longer for each row than SQLite
takes to write it, and for each statement as long as a small one takes, so these are given to the driver as they are:

- SQLite: one prepared statement, stepped through for each row; there is no way to the database to be saved;
- PostgreSQL, MySQL and MariaDB: one statement whose parameter is a table as JSON, which Python writes fastest. For new rows
  the driver of MySQL makes one statement of many itself; that of PostgreSQL sends many as a stream.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from json import JSONEncoder
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError, NotSupportedError

from mainspring.jobstores.shared.rows import COLUMNS, read_time, time_text
from mainspring.storable import compact, encodable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.engine import Connection, Engine

    from mainspring.jobstores.shared.runs import EndedRun, JobUpdate, NewRun, TakenRun
    from mainspring.jobstores.sqlalchemy.tables import Tables


#: The values of a row that SQLite is given as JSON.
_NEW = [f"json_extract(new.value, '$[{place}]')" for place in range(11)]
# The run that a given row begins with: its job, due time and attempt.
_SQLITE_RUN = f"run.job_id = {_NEW[0]} AND run.scheduled = {_NEW[1]} AND run.attempt = {_NEW[2]}"
_POSTGRESQL_RUN = (
    "run.job_id = new->>0 AND run.scheduled = (new->>1)::timestamptz AND run.attempt = (new->>2)::int"
)


#: So many rows at once are given to PostgreSQL as a stream: it takes half as long then, and longer for a few.
_STREAMED_FROM = 50


class Statements(ABC):
    """The statements for one kind of database."""

    #: How the driver marks a parameter.
    mark = "%s"
    #: What locks the rows that are read, and leaves those out that others have locked.
    lock = " FOR UPDATE SKIP LOCKED"

    def __init__(self, tables: Tables, engine: Engine) -> None:
        # The encoder asks only about what it doesn't know: of these values, times.
        self._encode = JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=self._plain).encode
        prepare = engine.dialect.identifier_preparer
        self._jobs = prepare.format_table(tables.jobs)
        self._runs = prepare.format_table(tables.runs)
        #: Whether some jobs have a priority, so that those that are due have to be put in order by it.
        self.has_priorities = False
        self._columns = ", ".join(prepare.quote(name) for name in COLUMNS)
        self._all_columns = [column.name for column in tables.jobs.columns]
        quoted = ", ".join(prepare.quote(name) for name in self._all_columns)
        marks = ", ".join([self.mark] * len(self._all_columns))
        self._add = f"INSERT INTO {self._jobs} ({quoted}) VALUES ({marks})"  # noqa: S608 - our names
        self._copy = f"COPY {self._jobs} ({quoted}) FROM STDIN"

    def add(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Enter jobs, given as the values of all columns."""
        written = self._written(rows)
        connection.exec_driver_sql(self._add, written if len(written) > 1 else written[0])

    def _written(self, rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
        """Rows as the driver takes them."""
        values_of = itemgetter(*self._all_columns)
        places = [self._all_columns.index(name) for name in ("next_run_time", "created", "updated")]
        times: dict[datetime | None, Any] = {}  # many rows have the same
        written = []
        for row in rows:
            values = list(values_of(row))
            for place in places:
                moment = values[place]
                if moment not in times:
                    times[moment] = self._time(moment)
                values[place] = times[moment]
            written.append(tuple(values))
        return written

    def due(
        self,
        connection: Connection,
        now: datetime,
        executors: Collection[str],
        set_aside: Collection[str],
        limit: int,
    ) -> Sequence[Any]:
        """The rows of up to `limit` due jobs, with the columns that a job is made of; locked where rows can be."""
        where, values = self._open_to(executors, set_aside)
        return connection.exec_driver_sql(
            f"SELECT {self._columns} FROM {self._jobs} WHERE next_run_time <= {self.mark} AND {where} "  # noqa: S608 - our names
            f"ORDER BY {'priority DESC, ' if self.has_priorities else ''}next_run_time LIMIT {limit:d}{self.lock}",
            (self._time(now), *values),
        ).fetchall()

    def locked(self, connection: Connection, job_ids: Sequence[str]) -> Sequence[Any]:
        """The rows of these jobs, with the columns that a job is made of; locked where rows can be, without those that others have locked."""
        return connection.exec_driver_sql(
            f"SELECT {self._columns} FROM {self._jobs} WHERE id IN ({self._marks(job_ids)}){self.lock}",  # noqa: S608 - our names
            tuple(sorted(job_ids)),
        ).fetchall()

    def unclaimable(
        self, connection: Connection, before: datetime, executors: Collection[str], limit: int
    ) -> Sequence[Any]:
        """The rows of jobs that were due before a time, and whose executor is none of these."""
        return connection.exec_driver_sql(
            f"SELECT {self._columns} FROM {self._jobs} WHERE next_run_time <= {self.mark} "  # noqa: S608 - our names
            f"AND executor NOT IN ({self._marks(executors)}) ORDER BY next_run_time LIMIT {limit:d}",
            (self._time(before), *sorted(executors)),
        ).fetchall()

    def next_time(
        self, connection: Connection, now: datetime, executors: Collection[str], set_aside: Collection[str]
    ) -> datetime | None:
        """When the first job is due that isn't `set_aside`, of those with one of these executors."""
        where, values = self._open_to(executors, set_aside)
        row = connection.exec_driver_sql(
            f"SELECT next_run_time FROM {self._jobs} WHERE next_run_time IS NOT NULL AND {where} "  # noqa: S608 - our names
            "ORDER BY next_run_time LIMIT 1",
            values,
        ).first()
        if row is None:
            return None
        try:
            return read_time(row[0])
        except ValueError:
            # SQLite keeps any text. One that sorts among the times that have come is found, and parked, by a claim.
            return now if row[0] <= _text(now) else None

    def running(self, connection: Connection, job_ids: Sequence[str]) -> dict[str, int]:
        """How many instances of each of these jobs go on, on all nodes; jobs without are left out."""
        among, values = self._among(job_ids)
        found = connection.exec_driver_sql(
            f"SELECT job_id, SUM(instances) FROM {self._runs} WHERE outcome IS NULL AND token IS NOT NULL "  # noqa: S608 - our names
            f"AND job_id {among} GROUP BY job_id",
            values,
        )
        return {job_id: int(count) for job_id, count in found}

    def _among(self, job_ids: Sequence[str]) -> tuple[str, tuple[Any, ...]]:
        """The condition that a value is one of many, and its parameters."""
        return "IN %s", (list(job_ids),)

    def followed(self, connection: Connection) -> set[str]:
        """The ids of the jobs that others come after."""
        query = f"SELECT follows FROM {self._jobs} WHERE follows IS NOT NULL"  # noqa: S608 - our names
        # Mostly there are none. In their order, so that the index is used also where the database doesn't know yet how few they are.
        if connection.exec_driver_sql(f"{query} ORDER BY follows LIMIT 1").first() is None:
            return set()
        return {row[0] for row in connection.exec_driver_sql(query)}

    def _open_to(self, executors: Collection[str], set_aside: Collection[str]) -> tuple[str, tuple[str, ...]]:
        where = f"executor IN ({self._marks(executors)})"
        if set_aside:
            where += f" AND id NOT IN ({self._marks(set_aside)})"
        return where, (*sorted(executors), *set_aside)

    def _time(self, moment: datetime | None) -> Any:
        """A time as the driver takes it."""
        return _text(moment)

    def _plain(self, moment: datetime | None) -> str | None:
        """A time as text."""
        return _text(moment)

    def _json(self, rows: Sequence[tuple[Any, ...]]) -> str:
        """Rows as one text, with their times as text."""
        return encodable(self._encode(rows))

    def _marks(self, values: Collection[str]) -> str:
        return ", ".join([self.mark] * len(values))

    @abstractmethod
    def move(self, connection: Connection, moves: Sequence[JobUpdate], now: datetime) -> int:
        """Move jobs; how many were still at their version."""

    @abstractmethod
    def remove(self, connection: Connection, job_ids: Sequence[str]) -> int:
        """Remove jobs; how many were there."""

    @abstractmethod
    def insert(
        self,
        connection: Connection,
        runs: Sequence[NewRun],
        node: str | None,
        token: int | None,
        claimed: datetime | None,
    ) -> None:
        """Record runs."""

    @abstractmethod
    def take(
        self, connection: Connection, runs: Sequence[TakenRun], node: str, token: int, claimed: datetime
    ) -> None:
        """Claim runs that were queued."""

    @abstractmethod
    def finish(self, connection: Connection, ended: Sequence[EndedRun]) -> int:
        """Write outcomes; how many runs had none, and were in the hands of their token."""


class SQLiteStatements(Statements):
    """For SQLite.

    What is done to many rows is one statement: between any two of them, this thread would wait for the interpreter again, with the
    file locked, while a pool's threads compute.
    """

    mark = "?"
    lock = ""  # the transaction has the whole database

    def _among(self, job_ids: Sequence[str]) -> tuple[str, tuple[Any, ...]]:
        return "IN (SELECT value FROM json_each(?))", (compact(job_ids),)

    def move(self, connection: Connection, moves: Sequence[JobUpdate], now: datetime) -> int:
        job_id, version, next_run_time, state = _NEW[:4]
        return connection.exec_driver_sql(
            f"UPDATE {self._jobs} AS job SET next_run_time = {next_run_time}, state = {state}, version = job.version + 1, "  # noqa: S608 - our names
            f"updated = ? FROM json_each(?) AS new WHERE job.id = {job_id} AND job.version = {version}",
            (_text(now), self._json(moves)),
        ).rowcount

    def remove(self, connection: Connection, job_ids: Sequence[str]) -> int:
        return connection.exec_driver_sql(
            f"DELETE FROM {self._jobs} WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608 - our names
            (compact(job_ids),),
        ).rowcount

    def insert(
        self,
        connection: Connection,
        runs: Sequence[NewRun],
        node: str | None,
        token: int | None,
        claimed: datetime | None,
    ) -> None:
        connection.exec_driver_sql(
            f"INSERT INTO {self._runs} (node, token, claimed, job_id, scheduled, attempt, instances, finished, outcome, "  # noqa: S608 - our names
            f"error, cause, group_name, due_times) SELECT ?, ?, ?, {', '.join(_NEW[:10])} FROM json_each(?) AS new",
            (node, token, _text(claimed), self._json(runs)),
        )

    def take(
        self, connection: Connection, runs: Sequence[TakenRun], node: str, token: int, claimed: datetime
    ) -> None:
        connection.exec_driver_sql(
            f"UPDATE {self._runs} AS run SET node = ?, token = ?, claimed = ?, group_name = {_NEW[3]} FROM json_each(?) AS new "  # noqa: S608 - our names
            f"WHERE {_SQLITE_RUN}",
            (node, token, _text(claimed), self._json(runs)),
        )

    def finish(self, connection: Connection, ended: Sequence[EndedRun]) -> int:
        token, started, finished, outcome, error, result, traceback, log = _NEW[3:]
        return connection.exec_driver_sql(
            f"UPDATE {self._runs} AS run SET started = {started}, finished = {finished}, outcome = {outcome}, error = {error}, "  # noqa: S608 - our names
            f"result = {result}, traceback = {traceback}, log = {log} FROM json_each(?) AS new "
            f"WHERE {_SQLITE_RUN} AND run.token = {token} AND run.outcome IS NULL",
            (self._json(ended),),
        ).rowcount


class PostgreSQLStatements(Statements):
    """For PostgreSQL."""

    #: Whether many rows are sent as a stream.
    _streams = True

    def add(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Enter jobs, given as the values of all columns; many at once as a stream of rows, where the driver and the table take one."""
        if self._streams and len(rows) >= _STREAMED_FROM and connection.dialect.driver == "psycopg":
            try:
                with connection.begin_nested():
                    self._stream(connection, rows)
            except NotSupportedError:  # as with row-level security
                self._streams = False
            else:
                return
        super().add(connection, rows)

    def _stream(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        cursor: Any = connection.connection.cursor()
        try:
            with cursor.copy(self._copy) as stream:
                for row in self._written(rows):
                    stream.write_row(row)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_raised(error, self._copy, connection) from error
        finally:
            cursor.close()

    def _among(self, job_ids: Sequence[str]) -> tuple[str, tuple[Any, ...]]:
        return "= ANY(%s::text[])", (list(job_ids),)

    def _time(self, moment: datetime | None) -> Any:
        return moment

    def _plain(self, moment: datetime | None) -> str | None:
        return None if moment is None else moment.isoformat()

    def move(self, connection: Connection, moves: Sequence[JobUpdate], now: datetime) -> int:
        return connection.exec_driver_sql(
            f"UPDATE {self._jobs} AS job SET next_run_time = (new->>2)::timestamptz, state = new->>3, "  # noqa: S608 - our names
            "version = job.version + 1, updated = %s FROM json_array_elements(%s::json) AS new "
            "WHERE job.id = new->>0 AND job.version = (new->>1)::bigint",
            (now, self._json(moves)),
        ).rowcount

    def remove(self, connection: Connection, job_ids: Sequence[str]) -> int:
        return connection.exec_driver_sql(
            f"DELETE FROM {self._jobs} WHERE id = ANY(%s::text[])",  # noqa: S608 - our names
            (list(job_ids),),
        ).rowcount

    def insert(
        self,
        connection: Connection,
        runs: Sequence[NewRun],
        node: str | None,
        token: int | None,
        claimed: datetime | None,
    ) -> None:
        connection.exec_driver_sql(
            f"INSERT INTO {self._runs} (node, token, claimed, job_id, scheduled, attempt, instances, finished, outcome, "  # noqa: S608 - our names
            "error, cause, group_name, due_times) SELECT %s::text, %s::bigint, %s::timestamptz, new->>0, (new->>1)::timestamptz, "
            "(new->>2)::int, (new->>3)::int, (new->>4)::timestamptz, new->>5, new->>6, new->>7, new->>8, (new->>9)::bigint "
            "FROM json_array_elements(%s::json) AS new",
            (node, token, claimed, self._json(runs)),
        )

    def take(
        self, connection: Connection, runs: Sequence[TakenRun], node: str, token: int, claimed: datetime
    ) -> None:
        connection.exec_driver_sql(
            f"UPDATE {self._runs} AS run SET node = %s, token = %s, claimed = %s, group_name = new->>3 "  # noqa: S608 - our names
            f"FROM json_array_elements(%s::json) AS new WHERE {_POSTGRESQL_RUN}",
            (node, token, claimed, self._json(runs)),
        )

    def finish(self, connection: Connection, ended: Sequence[EndedRun]) -> int:
        return connection.exec_driver_sql(
            f"UPDATE {self._runs} AS run SET started = (new->>4)::timestamptz, finished = (new->>5)::timestamptz, "  # noqa: S608 - our names
            "outcome = new->>6, error = new->>7, result = new->>8, traceback = new->>9, log = new->>10 FROM json_array_elements(%s::json) AS new "
            f"WHERE {_POSTGRESQL_RUN} AND run.token = (new->>3)::bigint AND run.outcome IS NULL",
            (self._json(ended),),
        ).rowcount


_MYSQL_ID = "VARCHAR(191) CHARACTER SET utf8mb4"
_MYSQL_COLUMNS = f"job_id {_MYSQL_ID} PATH '$[0]', scheduled DATETIME(6) PATH '$[1]', attempt INT PATH '$[2]'"
_MYSQL_RUN = (
    "run.job_id = given.job_id COLLATE utf8mb4_bin AND run.scheduled = given.scheduled "
    "AND run.attempt = given.attempt"
)


def _as_raised(error: Any, statement: str, connection: Connection) -> DBAPIError:
    """An error of the driver as SQLAlchemy raises it, which knows nothing of streams."""
    is_lost = connection.dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if is_lost:
        connection.invalidate(error)
    raised: Any = DBAPIError.instance(
        statement,
        None,
        error,
        connection.dialect.loaded_dbapi.Error,
        connection_invalidated=is_lost,
        dialect=connection.dialect,
    )
    assert isinstance(raised, DBAPIError)  # noqa: S101 - the driver's errors are
    return raised


class MySQLStatements(Statements):
    """For MySQL and MariaDB."""

    def move(self, connection: Connection, moves: Sequence[JobUpdate], now: datetime) -> int:
        return connection.exec_driver_sql(
            f"UPDATE JSON_TABLE(%s, '$[*]' COLUMNS (id {_MYSQL_ID} PATH '$[0]', version BIGINT PATH '$[1]', next_run_time "  # noqa: S608 - our names
            "DATETIME(6) PATH '$[2]', state VARCHAR(20) PATH '$[3]')) AS moved STRAIGHT_JOIN "
            f"{self._jobs} AS job ON job.id = moved.id COLLATE utf8mb4_bin AND job.version = moved.version "
            "SET job.next_run_time = moved.next_run_time, job.state = moved.state, job.version = moved.version + 1, "
            "job.updated = %s",
            (self._json(moves), _text(now)),
        ).rowcount

    def remove(self, connection: Connection, job_ids: Sequence[str]) -> int:
        return connection.exec_driver_sql(
            f"DELETE FROM {self._jobs} WHERE id IN %s",  # noqa: S608 - our names
            (list(job_ids),),
        ).rowcount

    def insert(
        self,
        connection: Connection,
        runs: Sequence[NewRun],
        node: str | None,
        token: int | None,
        claimed: datetime | None,
    ) -> None:
        since = _text(claimed)
        connection.exec_driver_sql(
            f"INSERT INTO {self._runs} (job_id, scheduled, attempt, instances, finished, outcome, error, cause, "  # noqa: S608 - our names
            f"group_name, due_times, node, token, claimed) VALUES ({', '.join(['%s'] * 13)})",
            [
                (
                    *(_text(value) if isinstance(value, datetime) else value for value in row),
                    node,
                    token,
                    since,
                )
                for row in runs
            ],
        )

    def take(
        self, connection: Connection, runs: Sequence[TakenRun], node: str, token: int, claimed: datetime
    ) -> None:
        connection.exec_driver_sql(
            f"UPDATE JSON_TABLE(%s, '$[*]' COLUMNS ({_MYSQL_COLUMNS}, group_name {_MYSQL_ID} PATH '$[3]')) AS given "  # noqa: S608 - our names
            f"STRAIGHT_JOIN {self._runs} AS run ON {_MYSQL_RUN} SET run.node = %s, run.token = %s, run.claimed = %s, "
            "run.group_name = given.group_name",
            (self._json(runs), node, token, _text(claimed)),
        )

    def finish(self, connection: Connection, ended: Sequence[EndedRun]) -> int:
        return connection.exec_driver_sql(
            f"UPDATE JSON_TABLE(%s, '$[*]' COLUMNS ({_MYSQL_COLUMNS}, "  # noqa: S608 - our names
            "token BIGINT PATH '$[3]', started DATETIME(6) PATH '$[4]', finished DATETIME(6) PATH "
            "'$[5]', outcome VARCHAR(20) PATH '$[6]', error LONGTEXT PATH '$[7]', result LONGTEXT PATH '$[8]', "
            "traceback LONGTEXT PATH '$[9]', log LONGTEXT PATH '$[10]')) AS given "
            f"STRAIGHT_JOIN {self._runs} AS run ON {_MYSQL_RUN} SET run.started = given.started, run.finished = given.finished, "
            "run.outcome = given.outcome, run.error = given.error, run.result = given.result, "
            "run.traceback = given.traceback, run.log = given.log "
            "WHERE run.token = given.token AND run.outcome IS NULL",
            (self._json(ended),),
        ).rowcount


def statements_for(tables: Tables, engine: Engine) -> Statements:
    """The statements for the engine's database."""
    kinds = {"sqlite": SQLiteStatements, "postgresql": PostgreSQLStatements}
    return kinds.get(engine.dialect.name, MySQLStatements)(tables, engine)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)
