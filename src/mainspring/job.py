"""The handle on one job that `add_job` and `get_job` return.

A handle holds a frozen record. Where the job's store keeps its records in this process, a handle shows the job as it
is now; elsewhere it shows the job as it was when it was read.

What is assigned to an attribute, or put into `kwargs`, changes the job itself: the pending one, or the one in its store. A handle that a
store or an executor is given changes only what it stands for there: the job that is being read, or the run that is being submitted.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any, Self, Unpack

from mainspring.clock import clock_of
from mainspring.coercion import names_parameters
from mainspring.definition import (
    CHANGEABLE,
    OPTIONS,
    changed_record,
    checked_id,
    grace_as_number,
    has_ended,
    new_job_id,
    options_as_plain,
    options_with,
    unfinished_record,
)
from mainspring.engine.searching import is_lookout
from mainspring.former_names import former_names
from mainspring.keywords import Keywords
from mainspring.model import JobCounters, JobOptions, JobRecord
from mainspring.printable import printable
from mainspring.references import instance_beside, ref_to_obj
from mainspring.timezones import convert_to_datetime, datetime_repr, local_timezone
from mainspring.triggers.after import WAITS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mainspring.model import RunRecord
    from mainspring.option_types import JobChanges, JobState
    from mainspring.retry import Retry
    from mainspring.run_handle import RunHandle
    from mainspring.triggers.base import BaseTrigger

_STATE_VERSION = 1


@names_parameters
class Job:
    """A job that was added to a scheduler.

    Attributes:
        id: its identifier, which never changes.
        name: what people see.
        func, func_ref: the function, and its text reference (``None`` if it has none).
        args, kwargs: what the function is called with.
        trigger: when it runs.
        executor: alias of the executor that runs it.
        misfire_grace_time: seconds that a run may be late, or ``None``: it is run however late.
        coalesce: whether several overdue runs are made into one.
        max_instances: how many of its runs may go on at a time.
        on_lost: what follows when the node that runs it dies: ``"record"`` or ``"rerun"``.
        reruns: how often a run is run again at most because its node has died.
        tags: words by which jobs are found.
        retry: when a run that failed is run again; ``None``: it isn't.
        timeout: seconds that a run may take, or ``None``.
        overlap: what is done about a run that is due while as many instances run as may.
        group: the group of jobs with which it shares limits.
        priority: of jobs that are due together, those with a higher one come first.
        catch_up_limit: how many overdue runs are made up for at most, where each is.
        max_runs: it is paused after so many runs of its schedule.
        pause_after_failures: it is paused after so many failed runs in a row.
        keep_result, capture_log: whether what a run returns, and what it logs, is kept in the history.
        around_run: references of context managers, in each of which the function is called.
        metadata: what was said of it, for people and programs.
        note: why it is paused, if that was said.
        next_run_time: aware; ``None`` while paused, or pending. While it is still searched for (`is_searching`), the moment from which the
            search goes on, before which the job doesn't run.
    """

    __slots__ = (
        "__weakref__",
        "_has_own_time",
        "_is_attached",
        "_is_unnamed",
        "_jobstore_alias",
        "_lookup",
        "_said_options",
        "_scheduler",
        "_snapshot",
    )

    _scheduler: Any
    _jobstore_alias: str | None
    #: Whether changes are made in the job store, and not only here.
    _is_attached: bool
    #: Whether its id was made for it.
    _is_unnamed: bool
    #: Whether its next run time was given, instead of following from its trigger.
    _has_own_time: bool
    #: While it is pending, what was said of its options, where the others follow the scheduler's defaults; ``None``: they don't.
    _said_options: dict[str, Any] | None
    _snapshot: JobRecord
    _lookup: Callable[[str], JobRecord | None] | None

    def __init__(self, scheduler: Any, id: str | None = None, **values: Any) -> None:  # noqa: A002 - APScheduler's name
        self._place(scheduler, None)
        self._modify(id=id or new_job_id(), **values)

    def _place(
        self,
        scheduler: Any,
        jobstore: str | None,
        lookup: Callable[[str], JobRecord | None] | None = None,
        *,
        is_attached: bool = False,
    ) -> None:
        self._scheduler = scheduler
        self._jobstore_alias = jobstore
        self._lookup = lookup
        self._is_attached = is_attached
        self._is_unnamed = False
        self._has_own_time = False
        self._said_options = None

    @classmethod
    def _from_record(
        cls,
        record: JobRecord,
        scheduler: Any,
        jobstore: str | None,
        lookup: Callable[[str], JobRecord | None] | None = None,
        *,
        is_attached: bool = False,
    ) -> Self:
        self = cls.__new__(cls)
        self._scheduler = scheduler
        self._jobstore_alias = jobstore
        self._lookup = lookup
        self._is_attached = is_attached
        self._is_unnamed = False
        self._has_own_time = False
        self._said_options = None
        self._snapshot = record
        return self

    # What the record says

    @property
    def _record(self) -> JobRecord:
        lookup = getattr(self, "_lookup", None)
        if lookup is not None:
            self._snapshot = lookup(self._snapshot.id) or self._snapshot
        return self._snapshot

    @_record.setter
    def _record(self, record: JobRecord) -> None:
        self._snapshot = record

    @property
    def id(self) -> str:
        return self._snapshot.id

    @property
    def name(self) -> str:
        return self._record.name

    @property
    def func(self) -> Any:
        return self._record.func

    @property
    def func_ref(self) -> str | None:
        return self._record.func_ref

    @property
    def args(self) -> tuple[Any, ...]:
        return self._record.args

    @property
    def kwargs(self) -> dict[str, Any]:
        return Keywords(self._record.kwargs, self._assign_keywords)

    @property
    def trigger(self) -> BaseTrigger:
        return self._record.trigger

    @property
    def executor(self) -> str:
        return self._record.options.executor

    @property
    def misfire_grace_time(self) -> float | None:
        return grace_as_number(self._record.options.misfire_grace_time)

    @property
    def coalesce(self) -> bool:
        return self._record.options.coalesce

    @property
    def max_instances(self) -> int:
        return self._record.options.max_instances

    @property
    def on_lost(self) -> str:
        return self._record.options.on_lost

    @property
    def reruns(self) -> int:
        return self._record.options.reruns

    @property
    def tags(self) -> tuple[str, ...]:
        return self._record.options.tags

    @property
    def next_run_time(self) -> datetime | None:
        return self._record.next_run_time

    @property
    def is_searching(self) -> bool:
        """Whether its trigger excludes so much that the next run time isn't found yet: `next_run_time` is where the search goes on."""
        return is_lookout(self._record.trigger, self._record.next_run_time)

    @property
    def pending(self) -> bool:
        """Whether the job waits for its scheduler to be started before it is put into its store."""
        return self._jobstore_alias is None

    @property
    def retry(self) -> Retry | None:
        return self._record.options.retry

    @property
    def overlap(self) -> str:
        return self._record.options.overlap

    @property
    def group(self) -> str | None:
        return self._record.options.group

    @property
    def priority(self) -> int:
        return self._record.options.priority

    @property
    def catch_up_limit(self) -> int:
        return self._record.options.catch_up_limit

    @property
    def max_runs(self) -> int | None:
        return self._record.options.max_runs

    @property
    def pause_after_failures(self) -> int | None:
        return self._record.options.pause_after_failures

    @property
    def keep_result(self) -> bool:
        return self._record.options.keep_result

    @property
    def capture_log(self) -> bool:
        return self._record.options.capture_log

    @property
    def around_run(self) -> tuple[str, ...]:
        return self._record.options.around_run

    @property
    def timeout(self) -> float | None:
        return grace_as_number(self._record.options.timeout)

    @property
    def metadata(self) -> dict[str, Any]:
        text = self._record.options.metadata
        values: dict[str, Any] = {} if text is None else json.loads(text)
        return values

    @property
    def note(self) -> str | None:
        counters = self._record.counters
        return None if counters is None else counters.note

    # What can be done with it

    def runs(self, limit: int = 100) -> list[RunRecord]:
        """The job's runs, the one with the latest due time first; see `BaseScheduler.get_runs`."""
        found: list[RunRecord] = self._scheduler.get_runs(self.id, limit=limit, jobstore=self._jobstore_alias)
        return found

    def run_now(self) -> RunHandle:
        """Run the job once more, now; see `BaseScheduler.run_job`."""
        handle: RunHandle = self._scheduler.run_job(self.id, self._jobstore_alias)
        return handle

    def modify(self, **changes: Unpack[JobChanges]) -> Job:
        """Change some of the job's attributes; see `BaseScheduler.modify_job`."""
        if "jobstore" in changes or "job_id" in changes:
            raise AttributeError(
                "a job keeps its id and its job store: add it under another id, or to another job store, and remove this one"
            )
        return self._took(self._scheduler.modify_job(self.id, self._jobstore_alias, **changes))

    def reschedule(self, trigger: BaseTrigger | str | None, **trigger_args: Any) -> Job:
        """Give the job another trigger; see `BaseScheduler.reschedule_job`."""
        return self._took(
            self._scheduler.reschedule_job(self.id, self._jobstore_alias, trigger, **trigger_args)
        )

    def pause(self, note: str | None = None) -> Job:
        """Suspend the job until `resume`; `note` says why."""
        said = {} if note is None else {"note": note}  # which a program's own pause_job may know nothing of
        return self._took(self._scheduler.pause_job(self.id, self._jobstore_alias, **said))

    def resume(self) -> Job:
        """Go on with a paused job; it is removed if its trigger has ended meanwhile."""
        return self._took(self._scheduler.resume_job(self.id, self._jobstore_alias))

    def remove(self) -> None:
        """Remove the job from its scheduler.

        Raises:
            JobLookupError: it is gone already.
        """
        self._scheduler.remove_job(self.id, self._jobstore_alias)

    def _took(self, job: Job | None) -> Job:
        if isinstance(job, Job):
            self._snapshot = job._snapshot  # noqa: SLF001 - another handle on the same job
        return self

    def _modify(self, **changes: Any) -> None:
        """Change what is known here by name; see `BaseScheduler.modify_job`, which does it to a job in its store."""
        if not hasattr(self, "_snapshot"):
            self._snapshot = unfinished_record(changes.pop("id"))
        elif "id" in changes and not self._snapshot.id:
            _assign_id(self, changes.pop("id"))
        if "func" in changes and not self._snapshot.name and changes.get("name") is None:
            changes.pop("name", None)  # it follows from the function
        self._change(changes, fits=True)

    def _assign(self, name: str, value: Any) -> None:
        self._change({name: value}, fits=False)

    def _assign_keywords(self, keywords: dict[str, Any]) -> None:
        self._assign("kwargs", keywords)

    def _change(self, changes: dict[str, Any], *, fits: bool) -> None:
        """Make changes where they take effect.

        Args:
            fits: refuse arguments that the function doesn't take; what is assigned one after another may not fit in between.
        """
        if self._is_attached:
            self._took(self._scheduler._change_job(self.id, self._jobstore_alias, changes, fits=fits))  # noqa: SLF001 - handles are its
            return
        if "next_run_time" in changes:
            timezone = getattr(self._scheduler, "timezone", None) or local_timezone()
            moment = convert_to_datetime(changes["next_run_time"], timezone, "next_run_time")
            changes = {**changes, "next_run_time": moment}
        self._snapshot = changed_record(self._record, changes, fits=fits)
        self._has_own_time = self._has_own_time or "next_run_time" in changes
        if self._said_options is not None:
            self._said_options.update((name, changes[name]) for name in OPTIONS & changes.keys())

    def _take_defaults(self, defaults: JobOptions) -> None:
        """Have what nobody has said of a pending job's options follow `defaults`."""
        if self._said_options is not None:
            self._snapshot = self._record.changed(options=options_with(defaults, self._said_options))

    def _follow_trigger(self, trigger: BaseTrigger, next_run_time: datetime | None) -> None:
        """Have a pending job run by a trigger, first at a time that follows from that."""
        self._snapshot = self._record.changed(trigger=trigger).rescheduled(next_run_time)
        self._has_own_time = False

    def _get_run_times(self, now: datetime) -> list[datetime]:
        """All due times up to `now`, oldest first; for stores and tests written for APScheduler."""
        record = self._record
        if record.next_run_time is None or record.next_run_time > now:
            return []
        times, _ = record.trigger.fire_times(record.next_run_time, now, 100_000)
        return times

    # Pickling: the state is APScheduler's, so that its stores can keep our jobs

    def __getstate__(self) -> dict[str, Any]:
        record = self._record
        if record.func_ref is None:
            raise ValueError(
                f"Job {record.id!r} can't be serialized: no reference to its function {record.func!r} is known. "
                "Give a text reference ('package.module:function') or a function defined at module level"
            )
        args = (*instance_beside(record.func, record.func_ref), *record.args)
        state = {
            "version": _STATE_VERSION,
            "id": record.id,
            "func": record.func_ref,
            "trigger": record.trigger,
            "executor": record.options.executor,
            "args": args,
            "kwargs": dict(record.kwargs),
            "name": record.name,
            "misfire_grace_time": self.misfire_grace_time,
            "coalesce": record.options.coalesce,
            "max_instances": record.options.max_instances,
            "next_run_time": record.next_run_time,
        }
        own = {
            name: value
            for name, value in options_as_plain(record.options).items()
            if name not in _OPTION_KEYS and value != getattr(_USUAL, name, None)
        }
        if own or record.options.tags or record.counters is not None:
            # What APScheduler knows nothing of, and leaves alone.
            state["mainspring"] = {
                "options": {**own, "tags": record.options.tags},
                "tally": None if record.counters is None else tuple(record.counters),
            }
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state.get("version", 1) > _STATE_VERSION:
            raise ValueError(
                f"Job has version {state['version']}, but only version {_STATE_VERSION} and older can be read: "
                "it was written by a newer release, upgrade this one"
            )
        self._place(None, None)
        own = state.get("mainspring", {"options": {}, "tally": None})
        known = {key: state[key] for key in _OPTION_KEYS if key in state}
        self._snapshot = JobRecord(
            id=state["id"],
            name=state["name"],
            func=ref_to_obj(state["func"]),
            func_ref=state["func"],
            args=tuple(state["args"]),
            kwargs=dict(state["kwargs"]),
            trigger=state["trigger"],
            options=options_with(_USUAL, {**known, **own["options"]}),
            next_run_time=state["next_run_time"],
            counters=None if own["tally"] is None else JobCounters(*own["tally"]),
        )

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Job):
            return self.id == other.id
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def state(self) -> JobState:
        """What the job does.

        ``"pending"``: it waits for its scheduler to be started; ``"scheduled"``; ``"waiting"``: for a run of another job; ``"paused"``;
        or ``"ended"``: its trigger has no time left, so that it never runs by itself.
        """
        if self.pending:
            return "pending"
        record = self._record
        if record.next_run_time is not None:
            return "waiting" if record.next_run_time >= WAITS else "scheduled"
        return "ended" if has_ended(record, clock_of(self._scheduler).now(UTC)) else "paused"

    def __repr__(self) -> str:
        ended = ", never runs: its trigger has no time left" if self.state == "ended" else ""
        return f"<Job (id={printable(self.id)} name={printable(self.name)}{ended})>"

    def __str__(self) -> str:
        moment, state = self.next_run_time, self.state
        if state == "pending" and moment is not None:
            state = "scheduled"
        elif state == "pending" and self._has_own_time:
            state = "paused"
        if state == "scheduled" and moment is not None:
            what = "next run is searched for, not before: " if self.is_searching else "next run at: "
            status = what + datetime_repr(moment)
        else:
            status = _STATUSES.get(state, state)
        return printable(f"{self.name} (trigger: {self.trigger}, {status})")


def is_ours(job: Any) -> bool:
    """Whether something is a job of this library, or of a subclass, and doesn't only look like one, as the mocks of a program's tests do."""
    return issubclass(type(job), Job)


_STATUSES = {
    "waiting": "waits for the other job",
    "ended": "never runs: its trigger has no time left",
}
_USUAL = JobOptions()
_OPTION_KEYS = ("executor", "misfire_grace_time", "coalesce", "max_instances")


def _assignable(name: str) -> None:
    """Have a property of `Job` change the job when it is assigned to."""

    def assign(self: Job, value: Any) -> None:
        self._assign(name, value)

    setattr(Job, name, getattr(Job, name).setter(assign))


def _assign_id(self: Job, value: Any) -> None:
    if self._is_attached:
        raise AttributeError(
            "a job that is in its store keeps its id: add it under another id, and remove this one"
        )
    job_id = checked_id(value)
    pending: Any = getattr(self._scheduler, "_waiting_jobs", None)
    if pending is not None:
        pending.rename(self, job_id)
    self._snapshot = self._snapshot._replace(id=job_id)


def _forget_id(self: Job) -> None:
    _assign_id(self, self.id)  # which refuses it, where it can't be had
    self._snapshot = self._snapshot._replace(id="")


def _forget_name(self: Job) -> None:
    self._snapshot = self._record._replace(name="")


def _forget_time(self: Job) -> None:
    self._snapshot = self._record.rescheduled(None)
    self._has_own_time = False


for _name in CHANGEABLE & vars(Job).keys():
    _assignable(_name)
#: A job that is in no store yet may be given another id.
Job.id = Job.id.setter(_assign_id).deleter(_forget_id)  # type: ignore[attr-defined,method-assign]
#: Without it, a job is named after the function that it is given next.
Job.name = Job.name.deleter(_forget_name)  # type: ignore[attr-defined,method-assign]
#: Without it, the time follows from the trigger when the job is added.
Job.next_run_time = Job.next_run_time.deleter(_forget_time)  # type: ignore[attr-defined,method-assign]


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
