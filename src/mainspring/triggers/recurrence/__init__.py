"""Fires as a recurrence of iCalendar says (RFC 5545): its rules, dates that are added, and dates that are left out.

`reading.py` reads texts and checks them against the RFC, `rules.py` has rules as data. `days.py` says which days of a year a
rule has, `clock.py` which times of a day, and `walls.py` walks over both by the wall clock; the trigger itself makes
instants of these. Start at ``docs/triggers/dialects`` and at `walls.py`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Self, cast

from mainspring.errors import TriggerError
from mainspring.timezones import astimezone, convert_to_datetime, in_utc, in_zone, zone_identity
from mainspring.triggers.clock_changes import moment_of, time_of
from mainspring.triggers.common_fields import ANCHORED, FOLD, GAP, JITTER, SEED, TIMEZONE
from mainspring.triggers.declared import Field, positional
from mainspring.triggers.jitter import checked_jitter
from mainspring.triggers.recurrence.reading import Recurrence, read_recurrence
from mainspring.triggers.recurrence.rules import date_text
from mainspring.triggers.recurrence.walls import Merged, Single, walls_of
from mainspring.triggers.standard import DelayedTrigger
from mainspring.triggers.steps import SearchExhaustedError
from mainspring.triggers.wall_clock import WallClockTrigger, checked_policy

if TYPE_CHECKING:
    from mainspring.triggers.clock_changes import Fold, Gap, Walls
    from mainspring.triggers.explaining import Phrase
    from mainspring.triggers.steps import Steps

__all__ = ["RecurrenceTrigger"]

_SECOND = timedelta(seconds=1)
_LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001 - on the clock of whichever zone


class RecurrenceTrigger(WallClockTrigger):
    """Fires as iCalendar's ``RRULE``, ``RDATE`` and ``EXDATE`` say, on the wall clock of a zone.

    Where the clocks change, a time that doesn't exist is read with the offset before the change, and one that exists twice fires at its first
    occurrence (RFC 5545, section 3.3.5). That holds for rules by hours and minutes too: when the clocks are put back, the hour that comes
    again is not repeated, unless by ``fold="both"``.

    Args:
        rule: ``"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE"``, or lines with ``DTSTART``, ``RRULE``, ``RDATE`` and ``EXDATE``, as a text or as a list.
            Without a start, it begins when the trigger is added, and that is its first time if the rule has it.
        start_date: the start, instead of ``DTSTART``.
        timezone: whose wall clock, if the text doesn't say it; the scheduler's if it is not given.
        jitter: delay each firing by up to so many seconds. The times that are delayed stay where they are.
        gap: for times that don't exist: ``"shift"`` reads them with the offset before the change, ``"skip"`` skips them.
        fold: for times that exist twice: fire at the ``"first"``, the ``"second"``, or at ``"both"``.

    Raises:
        CronSyntaxError: the text can't be read; the message says where reading stopped.
        TriggerError: the start or the zone is said twice, and differently.

    Attributes:
        start_date: when it begins on the wall clock, without a zone, or ``None``.
        recurrence: the rules and the dates.
    """

    __slots__ = ("_added_moments", "_excluded_days", "_excluded_moments", "recurrence")

    kind = "rrule"
    fields_declared = (
        positional("rule", "_text", state_codec=None, shown=repr),
        Field(
            "rule", "recurrence", "_text_without_start", codec=None
        ),  # read by `_restored`, once the start is known
        Field("start_date", codec=None),
        TIMEZONE,
        JITTER,
        GAP,
        FOLD,
        ANCHORED,
        SEED,
    )
    shown_last = ("jitter", "timezone")

    def __init__(
        self,
        rule: Any,
        *,
        start_date: Any = None,
        timezone: Any = None,
        jitter: float | None = None,
        gap: Gap | None = None,
        fold: Fold | None = None,
    ) -> None:
        if isinstance(rule, (list, tuple)) and all(isinstance(line, str) for line in rule):
            rule = "\n".join(rule)
        if not isinstance(rule, str):
            raise TypeError(f"rule must be a text such as 'FREQ=DAILY', got {type(rule).__name__} {rule!r}")
        read = read_recurrence(rule)
        given_zone = astimezone(timezone)
        if (
            read.zone is not None
            and given_zone is not None
            and zone_identity(read.zone) != zone_identity(given_zone)
        ):
            raise TriggerError(f"timezone={str(given_zone)!r}, but DTSTART is in {read.zone}: say it once")
        self.timezone = read.zone or given_zone
        start = read.start
        if start_date is not None:
            if start is not None:
                raise TriggerError(f"start_date={start_date!r}, but the text has DTSTART: say it once")
            start = self._start_of(start_date)
        self._set(read, jitter, gap, fold)
        self.start_date = None if start is None else time_of(start)

    def _start_of(self, given: Any) -> datetime:
        if self.timezone is None and isinstance(given, datetime) and given.tzinfo is not None:
            self.timezone = astimezone(given.tzinfo)
        found = convert_to_datetime(given, self.timezone or UTC, "start_date")
        if found is None:
            raise TypeError(f"start_date must be a date or a time, got {given!r}")
        wall = found.replace(tzinfo=None, fold=0)
        second = wall.replace(microsecond=0)
        return second if second in (wall, _LAST_SECOND) else second + _SECOND

    def _set(self, recurrence: Recurrence, jitter: float | None, gap: Any, fold: Any) -> None:
        self.recurrence = recurrence._replace(start=None, zone=None)
        self.jitter = checked_jitter(jitter)
        self.gap, self.fold = checked_policy(gap, fold)
        self.first = self.max_fires = self.end_date = None
        self._is_anchored = False
        self._seed: str | None = None
        self._first_at: datetime | None = None
        self._forget()

    def _is_bound(self) -> bool:
        return self.timezone is not None and self.start_date is not None

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        bound = super().bind(timezone=timezone, now=now, job_id=job_id)
        if bound.start_date is None:
            bound = self._copy() if bound is self else bound
            local = in_zone(in_utc(now), bound._zone()).replace(tzinfo=None, fold=0)
            if local.microsecond and local < _LAST_SECOND:
                local += _SECOND
            bound.start_date = local.replace(microsecond=0)
            bound._is_anchored = True
        return bound

    def _read_dates(self) -> None:
        pass  # they are times on the clock of whichever zone

    def _implied_policy(self) -> tuple[Gap, Fold]:
        return "shift", "first"

    def _make_walls(self) -> Walls:
        zone = self._zone()
        start: datetime = self.start_date
        rules = []
        for rule in self.recurrence.rules:
            until = rule.until
            if isinstance(until, datetime) and until.tzinfo is not None:
                # What it shows on the clock is not exact in an hour that is repeated; of a single rule, `_make_limits` has the moment itself.
                is_single = len(self.recurrence.rules) == 1
                until = None if is_single else until.astimezone(zone).replace(tzinfo=None, fold=0)
            rules.append(rule._replace(until=until))
        added, excluded = self.recurrence.added, self.recurrence.excluded
        self._added_moments = sorted({moment_of(each, zone) for each in added})
        self._excluded_moments = {moment_of(each, zone) for each in excluded if isinstance(each, datetime)}
        self._excluded_days = {each for each in excluded if not isinstance(each, datetime)}
        return Merged([walls_of(rule, start) for rule in rules] or [Single(start)])

    def _make_limits(self) -> tuple[datetime | None, datetime | None]:
        start = moment_of(self.start_date, self._zone())
        ends = [rule.until for rule in self.recurrence.rules]
        if not ends or None in ends:
            return start, None
        zone = self._zone()
        return start, max(
            moment_of(end, zone)
            if isinstance(end, datetime)
            else moment_of(datetime.combine(end, time.max), zone)
            for end in ends
            if end is not None
        )

    def _delay_limit(self) -> datetime | None:
        return None if self.recurrence.added else self._limits[1]

    @property
    def _has_dates(self) -> bool:
        return bool(self.recurrence.added or self.recurrence.excluded)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        if self._has_dates or self.start_date is None:
            return DelayedTrigger.get_next_fire_time(self, previous_fire_time, now)
        return super().get_next_fire_time(previous_fire_time, now)

    def count_between(self, first: datetime, last: datetime) -> int | None:
        return (
            None if self._has_dates or len(self.recurrence.rules) > 1 else super().count_between(first, last)
        )

    def _base_after(self, moment: datetime, steps: Steps) -> datetime | None:
        try:
            while True:
                steps.take()
                found = self._scheduled_after(moment)
                at = bisect_right(self._added_moments, moment)
                if at < len(self._added_moments) and (found is None or self._added_moments[at] < found):
                    found = self._added_moments[at]
                if found is None or not self._is_excluded(found):
                    return found
                moment = found
                steps.go_on()
        except SearchExhaustedError as error:
            raise error.not_before(moment) from None

    def _base_before(self, moment: datetime, steps: Steps) -> datetime | None:
        try:
            while True:
                found = super()._base_before(moment, steps)
                at = bisect_left(self._added_moments, moment)
                if at and (found is None or self._added_moments[at - 1] > found):
                    found = self._added_moments[at - 1]
                if found is None or not self._is_excluded(found):
                    return found
                moment = found
                steps.go_on()
        except SearchExhaustedError as error:
            raise error.not_after(moment) from None

    def _is_excluded(self, found: datetime) -> bool:
        return found in self._excluded_moments or (
            bool(self._excluded_days) and in_zone(found, self._zone()).date() in self._excluded_days
        )

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining.recurrence import spoken_recurrence

        return spoken_recurrence(self)

    def _lines(self, *, has_start: bool = True) -> list[str]:
        """The text, with times on the clock of the trigger's zone."""
        lines = []
        if has_start and self.start_date is not None:
            lines.append(f"DTSTART:{date_text(self.start_date)}")
        lines += [f"RRULE:{rule}" for rule in self.recurrence.rules]
        for name, dates in (("RDATE", self.recurrence.added), ("EXDATE", self.recurrence.excluded)):
            days = [each for each in dates if not isinstance(each, datetime)]
            moments = [each for each in dates if isinstance(each, datetime)]
            if days:
                lines.append(f"{name};VALUE=DATE:{','.join(map(date_text, days))}")
            if moments:
                lines.append(f"{name}:{','.join(map(date_text, moments))}")
        return lines

    @property
    def _text(self) -> str:
        return "\n".join(self._lines())

    @property
    def _text_without_start(self) -> str:
        return "\n".join(self._lines(has_start=False))

    def _restored(self) -> None:
        rule, start = cast("Any", self.recurrence), self.start_date
        read = read_recurrence(rule if start is None else f"DTSTART:{date_text(start)}\n{rule}")
        self.recurrence = read._replace(start=None, zone=None)
        self.jitter = checked_jitter(self.jitter)
        self.first = self.max_fires = self.end_date = self._first_at = None
        super()._restored()

    def _compared(self) -> dict[str, Any]:
        state = super()._compared()
        zone, start = self.timezone, self.start_date
        del state["rule"]
        rules = self.recurrence.rules
        if start is not None and not self._is_anchored:
            rules = tuple(rule.completed(start) for rule in rules)
        state["rules"] = sorted(map(str, rules))
        for name in ("added", "excluded"):
            dates = getattr(self.recurrence, name)
            if zone is not None:
                dates = [moment_of(each, zone) if isinstance(each, datetime) else each for each in dates]
            state[name] = sorted({date_text(each) for each in dates})
        return state
