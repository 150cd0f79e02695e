"""The methods of a scheduler that are about groups of jobs with limits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mainspring.coercion import LONGEST_DURATION, is_number, names_parameters
from mainspring.model import Group
from mainspring.printable import shown
from mainspring.schedulers.job_queries import JobQueries
from mainspring.storable import LONGEST_KEY

if TYPE_CHECKING:
    from mainspring.jobstores.contract import RunStore

#: What databases have room for.
_MOST = 2**31 - 1


@names_parameters
class GroupMethods(JobQueries):
    """The part of `BaseScheduler` that is about groups of jobs."""

    _early_groups: dict[tuple[str, str], Group]

    def set_group(
        self,
        name: str,
        *,
        limit: int | None = None,
        rate: int | None = None,
        per: float | timedelta = timedelta(minutes=1),
        jobstore: str = "default",
    ) -> Group:
        """Limit the jobs that name a group, together and on all nodes, in the place of limits that it had.

        A job that is due while its group is full waits. Before `start` the limits are kept aside until then.

        Args:
            name: what the jobs give as their ``group``.
            limit: how many of their runs go on at a time; ``None``: any number.
            rate: how many of their runs begin in any span of time as long as `per`; ``None``: any number.
            per: seconds, or a ``timedelta``.
            jobstore: alias of the job store that has the jobs.

        Raises:
            ValueError: a value that can't be.
        """
        group = _checked(name, limit, rate, per)
        if self._is_closed(jobstore):
            self._early_groups[jobstore, name] = group
        else:
            self._stores[jobstore].set_group(group)
            self._wake()
        return group

    def remove_group(self, name: str, jobstore: str = "default") -> None:
        """Take the limits from a group; its jobs stay.

        Raises:
            KeyError: there is no group with this name that has limits.
            SchedulerNotRunningError: the scheduler has not been started.
        """
        if self._early_groups.pop((jobstore, name), None) is not None:
            return
        self._refuse_unstarted("remove_group", jobstore)
        if not self._stores[jobstore].remove_group(name):
            raise KeyError(f"no group {shown(name)} in job store {shown(jobstore)} has limits")
        self._wake()

    def get_groups(self, jobstore: str | None = None) -> list[Group]:
        """The groups that have limits, of a job store or of all."""
        groups = [group for (alias, _), group in self._early_groups.items() if jobstore in (None, alias)]
        return groups + [
            group for _, store in self._readable_for_listing(jobstore) for group in store.list_groups()
        ]

    def _store_groups(self) -> None:
        """Give their stores the groups that were set before the start; one that can't be stored is kept for the next."""
        for (alias, name), group in list(self._early_groups.items()):
            self._stores[alias].set_group(group)
            del self._early_groups[alias, name]

    # What the rest of the scheduler provides

    def _wake(self) -> None:
        raise NotImplementedError

    if TYPE_CHECKING:

        def _readable_for_listing(self, alias: str | None) -> list[tuple[str, RunStore]]: ...


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
