"""What other nodes announce, by a change stream, where the deployment has them: a replica set, or shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymongo.errors import OperationFailure

from mainspring.clock import REAL_CLOCK, pause  # noqa: TID251 - for how long a server waits
from mainspring.jobstores.shared.change_feed import PATIENCE, NothingToHearError

if TYPE_CHECKING:
    from collections.abc import Generator

    from mainspring.jobstores.mongodb.server import Server

#: What a single server says, which has no stream of changes.
_NO_STREAMS = frozenset({40573, 59, 115})
#: Seconds to wait after empty answers that came at once, one after another. MongoDB gives an empty answer when there was nothing for a
#: while; a server that gives one at each change of anything else isn't to be kept busy by that.
_FIRST_REST, _LONGEST_REST = 0.005, 0.04


def announcements(server: Server) -> Generator[str | None]:
    """Who has announced a change, or ``None`` now and then; first nobody, for what was missed.

    Raises:
        NothingToHearError: there are no change streams.
    """
    try:
        watched = server.notes.watch(max_await_time_ms=round(PATIENCE * 1000), full_document="updateLookup")
    except OperationFailure as error:
        if error.code in _NO_STREAMS:
            raise NothingToHearError(
                "This MongoDB has no change streams, which need a replica set"
            ) from error
        raise
    with watched as stream:
        yield ""
        rest = 0.0
        while True:
            asked = REAL_CLOCK.monotonic()
            change = stream.try_next()
            if change is None and REAL_CLOCK.monotonic() - asked < PATIENCE / 2:
                rest = min(max(2 * rest, _FIRST_REST), _LONGEST_REST)
                pause(REAL_CLOCK, rest)
            else:
                rest = 0.0
            said = {} if change is None else change.get("fullDocument") or {}
            yield str(said["by"]) if said.get("_id") == "changed" and "by" in said else None
