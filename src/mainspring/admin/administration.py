"""`Admin`: looks into a job store that schedulers run, and changes what is in it."""

from __future__ import annotations

import getpass
import heapq
import socket
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, Any, Literal, Self

from mainspring.admin.charting import periods_of
from mainspring.admin.due import OVERDUE, due_in
from mainspring.admin.explanation import Explainer
from mainspring.admin.pressure import pressure_of
from mainspring.admin.timeline import timelines_of
from mainspring.admin.views import (
    DueTime,
    Page,
    audit_view,
    group_view,
    node_view,
    paused_until,
    row_view,
    run_view,
    unreadable_view,
)
from mainspring.clock import SYSTEM_CLOCK  # noqa: TID251 - here it is put together
from mainspring.errors import RunLookupError, SchedulerNotRunningError, SerializationError
from mainspring.jobstores.by_url import store_for
from mainspring.jobstores.contract import JobQuery
from mainspring.jobstores.shared.audit import AuditQuery, acting, entries_of
from mainspring.jobstores.shared.rollups import start_of
from mainspring.jobstores.shared.rows import Unreadable, record_of
from mainspring.model import QueuedRun
from mainspring.run_handle import RunHandle
from mainspring.schedulers.attached import AttachedScheduler

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime, tzinfo
    from types import TracebackType

    from mainspring.admin.charting import PeriodView
    from mainspring.admin.explanation import Explanation
    from mainspring.admin.pressure import Pressure
    from mainspring.admin.timeline import JobTimeline
    from mainspring.admin.views import AuditView, GroupView, JobView, NodeView, RunView
    from mainspring.jobstores.shared.rollups import Span
    from mainspring.jobstores.shared.store import SharedJobStore
    from mainspring.model import JobRecord, RunState
    from mainspring.schedulers.adoption_report import AdoptionReport
    from mainspring.schedulers.syncing import SyncedJob, SyncPlan

__all__ = ["Admin"]

#: Of a job that is due every second, so many times of a span are shown.
_TIMES_OF_A_JOB = 1000
#: So often it is looked for runs that have ended, and among so many of the latest.
_FOLLOW_SECONDS, _FOLLOWED = 0.5, 500
#: Among so many runs those of some jobs are looked for at first.
_ASKED = 1000
#: So many runs of a job are counted one by one; few stores keep as many of one.
_CHARTED = 1_000_000
_OPEN = ("queued", "running")


def _user() -> str:
    """Who runs this process, as far as the machine knows."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # as in a container whose user has no name
        name = "somebody"
    return f"{name}@{socket.gethostname()}"


class Admin:
    """A shared job store, as an operator has it: what is in it, what was run, who is at work; and the switches.

    It is no node: nothing is run by it, and nothing is created in the database. It reads no code of jobs. To be closed, or used in a ``with``.

    Args:
        store: the URL of its database, the path of a file of SQLite's, or a job store that isn't started.
        namespace: of the deployment, if it has one.
        timezone: in which times without one are read, and times are shown; the machine's, if it isn't given.
        job_defaults: options of jobs that `sync` adds, where they don't name their own.
        makes: make the store where it isn't there, as a scheduler that is started would.
        who: under which name what is done is noted; by default the user of this process and its host.
        why: the reason that is noted, where none is given.

    Raises:
        ConfigurationError: it can't be used so, or there are no jobs of mainspring's there.
        StoreUnavailableError: the database can't be had.
    """

    def __init__(
        self,
        store: str | SharedJobStore,
        *,
        namespace: str | None = None,
        timezone: tzinfo | str | None = None,
        job_defaults: Mapping[str, Any] | None = None,
        makes: bool = False,
        who: str | None = None,
        why: str | None = None,
    ) -> None:
        self._behalf: ContextVar[tuple[str, str | None]] = ContextVar(
            "mainspring_on_behalf_of", default=(who or _user(), why)
        )
        made = store_for(store, namespace=namespace) if isinstance(store, str) else store
        self._store = made
        self._scheduler = AttachedScheduler(timezone=timezone, job_defaults=dict(job_defaults or {}))
        self._scheduler.attach(made, makes=makes)

    def close(self) -> None:
        """Close the connections to the database."""
        with suppress(SchedulerNotRunningError):
            self._scheduler.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # What is there

    @property
    def timezone(self) -> tzinfo:
        """In which times are shown."""
        return self._scheduler.timezone

    @property
    def store(self) -> SharedJobStore:
        """The job store that is looked into."""
        return self._store

    def now(self) -> datetime:
        """The present by the store's clock."""
        return self._store.store_time(SYSTEM_CLOCK).astimezone(self.timezone)

    def jobs(
        self,
        *,
        state: str | None = None,
        tag: str | None = None,
        executor: str | None = None,
        search: str | None = None,
        group: str | None = None,
        owner: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Page[JobView]:
        """Jobs, soonest first, paused ones last.

        Args:
            state: only ``"scheduled"`` or only ``"paused"`` ones.
            tag, executor, group, owner: only those with this tag, this executor, in this group, or of this owner.
            search: only those with this text in their id, name or function's reference.
            limit: at most so many.
            after: the `cursor` of the page before.

        Raises:
            JobLookupError: the job that the cursor names has been removed.
        """
        rows = self._store.list_rows(JobQuery(state, tag, executor, search, limit + 1, after, group, owner))
        shown = rows[:limit]
        now = self.now()
        views = tuple(row_view(row, now) for row in shown)
        return Page(views, views[-1].id if len(rows) > limit else None)

    def job(self, job_id: str) -> JobView:
        """One job.

        Raises:
            JobLookupError: there is none.
        """
        row = self._row(job_id)
        if row is None:
            raise self._scheduler.no_job(job_id)
        return row_view(row, self.now())

    def _record(self, job_id: str) -> JobRecord:
        """A job that can be read here."""
        record = self._store.get_record(job_id)
        if record is None:
            raise self._scheduler.no_job(job_id)
        return record

    def _row(self, job_id: str) -> JobRecord | Unreadable | None:
        try:
            return self._store.get_record(job_id)
        except SerializationError:
            rows = self._store.list_rows(JobQuery(search=job_id))
            return next(
                (row for row in rows if isinstance(row, Unreadable) and row.record.id == job_id), None
            )

    def runs(
        self,
        job_id: str | None = None,
        *,
        state: RunState | None = None,
        since: datetime | None = None,
        limit: int = 100,
        tag: str | None = None,
        group: str | None = None,
        owner: str | None = None,
        search: str | None = None,
    ) -> list[RunView]:
        """Runs, the latest due time first.

        Args:
            job_id: of this job only.
            state: ``"queued"``, ``"running"``, or an outcome.
            since: due at this time or later.
            limit: at most so many.
            tag, group, owner, search: only of jobs, which are there, that `jobs` finds by these.
        """
        now = self.now()
        if tag is group is owner is search is None:
            return [run_view(run, now) for run in self._scheduler.get_runs(job_id, state, since, limit)]
        rows = self._store.list_rows(JobQuery(tag=tag, search=search, group=group, owner=owner))
        ids = {record_of(row).id for row in rows}
        asked = max(limit, _ASKED)
        while True:
            runs = self._scheduler.get_runs(job_id, state, since, asked) if ids else []
            found = [run for run in runs if run.job_id in ids]
            if len(found) >= limit or len(runs) < asked:
                return [run_view(run, now) for run in found[:limit]]
            asked *= 4

    def periods(self, job_id: str, span: Span = "hour", *, since: datetime) -> list[PeriodView]:
        """What became of a job's runs by minute, hour or day, in the order of time; also of runs that are in the history no more.

        While old history is being removed, what goes from there into the roll-ups may be missing.

        Args:
            span: ``"minute"`` (kept for two days), ``"hour"`` (for 90 days) or ``"day"`` (for five years), of UTC.
            since: from the minute, hour or day of this time on.
        """
        start = start_of(since, span)
        rollups = self._store.list_rollups(job_id, span, start)
        runs = self._store.list_runs(job_id, None, start, _CHARTED)
        return periods_of(rollups, runs, span, self.timezone)

    def follow(self, job_id: str | None = None, *, progress: bool = False) -> Iterator[RunView]:
        """Runs as they end from now on, the earliest first; for ever.

        Args:
            job_id: of this job only.
            progress: also when they begin, and whenever they say how far they are.
        """

        def told(run: RunView) -> Any:
            """What makes a run new when it changes; ``None``: it isn't shown yet."""
            if run.state not in _OPEN:
                return run.state
            return (run.state, run.progress) if progress and run.state == "running" else None

        known = {run.id: told(run) for run in self.runs(job_id, limit=_FOLLOWED)}
        while True:
            runs = self.runs(job_id, limit=_FOLLOWED)
            yield from (
                run for run in reversed(runs) if told(run) is not None and told(run) != known.get(run.id)
            )
            known = {run.id: told(run) for run in runs}
            Event().wait(_FOLLOW_SECONDS)

    def run(self, run_id: str) -> RunView:
        """One run.

        Raises:
            RunLookupError: there is none, or not any more.
            ValueError: the text is no identifier of a run.
        """
        found = self._scheduler.get_run(run_id)
        if found is None:
            raise RunLookupError(run_id)
        return run_view(found, self.now())

    def nodes(self, *, all_of_them: bool = False) -> list[NodeView]:
        """The nodes that are at work, or were until they fell silent; with those that have ended, if all are wanted."""
        now = self.now()
        views = [node_view(node, now) for node in self._store.list_nodes()]
        return [node for node in views if all_of_them or node.state in ("alive", "silent")]

    def groups(self) -> list[GroupView]:
        """The groups that have limits."""
        return [group_view(group) for group in self._scheduler.get_groups()]

    def overdue(self, by: timedelta = OVERDUE) -> list[JobView]:
        """Jobs that should have been run for so long: no node with their executor is at work, or something is in their way."""
        now = self.now()
        found = []
        for row in self._store.list_rows(JobQuery(state="scheduled")):
            record = record_of(row)
            if record.next_run_time is None or record.next_run_time > now - by:
                break  # soonest first
            found.append(row_view(row, now))
        return found

    def unreadable(self) -> list[JobView]:
        """Jobs that can't be read here, and why."""
        return [unreadable_view(row) for row in self._store.list_rows() if isinstance(row, Unreadable)]

    def due_times(self, start: datetime, end: datetime, *, job_id: str | None = None) -> Iterator[DueTime]:
        """When jobs will be due in a span of time, in the order of time; of each job the first thousand.

        Args:
            job_id: of this job only.

        Raises:
            JobLookupError: there is no such job.
        """
        records = [
            row
            for row in self._store.list_rows(JobQuery(state="scheduled"))
            if not isinstance(row, Unreadable)
        ]
        if job_id is not None:
            self.job(job_id)
            records = [record for record in records if record.id == job_id]
        return heapq.merge(*(self._due(record, start, end) for record in records), key=lambda due: due.time)

    def _due(self, record: JobRecord, start: datetime, end: datetime) -> Iterator[DueTime]:
        for time in islice(due_in(record, start, end), _TIMES_OF_A_JOB):
            yield DueTime(time.astimezone(self.timezone), record.id, record.name)

    def timelines(self, span: timedelta, *, cells: int = 48, limit: int = 50) -> list[JobTimeline]:
        """When jobs will be due in a span from now on, in so many cells of the same length: of the first jobs that are due.

        Args:
            limit: of so many jobs at most.
        """
        rows = self._store.list_rows(JobQuery(state="scheduled", limit=limit))
        records = [row for row in rows if not isinstance(row, Unreadable)]
        return timelines_of(records, self.now(), span, cells, self.timezone)

    def pressure(self) -> Pressure:
        """How much is due in each hour of the coming week, and when there is room for one more daily job."""
        rows = self._store.list_rows(JobQuery(state="scheduled"))
        records = [row for row in rows if not isinstance(row, Unreadable)]
        return pressure_of(records, self.now(), self.timezone)

    def why(
        self, job_id: str, start: datetime | None = None, end: datetime | None = None
    ) -> list[Explanation]:
        """Why a job ran, or didn't, or won't; in the order of time.

        Args:
            start: the time, or the beginning of a span; if it isn't given, the latest run and the next are explained.
            end: the end of the span, which is included; `start`, if it isn't given.

        Raises:
            JobLookupError: there is no such job, and no run of it is kept.
        """
        explainer = Explainer(self._store, job_id, self._row(job_id), self.now())
        told = explainer.now() if start is None else explainer.between(start, start if end is None else end)
        if explainer.knows_nothing:
            raise self._scheduler.no_job(job_id)
        return told

    # The switches

    def pause_job(self, job_id: str, *, note: str | None = None, until: datetime | None = None) -> JobView:
        """Don't run a job until it is resumed.

        Args:
            note: why, for whoever looks at it.
            until: from the first time of its schedule on that isn't before this one, it runs again by itself.

        Raises:
            JobLookupError: there is none.
            ValueError: its schedule has no time from then on; or that is over.
        """
        if until is None:
            with self._acting("pause", note):
                self._scheduler.pause_job(job_id, note=note)
            return self.job(job_id)
        record = self._record(job_id)
        if until <= self.now():
            raise ValueError(f"to pause a job until {until} makes no difference: it is {self.now()}")
        following = next(iter(record.trigger.upcoming(until - timedelta.resolution, 1)), None)
        if following is None:
            raise ValueError(
                f"the schedule of job {job_id!r} has no time from {until} on: pause it without until, or remove it"
            )
        words = paused_until(until, note or self._behalf.get()[1])
        with self._acting("pause", words):
            self._scheduler.modify_job(job_id, next_run_time=following, note=words)
        return self.job(job_id)

    def resume_job(self, job_id: str) -> JobView | None:
        """Run a paused job again; ``None`` if its trigger has no time left, in which case it is removed.

        Raises:
            JobLookupError: there is none.
        """
        with self._acting("resume"):
            job = self._scheduler.resume_job(job_id)
        return None if job is None else self.job(job_id)

    def edit_job(self, job_id: str, changes: Mapping[str, Any], *, dry_run: bool = False) -> SyncedJob:
        """Change a job, which keeps its history; one that is paused stays paused.

        Args:
            changes: what `modify_job` of schedulers takes.
            dry_run: change nothing.

        Returns:
            what is different, and its next times where its schedule is.

        Raises:
            JobLookupError: there is no such job.
            AttributeError, TypeError, ValueError, LookupError: as for `modify_job`.
        """
        planned = self._scheduler.planned_change(job_id, changes)
        if not dry_run and planned.action == "change":
            with self._acting("edit"):
                self._scheduler.modify_job(job_id, **changes)
        return planned

    def remove_job(self, job_id: str) -> None:
        """Remove a job.

        Raises:
            JobLookupError: there is none.
        """
        with self._acting("remove"):
            self._scheduler.remove_job(job_id)

    def run_job(self, job_id: str, *, timeout: float | None = 0) -> RunView:
        """Have a job run once more, by whichever node has its executor.

        Args:
            timeout: seconds to wait for its end; ``None``: however long.

        Raises:
            JobLookupError: there is none.
            TimeoutError: it was waited for, and it hasn't ended.
        """
        with self._acting("run"):
            handle = self._scheduler.run_job(job_id)
        return self._asked(handle, timeout)

    def _asked(self, handle: RunHandle, timeout: float | None) -> RunView:
        """A run that was asked for, at its end if that is waited for."""
        run = handle.record() if timeout == 0 else handle.wait(timeout)
        return run_view(run, self.now())

    def backfill(
        self,
        job_id: str,
        start: datetime,
        end: datetime,
        *,
        overlap: Literal["buffer_all", "allow"] = "buffer_all",
        limit: int = 1000,
    ) -> list[RunView]:
        """Run a job for those due times in a span, both ends included, at which it has not been run; see `BaseScheduler.backfill`.

        Returns:
            the runs that were queued, the earliest first.

        Raises:
            JobLookupError: there is none.
            ValueError: there are more due times in the span than `limit`, or the span, or the job, has none.
        """
        with self._acting("backfill"):
            handles = self._scheduler.backfill(job_id, start, end, overlap=overlap, limit=limit)
        now = self.now()
        return [run_view(handle.record(), now) for handle in handles]

    def ended(self, runs: Iterable[RunView]) -> Iterator[RunView]:
        """What became of runs, in their order, as they end; of one that is tried again, its last attempt."""
        for run in runs:
            ended = self._scheduler.wait_for_run(run.id)
            yield run_view(ended, self.now())

    def add_job(self, job: Mapping[str, Any]) -> JobView:
        """Add a job.

        Args:
            job: what `add_job` of schedulers takes, as a mapping.

        Raises:
            ConflictingIdError: the id is taken.
            TypeError, ValueError, LookupError: as for `add_job`.
        """
        with self._acting("add"):
            (added,) = self._scheduler.add_jobs([job])
        return self.job(added.id)

    def export_jobs(self, outfile: Any, *, mask_secrets: bool = False) -> None:
        """Write all jobs as JSON; see `BaseScheduler.export_jobs`.

        Raises:
            SerializationError: a job holds something that can't be written.
        """
        self._scheduler.export_jobs(outfile, mask_secrets=mask_secrets)

    def import_jobs(self, infile: Any, *, replace_existing: bool = False) -> list[JobView]:
        """Add the jobs that `export_jobs` wrote: all of them, or none; see `BaseScheduler.import_jobs`.

        Raises:
            ConflictingIdError: an id is taken.
            SerializationError: the file holds something else.
            OSError: it can't be read.
        """
        with self._acting("import"):
            added = self._scheduler.import_jobs(infile, replace_existing=replace_existing)
        return [self.job(job.id) for job in added]

    def adopt_jobs(self, source: Any = None, *, dry_run: bool = False, **names: str) -> AdoptionReport | None:
        """Take over the jobs that APScheduler has stored; see `BaseScheduler.adopt_jobs`.

        Returns:
            what becomes of each; ``None`` if APScheduler stored no jobs there.

        Raises:
            ConfigurationError: the source can't be used.
        """
        with self._acting("migrate"):
            return self._scheduler.adopt_jobs(source, dry_run=dry_run, **names)

    def sync(
        self,
        jobs: Iterable[Mapping[str, Any]],
        *,
        owner: str,
        prune: bool = False,
        take_over: bool = False,
        dry_run: bool = False,
    ) -> SyncPlan:
        """Bring the jobs of one owner in step with a list; see `BaseScheduler.sync`.

        Raises:
            ConflictingIdError: a job of the same id is somebody else's; or an id is twice in the list.
            TypeError, ValueError, LookupError: as for `add_job`.
        """
        with self._acting("apply", names_steps=True):
            return self._scheduler.sync(jobs, owner=owner, prune=prune, take_over=take_over, dry_run=dry_run)

    def retry_run(self, run_id: str, *, timeout: float | None = 0) -> RunView:
        """Have a run that has ended done once more: the next attempt at its due time, by whichever node has the job's executor.

        Args:
            timeout: wait so many seconds for its end, or ``None``: as long as it takes; 0: don't wait.

        Raises:
            RunLookupError: there is no such run, or it hasn't ended.
            JobLookupError: its job has been removed.
            ValueError: the text is no identifier of a run.
            TimeoutError: it was waited for, and it hasn't ended.
        """
        before = self.run(run_id)
        if before.state in _OPEN:
            raise RunLookupError(run_id, f"can be tried again: it hasn't ended ({before.state})")
        self._record(before.job_id)
        now = self.now()
        attempt = before.attempt
        with self._acting("retry"):
            while True:
                attempt += 1
                queued = QueuedRun(before.job_id, before.scheduled, attempt, now, "manual")
                if self._store.enqueue([queued]):
                    break  # otherwise there is such an attempt already
        return self._asked(RunHandle(self._scheduler, queued.key, None), timeout)

    def cancel_run(self, run_id: str) -> None:
        """End a run that is queued or goes on.

        Raises:
            RunLookupError: there is no such run, or it has ended.
            ValueError: the text is no identifier of a run.
        """
        with self._acting("cancel"):
            self._scheduler.cancel_run(run_id)

    # Who has done what

    @contextmanager
    def on_behalf_of(self, who: str | None = None, why: str | None = None) -> Iterator[None]:
        """Have what this thread, or task, does meanwhile noted under a name, and with a reason: as of who has clicked in a web page.

        Args:
            who: the name; that under which it would be noted anyway, if it isn't given.
            why: the reason; none, if it isn't given and a name is.
        """
        usual = self._behalf.get()
        token = self._behalf.set((who, why) if who is not None else (usual[0], why or usual[1]))
        try:
            yield
        finally:
            self._behalf.reset(token)

    def _acting(
        self, action: str, why: str | None = None, *, names_steps: bool = False
    ) -> AbstractContextManager[None]:
        who, usual = self._behalf.get()
        return acting(who, action, why or usual, names_steps=names_steps)

    def note(self, action: str) -> None:
        """Note something that was done to the store as a whole, such as ``"prune"``."""
        with self._acting(action):
            self._store.note_done(entries_of(self.now(), "change", [None]))

    def audit(
        self,
        job_id: str | None = None,
        *,
        who: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> list[AuditView]:
        """Who has done what, the latest first.

        Args:
            job_id: to this job, or runs of it, only.
            who: only what they did.
            since: done at this time or later.
            limit: at most so many.
        """
        entries = self._store.audit_entries(AuditQuery(job_id, who, since, limit))
        return [audit_view(entry, self.timezone) for entry in entries]
