"""What SQLite's errors mean, by its result codes.

Source: https://www.sqlite.org/rescode.html. The lowest byte of a code is the kind of error, the rest says more.
"""

from __future__ import annotations

from typing import Any

from mainspring.jobstores.shared.failures import Failure

#: The code of whatever has no other, and what is said of a table that isn't there: dropped, or about to be restored.
_ERROR, _NO_TABLE = 1, "no such table"
#: By the lowest byte of the code.
KINDS: dict[int, Failure] = {
    3: Failure.PERMANENT,  # PERM: the file may not be opened like this
    4: Failure.CONFLICT,  # ABORT
    5: Failure.CONFLICT,  # BUSY: another process writes
    6: Failure.CONFLICT,  # LOCKED: another connection of this one does
    7: Failure.FULL,  # NOMEM
    8: Failure.PERMANENT,  # READONLY
    9: Failure.OUTAGE,  # INTERRUPT
    10: Failure.FULL,  # IOERR: reading or writing the file failed
    11: Failure.PERMANENT,  # CORRUPT
    13: Failure.FULL,  # FULL: no space left, or max_page_count
    14: Failure.OUTAGE,  # CANTOPEN: its directory isn't there now, or there are no more file descriptors
    15: Failure.CONFLICT,  # PROTOCOL: locking took too long
    17: Failure.CONFLICT,  # SCHEMA: changed meanwhile
    18: Failure.TOO_LARGE,  # TOOBIG: a value, or the statement
    22: Failure.PERMANENT,  # NOLFS: the file is larger than the system allows
    23: Failure.PERMANENT,  # AUTH
    26: Failure.PERMANENT,  # NOTADB: not a database, or an encrypted one
}
#: By the whole code, which goes before its kind.
CODES: dict[int, Failure] = {
    264: Failure.CONFLICT,  # READONLY_RECOVERY: another process is to recover the file first
    520: Failure.CONFLICT,  # READONLY_CANTLOCK
    526: Failure.PERMANENT,  # CANTOPEN_ISDIR: it is a directory
    1032: Failure.CHANGED,  # READONLY_DBMOVED: the file was moved or replaced
    1550: Failure.PERMANENT,  # CANTOPEN_SYMLINK
    3082: Failure.FULL,  # IOERR_NOMEM
}
#: What is said, in lower case, by drivers that give no code.
WORDS: tuple[tuple[str, Failure], ...] = (
    (_NO_TABLE, Failure.PERMANENT),
    ("database is locked", Failure.CONFLICT),
    ("database table is locked", Failure.CONFLICT),
    ("database schema has changed", Failure.CONFLICT),
    ("disk i/o error", Failure.FULL),
    ("database or disk is full", Failure.FULL),
    ("unable to open", Failure.OUTAGE),
    ("file is not a database", Failure.PERMANENT),
    ("file is encrypted", Failure.PERMANENT),
    ("disk image is malformed", Failure.PERMANENT),
    ("readonly database", Failure.PERMANENT),
    ("string or blob too big", Failure.TOO_LARGE),
)


def failure_of(original: Any) -> Failure | None:
    """What an error of a driver means."""
    code = getattr(original, "sqlite_errorcode", None)
    text = str(original).lower()
    if isinstance(code, int) and code != _ERROR:
        return CODES.get(code) or KINDS.get(code & 0xFF)
    if code == _ERROR:  # nearly anything
        return Failure.PERMANENT if text.startswith(_NO_TABLE) else None
    return next((failure for words, failure in WORDS if words in text), None)
