"""Days of the month: dates, numbers, the n-th weekday, the last days, business days."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mainspring.triggers.cron.expressions import WEEKDAYS
from mainspring.triggers.dialects.english.clauses.months import read_year
from mainspring.triggers.dialects.english.clauses.units import UNITS
from mainspring.triggers.dialects.english.clauses.weekdays import read_weekday
from mainspring.triggers.dialects.english.times import text_of
from mainspring.triggers.dialects.english.words import MONTH_WORDS

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.sentence import Days
    from mainspring.triggers.dialects.english.words import Token, Words

__all__ = [
    "ENDS",
    "months_of_quarters",
    "read_day_number",
    "read_month_days",
    "read_nth_days",
    "read_plain_day",
]

#: Words for the first and the last day of a month, a quarter or a year.
ENDS = {"end": "end", "beginning": "beginning", "start": "beginning"}

_POSITIONS = ["1st", "2nd", "3rd", "4th", "5th"]
_LONGEST_MONTH = 31


def read_month_days(reading: Reading, days: Days) -> bool:
    """One of a list of days of the month, in any form; ``False`` if there is none."""
    words = reading.words
    start = words.at
    for form in (
        partial(_numbered_days, reading),
        partial(_dates_of_month, reading),
        partial(_ends, reading),
        partial(_last_so_many, words),
        partial(_last_days, words),
        partial(_day_range, words),
        partial(_nth_day, words),
        partial(read_nth_days, words),
    ):
        if form(days):
            return True
        words.at = start
    return False


def _ends(reading: Reading, days: Days) -> bool:
    """``the end of the month``, ``beginning of every quarter``, ``end of the year``."""
    words = reading.words
    words.skip("the")
    side = ENDS.get(words.token.text)
    if side is None or words.ahead(1).text != "of":
        return False
    words.at += 2
    if words.token.text in ("the", "every", "each"):
        words.at += 1
    unit = words.word("month", "quarter", "year")
    if unit is None:
        return False
    days.month_days.append("last" if side == "end" else "1")
    if unit == "year":
        reading.set_months({12 if side == "end" else 1})
    elif unit == "quarter":
        reading.set_months(months_of_quarters(words, days))
    return True


def months_of_quarters(words: Words, days: Days) -> set[int]:
    """The months in which days of a quarter are: its first, or its last for those that are counted from its end.

    Raises:
        CronSyntaxError: the days are in both, or may be in another.
    """
    from_end = days.counted_from_end()
    if (
        days.weekdays
        or not from_end
        or any(from_end) != all(from_end)
        or {"29", "30", "31"} & set(days.month_days)
    ):
        raise words.refuse(
            words.before,
            "which months are these days of a quarter in? Write them, such as 'in March, June, September and December'",
        )
    return {3, 6, 9, 12} if all(from_end) else {1, 4, 7, 10}


def _nth_day(words: Words, days: Days) -> bool:
    """``the first day of the month``."""
    words.skip("the")
    number = words.ordinal()
    if (
        number is None
        or number > _LONGEST_MONTH
        or words.token.text != "day"
        or words.ahead(1).text not in ("of", "in")
    ):
        return False
    words.at += 1
    days.month_days.append(str(number))
    return True


def _numbered_days(reading: Reading, days: Days) -> bool:  # noqa: PLR0911 - one for each form
    """``odd-numbered days``, ``every fifth day from the 1st to the 31st``, ``every fifth day from 1 to 31 March``."""
    words = reading.words
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
    number = partial(read_day_number, words) if is_ordinal else partial(read_plain_day, words)
    first = number()
    if first is None or not words.word("to") or (is_ordinal and not words.word("the")):
        return False
    last = number()
    month = None if is_ordinal else words.named(MONTH_WORDS, "a month")
    if last is None or (month is None and not is_ordinal):
        return False
    days.month_days.append(text_of(set(range(first, last + 1, step)), 1, _LONGEST_MONTH))
    if month is not None:
        reading.set_months({month})
        read_year(reading)
    return True


def read_day_number(words: Words) -> int | None:
    """``15th``, or ``15``."""
    token = words.token
    number = words.ordinal("a day such as 'the 1st'")
    if number is not None and not 1 <= number <= _LONGEST_MONTH:
        raise words.refuse(token, "a month has no such day: they are the 1st to the 31st")
    return number


def _dates_of_month(reading: Reading, days: Days) -> bool:  # noqa: PLR0911 - one for each form
    """``25 December``, ``24 to 26 December``, ``24 and 31 December``, ``December 25``, ``the 1st of January and July``."""
    words = reading.words
    month = words.named(MONTH_WORDS, "a month")
    if month is not None:
        words.word("the")
        if words.token.kind == "number" and words.ahead(1).text in (*UNITS, "to", "-"):
            return False
        number = read_plain_day(words) or read_day_number(words)
        if number is None:
            return False
        days.month_days.append(str(number))
        reading.set_months({month})
        read_year(reading)
        return True
    opening = words.word("from")
    numbers = []
    first = read_plain_day(words)
    if first is None:
        return False
    if words.word("to", "-"):
        last = read_plain_day(words)
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
            another = read_plain_day(words)
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
    reading.set_months(set(months))
    read_year(reading)
    return True


def read_plain_day(words: Words) -> int | None:
    """A number from 1 to 31."""
    token = words.token
    if token.kind == "number" and isinstance(token.value, int) and 1 <= token.value <= _LONGEST_MONTH:
        words.at += 1
        return token.value
    return None


def _last_days(words: Words, days: Days) -> bool:
    """``the last day``, ``the day before the last day``, ``the third day before the last day``, ``2 days before the last day``."""
    words.word("the")
    if words.phrase("last", "weekday") or words.phrase("last", "workday"):
        _monday_to_friday(words)
        days.month_days.append("LW")
        return True
    if words.phrase("weekday"):
        return _nearest_workday(words, days)
    before: int | None = None
    if words.phrase("day", "before"):
        before = 1
    else:
        start = words.at
        number = words.ordinal() or read_plain_day(words)
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


def _last_so_many(words: Words, days: Days) -> bool:
    """``the last 7 days``."""
    words.skip("the")
    if not _is_last_so_many(words):
        return False
    words.at += 1
    number = read_plain_day(words)
    if number is None:
        return False
    words.at += 1
    days.month_days += [*(f"L-{ahead}" for ahead in range(number - 1, 0, -1)), "last"]
    return True


def _is_last_so_many(words: Words) -> bool:
    return (words.token.text, words.ahead(1).kind, words.ahead(2).text) == ("last", "number", "days")


def _nearest_workday(words: Words, days: Days) -> bool:
    """``nearest to the 15th``, ``nearest to the third day before the last day``, after ``the weekday``."""
    _monday_to_friday(words)
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


def _monday_to_friday(words: Words) -> None:
    words.phrase("(", "monday", "to", "friday", ")")


def _day_range(words: Words, days: Days) -> bool:
    """``from the 1st to the 7th``, ``day 15``, ``days 1 to 7``."""
    if words.word("day", "days", "day-of-month") or words.follows("every", "day-of-month", "from"):
        first = read_plain_day(words)
        if first is None or words.token.text in UNITS:
            return False
        last = read_plain_day(words) if words.word("to", "through", "-") else first
        if last is None:
            return False
        days.month_days.append(str(first) if last == first else f"{first}-{last}")
        while (
            words.token.text == "and" and words.ahead(1).kind == "number" and words.ahead(2).text not in UNITS
        ):
            words.at += 1
            days.month_days.append(str(words.needed(partial(read_plain_day, words))))
        return True
    opening = words.word("from")
    the = words.word("the")
    first = read_day_number(words)
    if first is None or not (opening or the) or not words.word("to", "through", "-"):
        return False
    words.word("the")
    last = read_day_number(words)
    if last is None:
        return False
    days.month_days.append(str(first) if last == first else f"{first}-{last}")
    return True


def read_nth_days(words: Words, days: Days) -> bool:  # noqa: PLR0911 - one for each form
    """``the 1st``, ``the first Monday``, ``the first and third Monday``, ``the last Friday``, ``the first business day``."""
    words.word("the")
    token = words.token
    if words.phrase("business|working", "day", "before", "the", "last", "one|business"):
        words.word("day")
        days.business_days.append(-2)
        return True
    numbers: list[Any] = words.several(partial(_position, words))
    if not numbers:
        return False
    if words.phrase("to", "last"):
        return _to_last(words, days, numbers, token)
    if words.phrase("business|working", "day|days") or words.word("weekday", "weekdays", "workday"):
        _monday_to_friday(words)
        days.business_days += _business_days(words, numbers, token)
        return True
    weekday = read_weekday(words)
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


def _business_days(words: Words, numbers: list[Any], token: Token) -> list[int]:
    """Business days of the month, after ``the third business day``: counted from its end if that follows."""
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
        raise words.refuse(token, "expected a number, such as 'the second business day before the last one'")
    return [-number - before for number in numbers]


def _position(words: Words) -> Any:
    start = words.at
    words.word("the")
    if _is_last_so_many(words):
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


def _to_last(words: Words, days: Days, numbers: list[Any], token: Token) -> bool:
    """``second to last day``, ``second to last business day``."""
    if "last" in numbers or len(numbers) != 1 or numbers[0] > _LONGEST_MONTH:
        raise words.refuse(token, "expected a single position, such as 'second to last'")
    if words.phrase("business|working", "day"):
        days.business_days.append(-numbers[0])
        return True
    if words.word("day"):
        days.month_days.append(f"L-{numbers[0] - 1}" if numbers[0] > 1 else "last")
        return True
    raise words.fail()
