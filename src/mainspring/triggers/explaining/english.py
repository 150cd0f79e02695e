"""English."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from mainspring.triggers.explaining.catalogues import Catalogue, digits

if TYPE_CHECKING:
    from mainspring.triggers.explaining.clauses import Clock, Count, Moment, Month, Weekday

__all__ = ["CATALOGUE"]

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_ORDINALS = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
)
_UNITS = {"elapsed_day": ("day of 24 hours", "days of 24 hours")}

TEMPLATES = {
    # times of the day
    "times.at": "at {times:clock|and}",
    "times.every": "every {step:each}",
    "times.every_span": "every {step:each} {spans|and}",
    "times.mixed": "{single} and {every}",
    "times.hourly": "every hour on the hour",
    "times.past": "at {numbers:number|and} {unit:name} past {whole}",
    "times.every_past": "every {step:each} {spans|and} {unit:name} past {whole}",
    "times.past_both": "at {minutes:count} and {seconds:count} past every hour",
    "times.hash_day": "at a time that the job's id chooses",
    "times.hash_span": "at a time from {first:clock} to {last:clock} that the job's id chooses",
    "times.hash_hour": "at a full hour that the job's id chooses",
    "times.hash_minute": "every hour at a minute that the job's id chooses",
    "times.hash_minute_second": "every hour at a minute and a second that the job's id chooses",
    "times.hash_past": "at a minute past {whole} that the job's id chooses",
    "times.hash_span_past": "at a minute from {first:number} to {last:number} past {whole} that the job's id chooses",
    "times.hash_second": "every minute at a second that the job's id chooses",
    "times.hash_every": "every {step:each}, from a minute that the job's id chooses",
    "times.hash_fields": "at times that the job's id chooses ({fields|comma})",
    "span.clock": "from {first:clock} to {last:clock}",
    "span.number": "from {first:number} to {last:number}",
    "span.day": "from the {first:ordinal} to the {last:ordinal}",
    "whole.minute": "every minute",
    "whole.nth_minute": "every {nth:place} minute",
    "whole.nth_minutes": "every {nth:place} minute {span}",
    "span.bare": "{first:number} to {last:number}",
    "whole.minute_spans": "minutes {spans|and} of {whole:of}",
    "whole.one_minute": "minute {minute:number} of {whole:of}",
    "whole.minutes": "minutes {minutes:number|and} of {whole:of}",
    "whole.minutes_span": "every minute from {first:clock} to {last:clock}",
    "whole.hour": "every hour",
    "whole.hours": "every hour {spans|and}",
    "whole.nth_hours": "every {nth:place} hour {spans|and}",
    "whole.clocks": "{clocks:clock|and}",
    "whole.clocks/of": "the hours that begin at {clocks:clock|and}",
    "field.second": "second {text}",
    "field.minute": "minute {text}",
    "field.hour": "hour {text}",
    "field.day": "day {text}",
    "field.day_of_week": "weekday {text}",
    "field.week": "week {text}",
    "field.month": "month {text}",
    "field.year": "year {text}",
    # days
    "days.every": "every day",
    "days.weekdays": "on {weekdays:plural|and}",
    "days.weekdays/noun": "{weekdays:plural|and}",
    "days.weekdays/each": "on {weekdays:weekday|and}",
    "days.weekday_span": "from {first:weekday} to {last:weekday}",
    "days.weekday_span/noun": "days from {first:weekday} to {last:weekday}",
    "days.of_month": "on {items|and} {of}",
    "days.which": "on {items:or|or} of the month",
    "days.spans_of_month": "{spans|and} {of}",
    "days.mixed_of_month": "on {items|and} and {spans|and} {of}",
    "days.nth_of_month": "on every {nth:place} day from the {first:ordinal} to the {last:ordinal} {of}",
    "days.odd_of_month": "on odd-numbered days of the month",
    "days.even_of_month": "on even-numbered days of the month",
    "days.odd": "on odd-numbered days",
    "days.even": "on even-numbered days",
    "days.date": "on {days:number|and} {month:month}",
    "days.date_spans": "{spans|and} {month:month}",
    "days.nth_date": "on every {nth:place} day from {first:number} to {last:number} {month:month}",
    "days.fall": "on {weekdays:noun} that fall {where}",
    "days.also": "{where} if that is also {items:or|or}",
    "days.either": "{first} and {second}",
    "days.hash": "on a day of the month that the job's id chooses",
    "days.hash_span": "on a day from the {first:ordinal} to the {last:ordinal} of the month that the job's id chooses",
    "days.hash_weekday": "on a day of the week that the job's id chooses",
    "days.hash_weekdays": "on a day from {first:weekday} to {last:weekday} that the job's id chooses",
    "days.hash_fields": "on days that the job's id chooses ({fields|comma})",
    "item.days": "the {days:ordinal|and}",
    "item.days/or": "the {days:ordinal|or}",
    "item.last_day": "the last day",
    "item.last_days": "the last {number:number} days",
    "item.day_before_last": "the day before the last day",
    "item.nth_day_before_last": "the {nth:place} day before the last day",
    "item.last_workday": "the last weekday (Monday to Friday)",
    "item.nearest_workday": "the weekday (Monday to Friday) nearest to the {day:ordinal}",
    "item.workday_nearest_to": "the weekday (Monday to Friday) nearest to {days|and}",
    "item.position": "the {places|and} {weekday:weekday}",
    "item.position/or": "the {places|or} {weekday:weekday}",
    "item.weekday": "a {weekday:weekday}",
    "item.workdays": "the {places|and} weekday (Monday to Friday)",
    "item.weekend_days": "the {places|and} day of a weekend (Saturday or Sunday)",
    "item.year_days": "the {days:ordinal|and} day",
    "item.business_days": "the {places|and} business day",
    "item.business_day_before_last": "the business day before the last one",
    "item.nth_business_day_before_last": "the {nth:place} business day before the last one",
    "place.nth": "{nth:place}",
    "place.last": "last",
    "of.every_month": "of every month",
    "of.the_month": "of the month",
    "of.month_that_has": "of every month that has one",
    "of.nth_month": "of every {nth:place} month",
    "of.every_year": "of every year",
    "of.nth_year": "of every {nth:place} year",
    "of.month_span": "of every month from {first:month} to {last:month}",
    "of.one_month": "of {month:month}",
    "of.month_of_day": "of {month:month}",
    "of.months": "of {months:month|and}",
    "of.month_hash": "of a month that the job's id chooses",
    "months.in": "in {months:month|and}",
    "months.span": "from {first:month} to {last:month}",
    "months.nth": "in every {nth:place} month",
    "months.only": "only {months}",
    "months.hash": "in a month that the job's id chooses",
    "weeks.begin": "weeks beginning on {weekday:weekday}",
    "weeks.one": "in ISO week {week:number}",
    "weeks.list": "in ISO weeks {weeks:number|and}",
    "weeks.span": "in ISO weeks {first:number} to {last:number}",
    "weeks.last": "in the last ISO week of the year",
    "weeks.odd": "in odd-numbered ISO weeks",
    "weeks.even": "in even-numbered ISO weeks",
    "weeks.nth": "in every {nth:place} ISO week from {first:number} to {last:number}",
    "years.every": "every year",
    "years.every_nth": "every {distance:each}",
    "years.leap": "in leap years",
    "years.of_month": "{years|and}",
    "years.in_one": "in {year}",
    "years.in": "in {years|and}",
    "years.span": "from {first} to {last}",
    "years.since": "from {first} on",
    "years.odd": "in odd-numbered years",
    "years.even": "in even-numbered years",
    "years.nth_since": "in every {nth:place} year from {first}",
    "years.nth_span": "in every {nth:place} year from {first} to {last}",
    # distances
    "every.one": "every {distance:each}",
    "every.clock": "every {distances:count|and} by the clock",
    "every.sum": "every {distances:count|and}",
    "distance.weekdays": "every {distance:each} {days:each}",
    "distance.day": "on the {day:ordinal} every {distance:each}",
    # single moments, and what isn't told by times
    "once": "once, at {moment:moment}",
    "once.each": "once each, at {moments:moment|and}",
    "once.many": "once at each of {number:number} moments from {first:moment} to {last:moment}",
    "once.added": "once, as soon as it is added",
    "after.success": "whenever a run of job {job} has succeeded",
    "after.failure": "whenever a run of job {job} has failed, timed out or been lost",
    "after.any": "whenever a run of job {job} has ended",
    "rule": "at the times of the iCalendar rule {rule}",
    "rules": "at the times of the iCalendar rules {rules|and}",
    "said": "{text}",
    "sun": "at {event} at {latitude:latitude}, {longitude:longitude}",
    "sun.before": "{distance:count|and} before {event} at {latitude:latitude}, {longitude:longitude}",
    "sun.after": "{distance:count|and} after {event} at {latitude:latitude}, {longitude:longitude}",
    "sun.sunrise": "sunrise",
    "sun.sunset": "sunset",
    "sun.dawn": "dawn",
    "sun.dusk": "dusk",
    "sun.noon": "solar noon",
    "sun.depression": "with the sun {angle:angle} below the horizon",
    "sun.elevation": "{metres:decimal} m above its horizon",
    # several triggers
    "any": "{first}{others|none}",
    "any.brief": ", and also {what}",
    "any.long": "; and also {what}",
    "all": "whenever {triggers|and} coincide",
    "member": "({what})",
    # details
    "bounds.start": "from {start:moment}",
    "bounds.end": "until {end:moment}",
    "bounds.start_end": "from {start:moment} until {end:moment}",
    "bounds.counted": "counted from when it is added",
    "bounds.at_once": "starting as soon as it is added",
    "bounds.added": "from the day it is added",
    "bounds.added_end": "from the day it is added until {end:moment}",
    "first.added": "and once as soon as it is added",
    "first.at": "and once at {moment:moment}",
    "first.begins": "and first at {moment:moment}",
    "fires.once": "only once",
    "fires.times": "{number:number} times in total",
    "added": "and also at {moments:moment|and}",
    "added.many": "and also at {number:number} times from {first:moment} to {last:moment}",
    "fires.once_from": "only once {since}",
    "fires.times_from": "{number:number} times in total {since}",
    "since": "from {start:moment}",
    "since.added": "from when it is added",
    "skipping_dates": "skipping dates that don't exist",
    "delayed": "delayed by up to {longest:count|and}",
    "gap.skip": "skipping times that don't exist",
    "gap.shift": "moving times that don't exist forward with the clocks",
    "fold.first": "firing at the first occurrence of times that come twice",
    "fold.second": "firing at the second occurrence of times that come twice",
    "fold.both": "firing at both occurrences of times that come twice",
    "except": "except {exceptions|and}",
    "except.dates": "on {dates:moment|and}",
    "except.span": "from {first:moment} to {last:moment}",
    "except.many": "on {number:number} dates from {first:moment} to {last:moment}",
    "except.moments": "at {moments:moment|and}",
    "except.window": "from {first:moment} to {last:moment}",
    "except.closed": "on {days:plural|and}",
    "except.events": "during the events of a calendar",
    "except.days_of": "on the days of {name}",
    "except.some_days": "on days that a collection has",
    "except.function": "when {name} says so",
    "except.some_function": "when a function says so",
    "closed.weekday": "{weekday:weekday}",
    "closed.weekday/plural": "{weekday:plural}",
    "closed.holidays": "holiday",
    "closed.holidays/plural": "holidays",
    "closed.holidays_of": "holiday of {place}",
    "closed.holidays_of/plural": "holidays of {place}",
    "business": "business days being all but {closed:plural|and}",
    "business.all": "all days being business days",
    "rolled.next": "moved to the next business day if on a {closed|or}",
    "rolled.previous": "moved to the previous business day if on a {closed|or}",
    "shifted.later": "each {distance:count|and} later",
    "shifted.earlier": "each {distance:count|and} earlier",
    "spread": "spread over {span:count|and} by the job's id",
    "spread.by": "spread over {span:count|and} by the job's id, which is about {delay:count|and} later",
    "within": "only {spans|and}",
    # the sentence
    "never": "never fires: {what}",
    "next": "; next: {moment:exact}",
    "next.never": "; next: never",
}


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _place(number: int) -> str:
    return _ORDINALS[number - 1] if number <= len(_ORDINALS) else _ordinal(number)


def _clock(time: Clock) -> str:
    minutes, second = divmod(time.seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{second:02}" if time.has_seconds else "")


def _unit(count: Count) -> str:
    one, many = _UNITS.get(count.unit, (count.unit, f"{count.unit}s"))
    return one if count.number == 1 else many


def _count(count: Count) -> str:
    return f"{digits(count.number)} {_unit(count)}"


def _each(count: Count) -> str:
    return _unit(count) if count.number == 1 else _count(count)


def _moment(moment: Moment | date) -> str:
    if isinstance(moment, date):
        return moment.isoformat()
    wall = moment.wall.replace(tzinfo=None)
    text = f"{wall.date()} " + wall.time().isoformat(
        "minutes" if not (wall.second or wall.microsecond) else "auto"
    )
    return f"{text} {moment.zone}".rstrip()


def _exact(moment: Moment) -> str:
    wall = moment.wall.replace(tzinfo=None)
    day = _WEEKDAYS[wall.weekday()][:3]
    return f"{day} {wall.date()} {wall.time().isoformat('seconds')} {moment.zone}".rstrip()


def _weekday(weekday: Weekday) -> str:
    return _WEEKDAYS[weekday.number]


def _month(month: Month) -> str:
    return _MONTHS[month.number - 1]


CATALOGUE = Catalogue(
    templates=TEMPLATES,
    forms={
        "clock": _clock,
        "count": _count,
        "angle": lambda degrees: f"{degrees:g}°",
        "decimal": lambda number: f"{number:g}",
        "each": _each,
        "exact": _exact,
        "latitude": lambda degrees: f"{abs(degrees):.10g}° {'S' if degrees < 0 else 'N'}",
        "longitude": lambda degrees: f"{abs(degrees):.10g}° {'W' if degrees < 0 else 'E'}",
        "moment": _moment,
        "month": _month,
        "name": _unit,
        "number": str,
        "ordinal": _ordinal,
        "place": _place,
        "plural": lambda weekday: f"{_weekday(weekday)}s",
        "weekday": _weekday,
    },
    conjunctions={"and": " and ", "or": " or ", "comma": ", ", "none": ""},
    order=("times", "days", "weeks", "months", "years"),
    order_with=dict.fromkeys(
        ("times.hash_day", "times.hash_span", "times.hash_hour"),
        ("days", "weeks", "months", "years", "times"),
    ),
    spans=frozenset(
        {
            "times.every_span",
            "whole.hours",
            "days.weekday_span",
            "days.spans_of_month",
            "days.date_spans",
            "months.span",
            "years.span",
        }
    ),
    heavy=frozenset(
        {
            "times.mixed",
            "times.hash_minute",
            "times.hash_minute_second",
            "times.hash_past",
            "times.hash_span_past",
            "times.hash_second",
            "times.hash_every",
            "days.hash",
            "days.hash_span",
            "days.hash_weekday",
            "days.hash_weekdays",
            "days.either",
            "days.fall",
            "days.also",
        }
    ),
)
