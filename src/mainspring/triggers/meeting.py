"""Whether schedules can ever fire at one instant, where that is seen from what they are made of.

Times of the day that have no hour, no minute or no second in common never meet, nor do days that no kind of year has in common, nor an
interval that comes at other times of the day. All this is about what the clocks show, so it says something only where each instant has the
time of the day that it is scheduled for: in zones whose offset never changes, and where times that the clocks skip are skipped.
"""

from __future__ import annotations

from datetime import timedelta
from math import gcd
from typing import TYPE_CHECKING, Any

from mainspring.timezones import zone_identity
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.days import matching_days

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["can_meet"]

_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
#: By the weekday of 1 January, whether the year is a leap year, and whether it follows one.
_KINDS_OF_YEARS = [
    (weekday, is_leap, follows_leap)
    for weekday in range(7)
    for is_leap, follows_leap in ((False, False), (True, False), (False, True))
]


def can_meet(triggers: Iterable[Any], progression: tuple[int, int] | None = None) -> bool:
    """Whether all of some bound triggers may fire at one instant; ``True`` too where that isn't known.

    Args:
        triggers: of any kind; cron schedules are compared.
        progression: the first of instants at equal distances at which all is to happen, and their distance, in microseconds since 1970.
    """
    crons = [one for one in triggers if type(one) is CronTrigger and not one.jitter and one.first != "now"]
    if not crons:
        return True
    identity = zone_identity(crons[0].timezone)
    alike = [one for one in crons if zone_identity(one.timezone) == identity]
    is_fixed = isinstance(identity, timedelta)
    if not is_fixed:
        alike = [one for one in alike if one.skips_gaps()]
    if not alike:
        return True
    times = _common_times(alike)
    if not all(times) or not _have_common_day(alike):
        return False
    if not is_fixed or progression is None:
        return True
    start, distance = progression
    common = gcd(distance, _DAY)
    place = (start + identity // _MICROSECOND) % common
    hours, minutes, seconds = (_numbers(bits) for bits in times)
    return any(
        ((hour * 60 + minute) * 60 + second) * _SECOND % common == place
        for hour in hours
        for minute in minutes
        for second in seconds
    )


def _common_times(crons: list[CronTrigger]) -> list[int]:
    """The hours, minutes and seconds that all have, as bits."""
    common = [-1, -1, -1]
    for cron in crons:
        common = [one & other for one, other in zip(common, cron.time_fields(), strict=True)]
    return common


def _have_common_day(crons: list[CronTrigger]) -> bool:
    years = [cron.years() for cron in crons]
    limited = [one for one in years if one is not None]
    if limited and not frozenset.intersection(*limited):
        return False
    fields = [cron.date_fields(cron.seed) for cron in crons]
    for kind in _KINDS_OF_YEARS:
        days = -1
        for one in fields:
            days &= matching_days(one, *kind)
        if days:
            return True
    return False


def _numbers(bits: int) -> list[int]:
    return [number for number in range(bits.bit_length()) if bits >> number & 1]
