"""What the errors of MySQL and MariaDB mean, by their numbers, which PyMySQL, mysqlclient and both connectors give.

Sources: the error references of MySQL 8 (1000 to 1999, 3000 to 4999 of the server, 2000 to 2999 of the client) and of MariaDB.
"""

from __future__ import annotations

from typing import Any

from mainspring.jobstores.shared.failures import Failure

NUMBERS: dict[int, Failure] = {
    0: Failure.OUTAGE,  # PyMySQL: the connection was closed
    3: Failure.FULL,  # writing a file failed
    28: Failure.FULL,  # no space left on the server's disk
    122: Failure.FULL,  # a quota there
    1020: Failure.CONFLICT,  # changed since it was read
    1021: Failure.FULL,  # disk full
    1026: Failure.FULL,  # writing a file failed
    1037: Failure.FULL,  # out of memory
    1038: Failure.FULL,  # out of memory for sorting
    1040: Failure.OUTAGE,  # too many connections
    1041: Failure.FULL,  # out of resources
    1043: Failure.OUTAGE,  # bad handshake: cut off in the middle
    1044: Failure.PERMANENT,  # this user may not use this database
    1045: Failure.PERMANENT,  # wrong user or password
    1047: Failure.OUTAGE,  # a node of Galera that isn't ready
    1049: Failure.PERMANENT,  # no such database
    1053: Failure.OUTAGE,  # the server is shutting down
    1059: Failure.PERMANENT,  # a name that is too long
    1077: Failure.OUTAGE,  # the same
    1079: Failure.OUTAGE,  # the same
    1102: Failure.PERMANENT,  # no database can be called so
    1103: Failure.PERMANENT,  # no table can be called so
    1114: Failure.FULL,  # the table is full
    1118: Failure.TOO_LARGE,  # the row
    1129: Failure.OUTAGE,  # this host is blocked, after too many errors
    1130: Failure.PERMANENT,  # this host may not connect
    1142: Failure.PERMANENT,  # no permission for a table
    1143: Failure.PERMANENT,  # for a column
    1146: Failure.PERMANENT,  # no such table: dropped, or about to be restored
    1152: Failure.OUTAGE,  # connection aborted
    1153: Failure.TOO_LARGE,  # above max_allowed_packet
    1156: Failure.OUTAGE,  # packets out of order
    1158: Failure.OUTAGE,  # reading from the connection failed
    1159: Failure.OUTAGE,  # took too long
    1160: Failure.OUTAGE,  # writing to it failed
    1161: Failure.OUTAGE,  # took too long
    1184: Failure.OUTAGE,  # connection aborted
    1197: Failure.TOO_LARGE,  # above max_binlog_cache_size
    1203: Failure.OUTAGE,  # too many connections of this user
    1205: Failure.CONFLICT,  # a lock was waited for too long
    1206: Failure.CONFLICT,  # no room for more locks
    1213: Failure.CONFLICT,  # deadlock
    1223: Failure.CHANGED,  # a global read lock
    1226: Failure.OUTAGE,  # this user's limit for the hour
    1227: Failure.PERMANENT,  # needs a privilege
    1251: Failure.PERMANENT,  # the client knows no such way to log in
    1301: Failure.TOO_LARGE,  # a result above max_allowed_packet
    1317: Failure.OUTAGE,  # interrupted
    1370: Failure.PERMANENT,  # no permission for a routine
    1406: Failure.TOO_LARGE,  # too long for its column
    1412: Failure.CONFLICT,  # the table has changed meanwhile
    1524: Failure.PERMANENT,  # a way to log in that isn't loaded
    1615: Failure.CONFLICT,  # a prepared statement is to be prepared anew
    1698: Failure.PERMANENT,  # wrong user, without a password
    1792: Failure.CHANGED,  # a transaction that may only read
    1820: Failure.PERMANENT,  # the password must be changed first
    1836: Failure.CHANGED,  # the server may only read
    1862: Failure.PERMANENT,  # the password has expired
    1927: Failure.CHANGED,  # the connection was killed
    1969: Failure.OUTAGE,  # max_statement_time
    2001: Failure.OUTAGE,  # no socket could be made
    2002: Failure.OUTAGE,  # nobody answers at a socket
    2003: Failure.OUTAGE,  # nobody answers at a port
    2004: Failure.OUTAGE,  # no socket could be made
    2005: Failure.CHANGED,  # no host of this name
    2006: Failure.OUTAGE,  # the server has gone away
    2012: Failure.OUTAGE,  # the handshake failed
    2013: Failure.OUTAGE,  # lost during a statement
    2014: Failure.OUTAGE,  # out of step
    2020: Failure.TOO_LARGE,  # above the client's max_allowed_packet
    2026: Failure.OUTAGE,  # TLS failed
    2027: Failure.OUTAGE,  # a packet that can't be read
    2045: Failure.OUTAGE,  # shared memory of Windows
    2047: Failure.PERMANENT,  # a protocol that isn't known
    2049: Failure.PERMANENT,  # an old way to log in
    2054: Failure.PERMANENT,  # a way to log in that the driver lacks
    2055: Failure.OUTAGE,  # lost
    2058: Failure.PERMANENT,  # a way to log in that the driver lacks
    2059: Failure.PERMANENT,  # the same
    2061: Failure.PERMANENT,  # it needs TLS
    3024: Failure.OUTAGE,  # max_execution_time
    3058: Failure.CONFLICT,  # deadlock of named locks
    3100: Failure.CHANGED,  # group replication refuses the commit
    3101: Failure.CONFLICT,  # group replication undid it
    3118: Failure.PERMANENT,  # the account is locked
    3159: Failure.PERMANENT,  # it needs TLS
    3168: Failure.OUTAGE,  # not ready
    3169: Failure.CHANGED,  # the session was killed
    3572: Failure.CONFLICT,  # a lock that was not to be waited for
    4031: Failure.CHANGED,  # the connection was idle for too long
    4151: Failure.PERMANENT,  # the account is locked
    9001: Failure.OUTAGE,  # ProxySQL has no server that answers
    9002: Failure.OUTAGE,  # the same
}
#: Numbers that mean several things, by what is said, in lower case; the first that is found counts.
WORDS: dict[int, tuple[tuple[str, Failure], ...]] = {
    # "The MySQL server is running with the --… option so it cannot execute this statement"
    1290: (("read-only", Failure.CHANGED), ("read_only", Failure.CHANGED)),
    # "Got error 28 from storage engine", of the operating system
    1030: (
        ("error 28", Failure.FULL),
        ("no space left", Failure.FULL),
        ("error 122", Failure.FULL),
        ("quota", Failure.FULL),
        ("error 12 ", Failure.FULL),
        ("error 5 ", Failure.FULL),
    ),
    1180: (("no space left", Failure.FULL), ("error 28", Failure.FULL), ("deadlock", Failure.CONFLICT)),
    2003: (
        ("name or service not known", Failure.CHANGED),
        ("temporary failure in name resolution", Failure.CHANGED),
        ("getaddrinfo failed", Failure.CHANGED),
    ),
    2026: (
        ("certificate verify failed", Failure.PERMANENT),
        ("does not support ssl", Failure.PERMANENT),
        ("ssl is required", Failure.PERMANENT),
    ),
}


def number_of(original: Any) -> int | None:
    """The number of a driver's error."""
    number = next(iter(getattr(original, "args", ())), None)
    if not isinstance(number, int):
        number = getattr(original, "errno", None)
    return number if isinstance(number, int) else None


def failure_of(original: Any) -> Failure | None:
    """What an error of a driver means."""
    number = number_of(original)
    if number is None:
        return None
    text = str(original).lower()
    said = next((failure for words, failure in WORDS.get(number, ()) if words in text), None)
    return said or NUMBERS.get(number)
