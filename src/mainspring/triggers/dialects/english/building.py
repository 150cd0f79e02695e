"""The trigger that a sentence means."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.business_day import BusinessDayTrigger
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.expressions import WEEKDAYS
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.dialects.english.sentence import Days, Moment, Sentence
from mainspring.triggers.dialects.english.times import (
    DAY,
    HOUR,
    MINUTE,
    Fields,
    as_fields,
    in_part,
    text_of,
    within,
)
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.limiting import LimitedTrigger
from mainspring.triggers.shifting import ShiftedTrigger
from mainspring.triggers.sun import SunTrigger
from mainspring.triggers.weekly import WeeklyTrigger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from mainspring.errors import CronSyntaxError
    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["Builder"]

_TIME_EXPECTED = "a time of the day is missing: expected 'at' and a time, such as 'at 09:00'"
#: A schedule that needs more cron triggers than that is none that people say.
_MOST_FIELDS = 150
_DATE_FIELDS = frozenset({"day", "day_of_week", "month"})
#: The clauses that may stand beside one about the sun.
_BESIDE_THE_SUN = frozenset(
    {
        "sun", "height of the sun", "height of the place", "distance", "zone", "start", "end", "delay", "except", "window", "spread",
        "shift", "roll", "number of times",
    }
)  # fmt: skip
_MONTHS_OF_YEAR = 12
_ALL_MONTHS = set(range(1, 13))


class Builder:
    """Makes the trigger of a sentence.

    Args:
        sentence: all of its clauses.
        zone: for a sentence without one.
        words: where they stand, for errors.
    """

    def __init__(self, sentence: Sentence, zone: tzinfo | None, words: Words) -> None:
        self.sentence = sentence
        self.zone = sentence.zone or zone
        self._words = words

    def build(self) -> BaseTrigger:
        """The trigger, with its exceptions and rules."""
        sentence = self.sentence
        self._take_time_of_start()
        self._take_part_of_day()
        if sentence.once is not None:
            return self._with_extra([self._once(sentence.once)])
        if sentence.sun is not None or sentence.depression is not None or sentence.elevation is not None:
            return self.with_rules(self._with_extra([self._sun()]))
        if sentence.chosen or sentence.starts_by_choice:
            self._take_choice()
        self._place_step()
        return self.with_rules(self._with_extra(self._triggers()))

    def _with_extra(self, triggers: Sequence[BaseTrigger]) -> BaseTrigger:
        """The schedules, and single times besides."""
        extra = [DateTrigger(one.text(), timezone=one.zone or self.zone) for one in self.sentence.extra]
        together = [*triggers, *extra]
        return together[0] if len(together) == 1 else OrTrigger(together)

    def with_rules(self, trigger: BaseTrigger) -> BaseTrigger:
        """A trigger with what changes any trigger: exceptions, business days, a number of times, a delay."""
        sentence = self.sentence
        has_own = type(trigger) is not OrTrigger
        if sentence.first == "now" and not has_own:
            trigger = OrTrigger([*trigger.triggers, DateTrigger()])  # type: ignore[attr-defined]  # see above
        if sentence.jitter and not has_own:
            trigger = OrTrigger(trigger.triggers, jitter=sentence.jitter)  # type: ignore[attr-defined]  # as above
        if sentence.excluded_weekdays and not self._is_by_fields(trigger):
            weekend = [WEEKDAYS[day] for day in sorted(sentence.excluded_weekdays)]
            trigger = trigger.excluding(BusinessCalendar(weekend=weekend))
        if sentence.excluded:
            trigger = trigger.excluding(*(self._exclusion(*pair) for pair in sentence.excluded))
        if sentence.windows is not None:
            trigger = trigger.within(
                ",".join(f"{_clock(first)}-{_clock(last)}" for first, last in sentence.windows)
            )
        if sentence.spread is not None:
            trigger = trigger.spread(timedelta(seconds=sentence.spread))
        if sentence.shift:
            trigger = ShiftedTrigger(trigger, timedelta(seconds=sentence.shift))
        if sentence.roll is not None:
            trigger = trigger.on_business_days(roll=sentence.roll)
        if sentence.count is not None and (self._changes_times() or not has_own):
            trigger = LimitedTrigger(trigger, sentence.count, self._counted_from())
        return trigger

    def _changes_times(self) -> bool:
        """Whether the times of the day and of the week aren't all, so that they aren't what is counted."""
        sentence = self.sentence
        return bool(
            sentence.excluded
            or sentence.excluded_weekdays
            or sentence.roll
            or sentence.windows
            or sentence.spread
            or sentence.shift
            or sentence.sun
            or sentence.counted_from
        )

    def _counted_from(self) -> datetime | None:
        """Where the number of times is counted from, as `limited` takes it."""
        moment = self.sentence.counted_from
        if not isinstance(moment, Moment):
            return None
        zone = moment.zone or self.zone
        if zone is None:
            raise self._error(
                "number of times", "to count from a moment on, write its time zone: '2026-03-01 09:00 UTC'"
            )
        return datetime.fromisoformat(moment.text()).replace(tzinfo=zone)

    def _exclusion(self, first: Moment, last: Moment) -> Any:
        """A day, or days, or a stretch of time, as `excluding` takes it."""
        if first.second is None and last.second is None:
            days = (date.fromisoformat(first.day), date.fromisoformat(last.day))
            return days[0] if days[0] == days[1] else days
        ends = []
        for moment, default in ((first, 0), (last, DAY - 1)):
            zone = moment.zone or self.zone
            if zone is None:
                raise self._error(
                    "except", "to leave out a stretch of time, write its time zone: '2026-03-01 09:00 UTC'"
                )
            ends.append(datetime.fromisoformat(moment.text(default)).replace(tzinfo=zone))
        return ends[0] if first is last else (ends[0], ends[1])

    def _options(self) -> dict[str, Any]:
        """The parameters that the triggers have in common."""
        sentence = self.sentence
        options: dict[str, Any] = {
            "timezone": self.zone
            or (sentence.start and sentence.start.zone)
            or (sentence.end and sentence.end.zone)
        }
        if sentence.gap is not None:
            options["gap"] = sentence.gap
        if sentence.fold is not None:
            options["fold"] = sentence.fold
        return options

    def _own_options(self, triggers: int = 1) -> dict[str, Any]:
        """The parameters of a trigger that is alone."""
        sentence = self.sentence
        if triggers > 1 or sentence.extra:
            return {}
        options: dict[str, Any] = {}
        if sentence.jitter:
            options["jitter"] = sentence.jitter
        if sentence.first is not None:
            if sentence.start is not None:
                raise self._error(
                    "start", "this says when to begin, and 'as soon as it is added' does too: write one"
                )
            options["first"] = sentence.first
        if sentence.count is not None and not self._changes_times():
            options["max_fires"] = sentence.count
        return options

    def _moments(self) -> dict[str, Any]:
        """The first and the last moment; a last day is meant as a whole."""
        sentence = self.sentence
        moments: dict[str, Any] = {}
        for name, moment, default in (("start_date", sentence.start, 0), ("end_date", sentence.end, DAY - 1)):
            if moment is not None:
                text = moment.text(default)
                moments[name] = (
                    text if moment.zone is None else datetime.fromisoformat(text).replace(tzinfo=moment.zone)
                )
        return moments

    def _dates(self) -> dict[str, Any]:
        """The first and the last day, of triggers that count days."""
        dates: dict[str, Any] = {}
        for name, place, moment in (
            ("start_date", "start", self.sentence.start),
            ("end_date", "end", self.sentence.end),
        ):
            if moment is not None:
                if moment.second and not (
                    place == "start" and moment.second <= min(self.sentence.times or {0})
                ):
                    raise self._error(place, "days are counted here: write a date without a time")
                dates[name] = date.fromisoformat(moment.day)
        return dates

    def _once(self, once: Moment | str) -> DateTrigger:
        sentence = self.sentence
        others = set(sentence.places) - {"date", "zone"}
        if isinstance(once, Moment) and once.second is None and sentence.times and len(sentence.times) == 1:
            once.second = next(iter(sentence.times))
            others.discard("times")
        if others:
            raise self._error(min(others), "a single time takes nothing but a time zone beside it")
        if not isinstance(once, Moment):
            return DateTrigger()
        if once.second is None:
            raise self._at_end(_TIME_EXPECTED)
        return DateTrigger(once.text(), timezone=once.zone or self.zone)

    def _sun(self) -> SunTrigger:
        sentence, said = self.sentence, self.sentence.sun
        if said is None:
            raise self._at_end("an event of the sun is missing, such as 'at dawn at 52.52° N, 13.405° E'")
        others = sorted(sentence.places.keys() - _BESIDE_THE_SUN)
        if others or sentence.distance:
            raise self._error(
                others[0] if others else "distance",
                "the sun's events come every day: what may be beside them are dates from and until which, exceptions, a window and a time zone",
            )
        options: dict[str, Any] = {
            name: value
            for name, value in (
                ("depression", sentence.depression),
                ("elevation", sentence.elevation),
                ("jitter", sentence.jitter),
            )
            if value is not None
        }
        return SunTrigger(
            said.event,
            latitude=said.latitude,
            longitude=said.longitude,
            offset=timedelta(seconds=said.offset),
            **self._options(),
            **self._moments(),
            **options,
        )

    # What the job's id chooses

    def _take_choice(self) -> None:
        """Make fields of what the job's id chooses, and of the distance that begins where it chooses."""
        sentence, chosen = self.sentence, self.sentence.chosen
        if sentence.starts_by_choice:
            step = sentence.step
            if step is None or step % MINUTE or HOUR % step or chosen.keys() & {"hour", "minute"}:
                raise self._error(
                    "choice", "expected a distance that divides the hour, such as 'every 15 minutes'"
                )
            sentence.step = None
            chosen |= {"hour": "*", "minute": f"H/{int(step) // MINUTE}"}
        twice = [
            name
            for name, said in (
                ("hour", sentence.times is not None or sentence.step is not None or sentence.hours),
                ("day", sentence.days and sentence.days.month_days),
                ("day_of_week", sentence.days and sentence.days.weekdays),
                ("month", sentence.months is not None),
            )
            if said and name in chosen
        ]
        if twice or sentence.distance is not None or (sentence.days and sentence.days.business_days):
            raise self._error("choice", "the job's id chooses this, and it is said besides: leave one out")

    # Distances in seconds

    def _take_time_of_start(self) -> None:
        """``every day from 2026-03-01 09:00`` is at 09:00."""
        sentence, start = self.sentence, self.sentence.start
        if (
            start is not None
            and start.second is not None
            and sentence.times is None
            and (sentence.distance or sentence.is_every_day)
        ):
            sentence.times, start.second = {start.second}, None
            self.zone = self.zone or start.zone

    def _is_restricted(self) -> bool:
        sentence = self.sentence
        return bool(
            sentence.days
            or sentence.months is not None
            or sentence.years
            or sentence.weeks
            or sentence.is_every_day
            or sentence.excluded_months
            or sentence.distance
        )

    def _place_step(self) -> None:
        """Of ``every 15 minutes`` make times of the day, where they are the same on each day."""
        sentence = self.sentence
        step = sentence.step
        if sentence.times is not None and (sentence.hours is not None or step is not None):
            step = self._narrow_hours(sentence.times)
        if step is None:
            if sentence.hours is not None:
                raise self._error(
                    "hours", "from when to when goes with a distance, such as 'every 30 minutes'"
                )
            return
        if sentence.times is not None:
            raise self._error(
                "distance", "this repeats within the day, and there are times of the day besides: write one"
            )
        whole = int(step) if step == int(step) else None
        if sentence.hours is not None:
            if whole is None:
                raise self._error("distance", "times of the day have whole seconds: write a whole number")
            sentence.step, sentence.times = None, set()
            for first, last in sentence.hours:
                sentence.times |= within(whole, first, last)
                if last < first:
                    sentence.places.setdefault("window over midnight", sentence.places["hours"])
            return
        if not self._is_restricted() and (
            sentence.start or sentence.starts_when_added or not _divides_hour(whole)
        ):
            return
        if whole is None or DAY % whole:
            raise self._error(
                "distance",
                "this doesn't divide the day: write from when to when on each day, such as 'from 08:00 to 18:00'",
            )
        sentence.times, sentence.step = within(whole, 0, DAY - 1), None

    def _narrow_hours(self, times: set[int]) -> float | None:
        """Of times that are the same in every hour, keep those in the hours that are said besides: from when to when, or every so many hours.

        Returns:
            the distance that is still to be placed.
        """
        sentence = self.sentence
        offsets = {time % HOUR for time in times}
        if len(times) != 24 * len(offsets):
            return sentence.step
        if sentence.hours is not None:
            inside: set[int] = set()
            for first, last in sentence.hours:
                inside |= within(1, first, last)
                if last < first:
                    sentence.places.setdefault("window over midnight", sentence.places["hours"])
            sentence.times, sentence.hours = times & inside, None
        if sentence.step is not None and not sentence.step % HOUR and not DAY % sentence.step:
            hours = within(int(sentence.step), 0, DAY - 1)
            sentence.times = {time for time in sentence.times or () if time - time % HOUR in hours}
            sentence.step = None
        return sentence.step

    # What makes times of the day be meant otherwise, or be counted

    def _take_part_of_day(self) -> None:
        """``8 in the evening`` is 20:00."""
        sentence, part = self.sentence, self.sentence.part_of_day
        if part is None or sentence.times is None:
            return
        times = set()
        for time in sentence.times:
            meant = time if time in sentence.exact_times else in_part(part, time)
            if meant is None or in_part(part, meant) != meant:
                raise self._error("part of the day", f"{_clock(time)[:5]} is no time of the {part}")
            times.add(meant)
        sentence.times = times

    def _check_frequency(self) -> None:
        """See that ``twice a day`` is as often as the days and times say."""
        sentence = self.sentence
        if sentence.frequency is None:
            return
        count, unit = sentence.frequency
        if sentence.times is None and sentence.days is None:
            seconds = {"hour": HOUR, "day": DAY}.get(unit, 0)
            step = seconds // count if count and not seconds % count else 0
            if step % HOUR and HOUR % step:
                step = 0  # it is at no times that anybody means
            size, name = (HOUR, "hours") if step and not step % HOUR else (MINUTE, "minutes")
            raise self._words.refuse(
                sentence.places["distance"],
                f"when? Expected so many times, such as 'at 09:00 and 17:00', or a distance, such as 'every 12 {'minutes' if unit == 'hour' else 'hours'}'",
                hint=f"every {step // size} {name}" if step else None,
            )
        if sentence.times is None:
            return
        said = sentence.days or Days()
        days = len(said.weekdays) if unit == "week" else len(said.month_days) + len(said.business_days)
        found = len(sentence.times) * (days if unit in ("week", "month") else 1)
        found //= 24 if unit == "hour" else 1
        if (
            unit not in ("hour", "day", "week", "month")
            or (days and found != count)
            or (unit in ("hour", "day") and found != count)
        ):
            raise self._error("distance", f"this says {count} times a {unit}, and there are {found}")
        if unit == "hour":
            sentence.distance = None

    # Which trigger

    def _triggers(self) -> list[BaseTrigger]:
        sentence = self.sentence
        self._check_frequency()
        if (
            sentence.is_by_month
            and sentence.days is None
            and not sentence.is_every_day
            and sentence.distance is None
            and sentence.step is None
        ):
            raise self._at_end(
                "the day is missing: expected 'on' and a day, such as 'on the 1st', or 'every day'"
            )
        if sentence.step is not None:
            options = self._options()
            if options.pop("gap", None) or options.pop("fold", None):
                raise self._error(
                    "distance", "equal distances don't care for changes of the clocks: leave that out"
                )
            options |= self._moments() | self._own_options()
            span = timedelta(seconds=sentence.step)
            return [
                IntervalTrigger(
                    days=span.days, seconds=span.seconds + span.microseconds / 1_000_000, **options
                )
            ]
        if sentence.distance is not None:
            found = self._by_distance(sentence.distance)
            if found is not None:
                return found
        if sentence.times is None and "hour" not in sentence.chosen:
            raise self._at_end(_TIME_EXPECTED)
        return self._by_fields()

    def _by_distance(self, distance: tuple[int, int, int, int]) -> list[BaseTrigger] | None:
        """The triggers of ``every 2 weeks``; ``None`` if the days say all."""
        sentence = self.sentence
        years, months, weeks, days = distance
        if sentence.weeks or (sentence.years and weeks + days):
            raise self._error(
                "distance",
                "a distance of days or weeks can't be within some years or weeks only: write 'from' a date",
            )
        if sentence.excluded_months:
            raise self._error("except", "a distance can't leave months out: write dates to leave out")
        if sentence.times is None:
            raise self._at_end(_TIME_EXPECTED)
        said = sentence.days
        if said is None:
            return self._from_a_day(distance)
        if not (years or months or days):
            return self._weekly(weeks, said)
        if weeks or days:
            raise self._error(
                "distance", "a distance in days has no weekdays or days of the month beside it: leave one out"
            )
        return self._monthly(years * _MONTHS_OF_YEAR + months, said)

    def _from_a_day(self, distance: tuple[int, int, int, int]) -> list[BaseTrigger]:
        """Every so many days, counted from a day, or from when the trigger is added."""
        sentence = self.sentence
        years, months, weeks, days = distance
        if sentence.months is not None:
            raise self._at_end(
                "the day is missing: expected 'on' and a day, such as 'on the 1st' or 'on Mondays'"
            )
        if (
            sentence.start is None
            and not sentence.starts_when_added
            and (years or months or (weeks, days) == (1, 0))
        ):
            raise self._at_end(
                "the day is missing: expected 'on' and a day, such as 'on the 1st' or 'on Mondays', or 'from' and a date"
            )
        times = sorted(sentence.times or ())
        self._check_number(len(times))
        options = self._options() | self._dates() | self._own_options(len(times))
        return [
            CalendarIntervalTrigger(
                years=years, months=months, weeks=weeks, days=days, hour=time // HOUR, minute=time // MINUTE % 60,
                second=time % 60, **options,
            )
            for time in times
        ]  # fmt: skip

    def _weekly(self, weeks: int, said: Days) -> list[BaseTrigger] | None:
        sentence = self.sentence
        if said.month_days or said.business_days:
            raise self._error(
                "distance", "weeks have weekdays: expected 'on Mondays', or a distance in months"
            )
        if weeks == 1:
            return None
        if sentence.months is not None:
            raise self._error(
                "distance", "every so many weeks goes on through the year: leave the months out"
            )
        times = [_clock(time) for time in sorted(sentence.times or ())]
        self._check_number(len(times))
        weekdays = said.weekdays - sentence.excluded_weekdays
        if not weekdays:
            raise self._error("except", "no weekday is left")
        options = self._options() | self._dates() | self._own_options()
        if sentence.week_start is not None:
            options["week_start"] = sentence.week_start
        return [WeeklyTrigger([WEEKDAYS[day] for day in sorted(weekdays)], times, weeks=weeks, **options)]

    def _monthly(self, distance: int, said: Days) -> list[BaseTrigger] | None:
        """Every so many months, on days of the month."""
        sentence = self.sentence
        if distance == 1 and not said.weekdays:
            return None
        if said.weekdays and not said.month_days:
            raise self._error(
                "distance",
                "which week of the month? Expected a day such as 'on the first Monday', or 'on the 1st'",
            )
        if distance == _MONTHS_OF_YEAR:
            if sentence.months is None:
                raise self._at_end("the month is missing: expected a date such as 'on 1 January'")
            return None
        first = self._first_date(said)
        if sentence.months is None and _MONTHS_OF_YEAR % distance == 0:
            month = 1 if first is None else first.month
            if sentence.is_by_quarter and first is None and _is_from_end(said):
                month = distance
            sentence.months = {
                (month - 1 + ahead) % _MONTHS_OF_YEAR + 1 for ahead in range(0, _MONTHS_OF_YEAR, distance)
            }
            return None
        if first is None or not (_is_plain(said) or (sentence.months and not distance % _MONTHS_OF_YEAR)):
            raise self._error(
                "distance",
                "from when is that counted? Expected 'from' and a date, and a single day such as 'on the 1st'",
            )
        is_of_years = (
            sentence.months is not None and sentence.years is None and not distance % _MONTHS_OF_YEAR
        )
        if is_of_years and (not _is_plain(said) or len(sentence.months or ()) > 1):
            sentence.years = f"{first.year}/{distance // _MONTHS_OF_YEAR}"
            return None
        if sentence.months is not None and not is_of_years:
            raise self._error("distance", "a distance in months has no months beside it: leave one out")
        years, months = divmod(distance, _MONTHS_OF_YEAR)
        times = sorted(sentence.times or ())
        self._check_number(len(times))
        options = self._options() | self._dates() | self._own_options(len(times)) | {"start_date": first}
        return [
            CalendarIntervalTrigger(
                years=years,
                months=months,
                hour=time // HOUR,
                minute=time // MINUTE % 60,
                second=time % 60,
                **options,
            )
            for time in times
        ]

    def _first_date(self, said: Days) -> date | None:
        """The first date from the start on that is one of the days; of days that aren't numbers, the start itself."""
        start = self.sentence.start
        if start is None:
            return None
        day = date.fromisoformat(start.day)
        if not _is_plain(said):
            return day
        months = self.sentence.months or _ALL_MONTHS
        for year in range(day.year, min(day.year + 9, date.max.year + 1)):
            for month in sorted(months):
                try:
                    found = date(year, month, int(said.month_days[0]))
                except ValueError:
                    continue
                if found >= day:
                    return found
        return None

    # Fields of cron triggers

    def _by_fields(self) -> list[BaseTrigger]:
        sentence = self.sentence
        chosen = sentence.chosen
        fields = as_fields(sentence.times or ())
        if "hour" in chosen:
            fields = [Fields(chosen["hour"], chosen["minute"], chosen.get("second", "0"))]
        days = self._day_fields()
        business_days = sentence.days.business_days if sentence.days is not None else []
        number = len(fields) * (len(days) + bool(business_days))
        self._check_number(number)
        if "window over midnight" in sentence.places and self._is_restricted_to_days():
            raise self._error(
                "window over midnight",
                "this goes on over midnight, and the days that are said may mean its beginning or each of its times: write two windows",
            )
        options = self._options() | self._moments() | self._own_options(number)
        months = self._months()
        triggers: list[BaseTrigger] = []
        for field in fields:
            triggers += [self._cron(field, day, months, options) for day in days]
            if business_days:
                triggers.append(self._business(field, business_days, months, options))
        return triggers

    def _is_restricted_to_days(self) -> bool:
        sentence = self.sentence
        return bool(sentence.days or sentence.years or sentence.weeks or sentence.months is not None)

    def _cron(
        self, field: Fields, day: dict[str, str], months: str | None, options: dict[str, Any]
    ) -> CronTrigger:
        sentence = self.sentence
        given: dict[str, Any] = day | {
            name: text for name, text in sentence.chosen.items() if name in _DATE_FIELDS
        }
        if months is not None:
            given["month"] = months
        if sentence.years is not None:
            given["year"] = sentence.years
        if sentence.weeks is not None:
            given["week"] = sentence.weeks
        if field.second != "0":
            given["second"] = field.second
        return CronTrigger(**given, hour=field.hour, minute=field.minute, **options)

    def _business(
        self, field: Fields, days: list[int], months: str | None, options: dict[str, Any]
    ) -> BusinessDayTrigger:
        if self.sentence.years or self.sentence.weeks:
            raise self._error(
                "days",
                "business days of the month can't be in some years or weeks only: write 'from' and 'until'",
            )
        closed = self.sentence.closed
        calendar = None if closed is None else BusinessCalendar(weekend=sorted(closed))
        return BusinessDayTrigger(
            days,
            month=months,
            hour=field.hour,
            minute=field.minute,
            second=field.second,
            calendar=calendar,
            **options,
        )

    def _months(self) -> str | None:
        sentence = self.sentence
        months = _ALL_MONTHS if sentence.months is None else sentence.months
        months = months - sentence.excluded_months
        if not months:
            raise self._error("except" if sentence.excluded_months else "months", "no month is left")
        return None if months == _ALL_MONTHS else text_of(months, 1, _MONTHS_OF_YEAR)

    def _day_fields(self) -> list[dict[str, str]]:
        """The fields for days of each cron trigger that is needed."""
        sentence = self.sentence
        said = sentence.days or Days()
        if sentence.week_start is not None:
            raise self._error(
                "first day of the week", "that matters only where weeks are counted: expected 'every 2 weeks'"
            )
        left = set(range(7)) - sentence.excluded_weekdays
        some = _weekday_text(left) if sentence.excluded_weekdays else None
        if sentence.days is None:
            return [{} if some is None else {"day_of_week": some}]
        weekdays = said.weekdays & left
        if not left or (said.weekdays and not weekdays):
            raise self._error("except", "no weekday is left")
        of_month = {"day": ",".join(said.month_days)}
        if said.is_both:
            return [of_month | {"day_of_week": _weekday_text(weekdays)}]
        if said.also:
            if some is not None:
                raise self._error("except", "the weekdays that are meant are said: leave those out")
            return [of_month | {"day_of_week": ",".join(said.also)}]
        found = []
        if said.month_days:
            found.append(of_month if some is None else of_month | {"day_of_week": some})
        if weekdays:
            found.append({} if len(weekdays) == len(WEEKDAYS) else {"day_of_week": _weekday_text(weekdays)})
        return found

    def _is_by_fields(self, trigger: BaseTrigger) -> bool:
        """Whether the weekdays that are left out are left out by the fields."""
        inner = trigger.triggers if isinstance(trigger, OrTrigger) else [trigger]
        return all(type(one) in (CronTrigger, WeeklyTrigger, DateTrigger) for one in inner)

    # Errors

    def _check_number(self, number: int) -> None:
        if number > _MOST_FIELDS:
            raise self._error(
                "times",
                "these times of the day have no pattern: write a distance that divides the hour, or fewer times",
            )

    def _error(self, place: str, reason: str) -> CronSyntaxError:
        token = self.sentence.places.get(place)
        return self._words.refuse(self._words.token if token is None else token, reason)

    def _at_end(self, reason: str) -> CronSyntaxError:
        """The error that something is missing where the sentence ends."""
        return self._words.refuse(self._words.token, reason)


def _divides_hour(step: int | None) -> bool:
    """Whether ``every so many seconds`` is the same in each hour, and so on the clock."""
    if step is None or not 0 < step < HOUR:
        return False
    return MINUTE % step == 0 if step < MINUTE else HOUR % step == 0 and step % MINUTE == 0


def _is_from_end(said: Days) -> bool:
    """Whether all days are counted from the end of a month."""
    from_end = said.counted_from_end()
    return bool(from_end) and all(from_end) and not said.weekdays


def _is_plain(said: Days) -> bool:
    return (
        len(said.month_days) == 1
        and said.month_days[0].isdigit()
        and not said.weekdays
        and not said.business_days
    )


def _weekday_text(days: set[int]) -> str:
    """Weekdays as a cron field has them: three and more in a row as a range."""
    texts = []
    for first in sorted(days):
        if first - 1 in days:
            continue
        last = first
        while last + 1 in days:
            last += 1
        names = WEEKDAYS[first : last + 1]
        texts += [f"{names[0]}-{names[-1]}"] if last - first > 1 else names
    return ",".join(texts)


def _clock(time: int) -> str:
    return f"{time // HOUR:02}:{time // MINUTE % 60:02}:{time % 60:02}"
