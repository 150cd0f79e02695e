"""A Redis server as the store uses it: scripts that are done once, however often they have to be asked for."""

from __future__ import annotations

import json
import uuid
from functools import cache
from importlib.resources import files
from itertools import count
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar

from redis import ConnectionPool
from redis.exceptions import RedisError

from mainspring.errors import ConfigurationError
from mainspring.forks import leaves_to_parent
from mainspring.jobstores.redis.failures import failure_of
from mainspring.jobstores.shared.backoff import try_again
from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.shared.node_context import DEFAULT_REQUEST_LIMIT
from mainspring.jobstores.shared.outage import Outage
from mainspring.storable import compact

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

#: What the keys of a store are called, behind what all of them begin with; those with a colon have something behind it.
OWN_NAMES = (
    "active", "adopted", "answer", "audit", "audit_number", "begun", "buffered_of", "changed", "ended", "executors", "followers", "followers_version", "func", "group_running",
    "group_version", "groups", "history", "hold", "holders", "ids", "job", "nodes", "prioritised", "progress", "queue", "queued", "queued_of",
    "rolled_up", "rollups", "run_times_key", "running", "runs", "schema", "to_cancel", "token",
)  # fmt: skip
_SCRIPTS = files(__package__) / "scripts"
#: What scripts share.
_SHARED = {"claim": ["next_due"], "cluster_status": ["next_due"], "add": ["adding"], "adopt": ["adding"]}
#: Those that change nothing, or nothing that is to be done once only: no answer of theirs is remembered.
_REPEATABLE = frozenset(
    {
        "active",
        "before_finish",
        "fetch",
        "history",
        "hold",
        "left",
        "cluster_status",
        "rows",
        "run",
        "report_progress",
        "prune",
        "prune_rollups",
        "forget",
    }
)


#: Those that only read: to be stopped in the middle does them no harm.
_READING = frozenset({"active", "before_finish", "history", "left", "cluster_status", "prune", "rows", "run"})


@cache
def source(name: str) -> str:
    """The text of a script."""
    if name == "rights":
        parts: list[str] = ["commands", name]
    elif name in _READING:
        parts = ["prelude", *_SHARED.get(name, []), name]
    else:
        parts = ["prelude", "commands", "guard", *_SHARED.get(name, []), name]
    return "\n".join(source_alone(part) for part in parts)


def source_alone(part: str) -> str:
    """The text of one file of the scripts."""
    return (_SCRIPTS / f"{part}.lua").read_text("utf-8")


def text_of(value: Any) -> str:
    """A reply as text, whether the client decodes replies or not; what is no text is not lost, but is none that was written here."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def setting_of(client: Any, name: str) -> str | None:
    """A setting of the server; ``None`` if it doesn't tell, as hosted ones don't."""
    try:
        found = client.config_get(name)
    except RedisError:
        return None
    value = found.get(name, found.get(name.encode()))
    return None if value is None else text_of(value)


def where_of(client: Any) -> str:
    """Where a client asks, as people may see it."""
    pool = getattr(client, "connection_pool", None)
    options = getattr(pool, "connection_kwargs", None)
    if not options:
        return "redis"  # a cluster, or a client of another kind
    if "path" in options:
        return f"unix://{options['path']}?db={options.get('db') or 0}"
    host, port = options.get("host", "localhost"), options.get("port", 6379)
    return f"redis://{host}:{port}/{options.get('db') or 0}"


class Server:
    """Scripts on one server, or one cluster.

    Args:
        client: of redis-py.
        base: what all keys begin with; it has a hash tag.
        run_times_key: names the sorted sets of jobs by when they are due.
    """

    def __init__(self, client: Any, base: str, run_times_key: str) -> None:
        self.client = client
        self.outage = Outage(self._failure_of, where_of(client))
        self.base = base
        self._run_times_key = run_times_key
        self._scripts: dict[str, Any] = {}
        self._take_name()
        leaves_to_parent(self)

    def _take_name(self) -> None:
        self._name = uuid.uuid4().hex
        self._questions = count(1)

    def leave_to_parent(self) -> None:
        """In a forked process: answers that are remembered for the parent are not for this one, nor are its connections."""
        self._take_name()
        pool = getattr(self.client, "connection_pool", None)
        if (
            type(pool) is ConnectionPool
        ):  # others, as a cluster's, see to it themselves; this one would wait for the lock of before
            self.client.connection_pool = ConnectionPool(
                connection_class=pool.connection_class,
                max_connections=pool.max_connections,
                **pool.connection_kwargs,
            )

    def refuse_namesakes(self) -> None:
        """See to it that no other store of this server has keys of the same names as this one.

        Raises:
            ConfigurationError: one has.
        """
        client, base = self.client, self.base
        start = base.find("}") + 1
        others = [base[:at] for at in range(start, len(base)) if base[at] == ":"]
        others += [f"{base}:{name}" for name in OWN_NAMES]
        for other in others:
            if client.exists(f"{other}:schema"):
                raise ConfigurationError(
                    f"another store has its keys under {other!r}, and some of those under {base!r} would be the same. Give another jobs_key"
                )
        # Last, so that a store that is refused leaves nothing behind.
        client.set(self.key("run_times_key"), self._run_times_key, nx=True)
        known = client.get(self.key("run_times_key"))
        if known is not None and text_of(known) != self._run_times_key:
            raise ConfigurationError(
                f"the jobs under {base!r} are there with run_times_key={text_of(known)!r}, got {self._run_times_key!r}: nodes with different ones "
                "have the same jobs and don't see when they are due. Give the same run_times_key, or another jobs_key"
            )

    def key(self, name: str) -> str:
        """The name of a key."""
        return f"{self.base}:{name}"

    def due_key(self, executor: str) -> str:
        """The sorted set of the jobs of an executor, by when they are due."""
        return self.key(f"{self._run_times_key}:{executor}")

    def ask(
        self, script: str, question: dict[str, Any], give_up: Callable[[], bool] | None = None
    ) -> dict[str, Any]:
        """The answer of a script, which is run once, also where answers are lost and it is asked again.

        Args:
            give_up: asked before each new try; without it tries go on for `trying.CALL_TIMEOUT` seconds.
        """
        is_remembered = script not in _REPEATABLE
        number = str(next(self._questions)) if is_remembered else ""
        asker = f"{self._name}-{get_ident()}"
        question["run_times"] = self._run_times_key
        written = compact(question)
        arguments = [asker, number, written]
        return self.run(lambda: self._answer(script, arguments), give_up)

    def _answer(self, script: str, arguments: list[str]) -> dict[str, Any]:
        known = self._scripts.get(script)
        if known is None:
            known = self._scripts[script] = self.client.register_script(source(script))
        found: dict[str, Any] = json.loads(text_of(known(keys=[self.base], args=arguments)))
        return found

    def request_limit(self) -> int:
        """How many bytes the server takes at a time; what every server takes, where it doesn't say."""
        limits = [DEFAULT_REQUEST_LIMIT]
        for name in ("proto-max-bulk-len", "client-query-buffer-limit"):
            said = setting_of(self.client, name)
            if said is not None and said.isdecimal() and int(said):
                limits.append(int(said))
        return min(limits)

    def run(self, work: Callable[[], T], give_up: Callable[[], bool] | None = None) -> T:
        """The result of `work`, tried again where the server wasn't there."""
        return try_again(work, self.outage, give_up=give_up)

    def _failure_of(self, error: Exception) -> Failure | None:
        failure = failure_of(error)
        if failure is Failure.CHANGED:
            self.forget_connections()
        return failure

    def forget_connections(self) -> None:
        """Make new connections from now on: those that are pooled lead to a server that is not the right one any more."""
        pool = getattr(self.client, "connection_pool", None)
        if pool is not None:  # a cluster's client finds out for itself
            pool.disconnect(inuse_connections=False)
