"""``every …``: distances, and days that begin with the word."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.clauses.clock import read_minutes_range, read_windows
from mainspring.triggers.dialects.english.clauses.days import (
    read_days_item,
    read_falling,
    read_more_days,
    read_of_months,
)
from mainspring.triggers.dialects.english.clauses.parts_of_day import read_part_of_every_day
from mainspring.triggers.dialects.english.clauses.past import read_ranges
from mainspring.triggers.dialects.english.clauses.units import (
    DISTANCES,
    SECONDS,
    UNITS,
    read_amounts,
    read_unit,
)
from mainspring.triggers.dialects.english.clauses.weekdays import WEEKEND, WORKDAYS, read_weekday
from mainspring.triggers.dialects.english.clauses.within_hour import read_place_in_hour
from mainspring.triggers.dialects.english.sentence import Days
from mainspring.triggers.dialects.english.times import DAY, HOUR, crossed, within
from mainspring.triggers.dialects.english.words import MONTH_WORDS, WEEKDAY_WORDS

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.words import Token, Words

__all__ = ["every_other", "every_unit", "read_every"]


def read_every(reading: Reading) -> str | None:  # noqa: PLR0911 - one for each form
    """``every 15 minutes``, ``every other day``, ``every Monday``."""
    words = reading.words
    words.word("once")
    if (
        words.token.text == "on"
        and words.ahead(1).text in ("every", "each")
        and _is_named_day(words.ahead(2))
    ):
        words.at += 1
    if not words.word("every", "each"):
        return None
    token = words.token
    if token.kind == "time":
        words.at += 1
        return reading.add_times({int(token.value)})
    if part := read_part_of_every_day(reading):
        return part
    if token.text == "second" and not _is_ordinal_second(words):
        words.at += 1
        return every_unit(reading, 1, "second", token)
    if _of_days_after_every(reading):
        return "days"
    if words.word("other", "alternate"):
        return every_other(reading, token)
    start = words.at
    ordinal = words.ordinal()
    if ordinal is not None:
        unit = read_unit(words)
        if unit is not None:
            return every_unit(reading, ordinal, unit, token)
        words.at = start
    month = words.several(lambda: words.named(MONTH_WORDS, "a month"))
    if month:
        reading.sentence.is_by_month = True
        return reading.set_months(set(month))
    return _every_amount(reading, token)


def _is_ordinal_second(words: Words) -> bool:
    """Whether ``second`` is the one after the first, and no unit of time: something follows that is counted."""
    following = words.ahead(1)
    return (
        following.text in WEEKDAY_WORDS
        or following.text in UNITS
        or following.text in ("business", "working", "of", "to", "last")
        or (
            following.text in ("and", "or", ",")
            and words.ahead(2).text in ("third", "fourth", "fifth", "last")
        )
    )


def _of_days_after_every(reading: Reading) -> bool:
    """``every weekday``, ``every Monday and Thursday``, ``every first Monday of the month``, ``every 15th of the month``."""
    words = reading.words
    start = words.at
    if words.word("weekday", "workday") or words.phrase("business", "day") or words.phrase("working", "day"):
        words.follows("(", "monday", "to", "friday", ")")
        return _set_more_days(reading, WORKDAYS)
    if words.word("weekend"):
        return _set_more_days(reading, WEEKEND)
    token = words.token
    if (
        token.kind == "ordinal"
        and words.ahead(1).text in UNITS
        and words.ahead(2).text not in ("of", "in", "before")
    ):
        return False
    days = Days()
    if read_days_item(reading, days) and not (days.weekdays and token.kind != "word"):
        read_more_days(reading, days)
        read_falling(reading, days)
        of_month = read_of_months(reading, days)
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
                # "every second Monday" is as often every other one
                hint=None
                if token.text in ("second", "2nd")
                else words.with_text(words.before, f"{words.spelt(words.before)} of the month"),
            )
        reading.set_days(days)
        return True
    words.at = start
    return False


def _set_more_days(reading: Reading, weekdays: set[int]) -> bool:
    """``every weekday``, and what may follow: ``and Saturday``."""
    days = Days(weekdays=set(weekdays))
    read_more_days(reading, days)
    reading.set_days(days)
    return True


def every_other(reading: Reading, token: Token) -> str:
    """Note what follows ``every other``: a unit, or weekdays; the clause's name."""
    words = reading.words
    unit = read_unit(words)
    if unit is not None:
        return every_unit(reading, 2, unit, token)
    weekdays = words.several(partial(read_weekday, words))
    if not weekdays:
        raise words.fail()
    reading.set_days(Days(weekdays=set(weekdays)))
    reading.sentence.places["days"] = token
    reading.sentence.distance = (0, 0, 2, 0)
    return "distance"


def _every_amount(reading: Reading, token: Token) -> str:
    """``every 15 minutes``, ``every hour``, ``every 2 hours and 30 minutes``, ``every year, 6 months and 2 days``."""
    words = reading.words
    step = 0.0
    distance = [0, 0, 0, 0]
    amounts = read_amounts(words)
    if token.text == "quarter" and amounts == [(1, "quarter")]:
        return every_unit(reading, 1, "quarter", token)
    for value, unit in amounts:
        if unit in SECONDS:
            step += value * SECONDS[unit]
        elif isinstance(value, float):
            raise words.refuse(token, "days, weeks, months and years are counted in whole numbers")
        else:
            distance = [have + value * part for have, part in zip(distance, DISTANCES[unit], strict=True)]
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
        return reading.set_distance((distance[0], distance[1], distance[2], distance[3]))
    return _every_step(reading, step, token)


def _is_named_day(token: Token) -> bool:
    return token.text in WEEKDAY_WORDS or token.text in (
        "weekday",
        "weekend",
        "workday",
        "morning",
        "evening",
        "night",
    )


def every_unit(reading: Reading, count: int, unit: str, token: Token) -> str:
    """Note a distance of so many units; the clause's name."""
    reading.sentence.is_by_quarter |= (count, unit) == (1, "quarter")
    if unit in SECONDS:
        return _every_step(reading, count * SECONDS[unit], token)
    years, months, weeks, days = (count * part for part in DISTANCES[unit])
    return reading.set_distance((years, months, weeks, days))


def _every_step(reading: Reading, step: float, token: Token) -> str:
    """What may follow ``every 15 minutes``: windows, or where in the hour it is."""
    words = reading.words
    if step == HOUR and (minute := read_place_in_hour(words)) is not None:
        return reading.add_times(crossed(range(24), [minute], [0]))
    words.expect("'on the hour'")
    start = words.at
    ranges = words.several(partial(read_minutes_range, words))
    if ranges and words.token.text in ("minutes", "seconds"):
        return reading.add_times(read_ranges(words, step, ranges, token))
    words.at = start
    windows = read_windows(words)
    if windows:
        if step != int(step):
            raise words.refuse(token, "times of the day have whole seconds: write a whole number")
        times: set[int] = set()
        for first, last in windows:
            times |= within(int(step), first, last)
            if last < first:
                reading.sentence.places.setdefault("window over midnight", token)
        return reading.add_times(times)
    reading.sentence.step = step
    return "distance"
