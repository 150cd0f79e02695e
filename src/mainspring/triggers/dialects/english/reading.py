"""The grammar: which clauses there are, and what each says. docs/triggers/dialects/english.md has it as a whole."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfoNotFoundError

from mainspring.timezones import astimezone, zone_names
from mainspring.triggers.cron.expressions import WEEKDAYS
from mainspring.triggers.dialects.english.chosen import WHO_CHOOSES, read_chosen, read_chosen_start
from mainspring.triggers.dialects.english.sentence import Days, Moment, Sentence
from mainspring.triggers.dialects.english.sun import read_depression, read_elevation, read_sun
from mainspring.triggers.dialects.english.times import DAY, HOUR, MINUTE, crossed, text_of, within
from mainspring.triggers.dialects.english.words import A_CLAUSE, MONTH_WORDS, WEEKDAY_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from mainspring.errors import CronSyntaxError
    from mainspring.triggers.dialects.english.words import Token, Words

__all__ = ["Reader"]

_SECONDS = {"second": 1, "minute": MINUTE, "hour": HOUR}
_DISTANCES = {
    "day": (0, 0, 0, 1),
    "week": (0, 0, 1, 0),
    "fortnight": (0, 0, 2, 0),
    "month": (0, 1, 0, 0),
    "quarter": (0, 3, 0, 0),
    "year": (1, 0, 0, 0),
}
_UNITS = {
    **{word: unit for unit in (*_SECONDS, *_DISTANCES) for word in (unit, f"{unit}s")},
    "sec": "second",
    "secs": "second",
    "min": "minute",
    "mins": "minute",
    "hr": "hour",
    "hrs": "hour",
}
_ADVERBS = {
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "quarterly": "quarter",
    "yearly": "year",
    "annually": "year",
}
_WORKDAYS, _WEEKEND = set(range(5)), {5, 6}
_POSITIONS = ["1st", "2nd", "3rd", "4th", "5th"]
_LONGEST_MONTH = 31
_MOST_WEEKS = 53
_LAST_SECOND = DAY - 1


class Reader:
    """Reads one sentence after the other from the same words."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.sentence = Sentence()
        #: Where the clause that is being read begins.
        self._place = words.token

    def read(self) -> Sentence:
        """The sentence that comes next, up to the end, ``and also`` or a bracket."""
        self.sentence = Sentence()
        words = self.words
        while True:
            start = words.at
            if self._has_clauses():
                if words.token.text == ",":
                    words.at += 1
                if words.token.text == "and":
                    words.at += 1
            if self._has_clauses() and self._also_at():
                continue
            if words.token.text == "also" or words.token.text in (";", ")"):
                words.at = start
                break
            self._place = place = words.token
            name = self._clause()
            if name is None:
                words.at = start
                break
            if name in self.sentence.places and name not in ("times", "except", "choice"):
                raise words.refuse(place, f"this says the {name} a second time: say it once")
            self.sentence.places.setdefault(name, place)
        if not self._has_clauses():
            raise words.fail()
        return self.sentence

    def _also_at(self) -> bool:
        """Read ``also at 2026-03-04 12:00``: single times, and no other schedule."""
        words = self.words
        if (words.token.text, words.ahead(1).text, words.ahead(2).kind) != ("also", "at", "date"):
            return False
        words.at += 2
        self.sentence.extra += words.several(self._moment)
        return True

    def _has_clauses(self) -> bool:
        return bool(self.sentence.places)

    def _clause(self) -> str | None:
        """Read a clause; its name, or ``None`` if there is none."""
        clauses: list[Callable[[], str | None]] = [
            self._sun,
            self._choice,
            self._once,
            self._count,
            self._options,
            self._hours_of_day,
            self._placing,
            self._rolling,
            self._every,
            self._at,
            self._from,
            self._until,
            self._in,
            self._except,
            self._zone_clause,
            self._on,
        ]
        self.words.expect(A_CLAUSE)
        start = self.words.at
        for clause in clauses:
            name = clause()
            if name is not None:
                return name
            self.words.at = start
        return None

    def _sun(self) -> str | None:
        """``30 minutes before sunset at 52.52° N, 13.405° E``, and what is told of it after a comma."""
        sentence = self.sentence
        found = read_sun(self.words)
        if found is not None:
            sentence.sun = found
            return "sun"
        depression = read_depression(self.words)
        if depression is not None:
            sentence.depression = depression
            return "height of the sun"
        elevation = read_elevation(self.words)
        if elevation is not None:
            sentence.elevation = elevation
            return "height of the place"
        return None

    def _choice(self) -> str | None:
        """``at a time that the job's id chooses``."""
        place = self.words.token
        if read_chosen_start(self.words):
            self.sentence.starts_by_choice = True
            return "choice"
        chosen = read_chosen(self.words) or self._chosen_minute()
        if chosen is None:
            return None
        if chosen.keys() & self.sentence.chosen.keys():
            raise self.words.refuse(place, "this is chosen a second time: say it once")
        self.sentence.chosen |= chosen
        return "choice"

    def _chosen_minute(self) -> dict[str, str] | None:
        """``at a minute from 0 to 29 past every hour from 09:00 to 17:00 that the job's id chooses``."""
        words = self.words
        if not words.follows("at", "a", "minute"):
            return None
        minutes = self._minutes_range() if words.token.text == "from" else (0, 59)
        if minutes is not None and minutes[0] > minutes[1]:
            raise words.refuse(words.before, f"{minutes[1]} is before {minutes[0]}")
        self._need("past")
        hours = self._hours_of_past()
        if minutes is None or not words.follows(*WHO_CHOOSES):
            words.expect('"that the job\'s id chooses"')
            raise words.fail()
        hour = text_of(set(hours), 0, 23)
        return {"hour": hour, "minute": "H" if minutes == (0, 59) else f"H({minutes[0]}-{minutes[1]})"}

    # Times of the day

    def _add_times(self, times: set[int]) -> str:
        self.sentence.times = times | (self.sentence.times or set())
        return "times"

    def _time(self) -> int | None:
        """A time of the day, or the number of an hour."""
        words = self.words
        found = words.kind("time", "a time such as '09:30'")
        if found is not None:
            return int(found.value)
        token = words.token
        if token.kind == "number" and self._is_hour(token):
            words.at += 1
            return int(token.value) * HOUR
        return None

    def _at(self) -> str | None:
        words = self.words
        if words.token.kind == "time":
            return self._clock_times()
        if not words.word("at"):
            return None
        if minutes := words.several(self._past_token):
            hours = self._hours_of_past() if words.phrase("past") else None
            if hours is None and words.phrase("every|each", "hour"):
                hours = set(range(24))
            if hours is None:
                hours = self._stepped_hours()
            return self._add_times(crossed(hours, minutes, [0]))
        if words.token.kind == "date":
            moment = self._moment()
            if moment is None or moment.second is None:
                words.expect("a time such as '09:30'")
                raise words.fail()
            self.sentence.once = moment
            return "date"
        return self._past() or self._clock_times()

    def _clock_times(self) -> str | None:
        words = self.words

        def one() -> int | None:
            words.word("at")
            token = words.token
            if token.kind == "number" and words.ahead(1).text in (*_UNITS, "times"):
                return None
            if token.kind == "number" and not self._is_hour(token):
                raise words.refuse(
                    token, f"{token.text} is no hour: expected 0 to 23, or a time such as '09:30'"
                )
            return self._time()

        times = words.several(one)
        return self._add_times(set(times)) if times else None

    def _is_hour(self, token: Token) -> bool:
        return isinstance(token.value, int) and token.value <= 23  # noqa: PLR2004 - the last hour

    def _past_token(self) -> int | None:
        token = self.words.kind("past", "minutes such as ':15'")
        if token is None:
            return None
        if token.value > 59:  # noqa: PLR2004 - as on the clock
            raise self.words.refuse(token, "there are 60 minutes in an hour: expected ':00' to ':59'")
        return int(token.value)

    def _stepped_hours(self) -> set[int]:
        """The hours of ``every 2 hours at :15``."""
        words, step = self.words, self.sentence.step
        if step is not None and step % HOUR == 0 and 24 % (step // HOUR) == 0:
            self.sentence.step = None
            self.sentence.places.pop("distance")
            return set(range(0, 24, int(step) // HOUR))
        words.expect("'past every hour'", "'every hour'")
        raise words.fail()

    def _past(self) -> str | None:
        """``5 and 35 minutes past every hour``, ``30 seconds past every minute``, ``7 minutes and 15 seconds past every hour``."""
        words = self.words
        start = words.at
        numbers = words.several(self._small_number)
        unit = words.word("minute", "minutes", "second", "seconds") if numbers else None
        if unit is None:
            words.at = start
            return None
        seconds = [0]
        if unit.startswith("minute") and words.word("and"):
            seconds = [self._needed(self._small_number)]
            if not words.word("second", "seconds"):
                raise words.fail()
        self._need("past", "after")
        if unit.startswith("minute"):
            return self._add_times(crossed(self._hours_of_past(), numbers, seconds))
        return self._add_times(self._seconds_past(numbers))

    def _small_number(self) -> int | None:
        """A number of minutes or seconds."""
        token = self.words.token
        if token.kind == "number" and isinstance(token.value, int) and token.value < 60:  # noqa: PLR2004 - as on the clock
            self.words.at += 1
            return token.value
        self.words.expect("a number from 0 to 59")
        return None

    def _hours_of_past(self) -> set[int]:
        """What follows ``past``: ``every hour from 08:00 to 18:00``, ``every second hour …``, or full hours."""
        words = self.words
        if words.word("the") and words.word("hour"):
            return set(range(24))
        if words.word("every", "each"):
            step = words.ordinal() or (2 if words.word("other") else 1)
            self._need("hour")
            hours = self._hours_from_to()
            return set(range(0, 24, step)) if hours is None else self._every_nth(hours, step)
        times = words.several(self._time)
        if not times:
            raise words.fail()
        if any(time % HOUR for time in times):
            raise words.refuse(words.token, "expected full hours, such as 08:00")
        return {time // HOUR for time in times}

    def _hours_from_to(self) -> list[int] | None:
        """The full hours in windows, in order; ``None`` if no window follows."""
        windows = self._windows()
        if not windows:
            return None
        hours: list[int] = []
        for first, last in windows:
            end = last if last >= first else last + DAY
            hours += [hour % 24 for hour in range(first // HOUR, end // HOUR + 1)]
        return hours

    def _every_nth(self, hours: list[int], step: int) -> set[int]:
        return set(hours[::step])

    def _seconds_past(self, numbers: list[int]) -> set[int]:
        words = self.words
        if words.word("every", "each"):
            step = words.ordinal() or (2 if words.word("other") else 1)
            self._need("minute")
            return crossed(range(24), range(0, 60, step), numbers) & self._minutes_from_to()
        if words.word("the") and words.word("minute"):
            return crossed(range(24), range(60), numbers)
        self._need("minute", "minutes")
        minutes = [minute for span in words.several(self._small_numbers) for minute in span]
        if not minutes or not words.phrase("of", "every|each", "hour"):
            raise words.fail()
        return crossed(range(24), minutes, numbers)

    def _minutes_from_to(self) -> set[int]:
        """The seconds of the day in windows of whole minutes, ``from 08:00 to 12:59``; all of them, if no window follows."""
        windows = self._windows() or [(0, _LAST_SECOND)]
        return {
            second % DAY
            for first, last in windows
            for second in range(first, (last if last >= first else last + DAY) + MINUTE)
        }

    def _small_numbers(self) -> list[int] | None:
        """``5``, or ``0 to 29``."""
        first = self._small_number()
        if first is None:
            return None
        last = self._small_number() if self.words.word("to") else first
        if last is None or last < first:
            raise self.words.fail()
        return list(range(first, last + 1))

    def _windows(self) -> list[tuple[int, int]]:
        """``from 08:00 to 12:00 and from 14:00 to 18:00``, or ``between`` them."""
        return self.words.several(self._window)

    def _window(self) -> tuple[int, int] | None:
        words = self.words
        start = words.at
        opening = words.word("from", "between")
        opened = words.token
        first = self._time() if opening else None
        closing = ("and",) if opening == "between" else ("to", "until", "till", "through", "-")
        if first is None or not words.word(*closing):
            words.at = start
            return None
        closed = words.token
        last = self._time()
        if last is None or words.token.text in _UNITS:
            words.at = start
            return None
        if opened.kind == closed.kind == "number" and last <= first <= 12 * HOUR:
            hour = last // HOUR
            raise words.refuse(
                closed,
                f"{hour} after {opened.text} is in the afternoon, or on the next day: write {hour % 12 + 12}:00 or {hour:02}:00",
            )
        return first, last

    # Every …

    def _every(self) -> str | None:  # noqa: PLR0911 - one for each form
        words = self.words
        token = words.token
        if token.kind == "word" and token.text in _ADVERBS:
            words.at += 1
            if token.text == "hourly" and words.token.text not in ("at", "from", "between"):
                return self._add_times(crossed(range(24), [0], [0]))
            return self._every_unit(1, _ADVERBS[token.text], token)
        if words.word("weekdays", "weekends"):
            return self._set_days(Days(weekdays=set(_WORKDAYS if token.text == "weekdays" else _WEEKEND)))
        words.word("once")
        if not words.word("every", "each"):
            return None
        token = words.token
        if token.text == "second" and not self._is_ordinal_second():
            words.at += 1
            return self._every_unit(1, "second", token)
        if self._of_days_after_every():
            return "days"
        if words.word("other"):
            return self._every_other(token)
        start = words.at
        ordinal = words.ordinal()
        if ordinal is not None:
            unit = self._unit()
            if unit is not None:
                return self._every_unit(ordinal, unit, token)
            words.at = start
        month = words.several(lambda: words.named(MONTH_WORDS, "a month"))
        if month:
            return self._set_months(set(month))
        return self._every_amount(token)

    def _is_ordinal_second(self) -> bool:
        """Whether ``second`` is the one after the first, and no unit of time: something follows that is counted."""
        following = self.words.ahead(1)
        return (
            following.text in WEEKDAY_WORDS
            or following.text in _UNITS
            or following.text in ("business", "working", "of", "to", "last")
            or (
                following.text in ("and", "or", ",")
                and self.words.ahead(2).text in ("third", "fourth", "fifth", "last")
            )
        )

    def _of_days_after_every(self) -> bool:
        """``every weekday``, ``every Monday and Thursday``, ``every first Monday of the month``, ``every 15th of the month``."""
        words = self.words
        start = words.at
        if (
            words.word("weekday", "workday")
            or words.phrase("business", "day")
            or words.phrase("working", "day")
        ):
            return self._set_more_days(_WORKDAYS)
        if words.word("weekend"):
            return self._set_more_days(_WEEKEND)
        token = words.token
        days = Days()
        if self._days_item(days) and not (days.weekdays and token.kind != "word"):
            self._more_days(days)
            of_month = self._of_months(days)
            is_ordinal = token.kind == "ordinal" or token.text in (
                "first",
                "second",
                "third",
                "fourth",
                "fifth",
            )
            if is_ordinal and not of_month:
                if token.text in ("first", "last"):
                    words.expect("'of the month'")
                    raise words.fail()
                raise words.refuse(
                    token,
                    "this may be the n-th of the month or of some weeks: write 'of the month' after it, or 'every 2 weeks on …'",
                )
            self._set_days(days)
            return True
        words.at = start
        return False

    def _set_more_days(self, weekdays: set[int]) -> bool:
        """``every weekday``, and what may follow: ``and Saturday``."""
        days = Days(weekdays=set(weekdays))
        self._more_days(days)
        self._set_days(days)
        return True

    def _every_other(self, token: Token) -> str:
        words = self.words
        unit = self._unit()
        if unit is not None:
            return self._every_unit(2, unit, token)
        weekdays = words.several(self._weekday)
        if not weekdays:
            raise words.fail()
        self._set_days(Days(weekdays=set(weekdays)))
        self.sentence.places["days"] = token
        self.sentence.distance = (0, 0, 2, 0)
        return "distance"

    def _unit(self) -> str | None:
        token = self.words.token
        if token.kind == "word" and token.text in _UNITS:
            self.words.at += 1
            return _UNITS[token.text]
        self.words.expect("a unit such as 'minutes', 'hours', 'days', 'weeks' or 'months'")
        return None

    def _every_amount(self, token: Token) -> str:
        """``every 15 minutes``, ``every hour``, ``every 2 hours and 30 minutes``, ``every year, 6 months and 2 days``."""
        words = self.words
        step = 0.0
        distance = [0, 0, 0, 0]
        for value, unit in self._amounts():
            if unit in _SECONDS:
                step += value * _SECONDS[unit]
            elif isinstance(value, float):
                raise words.refuse(token, "days, weeks, months and years are counted in whole numbers")
            else:
                distance = [
                    have + value * part for have, part in zip(distance, _DISTANCES[unit], strict=True)
                ]
        if distance[3] and (words.token.text, words.ahead(1).value, words.ahead(2).text) == (
            "of",
            24,
            "hours",
        ):
            words.at += 3
            step += distance[3] * DAY
            distance[3] = 0
        if step and any(distance):
            if distance[0] or distance[1]:
                raise words.refuse(
                    token,
                    "months and years aren't equally long: write them without hours, minutes and seconds",
                )
            step += (distance[2] * 7 + distance[3]) * DAY
            distance = [0, 0, 0, 0]
        if not step:
            if not any(distance):
                raise words.refuse(token, "the distance must be above zero")
            return self._set_distance((distance[0], distance[1], distance[2], distance[3]))
        return self._every_step(step, token)

    def _amounts(self) -> list[tuple[Any, str]]:
        words = self.words

        def one() -> tuple[Any, str] | None:
            number = words.number()
            unit = self._unit()
            return None if unit is None else (1 if number is None else number.value, unit)

        amounts = [one()]
        if amounts[0] is None:
            words.expect("'day', 'weekday', 'other' or a weekday")
            raise words.fail()
        if words.token.kind == "symbol" or words.token.text == "and":
            start = words.at
            words.word(",")
            words.word("and")
            more = words.several(lambda: one() if words.token.kind == "number" else None)
            if not more:
                words.at = start
            amounts += more
        return [amount for amount in amounts if amount is not None]

    def _every_unit(self, count: int, unit: str, token: Token) -> str:
        if unit in _SECONDS:
            return self._every_step(count * _SECONDS[unit], token)
        years, months, weeks, days = (count * part for part in _DISTANCES[unit])
        return self._set_distance((years, months, weeks, days))

    def _set_distance(self, distance: tuple[int, int, int, int]) -> str:
        if distance == (0, 0, 0, 1):
            self.sentence.is_every_day = True
        else:
            self.sentence.distance = distance
        return "distance"

    def _every_step(self, step: float, token: Token) -> str:
        """What may follow ``every 15 minutes``: windows, or where in the hour it is."""
        words = self.words
        if step == HOUR and words.phrase("on", "the", "hour"):
            return self._add_times(crossed(range(24), [0], [0]))
        start = words.at
        ranges = words.several(self._minutes_range)
        if ranges and words.token.text in ("minutes", "seconds"):
            return self._add_times(self._of_ranges(step, ranges, token))
        words.at = start
        windows = self._windows()
        if windows:
            if step != int(step):
                raise words.refuse(token, "times of the day have whole seconds: write a whole number")
            times: set[int] = set()
            for first, last in windows:
                times |= within(int(step), first, last)
                if last < first:
                    self.sentence.places.setdefault("window over midnight", token)
            return self._add_times(times)
        self.sentence.step = step
        return "distance"

    def _minutes_range(self) -> tuple[int, int] | None:
        """``from 0 to 56``, before ``minutes past every hour``."""
        words = self.words
        start = words.at
        words.word("from")
        first = self._small_number()
        if first is None or not words.word("to", "-"):
            words.at = start
            return None
        last = self._small_number()
        if last is None:
            words.at = start
            return None
        return first, last

    def _of_ranges(self, step: float, ranges: list[tuple[int, int]], token: Token) -> set[int]:
        words = self.words
        unit = words.word("minutes", "seconds")
        if unit is None:
            raise words.fail()
        small = MINUTE if unit == "minutes" else 1
        if step % small or step >= 60 * small:
            raise words.refuse(token, f"expected a distance of 1 to 59 {unit}")
        values = {value for first, last in ranges for value in range(first, last + 1, int(step) // small)}
        self._need("past")
        if unit == "minutes":
            return crossed(self._hours_of_past(), values, [0])
        return self._seconds_past(sorted(values))

    # Days

    def _set_days(self, days: Days) -> str:
        if self.sentence.days is not None:
            raise self.words.refuse(
                self._place,
                "days are said twice: write 'and on' between them if either is meant, or 'that fall on' if both are",
            )
        self.sentence.days = days
        return "days"

    def _set_months(self, months: set[int]) -> str:
        have = self.sentence.months
        self.sentence.months = months if have is None else have & months
        return "months"

    def _weekday(self) -> int | None:
        return self.words.named(WEEKDAY_WORDS, "a weekday")

    def _on(self) -> str | None:
        """``on Mondays and Thursdays``, ``on the 1st and 15th of the month``, ``on 25 December``; ``on`` may be left out."""
        words = self.words
        preposition = words.word("on")
        token = words.token
        if token.kind == "date":
            return self._on_date() if preposition else None
        if token.text == "days" and words.ahead(1).kind == "word":
            words.at += 1
            days = Days()
            weekdays = self._weekday_range()
            if not weekdays:
                raise words.fail()
            days.weekdays = weekdays
            self._falling(days)
            self._of_months(days)
            return self._set_days(days)
        days = Days()
        if not self._days_item(days):
            return None
        self._more_days(days)
        if days.weekdays and not days.month_days and not days.business_days:
            self._falling(days)
        self._of_months(days)
        self._also(days)
        return self._set_days(days)

    def _on_date(self) -> str:
        moment = self._moment()
        if moment is not None and moment.second is None and self.words.word("at"):
            moment.second = self._needed(self._time)
        self.sentence.once = moment
        return "date"

    def _more_days(self, days: Days) -> None:
        """More of what ``on`` began: after a comma, or ``and``, perhaps with ``on`` or ``from`` again."""
        words = self.words

        def another() -> bool | None:
            words.word("on")
            return True if self._days_item(days) else None

        while True:
            start = words.at
            self._of_months_noise()
            comma = words.word(",")
            if not (words.word("and", "or") or comma) or another() is None:
                words.at = start
                return

    def _of_months_noise(self) -> None:
        """``of every month`` in the middle of a list."""
        words = self.words
        start = words.at
        if words.phrase("of", "the|every|each", "month"):
            after = words.at
            words.word(",")
            if words.word("and") and words.token.text in ("on", "from"):
                words.at = after
                return
        words.at = start

    def _days_item(self, days: Days) -> bool:
        """One of a list of days; ``False`` if there is none."""
        words = self.words
        start = words.at
        for form in (
            self._weekdays_item,
            self._numbered_days,
            self._dates_of_month,
            self._last_so_many,
            self._last_days,
            self._day_range,
            self._nth_days,
        ):
            if form(days):
                return True
            words.at = start
        return False

    def _weekdays_item(self, days: Days) -> bool:
        words = self.words
        if (
            words.word("weekdays", "workdays")
            or words.phrase("business", "days")
            or words.phrase("working", "days")
        ):
            days.weekdays |= _WORKDAYS
            return True
        if words.word("weekends") or words.phrase("the", "weekend"):
            days.weekdays |= _WEEKEND
            return True
        found = self._weekday_range()
        days.weekdays |= found
        return bool(found)

    def _weekday_range(self) -> set[int]:
        """``Monday``, ``Monday to Friday``, ``from Monday to Friday``, ``mon-fri``."""
        words = self.words
        start = words.at
        opening = words.word("from", "between")
        first = self._weekday()
        if first is None:
            words.at = start
            return set()
        middle = words.at
        closing = ("and",) if opening == "between" else ("to", "through", "until", "-")
        last = self._weekday() if words.word(*closing) else None
        if last is None:
            words.at = start if opening else middle
            return set() if opening else {first}
        return {(first + ahead) % 7 for ahead in range((last - first) % 7 + 1)}

    def _numbered_days(self, days: Days) -> bool:  # noqa: PLR0911 - one for each form
        """``odd-numbered days``, ``every fifth day from the 1st to the 31st``, ``every fifth day from 1 to 31 March``."""
        words = self.words
        kind = words.word("odd-numbered", "even-numbered", "odd", "even")
        if kind is not None:
            if not words.word("days"):
                return False
            words.phrase("of", "the|every", "month")
            days.month_days.append("*/2" if kind.startswith("odd") else "2-31/2")
            return True
        if not words.word("every"):
            return False
        step = words.ordinal()
        if step is None or not words.phrase("day", "from"):
            return False
        is_ordinal = words.word("the") is not None
        number = self._day_number if is_ordinal else self._plain_day
        first = number()
        if first is None or not words.word("to") or (is_ordinal and not words.word("the")):
            return False
        last = number()
        month = None if is_ordinal else words.named(MONTH_WORDS, "a month")
        if last is None or (month is None and not is_ordinal):
            return False
        days.month_days.append(text_of(set(range(first, last + 1, step)), 1, _LONGEST_MONTH))
        if month is not None:
            self._set_months({month})
            self._year()
        return True

    def _day_number(self) -> int | None:
        """``15th``, or ``15``."""
        words = self.words
        token = words.token
        number = words.ordinal("a day such as 'the 1st'")
        if number is not None and not 1 <= number <= _LONGEST_MONTH:
            raise words.refuse(token, "a month has no such day: they are the 1st to the 31st")
        return number

    def _dates_of_month(self, days: Days) -> bool:  # noqa: PLR0911 - one for each form
        """``25 December``, ``24 to 26 December``, ``24 and 31 December``, ``December 25``, ``the 1st of January and July``."""
        words = self.words
        month = words.named(MONTH_WORDS, "a month")
        if month is not None:
            words.word("the")
            if words.token.kind == "number" and words.ahead(1).text in (*_UNITS, "to", "-"):
                return False
            number = self._plain_day() or self._day_number()
            if number is None:
                return False
            days.month_days.append(str(number))
            self._set_months({month})
            self._year()
            return True
        opening = words.word("from")
        numbers = []
        first = self._plain_day()
        if first is None:
            return False
        if words.word("to", "-"):
            last = self._plain_day()
            if last is None:
                return False
            numbers.append(f"{first}-{last}" if last > first else str(first))
        elif opening:
            return False
        else:
            numbers.append(str(first))
            start = words.at
            while words.word("and", ","):
                words.word("and")
                another = self._plain_day()
                if another is None:
                    break
                numbers.append(str(another))
                start = words.at
            words.at = start
        words.word("of")
        months = words.several(lambda: words.named(MONTH_WORDS, "a month"))
        if not months:
            return False
        days.month_days += numbers
        self._set_months(set(months))
        self._year()
        return True

    def _plain_day(self) -> int | None:
        token = self.words.token
        if token.kind == "number" and isinstance(token.value, int) and 1 <= token.value <= _LONGEST_MONTH:
            self.words.at += 1
            return token.value
        return None

    def _year(self) -> None:
        token = self.words.token
        if token.kind == "number" and isinstance(token.value, int) and 1970 <= token.value <= 9999:  # noqa: PLR2004 - of cron
            self.words.at += 1
            self.sentence.years = str(token.value)

    def _last_days(self, days: Days) -> bool:
        """``the last day``, ``the day before the last day``, ``the third day before the last day``, ``2 days before the last day``."""
        words = self.words
        words.word("the")
        if words.phrase("last", "weekday") or words.phrase("last", "workday"):
            self._monday_to_friday()
            days.month_days.append("LW")
            return True
        if words.phrase("weekday"):
            return self._nearest_workday(days)
        before: int | None = None
        if words.phrase("day", "before"):
            before = 1
        else:
            start = words.at
            number = words.ordinal() or self._plain_day()
            if number is not None and words.phrase("day|days", "before"):
                before = number
            else:
                words.at = start
        if before is not None and not words.word("the"):
            return False
        if before is not None and words.phrase("end", "of", "the", "month"):
            days.month_days.append(f"L-{before}")
            return True
        if not words.phrase("last", "day"):
            return False
        if before is not None and before >= _LONGEST_MONTH:
            raise words.refuse(words.token, "no month is so long")
        days.month_days.append(f"L-{before}" if before else "last")
        return True

    def _last_so_many(self, days: Days) -> bool:
        """``the last 7 days``."""
        words = self.words
        words.skip("the")
        if not self._is_last_so_many():
            return False
        words.at += 1
        number = self._plain_day()
        if number is None:
            return False
        words.at += 1
        days.month_days += [*(f"L-{ahead}" for ahead in range(number - 1, 0, -1)), "last"]
        return True

    def _is_last_so_many(self) -> bool:
        words = self.words
        return (words.token.text, words.ahead(1).kind, words.ahead(2).text) == ("last", "number", "days")

    def _nearest_workday(self, days: Days) -> bool:
        """``nearest to the 15th``, ``nearest to the third day before the last day``, after ``the weekday``."""
        words = self.words
        self._monday_to_friday()
        if not words.phrase("nearest", "to", "the"):
            return False
        token = words.token
        number = words.ordinal("a day such as 'the 1st'")
        if words.follows("day", "before", "the", "last", "day"):
            days.month_days.append(f"L-{number or 1}W")
            return True
        if number is None:
            return False
        if not 1 <= number <= _LONGEST_MONTH:
            raise words.refuse(token, "a month has no such day: they are the 1st to the 31st")
        days.month_days.append(f"{number}W")
        return True

    def _monday_to_friday(self) -> None:
        self.words.phrase("(", "monday", "to", "friday", ")")

    def _day_range(self, days: Days) -> bool:
        """``from the 1st to the 7th``, ``day 15``, ``days 1 to 7``."""
        words = self.words
        if words.word("day", "days"):
            first = self._plain_day()
            if first is None or words.token.text in _UNITS:
                return False
            last = self._plain_day() if words.word("to", "-") else first
            if last is None:
                return False
            days.month_days.append(str(first) if last == first else f"{first}-{last}")
            return True
        opening = words.word("from")
        the = words.word("the")
        first = self._day_number()
        if first is None or not (opening or the) or not words.word("to", "through", "-"):
            return False
        words.word("the")
        last = self._day_number()
        if last is None:
            return False
        days.month_days.append(str(first) if last == first else f"{first}-{last}")
        return True

    def _nth_days(self, days: Days) -> bool:  # noqa: PLR0911 - one for each form
        """``the 1st``, ``the first Monday``, ``the first and third Monday``, ``the last Friday``, ``the first business day``."""
        words = self.words
        words.word("the")
        token = words.token
        if words.phrase("business|working", "day", "before", "the", "last", "one|business"):
            words.word("day")
            days.business_days.append(-2)
            return True
        numbers: list[Any] = words.several(self._position)
        if not numbers:
            return False
        if words.phrase("to", "last"):
            return self._to_last(days, numbers, token)
        if words.phrase("business|working", "day|days"):
            days.business_days += self._business_days(numbers, token)
            return True
        weekday = self._weekday()
        if weekday is not None:
            for number in numbers:
                if number != "last" and number > len(_POSITIONS):
                    raise words.refuse(token, "a month has at most five of each weekday")
                position = "last" if number == "last" else _POSITIONS[number - 1]
                days.month_days.append(f"{position} {WEEKDAYS[weekday]}")
            return True
        if "last" in numbers:
            return False
        if any(number > _LONGEST_MONTH for number in numbers):
            raise words.refuse(token, "a month has no such day: they are the 1st to the 31st")
        days.month_days += map(str, numbers)
        return True

    def _business_days(self, numbers: list[Any], token: Token) -> list[int]:
        """Business days of the month, after ``the third business day``: counted from its end if that follows."""
        words = self.words
        before: int | None = None
        if words.phrase("before", "the", "last", "one") or words.phrase(
            "before", "the", "last", "business", "day"
        ):
            before = 1
        elif words.phrase("before", "the", "end", "of", "the", "month"):
            before = 0
        if before is None:
            return [-1 if number == "last" else number for number in numbers]
        if "last" in numbers:
            raise words.refuse(
                token, "expected a number, such as 'the second business day before the last one'"
            )
        return [-number - before for number in numbers]

    def _position(self) -> Any:
        words = self.words
        start = words.at
        words.word("the")
        if self._is_last_so_many():
            words.at = start
            return None
        if words.word("last"):
            # 'the last day' is read elsewhere, and a list may go on with it
            if words.token.text == "day":
                words.at = start
                return None
            return "last"
        number = words.ordinal("a position such as 'first', '15th' or 'last'")
        if number is None or words.token.text in ("day", "days"):
            words.at = start
            return None
        return number

    def _to_last(self, days: Days, numbers: list[Any], token: Token) -> bool:
        """``second to last day``, ``second to last business day``."""
        words = self.words
        if "last" in numbers or len(numbers) != 1 or numbers[0] > _LONGEST_MONTH:
            raise words.refuse(token, "expected a single position, such as 'second to last'")
        if words.phrase("business|working", "day"):
            days.business_days.append(-numbers[0])
            return True
        if words.word("day"):
            days.month_days.append(f"L-{numbers[0] - 1}" if numbers[0] > 1 else "last")
            return True
        raise words.fail()

    def _falling(self, days: Days) -> None:
        """``that fall on the 13th of the month``, after weekdays."""
        words = self.words
        if not words.phrase("that", "fall|falls"):
            return
        words.word("on")
        inner = Days()
        if not self._days_item(inner) or inner.weekdays or inner.business_days:
            raise words.fail()
        self._more_days(inner)
        days.month_days, days.is_both = inner.month_days, True

    def _also(self, days: Days) -> None:
        """``if that is also a Monday or the second Friday``, after days of the month."""
        words = self.words
        if words.token.text != "if" or not words.phrase("if", "that", "is", "also"):
            return
        token = words.token
        inner = Days()

        def one() -> bool | None:
            if words.word("a"):
                weekday = self._needed(self._weekday)
                days.also.append(WEEKDAYS[weekday])
                return True
            return True if self._nth_days(inner) else None

        if not words.several(one):
            raise words.fail()
        if not days.month_days or days.weekdays or days.business_days:
            raise words.refuse(token, "'if that is also' goes with days of the month")
        for said in inner.month_days:
            position, _, weekday = said.partition(" ")
            if not weekday:
                raise words.refuse(token, "expected weekdays, such as 'a Monday' or 'the second Friday'")
            days.also.append(f"{weekday}L" if position == "last" else f"{weekday}#{position[0]}")

    def _of_months(self, days: Days) -> bool:
        """``of the month``, ``of every month from January to March``, ``of January and July``, ``every year``, ``that has one``."""
        words = self.words
        found = False
        if words.phrase("of", "the|every|each", "month") or words.phrase("in", "the|every|each", "month"):
            found = True
            if words.token.text == "from" and words.ahead(1).text in MONTH_WORDS:
                self._set_months(self._month_range() or set())
        elif words.token.text == "of" and words.ahead(1).text == "a":
            self.sentence.places.setdefault("choice", words.token)
            found = self._choice() is not None
        elif words.token.text == "of":
            words.at += 1
            months = words.several(lambda: words.named(MONTH_WORDS, "a month"))
            if not months:
                words.expect("'the month'", "'every month'")
                raise words.fail()
            self._set_months(set(months))
            self._year()
            found = True
        elif words.phrase("every|each", "month"):
            found = True
        if words.phrase("every|each", "year") and words.token.kind != "symbol":
            found = True
        words.phrase("in", "leap", "years")
        words.phrase("that", "has", "one")
        return found

    # Months, years, weeks, zones

    def _month_range(self) -> set[int] | None:
        words = self.words
        start = words.at
        opening = words.word("from")
        first = words.named(MONTH_WORDS, "a month")
        if first is None:
            words.at = start
            return None
        middle = words.at
        last = words.named(MONTH_WORDS, "a month") if words.word("to", "through", "until", "-") else None
        if last is None:
            words.at = start if opening else middle
            return None if opening else {first}
        return {(first + ahead - 1) % 12 + 1 for ahead in range((last - first) % 12 + 1)}

    def _in(self) -> str | None:
        words = self.words
        words.word("only")
        if not words.word("in", "during"):
            return self._months_from() if words.token.text == "from" else None
        token = words.token
        if (token.kind == "number" or token.text in ("a", "an", "one", "two", "three")) and words.ahead(
            1
        ).text in _UNITS:
            raise words.refuse(
                token, "this counts from the present, which a schedule doesn't know; write a date or a time"
            )
        months = words.several(self._month_range)
        if months:
            self._set_months(set().union(*months))
            self._year()
            return "months"
        if words.phrase("leap", "years"):
            return "years"
        return self._iso_weeks() or self._years() or self._zone()

    def _months_from(self) -> str | None:
        if self.words.ahead(1).text not in MONTH_WORDS:
            return None
        months = self._month_range()
        return None if months is None else self._set_months(months)

    def _iso_weeks(self) -> str | None:
        words = self.words
        start = words.at
        parity = words.word("odd-numbered", "even-numbered")
        if parity and words.phrase("iso", "weeks"):
            self.sentence.weeks = "*/2" if parity == "odd-numbered" else "2-52/2"
            return "weeks"
        words.at = start
        if (
            words.word("every")
            and (step := words.ordinal()) is not None
            and words.phrase("iso", "week", "from")
        ):
            span = self._week_span()
            self.sentence.weeks = f"{span}/{step}"
            return "weeks"
        words.at = start
        if not words.phrase("iso", "week|weeks"):
            words.at = start
            return None
        spans = words.several(self._week_span)
        if not spans:
            raise words.fail()
        self.sentence.weeks = ",".join(spans)
        return "weeks"

    def _week_span(self) -> str | None:
        first = self._week_number()
        if first is None:
            return None
        last = self._week_number() if self.words.word("to", "-") else first
        return str(first) if last in (None, first) else f"{first}-{last}"

    def _week_number(self) -> int | None:
        token = self.words.token
        if token.kind == "number" and isinstance(token.value, int) and 1 <= token.value <= _MOST_WEEKS:
            self.words.at += 1
            return token.value
        self.words.expect("a week from 1 to 53")
        return None

    def _year_number(self) -> int | None:
        token = self.words.token
        if token.kind == "number" and isinstance(token.value, int) and 1970 <= token.value <= 9999:  # noqa: PLR2004 - of cron
            self.words.at += 1
            return token.value
        self.words.expect("a year such as 2027")
        return None

    def _years(self) -> str | None:
        """``2027``, ``2027 and 2030``, ``even-numbered years``, ``every fourth year from 2024 to 2040``, after ``in``."""
        words = self.words
        parity = words.word("odd-numbered", "even-numbered")
        if parity:
            if not words.word("years"):
                return None
            self.sentence.years = "1971-9999/2" if parity == "odd-numbered" else "*/2"
            return "years"
        if words.word("every"):
            step = words.ordinal()
            if step is None or not words.phrase("year", "from"):
                return None
            first = self._year_number()
            if first is None:
                raise words.fail()
            last = self._needed(self._year_number) if words.word("to") else None
            self.sentence.years = f"{first}/{step}" if last is None else f"{first}-{last}/{step}"
            return "years"
        years = words.several(self._year_number)
        if not years:
            return None
        self.sentence.years = ",".join(map(str, years))
        return "years"

    def _zone_clause(self) -> str | None:
        self.words.word("in")
        return self._zone()

    def _zone(self) -> str | None:
        zone = self._zone_here()
        if zone is None:
            return None
        self.words.word("time")
        self.sentence.zone = zone
        return "zone"

    def _zone_here(self) -> tzinfo | None:
        """A time zone: ``Europe/Berlin``, ``UTC``, ``UTC+02:00``, or another name that the database has."""
        words = self.words
        token = words.token
        if token.kind == "word" and token.text in ("utc", "gmt"):
            words.at += 1
            return astimezone("UTC")
        if token.kind == "zone":
            words.at += 1
            name = token.text[3:] if token.text[:3].upper() in ("UTC", "GMT") else token.text
            try:
                return astimezone(name)
            except ZoneInfoNotFoundError as error:
                for known in zone_names():
                    if known.lower() == name.lower():
                        return astimezone(known)
                raise words.refuse(token, str(error.args[0])) from None
            except ValueError as error:
                raise words.refuse(token, f"{name} is no offset: {error}") from None
        if token.kind == "word" and token.text.upper() in _SHORT_ZONES:
            words.at += 1
            return astimezone(token.text.upper())
        words.expect("a time zone such as 'Europe/Berlin'")
        return None

    # Beginning, end, number

    def _moment(self) -> Moment | None:
        """``2026-03-01``, ``2026-03-01 09:00``, ``2026-03-01 at 9``, with a time zone behind it if need be."""
        words = self.words
        token = words.kind("date", "a date such as '2026-03-01'")
        if token is None:
            return None
        try:
            date.fromisoformat(token.text)
        except ValueError as error:
            raise words.refuse(token, f"{token.text} is no date: {error}") from None
        moment = Moment(token.text)
        time = words.kind("time", "a time such as '09:30'")
        if time is not None:
            moment.second = int(time.value)
            summer = words.token.text.upper()
            if words.token.kind == "word" and summer in _SUMMER_OFFSETS:
                words.at += 1
                moment.zone = astimezone(_SUMMER_OFFSETS[summer])
            else:
                moment.zone = self._zone_here()
        return moment

    def _from(self) -> str | None:
        """``from 2026-03-01``; ranges of weekdays, days, months and years that begin with ``from`` too."""
        words = self.words
        if words.word("starting", "beginning", "counted"):
            words.word("on", "from", "at")
        elif not words.word("from", "since", "after"):
            return None
        if words.phrase("when|the", "day|it", "it|is", "is|added", "added") or words.phrase(
            "when", "it", "is", "added"
        ):
            self.sentence.starts_when_added = True
            return "start"
        if words.phrase("as", "soon", "as", "it", "is", "added"):
            self.sentence.starts_when_added, self.sentence.first = True, "now"
            return "start"
        moment = self._moment()
        if moment is not None:
            self.sentence.start = moment
            if words.word("to", "through"):
                self.sentence.end = self._needed(self._moment)
                self.sentence.places["end"] = words.token
            return "start"
        first = self._year_number()
        if first is not None and words.word("to", "through", "-"):
            last = self._needed(self._year_number)
            self.sentence.years = str(first) if first == last else f"{first}-{last}"
            if last < first:
                raise words.refuse(words.token, f"the year {last} is before {first}")
            return "years"
        return None

    def _until(self) -> str | None:
        words = self.words
        if not words.word("until", "till", "through"):
            return None
        words.phrase("the", "end", "of")
        self.sentence.end = self._needed(self._moment)
        return "end"

    def _count(self) -> str | None:
        """``3 times in total``, ``only once``; ``delayed by up to 90 seconds``."""
        words = self.words
        token = words.token
        if words.phrase("only", "once"):
            self.sentence.count = 1
            self._counted_from()
            return "number of times"
        if words.phrase("delayed", "by", "up", "to"):
            self.sentence.jitter = self._duration()
            return "delay"
        if (words.token.text, words.ahead(1).text) == ("at", "most"):
            words.at += 2
        number = words.number()
        if number is None or not words.word("times"):
            return None
        words.phrase("in", "total")
        self._counted_from()
        if not isinstance(number.value, int) or number.value < 1:
            raise words.refuse(token, "expected a whole number of times, 1 or more")
        self.sentence.count = number.value
        return "number of times"

    def _counted_from(self) -> None:
        """``from when it is added``, ``from 2026-03-05 08:00 UTC``: where the counting of times begins."""
        words = self.words
        if words.follows("from", "when", "it", "is", "added"):
            self.sentence.counted_from = "added"
        elif words.token.text == "from" and words.ahead(1).kind == "date":
            words.at += 1
            self.sentence.counted_from = self._moment()

    def _duration(self) -> float:
        """A duration in seconds."""
        token = self.words.token
        amounts = self._amounts()
        if any(unit not in _SECONDS for _, unit in amounts):
            raise self.words.refuse(token, "expected seconds, minutes or hours")
        return float(sum(value * _SECONDS[unit] for value, unit in amounts))

    def _once(self) -> str | None:  # noqa: PLR0911 - one for each form
        words = self.words
        if self._has_clauses() and words.phrase("first", "at"):
            self.sentence.start = self._needed(self._moment)
            self.sentence.extra.append(self.sentence.start)
            return "start"
        if words.phrase("once", "as", "soon", "as", "it", "is", "added"):
            if self._has_clauses():
                self.sentence.first = "now"
                return "first time"
            self.sentence.once = "added"
            return "date"
        if words.phrase("once", "each"):
            return self._once_each()
        if not words.word("once") or words.token.text in ("every", "each", "a", "per"):
            return None
        words.word(",")
        if words.phrase("as", "soon", "as", "it", "is", "added"):
            self.sentence.once = "added"
            return "date"
        if self._has_clauses() and words.word("at"):
            self.sentence.extra.append(self._needed(self._moment))
            return "first time"
        if not words.word("at", "on"):
            raise words.fail()
        return self._on_date() if words.token.kind == "date" else self._no_date()

    def _once_each(self) -> str | None:
        """``once each, at 2026-03-01 09:00 and 2026-03-04 12:00``; ``once each day`` is something else."""
        words = self.words
        words.word(",")
        if not words.word("at"):
            return None
        moments = words.several(self._moment)
        if not moments or any(moment.second is None for moment in moments):
            words.expect("dates such as '2026-03-01 09:00'")
            raise words.fail()
        self.sentence.once, *self.sentence.extra = moments
        return "date"

    def _no_date(self) -> str:
        self.words.expect("a date such as '2026-03-01'")
        raise self.words.fail()

    # Exceptions and rules

    def _except(self) -> str | None:
        words = self.words
        if not (words.word("except", "excluding") or words.phrase("but", "not")):
            return None
        words.word("for")
        while True:
            if not self._exception():
                raise words.fail()
            start = words.at
            comma = words.word(",")
            if not (words.word("and") or comma) or not self._exception_follows():
                words.at = start
                return "except"

    def _exception_follows(self) -> bool:
        token = self.words.token
        first = self.words.ahead(1) if token.text in ("on", "from", "in") else token
        return first.kind == "date" or first.text in WEEKDAY_WORDS or first.text in MONTH_WORDS

    def _exception(self) -> bool:
        words = self.words
        opening = words.word("on", "from", "in", "at")
        if words.token.kind == "date":
            first = self._needed(self._moment)
            last = self._needed(self._moment) if words.word("to", "-", "through") else first
            if last.text() < first.text():
                raise words.refuse(
                    words.token, f"the end {last.text()} is before the beginning {first.text()}"
                )
            self.sentence.excluded.append((first, last))
            return True
        if opening == "from":
            words.at -= 1
        if words.word("weekends"):
            self.sentence.excluded_weekdays |= _WEEKEND
            return True
        weekdays = self._weekday_range()
        if weekdays:
            self.sentence.excluded_weekdays |= weekdays
            return True
        months = self._month_range()
        if months:
            self.sentence.excluded_months |= months
            return True
        words.expect("dates", "weekdays", "months")
        return False

    def _options(self) -> str | None:
        """The rules for dates and times that don't exist, or come twice."""
        words = self.words
        if words.phrase("skipping", "dates", "that", "don't", "exist"):
            return "missing dates"
        if words.phrase("skipping", "times", "that", "don't", "exist"):
            self.sentence.gap = "skip"
            return "missing times"
        if words.phrase("moving", "times", "that", "don't", "exist", "forward", "with", "the", "clocks"):
            self.sentence.gap = "shift"
            return "missing times"
        if words.phrase("firing", "at"):
            if words.phrase("both", "occurrences"):
                self.sentence.fold = "both"
            elif words.phrase("the", "second", "occurrence"):
                self.sentence.fold = "second"
            elif words.phrase("the", "first", "occurrence"):
                self.sentence.fold = "first"
            else:
                raise words.fail()
            if not words.phrase("of", "times", "that", "come", "twice"):
                raise words.fail()
            return "repeated times"
        return None

    def _hours_of_day(self) -> str | None:
        """``from 9 to 17``, apart from the distance that is meant within it: ``every 30 minutes on weekdays from 9 to 17``."""
        token = self.words.token
        if token.text not in ("from", "between"):
            return None
        windows = self._windows()
        if not windows:
            return None
        self.sentence.hours = windows
        return "hours"

    def _placing(self) -> str | None:  # noqa: PLR0911 - one for each form
        """Windows of the day, a spread, a shift; the days on which weeks begin, and which aren't business days."""
        words = self.words
        if words.phrase("only") and words.token.text in ("from", "between"):
            windows = self._windows()
            self.sentence.windows = windows or None
            return "window" if windows else None
        if words.phrase("weeks", "beginning", "on"):
            self.sentence.week_start = self._needed(self._weekday)
            return "first day of the week"
        if words.phrase("business", "days", "being", "all", "but"):
            self.sentence.closed = set(words.several(self._weekday))
            return "business days"
        if words.phrase("all", "days", "being", "business", "days"):
            self.sentence.closed = set()
            return "business days"
        if words.phrase("spread", "over"):
            self.sentence.spread = self._duration()
            words.phrase("by", "the", "job's", "id")
            return "spread"
        if words.word("each") and words.token.kind == "number":
            shift = self._duration()
            self.sentence.shift = (
                shift if self._needed(lambda: words.word("later", "earlier")) == "later" else -shift
            )
            return "shift"
        return None

    def _rolling(self) -> str | None:
        words = self.words
        if words.phrase("moved", "to", "the"):
            roll = words.word("next", "previous")
            if roll is None or not words.phrase("business", "day"):
                raise words.fail()
            words.phrase("if", "on", "a", "saturday", "or", "sunday")
            self.sentence.roll = roll
            return "roll"
        return None

    # Help

    def _need(self, *options: str) -> None:
        if not self.words.word(*options):
            raise self.words.fail()

    def _needed(self, read: Callable[[], Any]) -> Any:
        found = read()
        if found is None:
            raise self.words.fail()
        return found

    def failed(self) -> CronSyntaxError:
        """The error that the sentence isn't understood from here on."""
        return self.words.fail()


#: Names without a place that the database has; others, such as CEST, are only said by some, and IST means three.
_SHORT_ZONES = frozenset({"CET", "EET", "WET", "MET", "EST", "MST", "HST"})
#: What is said of a moment in summer, where it means one offset alone.
_SUMMER_OFFSETS = {
    "CEST": "+02:00",
    "EEST": "+03:00",
    "WEST": "+01:00",
    "EDT": "-04:00",
    "MDT": "-06:00",
    "PDT": "-07:00",
}
