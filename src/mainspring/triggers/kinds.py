"""Where each kind of trigger is at home: by the name that it has in plain data.

A module is loaded when its kind is first asked for. So triggers can be read, and put around others, by parts that don't import theirs.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

HOMES = {
    "date": "date:DateTrigger",
    "interval": "interval:IntervalTrigger",
    "cron": "cron:CronTrigger",
    "calendarinterval": "calendarinterval:CalendarIntervalTrigger",
    "business_day": "business_day:BusinessDayTrigger",
    "rrule": "recurrence:RecurrenceTrigger",
    "weekly": "weekly:WeeklyTrigger",
    "sun": "sun:SunTrigger",
    "and": "combining:AndTrigger",
    "or": "combining:OrTrigger",
    "excluding": "excluding:ExcludingTrigger",
    "rolling": "rolling:RollingTrigger",
    "window": "windowing:WindowTrigger",
    "spread": "spreading:SpreadTrigger",
    "limited": "limiting:LimitedTrigger",
    "shifted": "shifting:ShiftedTrigger",
    "after": "after:AfterJob",
}


@cache
def class_of(kind: str) -> Any:
    """The class of a kind of trigger.

    Raises:
        KeyError: there is no such kind.
    """
    module, _, name = HOMES[kind].partition(":")
    return getattr(import_module(f"mainspring.triggers.{module}"), name)
