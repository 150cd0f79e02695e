"""``Monday``, ``Monday to Friday``, ``weekends``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.words import WEEKDAY_WORDS

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.sentence import Days
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["WEEKEND", "WORKDAYS", "read_weekday", "read_weekday_range", "read_weekdays"]

WORKDAYS, WEEKEND = set(range(5)), {5, 6}


def read_weekday(words: Words) -> int | None:
    """The number of a weekday, 0 for Monday."""
    return words.named(WEEKDAY_WORDS, "a weekday")


def read_weekdays(words: Words, days: Days) -> bool:
    """``weekdays``, ``weekends``, ``Monday to Friday``, as one of a list of days."""
    if (
        words.word("weekdays", "workdays")
        or words.phrase("business", "days")
        or words.phrase("working", "days")
    ):
        days.weekdays |= WORKDAYS
        return True
    if words.word("weekends") or words.phrase("the", "weekend"):
        days.weekdays |= WEEKEND
        return True
    if words.follows("every", "day-of-week", "from"):
        words.at -= 1
    found = read_weekday_range(words)
    days.weekdays |= found
    return bool(found)


def read_weekday_range(words: Words) -> set[int]:
    """``Monday``, ``Monday to Friday``, ``from Monday to Friday``, ``mon-fri``."""
    start = words.at
    opening = words.word("from", "between")
    first = read_weekday(words)
    if first is None:
        words.at = start
        return set()
    middle = words.at
    closing = ("and",) if opening == "between" else ("to", "through", "until", "-")
    last = read_weekday(words) if words.word(*closing) else None
    if last is None:
        words.at = start if opening else middle
        return set() if opening else {first}
    return {(first + ahead) % 7 for ahead in range((last - first) % 7 + 1)}
