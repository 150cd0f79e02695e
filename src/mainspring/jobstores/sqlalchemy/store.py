"""The job store in a database, as programs make it."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData

from mainspring import profile
from mainspring.errors import ConfigurationError
from mainspring.jobstores.shared.names import OF_TABLES, checked_name
from mainspring.jobstores.shared.namespaces import checked_namespace
from mainspring.jobstores.shared.row_locks import row_format
from mainspring.jobstores.shared.store import SharedJobStore, default_node_name
from mainspring.jobstores.sqlalchemy.addresses import checked_engine, refuse_no_database
from mainspring.jobstores.sqlalchemy.backend import SQLBackend
from mainspring.jobstores.sqlalchemy.engines import engine_beside, engine_for, is_in_memory, schema_in
from mainspring.jobstores.sqlalchemy.maintenance import Maintenance
from mainspring.jobstores.sqlalchemy.predecessor import USUAL_NAME, own_name
from mainspring.references import maybe_ref

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import URL, Engine

    from mainspring.jobstores.shared.predecessor import Adopt, Handover
    from mainspring.serializers.arguments import Serializer


_USUAL_NAME = "mainspring_jobs"


def _engine_of(
    url: str | URL | None, engine: Engine | None, options: Mapping[str, Any], schema: str | None
) -> tuple[Engine, str | None]:
    """The engine that the store works with, and the schema that its tables are in."""
    if engine is None:
        made = engine_for(url, options)  # type: ignore[arg-type]
        if schema is None:
            refuse_no_database(made.url)
        return made, _schema(made, schema)
    checked = checked_engine(engine)
    return engine_beside(checked), _schema(checked, schema)


def _schema(engine: Engine, schema: str | None) -> str | None:
    """The schema that the tables are in.

    Raises:
        ConfigurationError: none can be called so.
    """
    if schema is not None:
        checked_name("tableschema", schema, OF_TABLES[engine.dialect.name], "jobs")
    return schema_in(engine, schema)


def _names_of(tablename: str) -> tuple[str, str | None]:
    """The name of our table of jobs, and that of APScheduler's, if a store of this name can have one."""
    if tablename == _USUAL_NAME:
        return tablename, USUAL_NAME
    if tablename == USUAL_NAME or (profile.stands_in() and not tablename.startswith("mainspring_")):
        return own_name(tablename), tablename
    return tablename, None


def _has_options(url: URL, options: Mapping[str, Any]) -> bool:
    """Whether somebody has given options for PostgreSQL's sessions."""
    return "options" in url.query or "options" in options.get("connect_args", {})


class SQLAlchemyJobStore(SharedJobStore):
    """Keeps jobs in a database, for any number of schedulers.

    Each due run is claimed by one of them, in the transaction that moves the job on, and recorded until it has ended.

    Args:
        url: of the database, such as ``"sqlite:///jobs.sqlite"``.
        engine: an engine of SQLAlchemy, instead of `url`, or a reference to one, such as ``"myapp.db:engine"``. The store makes connections
            of its own as it does, and leaves it as it is.
        tablename: of the table of jobs; those of runs and nodes are named after it. ``"apscheduler_jobs"``, and under the alias any name that is
            given, is where APScheduler has kept its jobs: ours has another name then (`jobs_t`).
        metadata: where to put the tables, if not into a `MetaData` of their own.
        pickle_protocol: of arguments that JSON can't hold.
        tableschema: the schema that the tables are in.
        engine_options: for ``create_engine``, besides `url`.
        serializer: ``"auto"``; ``"json"``: arguments that JSON can't hold are refused; or ``"pickle"``: pickles are read as APScheduler
            reads them, whoever has written them. ``"auto"`` if not given, ``"pickle"`` under the alias.
        signing_key: sign jobs, and run only those that are signed; of several keys the first signs, and each is accepted. If not given,
            what the environment has as ``MAINSPRING_SIGNING_KEY``.
        functions: patterns of references that may be loaded, such as ``["myapp.*:*"]``: nothing else is kept or run.
        lease: seconds (or a ``timedelta``) without a sign of life after which a node counts as dead.
        node_name: what other nodes and the history call this one; its host and process if not given.
        keep_runs: how many ended runs of each job are kept.
        keep_runs_for: how long (days, or a ``timedelta``).
        namespace: keeps deployments apart that share a database, such as ``"staging"``: all names begin with it.
        adopt: whether jobs that APScheduler stored here are adopted: ``"always"``, ``"never"``, or ``"auto"``: adopted under the alias, otherwise
            only reported in the log.
        handover: run no job before APScheduler has handed over: ``"paused"``: until its jobs here have been paused; or a time. Adopts them then.
        pooled: whether PostgreSQL is asked through a pooler that lends its sessions for one transaction each; found out if not given.

    Raises:
        ConfigurationError: neither `url` nor `engine`, or both; a value that can't be.

    Attributes:
        engine: the engine that was given, or made. Of a given one that is a database in memory (`StaticPool`), it is another one: the
            store has connections of its own, and there they are a database of their own.
        jobs_t: the table of jobs.
    """

    def __init__(
        self,
        url: str | URL | None = None,
        engine: Engine | None = None,
        tablename: str = _USUAL_NAME,
        metadata: MetaData | None = None,
        pickle_protocol: int = pickle.HIGHEST_PROTOCOL,
        tableschema: str | None = None,
        engine_options: dict[str, Any] | None = None,
        *,
        serializer: Serializer | None = None,
        signing_key: str | bytes | Sequence[str | bytes] | None = None,
        functions: Sequence[str] | str | None = None,
        lease: float | timedelta = 30,
        node_name: str | None = None,
        keep_runs: int = 100,
        keep_runs_for: float | timedelta = timedelta(days=30),
        namespace: str | None = None,
        adopt: Adopt = "auto",
        handover: Handover | None = None,
        pooled: bool | None = None,
    ) -> None:
        if engine is None and url is None:
            raise ConfigurationError(
                "a SQLAlchemyJobStore needs a url, such as 'sqlite:///jobs.sqlite', or an engine"
            )
        if engine is not None and url is not None:
            raise ConfigurationError(
                "a SQLAlchemyJobStore takes a url or an engine, got both: give one of them"
            )
        # An empty schema is none, as where it is read from an environment.
        used, schema = _engine_of(url, maybe_ref(engine), engine_options or {}, tableschema or None)
        if pooled is not None and used.dialect.name != "postgresql":
            raise ConfigurationError(
                f"pooled is for a pooler in front of PostgreSQL, and this store is in {used.dialect.name}: leave it out"
            )
        checked_name("tablename", tablename, OF_TABLES[used.dialect.name]._replace(longest=None), _USUAL_NAME)
        given = tablename
        tablename, old_table = _names_of(tablename)
        backend = SQLBackend(
            used,
            row_format(serializer, signing_key, pickle_protocol, functions),
            node_name or default_node_name(),
            maybe_ref(metadata) if metadata is not None else MetaData(),
            tablename,
            schema,
            checked_namespace(namespace),
            owns_engine=engine is None or not is_in_memory(used),
            pooled=pooled,
            sets_limits=engine is None and not _has_options(used.url, engine_options or {}),
            old_table=old_table
            if namespace is None
            else None,  # of several deployments, none is APScheduler's
        )
        super().__init__(backend, lease, keep_runs, keep_runs_for, adopt, handover)
        if tablename != given:
            self._renamed = (
                f"{given!r} is where APScheduler keeps its jobs: mainspring's are in {tablename!r}"
            )
        #: The program's own, unless that one's database can't be shared.
        self.engine: Engine = used if engine is None or is_in_memory(used) else maybe_ref(engine)
        self.kind = backend.database.name
        self._is_in_this_process = backend.database.is_in_this_process
        self.jobs_t = backend.tables.jobs
        self._pending_migration = backend.pending_migration
        self._maintenance = Maintenance(backend.database, backend.tables, backend.complete_tables)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} (url={self.engine.url})>"  # which shows no password

    @property
    def serves_one_process(self) -> bool:
        """See `RunStore.serves_one_process`: a database of SQLite in memory is in one process's."""
        return self._is_in_this_process

    @property
    def maintenance(self) -> Maintenance:
        """What an operator does to the database itself."""
        return self._maintenance

    def pending_upgrade(self) -> str | None:
        """See `SharedJobStore.pending_upgrade`: `pending_migration`, or ``None``."""
        return self.pending_migration().strip() or None

    def pending_migration(self) -> str:
        """The SQL that `start` would create the tables with, or bring those of an older release up to date; empty if there is nothing to be done.

        Changes nothing, and needs no started scheduler.

        Raises:
            ConfigurationError: the tables are a newer release's.
        """
        try:
            return self._pending_migration()
        finally:
            self._close_if_not_started()
