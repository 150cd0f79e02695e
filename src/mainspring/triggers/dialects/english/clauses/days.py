"""``on …``: days in lists, what joins two kinds of them, and of which months they are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mainspring.triggers.cron.expressions import WEEKDAYS
from mainspring.triggers.dialects.english.clauses.choice import read_choice
from mainspring.triggers.dialects.english.clauses.month_days import (
    ENDS,
    months_of_quarters,
    read_day_number,
    read_month_days,
    read_nth_days,
)
from mainspring.triggers.dialects.english.clauses.months import read_month_range, read_year
from mainspring.triggers.dialects.english.clauses.once import read_on_date
from mainspring.triggers.dialects.english.clauses.weekdays import (
    read_weekday,
    read_weekday_range,
    read_weekdays,
)
from mainspring.triggers.dialects.english.sentence import Days
from mainspring.triggers.dialects.english.words import MONTH_WORDS

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["read_days_item", "read_more_days", "read_of_months", "read_on"]


def read_on(reading: Reading) -> str | None:
    """``on Mondays and Thursdays``, ``on the 1st and 15th of the month``, ``on 25 December``; ``on`` may be left out."""
    words = reading.words
    if words.token.text == "only" and words.ahead(1).text == "on":
        words.at += 1
    preposition = words.word("on")
    if words.token.text == "at" and words.ahead(1).text in (*ENDS, "the"):
        words.at += 1
    token = words.token
    if token.kind == "date":
        return read_on_date(reading) if preposition else None
    if token.text == "days" and words.ahead(1).kind == "word":
        words.at += 1
        days = Days()
        weekdays = read_weekday_range(words)
        if not weekdays:
            raise words.fail()
        days.weekdays = weekdays
        read_falling(reading, days)
        read_of_months(reading, days)
        return reading.set_days(days)
    days = Days()
    if not read_days_item(reading, days):
        return None
    read_more_days(reading, days)
    read_falling(reading, days)
    read_of_months(reading, days)
    _also(words, days)
    return reading.set_days(days)


def read_more_days(reading: Reading, days: Days) -> None:
    """More of what ``on`` began: after a comma, or ``and``, perhaps with ``on`` or ``from`` again."""
    words = reading.words

    def another() -> bool | None:
        words.word("on")
        return True if read_days_item(reading, days) else None

    while True:
        start = words.at
        _of_months_noise(words)
        comma = words.word(",")
        if not (words.word("and", "or") or comma) or another() is None:
            words.at = start
            return


def _of_months_noise(words: Words) -> None:
    """``of every month`` in the middle of a list."""
    start = words.at
    if words.phrase("of", "the|every|each", "month"):
        after = words.at
        words.word(",")
        if words.word("and") and words.token.text in ("on", "from"):
            words.at = after
            return
    words.at = start


def read_days_item(reading: Reading, days: Days) -> bool:
    """One of a list of days; ``False`` if there is none."""
    words = reading.words
    start = words.at
    if read_weekdays(words, days):
        return True
    words.at = start
    return read_month_days(reading, days)


def read_falling(reading: Reading, days: Days) -> None:
    """``that fall on the 13th of the month``, after weekdays; ``the 13th``, after one of them."""
    words = reading.words
    if not days.weekdays or days.month_days or days.business_days:
        return
    if words.token.text == "the" and words.ahead(1).kind == "ordinal":
        words.at += 1
        number = read_day_number(words)
        days.month_days, days.is_both = [str(number)], True
        return
    if not words.phrase("that", "fall|falls"):
        return
    words.word("on")
    inner = Days()
    if not read_days_item(reading, inner) or inner.weekdays or inner.business_days:
        raise words.fail()
    read_more_days(reading, inner)
    days.month_days, days.is_both = inner.month_days, True


def _also(words: Words, days: Days) -> None:
    """``if that is also a Monday or the second Friday``, after days of the month."""
    if words.token.text != "if" or not words.phrase("if", "that", "is", "also"):
        return
    token = words.token
    inner = Days()

    def one() -> bool | None:
        if words.word("a"):
            weekday = words.needed(partial(read_weekday, words))
            days.also.append(WEEKDAYS[weekday])
            return True
        return True if read_nth_days(words, inner) else None

    if not words.several(one):
        raise words.fail()
    if not days.month_days or days.weekdays or days.business_days:
        raise words.refuse(token, "'if that is also' goes with days of the month")
    for said in inner.month_days:
        position, _, weekday = said.partition(" ")
        if not weekday:
            raise words.refuse(token, "expected weekdays, such as 'a Monday' or 'the second Friday'")
        days.also.append(f"{weekday}L" if position == "last" else f"{weekday}#{position[0]}")


def read_of_months(reading: Reading, days: Days) -> bool:
    """``of the month``, ``of every month from January to March``, ``of January and July``, ``every year``, ``that has one``."""
    words = reading.words
    found = False
    if words.phrase("of", "the|every|each", "month") or words.phrase("in", "the|every|each", "month"):
        found = True
        if words.token.text == "from" and words.ahead(1).text in MONTH_WORDS:
            reading.set_months(read_month_range(words) or set())
    elif words.phrase("of", "the|every|each", "quarter") or words.phrase("in", "the|every|each", "quarter"):
        found = True
        reading.set_months(months_of_quarters(words, days))
    elif (
        words.token.text == "of"
        and words.ahead(1).text == "every"
        and words.ahead(3).text in ("month", "months")
    ):
        found = True
        words.at += 2
        token = words.token
        number = words.number()
        count = (
            2 if words.follows("other") else words.needed(words.ordinal) if number is None else number.value
        )
        if not isinstance(count, int) or count < 1:
            raise words.refuse(token, "months are counted in whole numbers, 1 or more")
        words.at += 1
        reading.sentence.places.setdefault("distance", token)
        reading.set_distance((0, count, 0, 0))
    elif words.token.text == "of" and words.ahead(1).text == "a":
        reading.sentence.places.setdefault("choice", words.token)
        found = read_choice(reading) is not None
    elif words.token.text == "of":
        words.at += 1
        months = words.several(lambda: words.named(MONTH_WORDS, "a month"))
        if not months:
            words.expect("'the month'", "'every month'")
            raise words.fail()
        reading.set_months(set(months))
        read_year(reading)
        found = True
    elif words.phrase("every|each", "month"):
        found = True
    if words.phrase("every|each", "year") and words.token.kind != "symbol":
        found = True
    words.phrase("in", "leap", "years")
    words.phrase("that", "has", "one")
    return found
