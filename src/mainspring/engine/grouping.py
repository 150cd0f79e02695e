"""How many runs of a group of jobs may begin: its limit at a time, and its rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mainspring.engine.waiting import moment_after

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mainspring.model import Group


class Capacity(NamedTuple):
    """What a group has room for.

    Attributes:
        instances: how many instances of its jobs may begin.
        runs: how many runs may begin; ``None``: any number.
        free_at: when there is more room, if there is none and time alone makes it.
    """

    instances: int
    runs: int | None
    free_at: datetime | None

    @property
    def is_full(self) -> bool:
        """Whether nothing may begin."""
        return self.instances < 1 or (self.runs is not None and self.runs < 1)


_PLENTY = 1_000_000


class GroupBudget:
    """Keeps account of the groups of the jobs that one claim is about.

    Args:
        groups: those that have limits, by name.
        running: how many instances of each run now, on all nodes.
        begun: for groups with a rate, when runs of them were claimed, the earliest first; those of long ago may be left out.
        now: the time of the claim.
    """

    def __init__(
        self,
        groups: Mapping[str, Group],
        running: Mapping[str, int],
        begun: Mapping[str, Sequence[datetime]],
        now: datetime,
    ) -> None:
        self._groups = groups
        self._now = now
        self._running = dict(running)
        self._begun = {
            name: [time for time in begun.get(name, ()) if now - time < group.per]
            for name, group in groups.items()
            if group.rate is not None
        }
        self._taken: set[str] = set()

    def capacity(self, name: str | None) -> Capacity | None:
        """What a group has room for; ``None``: it has no limits, or there is no group."""
        group = None if name is None else self._groups.get(name)
        if group is None:
            return None
        instances = _PLENTY if group.limit is None else group.limit - self._running.get(group.name, 0)
        if group.rate is None:
            return Capacity(instances, None, None)
        begun = self._begun[group.name]
        runs = group.rate - len(begun)
        # The runs of which there is one too many have to be so old that they count no more.
        free_at = moment_after(begun[-group.rate], group.per) if runs < 1 and instances >= 1 else None
        return Capacity(instances, runs, free_at)

    def reserve(self, name: str | None, runs: int) -> None:
        """An instance of a job in a group begins, with so many runs."""
        if name is None or name not in self._groups:
            return
        self._running[name] = self._running.get(name, 0) + 1
        if name in self._begun:
            self._begun[name] += [self._now] * runs
            self._taken.add(name)

    def begun(self) -> dict[str, list[datetime]]:
        """For groups with a rate of which runs have begun: when they did, as far as that still counts."""
        return {name: self._begun[name] for name in self._taken}


def without(begun: Sequence[datetime], claimed: datetime, runs: int) -> list[datetime]:
    """When runs of a group have begun, less so many that were claimed at one time, and given back: the inverse of `GroupBudget.reserve`."""
    left = list(begun)
    for _ in range(runs):
        if claimed not in left:
            break  # it counts no more
        left.remove(claimed)
    return left
