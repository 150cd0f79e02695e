"""The job store in MongoDB, as programs make it."""

from __future__ import annotations

import pickle
from datetime import timedelta
from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any

from pymongo import AsyncMongoClient, MongoClient
from pymongo.common import VALIDATORS
from pymongo.errors import ConfigurationError as DriverConfigurationError
from pymongo.errors import InvalidURI

from mainspring.coercion import unknown_name
from mainspring.errors import ConfigurationError
from mainspring.jobstores.mongodb.backend import MongoDBBackend
from mainspring.jobstores.mongodb.predecessor import names_of
from mainspring.jobstores.mongodb.server import LONGEST_ENDING, Server
from mainspring.jobstores.shared.names import (
    MONGODB_COLLECTION,
    MONGODB_DATABASE,
    checked_name,
    refuse_unknown_place,
)
from mainspring.jobstores.shared.namespaces import checked_namespace, within
from mainspring.jobstores.shared.node_context import NodeContext
from mainspring.jobstores.shared.row_locks import row_format
from mainspring.jobstores.shared.store import SharedJobStore, default_node_name
from mainspring.masking import without_secrets
from mainspring.references import maybe_ref
from mainspring.safe_logging import safe_logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pymongo.collection import Collection

    from mainspring.jobstores.mongodb.documents import Document
    from mainspring.jobstores.shared.predecessor import Adopt, Handover
    from mainspring.serializers.arguments import Serializer

#: Milliseconds that a server may take to be found, and an answer to come.
_SELECTION_TIMEOUT = 5_000
_ANSWER_TIMEOUT = 30_000


class MongoDBJobStore(SharedJobStore):
    """Keeps jobs in MongoDB, for any number of schedulers.

    Each due run is claimed by a change of its job's document, on the condition that it is still what was decided on. Needs no
    transactions.

    Args:
        database: its name.
        collection: of the jobs; those of runs, nodes and groups are named after it. Where APScheduler has kept its jobs (``"jobs"`` of
            ``"apscheduler"``, and under the alias any that is given), ours have another name, which is said in the log.
        client: a client of pymongo, or a text reference to one, instead of `connect_args`. Its write concern is kept, if it has one;
            what is written is otherwise acknowledged by a majority of the servers.
        pickle_protocol: of arguments that JSON can't hold.
        serializer: ``"auto"``; ``"json"``: arguments that JSON can't hold are refused; or ``"pickle"``: pickles are read as APScheduler
            reads them, whoever has written them. ``"auto"`` if not given, ``"pickle"`` under the alias.
        signing_key: sign jobs, and run only those that are signed; of several keys the first signs, and each is accepted. If not given,
            what the environment has as ``MAINSPRING_SIGNING_KEY``.
        functions: patterns of references that may be loaded, such as ``["myapp.*:*"]``: nothing else is kept or run.
        lease: seconds (or a ``timedelta``) without a sign of life after which a node counts as dead.
        node_name: what other nodes and the history call this one; its host and process if not given.
        keep_runs: how many ended runs of each job are kept.
        keep_runs_for: how long (days, or a ``timedelta``).
        namespace: keeps deployments apart that share a database, such as ``"staging"``: the names of all collections begin with it.
        adopt: whether jobs that APScheduler stored here are adopted: ``"always"``, ``"never"``, or ``"auto"``: adopted under the alias, otherwise
            only reported in the log.
        handover: run no job before APScheduler has handed over: ``"paused"``: until its jobs here have been paused; or a time. Adopts them then.
        connect_args: for ``pymongo.MongoClient``, such as ``host``.

    Raises:
        ConfigurationError: a value that can't be.
    """

    kind = "mongodb"

    def __init__(
        self,
        database: str = "mainspring",
        collection: str = "jobs",
        client: Any = None,
        pickle_protocol: int = pickle.HIGHEST_PROTOCOL,
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
        **connect_args: Any,
    ) -> None:
        checked_name("database", database, MONGODB_DATABASE, "mainspring")
        checked_name("collection", collection, MONGODB_COLLECTION, "jobs")
        given_names = (database, collection)
        (database, collection), old = names_of(*given_names)
        deployment = checked_namespace(namespace)
        around = len(f"{database}.".encode()) + len(within(deployment, LONGEST_ENDING, "."))
        checked_name("collection", collection, MONGODB_COLLECTION, "jobs", besides=around)
        if client is not None and connect_args:
            raise ConfigurationError(
                f"a MongoDBJobStore takes a client, or how to make one ({', '.join(connect_args)}), got both: give one of them"
            )
        given = maybe_ref(client)
        if given is not None and not isinstance(given, MongoClient | AsyncMongoClient):
            raise ConfigurationError(f"client must be a MongoClient of pymongo, got {type(given).__name__}")
        if isinstance(given, AsyncMongoClient):
            raise ConfigurationError(
                "a MongoDBJobStore takes no AsyncMongoClient: it asks the server from threads of its own, and no event loop waits for "
                "it. Give a MongoClient"
            )
        where = _where(connect_args) if given is None else _where_of(given)
        self._server = Server(
            given if given is not None else partial(_client, connect_args),
            database,
            within(deployment, collection, "."),
            where,
        )
        node_context = NodeContext(
            **row_format(
                serializer,
                signing_key,
                pickle_protocol,
                functions,
                f"mongodb {self._server.name}",
            ),
            logger=safe_logger(__name__),  # until the store is started
            node_name=node_name or default_node_name(),
            namespace=deployment,
        )
        if deployment:
            old = None  # of several deployments, none is APScheduler's
        backend = MongoDBBackend(self._server, node_context, where, old)
        super().__init__(backend, lease, keep_runs, keep_runs_for, adopt, handover)
        if (database, collection) != given_names:
            theirs, ours = ".".join(given_names), f"{database}.{collection}"
            self._renamed = f"{theirs!r} is where APScheduler keeps its jobs: mainspring's are in {ours!r}"

    @property
    def client(self) -> MongoClient[Document]:
        """The client."""
        return self._server.client

    @property
    def collection(self) -> Collection[Document]:
        """The collection of the jobs."""
        return self._server.jobs


def _where(connect_args: dict[str, Any]) -> str:
    """The servers that are asked for, as people may see them."""
    host, port = connect_args.get("host") or "localhost", connect_args.get("port") or 27017
    hosts = [str(one) for one in host] if isinstance(host, list | tuple | set) else [str(host)]
    named = [one for one in hosts if "://" in one]
    if named:
        return without_secrets(named[0].partition("?")[0].rstrip("/"))
    return "mongodb://" + ",".join(one if ":" in one else f"{one}:{port}" for one in hosts)


def _where_of(client: MongoClient[Any]) -> str:
    return "mongodb://" + ",".join(f"{host}:{port}" for host, port in sorted(_seeds_of(client)))


def _seeds_of(client: MongoClient[Any]) -> Iterable[tuple[str, int]]:
    """The servers that a client begins with."""
    return getattr(getattr(client, "_topology_settings", None), "seeds", None) or ()


def _client(connect_args: dict[str, Any]) -> MongoClient[Document]:
    options = {
        "serverSelectionTimeoutMS": _SELECTION_TIMEOUT,
        "socketTimeoutMS": _ANSWER_TIMEOUT,
        # The store looks itself what became of a write whose answer was lost, and tries again.
        "retryWrites": False,
        "connect": False,
        **connect_args,
    }
    try:
        client: MongoClient[Document] = MongoClient(**options)
    except (DriverConfigurationError, InvalidURI, TypeError, ValueError) as error:
        unknown = next((name for name in connect_args if f"Unknown option: {name}" in str(error)), None)
        if unknown is not None:
            known = {
                *signature(MongoDBJobStore.__init__).parameters,
                *signature(MongoClient.__init__).parameters,
                *VALIDATORS,
            }
            problem = unknown_name("parameter", unknown, known - {"self", "args", "kwargs", "connect_args"})
            raise TypeError(f"MongoDBJobStore: {problem}") from None
        raise ConfigurationError(
            f"{_where(connect_args)} can't be used by a MongoDBJobStore: {without_secrets(str(error))}"
        ) from error
    for host, port in _seeds_of(client):
        refuse_unknown_place(host, port)
    return client
