"""What becomes of another scheduler's jobs: a plan, which is looked at, changed where need be, and applied as a whole."""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.clock import SYSTEM_CLOCK  # noqa: TID251 - a program asks, and there is no scheduler whose clock it could be
from mainspring.coercion import nearest
from mainspring.commands import run_command
from mainspring.errors import JobLookupError, ReadingError, TriggerError, safe_str
from mainspring.printable import printable
from mainspring.safe_logging import SafeLogger
from mainspring.timezones import astimezone, local_timezone, offset_text
from mainspring.triggers.base import aware
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import tzinfo

    from mainspring.job import Job
    from mainspring.schedulers.base import BaseScheduler
    from mainspring.triggers.base import BaseTrigger

__all__ = ["LeftOut", "Plan", "PlannedJob"]

#: The reference of what runs commands.
COMMAND = f"{run_command.__module__}:{run_command.__name__}"
#: What was to run once is planned paused if that is longer ago: it may be an hour's news, or last year's.
_OVERDUE = timedelta(hours=1)
#: Job stores take ids of this length.
_LONGEST_ID = 160
_LONGEST_SLUG = 40
_LONGEST_SHOWN = 60
_FIELDS = ("func", "trigger", "args", "kwargs", "name", "is_paused")

_log = SafeLogger(logging.getLogger("mainspring.moving"))


@dataclass(frozen=True)
class PlannedJob:
    """A job as it will be added.

    Attributes:
        id: the same each time that the same source is read.
        func: what it calls: a reference, or a function.
        trigger: when.
        args, kwargs: what it is called with.
        name: what people see.
        options: further parameters of `add_job`, such as ``timeout`` and ``overlap``.
        is_paused: whether it is added paused.
        place: where it stands in the source, such as ``"line 3"``.
        notes: what of it couldn't be said here, or is done otherwise, and why.
    """

    id: str
    func: str | Callable[..., Any]
    trigger: BaseTrigger
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    is_paused: bool = False
    place: str = ""
    notes: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """What it runs, as text: the command, or the function."""
        if self.func == COMMAND:
            command = self.args[0]
            return command if isinstance(command, str) else " ".join(command)
        return self.func if isinstance(self.func, str) else f"{self.func.__module__}:{self.func.__qualname__}"

    def next_run_time(self, now: datetime) -> datetime | None:
        """When it will run next if it is added at `now`; ``None``: never, or not before it is resumed."""
        if self.is_paused:
            return None
        zone: Any = now.tzinfo
        return self.trigger.bind(timezone=zone, now=now, job_id=self.id).get_next_fire_time(None, now)

    def _parameters(self) -> dict[str, Any]:
        """What `add_jobs` takes."""
        paused = {"next_run_time": None} if self.is_paused else {}
        return {
            "func": self.func,
            "trigger": self.trigger,
            "args": self.args,
            "kwargs": dict(self.kwargs),
            "id": self.id,
            "name": self.name or self.what[:_LONGEST_ID],
            **self.options,
            **paused,
        }


class LeftOut(NamedTuple):
    """Something in the source of which no job is planned.

    Attributes:
        place: where it stands in the source.
        text: what it says, or its name.
        reason: why.
    """

    place: str
    text: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """Jobs that another scheduler had, as this one will have them. ``print(plan)`` shows it.

    Attributes:
        source: what was read.
        jobs: in the order of the source.
        left_out: what isn't planned, and why.
        notes: what concerns all of it.
        now: when it was read, in the zone of times that name none.
    """

    source: str
    jobs: tuple[PlannedJob, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    now: datetime = field(default_factory=lambda: present(None), compare=False)

    def __getitem__(self, job_id: str) -> PlannedJob:
        """The job of this id.

        Raises:
            JobLookupError: there is none.
        """
        for job in self.jobs:
            if job.id == job_id:
                return job
        raise JobLookupError(job_id, nearest(job_id, [job.id for job in self.jobs]))

    def change(self, job_id: str, **changes: Any) -> Plan:
        """This plan with one job changed.

        Args:
            changes: ``func``, ``trigger``, ``args``, ``kwargs``, ``name``, ``is_paused``, or any other parameter of `add_job`. With a new
                ``func`` and neither ``args`` nor ``kwargs``, the job has no arguments.

        Raises:
            JobLookupError: there is no such job.
        """
        old = self[job_id]
        if "func" in changes and not {"args", "kwargs"} & changes.keys():
            changes |= {"args": (), "kwargs": {}}
        fields = {name: changes.pop(name) for name in _FIELDS if name in changes}
        new = replace(old, **fields, options={**old.options, **changes})
        return replace(self, jobs=tuple(new if job is old else job for job in self.jobs))

    def without(self, *job_ids: str) -> Plan:
        """This plan without some jobs.

        Raises:
            JobLookupError: there is no such job.
        """
        dropped = [self[job_id] for job_id in job_ids]
        return replace(self, jobs=tuple(job for job in self.jobs if job not in dropped))

    def apply(
        self,
        scheduler: BaseScheduler,
        *,
        jobstore: str = "default",
        replace_existing: bool = False,
        **options: Any,
    ) -> list[Job]:
        """Add the jobs, all of them or none. What is left out is told in the log.

        Args:
            scheduler: started or not.
            jobstore: alias of the job store.
            replace_existing: replace jobs of the same ids, as an earlier application has made. One whose schedule is the same keeps its next run time,
                and one that was to run once and has run isn't run again.
            options: parameters of `add_job` for all jobs, such as ``executor`` or ``timeout``, in place of what the plan says.

        Raises:
            ConflictingIdError: an id is taken, and nothing is to be replaced.
            TypeError, ValueError, LookupError: as `add_job` raises them, such as for a function that isn't there.
        """
        jobs = scheduler.add_jobs(
            [{**job._parameters(), **options} for job in self.jobs],  # noqa: SLF001 - its own
            jobstore=jobstore,
            replace_existing=replace_existing,
        )
        for one in self.left_out:
            _log.warning("%s: %s (%s) is left out: %s", self.source, one.text, one.place, one.reason)
        return jobs

    def __str__(self) -> str:
        count = len(self.jobs)
        lines = [f"{self.source}: {count} {'job' if count == 1 else 'jobs'}, {len(self.left_out)} left out"]
        lines += [f"  note: {note}" for note in self.notes]
        rows = [("id", "when", "what", "next run")]
        rows += [(job.id, job.trigger.explain(), _short(job.what), self._next_run(job)) for job in self.jobs]
        widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
        for row, notes in zip(rows, [(), *(_placed(job) for job in self.jobs)], strict=True):
            cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            lines.append(f"  {printable(cells.rstrip())}")
            lines += [f"      {note}" for note in notes]
        lines += [
            f"  left out, {one.place}: {printable(_short(one.text))}: {one.reason}" for one in self.left_out
        ]
        return "\n".join(lines)

    def _next_run(self, job: PlannedJob) -> str:
        if job.is_paused:
            return "paused"
        moment = job.next_run_time(self.now)
        return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def _placed(job: PlannedJob) -> list[str]:
    place = f"{job.place}: " if job.place else ""
    return [f"{place}{note}" for note in job.notes]


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


class Planner:
    """Collects what becomes a plan.

    Args:
        source: what is read, for messages.
        now: the present, aware; that of the machine, if it is not given.
        timezone: for times that name none; ``None``: the scheduler's.
        tag: what all its jobs are tagged with.
    """

    def __init__(self, source: str, *, now: datetime | None, timezone: Any = None, tag: str) -> None:
        self.source = source
        self.timezone: tzinfo | None = astimezone(timezone)
        self.now = present(now, self.timezone)
        self.notes: list[str] = []
        self.jobs: list[PlannedJob] = []
        self.left_out: list[LeftOut] = []
        self._tag = tag
        self._taken: Counter[str] = Counter()

    def add(
        self,
        job_id: str,
        func: str | Callable[..., Any],
        trigger: BaseTrigger,
        *,
        options: Mapping[str, Any] | None = None,
        notes: Iterable[str] = (),
        is_paused: bool = False,
        **fields: Any,
    ) -> None:
        """Plan a job. An id that is taken is numbered."""
        told, made = list(notes), {"tags": (self._tag,), **(options or {})}
        if isinstance(trigger, DateTrigger):
            made["max_runs"] = (
                1  # so that it stays, paused, when it has run, and isn't run again when the plan is applied again
            )
            bound = trigger.bind(timezone=self.now.tzinfo or local_timezone(), now=self.now, job_id=job_id)
            if bound.run_date < self.now - _OVERDUE and not is_paused:
                is_paused = True
                told.append(
                    f"it was due at {bound.run_date}, and is planned paused: resume_job runs it, if it is still wanted"
                )
        self.jobs.append(
            PlannedJob(
                self._free_id(job_id),
                func,
                trigger,
                options=made,
                notes=tuple(told),
                is_paused=is_paused,
                **fields,
            )
        )

    def leave_out(self, place: str, text: str, reason: str) -> None:
        """Say that no job becomes of something."""
        self.left_out.append(LeftOut(place, text, reason))

    def plan(self) -> Plan:
        """What has been collected."""
        return Plan(
            self.source, tuple(self.jobs), tuple(self.left_out), tuple(dict.fromkeys(self.notes)), self.now
        )

    def _free_id(self, job_id: str) -> str:
        if len(job_id) > _LONGEST_ID:
            job_id = f"{job_id[: _LONGEST_ID - 17]}-{digest(job_id)}"
        self._taken[job_id] += 1
        count = self._taken[job_id]
        return job_id if count == 1 else f"{job_id}-{count}"


def present(now: datetime | None, timezone: tzinfo | None = None) -> datetime:
    """The time from which next runs are told.

    Raises:
        TypeError: it has no time zone.
    """
    if now is None:
        return SYSTEM_CLOCK.now(timezone or local_timezone())
    aware(now, "now")
    return now if timezone is None else now.astimezone(timezone)


def digest(*parts: Any) -> str:
    """A short text that is another one for other parts, and the same in each process: without what says where in memory something is."""
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", repr(parts))
    return blake2b(text.encode("utf-8", "backslashreplace"), digest_size=6).hexdigest()


def slug(text: str) -> str:
    """The words of a text, for an id that people can read."""
    return re.sub(r"[^a-zA-Z0-9.]+", "-", text).strip("-.")[:_LONGEST_SLUG].strip("-.").lower() or "command"


def trigger_of(text: str, dialect: str, source: str, line: int | None) -> BaseTrigger:
    """The trigger that a text means.

    Raises:
        ReadingError: it can't be read.
    """
    try:
        return parse(text, dialect=dialect)
    except TriggerError as error:
        raise ReadingError(source, line, safe_str(error)) from error


def crontab_trigger(text: str, zone: tzinfo | None, source: str, line: int | None) -> BaseTrigger:
    """The trigger of a crontab's schedule, in a zone if it names none itself.

    Raises:
        ReadingError: it can't be read.
    """
    trigger = trigger_of(text, "unix", source, line)  # as it was written, so that an error shows it so
    if zone is None or "TZ=" in text:
        return trigger
    return trigger_of(f"CRON_TZ={zone_text(zone)} {text}", "unix", source, line)


def zone_of(name: str, source: str, line: int | None) -> tzinfo:
    """The time zone of this name.

    Raises:
        ReadingError: there is none.
    """
    try:
        zone = astimezone(name.strip().removeprefix(":"))
    except LookupError as error:
        raise ReadingError(source, line, str(error.args[0])) from error
    if zone is None:
        raise ReadingError(
            source, line, f"expected the name of a time zone, such as 'Europe/Berlin', got {name!r}"
        )
    return zone


def zone_text(zone: tzinfo) -> str:
    """A time zone as schedules have it in their text."""
    key = getattr(zone, "key", None)
    if isinstance(key, str):
        return key
    return "UTC" if zone is UTC else offset_text(zone.utcoffset(None) or timedelta(0))


def text_of(source: Any, *, what: str) -> tuple[str, str]:
    """A source's name for messages, and its text: of a path its file's, of a text with line ends itself.

    Raises:
        ReadingError: the file can't be read.
        TypeError: it is neither a path nor a text.
    """
    if isinstance(source, str) and ("\n" in source or not source.strip()):
        return what, source.removeprefix("\ufeff")
    if not isinstance(source, (str, Path)):
        raise TypeError(
            f"{what}: expected a path, or a text of lines, got {type(source).__name__} {source!r}"
        )
    try:
        return str(source), Path(source).read_bytes().decode("utf-8-sig")
    except OSError as error:
        is_text = isinstance(source, str) and " " in source.strip()
        hint = ". A text of one line needs a line end, so that it is no path" if is_text else ""
        raise ReadingError(str(source), None, f"the file can't be read: {error.strerror}{hint}") from None
    except UnicodeDecodeError as error:
        raise ReadingError(
            str(source),
            None,
            f"expected a text in UTF-8, got the byte {error.object[error.start]:#04x} at {error.start}",
        ) from None
