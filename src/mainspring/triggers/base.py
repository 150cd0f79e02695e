"""What a trigger is: pure calendar arithmetic, without a clock."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self
from zlib import crc32

from mainspring.errors import TriggerError

#: How many steps a trigger that can only go forward is followed before a long sleep is given up on.
_STEP_LIMIT = 100_000


class BaseTrigger(ABC):
    """When a job runs. Third parties subclass it and implement `get_next_fire_time`."""

    __slots__ = ()

    @abstractmethod
    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The next time to fire.

        Args:
            previous_fire_time: the last one, or ``None`` if there was none.
            now: the present; the answer to a first call is not before it.

        Returns:
            an aware datetime after `previous_fire_time`, or ``None`` when there is no next time.
        """

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        """This trigger with what it left open filled in by the scheduler that it is added to."""
        return self

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        """Whether `other`, made later, says the same as this one; both are bound."""
        return self == other or (type(self) is type(other) and self.__getstate__() == other.__getstate__())

    def latest_fire_time(self, first: datetime, now: datetime) -> datetime:
        """The last fire time in ``[first, now]``, where `first` is one."""
        times, _ = self.fire_times(first, now, 1)
        return times[-1]

    def fire_times(self, first: datetime, now: datetime, limit: int) -> tuple[list[datetime], bool]:
        """The last `limit` fire times in ``[first, now]``, oldest first, and whether there were more."""
        latest = deque([first], maxlen=limit)
        steps = 0
        current: datetime | None = first
        while current is not None:
            following = self.get_next_fire_time(current, now)
            if following is None or following > now:
                break
            if following <= current:
                raise TriggerError(
                    f"{self!r} gave {following} as the fire time after {current}: it must be later"
                )
            steps += 1
            if steps > _STEP_LIMIT:
                break
            latest.append(following)
            current = following
        return list(latest), steps >= limit

    def _apply_jitter(
        self,
        next_fire_time: datetime | None,
        jitter: float | None,
        now: datetime,
    ) -> datetime | None:
        """`next_fire_time` delayed by up to `jitter` seconds, always by the same for the same time."""
        if next_fire_time is None or not jitter:
            return next_fire_time
        share = crc32(str(next_fire_time.timestamp()).encode()) / 0xFFFFFFFF
        delayed = next_fire_time.astimezone(UTC) + timedelta(seconds=share * jitter)
        return delayed.astimezone(next_fire_time.tzinfo)
