"""Times of the day, merged into as few words as say all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.triggers.cron.expressions import HashExpression
from mainspring.triggers.explaining.clauses import Clause, Clock, Count
from mainspring.triggers.explaining.runs import consecutive, step_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mainspring.triggers.cron.fields import BaseField

__all__ = ["at", "clocks", "every_span", "is_of_day", "spoken_times", "times_of"]

_MINUTE, _HOUR = 60, 3600
#: Of equally distant times so many are a progression ("every 2 hours from … to …"); fewer are a list. Of hours in a row, fewer will do.
_PROGRESSION, _IN_A_ROW = 4, 3
#: More single times than these, which aren't regular, are told by their minutes and their hours.
_LISTED = 6
#: So many stretches of the day are told one by one.
_STRETCHES = 3
_UNITS = ((_HOUR, "hour"), (_MINUTE, "minute"), (1, "second"))


def is_of_day(times: Clause) -> bool:
    """Whether a clause names times that come once a day, so that its days have to be said, too."""
    whole = times.parts.get("whole")
    is_listed = isinstance(whole, Clause) and whole.key == "whole.clocks"
    return is_listed or times.key in ("times.at", "times.hash_day", "times.hash_span", "times.hash_hour")


def at(*seconds: int) -> Clause:
    """Times of the day, each in seconds since midnight: "at 08:05 and 08:35"."""
    has_seconds = any(one % _MINUTE for one in seconds)
    return Clause("times.at", times=tuple(Clock(one, has_seconds) for one in seconds))


def clocks(seconds: Sequence[int]) -> Clause:
    """Times of the day that are listed, in order: as a progression, if they are one."""
    step = step_of(seconds)
    if step is not None and len(seconds) >= _PROGRESSION:
        return every_span(step, [(seconds[0], seconds[-1])])
    return at(*seconds)


def spoken_times(
    hour: BaseField, minute: BaseField, second: BaseField, seed: str | None, *, wraps: bool
) -> Clause:
    """The times of the day that three cron fields let through.

    Args:
        seed: what chooses the values of ``H``, if that is known yet.
        wraps: whether every day fires, so that a stretch of the day may go on past midnight.
    """
    if seed is None and any(field.has_hash() for field in (hour, minute, second)):
        return _hashed(hour, minute, second)
    return times_of(*(sorted(field.values(seed or "")) for field in (hour, minute, second)), wraps=wraps)


def times_of(hours: Sequence[int], minutes: Sequence[int], seconds: Sequence[int], *, wraps: bool) -> Clause:
    """The times of the day with these hours, minutes and seconds, each in order.

    Args:
        wraps: as of `spoken_times`.
    """
    if len(hours) == 24:  # noqa: PLR2004 - all day long
        return _hourly(minutes, seconds)
    return _in_hours(hours, minutes, seconds, wraps=wraps)


def _hourly(  # noqa: PLR0911 - one for each form
    minutes: Sequence[int], seconds: Sequence[int]
) -> Clause:
    """What is the same in each hour."""
    if len(minutes) == _MINUTE:
        if _is_zero(seconds):
            return _every(_MINUTE)
        step = _round(seconds)
        return _every(step) if step else _past(seconds, "second", Clause("whole.minute"))
    step = _round(minutes)
    if _is_zero(seconds):
        if _is_zero(minutes):
            return Clause("times.hourly")
        return _every(step * _MINUTE) if step else _past(minutes, "minute", Clause("whole.hour"))
    if step:
        return _past(seconds, "second", Clause("whole.nth_minute", nth=step))
    if len(minutes) == len(seconds) == 1:
        return Clause(
            "times.past_both", minutes=Count(minutes[0], "minute"), seconds=Count(seconds[0], "second")
        )
    return _past(seconds, "second", _whole_minutes(minutes, Clause("whole.hour")))


def _in_hours(  # noqa: PLR0911 - one for each form
    hours: Sequence[int], minutes: Sequence[int], seconds: Sequence[int], *, wraps: bool
) -> Clause:
    offsets = [minute * _MINUTE + second for minute in minutes for second in seconds]
    stretches = consecutive(hours, 24 if wraps else None)
    if len(offsets) == 1:
        return _once_an_hour(hours, stretches, offsets[0])
    total = len(hours) * len(offsets)
    step = step_of(offsets)
    is_round = step is not None and offsets[-1] + step - _HOUR == offsets[0]
    if total >= _PROGRESSION and step is not None:
        if is_round and (len(stretches) == 1 or (total > _LISTED and len(stretches) <= _STRETCHES)):
            spans = [(first * _HOUR + offsets[0], last * _HOUR + offsets[-1]) for first, last in stretches]
            return every_span(step, spans)
        if len(hours) == 1 or (total > _LISTED and len(hours) <= _STRETCHES):
            return every_span(
                step, [(hour * _HOUR + offsets[0], hour * _HOUR + offsets[-1]) for hour in hours]
            )
    if total <= _LISTED:
        return at(*(hour * _HOUR + offset for hour in hours for offset in offsets))
    whole = _whole_hours(hours, stretches)
    if _is_zero(seconds):
        return _past(minutes, "minute", whole)
    if len(minutes) == _MINUTE and len(stretches) == 1:
        first, last = (Clock(stretches[0][0] * _HOUR), Clock(stretches[0][1] * _HOUR + _HOUR - _MINUTE))
        return _past(seconds, "second", Clause("whole.minutes_span", first=first, last=last))
    nth = _round(minutes)
    if nth and len(stretches) == 1:
        begin, end = stretches[0]
        span = Clause(
            "span.clock", first=Clock(begin * _HOUR), last=Clock(end * _HOUR + minutes[-1] * _MINUTE)
        )
        return _past(seconds, "second", Clause("whole.nth_minutes", nth=nth, span=span))
    return _past(seconds, "second", _whole_minutes(minutes, whole))


def _once_an_hour(hours: Sequence[int], stretches: list[tuple[int, int]], offset: int) -> Clause:
    step = step_of(hours)
    if step is not None and step > 1 and len(hours) >= _PROGRESSION:
        return every_span(step * _HOUR, [(hours[0] * _HOUR + offset, hours[-1] * _HOUR + offset)])
    spans = [(first, last) for first, last in stretches if (last - first) % 24 >= _IN_A_ROW - 1]
    if not spans or len(spans) > _STRETCHES:
        return at(*(hour * _HOUR + offset for hour in hours))
    every = every_span(_HOUR, [(first * _HOUR + offset, last * _HOUR + offset) for first, last in spans])
    within = {hour % 24 for first, last in spans for hour in range(first, first + (last - first) % 24 + 1)}
    single = [hour * _HOUR + offset for hour in hours if hour not in within]
    return Clause("times.mixed", single=at(*single), every=every) if single else every


def _is_zero(numbers: Sequence[int]) -> bool:
    return list(numbers) == [0]


def _round(numbers: Sequence[int]) -> int | None:
    """The step of numbers of a minute, or an hour, that begin with 0 and go on evenly into the next one."""
    step = step_of(numbers)
    return step if step is not None and numbers[0] == 0 and numbers[-1] + step == _MINUTE else None


def _every(seconds: int) -> Clause:
    return Clause("times.every", step=_distance(seconds))


def _distance(seconds: int) -> Count:
    return next(Count(seconds // size, unit) for size, unit in _UNITS if seconds % size == 0)


def every_span(step: int, spans: Sequence[tuple[int, int]]) -> Clause:
    """Equally distant times between firsts and lasts: "every 20 minutes from 08:00 to 18:40"."""
    has_seconds = any(one % _MINUTE for span in spans for one in span)
    said = tuple(
        Clause("span.clock", first=Clock(first, has_seconds), last=Clock(last, has_seconds))
        for first, last in spans
    )
    return Clause("times.every_span", step=_distance(step), spans=said)


def _past(numbers: Sequence[int], unit: str, whole: Clause) -> Clause:
    """Minutes past an hour, or seconds past a minute: "at 5 and 35 minutes past every hour"."""
    step = step_of(numbers)
    if len(numbers) > _PROGRESSION:
        stretches = consecutive(numbers)
        if step is not None:
            spans = [(numbers[0], numbers[-1])]
        elif len(stretches) <= _STRETCHES and all(last - first >= _IN_A_ROW - 1 for first, last in stretches):
            step, spans = 1, stretches
        else:
            spans = []
        if spans and step is not None:
            said = tuple(Clause("span.number", first=first, last=last) for first, last in spans)
            return Clause(
                "times.every_past", step=Count(step, unit), spans=said, unit=Count(2, unit), whole=whole
            )
    return Clause(
        "times.past", numbers=tuple(numbers), unit=Count(1 if list(numbers) == [1] else 2, unit), whole=whole
    )


def _whole_minutes(minutes: Sequence[int], whole: Clause) -> Clause:
    if _is_zero(minutes):
        return whole
    if len(minutes) == 1:
        return Clause("whole.one_minute", minute=minutes[0], whole=whole)
    stretches = consecutive(minutes)
    if all(last - first >= _IN_A_ROW - 1 for first, last in stretches):
        spans = tuple(Clause("span.bare", first=first, last=last) for first, last in stretches)
        return Clause("whole.minute_spans", spans=spans, whole=whole)
    return Clause("whole.minutes", minutes=tuple(minutes), whole=whole)


def _whole_hours(hours: Sequence[int], stretches: list[tuple[int, int]]) -> Clause:
    step = step_of(hours)
    if step is not None and step > 1 and len(hours) >= _PROGRESSION:
        span = _hours_span(hours[0], hours[-1])
        return Clause("whole.nth_hours", nth=step, spans=(span,))
    if len(stretches) <= _STRETCHES and all(
        (last - first) % 24 >= _IN_A_ROW - 1 for first, last in stretches
    ):
        return Clause("whole.hours", spans=tuple(_hours_span(first, last) for first, last in stretches))
    return Clause("whole.clocks", clocks=tuple(Clock(hour * _HOUR) for hour in hours))


def _hours_span(first: int, last: int) -> Clause:
    return Clause("span.clock", first=Clock(first * _HOUR), last=Clock(last * _HOUR))


def _hashed(  # noqa: PLR0911 - one for each form
    hour: BaseField, minute: BaseField, second: BaseField
) -> Clause:
    """Times that a job's id will choose."""
    bounds = [_bounds(field) for field in (hour, minute, second)]
    to_the_second = str(second) == "H"
    if bounds[1] is not None and (to_the_second or str(second) == "0"):
        low, high = bounds[1]
        if bounds[0] == (0, 23) and bounds[1] == (0, 59) and not to_the_second:
            return Clause("times.hash_day")
        if bounds[0] is not None and bounds[1] == (0, 59):
            return _hash_span(bounds[0][0] * _HOUR, bounds[0][1] * _HOUR + _HOUR - _MINUTE, to_the_second)
        if str(hour).isdigit():
            begin = int(str(hour)) * _HOUR
            return _hash_span(begin + low * _MINUTE, begin + high * _MINUTE, to_the_second)
        if hour.matches_all() and bounds[1] == (0, 59):
            return Clause("times.hash_minute_second" if to_the_second else "times.hash_minute")
    if bounds[1] is not None and str(second) == "0" and not hour.has_hash():
        return _hash_past(*bounds[1], sorted(hour.values("")))
    if bounds[0] == (0, 23) and str(minute) == str(second) == "0":
        return Clause("times.hash_hour")
    if hour.matches_all() and minute.matches_all() and bounds[2] == (0, 59):
        return Clause("times.hash_second")
    only: Any = minute.expressions[0]
    if (
        hour.matches_all()
        and str(minute) == f"H/{only.step}"
        and str(second) == "0"
        and _MINUTE % only.step == 0
    ):
        return Clause("times.hash_every", step=Count(only.step, "minute"))
    said = tuple(
        Clause(f"field.{field.name}", text=str(field))
        for field in (hour, minute, second)
        if str(field) != "0" and not field.matches_all()
    )
    return Clause("times.hash_fields", fields=said)


def _hash_past(first: int, last: int, hours: Sequence[int]) -> Clause:
    """A minute that is chosen, in some hours, or of a part of every hour."""
    is_every = len(hours) == 24  # noqa: PLR2004 - all day long
    whole = Clause("whole.hour") if is_every else _whole_hours(hours, consecutive(hours))
    if (first, last) == (0, _MINUTE - 1):
        return Clause("times.hash_past", whole=whole)
    return Clause("times.hash_span_past", first=first, last=last, whole=whole)


def _hash_span(first: int, last: int, to_the_second: bool) -> Clause:
    if to_the_second:
        last += _MINUTE - 1
    return Clause("times.hash_span", first=Clock(first, to_the_second), last=Clock(last, to_the_second))


def _bounds(field: BaseField) -> tuple[int, int] | None:
    """Between which values a single ``H`` chooses one; ``None`` if the field is anything else."""
    only = field.expressions[0]
    if len(field.expressions) > 1 or not isinstance(only, HashExpression) or only.step is not None:
        return None
    highest = 23 if field.name == "hour" else 59
    return (
        (0, highest) if only.first is None else (only.first, only.last if only.last is not None else highest)
    )
