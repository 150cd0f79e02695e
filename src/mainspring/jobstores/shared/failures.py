"""The kinds of failure of a job store's database, and what each kind means for whoever called it.

Which error is of which kind, a table for each driver says: `sqlalchemy/failures/`, `redis/failures.py`, `mongodb/failures.py`. They hold
data, and functions of an error alone: nothing there asks a server or looks at a file.
"""

from __future__ import annotations

from enum import Enum, auto


class Failure(Enum):
    """Why a step failed."""

    #: It was undone, because others were in the way: done again at once.
    CONFLICT = auto()
    #: The way to the database, or the database, is gone for now; it may have taken effect: done again, with growing pauses.
    OUTAGE = auto()
    #: Connections lead to a server that is not the right one any more, as after a failover: done again, on new ones only.
    CHANGED = auto()
    #: The database can't write because a disk, a quota or its memory is full: done again until somebody makes room.
    FULL = auto()
    #: The database takes no statement or row of that size: not done again as it is; whoever can, divides it.
    TOO_LARGE = auto()
    #: It is set up wrongly (no such database, wrong password, no permission): not done again until somebody has changed that.
    PERMANENT = auto()

    @property
    def passes(self) -> bool:
        """Whether the same step may work if it is done again."""
        return self in _PASSING


_PASSING = frozenset({Failure.CONFLICT, Failure.OUTAGE, Failure.CHANGED, Failure.FULL})
