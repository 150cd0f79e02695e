"""Fires when the sun rises or sets at a place, at dawn, at dusk, or at noon.

Where the sun stands says `astral` (by the equations of NOAA's solar calculator). When it crosses the horizon is found here, by halving, since
astral's own `sunrise` has no answer on one day of the year where the sun rises about midnight in UTC, as in Dhaka.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from math import acos, degrees
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Self, get_args

from mainspring.coercion import nearest
from mainspring.errors import TriggerError
from mainspring.extras import library_missing
from mainspring.timezones import in_utc
from mainspring.triggers.common_fields import END_DATE, JITTER, MOMENT, START_DATE, TIMEZONE
from mainspring.triggers.declared import Codec, Field, Handed, keyword, positional
from mainspring.triggers.jitter import checked_jitter
from mainspring.triggers.standard import TICK, DelayedTrigger, check_order, moment_in, zone_given
from mainspring.triggers.steps import SearchExhaustedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from astral import Observer

    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.explaining import Phrase
    from mainspring.triggers.steps import Steps

__all__ = ["SunTrigger"]

SunEvent = Literal["dawn", "sunrise", "noon", "sunset", "dusk"]

_EVENTS = get_args(SunEvent)
_HALF_A_DAY = 43_200
_SECOND = timedelta(seconds=1)
#: How far the sun's centre is below the horizon when its upper edge is seen at it: half of its width, and what the air refracts.
_EDGE_DEGREES = 0.833
_EARTH_METRES = 6_371_000
_MOST_MINUTES = 24 * 60
#: All kinds of years: what doesn't come within them never comes.
_YEARS_OF_DAYS = 4 * 366
_SAMPLE = date(2024, 1, 1).toordinal()
#: Noon may be a day off the date in UTC, and what is asked is three days.
_FIRST_DAY: Final = 8
_LAST_DAY: Final = date.max.toordinal() - 8


def _number(name: str, shown: Callable[[float], str | None]) -> Field:
    return keyword(name, shown=shown)


class SunTrigger(DelayedTrigger):
    """Fires when the sun rises or sets at a place, or some time before or after. Needs `astral`: ``pip install "mainspring[sun]"``.

    On days without the event, as in a polar night, it doesn't fire. Times are whole seconds, and right to about a minute: what the weather
    refracts isn't known.

    Args:
        event: ``"sunrise"`` or ``"sunset"``: the sun's upper edge is at the horizon; ``"dawn"`` or ``"dusk"``: its centre is `depression`
            degrees below; ``"noon"``: it is highest.
        latitude, longitude: of the place, in degrees; north and east are positive.
        elevation: how many metres the place is above the horizon that is seen from there: the sun rises sooner, and sets later.
        offset: minutes after the event, negative before it; or a ``timedelta``. At most a day.
        depression: 6 for civil dawn and dusk, 12 for nautical, 18 for astronomical.
        start_date, end_date: the first and the last moment at which it may fire.
        timezone: in which the times are given; the scheduler's if it is not given.
        jitter: delay each firing by up to so many seconds. The times that are delayed stay where they are.

    Raises:
        TriggerError: a value that can't be.
        ImportError: `astral` isn't installed.
    """

    __slots__ = (
        "_seed",
        "depression",
        "elevation",
        "end_date",
        "event",
        "jitter",
        "latitude",
        "longitude",
        "offset",
        "start_date",
        "timezone",
    )

    kind = "sun"
    fields_declared = (
        positional("event", shown=repr),
        _number("latitude", lambda degrees: f"latitude={degrees:g}"),
        _number("longitude", lambda degrees: f"longitude={degrees:g}"),
        _number("elevation", lambda metres: f"elevation={metres:g}" if metres else None),
        _number("depression", lambda degrees: None if degrees == 6 else f"depression={degrees:g}"),  # noqa: PLR2004 - the default
        keyword(
            "offset",
            codec=Codec(timedelta.total_seconds, lambda seconds, _zone: timedelta(seconds=seconds)),
            shown=lambda offset: f"offset={offset.total_seconds() / 60:g}" if offset else None,
        ),
        START_DATE,
        END_DATE._replace(codec=MOMENT, handed=Handed.KEYWORD),
        TIMEZONE,
        JITTER,
        Field("seed", "_seed"),
    )
    shown_last = ("depression", "start_date", "end_date", "jitter", "timezone")
    searches = True

    def __init__(
        self,
        event: SunEvent = "sunrise",
        *,
        latitude: float,
        longitude: float,
        elevation: float = 0,
        offset: float | timedelta = 0,
        depression: float = 6,
        start_date: Any = None,
        end_date: Any = None,
        timezone: Any = None,
        jitter: float | None = None,
    ) -> None:
        if event not in [*_EVENTS]:  # a list takes what has no hash, too
            meant = nearest(event, _EVENTS)
            hint = "" if meant is None else f"; did you mean {meant!r}?"
            raise TriggerError(f"event must be one of {', '.join(map(repr, _EVENTS))}, got {event!r}{hint}")
        self.event: SunEvent = event
        self.latitude = _checked("latitude", latitude, -90, 90, "degrees")
        self.longitude = _checked("longitude", longitude, -180, 180, "degrees")
        self.elevation = _checked("elevation", elevation, 0, 100_000, "metres")
        self.depression = _checked("depression", depression, 0, 30, "degrees")
        minutes = offset.total_seconds() / 60 if isinstance(offset, timedelta) else offset
        self.offset = timedelta(minutes=_checked("offset", minutes, -_MOST_MINUTES, _MOST_MINUTES, "minutes"))
        self.timezone = zone_given(timezone, start_date, end_date)
        self.start_date = moment_in(start_date, self.timezone, "start_date")
        self.end_date = moment_in(end_date, self.timezone, "end_date")
        check_order(self.start_date, self.end_date)
        self.jitter = checked_jitter(jitter)
        self._seed: str | None = None
        _astral()

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        if self._is_bound() and (self._seed is not None or not self.jitter):
            return self
        bound = type(self).__new__(type(self))
        bound.__setstate__(self.__getstate__())
        if bound.timezone is None:
            bound.timezone = timezone
            bound.start_date = moment_in(bound.start_date, timezone, "start_date")
            bound.end_date = moment_in(bound.end_date, timezone, "end_date")
        if bound._seed is None and bound.jitter:
            bound._seed = job_id
        return bound

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        return type(other) is type(self) and self._compared() == other._compared()

    def _is_bound(self) -> bool:
        return self.timezone is not None

    def _zone(self) -> tzinfo:
        return self.timezone or UTC

    def _place(self) -> _Place:
        return _Place(self.event, self.latitude, self.longitude, self.elevation, self.depression)

    def _base_after(self, moment: datetime, steps: Steps) -> datetime | None:
        start, end = _utc(self.start_date), _utc(self.end_date)
        if start is not None and moment < start:
            moment = start - TICK
        place = self._place()
        day = _day_of(moment - self.offset) - 1
        try:
            while day <= _LAST_DAY and (end is None or _begin_of(day) + self.offset <= end):
                steps.take()
                found = _event(place, day)
                if found is None and not _comes(place):
                    return None
                if found is not None and found + self.offset > moment:
                    fire_time = found + self.offset
                    return None if end is not None and fire_time > end else fire_time
                day += 1
        except SearchExhaustedError as error:
            raise error.not_before(max(moment, _begin_of(day) + self.offset)) from None
        return None

    def _base_before(self, moment: datetime, steps: Steps) -> datetime | None:
        start, end = _utc(self.start_date), _utc(self.end_date)
        if end is not None and moment > end:
            moment = end + TICK
        place = self._place()
        day = _day_of(moment - self.offset) + 1
        try:
            while day >= _FIRST_DAY and (start is None or _begin_of(day + 3) + self.offset >= start):
                steps.take()
                found = _event(place, day)
                if found is None and not _comes(place):
                    return None
                if found is not None and found + self.offset < moment:
                    fire_time = found + self.offset
                    return None if start is not None and fire_time < start else fire_time
                day -= 1
        except SearchExhaustedError as error:
            raise error.not_after(min(moment, _begin_of(day + 3) + self.offset)) from None
        return None

    def _delay_limit(self) -> datetime | None:
        return _utc(self.end_date)

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining.sun import spoken_sun

        return spoken_sun(self)

    def __str__(self) -> str:
        return repr(self)


class _Place(NamedTuple):
    """What is waited for, and where."""

    event: SunEvent
    latitude: float
    longitude: float
    elevation: float
    depression: float

    def height(self) -> float:
        """How many degrees the sun's centre is above the plane of the horizon then."""
        if self.event in ("dawn", "dusk"):
            return -self.depression
        return -_EDGE_DEGREES - degrees(acos(_EARTH_METRES / (_EARTH_METRES + self.elevation)))


def _day_of(moment: datetime) -> int:
    """The date in UTC, as `date.toordinal` counts, as far as events can be told of it."""
    return min(max(moment.toordinal(), _FIRST_DAY), _LAST_DAY)


def _begin_of(day: int) -> datetime:
    """A moment before all events of a solar day, and of those after it; it is after all those of the day three before."""
    return datetime.combine(date.fromordinal(max(min(day - 1, _LAST_DAY + 4), 2)), datetime.min.time(), UTC)


@lru_cache(maxsize=4096)
def _event(place: _Place, day: int) -> datetime | None:
    """When the event comes on a solar day, from one midnight of the sun to the next; ``None`` if it doesn't.

    Args:
        day: the date, as `date.toordinal` counts, on which the solar noon is at the place.
    """
    from astral import sun

    observer = _observer(place)
    noon = sun.noon(observer, date.fromordinal(day))
    if place.event == "noon":
        return noon
    height = place.height()
    is_rising = place.event in ("dawn", "sunrise")
    begin = noon - _HALF_A_DAY * _SECOND if is_rising else noon

    def has_come(second: int) -> bool:
        is_above = sun.elevation(observer, begin + second * _SECOND, with_refraction=False) >= height
        return is_above == is_rising

    if has_come(0) or not has_come(_HALF_A_DAY):
        return None
    return begin + bisect_left(range(_HALF_A_DAY), True, key=has_come) * _SECOND


@lru_cache(maxsize=1024)
def _comes(place: _Place) -> bool:
    """Whether the event ever comes there, as the sun never rises at a pole on a day like others."""
    return any(_event.__wrapped__(place, _SAMPLE + day) is not None for day in range(_YEARS_OF_DAYS))


def _observer(place: _Place) -> Observer:
    from astral import Observer

    return Observer(place.latitude, place.longitude)


def _astral() -> None:
    """See to it that `astral` is there when it is needed."""
    try:
        import astral.sun  # noqa: F401
    except ImportError as error:
        raise library_missing("SunTrigger", "astral", "astral", "sun", error) from None


def _checked(name: str, value: Any, low: float, high: float, unit: str) -> float:
    """`value`, if it is a number in these bounds.

    Raises:
        TriggerError: it isn't.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise TriggerError(f"{name} must be a number of {unit} from {low} to {high}, got {value!r}")
    return value


def _utc(moment: Any) -> datetime | None:
    return in_utc(moment) if isinstance(moment, datetime) else None
