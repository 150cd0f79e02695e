"""Rules of iCalendar: the sentence of a `RecurrenceTrigger`. What other triggers can't say is told by the rule's own text."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mainspring.triggers.clock_changes import DAY
from mainspring.triggers.cron.expressions import (
    LastDayOfMonthExpression,
    WeekdayPositionExpression,
)
from mainspring.triggers.explaining import details
from mainspring.triggers.explaining.calendar import first_of_weeks
from mainspring.triggers.explaining.clauses import Clause, Count, Phrase, Weekday
from mainspring.triggers.explaining.days import (
    Days,
    before_last,
    day_items,
    of_months,
    of_scope,
    spoken_months,
    spoken_weeks,
    that_fall,
    weekday_list,
)
from mainspring.triggers.explaining.durations import every, spoken_duration
from mainspring.triggers.explaining.times import is_of_day, times_of
from mainspring.triggers.recurrence.rules import RecurrenceRule
from mainspring.triggers.recurrence.walls import walls_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mainspring.triggers.cron.expressions import DayExpression
    from mainspring.triggers.recurrence import RecurrenceTrigger

__all__ = ["spoken_recurrence"]

_ALL_MONTHS = tuple(range(1, 13))
_WORKDAYS = tuple((0, weekday) for weekday in range(5))
_WEEKEND = tuple((0, weekday) for weekday in (5, 6))
#: More dates than these aren't told one by one.
_LISTED = 6
_WEEKS_IN_MONTH, _SHORTEST, _DAYS_IN_WEEK, _LEAP_YEAR = 5, 28, 7, 366
#: Weeks that may have days of two years.
_OVER_NEW_YEAR = frozenset({-1, 1, 52, 53})
#: Each year has each weekday so many times.
_WEEKS = 52
#: So many places have a word of their own.
_PLACES = 12


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
        found = None if start is None else _spoken_rule(plain.completed(start), start)
        limit, end = rules[0].limit, rules[0].until
        what = Clause("rule", rule=str(plain))
        if found is not None:
            what, skips_dates = found
            if plain.interval == 1 or (what.key == "when" and not plain.is_of_days):
                pass  # it is the same from whenever on
            elif plain.freq != "WEEKLY":
                start = _first_of(plain, start)
            else:
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


def _first_of(rule: RecurrenceRule, start: datetime) -> datetime:
    """From when on every so manieth month, year or hour is counted, as it is said: the first of them that fires, where the start doesn't."""
    begin = start.toordinal() * DAY + start.hour * 3600 + start.minute * 60 + start.second
    found = walls_of(rule, start).after(begin - 1)
    return start if found is None else start + timedelta(seconds=found - begin)


def _spoken_together(rules: Sequence[RecurrenceRule], start: datetime | None) -> Clause:
    """Several rules: each in words, if all can be said so and none has an end of its own, or counts from the start."""
    said = []
    for rule in rules:
        is_plain = rule.limit is None and rule.until is None and rule.interval == 1
        found = _spoken_rule(rule.completed(start), start) if is_plain and start is not None else None
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


def _spoken_rule(rule: RecurrenceRule, start: datetime) -> tuple[Clause, bool] | None:
    """The clause ``when`` of a rule that is complete, and whether some dates don't exist; ``None`` if it can't be said so."""
    if rule.is_of_days:
        times, days = times_of(rule.hours, rule.minutes, rule.seconds, wraps=False), _spoken_days(rule)
    else:
        digits = _digits(rule, start)
        if digits is None:
            return _spoken_ticks(rule)
        times = times_of(*digits, wraps=False)
        days = _spoken_days(rule._replace(freq="DAILY", interval=1))
    if days is None:
        return None
    parts = dict(days.parts)
    if days.are_all() and not is_of_day(times):
        del parts["days"]
    return Clause("when", times=times, **parts), days.skips_dates


def _digits(rule: RecurrenceRule, start: datetime) -> list[Sequence[int]] | None:
    """The hours, minutes and seconds of a rule by hours or shorter, if each day has the same, and they are a product."""
    units = ("HOURLY", "MINUTELY", "SECONDLY")
    begin = (start.hour, start.minute, start.second)
    digits: list[Sequence[int]] = [
        rule.hours or range(24),
        rule.minutes or range(60),
        rule.seconds or range(60),
    ]
    step = rule.interval
    for level in range(units.index(rule.freq), -1, -1):
        size = 60 if level else 24
        distance = step if size % step == 0 else size
        if step % distance:
            return None
        digits[level] = [digit for digit in digits[level] if (digit - begin[level]) % distance == 0]
        step //= distance
    return digits if step == 1 and all(digits) else None


def _spoken_ticks(rule: RecurrenceRule) -> tuple[Clause, bool] | None:
    """Every so many hours, minutes or seconds, which come at other times on each day."""
    plain = RecurrenceRule(rule.freq, rule.interval)
    if rule.freq != "SECONDLY" and len(rule.seconds) == 1:
        plain = plain._replace(seconds=rule.seconds)
    if rule.freq == "HOURLY" and len(rule.minutes) == 1:
        plain = plain._replace(minutes=rule.minutes)
    if rule != plain:
        return None
    seconds = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}[rule.freq] * rule.interval
    return Clause("every.clock", distances=spoken_duration(timedelta(seconds=seconds))), False


def _spoken_days(rule: RecurrenceRule) -> Days | None:
    has_places = rule.freq == "YEARLY" and not rule.months and any(place for place, _ in rule.days)
    if rule.positions:
        found = _by_places(rule)
    elif rule.interval > 1 and rule.freq in ("DAILY", "WEEKLY"):
        found = _at_distances(rule)
    elif rule.weeks or rule.year_days or has_places:
        found = _of_year(rule)
    elif rule.freq in ("MONTHLY", "YEARLY") or rule.month_days:
        found = _of_month(rule) if rule.interval == 1 else _of_month_at_distances(rule)
    else:
        weekdays = sorted({weekday for _, weekday in rule.days})
        is_daily = len(weekdays) in (0, _DAYS_IN_WEEK)
        days = Clause("days.every") if is_daily else weekday_list(weekdays)
        found = Days({"days": days} | spoken_months(rule.months or _ALL_MONTHS))
    return found


def _by_places(rule: RecurrenceRule) -> Days | None:
    """Days of a month by their places among some weekdays: "on the last weekday (Monday to Friday) of every month"."""
    is_once_a_day = len(rule.hours) == len(rule.minutes) == len(rule.seconds) == 1
    if rule.freq != "MONTHLY" or not is_once_a_day or rule.month_days or any(at for at, _ in rule.days):
        return None
    plain = rule._replace(positions=())
    if len(rule.days) == 1 and all(_is_place(at) for at in rule.positions):
        return _of_month(plain._replace(days=tuple((at, rule.days[0][1]) for at in rule.positions)))
    kinds = {_WORKDAYS: "item.workdays", _WEEKEND: "item.weekend_days"}
    if rule.days not in kinds or not all(at == -1 or 1 <= at <= _PLACES for at in rule.positions):
        return None
    return _of_some_months(rule, (Clause(kinds[rule.days], places=_places(rule.positions)),))


def _is_place(at: int) -> bool:
    """Whether it is a place of a weekday in a month that is told as such."""
    return at == -1 or 1 <= at <= _WEEKS_IN_MONTH


def _places(places: Iterable[int]) -> tuple[Clause, ...]:
    ordered = sorted(places, key=lambda at: (at < 0, at))
    return tuple(Clause("place.last") if at < 0 else Clause("place.nth", nth=at) for at in ordered)


def _of_some_months(rule: RecurrenceRule, items: tuple[Clause, ...]) -> Days | None:
    """Days of every month, of every so manieth, or of some months."""
    if rule.interval > 1:
        of = None if rule.months else Clause("of.nth_month", nth=rule.interval)
    else:
        of = of_scope(rule.months or _ALL_MONTHS)
    return None if of is None else Days({"days": Clause("days.of_month", items=items, of=of)} | _years(rule))


def _years(rule: RecurrenceRule) -> dict[str, Clause]:
    """What is said of the years."""
    if rule.freq == "YEARLY" and rule.interval > 1:
        return {"years": Clause("years.every_nth", distance=Count(rule.interval, "year"))}
    return {"years": Clause("years.every")} if len(rule.months) == 1 else {}


def _of_year(rule: RecurrenceRule) -> Days | None:
    """Days by their numbers in the year, weekdays by theirs, and weeks by theirs."""
    kinds = sum(map(bool, (rule.months, rule.weeks, rule.year_days, rule.month_days)))
    if rule.freq != "YEARLY" or kinds > 1 or rule.months or rule.month_days:
        return None
    if rule.weeks:
        return _of_weeks(rule)
    items: list[Clause] = []
    if rule.year_days:
        numbers = tuple(day for day in rule.year_days if day > 0)
        items += [Clause("item.year_days", days=numbers)] if numbers else []
        items += [before_last(-day - 1) for day in sorted(rule.year_days) if day < 0]
    for weekday in sorted({weekday for _, weekday in rule.days}):
        places = [place for place, day in rule.days if day == weekday]
        if rule.year_days or any(place < -1 or place == 0 for place in places):
            return None
        items.append(Clause("item.position", places=_places(places), weekday=Weekday(weekday)))
    of = Clause("of.nth_year", nth=rule.interval) if rule.interval > 1 else Clause("of.every_year")
    skips = not {_LEAP_YEAR, -_LEAP_YEAR}.isdisjoint(rule.year_days) or any(
        at > _WEEKS for at, _ in rule.days
    )
    return Days({"days": Clause("days.of_month", items=tuple(items), of=of)}, skips)


def _of_weeks(rule: RecurrenceRule) -> Days | None:
    """Weeks by their numbers: those of ISO, which begin on Monday."""
    is_last = rule.weeks == (-1,)
    # Of each so manieth year, days of a week over new year may be counted to another than the week is.
    is_clear = rule.interval == 1 or _OVER_NEW_YEAR.isdisjoint(rule.weeks)
    if rule.week_start or not (is_last or rule.weeks[0] > 0) or not is_clear:
        return None
    if any(place for place, _ in rule.days):
        return None
    weekdays = sorted({weekday for _, weekday in rule.days})
    days = Clause("days.every") if len(weekdays) == _DAYS_IN_WEEK else weekday_list(weekdays)
    weeks = Clause("weeks.last") if is_last else spoken_weeks(rule.weeks)
    return Days({"days": days, "weeks": weeks} | _years(rule))


def _of_month(rule: RecurrenceRule) -> Days | None:
    """Days of the month, or weekdays of it."""
    months = rule.months or _ALL_MONTHS
    if not _are_told(rule):
        return None
    if rule.month_days and rule.days:
        return that_fall(sorted({weekday for _, weekday in rule.days}), *_month_days(rule), months)
    if rule.days and not any(place for place, _ in rule.days):
        return Days({"days": weekday_list([weekday for _, weekday in rule.days])} | spoken_months(months))
    return of_months(*_dates(rule), months, None, yearly=_years(rule).get("years"))


def _are_told(rule: RecurrenceRule) -> bool:
    """Whether its weekdays all have places that are told, and no days of the month beside them, or none has."""
    places = {place for place, _ in rule.days}
    return places <= {0} or (not rule.month_days and all(map(_is_place, places)))


def _of_month_at_distances(rule: RecurrenceRule) -> Days | None:
    """The same, in every so manieth month, or in some months of every so manieth year."""
    if rule.freq == "YEARLY":
        found = (
            _of_month(rule) if rule.months else None
        )  # else on many days of a year, and then for years on none
        return None if found is None else Days(found.parts | _years(rule), found.skips_dates)
    if rule.months or not _are_told(rule):
        return None
    if rule.days and not any(place for place, _ in rule.days):
        weekdays = weekday_list([weekday for _, weekday in rule.days])
        nth = Clause("months.nth", nth=rule.interval)
        return None if rule.month_days else Days({"days": weekdays, "months": nth})
    days, special = _dates(rule)
    skips = any(day > _SHORTEST for day in days) or any(place == _WEEKS_IN_MONTH for place, _ in rule.days)
    if len(days) == 1 and not special:
        said = Clause("distance.day", day=days[0], distance=Count(rule.interval, "month"))
    else:
        of = Clause("of.nth_month", nth=rule.interval)
        said = Clause("days.of_month", items=day_items(days, special), of=of)
    return Days({"days": said}, skips)


def _dates(rule: RecurrenceRule) -> tuple[tuple[int, ...], tuple[DayExpression, ...]]:
    """The days of the month by their numbers; and those that are counted from its end, or weekdays by their places."""
    days, of_end = _month_days(rule)
    special: list[DayExpression] = [*of_end]
    for place, weekday in rule.days:
        name = WeekdayPositionExpression.options[place if place < 0 else place - 1]
        special.append(WeekdayPositionExpression(name, weekday))
    return days, tuple(special)


def _month_days(rule: RecurrenceRule) -> tuple[tuple[int, ...], tuple[DayExpression, ...]]:
    """The days of the month by their numbers, and those that are counted from its end."""
    days = tuple(sorted(day for day in rule.month_days if day > 0))
    return days, tuple(LastDayOfMonthExpression(-day - 1) for day in sorted(rule.month_days) if day < 0)


def _at_distances(rule: RecurrenceRule) -> Days | None:
    """Every so many days or weeks. With days or months that are left out, it would seem to be counted anew after them."""
    if rule.months or rule.month_days or any(place for place, _ in rule.days):
        return None
    if rule.freq == "DAILY":
        return None if rule.days else Days({"days": every((Count(rule.interval, "day"),))})
    days = weekday_list([weekday for _, weekday in rule.days])
    return Days({"days": Clause("distance.weekdays", distance=Count(rule.interval, "week"), days=days)})
