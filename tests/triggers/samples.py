"""Triggers of each kind, with each of their options at some value and at none, as programs make them and as they are once added."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mainspring.triggers.after import AfterJob
from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.business_day import BusinessDayTrigger
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.excluding import ExcludingTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.limiting import LimitedTrigger
from mainspring.triggers.recurrence import RecurrenceTrigger
from mainspring.triggers.rolling import RollingTrigger
from mainspring.triggers.shifting import ShiftedTrigger
from mainspring.triggers.spreading import SpreadTrigger
from mainspring.triggers.sun import SunTrigger
from mainspring.triggers.weekly import WeeklyTrigger
from mainspring.triggers.windowing import WindowTrigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mainspring.triggers.base import BaseTrigger

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
_ZONES = (None, "Europe/Berlin", "UTC", "+02:00")
_MOMENTS = (None, "2026-03-01 09:30:00", datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN))
_ENDS = (None, "2028-12-31", datetime(2029, 1, 1, tzinfo=UTC))
_JITTERS = (None, 0, 30, 1.5)
_COUNTS = (None, 1, 12)
_POLICIES = ((None, None), ("shift", "both"), ("skip", None), (None, "second"))


def _chosen(stride: int, **options: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """Each `stride`-th way to combine the options; as each stride is a prime, all values of each come."""
    for number, values in enumerate(product(*options.values())):
        if number % stride == 0:
            yield {name: value for name, value in zip(options, values, strict=True) if value is not None}


def _with_policy(options: dict[str, Any]) -> dict[str, Any]:
    gap, fold = options.pop("policy")
    return options | {"gap": gap, "fold": fold}


def holidays(day: date) -> bool:
    """Holidays as a function, which a trigger keeps by its name."""
    return day.month == 12 and day.day > 23


def night(moment: datetime) -> bool:
    """An exclusion as a function."""
    return moment.hour < 6


_CALENDARS = (
    None,
    BusinessCalendar(["2026-12-25", "2027-01-01"]),
    BusinessCalendar(holidays, weekend=["fri"]),
)


def _intervals(stride: int) -> Iterator[BaseTrigger]:
    lengths = ({"seconds": 90}, {"weeks": 1, "hours": 2}, {"minutes": 0.5})
    beginnings = (*({"start_date": moment} for moment in _MOMENTS), {"first": "now"}, {"first": "after"})
    for options in _chosen(
        stride,
        length=lengths,
        begin=beginnings,
        end_date=_ENDS,
        timezone=_ZONES,
        jitter=_JITTERS,
        max_fires=_COUNTS,
    ):
        yield IntervalTrigger(**options.pop("length"), **options.pop("begin"), **options)


def _crons(stride: int) -> Iterator[BaseTrigger]:
    fields = (
        {"hour": 9},
        {},
        {"minute": "*/15", "day_of_week": "mon-fri"},
        {"day": "last", "hour": "H", "minute": "H(0-29)"},
        {"week": "10", "year": 2027},
        {"hour": "*", "second": "5"},
    )
    beginnings = (*({"start_date": moment} for moment in _MOMENTS), {"first": "now"}, {"first": "after"})
    for options in _chosen(
        stride,
        fields=fields,
        begin=beginnings,
        end_date=_ENDS,
        timezone=_ZONES,
        jitter=_JITTERS,
        max_fires=_COUNTS,
        policy=_POLICIES,
    ):
        yield CronTrigger(**options.pop("fields"), **options.pop("begin"), **_with_policy(options))
    yield CronTrigger.from_unix("0 9 13 * 5", "Europe/Berlin")
    yield CronTrigger.from_quartz("0 30 9 ? * MON#2", "UTC", jitter=5)


def _dated(stride: int) -> Iterator[BaseTrigger]:
    schedules: tuple[Any, ...] = (
        lambda **options: CalendarIntervalTrigger(days=2, hour=9, **options),
        lambda **options: CalendarIntervalTrigger(years=1, months=1, minute=30, second=1, **options),
        lambda **options: WeeklyTrigger("mon,thu", "09:30,14:00:15", weeks=2, week_start="sun", **options),
        lambda **options: WeeklyTrigger([5], "22:00", **options),
    )
    beginnings = (
        {},
        {"start_date": "2026-03-01"},
        {"start_date": date(2026, 3, 29)},
        {"first": "now"},
        {"first": "after"},
    )
    for options in _chosen(
        stride,
        schedule=schedules,
        begin=beginnings,
        end_date=(None, "2028-12-31", date(2030, 1, 1)),
        timezone=_ZONES,
        jitter=_JITTERS,
        max_fires=_COUNTS,
        policy=_POLICIES,
    ):
        yield options.pop("schedule")(**options.pop("begin"), **_with_policy(options))


def _business_days(stride: int) -> Iterator[BaseTrigger]:
    beginnings = (*({"start_date": moment} for moment in _MOMENTS), {"first": "now"}, {"first": "after"})
    for options in _chosen(
        stride,
        day=(1, -1, "1,-1"),
        month=(None, "jan-mar"),
        hour=(9, "8,16", "H"),
        calendar=_CALENDARS,
        begin=beginnings,
        end_date=_ENDS,
        timezone=_ZONES,
        jitter=_JITTERS,
        max_fires=_COUNTS,
        policy=_POLICIES,
    ):
        yield BusinessDayTrigger(options.pop("day"), **options.pop("begin"), **_with_policy(options))


def _recurrences(stride: int) -> Iterator[BaseTrigger]:
    rules = (
        "FREQ=DAILY",
        "DTSTART:20260301T093000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=20",
        "DTSTART:20260301T093000Z\nRDATE:20260401T120000Z\nEXDATE;VALUE=DATE:20260301",
        "DTSTART;TZID=Europe/Berlin:20260329T023000\nRRULE:FREQ=MONTHLY;UNTIL=20281231T000000Z",
    )
    for options in _chosen(
        stride, rule=rules, timezone=_ZONES, jitter=_JITTERS, policy=_POLICIES, start_date=_MOMENTS
    ):
        rule = options.pop("rule")
        if "DTSTART" in rule:
            options.pop("start_date", None)
            if "Z" in rule or "TZID" in rule:
                options.pop("timezone", None)
        yield RecurrenceTrigger(rule, **_with_policy(options))


def _suns(stride: int) -> Iterator[BaseTrigger]:
    for options in _chosen(
        stride,
        event=("sunrise", "dusk"),
        elevation=(0, 120),
        offset=(0, -30, timedelta(minutes=1.5)),
        depression=(6, 12),
        start_date=_MOMENTS,
        end_date=_ENDS,
        timezone=_ZONES,
        jitter=_JITTERS,
    ):
        yield SunTrigger(options.pop("event"), latitude=52.52, longitude=13.4, **options)


def _combined(parts: list[BaseTrigger]) -> Iterator[BaseTrigger]:
    for number, pair in enumerate(pairwise(parts)):
        kind = (AndTrigger, OrTrigger)[number % 2]
        yield kind(pair, _JITTERS[number % len(_JITTERS)])


def _wrapped(parts: list[BaseTrigger]) -> Iterator[BaseTrigger]:
    exclusions: tuple[Any, ...] = (
        [],
        ["2026-12-24"],
        [(date(2026, 12, 24), date(2027, 1, 1)), date(2026, 5, 1)],
        [(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)), night],
        [BusinessCalendar(["2026-12-25"])],
    )
    ways: tuple[Any, ...] = (
        *(lambda part, days=days: ExcludingTrigger(part, days) for days in exclusions),
        lambda part: RollingTrigger(part, BusinessCalendar(["2026-12-25"])),
        lambda part: RollingTrigger(part, BusinessCalendar(holidays), "previous"),
        lambda part: WindowTrigger(part, "08:00-18:00"),
        lambda part: WindowTrigger(part, ["22:00-06:00", "12:00:30-13:00"]),
        lambda part: LimitedTrigger(part, 3),
        lambda part: LimitedTrigger(part, 30, datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN)),
        lambda part: ShiftedTrigger(part, timedelta(seconds=-0.25)),
        lambda part: ShiftedTrigger(part, timedelta(hours=3)),
        lambda part: SpreadTrigger(part, "1h30m"),
        lambda part: SpreadTrigger(part, 0.5),
        lambda part: LimitedTrigger(SpreadTrigger(WindowTrigger(part, "08:00-18:00"), 60), 5),
    )
    for number, part in enumerate(parts):
        yield ways[number % len(ways)](part)


def samples(stride: int) -> Iterator[BaseTrigger]:
    """Triggers of each kind, each as it is made, and as it is once it is added.

    Args:
        stride: how few of the simple ones: about one in so many; a prime above 5.
    """
    simple = [DateTrigger(moment, zone) for moment in (*_MOMENTS, date(2026, 3, 1)) for zone in _ZONES]
    simple += [AfterJob("other"), AfterJob("other", "failure")]
    for kind, factor in (
        (_intervals, 5),
        (_crons, 40),
        (_dated, 40),
        (_business_days, 150),
        (_recurrences, 3),
        (_suns, 8),
    ):
        simple += kind(_prime_from(stride * factor))
    parts = [trigger for trigger in simple if not isinstance(trigger, AfterJob)]
    wrapped = list(_wrapped(parts))
    for trigger in (
        *simple,
        *wrapped,
        *_combined(parts[:: stride // 3]),
        *_combined(wrapped[:: stride // 3]),
    ):
        yield trigger
        yield trigger.bind(timezone=BERLIN, now=NOW, job_id="job-7")


def _prime_from(number: int) -> int:
    while any(number % divisor == 0 for divisor in range(2, int(number**0.5) + 1)):
        number += 1
    return number
