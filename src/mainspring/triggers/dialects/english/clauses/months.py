"""Months, years and ISO weeks: ``in January``, ``from June to August``, ``in 2027``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.clauses.units import UNITS
from mainspring.triggers.dialects.english.clauses.zones import read_zone
from mainspring.triggers.dialects.english.words import MONTH_WORDS

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["read_in", "read_month_range", "read_year", "read_year_number"]

_MOST_WEEKS = 53


def read_year(reading: Reading) -> None:
    """A year, where one may follow a month."""
    words = reading.words
    if (
        words.token.text == ","
        and words.ahead(1).kind == "number"
        and len(words.ahead(1).text) == len("2026")
    ):
        words.at += 1
    token = words.token
    if token.kind == "number" and isinstance(token.value, int) and 1970 <= token.value <= 9999:  # noqa: PLR2004 - of cron
        words.at += 1
        reading.sentence.years = str(token.value)


def read_month_range(words: Words) -> set[int] | None:
    """``January``, ``January to March``, ``from January to March``."""
    start = words.at
    opening = words.word("from", "between")
    first = words.named(MONTH_WORDS, "a month")
    if first is None:
        words.at = start
        return None
    middle = words.at
    closing = ("and",) if opening == "between" else ("to", "through", "until", "-")
    last = words.named(MONTH_WORDS, "a month") if words.word(*closing) else None
    if last is None:
        words.at = start if opening else middle
        return None if opening else {first}
    return {(first + ahead - 1) % 12 + 1 for ahead in range((last - first) % 12 + 1)}


def read_in(reading: Reading) -> str | None:
    """``in January and July``, ``in 2027``, ``in ISO week 1``, ``in Europe/Berlin``; ``from June to August``."""
    words = reading.words
    words.word("only")
    if not words.word("in", "during"):
        return _months_from(reading) if words.token.text in ("from", "between") else None
    token = words.token
    if (token.kind == "number" or token.text in ("a", "an", "one", "two", "three")) and words.ahead(
        1
    ).text in UNITS:
        raise words.refuse(
            token, "this counts from the present, which a schedule doesn't know; write a date or a time"
        )
    months = words.several(partial(read_month_range, words))
    if months:
        reading.set_months(set().union(*months))
        read_year(reading)
        return "months"
    if words.phrase("leap", "years"):
        return "years"
    if (step := _nth_month(words)) is not None:
        reading.set_months(set(range(1, 13, step)))
        return "months"
    return _iso_weeks(reading) or _years(reading) or read_zone(reading)


def _months_from(reading: Reading) -> str | None:
    if reading.words.ahead(1).text not in MONTH_WORDS:
        return None
    months = read_month_range(reading.words)
    return None if months is None else reading.set_months(months)


def _nth_month(words: Words) -> int | None:
    """``every second month``, after ``in``: counted from January."""
    start = words.at
    if words.follows("every"):
        step = words.ordinal()
        if step is not None and words.follows("month"):
            return step
    words.at = start
    return None


def _iso_weeks(reading: Reading) -> str | None:
    words = reading.words
    start = words.at
    parity = words.word("odd-numbered", "even-numbered")
    if parity and words.phrase("iso", "weeks"):
        reading.sentence.weeks = "*/2" if parity == "odd-numbered" else "2-52/2"
        return "weeks"
    words.at = start
    if words.word("every") and (step := words.ordinal()) is not None and words.phrase("iso", "week", "from"):
        span = _week_span(words)
        reading.sentence.weeks = f"{span}/{step}"
        return "weeks"
    words.at = start
    if not words.phrase("iso", "week|weeks"):
        words.at = start
        return None
    spans = words.several(partial(_week_span, words))
    if not spans:
        raise words.fail()
    reading.sentence.weeks = ",".join(spans)
    return "weeks"


def _week_span(words: Words) -> str | None:
    first = _week_number(words)
    if first is None:
        return None
    last = _week_number(words) if words.word("to", "-") else first
    return str(first) if last in (None, first) else f"{first}-{last}"


def _week_number(words: Words) -> int | None:
    token = words.token
    if token.kind == "number" and isinstance(token.value, int) and 1 <= token.value <= _MOST_WEEKS:
        words.at += 1
        return token.value
    words.expect("a week from 1 to 53")
    return None


def read_year_number(words: Words) -> int | None:
    """A year of four figures."""
    token = words.token
    if token.kind == "number" and isinstance(token.value, int) and 1970 <= token.value <= 9999:  # noqa: PLR2004 - of cron
        words.at += 1
        return token.value
    words.expect("a year such as 2027")
    return None


def _years(reading: Reading) -> str | None:
    """``2027``, ``2027 and 2030``, ``even-numbered years``, ``every fourth year from 2024 to 2040``, after ``in``."""
    words = reading.words
    parity = words.word("odd-numbered", "even-numbered")
    if parity:
        if not words.word("years"):
            return None
        reading.sentence.years = "1971-9999/2" if parity == "odd-numbered" else "*/2"
        return "years"
    if words.word("every"):
        step = words.ordinal()
        if step is None or not words.phrase("year", "from"):
            return None
        first = read_year_number(words)
        if first is None:
            raise words.fail()
        last = words.needed(partial(read_year_number, words)) if words.word("to") else None
        reading.sentence.years = f"{first}/{step}" if last is None else f"{first}-{last}/{step}"
        return "years"
    years = words.several(partial(read_year_number, words))
    if not years:
        return None
    reading.sentence.years = ",".join(map(str, years))
    return "years"
