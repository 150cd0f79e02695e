"""What the errors of Redis and Valkey mean: by the word that an answer begins with, and by the driver's classes where there was none.

Sources: the errors in Redis's `server.c` and `redis.conf`, and redis-py's exceptions. The driver takes the word off where it has a class
for it, so some are known by their class.
"""

from __future__ import annotations

import re

from redis import exceptions

from mainspring.jobstores.shared.failures import Failure

#: By the word that an answer begins with; scripts of older servers have it in the middle, after a minus.
CODES: dict[str, Failure] = {
    "ASK": Failure.OUTAGE,  # a slot that is being moved
    "BUSY": Failure.OUTAGE,  # a script takes too long
    "CLUSTERDOWN": Failure.CHANGED,
    "CROSSSLOT": Failure.PERMANENT,
    "DENIED": Failure.PERMANENT,  # protected mode
    "LOADING": Failure.CHANGED,  # it reads its data; after a failover another server may be there
    "MASTERDOWN": Failure.CHANGED,
    "MISCONF": Failure.FULL,  # it can't write its snapshots
    "MOVED": Failure.PERMANENT,  # a cluster, asked by a client that knows of none
    "NOAUTH": Failure.PERMANENT,
    "NOPERM": Failure.PERMANENT,
    "NOREPLICAS": Failure.CHANGED,  # too few replicas: cut off, or not the master any more
    "NOSCRIPT": Failure.CONFLICT,  # told to forget scripts just now
    "OOM": Failure.FULL,  # above maxmemory
    "READONLY": Failure.CHANGED,  # a replica since a failover
    "TRYAGAIN": Failure.CONFLICT,
    "UNBLOCKED": Failure.CHANGED,  # became a replica
    "UNKILLABLE": Failure.OUTAGE,
    "WRONGPASS": Failure.PERMANENT,
}
#: The driver's classes, the more special ones first.
CLASSES: tuple[tuple[type[Exception], Failure], ...] = (
    (exceptions.AuthenticationError, Failure.PERMANENT),
    (exceptions.AuthenticationWrongNumberOfArgsError, Failure.PERMANENT),
    (exceptions.AuthorizationError, Failure.PERMANENT),
    (exceptions.NoPermissionError, Failure.PERMANENT),
    (exceptions.InvalidResponse, Failure.PERMANENT),  # no Redis answers there
    (exceptions.BusyLoadingError, Failure.CHANGED),
    (exceptions.ReadOnlyError, Failure.CHANGED),
    (exceptions.OutOfMemoryError, Failure.FULL),
    (exceptions.TryAgainError, Failure.CONFLICT),
    (exceptions.NoScriptError, Failure.CONFLICT),
    (exceptions.MovedError, Failure.PERMANENT),
    (exceptions.AskError, Failure.OUTAGE),
    (exceptions.ClusterDownError, Failure.CHANGED),
    (exceptions.ClusterCrossSlotError, Failure.PERMANENT),
    (exceptions.ConnectionError, Failure.OUTAGE),
    (exceptions.TimeoutError, Failure.OUTAGE),
)
#: What is said, in lower case, by errors whose word or class says too little; before the two.
WORDS: tuple[tuple[str, Failure], ...] = (
    ("name or service not known", Failure.CHANGED),
    ("temporary failure in name resolution", Failure.CHANGED),
    ("no master found for", Failure.CHANGED),  # Sentinel
    ("no slave found for", Failure.CHANGED),
    ("certificate verify failed", Failure.PERMANENT),
    ("wrong version number", Failure.PERMANENT),  # TLS, spoken to a server without
    ("db index is out of range", Failure.PERMANENT),
    ("select is not allowed in cluster mode", Failure.PERMANENT),
    ("without any password configured", Failure.PERMANENT),
    ("client sent auth, but no password is set", Failure.PERMANENT),
    ("the user executing the script can't", Failure.PERMANENT),  # of a command, a key or a channel
    ("acl failure in script", Failure.PERMANENT),  # the same, of newer servers
    ("unknown command", Failure.PERMANENT),  # an old server, or one that forbids scripts
    ("unknown redis command", Failure.PERMANENT),
    ("protected mode", Failure.PERMANENT),
    ("max number of clients reached", Failure.OUTAGE),
    ("exceeds maximum allowed size", Failure.TOO_LARGE),
    ("invalid bulk length", Failure.TOO_LARGE),
    ("invalid multibulk length", Failure.TOO_LARGE),
    ("too big", Failure.TOO_LARGE),
)
_CODE = re.compile(rf"^-?({'|'.join(CODES)})\b")
_CODE_IN_SCRIPT = re.compile(rf"-({'|'.join(CODES)})\b")


def failure_of(error: BaseException) -> Failure | None:
    """What an error means; ``None``: nothing that is known of servers, most likely a fault of the program."""
    if isinstance(error, exceptions.RedisClusterException):
        return Failure.CHANGED  # no node of the cluster could be reached
    if isinstance(error, ValueError) and "closed file" in str(error):
        return Failure.OUTAGE  # another thread has closed the connection that waited for an answer, and the driver doesn't expect that
    if not isinstance(error, exceptions.RedisError):
        return None
    text = str(error)
    code = _CODE.search(text) or _CODE_IN_SCRIPT.search(text)
    if code is not None:
        return CODES[code[1]]
    lower = text.lower()
    for words, failure in WORDS:
        if words in lower:
            return failure
    return next((failure for kind, failure in CLASSES if isinstance(error, kind)), None)
