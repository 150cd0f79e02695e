"""Rules of iCalendar: the sentence of a `RecurrenceTrigger`. What other triggers can't say is told by the rule's own text."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from mainspring.triggers.cron.expressions import (
    LastDayOfMonthExpression,
    LastWorkdayExpression,
    WeekdayPositionExpression,
)
from mainspring.triggers.explaining import details
from mainspring.triggers.explaining.calendar import first_of_weeks
from mainspring.triggers.explaining.clauses import Clause, Count, Phrase, Weekday
from mainspring.triggers.explaining.days import Days, of_months, spoken_months, that_fall, weekday_list
from mainspring.triggers.explaining.durations import every
from mainspring.triggers.explaining.times import is_of_day, times_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mainspring.triggers.cron.expressions import DayExpression
    from mainspring.triggers.recurrence import RecurrenceTrigger
    from mainspring.triggers.recurrence.rules import RecurrenceRule

__all__ = ["spoken_recurrence"]

_ALL_MONTHS = tuple(range(1, 13))
_WORKDAYS = tuple((0, weekday) for weekday in range(5))
#: More dates than these aren't told one by one.
_LISTED = 6
_LONGEST_MONTH, _WEEKS_IN_MONTH, _SHORTEST, _DAYS_IN_WEEK = 31, 5, 28, 7


def spoken_recurrence(trigger: RecurrenceTrigger) -> Phrase:
    """What the rules and dates mean."""
    rules, start = trigger.recurrence.rules, trigger.start_date
    limit, end = None, None
    skips_dates = False
    begin: tuple[Clause, ...] = ()
    if not rules:
        what = Clause("once.added") if start is None else Clause("once", moment=details.moment(start, None))
        start = None
    elif len(rules) > 1:
        what = _spoken_together(rules, start)
    else:
        plain = rules[0]._replace(limit=None, until=None)
        found = None if start is None else _spoken_rule(plain.completed(start))
        limit, end = rules[0].limit, rules[0].until
        what = Clause("rule", rule=str(plain))
        if found is not None:
            what, skips_dates = found
            if plain.freq == "WEEKLY" and plain.interval > 1:
                weekdays = [weekday for _, weekday in plain.completed(start).days]
                first = first_of_weeks(start.date(), plain.interval, weekdays, plain.week_start)
                start = start if first == start.date() else first
            if plain.week_start and plain.interval > 1 and len(plain.days) > 1:
                begin = (Clause("weeks.begin", weekday=Weekday(plain.week_start)),)
    phrase = Phrase(
        what,
        trigger.timezone,
        (
            *begin,
            *details.bounds(start, end, trigger.timezone),
            *details.number(limit),
            *((Clause("skipping_dates"),) if skips_dates else ()),
            *_added(trigger),
        ),
    )
    return phrase.but(*_excluded(trigger), *details.jitter(trigger.jitter), *details.clock_changes(trigger))


def _spoken_together(rules: Sequence[RecurrenceRule], start: datetime | None) -> Clause:
    """Several rules: each in words, if all can be said so and none has an end of its own, or counts from the start."""
    said = []
    for rule in rules:
        is_plain = rule.limit is None and rule.until is None and rule.interval == 1
        found = _spoken_rule(rule.completed(start)) if is_plain and start is not None else None
        if found is None or found[1]:
            return Clause("rules", rules=tuple(map(str, rules)))
        said.append(Phrase(found[0]))
    return Clause("any", first=said[0], others=tuple(Clause("any.brief", what=one) for one in said[1:]))


def _added(trigger: RecurrenceTrigger) -> list[Clause]:
    """Dates that are added."""
    added = trigger.recurrence.added
    if len(added) > _LISTED:
        first, last = min(map(_day, added)), max(map(_day, added))
        return [Clause("added.many", number=len(added), first=first, last=last)]
    if not added:
        return []
    return [Clause("added", moments=tuple(details.moment(each, trigger.timezone) for each in _sorted(added)))]


def _excluded(trigger: RecurrenceTrigger) -> list[Clause]:
    """Dates that are left out."""
    exceptions = []
    excluded = trigger.recurrence.excluded
    if len(excluded) > _LISTED:
        first, last = min(map(_day, excluded)), max(map(_day, excluded))
        exceptions.append(Clause("except.many", number=len(excluded), first=first, last=last))
        return [Clause("except", exceptions=tuple(exceptions))]
    days = tuple(sorted(each for each in excluded if not isinstance(each, datetime)))
    if days:
        exceptions.append(Clause("except.dates", dates=days))
    moments = _sorted(each for each in excluded if isinstance(each, datetime))
    if moments:
        told = tuple(details.moment(each, trigger.timezone) for each in moments)
        exceptions.append(Clause("except.moments", moments=told))
    return [Clause("except", exceptions=tuple(exceptions))] if exceptions else []


def _sorted(moments: Iterable[Any]) -> list[Any]:
    """By what the clocks show; all of a rule are in its zone, or in UTC."""
    return sorted(moments, key=lambda each: each.isoformat()[: len("2026-01-01T00:00:00")])


def _day(given: date) -> date:
    return given.date() if isinstance(given, datetime) else given


def _spoken_rule(rule: RecurrenceRule) -> tuple[Clause, bool] | None:
    """The clause ``when`` of a rule that is complete, and whether some dates don't exist; ``None`` if it can't be said so."""
    if not rule.is_of_days or rule.weeks or rule.year_days:
        return None
    days = _spoken_days(rule)
    if days is None:
        return None
    times = times_of(rule.hours, rule.minutes, rule.seconds, wraps=False)
    parts = dict(days.parts)
    if days.are_all() and not is_of_day(times):
        del parts["days"]
    return Clause("when", times=times, **parts), days.skips_dates


def _spoken_days(rule: RecurrenceRule) -> Days | None:
    months = rule.months or _ALL_MONTHS
    if rule.positions and (rule.freq, rule.days, rule.positions, rule.month_days) != (
        "MONTHLY",
        _WORKDAYS,
        (-1,),
        (),
    ):
        return None
    if rule.interval > 1:
        return _at_distances(rule)
    if rule.freq == "MONTHLY" or (rule.freq == "YEARLY" and rule.months):
        return _of_month(rule, months)
    if rule.freq == "YEARLY" or rule.month_days or any(place for place, _ in rule.days):
        return None
    weekdays = sorted({weekday for _, weekday in rule.days})
    is_daily = len(weekdays) in (0, _DAYS_IN_WEEK)
    return Days(
        {"days": Clause("days.every") if is_daily else weekday_list(weekdays)} | spoken_months(months)
    )


def _of_month(rule: RecurrenceRule, months: tuple[int, ...]) -> Days | None:
    if rule.positions:
        return of_months((), (LastWorkdayExpression(),), months, None)
    if rule.month_days and any(place for place, _ in rule.days):
        return None
    if rule.month_days and rule.days:
        return that_fall(sorted({weekday for _, weekday in rule.days}), *_month_days(rule), months)
    if rule.days and not any(place for place, _ in rule.days):
        return Days({"days": weekday_list([weekday for _, weekday in rule.days])} | spoken_months(months))
    days, of_end = _month_days(rule)
    special: list[DayExpression] = [*of_end]
    for place, weekday in rule.days:
        if place != -1 and not 1 <= place <= _WEEKS_IN_MONTH:
            return None
        name = WeekdayPositionExpression.options[place if place < 0 else place - 1]
        special.append(WeekdayPositionExpression(name, weekday))
    return of_months(days, tuple(special), months, None)


def _month_days(rule: RecurrenceRule) -> tuple[tuple[int, ...], tuple[DayExpression, ...]]:
    """The days of the month by their numbers, and those that are counted from its end."""
    days = tuple(sorted(day for day in rule.month_days if day > 0))
    return days, tuple(LastDayOfMonthExpression(-day - 1) for day in sorted(rule.month_days) if day < 0)


def _at_distances(rule: RecurrenceRule) -> Days | None:  # noqa: PLR0911 - one for each frequency
    """Every so many days, weeks, months or years."""
    if rule.freq == "DAILY":
        is_plain = not (rule.months or rule.month_days or rule.days)
        return Days({"days": every((Count(rule.interval, "day"),))}) if is_plain else None
    if rule.freq == "WEEKLY":
        if rule.months or any(place for place, _ in rule.days):
            return None
        days = weekday_list([weekday for _, weekday in rule.days])
        return Days({"days": Clause("distance.weekdays", distance=Count(rule.interval, "week"), days=days)})
    if rule.days or len(rule.month_days) != 1 or rule.month_days[0] < 1:
        return None
    day = rule.month_days[0]
    if rule.freq == "MONTHLY":
        if rule.months:
            return None
        said = Clause("distance.day", day=day, distance=Count(rule.interval, "month"))
        return Days({"days": said}, day > _SHORTEST)
    yearly = Clause("years.every_nth", distance=Count(rule.interval, "year"))
    return of_months((day,), (), rule.months, None, yearly=yearly) if len(rule.months) == 1 else None
