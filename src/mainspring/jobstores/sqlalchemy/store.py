"""The job store in a database, as programs make it."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData

from mainspring.errors import ConfigurationError
from mainspring.jobstores.shared.namespaces import checked_namespace
from mainspring.jobstores.shared.store import SharedJobStore, default_node_name
from mainspring.jobstores.sqlalchemy.backend import SQLBackend
from mainspring.jobstores.sqlalchemy.database import checked_url, engine_for
from mainspring.serializers.arguments import ArgumentSerializer, Serializer

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine


class SQLAlchemyJobStore(SharedJobStore):
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
        namespace: keeps deployments apart that share a database, such as ``"staging"``: all names begin with it.

    Raises:
        ConfigurationError: neither `url` nor `engine`, or both; a value that can't be.

    Attributes:
        engine: the engine.
        jobs_t: the table of jobs.
    """

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
        namespace: str | None = None,
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
            url is not None and checked_url(url).get_dialect().is_async
        ):
            raise ConfigurationError(
                "a SQLAlchemyJobStore takes no async engine or driver: it asks the database from threads of its own, and no event loop "
                "waits for it. Use create_engine, or a url, with psycopg, PyMySQL or sqlite3"
            )
        backend = SQLBackend(
            engine if engine is not None else engine_for(url, engine_options or {}),  # type: ignore[arg-type]
            ArgumentSerializer(serializer, signing_key, pickle_protocol),
            node_name or default_node_name(),
            metadata if metadata is not None else MetaData(),
            tablename,
            tableschema,
            checked_namespace(namespace),
            owns_engine=engine is None,
        )
        super().__init__(backend, lease, keep_runs, keep_runs_for)
        self.engine = backend.database.engine
        self.kind = backend.database.name
        self.jobs_t = backend.tables.jobs
        self._pending_migration = backend.pending_migration

    def pending_migration(self) -> str:
        """The SQL that `start` would bring the tables of an older release up to date with; empty if there is nothing to be done.

        Changes nothing, and needs no started scheduler.

        Raises:
            ConfigurationError: the tables are a newer release's.
        """
        return self._pending_migration()
