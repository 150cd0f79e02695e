"""How much is due in each hour of the coming week, and when there is room for more.

What is counted is due times, not how long runs take. Jobs that come after others have none.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from mainspring.admin.due import INSTANT
from mainspring.admin.views import View
from mainspring.overrides import is_home

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from mainspring.model import JobRecord
    from mainspring.triggers.base import BaseTrigger

__all__ = ["HourPressure", "Pressure", "pressure_of"]

_HOUR = timedelta(hours=1)
_HOURS = 7 * 24
_MINUTES_OF_DAY = 24 * 60
#: Of a job with more due times than this, those that come after them are taken to be as frequent.
_TIMES_OF_A_JOB = 400
#: More than so many are counted hour by hour, where a trigger can do that.
_COUNTED_FROM = 2 * _HOURS
_MINUTES_SEEN = 60


@dataclass(frozen=True)
class HourPressure(View):
    """An hour.

    Attributes:
        start: in the zone in which times are shown.
        due: how many due times are in it.
    """

    start: datetime
    due: int


@dataclass(frozen=True)
class Pressure(View):
    """The coming week.

    Attributes:
        hours: one after the other, from the present one on.
        busiest: the hour in which most is due.
        free_slot: a time of day, as ``"04:17"``, for one more daily job: in the hour that is quietest on its busiest day, the minute that is.
        due_then: how much is due in the hour of the free slot, on its busiest day.
    """

    hours: tuple[HourPressure, ...]
    busiest: HourPressure
    free_slot: str
    due_then: int


def pressure_of(records: Iterable[JobRecord], now: datetime, zone: tzinfo) -> Pressure:
    """How much is due in the week from the present hour on.

    Args:
        records: the jobs that are scheduled.
    """
    start = now.astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    hours = [0] * _HOURS
    minutes: Counter[int] = Counter()
    for record in records:
        _add(record, start, hours, minutes, zone)
    shown = tuple(
        HourPressure((start + number * _HOUR).astimezone(zone), count) for number, count in enumerate(hours)
    )
    of_day = [0] * 24
    for one in shown:
        of_day[one.start.hour] = max(of_day[one.start.hour], one.due)
    quietest = min(range(24), key=lambda hour: (of_day[hour], hour))
    # Not the full hour, if it may be another minute: that is when people who look nowhere put their jobs.
    minute = min(range(60), key=lambda minute: (minutes[quietest * 60 + minute], minute % 5 == 0, minute))
    busiest = max(shown, key=lambda one: one.due)
    return Pressure(shown, busiest, f"{quietest:02}:{minute:02}", of_day[quietest])


def _count(
    trigger: BaseTrigger,
    times: list[datetime],
    after: datetime,
    start: datetime,
    hours: list[int],
    minutes: Counter[int],
    zone: tzinfo,
) -> None:
    """Count what a trigger can count without going through its times; the minutes are those of some."""
    counts = [0] * _HOURS
    for time in times:
        counts[(time.astimezone(UTC) - start) // _HOUR] += 1
    for number in range((after - start) // _HOUR, _HOURS):
        begin, end = max(start + number * _HOUR, after), start + (number + 1) * _HOUR
        counts[number] += trigger.count_between(begin - INSTANT, end - INSTANT) or 0
    for time in islice(trigger.between(after, start + _HOURS * _HOUR), _MINUTES_SEEN):
        local = time.astimezone(zone)
        minutes[(local.hour * 60 + local.minute) % _MINUTES_OF_DAY] += 1
    for number, count in enumerate(counts):
        hours[number] += count


def _add(record: JobRecord, start: datetime, hours: list[int], minutes: Counter[int], zone: tzinfo) -> None:
    end = start + _HOURS * _HOUR
    first = record.next_run_time
    if first is None or first >= end:
        return
    times = [first] if first >= start else []
    after = max(start, first + INSTANT)
    # A third party's trigger may do anything: what it has said so far counts.
    with suppress(Exception):
        is_ours = is_home(type(record.trigger).__module__)
        if is_ours and (record.trigger.count_between(after - INSTANT, end - INSTANT) or 0) > _COUNTED_FROM:
            _count(record.trigger, times, after, start, hours, minutes, zone)
            return
        times += islice(record.trigger.between(after, end - INSTANT), _TIMES_OF_A_JOB)
    for time in times:
        hours[(time.astimezone(UTC) - start) // _HOUR] += 1
        local = time.astimezone(zone)
        minutes[(local.hour * 60 + local.minute) % _MINUTES_OF_DAY] += 1
    if len(times) >= _TIMES_OF_A_JOB:
        begin, last = times[0].astimezone(UTC), times[-1].astimezone(UTC)
        in_an_hour = (len(times) - 1) / ((last - begin) / _HOUR) if last > begin else 0
        for number in range((last - start) // _HOUR, _HOURS):
            begins = max(start + number * _HOUR, last)
            hours[number] += round(in_an_hour * ((start + (number + 1) * _HOUR - begins) / _HOUR))
