"""What a trigger is: pure calendar arithmetic, without a clock.

A trigger stands for a set of instants, its fire times. It keeps no state: the same question always gets the same answer,
and any two calls may come in any order.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from datetime import UTC, datetime, timedelta, tzinfo
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mainspring.coercion import NamesParameters, number_meant
from mainspring.errors import SerializationError, TriggerError, repr_of
from mainspring.timezones import in_utc, zone_identity
from mainspring.triggers.jitter import delay_of
from mainspring.triggers.kinds import class_of
from mainspring.triggers.steps import NEVER, Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mainspring.triggers.explaining import Phrase
    from mainspring.triggers.steps import Answer, Steps

__all__ = ["BaseTrigger"]

#: How many steps a trigger that can only go forward is followed before a long sleep is given up on.
_STEP_LIMIT = 100_000
_TICK = timedelta(microseconds=1)
#: What is compared as it is, which most parts of a state are.
_ALWAYS_EQUAL = frozenset({type(None), str, int, float, bool, timedelta})


def changed(trigger: BaseTrigger, window: Any = None, spread_over: Any = None) -> BaseTrigger:
    """`trigger` within a window, and spread; see `BaseTrigger.within` and `BaseTrigger.spread`.

    The spread comes last: how far a job is spread must not decide whether it runs.
    """
    if window is not None:
        trigger = trigger.within(window)
    return trigger if spread_over is None else trigger.spread(spread_over)


class TriggerType(NamesParameters):
    """Of all triggers: each takes ``window`` and ``spread_over`` besides its own parameters, and is made with a trigger around it then."""

    _besides = frozenset({"window", "spread_over"})
    # What only says that it is a trigger (`register`) can't be used as one. And those of an ABC take ten times as long.
    __instancecheck__ = type.__instancecheck__
    __subclasscheck__ = type.__subclasscheck__

    def _take_besides(cls, kwargs: dict[str, Any]) -> dict[str, Any]:  # noqa: N805 - of a metaclass
        own = signature(cls.__init__).parameters  # type: ignore[misc]  # it isn't called
        return {name: kwargs.pop(name) for name in cls._besides if name in kwargs and name not in own}

    def _changed(cls, made: Any, besides: dict[str, Any]) -> Any:  # noqa: N805 - see above
        return changed(made, **besides)

    @property
    def __signature__(cls) -> Signature:  # noqa: N805 - see above
        own = super().__signature__
        given = list(own.parameters.values())
        rest = [each for each in given if each.kind is Parameter.VAR_KEYWORD]
        more = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=None)
            for name in ("window", "spread_over")
            if name not in own.parameters
        ]
        return own.replace(parameters=[*(each for each in given if each not in rest), *more, *rest])


class BaseTrigger(metaclass=TriggerType):
    """When a job runs. Third parties subclass it and implement `get_next_fire_time`; all else then works from that."""

    __slots__ = ()

    #: Whether it may take long to find a time, or to find that there is none, so that it is asked by `search`.
    searches: ClassVar[bool] = False

    @abstractmethod
    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The next time to fire.

        Args:
            previous_fire_time: the last one, or ``None`` if there was none.
            now: the present; the answer to a first call is not before it. It doesn't matter to later calls.

        Returns:
            an aware datetime after `previous_fire_time`, or ``None`` when there is no next time.
        """

    def first_fire_time(self, now: datetime) -> datetime | None:
        """The first time to fire from `now` on; what a scheduler asks of a job that is added."""
        return self.get_next_fire_time(None, now)

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        """This trigger with what it left open filled in by the scheduler that it is added to.

        Args:
            timezone: for a trigger without one.
            now: where a trigger begins that says nothing of that.
            job_id: what spreads jobs with ``H`` in their cron fields, or with jitter.

        Returns:
            the trigger itself, or a copy.
        """
        return self

    def search(self, previous_fire_time: datetime | None, now: datetime, steps: Steps) -> Answer:
        """One slice of the search for the next time to fire; asked of a bound trigger.

        Args:
            previous_fire_time, now: as of `get_next_fire_time`.
            steps: how long the slice may be.
        """
        found = self.get_next_fire_time(previous_fire_time, now)
        return NEVER if found is None else Found(found)

    def search_before(self, before: datetime, steps: Steps) -> Answer:
        """One slice of the search for the last time before `before`; asked of a bound trigger."""
        found = self.previous(before)
        return NEVER if found is None else Found(found)

    def count_between(self, first: datetime, last: datetime) -> int | None:
        """How many fire times there are after `first`, up to `last`, both in UTC, if that can be told without going through them."""
        return None

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        """Whether `other`, made later, says the same as this one; both are bound."""
        return self == other or (
            type(self) is type(other) and comparable(self.__getstate__()) == comparable(other.__getstate__())
        )

    def upcoming(self, start: datetime, n: int) -> list[datetime]:
        """The first `n` fire times that are not before `start`.

        Raises:
            TriggerError: `n` is no whole number, or negative.
        """
        _check_number(n)
        times: list[datetime] = []
        if n > 0:
            for time in self._from(start):
                times.append(time)
                if len(times) == n:
                    break
        return times

    def between(self, a: datetime, b: datetime) -> Iterator[datetime]:
        """The fire times from `a` to `b`, both included, one after the other."""
        end = in_utc(aware(b, "b"))
        for time in self._from(a, "a"):
            if in_utc(time) > end:
                break
            yield time

    def previous(self, before: datetime) -> datetime | None:
        """The last fire time before `before`, or ``None``.

        A third party's trigger is asked forward, from ever earlier times. ``None`` if that takes too long.
        """
        end = in_utc(aware(before, "before"))
        span = timedelta(seconds=1)
        while True:
            try:
                start = end - span
            except OverflowError:
                return None
            latest: datetime | None = None
            for steps, time in enumerate(self._from(start)):
                if in_utc(time) >= end or steps > _STEP_LIMIT:
                    break
                latest = time
            if latest is not None:
                return latest
            span *= 2

    def explain(self, now: datetime | None = None, language: str = "en") -> str:
        """What the trigger means, as a sentence, such as ``"at 09:00 from Monday to Friday, Europe/Berlin"``.

        Args:
            now: to add the next fire time from then on.
            language: ``"en"`` or ``"de"``.

        Raises:
            TriggerError: no such language.
        """
        from mainspring.triggers.explaining import explained

        return explained(self, None if now is None else aware(now, "now"), language)

    def excluding(self, *exclusions: Any) -> BaseTrigger:
        """This trigger, but for some of its fire times.

        Args:
            exclusions: dates, pairs of dates (both included), pairs of datetimes, a `BusinessCalendar` (which excludes
                all other days), the events of a calendar (`mainspring.ics.IcsCalendar`), anything with ``date in it`` such as an object of the ``holidays`` package, callables
                that take the fire time and tell whether to leave it out, and lists of all these.
        """
        made: BaseTrigger = class_of("excluding")(self, exclusions)
        return made

    def on_business_days(self, calendar: Any = None, roll: str = "next") -> BaseTrigger:
        """This trigger, with what falls on another day moved to a business day at the same time of the day.

        Args:
            calendar: a `BusinessCalendar`; Monday to Friday without holidays, if not given.
            roll: ``"next"`` or ``"previous"`` for that business day, or ``"skip"``.
        """
        made: BaseTrigger = class_of("rolling").of(self, calendar, roll)
        return made

    def limited(self, max_fires: int, start: datetime | None = None) -> BaseTrigger:
        """The first `max_fires` fire times of this trigger, counted from `start` or from when it is added."""
        made: BaseTrigger = class_of("limited")(self, max_fires, start)
        return made

    def within(self, window: Any) -> BaseTrigger:
        """This trigger, but for what falls outside of windows of the day.

        Args:
            window: such as ``"08:00-18:00"``, both included, by the clocks of the trigger's zone; over midnight, if the end is
                earlier (``"22:00-06:00"``); several with commas, or as a list; pairs of `datetime.time` too. ``"24:00"`` is the end of
                the day, and the midnight after it outside.
        """
        made: BaseTrigger = class_of("window")(self, window)
        return made

    def spread(self, over: Any) -> BaseTrigger:
        """This trigger, with each job somewhat later, at a place of its own in the span after the fire time.

        Args:
            over: the span: ``"1h"``, ``"1h30m"``, a ``timedelta``, or a number of seconds.
        """
        made: BaseTrigger = class_of("spread")(self, over)
        return made

    def to_cron(self, dialect: str = "unix") -> str:
        """This trigger as a text that another program reads, and `mainspring.triggers.parse` reads back as the same times.

        Args:
            dialect: ``"unix"``, ``"quartz"``, ``"spring"``, ``"eventbridge"``, ``"jenkins"`` or ``"systemd"``. The texts of Quartz, Spring
                and EventBridge have no time zone: there it is given beside.

        Raises:
            TriggerError: the dialect can't say the same; the message names what of it.
        """
        from mainspring.triggers.writing import written

        return written(self, dialect)

    def to_dict(self) -> dict[str, Any]:
        """This trigger as a dict that JSON can carry; `mainspring.triggers.plain.trigger_from_dict` reads it.

        Raises:
            SerializationError: it holds something that isn't plain data.
        """
        raise SerializationError(
            f"{type(self).__name__} can't be written as plain data: give it methods to_dict and from_dict, "
            "or keep its jobs in a store that may pickle"
        )

    def latest_fire_time(self, first: datetime, now: datetime) -> datetime:
        """The last fire time in ``[first, now]``, where `first` counts as one wherever it is."""
        times, _ = self.fire_times(first, now, 1)
        return times[-1]

    def fire_times(self, first: datetime, now: datetime, limit: int) -> tuple[list[datetime], bool]:
        """The last `limit` fire times in ``[first, now]``, oldest first, and whether there were more.

        `first` counts as a fire time wherever it is.
        """
        latest = deque([first], maxlen=limit)
        count = 1
        for following in self._following(first, now):
            if in_utc(following) > in_utc(now):
                break
            latest.append(following)
            count += 1
            if count > _STEP_LIMIT:
                # Too long a sleep to be followed step by step: at least the last time is right.
                last = self.previous(in_utc(now) + _TICK)
                if last is not None and in_utc(last) > in_utc(following):
                    latest.append(last)
                break
        return list(latest), count > limit

    def _phrase(self) -> Phrase:
        """What `explain` says, for it to be put into words: see `mainspring.triggers.explaining`. A third party's trigger is told as it tells itself."""
        from mainspring.triggers.explaining import Clause, Phrase

        return Phrase(Clause("said", text=str(self)))

    def _from(self, start: datetime, name: str = "start") -> Iterator[datetime]:
        """The fire times that are not before `start`, which a caller has given by this name."""
        start = aware(start, name)
        begin = in_utc(start)
        trigger = self.bind(timezone=start.tzinfo or UTC, now=start, job_id="")
        first = trigger.get_next_fire_time(None, start)
        if first is None:
            return
        if in_utc(first) >= begin:
            yield first
            yield from trigger._following(first, first)
        else:
            yield from (time for time in trigger._following(first, first) if in_utc(time) >= begin)

    def _following(self, moment: datetime, now: datetime) -> Iterator[datetime]:
        """The fire times after `moment`.

        Raises:
            TriggerError: one isn't after the one before.
        """
        while True:
            following = self.get_next_fire_time(moment, now)
            if following is None:
                return
            if in_utc(following) <= in_utc(moment):
                raise TriggerError(
                    f"{self!r} gave {following} as the fire time after {moment}: get_next_fire_time must return a "
                    "later time than previous_fire_time, or None"
                )
            yield following
            moment = following

    def _after(self, moment: datetime, steps: Steps) -> datetime | None:
        """The first fire time after `moment`, both in UTC; `self` is bound.

        Raises:
            SearchExhaustedError: it takes more than `steps`.
        """
        steps.take()
        return next((in_utc(time) for time in self._following(moment, moment)), None)

    def _before(self, moment: datetime, steps: Steps) -> datetime | None:
        """The last fire time before `moment`, both in UTC; `self` is bound.

        Raises:
            SearchExhaustedError: it takes more than `steps`.
        """
        steps.take()
        found = self.previous(moment)
        return None if found is None else in_utc(found)

    def _apply_jitter(
        self,
        next_fire_time: datetime | None,
        jitter: float | None,
        now: datetime,
    ) -> datetime | None:
        """`next_fire_time` delayed by up to `jitter` seconds, always by the same for the same time.

        For third parties' triggers; the delay is elapsed time, also where the clocks change.
        """
        if next_fire_time is None or not jitter:
            return next_fire_time
        base = in_utc(next_fire_time)
        return (base + delay_of(base, timedelta(seconds=jitter), "")).astimezone(next_fire_time.tzinfo)


def comparable(value: Any) -> Any:
    """A trigger's state, or a part of it, with the same in the place of whatever means the same: zones by what they are, times as instants.

    Python itself tells one spelling of a zone from another, and finds two times unequal if one of them is in an hour that is repeated.
    """
    if type(value) in _ALWAYS_EQUAL:
        return value
    if isinstance(value, dict):
        return {
            key: inner if type(inner) in _ALWAYS_EQUAL else comparable(inner) for key, inner in value.items()
        }
    if isinstance(value, tzinfo):
        return zone_identity(value)
    if isinstance(value, datetime):
        return value if value.tzinfo is None else in_utc(value)
    if isinstance(value, list | tuple):
        return [comparable(inner) for inner in value]
    return value


def _check_number(n: Any) -> None:
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise TriggerError(f"n must be a whole number, 0 or more, got {n!r}{number_meant(n)}")


def aware(moment: Any, name: str) -> datetime:
    """A moment that a caller has given, as it is.

    Args:
        name: of the parameter, for the error.

    Raises:
        TypeError: it is no datetime, or has no time zone.
    """
    if not isinstance(moment, datetime):
        raise TypeError(
            f"{name} must be a datetime with a time zone, got {type(moment).__name__} {repr_of(moment)[:100]}"
        )
    if moment.tzinfo is None:
        raise TypeError(f"{name} must be a datetime with a time zone, got {moment!r}: give it a tzinfo")
    return moment
