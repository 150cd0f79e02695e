"""What the triggers share that fire at times of the day on days counted from a first one: `CalendarIntervalTrigger` and `WeeklyTrigger`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Self

from mainspring.errors import TriggerError
from mainspring.timezones import asdate, astimezone, in_utc, in_zone
from mainspring.triggers.common_fields import END_DATE, MOMENT, SEED, START_DATE, WALL_CLOCK_FIELDS
from mainspring.triggers.declared import AS_IT_IS, Codec, Field, replaced
from mainspring.triggers.interval import checked_count, checked_first
from mainspring.triggers.jitter import checked_jitter
from mainspring.triggers.plain import plain_moment
from mainspring.triggers.wall_clock import WallClockTrigger, checked_policy

if TYPE_CHECKING:
    from mainspring.triggers.clock_changes import Fold, Gap


_FROM_DAY = START_DATE._replace(state_codec=AS_IT_IS)
_TO_DAY = END_DATE._replace(codec=Codec(plain_moment, lambda text, _zone: asdate(text)), state_codec=AS_IT_IS)
_SINCE = Field("since", "_since", codec=MOMENT, is_sparse=True)
DATED_FIELDS = (*replaced(WALL_CLOCK_FIELDS, _FROM_DAY, _TO_DAY)[:-1], _SINCE, SEED)


class DatedTrigger(WallClockTrigger):
    """A trigger whose start and end are dates; without a start date, it begins on the day on which it is added."""

    __slots__ = ("_since",)

    state_first = ("since",)

    def _set_options(
        self,
        start_date: Any,
        end_date: Any,
        timezone: Any,
        jitter: float | None,
        gap: Gap | None,
        fold: Fold | None,
        first: Any,
        max_fires: int | None,
    ) -> None:
        self.timezone = astimezone(timezone)
        self.start_date = None if start_date is None else asdate(start_date, "start_date")
        self.end_date = None if end_date is None else asdate(end_date, "end_date")
        if self.start_date is not None and self.end_date is not None and self.start_date > self.end_date:
            raise TriggerError(
                f"end_date {self.end_date} is before start_date {self.start_date}, so that it would never fire"
            )
        self.jitter = checked_jitter(jitter)
        self.gap, self.fold = checked_policy(gap, fold)
        self.first = checked_first(first, start_date)
        self.max_fires = checked_count(max_fires)
        self._is_anchored = False
        self._since: datetime | None = None
        self._seed: str | None = None
        self._first_at: datetime | None = None
        self._forget()

    def _anchor(self, now: datetime) -> None:
        self._since = now
        self.start_date = in_zone(in_utc(now), self._zone()).date()

    def _is_bound(self) -> bool:
        return self.timezone is not None and self.start_date is not None

    def bind(self, *, timezone: Any, now: datetime, job_id: str) -> Self:
        bound = super().bind(timezone=timezone, now=now, job_id=job_id)
        if bound.start_date is None:
            bound = self._copy() if bound is self else bound
            bound._anchor(now)
            bound._is_anchored = True
        return bound

    def _read_dates(self) -> None:
        pass  # dates need no zone

    def _implied_policy(self) -> tuple[Gap, Fold]:
        return "shift", "first"

    def _make_limits(self) -> tuple[datetime | None, datetime | None]:
        # The dates themselves are limited by what `_make_walls` makes.
        if self._since is not None:
            return in_utc(self._since), None
        midnight = datetime.combine(self.start_date, time(), UTC)
        return (midnight - timedelta(days=2) if midnight.year > 1 else midnight), None

    def _last_day(self) -> int:
        """The last day that may be, as `date.toordinal` counts."""
        return (date.max if self.end_date is None else self.end_date).toordinal()

    def _delay_limit(self) -> datetime | None:
        if self.end_date is None or self.end_date == date.max:
            return None
        midnight = datetime.combine(self.end_date + timedelta(days=1), time(), self.timezone)
        return in_utc(midnight) - timedelta(microseconds=1)
