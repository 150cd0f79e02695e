"""A trigger within windows of the day: what falls outside of them is left out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Self, cast

from mainspring.errors import TriggerError
from mainspring.timezones import FIRST_IN_UTC, LAST_IN_UTC
from mainspring.triggers.clock_changes import DAY, Change, ZoneChanges, changes_of, instant_of, utc_of
from mainspring.triggers.common_fields import INNER, ZONE_BOUND
from mainspring.triggers.declared import Codec, positional
from mainspring.triggers.standard import TICK, always_with
from mainspring.triggers.steps import SearchExhaustedError
from mainspring.triggers.wall_clock import WallClockTrigger
from mainspring.triggers.wrapping import WrappingTrigger, are_too_many, count_within, last_of, next_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.explaining import Phrase
    from mainspring.triggers.steps import Steps

__all__ = ["WindowTrigger"]

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_PAIR = 2
_TIME = r"(\d{1,2}):(\d{2})(?::(\d{2}))?"
_WINDOW = re.compile(rf"\s*{_TIME}\s*[-\u2013]\s*{_TIME}\s*", re.ASCII)
_EXPECTED = "expected a window of the day such as '08:00-18:00', '22:00-06:00' over midnight, or several: '08:00-12:00,13:00-18:00'"
_A_YEAR = timedelta(days=366)
_LONGEST_GAP = 4 * 3600
#: From then on each zone changes its clocks by one rule for all years, and all kinds of years come within sixty.
_STEADY = datetime(2100, 1, 1, tzinfo=UTC)
_ALL_KINDS = timedelta(days=60 * 366)
#: No trigger names times of the day before.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
#: What a message shows of a text.
_LONGEST_SHOWN = 100


def _text_of(windows: Iterable[tuple[int, int]]) -> str:
    return ",".join(map(_shown, windows))


class WindowTrigger(WrappingTrigger):
    """Fires when another trigger does, within windows of the day. `BaseTrigger.within` makes it.

    Times of the day are those that the clocks of the other trigger's zone show.

    Args:
        trigger: the other.
        window: see `BaseTrigger.within`.

    Raises:
        TriggerError: a window that can't be read, or has no length.
    """

    __slots__ = ("_apart", "_edges", "windows")

    kind = "window"
    fields_declared = (
        INNER,
        positional(
            "window",
            "windows",
            codec=Codec(_text_of),
            state_codec=Codec(_text_of, lambda text, _zone: _read(text)),
            shown=lambda windows: f"'{_text_of(windows)}'",
        ),
        ZONE_BOUND,
    )

    def __init__(self, trigger: BaseTrigger, window: Any) -> None:
        self._wrap(trigger)
        self._set(_read(window))

    def _set(self, windows: Iterable[tuple[int, int]]) -> None:
        #: The windows as they were given, in order, as seconds of the day; an end before its beginning is on the next day.
        self.windows = tuple(sorted(set(windows)))
        self._edges = _Edges(self.windows)
        self._apart: bool | None = None

    def _restored(self) -> None:
        super()._restored()
        self._set(self.windows)

    def _around(self, trigger: BaseTrigger) -> Self:
        made = type(self).__new__(type(self))
        made._wrap(trigger)
        made._set(self.windows)
        return made

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        return (
            type(other) is type(self)
            and self.windows == other.windows
            and self.trigger.is_same_schedule(other.trigger)
        )

    def _is_apart(self) -> bool:
        """Whether none of the other trigger's times of the day is in a window, so that it only gets into one where a gap shifts it."""
        if self._apart is None:
            self._apart = (
                isinstance(self.trigger, WallClockTrigger)
                and self.trigger.has_same_times_each_day()
                and not any(
                    self.trigger.has_time_between(low // _SECOND, -(-high // _SECOND))
                    for low, high in self._edges.stretches
                )
            )
        return self._apart

    def _shifted_into(self, first: datetime, last: datetime, steps: Steps) -> Iterator[datetime]:
        """The times from `first` to `last` that a gap shifts into a window."""
        zone = self._zone()
        for change in changes_of(zone).between(instant_of(first), instant_of(last)):
            begin = utc_of(change.at)
            if begin is None or change.after < change.before:
                continue
            if not self._shifts_into(change):
                continue
            end = begin + timedelta(seconds=change.after - change.before)
            found = next_of(self.trigger, begin - TICK, steps)
            while found is not None and found < end:
                if (
                    first <= found <= last
                    and self._edges.until_open(_time_of_day(found.astimezone(zone))) is None
                ):
                    yield found
                found = next_of(self.trigger, found, steps)

    def _shifts_into(self, change: Change) -> bool:
        """Whether a gap shifts a time of the day into a window, on whatever day."""
        low, high, shift = change.at + change.before, change.at + change.after, change.after - change.before
        parts = [
            (max(low, day + (begin - shift * _SECOND) // _SECOND), min(high, day - (-end // _SECOND) - shift))
            for begin, end in self._edges.stretches
            for day in range(low // DAY * DAY, high + shift + 1, DAY)
        ]
        return any(
            begin < end and self._has_time_between(begin % DAY, begin % DAY + end - begin)
            for begin, end in parts
        )

    def _has_time_between(self, low: int, high: int) -> bool:
        """Whether the other trigger has a time of the day from the second `low` on, before `high`, which may be on the next day."""
        has = cast("WallClockTrigger", self.trigger).has_time_between
        return has(low, min(high, DAY)) or (high > DAY and has(0, high - DAY))

    def _may_be_shifted(self) -> bool:
        """Whether some gap could shift a time of the day into a window. None is longer than this, but for whole days."""
        trigger = cast("WallClockTrigger", self.trigger)
        return trigger.shifts_over_gaps() and any(
            self._has_time_between(
                (low // _SECOND - _LONGEST_GAP) % DAY, (low // _SECOND - _LONGEST_GAP) % DAY + _LONGEST_GAP
            )
            for low, _ in self._edges.stretches
        )

    def _shifted_after(self, moment: datetime, steps: Steps) -> datetime | None:
        """The first time after `moment` that a gap shifts into a window; ``None`` if none is, in all kinds of years."""
        if not self._may_be_shifted():
            return None
        last = max(moment, _STEADY) + _ALL_KINDS
        changes = changes_of(self._zone())
        try:
            while moment < last:
                end = moment + _A_YEAR
                if moment > _STEADY and not any(
                    map(self._shifts_into, changes.between(instant_of(moment), instant_of(end)))
                ):
                    return None  # all years have these changes from then on
                found = next(self._shifted_into(moment + TICK, end, steps), None)
                if found is not None:
                    return found
                moment = end
        except SearchExhaustedError as error:
            raise error.not_before(moment) from None
        return None

    def _shifted_before(self, moment: datetime, steps: Steps) -> datetime | None:
        if not self._may_be_shifted():
            return None
        try:
            while moment > _EARLIEST:
                begin = moment - _A_YEAR
                found = max(self._shifted_into(begin, moment - TICK, steps), default=None)
                if found is not None:
                    return found
                moment = begin
        except SearchExhaustedError as error:
            raise error.not_after(moment) from None
        return None

    def _after(self, moment: datetime, steps: Steps) -> datetime | None:
        if self._is_apart():
            return self._shifted_after(moment, steps)
        zone = self._zone()
        changes = changes_of(zone)
        try:
            while (found := next_of(self.trigger, moment, steps)) is not None:
                wait = self._edges.until_open(_time_of_day(found.astimezone(zone)))
                if wait is None:
                    return found
                moment = max(_opening(found, wait, changes) - TICK, found)
                steps.go_on()
        except SearchExhaustedError as error:
            raise error.not_before(moment) from None
        return None

    def _before(self, moment: datetime, steps: Steps) -> datetime | None:
        if self._is_apart():
            return self._shifted_before(moment, steps)
        zone = self._zone()
        changes = changes_of(zone)
        try:
            while (found := last_of(self.trigger, moment, steps)) is not None:
                since = self._edges.since_open(_time_of_day(found.astimezone(zone)))
                if since is None:
                    return found
                moment = min(_closing(found, since, changes), found)
                steps.go_on()
        except SearchExhaustedError as error:
            raise error.not_after(moment) from None
        return None

    def count_between(self, first: datetime, last: datetime) -> int | None:
        """See `BaseTrigger.count_between`. It goes through the windows of each day."""
        count = self.trigger.count_between(first, last)
        if not count:
            return count
        if are_too_many((last - first).days * len(self._edges.stretches), count):
            return None
        return count_within(self.trigger, self._open_between(first, last), first, last)

    def _open_between(self, first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretches of time from `first` to `last` in which the clocks show a time in a window, and maybe some beyond."""
        changes = changes_of(self._zone())
        begin, final = instant_of(first), instant_of(last) + 1
        offset = changes.offset_at(begin)
        for change in [*changes.between(begin, final), Change(final, 0, 0)]:
            end = min(change.at, final)
            if end <= begin:
                continue
            for day in range((begin + offset) // DAY, (end - 1 + offset) // DAY + 1):
                midnight = day * DAY - offset
                for low, high in self._edges.stretches:
                    yield (
                        _moment(max(midnight * _SECOND + low, begin * _SECOND)),
                        _moment(min(midnight * _SECOND + high, end * _SECOND)),
                    )
            begin, offset = end, change.after

    def _always_with(self) -> list[BaseTrigger]:
        return always_with(self.trigger)

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining import Clause, Clock, phrase_of

        has_seconds = any(end % 60 for window in self.windows for end in window)
        spans = tuple(
            Clause("span.clock", first=Clock(begin, has_seconds), last=Clock(end, has_seconds))
            for begin, end in self.windows
        )
        return phrase_of(self.trigger).by_days().but(Clause("within", spans=spans))

    def __str__(self) -> str:
        return f"{self.trigger} within {_text_of(self.windows)}"


class _Edges:
    """The stretches of a day in which it may fire, in microseconds from midnight on the clock; ends not included, none touches another."""

    __slots__ = ("stretches",)

    def __init__(self, windows: Iterable[tuple[int, int]]) -> None:
        stretches: list[tuple[int, int]] = []
        for low, high in sorted(_parts(windows)):
            if stretches and low <= stretches[-1][1]:
                stretches[-1] = (stretches[-1][0], max(stretches[-1][1], high))
            else:
                stretches.append((low, high))
        self.stretches = stretches

    def until_open(self, at: int) -> int | None:
        """How long it is from a time of the day to the next in a window; ``None`` in one."""
        for low, high in self.stretches:
            if at < high:
                return None if low <= at else low - at
        return _DAY + self.stretches[0][0] - at

    def since_open(self, at: int) -> int | None:
        """How long ago the last window ended; ``None`` in one."""
        for low, high in reversed(self.stretches):
            if at >= low:
                return None if at < high else at - high
        return _DAY - self.stretches[-1][1] + at


def _parts(windows: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for begin, end in windows:
        low = begin * _SECOND
        high = _DAY if end * _SECOND == _DAY else end * _SECOND + 1  # its last moment is in it
        if end > begin:
            yield low, high
        else:
            yield low, _DAY
            yield 0, high


def _moment(microseconds: int) -> datetime:
    """A moment in UTC, or the end of all that it is beyond."""
    second, rest = divmod(microseconds, _SECOND)
    found = utc_of(second)
    if found is None:
        return FIRST_IN_UTC if second < DAY else LAST_IN_UTC
    return found.replace(microsecond=rest)


def _time_of_day(local: datetime) -> int:
    return (local.hour * 3600 + local.minute * 60 + local.second) * _SECOND + local.microsecond


def _opening(found: datetime, wait: int, changes: ZoneChanges) -> datetime:
    """A moment after `found`, which is outside, before which nothing is inside: when a window begins, or the clocks change."""
    target = found + timedelta(microseconds=wait)
    begin, end = instant_of(found), instant_of(target)
    for change in changes.between(begin, end):
        if begin < change.at <= end:
            return utc_of(change.at) or target
    return target


def _closing(found: datetime, since: int, changes: ZoneChanges) -> datetime:
    """A moment up to `found`, which is outside, from which on nothing is inside: when a window ended, or the clocks changed."""
    target = found - timedelta(microseconds=since)
    begin, end = instant_of(target), instant_of(found)
    for change in reversed(changes.between(begin, end)):
        if begin < change.at <= end:
            return utc_of(change.at) or target
    return target


def _read(value: Any) -> list[tuple[int, int]]:
    """Windows as seconds of the day.

    Raises:
        TriggerError: it isn't windows.
    """
    parts: list[Any]
    if isinstance(value, str):
        parts = value.split(",")
    elif isinstance(value, tuple) and len(value) == _PAIR and all(isinstance(one, time) for one in value):
        parts = [value]
    elif isinstance(value, tuple) and len(value) == _PAIR and all(map(_is_time_as_text, value)):
        parts = ["-".join(value)]
    elif isinstance(value, list | tuple | set | frozenset):
        return _some([window for part in value for window in _read(part)])
    else:
        raise TriggerError(f"window: {_EXPECTED}, got {type(value).__name__} {value!r}")
    return _some([_read_one(part) for part in parts])


def _is_time_as_text(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(rf"\s*{_TIME}\s*", value, re.ASCII) is not None


def _some(windows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    if not windows:
        raise TriggerError(f"window: {_EXPECTED}, got none")
    return windows


def _read_one(part: Any) -> tuple[int, int]:
    if isinstance(part, str):
        match = _WINDOW.fullmatch(part)
        if match is None:
            raise TriggerError(f"window: {_EXPECTED}, got {part[:_LONGEST_SHOWN]!r}{_meant(part)}")
        begin, end = _seconds(*match.groups()[:3]), _seconds(*match.groups()[3:])
        whole = part.strip()
    else:
        begin, end = (one.hour * 3600 + one.minute * 60 + one.second for one in part)
        whole = _shown((begin, end))
        if any(one.microsecond or one.tzinfo for one in part):
            raise TriggerError(f"window: {_EXPECTED}, got {part!r}: give whole seconds without a time zone")
    for second in (begin, end):
        if second > 86_400:  # noqa: PLR2004 - a day
            raise TriggerError(f"window: no day has a time after 24:00, got {whole!r}")
    if begin in (end, 86_400):
        raise TriggerError(f"window: {whole!r} has no length; the whole day is '00:00-24:00'")
    return begin, end


def _seconds(hour: str, minute: str, second: str | None) -> int:
    sixty = 60
    if int(minute) >= sixty or int(second or 0) >= sixty:
        raise TriggerError(f"window: {hour}:{minute}{':' + second if second else ''} is no time of the day")
    return int(hour) * 3600 + int(minute) * 60 + int(second or 0)


def _meant(part: str) -> str:
    """The window that a text such as ``8-18`` probably is, for a message."""
    match = re.fullmatch(
        r"\s*(\d{1,2})(?::(\d{2}))?\s*(?:-|\u2013|to|until)\s*(\d{1,2})(?::(\d{2}))?\s*", part, re.ASCII
    )
    if match is None:
        return ""
    begin, end = (f"{int(match[at]):02}:{match[at + 1] or '00'}" for at in (1, 3))
    try:
        _read_one(f"{begin}-{end}")
    except TriggerError:
        return ""
    return f"; did you mean '{begin}-{end}'?"


def _shown(window: tuple[int, int]) -> str:
    return "-".join(_pair(window))


def _pair(window: tuple[int, int]) -> tuple[str, ...]:
    return tuple(
        f"{at // 3600:02}:{at // 60 % 60:02}" + (f":{at % 60:02}" if at % 60 else "") for at in window
    )
