"""Days, by the date fields of cron: days of the month, weekdays, months, ISO weeks and years, in as few words as say all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.triggers.cron.expressions import (
    HashExpression,
    LastDayOfMonthExpression,
    LastWorkdayExpression,
    NearestWorkdayExpression,
    WeekdayPositionExpression,
    WorkdayBeforeLastExpression,
)
from mainspring.triggers.cron.fields import MAX_VALUES, MIN_VALUES
from mainspring.triggers.explaining.clauses import Clause, Month, Weekday
from mainspring.triggers.explaining.runs import consecutive, step_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mainspring.triggers.cron.expressions import DayExpression
    from mainspring.triggers.cron.fields import BaseField

__all__ = [
    "Days",
    "before_last",
    "day_items",
    "of_months",
    "of_scope",
    "spoken_days",
    "spoken_months",
    "spoken_scope",
    "spoken_weeks",
    "that_fall",
    "weekday_list",
]

_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SHORTEST, _FEBRUARY, _LEAP_DAY = 28, 2, 29
_ALL_MONTHS = tuple(range(1, 13))
_DATE_FIELDS = ("year", "month", "day", "week", "day_of_week")
#: As in `times`: so many make a stretch, or a progression.
_IN_A_ROW, _PROGRESSION, _STRETCHES = 3, 5, 3
#: More days of the month than these aren't listed one by one, if some are in a row.
_LISTED = 6
_DAYS_IN_WEEK = 7
_FIFTH = 4


class Days(NamedTuple):
    """What is said of the days.

    Attributes:
        parts: of the clause ``when``, but for the times.
        skips_dates: whether some of the dates don't exist in every month or year that is named, and the sentence doesn't tell.
    """

    parts: dict[str, Clause]
    skips_dates: bool = False

    def are_all(self) -> bool:
        """Whether every day fires."""
        return self.parts == {"days": Clause("days.every")}


class _Fields(NamedTuple):
    """The values of the date fields; ``None``, or all months, where a field lets everything through."""

    months: tuple[int, ...]
    days: tuple[int, ...] | None
    special_days: tuple[DayExpression, ...]
    weekdays: tuple[int, ...] | None
    positions: tuple[DayExpression, ...]
    is_either: bool


def spoken_days(fields: Mapping[str, BaseField], seed: str | None, *, is_either: bool) -> Days:
    """The days that cron fields let through.

    Args:
        seed: what chooses the values of ``H``, if that is known yet.
        is_either: whether a day fires if its day of the month or its weekday matches.
    """
    if seed is None and any(fields[name].has_hash() for name in _DATE_FIELDS):
        return _hashed(fields)
    is_any_year = fields["year"].matches_all()  # of which there are thousands
    values = {
        name: () if name == "year" and is_any_year else tuple(sorted(fields[name].values(seed or "")))
        for name in _DATE_FIELDS
    }
    day, weekday = fields["day"], fields["day_of_week"]
    is_any_day = day.matches_all() or len(values["day"]) == MAX_VALUES["day"]
    is_any_weekday = weekday.matches_all() or len(values["day_of_week"]) == _DAYS_IN_WEEK
    if is_either and (is_any_day or is_any_weekday):
        is_any_day = is_any_weekday = True
    read = _Fields(
        months=values["month"],
        days=None if is_any_day else values["day"],
        special_days=() if is_any_day else day.special_days(),
        weekdays=None if is_any_weekday else values["day_of_week"],
        positions=() if is_any_weekday else weekday.special_days(),
        is_either=is_either,
    )
    years = None if is_any_year else values["year"]
    found = _in_months(read, years)
    parts = dict(found.parts)
    if not fields["week"].matches_all() and len(values["week"]) < MAX_VALUES["week"]:
        parts["weeks"] = spoken_weeks(values["week"])
    return Days(parts, found.skips_dates)


def that_fall(
    weekdays: Sequence[int],
    days: tuple[int, ...],
    special: tuple[DayExpression, ...],
    months: tuple[int, ...],
) -> Days:
    """Weekdays that are also one of these days of the month: "on Fridays that fall on the 13th of the month"."""
    return _in_months(_Fields(months, days, special, tuple(weekdays), (), is_either=False), None)


def _in_months(read: _Fields, years: tuple[int, ...] | None) -> Days:
    read = _positions_by_days(read)
    has_days = read.days is not None
    if has_days and (read.weekdays is not None or read.positions):
        return _both(read, years)
    if has_days:
        return of_months(read.days or (), read.special_days, read.months, years)
    if read.positions and not read.weekdays:
        return of_months((), read.positions, read.months, years)
    if read.positions:
        first = weekday_list(read.weekdays or ())
        second = of_months((), read.positions, _scope(read.months), None).parts["days"]
        return Days(_united(first, second, read.months, years))
    parts = {"days": Clause("days.every") if read.weekdays is None else weekday_list(read.weekdays)}
    return Days(parts | spoken_months(read.months) | _spoken_years(years, read.months))


def _scope(months: Sequence[int]) -> tuple[int, ...]:
    """All months; none, if it is said apart which they are."""
    return _ALL_MONTHS if len(months) == len(_ALL_MONTHS) else ()


def _united(
    first: Clause, second: Clause, months: tuple[int, ...], years: tuple[int, ...] | None
) -> dict[str, Clause]:
    """Days of two kinds, either of which fires, with the months and years that hold for both."""
    parts = {"days": Clause("days.either", first=first, second=second)}
    return parts | _only(months) | _spoken_years(years, ())


def _only(months: tuple[int, ...]) -> dict[str, Clause]:
    said = spoken_months(months)
    return {"months": Clause("months.only", months=said["months"])} if said else {}


def _positions_by_days(read: _Fields) -> _Fields:
    """Mondays that fall on the 8th to the 14th are the second Mondays."""
    days, weekdays = read.days, read.weekdays
    if read.is_either or read.special_days or read.positions or not days or not weekdays:
        return read
    place, rest = divmod(days[0] - 1, _DAYS_IN_WEEK)
    is_week = days[-1] - days[0] == len(days) - 1 and days[-1] == min(
        days[0] + _DAYS_IN_WEEK - 1, MAX_VALUES["day"]
    )
    if rest or not is_week or len(weekdays) > _IN_A_ROW:
        return read
    name = WeekdayPositionExpression.options[place]
    positions = tuple(WeekdayPositionExpression(name, weekday) for weekday in weekdays)
    return read._replace(days=None, weekdays=None, positions=positions)


def _both(read: _Fields, years: tuple[int, ...] | None) -> Days:
    """Days of the month together with weekdays, as cron and as APScheduler join them."""
    scope = _scope(read.months) if read.is_either else ()
    by_day = of_months(read.days or (), read.special_days, scope, None)
    if not read.is_either:
        which = day_items(read.days or (), read.special_days)
        where = by_day.parts["days"]
        if where.key in ("days.of_month", "days.mixed_of_month"):
            where = Clause("days.which", items=which)
        if read.positions:
            wanted = (*_weekday_items(read.weekdays or ()), *_position_items(read.positions))
            days = Clause("days.also", where=where, items=wanted)
        else:
            days = Clause("days.fall", weekdays=weekday_list(read.weekdays or ()), where=where)
        return Days({"days": days} | _only(read.months) | _spoken_years(years, ()), by_day.skips_dates)
    by_weekday = [weekday_list(read.weekdays)] if read.weekdays else []
    if read.positions:
        by_weekday.append(of_months((), read.positions, scope, None).parts["days"])
    second = (
        by_weekday[0]
        if len(by_weekday) == 1
        else Clause("days.either", first=by_weekday[0], second=by_weekday[1])
    )
    return Days(_united(by_day.parts["days"], second, read.months, years), by_day.skips_dates)


def of_months(
    days: tuple[int, ...],
    special: tuple[DayExpression, ...],
    months: tuple[int, ...],
    years: tuple[int, ...] | None,
    *,
    yearly: Clause | None = None,
) -> Days:
    """Days of the month, in some months.

    Args:
        months: none if they are said elsewhere.
        yearly: what stands for "every year", if that isn't it.
    """
    days, months = _existing(days, special, months)
    only = months[0] if len(months) == 1 else None
    skips = _skips(days, special, months or _ALL_MONTHS)
    that_has = skips and len(days) + len(special) == 1 and len(months) in (0, len(_ALL_MONTHS))
    year = _spoken_years(years, months)
    if only is not None and not year:
        is_leap_day = days == (_LEAP_DAY,) and only == _FEBRUARY and not special and yearly is None
        year = {"years": Clause("years.leap") if is_leap_day else yearly or Clause("years.every")}
        skips = skips and not is_leap_day
    if not special:
        clause, is_told = _numbered(days, months)
        if clause is not None:
            if clause.key in ("days.odd", "days.even"):
                if "years" in year and year["years"].key == "years.every":
                    del year["years"]
                return Days({"days": clause} | spoken_months(months or _ALL_MONTHS) | year)
            return Days({"days": clause} | year, skips and not is_told)
    where = Clause("of.month_that_has") if that_has and months else of_scope(months)
    items = day_items(days, special)
    if where.key == "of.one_month" and items[-1].key == "item.nearest_workday":
        where = Clause("of.month_of_day", **where.parts)
    clause = Clause("days.of_month", items=items, of=where)
    return Days({"days": clause} | year, skips and not (that_has and months))


def _existing(
    days: tuple[int, ...], special: tuple[DayExpression, ...], months: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Without days that none of the months has, and months that have none of the days; as they are, if nothing is left."""
    if special or len(months) in (0, len(_ALL_MONTHS)):
        return days, months
    kept_days = tuple(day for day in days if any(day <= _LENGTHS[month - 1] for month in months))
    kept_months = tuple(month for month in months if any(day <= _LENGTHS[month - 1] for day in days))
    return (kept_days, kept_months) if kept_days and kept_months else (days, months)


def _skips(days: tuple[int, ...], special: tuple[DayExpression, ...], months: tuple[int, ...]) -> bool:
    """Whether a month lacks one of the days, and not all of them lack all."""
    longest = max(_LENGTHS[month - 1] for month in months)
    if not special and not any(day <= longest for day in days):
        return False
    shortest = min(_SHORTEST if month == _FEBRUARY else _LENGTHS[month - 1] for month in months)
    return any(day > shortest for day in days) or any(_may_lack(one, shortest) for one in special)


def _may_lack(day: DayExpression, length: int) -> bool:
    if isinstance(day, WeekdayPositionExpression):
        return day.option_num == _FIFTH
    if isinstance(day, NearestWorkdayExpression):
        return day.day > length
    before_last = (LastDayOfMonthExpression, WorkdayBeforeLastExpression)
    return isinstance(day, before_last) and day.days_before >= length


def _numbered(  # noqa: PLR0911 - one for each form
    days: tuple[int, ...], months: tuple[int, ...]
) -> tuple[Clause | None, bool]:
    """Days by their numbers, where they are regular or of one month; and whether that tells that some months are shorter."""
    only = months[0] if len(months) == 1 else None
    longest = MAX_VALUES["day"]
    for first, key in ((1, "days.odd"), (2, "days.even")):
        if days == tuple(range(first, longest + 1, 2)):
            return Clause(f"{key}_of_month" if len(months) in (0, len(_ALL_MONTHS)) else key), True
    if only is not None and _is_regular_cut(days, only):
        return Clause("days.odd" if days[0] == 1 else "days.even"), True
    step = step_of(days)
    stretches = consecutive(days)
    if step is not None and step > 1 and len(days) >= _PROGRESSION:
        if only is not None:
            return Clause("days.nth_date", nth=step, first=days[0], last=days[-1], month=Month(only)), True
        return Clause("days.nth_of_month", nth=step, first=days[0], last=days[-1], of=of_scope(months)), True
    if len(stretches) <= _STRETCHES and all(last - first >= _IN_A_ROW - 1 for first, last in stretches):
        if only is not None:
            spans = tuple(Clause("span.number", first=first, last=last) for first, last in stretches)
            return Clause("days.date_spans", spans=spans, month=Month(only)), only != _FEBRUARY
        spans = tuple(Clause("span.day", first=first, last=last) for first, last in stretches)
        return Clause("days.spans_of_month", spans=spans, of=of_scope(months)), True
    if only is not None:
        return Clause("days.date", days=days, month=Month(only)), False
    rows = [(first, last) for first, last in stretches if last - first >= _IN_A_ROW - 1]
    single = tuple(day for day in days if not any(first <= day <= last for first, last in rows))
    if rows and len(rows) <= _STRETCHES and len(days) > _LISTED >= len(single):
        spans = tuple(Clause("span.day", first=first, last=last) for first, last in rows)
        items = (Clause("item.days", days=single),)
        is_told = not any(day > _SHORTEST for day in single)
        return Clause("days.mixed_of_month", items=items, spans=spans, of=of_scope(months)), is_told
    return None, False


def _is_regular_cut(days: tuple[int, ...], month: int) -> bool:
    """Whether they are all odd, or all even, days of a month."""
    last = _LENGTHS[month - 1]
    return days[:1] in ((1,), (2,)) and days == tuple(range(days[0], last + 1, 2))


def of_scope(months: tuple[int, ...]) -> Clause:
    """Whose days they are: "of every month", "of January and July"."""
    if not months:
        return Clause("of.the_month")
    if len(months) == len(_ALL_MONTHS):
        return Clause("of.every_month")
    span = _month_span(months)
    if span is not None:
        return Clause("of.month_span", first=span[0], last=span[1])
    if len(months) == 1:
        return Clause("of.one_month", month=Month(months[0]))
    return Clause("of.months", months=tuple(map(Month, months)))


def _month_span(months: tuple[int, ...]) -> tuple[Month, Month] | None:
    stretches = consecutive(months, len(_ALL_MONTHS))
    if len(stretches) > 1 or len(months) < _IN_A_ROW:
        return None
    return Month(stretches[0][0]), Month(stretches[0][1])


def spoken_scope(month: BaseField, seed: str | None) -> tuple[Clause, dict[str, Clause]]:
    """What days of the month are days of: "of every month"; and what else the clause ``when`` has for that: "every year"."""
    if seed is None and month.has_hash():
        return Clause("of.month_hash"), {}
    months = tuple(sorted(month.values(seed or "")))
    return of_scope(months), {"years": Clause("years.every")} if len(months) == 1 else {}


def spoken_months(months: tuple[int, ...]) -> dict[str, Clause]:
    """The months as a part of the clause ``when``; nothing if they are all."""
    if len(months) == len(_ALL_MONTHS):
        return {}
    span = _month_span(months)
    if span is not None:
        return {"months": Clause("months.span", first=span[0], last=span[1])}
    return {"months": Clause("months.in", months=tuple(map(Month, months)))}


def _spoken_years(  # noqa: PLR0911 - one for each form
    years: tuple[int, ...] | None, months: tuple[int, ...]
) -> dict[str, Clause]:
    if years is None:
        return {}
    if len(years) == 1:
        if len(months) == 1:
            return {"years": Clause("years.of_month", years=(str(years[0]),))}
        return {"years": Clause("years.in_one", year=str(years[0]))}
    step, last = step_of(years), MAX_VALUES["year"]
    if step == 1 and len(years) >= _IN_A_ROW:
        if years[-1] == last:
            return {"years": Clause("years.since", first=str(years[0]))}
        return {"years": Clause("years.span", first=str(years[0]), last=str(years[-1]))}
    if step is not None and len(years) >= _PROGRESSION:
        is_endless = years[-1] + step > last
        if step == 2 and is_endless and years[0] <= MIN_VALUES["year"] + 1:  # noqa: PLR2004 - every other year
            return {"years": Clause("years.odd" if years[0] % 2 else "years.even")}
        if is_endless:
            return {"years": Clause("years.nth_since", nth=step, first=str(years[0]))}
        return {"years": Clause("years.nth_span", nth=step, first=str(years[0]), last=str(years[-1]))}
    return {"years": Clause("years.in", years=tuple(map(str, years)))}


def spoken_weeks(weeks: tuple[int, ...]) -> Clause:
    """ISO weeks by their numbers."""
    step, highest = step_of(weeks), MAX_VALUES["week"]
    if len(weeks) == 1:
        return Clause("weeks.one", week=weeks[0])
    if step == 1 and len(weeks) >= _IN_A_ROW:
        return Clause("weeks.span", first=weeks[0], last=weeks[-1])
    if step is not None and len(weeks) >= _PROGRESSION:
        if step == 2 and weeks[0] <= step and weeks[-1] + step > highest:  # noqa: PLR2004 - every other week
            return Clause("weeks.odd" if weeks[0] % 2 else "weeks.even")
        return Clause("weeks.nth", nth=step, first=weeks[0], last=weeks[-1])
    return Clause("weeks.list", weeks=weeks)


def weekday_list(weekdays: Sequence[int]) -> Clause:
    """Weekdays: "on Mondays and Thursdays", "from Monday to Friday"."""
    stretches = consecutive(sorted(weekdays), _DAYS_IN_WEEK)
    if len(stretches) == 1 and len(weekdays) >= _IN_A_ROW:
        first, last = stretches[0]
        return Clause("days.weekday_span", first=Weekday(first), last=Weekday(last))
    return Clause("days.weekdays", weekdays=tuple(Weekday(number) for number in sorted(weekdays)))


def _weekday_items(weekdays: Sequence[int]) -> tuple[Clause, ...]:
    return tuple(Clause("item.weekday", weekday=Weekday(number)) for number in weekdays)


def day_items(days: tuple[int, ...], special: tuple[DayExpression, ...]) -> tuple[Clause, ...]:
    """Days of the month as nouns: "the 1st and 15th", "the last day"."""
    items = [Clause("item.days", days=days)] if days else []
    positions = tuple(one for one in special if isinstance(one, WeekdayPositionExpression))
    others = tuple(one for one in special if one not in positions)
    last_days = {one.days_before for one in others if isinstance(one, LastDayOfMonthExpression)}
    is_row = _IN_A_ROW <= len(last_days) <= _SHORTEST and last_days == set(range(len(last_days)))
    if is_row:
        others = tuple(one for one in others if not isinstance(one, LastDayOfMonthExpression))
    items += [_item(one) for one in others]
    if is_row:
        items.append(Clause("item.last_days", number=len(last_days)))
    return (*items, *_position_items(positions))


def _item(day: DayExpression) -> Clause:
    if isinstance(day, LastDayOfMonthExpression):
        return before_last(day.days_before)
    if isinstance(day, WorkdayBeforeLastExpression):
        return Clause("item.workday_nearest_to", days=(before_last(day.days_before),))
    if isinstance(day, LastWorkdayExpression):
        return Clause("item.last_workday")
    if isinstance(day, NearestWorkdayExpression):
        return Clause("item.nearest_workday", day=day.day)
    return Clause("said", text=str(day))


def before_last(days: int) -> Clause:
    """A day by how many days it is before the last."""
    if not days:
        return Clause("item.last_day")
    if days == 1:
        return Clause("item.day_before_last")
    return Clause("item.nth_day_before_last", nth=days)


def _position_items(positions: Sequence[Any]) -> tuple[Clause, ...]:
    """A noun for each weekday, such as "the first and third Monday", in the order of the month."""
    found: dict[int, list[int]] = {}
    for one in positions:
        found.setdefault(one.weekday, []).append(one.option_num)
    ordered = sorted((sorted(set(places)), weekday) for weekday, places in found.items())
    last = len(WeekdayPositionExpression.options) - 1
    return tuple(
        Clause(
            "item.position",
            places=tuple(
                Clause("place.last" if place == last else "place.nth", nth=place + 1) for place in places
            ),
            weekday=Weekday(weekday),
        )
        for places, weekday in ordered
    )


def _hashed(  # noqa: PLR0911 - one for each form
    fields: Mapping[str, BaseField],
) -> Days:
    """Days that a job's id will choose."""
    hashed = [name for name in _DATE_FIELDS if fields[name].has_hash()]
    open_ones = {name for name in ("week", "year") if fields[name].matches_all()}
    day, weekday, month = fields["day"], fields["day_of_week"], fields["month"]
    if len(open_ones) < 2 or not all(_is_single(fields[name]) for name in hashed):  # noqa: PLR2004 - both of them
        return _by_fields(fields)
    parts: dict[str, Clause] = {}
    if "month" in hashed:
        if _bounds(month) is not None:
            return _by_fields(fields)
        parts["months"] = Clause("months.hash")
    else:
        parts |= spoken_months(tuple(sorted(month.values())))
    if "day" in hashed and weekday.matches_all():
        span = _bounds(day)
        said = Clause("days.hash_span", first=span[0], last=span[1]) if span else Clause("days.hash")
        return Days({"days": said} | parts)
    if "day_of_week" in hashed and day.matches_all():
        span = _bounds(weekday)
        if span:
            said = Clause("days.hash_weekdays", first=Weekday(span[0]), last=Weekday(span[1]))
        else:
            said = Clause("days.hash_weekday")
        return Days({"days": said} | parts)
    if hashed == ["month"] and weekday.matches_all():
        if day.matches_all():
            return Days({"days": Clause("days.every")} | parts)
        items = day_items(tuple(sorted(day.values())), day.special_days())
        days = Clause("days.of_month", items=items, of=Clause("of.month_hash"))
        return Days({"days": days}, _skips(tuple(day.values()), day.special_days(), _ALL_MONTHS))
    return _by_fields(fields)


def _by_fields(fields: Mapping[str, BaseField]) -> Days:
    said = tuple(
        Clause(f"field.{name}", text=str(fields[name]))
        for name in _DATE_FIELDS
        if not fields[name].matches_all()
    )
    return Days({"days": Clause("days.hash_fields", fields=said)})


def _is_single(field: BaseField) -> bool:
    return len(field.expressions) == 1 and field.expressions[0].step is None


def _bounds(field: BaseField) -> tuple[int, int] | None:
    """Between which values a single ``H`` chooses, if that is said."""
    only = field.expressions[0]
    if not isinstance(only, HashExpression) or only.first is None or only.last is None:
        return None
    return only.first, only.last
