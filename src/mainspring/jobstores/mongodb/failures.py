"""What MongoDB's errors mean: by the server's codes, and by the driver's classes where no server answered.

Source: `error_codes.yml` of MongoDB, and the exceptions of pymongo.
"""

from __future__ import annotations

from typing import Any

from pymongo import errors

from mainspring.jobstores.shared.failures import Failure

CODES: dict[int, Failure] = {
    6: Failure.OUTAGE,  # HostUnreachable
    7: Failure.OUTAGE,  # HostNotFound
    11: Failure.PERMANENT,  # UserNotFound
    13: Failure.PERMANENT,  # Unauthorized
    18: Failure.PERMANENT,  # AuthenticationFailed
    24: Failure.CONFLICT,  # LockTimeout
    46: Failure.CONFLICT,  # LockBusy
    50: Failure.OUTAGE,  # MaxTimeMSExpired
    64: Failure.OUTAGE,  # WriteConcernFailed: too few servers have it so far
    73: Failure.PERMANENT,  # InvalidNamespace
    79: Failure.PERMANENT,  # UnknownReplWriteConcern
    89: Failure.OUTAGE,  # NetworkTimeout
    91: Failure.CHANGED,  # ShutdownInProgress
    100: Failure.OUTAGE,  # UnsatisfiableWriteConcern: too few servers are members
    112: Failure.CONFLICT,  # WriteConflict
    133: Failure.OUTAGE,  # FailedToSatisfyReadPreference
    134: Failure.OUTAGE,  # ReadConcernMajorityNotAvailableYet
    146: Failure.FULL,  # ExceededMemoryLimit
    189: Failure.CHANGED,  # PrimarySteppedDown
    202: Failure.OUTAGE,  # NetworkInterfaceExceededTimeLimit
    211: Failure.OUTAGE,  # KeyNotFound: signing keys after a failover
    246: Failure.CONFLICT,  # SnapshotUnavailable
    262: Failure.OUTAGE,  # ExceededTimeLimit
    317: Failure.OUTAGE,  # ConnectionPoolExpired
    321: Failure.FULL,  # a write that the storage refuses for want of space
    8000: Failure.PERMANENT,  # Atlas: wrong user or password
    9001: Failure.OUTAGE,  # SocketException
    10003: Failure.TOO_LARGE,  # CannotGrowDocumentInCappedNamespace
    10058: Failure.CHANGED,  # not primary, of old servers
    10107: Failure.CHANGED,  # NotWritablePrimary
    10334: Failure.TOO_LARGE,  # BSONObjectTooLarge
    11600: Failure.CHANGED,  # InterruptedAtShutdown
    11601: Failure.OUTAGE,  # Interrupted
    11602: Failure.CHANGED,  # InterruptedDueToReplStateChange
    13388: Failure.CHANGED,  # StaleConfig
    13435: Failure.CHANGED,  # NotPrimaryNoSecondaryOk
    13436: Failure.CHANGED,  # NotPrimaryOrSecondary
    14031: Failure.FULL,  # OutOfDiskSpace
    16493: Failure.TOO_LARGE,  # tried to create a string that is too long
    17280: Failure.TOO_LARGE,  # KeyTooLong
    17419: Failure.TOO_LARGE,  # a document would be too large after an update
    17420: Failure.TOO_LARGE,  # the same
}
#: The driver's classes, the more special ones first.
CLASSES: tuple[tuple[type[Exception], Failure], ...] = (
    (errors.DuplicateKeyError, Failure.CONFLICT),  # two have put the same there at once: now it is there
    (errors.NotPrimaryError, Failure.CHANGED),
    (errors.WaitQueueTimeoutError, Failure.OUTAGE),
    (errors.ConnectionFailure, Failure.OUTAGE),
    (errors.ExecutionTimeout, Failure.OUTAGE),
    (errors.WTimeoutError, Failure.OUTAGE),
    (errors.ConfigurationError, Failure.PERMANENT),  # an option, or a URI, that can't be
    (errors.InvalidURI, Failure.PERMANENT),
    (errors.InvalidName, Failure.PERMANENT),
)
#: What is said, in lower case, by errors whose class says too little; before it.
WORDS: tuple[tuple[str, Failure], ...] = (
    ("certificate verify failed", Failure.PERMANENT),
    ("wrong_version_number", Failure.PERMANENT),  # TLS, spoken to a server without
    ("name or service not known", Failure.CHANGED),
    ("temporary failure in name resolution", Failure.CHANGED),
    ("no space left on device", Failure.FULL),
    ("object to insert too large", Failure.TOO_LARGE),
    ("is not authorized", Failure.PERMANENT),
)
_RETRYABLE = ("RetryableWriteError", "TransientTransactionError")


def failure_of(error: BaseException) -> Failure | None:
    """What an error means; ``None``: nothing that is known of servers, most likely a fault of the program."""
    if isinstance(error, errors.BulkWriteError):
        return _of_many(error)
    if isinstance(error, errors.PyMongoError):
        return _of_one(error)
    # The driver refuses it itself, by an error of another family.
    return Failure.TOO_LARGE if isinstance(error, errors.DocumentTooLarge) else None


def _of_one(error: errors.PyMongoError) -> Failure | None:
    code = getattr(error, "code", None)
    if code in CODES:
        return CODES[code]
    text = str(error).lower()
    found = [failure for words, failure in WORDS if words in text]
    found += [failure for kind, failure in CLASSES if isinstance(error, kind)]
    if any(error.has_error_label(label) for label in _RETRYABLE):
        found.append(Failure.OUTAGE)
    return found[0] if found else None


def _of_many(error: errors.BulkWriteError) -> Failure | None:
    """What an answer about several writes means; that some were there already is for whoever asked."""
    details: Any = error.details or {}
    told = [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
    found = {CODES.get(one.get("code")) for one in told}
    if None in found or len(found) != 1:
        return None
    return found.pop()
