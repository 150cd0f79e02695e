"""The job store in Redis, as programs make it."""

from __future__ import annotations

import pickle
import re
from datetime import timedelta
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

from redis import (
    BlockingConnectionPool,
    Connection,
    ConnectionPool,
    Redis,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio import Redis as AsyncRedis
from redis.connection import AbstractConnection

from mainspring.coercion import unknown_name
from mainspring.errors import ConfigurationError
from mainspring.jobstores.redis.backend import RedisBackend
from mainspring.jobstores.redis.persistence import what_may_be_lost
from mainspring.jobstores.redis.predecessor import names_of
from mainspring.jobstores.redis.server import OWN_NAMES, Server
from mainspring.jobstores.shared.names import REDIS, checked_name, refuse_unknown_place
from mainspring.jobstores.shared.namespaces import checked_namespace, within
from mainspring.jobstores.shared.node_context import NodeContext
from mainspring.jobstores.shared.row_locks import row_format
from mainspring.jobstores.shared.store import SharedJobStore, default_node_name
from mainspring.masking import without_secrets
from mainspring.safe_logging import safe_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mainspring.jobstores.shared.predecessor import Adopt, Handover
    from mainspring.serializers.arguments import Serializer

#: Seconds that a connection, and an answer, may take.
_CONNECT_TIMEOUT = 5
_ANSWER_TIMEOUT = 30
#: A name with the part by which a cluster chooses where a key is: from the first "{" to the first "}" behind it, with something in it.
_HASH_TAG = re.compile(r"[^{]*\{[^}]+\}")


class RedisJobStore(SharedJobStore):
    """Keeps jobs in Redis (6.2 or newer) or Valkey, for any number of schedulers.

    Each change is one script. All keys are in one slot, so that a cluster can hold them.

    Args:
        db: number of the database.
        jobs_key: what all keys begin with. ``"apscheduler.jobs"``, and under the alias any name that is given, is where APScheduler has kept its
            jobs: ours have another name then, which is said in the log.
        run_times_key: names the sorted sets of jobs by when they are due.
        pickle_protocol: of arguments that JSON can't hold.
        client: a client of redis-py, one of a cluster too, instead of `connect_args`.
        url: such as ``"redis://localhost:6379/0"``, instead of `db`.
        serializer: ``"auto"``; ``"json"``: arguments that JSON can't hold are refused; or ``"pickle"``: pickles are read as APScheduler
            reads them, whoever has written them. ``"auto"`` if not given, ``"pickle"`` under the alias.
        signing_key: sign jobs, and run only those that are signed; of several keys the first signs, and each is accepted. If not given,
            what the environment has as ``MAINSPRING_SIGNING_KEY``.
        functions: patterns of references that may be loaded, such as ``["myapp.*:*"]``: nothing else is kept or run.
        lease: seconds (or a ``timedelta``) without a sign of life after which a node counts as dead.
        node_name: what other nodes and the history call this one; its host and process if not given.
        keep_runs: how many ended runs of each job are kept.
        keep_runs_for: how long (days, or a ``timedelta``).
        namespace: keeps deployments apart that share a server, such as ``"staging"``: all keys begin with it.
        adopt: whether jobs that APScheduler stored here are adopted: ``"always"``, ``"never"``, or ``"auto"``: adopted under the alias, otherwise
            only reported in the log.
        handover: run no job before APScheduler has handed over: ``"paused"``: until its jobs here have been paused; or a time. Adopts them then.
        connect_args: for ``redis.Redis``, such as ``host`` and ``password``.

    Raises:
        ConfigurationError: a value that can't be.

    Attributes:
        redis: the client.
    """

    kind = "redis"

    def __init__(
        self,
        db: int = 0,
        jobs_key: str = "mainspring.jobs",
        run_times_key: str = "mainspring.run_times",
        pickle_protocol: int = pickle.HIGHEST_PROTOCOL,
        *,
        client: Any = None,
        url: str | None = None,
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
        **connect_args: Any,
    ) -> None:
        checked_name("jobs_key", jobs_key, REDIS, "mainspring.jobs")
        checked_name("run_times_key", run_times_key, REDIS, "mainspring.run_times")
        if run_times_key.partition(":")[0] in OWN_NAMES:
            raise ConfigurationError(
                f"run_times_key={run_times_key!r} is what the store calls other keys: give another name, such as "
                '"mainspring.run_times"'
            )
        if client is not None and (url is not None or connect_args or db):
            raise ConfigurationError(
                "a RedisJobStore takes a client, or how to make one (url, db, host and the like), got both: give one of them"
            )
        if isinstance(client, AsyncRedis):
            raise ConfigurationError(
                "a RedisJobStore takes no async client: it asks the server from threads of its own, and no event loop waits for it. "
                "Give redis.Redis, or a url"
            )
        self.redis = client if client is not None else _client(url, db, connect_args)
        deployment = checked_namespace(namespace)
        given = jobs_key
        (jobs_key, run_times_key), old_keys = names_of(jobs_key, run_times_key)
        name = within(deployment, jobs_key, ":")
        base = name if _HASH_TAG.match(name) else f"{{{name}}}"
        node_context = NodeContext(
            **row_format(
                serializer,
                signing_key,
                pickle_protocol,
                functions,
                f"redis {_database_of(self.redis)} {base}",
            ),
            logger=safe_logger(__name__),  # until the store is started
            node_name=node_name or default_node_name(),
            namespace=deployment,
        )
        backend = RedisBackend(
            Server(self.redis, base, run_times_key),
            node_context,
            owns_client=client is None,
            old_keys=None if deployment else old_keys,  # of several deployments, none is APScheduler's
        )
        super().__init__(backend, lease, keep_runs, keep_runs_for, adopt, handover)
        if jobs_key != given:
            self._renamed = (
                f"{given!r} is where APScheduler keeps its jobs: mainspring's are under {jobs_key!r}"
            )

    def start(self, scheduler: Any, alias: str) -> None:
        """See `SharedJobStore.start`. Says in the log what this server may lose."""
        super().start(scheduler, alias)
        for sentence in what_may_be_lost(self.redis):
            self._logger.warning("%s", sentence)

    def warnings(self) -> Sequence[str]:
        """See `RunStore.warnings`; of the server nothing, if it keeps all that it has acknowledged."""
        return [*super().warnings(), *what_may_be_lost(self.redis)]


def _database_of(client: Any) -> int:
    """The number of the database that a client uses; a cluster has one."""
    pool = getattr(client, "connection_pool", None)
    return getattr(pool, "connection_kwargs", {}).get("db") or 0


def _refuse_unknown(connect_args: Iterable[str]) -> None:
    """See to it that redis-py, or this store, has parameters of these names: it says so itself only when it connects, and not what was meant.

    Raises:
        TypeError: one is unknown.
    """
    pools = (Redis.__init__, ConnectionPool.__init__, BlockingConnectionPool.__init__)
    connections = (Connection.__init__, SSLConnection.__init__, UnixDomainSocketConnection.__init__)
    takers: tuple[Callable[..., Any], ...] = (
        RedisJobStore.__init__,
        *pools,
        *connections,
        AbstractConnection.__init__,
    )
    known = {
        name
        for taker in takers
        for name, parameter in signature(taker).parameters.items()
        if parameter.kind is not Parameter.VAR_KEYWORD and name != "self"
    }
    for name in connect_args:
        if name not in known:
            raise TypeError(f"RedisJobStore: {unknown_name('parameter', name, known)}")


def _client(url: str | None, db: int, connect_args: dict[str, Any]) -> Redis:
    if "connection_class" not in connect_args:  # which may take what it likes
        _refuse_unknown(connect_args)
    options = {
        "socket_connect_timeout": _CONNECT_TIMEOUT,
        "socket_timeout": _ANSWER_TIMEOUT,
        **connect_args,
    }
    client = Redis(db=db, **options) if url is None else _client_of_url(url, db, options)
    told = client.connection_pool.connection_kwargs
    if "path" not in told:
        refuse_unknown_place(told.get("host"), told.get("port"))
    return client


def _client_of_url(url: str, db: int, options: dict[str, Any]) -> Redis:
    if db:
        options["db"] = db
    try:
        return Redis.from_url(url, **options)
    except ValueError as error:
        raise ConfigurationError(
            f"the url {without_secrets(url)!r} of a RedisJobStore is none that redis-py knows: {without_secrets(str(error))}"
        ) from error
