"""Makes job records from what `add_job` is given."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from inspect import Parameter, signature
from logging import WARNING
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.clock import slices_of
from mainspring.coercion import unknown_keyword
from mainspring.definition import OPTIONS, new_job_id, new_record, options_with
from mainspring.engine.searching import first_time
from mainspring.model import JobOptions, JobRecord
from mainspring.printable import shown
from mainspring.safe_logging import SafeLogger
from mainspring.schedulers.configuration import report_unknown
from mainspring.timezones import convert_to_datetime
from mainspring.triggers.base import BaseTrigger, changed

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime, tzinfo
    from types import FunctionType

    from mainspring.clock import Clock
    from mainspring.definition import Named
    from mainspring.schedulers.plugins import Plugins

_PARAMETERS = (
    "args",
    "kwargs",
    "id",
    "name",
    "next_run_time",
    *sorted(OPTIONS - {"executor"}),
    "jobstore",
    "executor",
    "replace_existing",
)

#: So many words make a cron expression, and no name of a trigger.
_CRON_FIELDS = 5


class _Taken(NamedTuple):
    """What a class of triggers takes: names, and whether it takes any other, too."""

    names: frozenset[str]
    takes_any: bool


@lru_cache(maxsize=64)
def _parameters_of(trigger: Any) -> _Taken:
    """What a class of triggers takes; its signature is slow to find out, and asked at each job."""
    parameters = signature(trigger).parameters
    return _Taken(
        frozenset(parameters), any(one.kind is Parameter.VAR_KEYWORD for one in parameters.values())
    )


class JobFactory:
    """Makes records by one scheduler's settings.

    Args:
        stands_in: whether the scheduler stands in for APScheduler.

    Attributes:
        timezone: in which times without one are read.
        strict: whether a parameter that nothing understands is an error.
        defaults: options of jobs that don't name their own.
        make_trigger: what makes a trigger of what `add_job` is given; `trigger`, if nobody has another way.
        make_named: the same of the name of a trigger, with its arguments; `named_trigger`, if nobody has another way.
        logger: for what is odd, and no error.
    """

    logger: logging.Logger

    def __init__(self, triggers: Plugins, clock: Clock, *, stands_in: bool = False) -> None:
        self._triggers = triggers
        self._stands_in = stands_in
        self._slices = slices_of(clock)
        self.timezone: tzinfo | None = None
        self.strict = False
        self.defaults = JobOptions()
        self.make_trigger: Callable[[Any, dict[str, Any]], BaseTrigger] = self.trigger
        self.make_named: Callable[[str, dict[str, Any]], BaseTrigger] = self.named_trigger

    def records(
        self, jobs: Iterable[Mapping[str, Any]], now: datetime | None = None
    ) -> list[tuple[JobRecord, bool]]:
        """As `record`, of many jobs: a function that several of them have is looked up once."""
        known: dict[FunctionType, Named] = {}
        return [self.record(dict(job), now, known) for job in jobs]

    def record(
        self,
        values: dict[str, Any],
        now: datetime | None = None,
        known: dict[FunctionType, Named] | None = None,
    ) -> tuple[JobRecord, bool]:
        """A record from parameters of `add_job`, and whether they name its next run time.

        Args:
            values: the parameters, which are used up.
            now: the present, for a record that is to be stored at once: it is `bound` already.
            known: as of `new_record`.

        Raises:
            TypeError, ValueError, LookupError: a value that can't be what it should.
        """
        take = values.pop
        if "func" not in values:
            raise ValueError(f"a job needs a 'func', got only {', '.join(sorted(values)) or 'nothing'}")
        func = take("func")
        options = self.defaults
        if not OPTIONS.isdisjoint(values):
            options = options_with(options, {key: take(key) for key in OPTIONS if key in values})
        has_next_run_time = "next_run_time" in values
        next_run_time = self.moment(take("next_run_time")) if has_next_run_time else None
        args, kwargs, name = take("args", None), take("kwargs", None), take("name", None)
        job_id = take("id", None) or new_job_id()
        trigger = self.make_trigger(take("trigger", None), values)
        if now is not None:
            trigger, next_run_time = self._tied(
                trigger, next_run_time, now, job_id, has_next_run_time=has_next_run_time
            )
        record = new_record(
            job_id,
            func,
            trigger,
            args,
            kwargs,
            name,
            options,
            next_run_time,
            known,
        )
        return record, has_next_run_time

    def moment(self, value: Any) -> datetime | None:
        """A next run time as it was given, made aware."""
        return convert_to_datetime(value, self.timezone, "next_run_time")

    def trigger(self, trigger: Any, arguments: dict[str, Any]) -> BaseTrigger:
        """A trigger from one, or from the name of one with its arguments; ``None``: one that fires at once.

        Raises:
            LookupError: no trigger has this name.
            TypeError: it is of another kind, or doesn't take the arguments.
        """
        is_unnamed = trigger is None
        # Names come first: to ask an abstract class about what isn't one of its own takes long.
        if not is_unnamed and not isinstance(trigger, str) and isinstance(trigger, BaseTrigger):
            window, spread_over = arguments.get("window"), arguments.get("spread_over")
            strange = {
                name: value for name, value in arguments.items() if name not in ("window", "spread_over")
            }
            if strange:
                report_unknown("parameter of add_job", strange, _PARAMETERS, strict=self.strict)
            return changed(trigger, window, spread_over)
        if is_unnamed:
            trigger = "date"
        if not isinstance(trigger, str):
            raise TypeError(
                f"trigger must be a trigger, or the name of one, got {_kind_of(trigger)} {shown(trigger)}{_trigger_meant(trigger)}"
            )
        if not trigger.isidentifier() and (trigger.startswith("@") or len(trigger.split()) >= _CRON_FIELDS):
            raise LookupError(
                f"No trigger by the name {trigger!r} was found: it looks like a cron expression. "
                f"Write CronTrigger.from_crontab({trigger!r}), or from_unix, or add_job(func, 'cron', hour=…, minute=…)"
            )
        if self.timezone is not None and self._stands_in:
            arguments = self._in_our_zone(trigger, arguments)
        try:
            made = self.make_named(trigger, arguments)
        except TypeError:
            hint = unknown_keyword(self._triggers.load(trigger), arguments, _PARAMETERS)
            if hint is None:
                raise
            other = self._other_trigger(arguments, trigger)
            if other is not None and (is_unnamed or "did you mean" not in hint):
                own = signature(self._triggers.load(trigger)).parameters
                of_triggers = [name for name in arguments if name not in _PARAMETERS]
                lacking = [name for name in of_triggers if name not in own]
                hint = (
                    f"the trigger {trigger!r} has no {_options(lacking)}. "
                    f"The trigger {other!r} has: trigger={other!r}, {_options(of_triggers)}"
                )
            raise TypeError(f"{hint} (add_job with trigger {trigger!r})") from None
        return made

    def _in_our_zone(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """`arguments` with the scheduler's zone, where the trigger would take the machine's before it is tied to this scheduler: under the alias."""
        try:
            taken = _parameters_of(self._triggers.load(name))
        except LookupError:  # it is told where the trigger is made
            return arguments
        if not taken.takes_any and ("timezone" not in taken.names or not arguments.keys() <= taken.names):
            return arguments
        return {"timezone": self.timezone, **arguments}

    def named_trigger(self, name: str, arguments: dict[str, Any]) -> BaseTrigger:
        """A trigger from its name and arguments.

        Raises:
            LookupError: no trigger has this name.
            TypeError: it doesn't take the arguments.
        """
        made: BaseTrigger = self._triggers.create(name, BaseTrigger, arguments)
        return made

    def has_trigger(self, name: str) -> bool:
        """Whether a trigger has this name."""
        return name in self._triggers

    def _other_trigger(self, arguments: Mapping[str, Any], name: str) -> str | None:
        """The trigger that takes all the arguments, which the one by this name doesn't, if there is one."""
        for other in (
            "interval",
            "cron",
            "date",
            "calendarinterval",
            "business_day",
            "weekly",
            "sun",
            "rrule",
        ):
            taken = signature(self._triggers.load(other)).parameters.keys() | set(_PARAMETERS)
            if other != name and arguments.keys() <= taken:
                return other
        return None

    def bound(self, record: JobRecord, now: datetime, *, has_next_run_time: bool) -> JobRecord:
        """`record` with its trigger tied to this scheduler, and its first run time."""
        trigger, next_run_time = self._tied(
            record.trigger, record.next_run_time, now, record.id, has_next_run_time=has_next_run_time
        )
        return record.bound(trigger, next_run_time)

    def _tied(
        self,
        trigger: BaseTrigger,
        next_run_time: datetime | None,
        now: datetime,
        job_id: str,
        *,
        has_next_run_time: bool,
    ) -> tuple[BaseTrigger, datetime | None]:
        timezone: Any = self.timezone
        trigger = trigger.bind(timezone=timezone, now=now, job_id=job_id)
        if not has_next_run_time:
            next_run_time = first_time(trigger, now, self._slices)
            if next_run_time is None:
                SafeLogger(self.logger).of_job(
                    WARNING, job_id, "Job %s will never run: its trigger %s has no time left", job_id, trigger
                )
        return trigger, next_run_time


def _kind_of(value: Any) -> str:
    return "the class" if isinstance(value, type) else type(value).__name__


def _trigger_meant(value: Any) -> str:
    """What is to be written where something else was given as a trigger."""
    if isinstance(value, type) and issubclass(value, BaseTrigger):
        return f": make one, {value.__name__}(…)"
    if isinstance(value, timedelta):
        return f": write trigger='interval', seconds={value.total_seconds():g}"
    if isinstance(value, date):  # and datetimes
        return f": write trigger='date', run_date={str(value)!r}"
    if isinstance(value, (int, float)):
        return f": write trigger='interval', seconds={value!r}"
    if callable(value):
        return ". As a decorator it is called with a trigger first: @scheduler.scheduled_job('interval', hours=1)"
    return ""


def _options(names: Iterable[str]) -> str:
    return ", ".join(f"{name}=…" for name in names)
