"""APScheduler's jobs in Redis: a hash of pickles by id, and a sorted set of those that are scheduled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring import profile
from mainspring.jobstores.redis.server import text_of, where_of
from mainspring.jobstores.shared.predecessor import OldJob, OldJobs, PickledJob, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: The names of the keys, where no other is given: APScheduler's, and ours.
USUAL_OLD = ("apscheduler.jobs", "apscheduler.run_times")
USUAL = ("mainspring.jobs", "mainspring.run_times")
_CHUNK = 500


def names_of(jobs_key: str, run_times_key: str) -> tuple[tuple[str, str], tuple[str, str] | None]:
    """The names of our keys, and of APScheduler's, if a store of these names can have some."""
    if jobs_key not in (USUAL[0], USUAL_OLD[0]) and not _is_theirs(jobs_key):
        return (jobs_key, run_times_key), None
    ours, theirs = [], []
    for given, usual, usual_old in zip((jobs_key, run_times_key), USUAL, USUAL_OLD, strict=True):
        is_theirs = given == usual_old or _is_theirs(given)
        ours.append(f"mainspring.{given.removeprefix('apscheduler.')}" if is_theirs else given)
        theirs.append(given if is_theirs else usual_old if given == usual else given)
    return (ours[0], ours[1]), (theirs[0], theirs[1])


def _is_theirs(name: str) -> bool:
    """Whether a name that was given is that of a key of APScheduler's: under the alias each is that a program doesn't name after mainspring."""
    return profile.stands_in() and not name.startswith("mainspring.")


class OldKeys(OldJobs):
    """The keys of an APScheduler 3.

    Args:
        run: calls what asks the server, again where it wasn't there.
    """

    def __init__(
        self, client: Any, run: Callable[[Callable[[], Any]], Any], names: tuple[str, str], *, is_own: bool
    ) -> None:
        self._client, self._run = client, run
        self._jobs, self._run_times = names
        where = where_of(client)
        self.place = f"key {self._jobs!r}" if is_own else f"key {self._jobs!r} of {where}"
        self.address = f"{where.replace('127.0.0.1', 'localhost')} {self._jobs}"
        self.source = "" if is_own else source_of(self.address)
        self.pausing = f"DEL {self._run_times}"

    @classmethod
    def found(
        cls,
        client: Any,
        run: Callable[[Callable[[], Any]], Any],
        names: tuple[str, str],
        *,
        is_own: bool = False,
    ) -> OldKeys | None:
        """The keys of these names, if they are there and APScheduler's."""
        is_there = text_of(run(lambda: client.type(names[0]))) == "hash"
        return cls(client, run, names, is_own=is_own) if is_there else None

    def ids(self) -> list[str]:
        """See `OldJobs.ids`."""
        known = set(map(text_of, self._run(lambda: self._client.hkeys(self._jobs))))
        first = [one for one in self._scheduled(-1) if one in known]
        return [*first, *sorted(known.difference(first))]

    def _scheduled(self, last: int) -> list[str]:
        if text_of(self._run(lambda: self._client.type(self._run_times))) != "zset":
            return []
        return list(map(text_of, self._run(lambda: self._client.zrange(self._run_times, 0, last))))

    def jobs(self, ids: Sequence[str]) -> list[OldJob]:
        """See `OldJobs.jobs`."""
        found: list[OldJob] = []
        for at in range(0, len(ids), _CHUNK):
            part = ids[at : at + _CHUNK]
            states = self._run(lambda: _raw(self._client, "HMGET", self._jobs, *part))  # noqa: B023 - called at once
            found += [
                PickledJob(one, bytes(state))
                for one, state in zip(part, states, strict=True)
                if state is not None
            ]
        return found

    def scheduled(self, limit: int) -> list[str]:
        """See `OldJobs.scheduled`."""
        return self._scheduled(limit - 1)


def _raw(client: Any, *command: str) -> Any:
    """The answer of a command as bytes, whether the client decodes replies or not: a pickle is no text."""
    return client.execute_command(*command, NEVER_DECODE=True)
