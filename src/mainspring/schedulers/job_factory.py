"""Makes job records from what `add_job` is given."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

from mainspring.coercion import unknown_name
from mainspring.definition import OPTIONS, new_record, options_with
from mainspring.model import JobOptions, JobRecord
from mainspring.schedulers.configuration import report_unknown
from mainspring.timezones import convert_to_datetime
from mainspring.triggers.base import BaseTrigger

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    from mainspring.schedulers.plugins import Plugins

_PARAMETERS = (
    "args",
    "kwargs",
    "id",
    "name",
    "misfire_grace_time",
    "coalesce",
    "max_instances",
    "next_run_time",
    "jobstore",
    "executor",
    "replace_existing",
)


class JobFactory:
    """Makes records by one scheduler's settings.

    Attributes:
        timezone: in which times without one are read.
        strict: whether a parameter that nothing understands is an error.
        defaults: options of jobs that don't name their own.
    """

    def __init__(self, triggers: Plugins) -> None:
        self._triggers = triggers
        self.timezone: tzinfo | None = None
        self.strict = False
        self.defaults = JobOptions()

    def record(self, values: dict[str, Any]) -> tuple[JobRecord, bool]:
        """A record from parameters of `add_job`, and whether they name its next run time; `values` is used up.

        Raises:
            TypeError, ValueError, LookupError: a value that can't be what it should.
        """
        rest = values
        if "func" not in rest:
            raise ValueError(f"a job needs a 'func', got only {', '.join(sorted(rest)) or 'nothing'}")
        func = rest.pop("func")
        options = {key: rest.pop(key) for key in OPTIONS if key in rest}
        has_next_run_time = "next_run_time" in rest
        next_run_time = self.moment(rest.pop("next_run_time")) if has_next_run_time else None
        args, kwargs = rest.pop("args", None), rest.pop("kwargs", None)
        job_id, name = rest.pop("id", None), rest.pop("name", None)
        record = new_record(
            func=func,
            trigger=self.trigger(rest.pop("trigger", None), rest),
            args=args,
            kwargs=kwargs,
            id=job_id,
            name=name,
            options=options_with(self.defaults, options) if options else self.defaults,
            next_run_time=next_run_time,
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
        if isinstance(trigger, BaseTrigger):
            if arguments:
                report_unknown("parameter of add_job", arguments, _PARAMETERS, strict=self.strict)
            return trigger
        if trigger is None:
            trigger = "date"
        elif not isinstance(trigger, str):
            raise TypeError(
                f"trigger must be a trigger, or the name of one, got {type(trigger).__name__} {trigger!r}"
            )
        try:
            made: BaseTrigger = self._triggers.create(trigger, BaseTrigger, arguments)
        except TypeError as error:
            hint = _unknown_argument(arguments, self._triggers.load(trigger))
            if hint is None:
                raise
            raise TypeError(f"{hint} (add_job with trigger {trigger!r})") from error
        return made

    def tied(
        self, record: JobRecord, now: datetime, *, has_next_run_time: bool, logger: logging.Logger
    ) -> JobRecord:
        """`record` with its trigger tied to this scheduler, and its first run time."""
        timezone: Any = self.timezone
        trigger = record.trigger.bind(timezone=timezone, now=now, job_id=record.id)
        next_run_time = record.next_run_time
        if not has_next_run_time:
            next_run_time = trigger.get_next_fire_time(None, now)
            if next_run_time is None:
                logger.warning(
                    'Job "%s" will never run: its trigger %s has no time left', record.name, trigger
                )
        return JobRecord(
            record.id,
            record.name,
            record.func,
            record.func_ref,
            record.args,
            record.kwargs,
            trigger,
            record.options,
            next_run_time,
            record.version,
        )


def _unknown_argument(arguments: Mapping[str, Any], trigger: Any) -> str | None:
    """A sentence on the first of `arguments` that neither the trigger nor `add_job` takes."""
    parameters = set(signature(trigger).parameters)
    for name in arguments:
        if name not in parameters:
            return unknown_name("parameter", name, (*parameters, *_PARAMETERS))
    return None
