"""What is said within the hour or the minute: ``5 and 35 minutes past every hour``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.clauses.clock import (
    read_small_number,
    read_small_numbers,
    read_spoken_hour,
    read_time,
    read_windows,
)
from mainspring.triggers.dialects.english.times import DAY, HOUR, MINUTE, crossed

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.words import Token, Words

__all__ = ["read_hours_of_past", "read_past", "read_past_token", "read_ranges", "read_seconds_past"]

_LAST_SECOND = DAY - 1


def read_past_token(words: Words) -> int | None:
    """``:15``: a minute of the hour."""
    token = words.kind("past", "minutes such as ':15'")
    if token is None:
        return None
    if token.value > 59:  # noqa: PLR2004 - as on the clock
        raise words.refuse(token, "there are 60 minutes in an hour: expected ':00' to ':59'")
    return int(token.value)


def read_past(reading: Reading) -> str | None:
    """``5 and 35 minutes past every hour``, ``30 seconds past every minute``, ``7 minutes and 15 seconds past every hour``."""
    words = reading.words
    start = words.at
    numbers = _read_part_of_hour(words) or words.several(partial(read_small_number, words))
    unit = words.word("minute", "minutes", "mins", "second", "seconds") if numbers else None
    if unit is None and words.token.text in ("past", "to") and numbers:
        unit = "minutes"
        if words.token.text == "to" and words.before.text != "quarter":
            numbers = []  # "9 to 17" is a window
    if unit is None or not numbers:
        words.at = start
        return None
    if unit.startswith("min") and words.word("to"):
        return reading.add_times(
            {(time - MINUTE * number) % DAY for time in _hours_or_all(reading) for number in numbers}
        )
    seconds = [0]
    if unit.startswith("min") and words.word("and"):
        seconds = [words.needed(partial(read_small_number, words))]
        if not words.word("second", "seconds"):
            raise words.fail()
    words.need("past", "after")
    if unit.startswith("min"):
        hours = {time // HOUR for time in _hours_or_all(reading)}
        return reading.add_times(crossed(hours, numbers, seconds))
    return reading.add_times(read_seconds_past(words, numbers))


def _read_part_of_hour(words: Words) -> list[int]:
    """``half``, ``quarter``, ``a quarter``, before ``past`` or ``to``: in minutes; nothing, if there is none."""
    start = words.at
    words.skip("a")
    part = {"half": 30, "quarter": 15}.get(words.token.text)
    if part is None or words.ahead(1).text not in ("past", "to") or (part, words.ahead(1).text) == (30, "to"):
        words.at = start
        return []
    words.at += 1
    return [part]


def _hours_or_all(reading: Reading) -> set[int]:
    """The full hours that follow ``past``, in seconds since midnight; all of them, if the sentence has said ``hourly``."""
    words = reading.words
    is_last = words.token.kind == "end" or words.token.text in (",", "on")
    if is_last and reading.sentence.step == HOUR:
        reading.sentence.step = None
        reading.sentence.places.pop("distance")
        return set(range(0, DAY, HOUR))
    return {hour * HOUR for hour in read_hours_of_past(words)}


def read_hours_of_past(words: Words) -> set[int]:
    """What follows ``past``: ``every hour from 08:00 to 18:00``, ``every second hour …``, or full hours."""
    if words.word("the") and words.word("hour"):
        return set(range(24))
    if words.word("every", "each"):
        step = words.ordinal() or (2 if words.word("other") else 1)
        words.need("hour")
        hours = _hours_from_to(words)
        return set(range(0, 24, step)) if hours is None else set(hours[::step])
    if words.token.text in ("hour", "hours"):
        words.at += 1
    times = words.several(lambda: read_spoken_hour(words) or read_time(words))
    if not times:
        raise words.fail()
    if any(time % HOUR for time in times):
        raise words.refuse(words.token, "expected full hours, such as 08:00")
    return {time // HOUR for time in times}


def _hours_from_to(words: Words) -> list[int] | None:
    """The full hours in windows, in order; ``None`` if no window follows."""
    windows = read_windows(words)
    if not windows:
        return None
    hours: list[int] = []
    for first, last in windows:
        end = last if last >= first else last + DAY
        hours += [hour % 24 for hour in range(first // HOUR, end // HOUR + 1)]
    return hours


def read_seconds_past(words: Words, numbers: list[int]) -> set[int]:
    """What follows ``30 seconds past``: ``every minute``, ``minutes 5 and 35 of every hour``, ``every hour``, full hours."""
    start = words.at
    if words.token.kind == "time":
        return crossed(read_hours_of_past(words), [0], numbers)
    if words.word("every", "each"):
        step = words.ordinal() or (2 if words.word("other") else 1)
        if words.token.text == "hour":
            words.at = start
            return crossed(read_hours_of_past(words), [0], numbers)
        words.need("minute")
        return crossed(range(24), range(0, 60, step), numbers) & _minutes_from_to(words)
    if words.word("the") and words.word("minute"):
        return crossed(range(24), range(60), numbers)
    words.need("minute", "minutes")
    minutes = [minute for span in words.several(partial(read_small_numbers, words)) for minute in span]
    if not minutes or not words.word("of"):
        raise words.fail()
    if words.follows("the", "hours", "that", "begin", "at") or words.token.text in ("every", "each"):
        return crossed(read_hours_of_past(words), minutes, numbers)
    words.expect("'every hour'")
    raise words.fail()


def _minutes_from_to(words: Words) -> set[int]:
    """The seconds of the day in windows of whole minutes, ``from 08:00 to 12:59``; all of them, if no window follows."""
    windows = read_windows(words) or [(0, _LAST_SECOND)]
    return {
        second % DAY
        for first, last in windows
        for second in range(first, (last if last >= first else last + DAY) + MINUTE)
    }


def read_ranges(words: Words, step: float, ranges: list[tuple[int, int]], token: Token) -> set[int]:
    """What follows ``every 7 minutes from 0 to 56``: ``minutes past every hour``."""
    unit = words.word("minutes", "seconds")
    if unit is None:
        raise words.fail()
    small = MINUTE if unit == "minutes" else 1
    if step % small or step >= 60 * small:
        raise words.refuse(token, f"expected a distance of 1 to 59 {unit}")
    values = {value for first, last in ranges for value in range(first, last + 1, int(step) // small)}
    words.need("past")
    if unit == "minutes":
        return crossed(read_hours_of_past(words), values, [0])
    return read_seconds_past(words, sorted(values))
