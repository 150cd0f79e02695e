"""Warns of jobs that name a group without limits: most likely its name is misspelt, or `set_group` was forgotten."""

from __future__ import annotations

from logging import WARNING
from typing import TYPE_CHECKING

from mainspring.coercion import nearest
from mainspring.safe_logging import SafeLogger

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable

    from mainspring.model import JobRecord
    from mainspring.schedulers.stores import Stores


#: So many groups are remembered to have been looked at.
_SEEN_LIMIT = 10_000


class UnlimitedGroups:
    """Looks once at each group that a job names, when the first such job comes to a job store.

    Before the start jobs are kept aside, and so are limits: it doesn't matter which of them comes first.
    """

    def __init__(self, stores: Stores, logger: Callable[[], logging.Logger]) -> None:
        self._stores = stores
        self._logger = logger
        self._seen: set[tuple[str, str]] = set()

    def look(self, records: Iterable[JobRecord], alias: str) -> None:
        """Warn if one of these jobs, of the store with this alias, is the first of a group that has no limits there."""
        new = {
            record.options.group: record
            for record in records
            if record.options.group is not None and (alias, record.options.group) not in self._seen
        }
        if not new:
            return
        if len(self._seen) > _SEEN_LIMIT:
            self._seen.clear()  # programs may have a group for each of their customers
        limited = [group.name for group in self._stores[alias].list_groups()]
        for name, record in new.items():
            self._seen.add((alias, name or ""))
            if name in limited:
                continue
            meant = nearest(name or "", limited)
            SafeLogger(self._logger()).of_job(
                WARNING,
                record.id,
                'Job "%s" names the group %r, which has no limits in job store %r, so nothing limits it: %s',
                record.name,
                name,
                alias,
                f"did you mean {meant!r}?" if meant else f"give it some by set_group({name!r}, limit=…)",
            )
