"""What our own executors have in common: they report each run as it happens, and go APScheduler's way where a program has a hand in that."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mainspring.clock import clock_of
from mainspring.events import EVENT_JOB_CANCELLED, EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, JobExecutionEvent
from mainspring.executors import by_function
from mainspring.executors.base import BaseExecutor
from mainspring.executors.by_function import due_events
from mainspring.job import is_ours
from mainspring.model import Submission, run_id
from mainspring.overrides import is_home, replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mainspring.executors.around import Hooks
    from mainspring.executors.report import RunReporter
    from mainspring.job import Job

#: What subclasses of APScheduler's executors override to have a hand in how a job is run.
_HOOKS = frozenset({"submit_job", "_do_submit_job", "_run_job_success", "_run_job_error"})


class InstanceCounts(MutableMapping[str, int]):
    """How many runs of each job an executor has, by its id; 0 where it has none, as in APScheduler's `defaultdict`.

    Args:
        counted: those that are counted here, which is what changes.
        running: those that are known otherwise.
    """

    def __init__(self, counted: dict[str, int], running: Callable[[], Mapping[str, int]]) -> None:
        self._counted = counted
        self._running = running

    def __getitem__(self, job_id: str) -> int:
        return self._counted.get(job_id, 0) + self._running().get(job_id, 0)

    def __setitem__(self, job_id: str, count: int) -> None:
        self._counted[job_id] = count - self._running().get(job_id, 0)
        if not self._counted[job_id]:
            del self._counted[job_id]

    def __delitem__(self, job_id: str) -> None:
        self._counted.pop(job_id, None)

    def get(self, job_id: str, default: Any = None) -> Any:
        """See `dict.get`."""
        return self[job_id] if job_id in self else default  # noqa: SIM401 - which would call this

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._counted or job_id in self._running()

    def __iter__(self) -> Iterator[str]:
        return iter({**self._counted, **self._running()})

    def __len__(self) -> int:
        return len({**self._counted, **self._running()})

    def __repr__(self) -> str:
        return repr(dict(self))


class NativeExecutor(BaseExecutor):
    """An executor that implements `submit`; `submit_job` goes through it when it is called directly.

    One of which somebody has replaced one of APScheduler's methods is called through them, as there.
    """

    #: Whether somebody has; it is looked for when the executor is started.
    _is_hooked = False
    #: The scheduler's context managers, in which each function is called.
    _around: Hooks = ()

    def start(self, scheduler: Any, alias: str) -> None:
        """Called when the scheduler starts, or when the executor is added to a running one."""
        super().start(scheduler, alias)
        self._around = getattr(scheduler, "around_run", ())
        self._is_hooked = (bool(replaced(self, _HOOKS)) or self._has_other_function()) and not replaced(
            self, ("submit",)
        )

    def _has_other_function(self) -> bool:
        """Whether somebody has put a function in the place of `run_job`, where the executor's class is at home."""
        return function_of(type(self), "run_job") is not by_function.run_job

    @property
    def places(self) -> int:
        """How many submissions it runs at a time, about."""
        return 1

    @property
    def _instances(self) -> MutableMapping[str, int]:
        return InstanceCounts(self._counted, self._running)

    @_instances.setter
    def _instances(self, counts: MutableMapping[str, int]) -> None:
        self._counted = dict(counts)

    def _running(self) -> Mapping[str, int]:
        """How many runs of each job go on that were submitted by the short way."""
        if self._is_hooked:
            return {}
        return Counter(one.job.id for one in self._host.going_on() if one.job.options.executor == self._alias)

    def submit(self, submission: Submission, reporter: RunReporter) -> None:
        """Run a submission, and tell `reporter`; returns without waiting for it."""
        if self._is_hooked:
            super().submit(submission, reporter)
        else:
            self._submit(submission, reporter)

    def submit_together(self, submissions: Sequence[Submission], reporter: RunReporter) -> bool:  # noqa: ARG002
        """Run them as `submit` does, if all can be taken at once; ``False``: none was taken, and each is to be submitted."""
        return False

    def _submit(self, submission: Submission, reporter: RunReporter) -> None:
        raise NotImplementedError

    def interrupt(self, submission: Submission) -> None:
        """Have a run that goes on end, where that can be done, and what was not begun not be begun.

        Its outcome is told as always. A function in a thread can't be ended: it is told by its token.
        """

    def leave_running(self, submission: Submission) -> None:
        """A run that was told to end goes on, and its outcome has been told: go on without what runs it."""

    def take_back(self) -> list[Submission]:
        """What was submitted under a lease and has not been begun; it won't be begun, nor reported, any more."""
        return []

    def _do_submit_job(self, job: Job, run_times: list[datetime]) -> None:
        if self._has_other_function() or not is_ours(job):
            self._run_by_function(job, run_times)
            return
        reporter = _EventReporter(self)
        due = []
        for time, missed in due_events(job, job._jobstore_alias, run_times, self._logger):  # noqa: SLF001 - handles are ours
            if missed is None:
                due.append(time)
            else:
                reporter.events.append(missed)
        submission = Submission(job._record, job._jobstore_alias or "", due)  # noqa: SLF001 - as above
        self._submit(submission, reporter)

    def _run_by_function(self, job: Job, run_times: list[datetime]) -> None:
        """Run a job as APScheduler does, by `run_job` or what somebody has put in its place: one that only looks like a job can't be run otherwise."""
        function = function_of(type(self), "run_job")
        try:
            events = function(job, job._jobstore_alias, run_times, self._logger.name)  # noqa: SLF001 - APScheduler's interface
        except BaseException as error:  # noqa: BLE001 - somebody's own function
            self._run_job_error(job.id, error, error.__traceback__)
        else:
            self._run_job_success(job.id, events)


def function_of(kind: type, name: str) -> Any:
    """What is called `name` in the module of an executor's class, where programs written for APScheduler put another in its place."""
    for definer in kind.__mro__:
        if is_home(definer.__module__):
            found = vars(sys.modules[definer.__module__]).get(name)
            if found is not None:
                return found
    return None


class _EventReporter:
    """Turns what is reported about a directly submitted job into APScheduler's events."""

    def __init__(self, executor: BaseExecutor) -> None:
        self._executor = executor
        self.holds_back = False
        self.events: list[JobExecutionEvent] = []

    def may_begin(self, submission: Submission) -> bool:  # noqa: ARG002
        return True

    def started(self, submission: Submission, scheduled_run_time: datetime) -> datetime | None:  # noqa: ARG002
        return clock_of(self._executor._scheduler).now(scheduled_run_time.tzinfo or UTC)  # noqa: SLF001 - made for it

    def succeeded(
        self, submission: Submission, scheduled_run_time: datetime, started: datetime | None, retval: Any
    ) -> None:
        self._add(EVENT_JOB_EXECUTED, submission, scheduled_run_time, started, retval=retval)

    def failed(
        self,
        submission: Submission,
        scheduled_run_time: datetime,
        started: datetime | None,
        error: BaseException,
        traceback: str,
    ) -> None:
        self._add(
            EVENT_JOB_ERROR, submission, scheduled_run_time, started, exception=error, traceback=traceback
        )

    def cancelled(
        self, submission: Submission, scheduled_run_time: datetime, started: datetime | None
    ) -> None:
        self._add(EVENT_JOB_CANCELLED, submission, scheduled_run_time, started)

    def _add(
        self, code: int, submission: Submission, time: datetime, started: datetime | None, **outcome: Any
    ) -> None:
        self.events.append(
            JobExecutionEvent(
                code,
                submission.job.id,
                submission.jobstore,
                time,
                run_id=run_id(submission.job.id, time),
                started=started,
                finished=clock_of(self._executor._scheduler).now(time.tzinfo or UTC),  # noqa: SLF001 - made for it
                **outcome,
            )
        )

    def done(self, submission: Submission) -> None:
        self._executor._run_job_success(submission.job.id, self.events)  # noqa: SLF001 - made for it
