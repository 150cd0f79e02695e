"""Fires when the wall clock shows a time that matches all of its fields.

`reading.py` makes fields of texts by the rules of a grammar (`grammars.py`, as data: APScheduler's, Unix', Quartz'), with
`expressions.py` for what may stand in a field; `hints.py` says what was probably meant by a text that is refused. `fields.py`
and `days.py` answer which numbers and days match, and `wall.py` walks from one matching time to the next.

Promised: the next time is found in a bounded number of steps, whatever the fields are, and each hint can be read itself.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from mainspring.call_stack import outside
from mainspring.errors import CronSyntaxError
from mainspring.former_names import former_names
from mainspring.timezones import in_utc
from mainspring.timezones import local_timezone as get_localzone
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.common_fields import TIMEZONE_APART, WALL_CLOCK_FIELDS
from mainspring.triggers.cron.days import DateFields
from mainspring.triggers.cron.fields import DEFAULT_VALUES, FIELDS, BaseField, steps_over_new_year
from mainspring.triggers.cron.grammars import FIVE_FIELDS, NOTHING, SIX_FIELDS, UNIX
from mainspring.triggers.cron.hooks import is_asked
from mainspring.triggers.cron.quartz import QUARTZ, check_calendars
from mainspring.triggers.cron.reading import checked_text, read_expression, refusal, split, within
from mainspring.triggers.cron.unix import command_after, placed
from mainspring.triggers.cron.wall import WallSchedule
from mainspring.triggers.declared import Codec, Field, keywords, replaced
from mainspring.triggers.interval import checked_count, checked_first
from mainspring.triggers.jitter import checked_jitter
from mainspring.triggers.standard import check_order, moment_in, zone_of_a_new_one
from mainspring.triggers.wall_clock import WallClockTrigger, checked_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from mainspring.triggers.clock_changes import Fold, Gap, Walls
    from mainspring.triggers.cron.grammars import Grammar
    from mainspring.triggers.explaining import Phrase

__all__ = ["CronTrigger"]

#: The kinds of fields that their text says all of. One that an older release has pickled may be of another kind than the field has today.
_OWN_FIELDS = frozenset(FIELDS.values())
_CRONTAB = UNIX._replace(layouts={len(FIVE_FIELDS): FIVE_FIELDS})


class CronTrigger(WallClockTrigger):
    """Fires at every time that matches all fields given.

    Of the fields that are left out, those to the left of the rightmost that is given match everything, and those to its
    right take their lowest value: ``hour=9`` fires every day at 09:00:00, ``month=11, minute=0`` every hour in November.

    Where the clocks change: if the hour field begins with ``*``, nothing fires in a stretch that doesn't exist, and both
    passes of a repeated one fire. Otherwise each time of the day fires exactly once: one that doesn't exist is read with
    the offset before the change (02:30 becomes 03:30), one that exists twice fires at its first occurrence.

    Args:
        year: four digits.
        month: 1 to 12, or jan to dec.
        day: 1 to 31, ``last`` or ``L``, ``L-3``, ``LW``, ``15W``, or a position such as ``3rd fri``.
        week: ISO week, 1 to 53.
        day_of_week: 0 for Monday to 6 for Sunday, mon to sun, ``fri#2``, or ``friL``.
        hour, minute, second: as on the clock.
        start_date, end_date: the first and the last moment at which it may fire.
        timezone: whose wall clock; the scheduler's if it is not given.
        jitter: delay each firing by up to so many seconds. The times that are delayed stay where they are.
        gap: for times that don't exist: ``"shift"`` reads them with the offset before the change, ``"skip"`` skips them.
        fold: for times that exist twice: fire at the ``"first"``, the ``"second"``, or at ``"both"``.
        first: ``"now"`` also fires once as soon as the trigger is added; ``"after"`` doesn't, and is the default.
        max_fires: fire so many times, counted from the start date, or from when the trigger is added.

    Raises:
        CronSyntaxError: a field that can't be read; the message says where.
    """

    FIELD_NAMES = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")
    FIELDS_MAP: ClassVar[dict[str, type[BaseField]]] = FIELDS

    __slots__ = ("_is_either", "fields")

    kind = "cron"
    state_version = 2
    fields_declared = (
        keywords(
            "fields",
            codec=Codec(lambda fields: {field.name: str(field) for field in fields if not field.is_default}),
            shown=lambda fields: _shown_fields(fields) or None,
        ),
        Field("either_day", "_is_either", is_sparse=True, default=False),
        *replaced(WALL_CLOCK_FIELDS, TIMEZONE_APART),
    )
    state_first = ("timezone", "start_date", "end_date")
    shown_as = "<{name} ({fields}, timezone='{self.timezone}')>"

    def __init__(
        self,
        year: Any = None,
        month: Any = None,
        day: Any = None,
        week: Any = None,
        day_of_week: Any = None,
        hour: Any = None,
        minute: Any = None,
        second: Any = None,
        start_date: Any = None,
        end_date: Any = None,
        timezone: Any = None,
        jitter: float | None = None,
        *,
        gap: Gap | None = None,
        fold: Fold | None = None,
        first: Literal["now", "after"] | None = None,
        max_fires: int | None = None,
    ) -> None:
        self.timezone = zone = zone_of_a_new_one(timezone, start_date, end_date, local=get_localzone)
        self.start_date = moment_in(start_date, zone, "start_date")
        self.end_date = moment_in(end_date, zone, "end_date")
        check_order(self.start_date, self.end_date)
        self.jitter = checked_jitter(jitter)
        self.gap, self.fold = checked_policy(gap, fold)
        self.first = checked_first(first, start_date)
        self.max_fires = checked_count(max_fires)
        values = (year, month, day, week, day_of_week, hour, minute, second)
        given = dict(zip(self.FIELD_NAMES, values, strict=True))
        self.fields = self._read_fields({name: value for name, value in given.items() if value is not None})
        if week is not None:
            self._warn_of_week_steps()
        # Whether a day fires if its day of the month or its weekday matches, as in a crontab.
        self._is_either = False
        self._is_anchored = False
        self._seed: str | None = None
        self._first_at: datetime | None = None
        self._forget()

    def _read_fields(self, given: dict[str, Any]) -> list[BaseField]:
        fields = []
        smallest_given = max(map(self.FIELD_NAMES.index, given), default=len(self.FIELD_NAMES))
        for at, name in enumerate(self.FIELD_NAMES):
            made = self.FIELDS_MAP[name]
            if name in given:
                fields.append(made(name, given[name]))
            else:
                fields.append(
                    _default_field(made, name, "*" if at < smallest_given else DEFAULT_VALUES[name])  # type: ignore[arg-type]  # the class is hashed
                )
        return fields

    def _warn_of_week_steps(self) -> None:
        week, year = self._field("week"), self._field("year")
        step = steps_over_new_year(week)
        if step > 1 and (year.matches_all() or len(year.values()) > 1):
            warnings.warn(
                f"week={str(week)!r} counts the weeks of each year anew, so that over some new years it isn't every {step} weeks: "
                f"WeeklyTrigger(day_of_week=…, weeks={step}) goes on over them",
                stacklevel=outside(),
            )

    @classmethod
    def from_crontab(cls, expr: str, timezone: Any = None, **options: Any) -> Self:
        """A trigger from five fields as in a crontab: minute, hour, day, month, weekday; or ``@daily`` and the like.

        Numbers of weekdays are APScheduler's, 0 for Monday, and not cron's: a warning says so. A day fires if both
        its day of the month and its weekday match. For a crontab as cron itself reads it, use `from_unix`.

        Args:
            options: further parameters of the constructor.

        Raises:
            CronSyntaxError: another number of fields, or one that can't be read.
        """
        try:
            values: dict[str, Any] = split(checked_text(expr, "30 9 * * mon-fri"), _CRONTAB)
        except CronSyntaxError as error:
            raise _pointing_elsewhere(error, "", "unix") from None
        weekday = values["day_of_week"]
        if any(character.isdigit() for part in weekday.split(",") for character in _before_step(part)):
            _warn_of_numeric_weekday(expr, weekday)
        return cls(**values, timezone=timezone, **options)

    @classmethod
    def from_unix(cls, text: str, timezone: Any = None, **options: Any) -> Self:
        """A trigger from a line of a crontab, as cron reads it: five fields, six with seconds first, or ``@daily`` etc.

        Sunday is 0 and 7. Of a step that is wider than its range, the first value alone is meant: ``*/60`` minutes is the full hour. If
        both the day of the month and the weekday are restricted, that is if neither begins with ``*``, a day fires if one of them
        matches (crontab(5)). A zone may stand before the fields (``CRON_TZ=…``) or after them, and ``0~59`` is a value that the
        job's id chooses. ``@every 1h30m`` is an interval: `mainspring.triggers.parse` reads it.

        Args:
            timezone: for a line that names none.
            options: further parameters of the constructor.

        Raises:
            CronSyntaxError: it can't be read.
        """
        try:
            return cls._from_crontab_line(checked_text(text, "30 9 * * mon-fri"), timezone, options)
        except CronSyntaxError as error:
            raise _pointing_elsewhere(error, "unix", "unix") from None

    @classmethod
    def _from_crontab_line(
        cls, line: str, timezone: Any = None, options: Mapping[str, Any] = NOTHING
    ) -> Self:
        expression, start, zone = placed(line)
        try:
            made = cls._from_text(expression, UNIX, timezone if zone is None else zone, options)
        except CronSyntaxError as error:
            raise within(line, start, expression, command_after(expression) or error) from None
        if len(expression.split()) == len(SIX_FIELDS):
            _warn_of_seconds(line)
        return made

    @classmethod
    def from_quartz(cls, text: str, timezone: Any = None, **options: Any) -> Self:
        """A trigger from a Quartz expression: seconds, minutes, hours, day, month, weekday, and perhaps year.

        Sunday is 1 and Saturday 7. One of the two fields for days must be ``?``.

        Args:
            options: further parameters of the constructor.

        Raises:
            CronSyntaxError: it can't be read.
        """
        try:
            return cls._from_quartz_text(checked_text(text, "0 30 9 ? * MON-FRI"), timezone, options)
        except CronSyntaxError as error:
            raise _pointing_elsewhere(error, "quartz", "quartz") from None

    @classmethod
    def _from_quartz_text(cls, text: str, timezone: Any = None, options: Mapping[str, Any] = NOTHING) -> Self:
        check_calendars(text)
        return cls._from_text(text, QUARTZ, timezone, options)

    @classmethod
    def _from_text(
        cls, text: str, grammar: Grammar, timezone: Any = None, options: Mapping[str, Any] = NOTHING
    ) -> Self:
        """What a cron expression of some dialect means.

        Raises:
            CronSyntaxError: it can't be read.
        """
        written = read_expression(text, grammar)
        try:
            made = cls(**{**written.fields, **written.options, **options}, timezone=timezone)
        except CronSyntaxError as error:
            raise refusal(text, error, grammar) from None
        made._is_either = written.is_either
        return made

    def _field(self, name: str) -> BaseField:
        return self.fields[self.FIELD_NAMES.index(name)]

    def _needs_seed(self) -> bool:
        return bool(self.jitter) or any(field.has_hash() for field in self.fields)

    def _read_dates(self) -> None:
        self.start_date = moment_in(self.start_date, self.timezone, "start_date")
        self.end_date = moment_in(self.end_date, self.timezone, "end_date")
        check_order(self.start_date, self.end_date)

    def _implied_policy(self) -> tuple[Gap, Fold]:
        if str(self._field("hour")).startswith("*"):
            return "skip", "both"
        return "shift", "first"

    def has_same_times_each_day(self) -> bool:
        return self._first_at is None and not self.jitter

    def _make_limits(self) -> tuple[datetime | None, datetime | None]:
        return tuple(  # type: ignore[return-value]  # there are two
            None if moment is None else in_utc(moment) for moment in (self.start_date, self.end_date)
        )

    def date_fields(self, seed: str) -> DateFields:
        """What the date fields let through; only the year is left out.

        Args:
            seed: what chooses the values of ``H``.
        """
        fields = {field.name: field for field in self.fields}
        days, weeks, weekdays = (
            None if fields[name].matches_all() else _bits(fields[name].values(seed))
            for name in ("day", "week", "day_of_week")
        )
        return DateFields(
            months=_bits(fields["month"].values(seed)),
            days=days,
            special_days=fields["day"].special_days(),
            special_weekdays=fields["day_of_week"].special_days(),
            weeks=weeks,
            weekdays=weekdays,
            is_either=self._is_either,
        )

    @property
    def seed(self) -> str:
        """What chooses the values of ``H``."""
        return self._seed or ""

    def time_fields(self) -> tuple[int, int, int]:
        """The hours, the minutes and the seconds that match, as bits."""
        hour, minute, second = (
            _bits(self._field(name).values(self.seed)) for name in ("hour", "minute", "second")
        )
        return hour, minute, second

    def years(self) -> frozenset[int] | None:
        """The years that match; ``None``: all do."""
        year = self._field("year")
        return None if year.matches_all() else year.values(self.seed)

    def _make_walls(self) -> Walls:
        return WallSchedule(self.years(), (self.date_fields(self.seed),), *self.time_fields())

    def _delay_limit(self) -> datetime | None:
        return None if self.end_date is None else in_utc(self.end_date)

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining import Phrase
        from mainspring.triggers.explaining.cron import spoken_fields
        from mainspring.triggers.explaining.details import common

        fields = {field.name: field for field in self.fields}
        what, skips_dates = spoken_fields(fields, self._seed, is_either=self._is_either)
        return Phrase(what, self.timezone, common(self, self.start_date, skips_dates=skips_dates))

    def to_dict(self) -> dict[str, Any]:
        if any(type(field) not in _OWN_FIELDS or is_asked(field) for field in self.fields):
            return BaseTrigger.to_dict(self)  # the text of a program's own field doesn't say what it means
        return super().to_dict()

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        fields = values["fields"]
        if "week" not in fields:
            return super().from_dict(values)
        # A schedule that is read back isn't warned of again.
        made = super().from_dict({**values, "fields": {}})
        made.fields = made._read_fields(fields)
        return made

    def __str__(self) -> str:
        return f"cron[{_shown_fields(self.fields)}]"


def _shown_fields(fields: Iterable[BaseField]) -> str:
    return ", ".join(f"{field.name}='{field}'" for field in fields if not field.is_default)


def _pointing_elsewhere(error: CronSyntaxError, own: str, name: str) -> CronSyntaxError:
    from mainspring.triggers.parsing import pointing_elsewhere

    return pointing_elsewhere(error, own, name)


@lru_cache(maxsize=64)  # for third parties' classes, too
def _default_field(made: type[BaseField], name: str, value: str | int) -> BaseField:
    """A field that was left out: the same for all triggers, which only ever read theirs."""
    return made(name, value, True)


def _before_step(part: str) -> str:
    return part.partition("/")[0].partition("#")[0]


def _bits(values: Iterable[int]) -> int:
    return sum(1 << value for value in values)


def _warn_of_seconds(text: str) -> None:
    warnings.warn(
        f"from_unix({text!r}): of six fields the first is for seconds, as with cronsim and Spring; croniter has them last. Use "
        "CronTrigger(second=…) to be sure",
        stacklevel=outside(),
    )


def _warn_of_numeric_weekday(expr: str, weekday: str) -> None:
    warnings.warn(
        f"from_crontab({expr!r}): the weekday {weekday!r} counts from 0 for Monday, as APScheduler does; cron itself "
        "counts from 0 for Sunday. Write names (mon, tue, …) to be sure, or use CronTrigger.from_unix",
        stacklevel=outside(),
    )


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
