"""What people are surprised by in a trigger: warnings, each with a code, a sentence, and the times that it is about.

Nothing here is an error: each of these schedules does what it says, and some are meant so.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from mainspring.triggers.business_day import BusinessDayTrigger
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import AndTrigger, BaseCombiningTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.excluding import ExcludingTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.limiting import LimitedTrigger
from mainspring.triggers.linting.changes import drift, of_changes
from mainspring.triggers.linting.dates import of_business_days, of_cron_days, of_months
from mainspring.triggers.linting.fields import of_fields
from mainspring.triggers.linting.warning import LintCode, LintWarning
from mainspring.triggers.standard import TICK, StandardTrigger, shown
from mainspring.triggers.steps import SEARCH_LIMIT, Never, Steps, Unknown
from mainspring.triggers.wall_clock import WallClockTrigger
from mainspring.triggers.windowing import WindowTrigger
from mainspring.triggers.wrapping import WrappingTrigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.linting.changes import Fires

__all__ = ["LintCode", "LintWarning", "warnings_about"]

#: What a search in vain may take: some tenths of a second.
_SLICES = 5


def warnings_about(trigger: BaseTrigger, now: datetime) -> list[LintWarning]:
    """The warnings about a trigger, of the two years after `now`.

    Args:
        trigger: one without a zone is taken to be added at `now`, in its zone.
    """
    bound = trigger.bind(timezone=now.tzinfo or UTC, now=now, job_id="")
    end = bound.search(now - TICK, now, Steps())
    for _ in range(_SLICES):
        if not isinstance(end, Unknown):
            break
        end = bound.search(end.since - TICK, end.since, Steps(SEARCH_LIMIT))
    found = list(_unique(_warnings(bound, now)))
    if isinstance(end, Never):
        found.insert(0, LintWarning(LintCode.NEVER, f"never fires{_why_never(bound, now)}"))
        return [one for one in found if one.code not in (LintCode.CLOCK_GAP, LintCode.CLOCK_FOLD)]
    if isinstance(end, Unknown):
        message = f"no fire time was found up to {end.since:%Y-%m-%d}: it may never fire"
        found.insert(0, LintWarning(LintCode.NOT_FOUND, message))
    return found


def _unique(warnings: Iterable[LintWarning]) -> Iterator[LintWarning]:
    seen = set()
    for warning in warnings:
        if warning.message not in seen:
            seen.add(warning.message)
            yield warning


def _why_never(trigger: BaseTrigger, now: datetime) -> str:
    if isinstance(trigger, DateTrigger):
        return f": {shown(trigger.run_date)} has passed"
    end = getattr(trigger, "end_date", None)
    if isinstance(end, datetime) and end.astimezone(UTC) < now.astimezone(UTC):
        return f": end_date {shown(end)} has passed"
    if isinstance(end, date) and not isinstance(end, datetime) and end < now.date():
        return f": end_date {end} has passed"
    return f" after {now:%Y-%m-%d %H:%M}: no time matches"


def _warnings(trigger: BaseTrigger, now: datetime, fires: Fires | None = None) -> Iterator[LintWarning]:
    """The warnings about a bound trigger, and those about its parts that concern it.

    Args:
        fires: whether a fire time of this trigger is one of the whole; ``None``: each is.
    """
    if isinstance(trigger, BaseCombiningTrigger):
        for part in trigger.triggers:
            yield from _warnings(
                part, now, _and(fires, trigger) if isinstance(trigger, AndTrigger) else fires
            )
    elif isinstance(trigger, ExcludingTrigger | WindowTrigger | LimitedTrigger):
        yield from _warnings(trigger.trigger, now, _and(fires, trigger))
    elif isinstance(trigger, WrappingTrigger):
        yield from _warnings(trigger.trigger, now)
    elif isinstance(trigger, IntervalTrigger):
        yield from drift(trigger, now)
    elif isinstance(trigger, WallClockTrigger):
        yield from of_changes(trigger, now, fires)
        if isinstance(trigger, CronTrigger):
            yield from of_fields(trigger.fields)
            yield from of_cron_days(trigger, now)
        elif isinstance(trigger, BusinessDayTrigger):
            yield from of_fields(trigger.fields)
            yield from of_business_days(trigger, now)
        elif isinstance(trigger, CalendarIntervalTrigger):
            yield from of_months(trigger, now)


def _and(fires: Fires | None, trigger: StandardTrigger) -> Fires:
    return lambda time: _fires_at(trigger, time) and (fires is None or fires(time))


def _fires_at(trigger: StandardTrigger, time: datetime) -> bool:
    moment = time.astimezone(UTC)
    answer = trigger.search(moment - TICK, moment, Steps())
    return getattr(answer, "time", None) is not None and answer.time.astimezone(UTC) == moment  # type: ignore[union-attr]
