"""The methods of a scheduler that are about groups of jobs with limits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mainspring.coercion import names_parameters

if TYPE_CHECKING:
    from mainspring.model import Group
    from mainspring.schedulers.group_service import GroupService


@names_parameters
class GroupMethods:
    """The part of `BaseScheduler` that is about groups of jobs."""

    _groups: GroupService

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
        return self._groups.set(name, limit, rate, per, jobstore)

    def remove_group(self, name: str, jobstore: str = "default") -> None:
        """Take the limits from a group; its jobs stay.

        Raises:
            KeyError: there is no group with this name that has limits.
            SchedulerNotRunningError: the scheduler has not been started.
        """
        self._groups.remove(name, jobstore)

    def get_groups(self, jobstore: str | None = None) -> list[Group]:
        """The groups that have limits, of a job store or of all."""
        return self._groups.listed(jobstore)
