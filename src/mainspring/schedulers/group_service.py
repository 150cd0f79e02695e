"""The groups of jobs of one scheduler, and the limits that they share."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mainspring.coercion import LONGEST_DURATION, is_number
from mainspring.model import Group
from mainspring.printable import shown
from mainspring.storable import LONGEST_KEY

if TYPE_CHECKING:
    from mainspring.schedulers.service_host import ServiceHost
    from mainspring.schedulers.store_access import StoreAccess
    from mainspring.schedulers.stores import Stores

#: What databases have room for.
_MOST = 2**31 - 1


class GroupService:
    """Gives job stores the limits of groups, and keeps those aside that are set before the start."""

    def __init__(self, host: ServiceHost, access: StoreAccess, stores: Stores) -> None:
        self._host = host
        self._access = access
        self._stores = stores
        self._early: dict[tuple[str, str], Group] = {}

    def set(
        self, name: str, limit: int | None, rate: int | None, per: float | timedelta, alias: str
    ) -> Group:
        """See `BaseScheduler.set_group`."""
        group = _checked(name, limit, rate, per)
        if self._access.is_closed(alias):
            self._early[alias, name] = group
        else:
            self._stores[alias].set_group(group)
            self._host.wake()
        return group

    def remove(self, name: str, alias: str) -> None:
        """See `BaseScheduler.remove_group`."""
        if self._early.pop((alias, name), None) is not None:
            return
        self._access.refuse_unstarted("remove_group", alias)
        if not self._stores[alias].remove_group(name):
            raise KeyError(f"no group {shown(name)} in job store {shown(alias)} has limits")
        self._host.wake()

    def listed(self, alias: str | None) -> list[Group]:
        """See `BaseScheduler.get_groups`."""
        groups = [group for (owner, _), group in self._early.items() if alias in (None, owner)]
        return groups + [
            group for _, store in self._access.readable_for_listing(alias) for group in store.list_groups()
        ]

    def store_early(self) -> None:
        """Give their stores the groups that were set before the start; one that can't be stored is kept for the next."""
        for (alias, name), group in list(self._early.items()):
            self._stores[alias].set_group(group)
            del self._early[alias, name]


def _checked(name: Any, limit: Any, rate: Any, per: Any) -> Group:
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_KEY:
        raise ValueError(
            f"the name of a group must be text of up to {LONGEST_KEY} characters that is not empty, got {shown(name)}"
        )
    if "\0" in name:
        raise ValueError(
            f"the name of a group can't have NUL characters, which databases can't keep, got {shown(name)}"
        )
    for what, value in (("limit", limit), ("rate", rate)):
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST
        ):
            raise ValueError(
                f"{what} of a group must be a whole number from 1 to {_MOST:,}, or None, got {shown(value)}"
            )
    if limit is None and rate is None:
        raise ValueError(f"group {name!r} needs a limit, or a rate, or both; remove_group takes them away")
    if is_number(per):
        per = timedelta(seconds=per)
    if not isinstance(per, timedelta) or per < timedelta(milliseconds=1):
        raise ValueError(
            f"per must be a number of seconds, or a timedelta, of a millisecond or more, got {shown(per)}"
        )
    return Group(name, limit, rate, min(per, LONGEST_DURATION))
