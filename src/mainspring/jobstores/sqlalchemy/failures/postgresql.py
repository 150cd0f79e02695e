"""What PostgreSQL's errors mean: by SQLSTATE, and by what is said where there is none.

Source of the states: appendix A of PostgreSQL's documentation. A connection that the server refuses carries no state in libpq, so what
it says is compared with what English servers, libpq and PgBouncer say; unknown words count as an outage.
"""

from __future__ import annotations

from typing import Any

from mainspring.jobstores.shared.failures import Failure

#: By whole state, which goes before its class.
STATES: dict[str, Failure] = {
    "08004": Failure.OUTAGE,  # the server rejected the connection
    "22001": Failure.TOO_LARGE,  # too long for its column
    "25006": Failure.CHANGED,  # a transaction that may only read: a standby since a failover
    "25P03": Failure.OUTAGE,  # too long idle in a transaction
    "28000": Failure.PERMANENT,  # no such role, or it may not log in, or pg_hba.conf has no line for it
    "28P01": Failure.PERMANENT,  # wrong password
    "3D000": Failure.PERMANENT,  # no such database
    "3F000": Failure.PERMANENT,  # no such schema
    "40001": Failure.CONFLICT,  # not serializable
    "40003": Failure.OUTAGE,  # whether it took effect is unknown
    "40P01": Failure.CONFLICT,  # deadlock
    "42501": Failure.PERMANENT,  # no permission
    "42P01": Failure.PERMANENT,  # no such table: dropped, or about to be restored
    "53100": Failure.FULL,  # disk full
    "53200": Failure.FULL,  # out of memory
    "53400": Failure.TOO_LARGE,  # over a limit of the configuration, such as temp_file_limit
    "54000": Failure.TOO_LARGE,  # over a limit of the program
    "54001": Failure.TOO_LARGE,  # statement too complex
    "54023": Failure.TOO_LARGE,  # too many arguments
    "55006": Failure.CONFLICT,  # in use
    "55P03": Failure.CONFLICT,  # a lock that was not to be waited for
    "57P01": Failure.CHANGED,  # an administrator ended the connection, or the server
    "57P02": Failure.CHANGED,  # the server crashed
    "57P03": Failure.OUTAGE,  # it takes no connections now: starting, stopping or recovering
    "57P04": Failure.PERMANENT,  # the database was dropped
    "57P05": Failure.CHANGED,  # the connection was idle for too long
    "58030": Failure.FULL,  # reading or writing a file failed
    "58P01": Failure.FULL,  # a file of the server isn't there
}
#: By the first two characters of a state.
CLASSES: dict[str, Failure] = {
    "08": Failure.OUTAGE,  # connection
    "53": Failure.OUTAGE,  # no resources, such as connections
    "57": Failure.OUTAGE,  # an operator's intervention, a time limit too
    "58": Failure.FULL,  # the system under the server
}
#: By what is said, in lower case, where the state is missing or says too little; the first that is found counts.
WORDS: tuple[tuple[str, Failure], ...] = (
    ("no space left on device", Failure.FULL),
    ("disk quota exceeded", Failure.FULL),
    ("invalid memory alloc request size", Failure.TOO_LARGE),
    ("cannot execute", Failure.CHANGED),  # "… in a read-only transaction", said without a state by poolers
    ("session is read-only", Failure.CHANGED),  # libpq, of target_session_attrs
    ("could not translate host name", Failure.CHANGED),
    ("failed to resolve host", Failure.CHANGED),
    ("name or service not known", Failure.CHANGED),
    ("temporary failure in name resolution", Failure.CHANGED),
    ("password authentication failed", Failure.PERMANENT),
    ("authentication failed", Failure.PERMANENT),
    ("no password supplied", Failure.PERMANENT),
    ("no pg_hba.conf entry", Failure.PERMANENT),
    ("pg_hba.conf rejects", Failure.PERMANENT),
    ("is not permitted to log in", Failure.PERMANENT),
    ("permission denied for database", Failure.PERMANENT),
    ("no such database", Failure.PERMANENT),  # PgBouncer
    ("no such user", Failure.PERMANENT),
    ("unsupported startup parameter", Failure.PERMANENT),
    ("not allowed in statement pooling mode", Failure.PERMANENT),
    ("unsupported frontend protocol", Failure.PERMANENT),
    ("unrecognized configuration parameter", Failure.PERMANENT),
    ("invalid connection option", Failure.PERMANENT),
    ("invalid sslmode value", Failure.PERMANENT),
    ("invalid port number", Failure.PERMANENT),
    ("invalid integer value", Failure.PERMANENT),
    ("could not parse", Failure.PERMANENT),
    ("server does not support ssl", Failure.PERMANENT),
    ("certificate verify failed", Failure.PERMANENT),
    ("certificate file", Failure.PERMANENT),
    ("received invalid response to ssl negotiation", Failure.PERMANENT),  # no PostgreSQL listens there
    ("expected authentication request from server", Failure.PERMANENT),
)
#: What drivers say, in lower case, of a connection that is out of step with its server, as when a pooler has ended the session behind it.
OUT_OF_STEP = (
    "results from command",  # psycopg 3
    "lost synchronization with server",
    "no message from the libpq",  # psycopg 2
)
#: What is said when a role or database isn't there; apart, since both halves must be found.
NOT_THERE = (
    ('database "', '" does not exist'),
    ('role "', '" does not exist'),
    ('database "', "is not currently accepting connections"),
)


def state_of(original: Any) -> str | None:
    """The SQLSTATE of a driver's error: psycopg 3, psycopg 2, pg8000."""
    for name in ("sqlstate", "pgcode"):
        state = getattr(original, name, None)
        if isinstance(state, str):
            return state
    told = next(iter(getattr(original, "args", ())), None)
    return told.get("C") if isinstance(told, dict) else None


def failure_of(original: Any, *, is_operational: bool) -> Failure | None:
    """What an error of a driver means.

    Args:
        is_operational: whether the driver says that it is none of the statement's.
    """
    state, text = state_of(original), str(original).lower()
    if state is not None:
        if state in STATES:
            return STATES[state]
        if state == "08P01":
            return _said(text) or Failure.OUTAGE  # PgBouncer says almost everything with this one
        return CLASSES.get(state[:2]) or (_said(text) if state.startswith("XX") else None)
    if any(words in text for words in OUT_OF_STEP):
        return Failure.OUTAGE
    if not is_operational:
        return Failure.PERMANENT if _said(text) is Failure.PERMANENT else None  # options of the connection
    # No answer from a server is without a state: there was no connection, or it was lost.
    return _said(text) or Failure.OUTAGE


def _said(text: str) -> Failure | None:
    for begins, ends in NOT_THERE:
        if begins in text and ends in text:
            return Failure.PERMANENT
    return next((failure for words, failure in WORDS if words in text), None)
