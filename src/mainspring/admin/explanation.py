"""Why a job ran at a time, or didn't, or won't.

What is recorded of a run says it by itself (`engine.reasons`). Where nothing is recorded, it follows from what the store holds now: the job, its schedule, the
runs before and after, the nodes and the groups, and what operators have done to it (`jobstores/shared/audit.py`). That a program has paused the job then, or that
it had another schedule, isn't kept: it is said as what it is, one of several possibilities.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from mainspring.admin.views import View, node_view, paused_to
from mainspring.engine.counting import runs_left
from mainspring.engine.reasons import ReasonCode, known_reason
from mainspring.jobstores.contract import JobQuery
from mainspring.jobstores.shared.audit import AuditQuery
from mainspring.jobstores.shared.rows import Unreadable, record_of
from mainspring.masking import without_secrets
from mainspring.triggers.after import AfterJob
from mainspring.triggers.excluding import ExcludingTrigger
from mainspring.triggers.windowing import WindowTrigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from mainspring.jobstores.shared.audit import AuditEntry
    from mainspring.jobstores.shared.store import SharedJobStore
    from mainspring.model import JobRecord, RunRecord
    from mainspring.triggers.base import BaseTrigger

__all__ = ["Explainer", "Explanation"]

#: So many runs are looked at, and so many due times of a span.
_RUNS = 10_000
_TIMES = 1000
#: So many of what operators have done to the job are looked at.
_ENTRIES = 1000
#: A time is looked for in a schedule from so long before it.
_INSTANT = timedelta(microseconds=1)

_SAID = {
    ReasonCode.TOO_LATE: "later than misfire_grace_time lets it be: {error}",
    ReasonCode.OVERLAPPING: "{error}, which is max_instances, and overlap is 'skip'",
    ReasonCode.CANCELLED: "it was cancelled while it went on",
}
_CAUSES = {
    "schedule": "by its schedule",
    "manual": "because somebody asked for it",
    "retry": "once more, since the attempt before had failed",
    "rerun": "once more, since the node that ran it before had died",
    "buffered": "after those that went on when it was due",
    "backfill": "as part of a backfill",
    "parallel": "as part of a backfill",
    "after": "after a run of the job that it follows",
}


@dataclass(frozen=True)
class Explanation(View):
    """Why a job ran at a time, or didn't, or won't; or at each of several times in a row, where it is the same.

    Attributes:
        first, last: the due times that it is about; the same, where it is one.
        count: how many.
        verdict: ``"ran"``, ``"did not run"``, ``"goes on"``, ``"waits"``, ``"will run"``, ``"may wait"``, ``"will not run"``, ``"not due"`` or
            ``"unknown"``.
        code: the reason, of `ReasonCode`; ``None``: none is needed.
        reason: in words.
        advice: what to do; ``None``: nothing is to be done.
        run: the identifier of the run.
    """

    job_id: str
    first: datetime
    last: datetime
    count: int
    verdict: str
    code: str | None
    reason: str
    advice: str | None = None
    run: str | None = None


@dataclass(frozen=True)
class _Why:
    verdict: str
    code: ReasonCode | None
    reason: str
    advice: str | None = None


class Explainer:
    """Explains the runs of one job, from what its store holds at a moment.

    Args:
        job: its record, a row that can't be read, or ``None``: there is none.
        now: by the store's clock, in the zone in which times are told.
    """

    def __init__(
        self, store: SharedJobStore, job_id: str, job: JobRecord | Unreadable | None, now: datetime
    ) -> None:
        self._store = store
        self._id = job_id
        self._job = job
        self._now = now
        self._registered = [node_view(node, now) for node in store.list_nodes()]
        self._alive = [node for node in self._registered if node.state == "alive"]

    @property
    def knows_nothing(self) -> bool:
        """Whether there is no such job, and nothing is kept of its runs."""
        return self._job is None and not self._store.list_runs(self._id, None, None, 1)

    def now(self) -> list[Explanation]:
        """The latest run, what is in the way at present, and the next time."""
        found = self._store.list_runs(self._id, None, None, 1)
        told = [self._of_run(found[0])] if found else []
        job = self._job
        if job is None:
            return told
        due = None
        if not isinstance(job, Unreadable | None) and not isinstance(job.trigger, AfterJob):
            due = job.next_run_time
        due = due or self._now
        return [*told, self._told(due, self._without_record(due, is_due=True))]

    def between(self, start: datetime, end: datetime) -> list[Explanation]:
        """What was, or will be, due in a span, both ends included; where nothing is, why not."""
        told = [self._of_run(run) for run in self._runs(start, end)]
        recorded = {one.first.astimezone(UTC) for one in told}
        told += [
            self._told(time, self._without_record(time, is_due=True))
            for time in self._due_times(start, end)
            if time.astimezone(UTC) not in recorded
        ]
        if not told:
            return [self._told(start, self._without_record(start, is_due=False, until=end))]
        return list(_in_spans(sorted(told, key=lambda one: (one.first, one.run or ""))))

    def _runs(self, start: datetime, end: datetime) -> list[RunRecord]:
        found = self._store.list_runs(self._id, None, start, _RUNS)
        return [run for run in found if run.scheduled_run_time <= end]

    def _due_times(self, start: datetime, end: datetime) -> Iterator[datetime]:
        job = self._job
        if job is None or isinstance(job, Unreadable) or isinstance(job.trigger, AfterJob):
            return
        changed = job.next_run_time
        if changed is not None and start <= changed <= end:
            yield changed
        for time in islice(_between(job.trigger, start, end), _TIMES):
            if time != changed:
                yield time

    # Runs that are recorded

    def _of_run(self, run: RunRecord) -> Explanation:
        why = self._why_run(run)
        time = run.scheduled_run_time
        return replace(self._told(time, why), run=run.id)

    def _why_run(self, run: RunRecord) -> _Why:
        cause = _CAUSES.get(run.cause, run.cause)
        if run.state == "queued":
            return self._why_queued(run, cause)
        if run.state == "running":
            return _Why("goes on", None, f"it runs on {run.node}, {cause}")
        known = known_reason(run.state, run.error)
        code = None if known is None else known.code
        more = _stands_for(run)
        if run.started is not None and run.state != "lost":
            error = "" if run.state == "succeeded" else f": {run.error}"
            words = f"it ran {cause} on {run.node}, and {_ENDED[run.state]}{error}{more}"
            return _Why("ran", code, words, None if run.state == "succeeded" else f"runs show {run.id}")
        if code is None:
            return _Why("did not run", None, f"{run.state}: {run.error}")
        words = _SAID.get(code, "{error}").format(error=run.error)
        if code == ReasonCode.TOO_LATE:
            words += self._who_was_there(run.scheduled_run_time)
        verdict = "ran" if run.started is not None else "did not run"
        return _Why(verdict, code, f"{words}{more}", _ADVICE.get(code))

    def _why_queued(self, run: RunRecord, cause: str) -> _Why:
        if run.available is not None and run.available > self._now:
            words = f"it is queued, {cause}, and may begin at {run.available.astimezone(self._now.tzinfo)}"
            return _Why("waits", ReasonCode.LATER, words)
        return self._obstacle("waits") or _Why("waits", None, f"it is queued, {cause}, and may begin now")

    def _who_was_there(self, time: datetime) -> str:
        """Whether a node was at work at a time: registrations are kept for a day at least."""
        if self._now - time > timedelta(days=1):
            return ""
        there = [
            node.name for node in self._registered if node.started <= time <= node.heartbeat + node.lease
        ]
        if there:
            return f"; at work then was {', '.join(sorted(set(there)))}: busy, stopped, paused, or cut off from the store"
        return "; no node was at work then"

    # Due times of which there is no record

    def _without_record(self, time: datetime, *, is_due: bool, until: datetime | None = None) -> _Why:
        job = self._job
        if job is None:
            return _Why(
                "unknown", ReasonCode.JOB_REMOVED, "there is no such job any more, and no record of this time"
            )
        if isinstance(job, Unreadable):
            advice = "add it again, or remove it; where its code is installed it may be readable"
            return _Why("will not run", ReasonCode.UNREADABLE, f"it can't be read here: {job.reason}", advice)
        if isinstance(job.trigger, AfterJob):
            return _Why(
                "not due",
                ReasonCode.AFTER_JOB,
                f"it has no times of its own: it runs {job.trigger.explain()}",
            )
        return self._of_times(job, time, is_due=is_due, until=until or time)

    def _of_times(self, job: JobRecord, time: datetime, *, is_due: bool, until: datetime) -> _Why:
        following = job.next_run_time
        if following is None and (is_due or time >= self._now):
            return self._of_paused(job, time)
        if not is_due or following is None:
            return self._not_due(job, time, until)
        if time < following:
            return self._passed(job, time) if time <= self._now else self._skipped_ahead(job, time, following)
        return self._to_come(job, time, following)

    def _of_paused(self, job: JobRecord, time: datetime) -> _Why:
        if time < self._now - _INSTANT:
            return self._passed(job, time)
        note = None if job.counters is None else job.counters.note
        known = known_reason("paused", note)
        if known is not None:
            words = {
                ReasonCode.MAX_RUNS: f"it has had all the runs that max_runs lets it have ({job.options.max_runs})",
                ReasonCode.FAILURES: f"it paused itself after {known.details.get('failures')} failed runs in a row",
            }.get(known.code, note or "")
            advice = {
                ReasonCode.MAX_RUNS: "give it a higher max_runs (jobs edit), then jobs resume",
                ReasonCode.FAILURES: f"runs list {job.id} --failed shows why; then jobs resume",
            }.get(known.code)
            return _Why("will not run", known.code, words, advice)
        if not job.trigger.upcoming(self._now, 1):
            return _Why("will not run", ReasonCode.NO_TIME_LEFT, "its schedule has no time left")
        entry = self._pause_at(self._now)
        if entry is not None:
            return _Why(
                "will not run", ReasonCode.PAUSED, f"it is paused, {self._by(entry)}", f"jobs resume {job.id}"
            )
        by = "somebody has paused it, without a note" if note is None else f"somebody has paused it: {note}"
        return _Why("will not run", ReasonCode.PAUSED, by, f"jobs resume {job.id}")

    def _pause_at(self, time: datetime) -> AuditEntry | None:
        """Who had paused the job at a time, if it was paused then by somebody of whom that is noted."""
        for entry in self._audited:
            if entry.time > time:
                continue
            if entry.action != "pause":
                return None
            until = paused_to(entry.why)
            return entry if until is None or time < until else None
        return None

    @cached_property
    def _audited(self) -> list[AuditEntry]:
        """What was done to the job that decides whether it runs by its schedule, the latest first."""
        entries = self._store.audit_entries(AuditQuery(self._id, limit=_ENTRIES))
        return [entry for entry in entries if entry.run_id is None and entry.action != "edit"]

    def _by(self, entry: AuditEntry) -> str:
        when = entry.time.astimezone(self._now.tzinfo)
        why = "" if entry.why is None else f": {without_secrets(entry.why)}"
        return f"by {entry.who} at {when:%Y-%m-%d %H:%M:%S %Z}{why}"

    def _not_due(self, job: JobRecord, time: datetime, until: datetime) -> _Why:
        trigger: BaseTrigger = job.trigger
        while isinstance(trigger, WindowTrigger | ExcludingTrigger):
            inner = trigger.trigger
            if next(_between(inner, time, until), None) is not None:
                kind = "its window" if isinstance(trigger, WindowTrigger) else "its exceptions"
                words = f"it is left out by {kind}: the job runs {job.trigger.explain()}"
                return _Why("not due", ReasonCode.LEFT_OUT, words)
            trigger = inner
        after = next(iter(job.trigger.upcoming(time, 1)), None)
        if after is None:
            return _Why(
                "not due", ReasonCode.NO_TIME_LEFT, f"its schedule has ended by then: {job.trigger.explain()}"
            )
        before = job.trigger.previous(time)
        words = f"its schedule has no such time: {job.trigger.explain()}; "
        words += "" if before is None else f"the last one before is {before.astimezone(self._now.tzinfo)}, "
        return _Why(
            "not due", ReasonCode.NOT_DUE, f"{words}the next one {after.astimezone(self._now.tzinfo)}"
        )

    def _passed(self, job: JobRecord, time: datetime) -> _Why:
        """Of a due time that is over: the job's next run time is later, and no run has it."""
        later = self._store.list_runs(job.id, None, time, _RUNS)
        by_schedule = [
            run for run in later if run.cause in ("schedule", "buffered") and run.scheduled_run_time > time
        ]
        if by_schedule:
            makes_up = by_schedule[-1]
            between = _between(job.trigger, time, makes_up.scheduled_run_time)
            due = sum(1 for _ in islice(between, _TIMES)) - 1
            if makes_up.due_times is None or due < makes_up.due_times:
                words = f"it was overdue with others, and coalesce is on: {makes_up.id} ({makes_up.state}) stands for all of them"
                return _Why("did not run", ReasonCode.COALESCED, words + self._who_was_there(time))
        dropped = self._dropped_with(job, time)
        if dropped is not None:
            words = f"it was overdue with more than catch_up_limit others, and was dropped: {dropped.id} stands for it"
            advice = _ADVICE[ReasonCode.BACKLOG_DROPPED]
            return _Why("did not run", ReasonCode.BACKLOG_DROPPED, words + self._who_was_there(time), advice)
        entry = self._pause_at(time)
        if entry is not None:
            return _Why("did not run", ReasonCode.PAUSED, f"it was paused then, {self._by(entry)}")
        words = "nothing is recorded of it: the job wasn't there yet, was paused, or had another schedule; or its history isn't kept for so long"
        return _Why("unknown", ReasonCode.NOT_RECORDED, words + self._who_was_there(time))

    def _dropped_with(self, job: JobRecord, time: datetime) -> RunRecord | None:
        """The record of due times that were dropped, if it stands for this one: it is that of the first of them."""
        for run in self._store.list_runs(job.id, "missed", None, _RUNS):
            known = known_reason(run.state, run.error)
            if run.scheduled_run_time >= time or known is None or known.code != ReasonCode.BACKLOG_DROPPED:
                continue
            due = sum(1 for _ in islice(_between(job.trigger, run.scheduled_run_time, time), _TIMES))
            return run if run.due_times is None or due <= run.due_times else None
        return None

    def _skipped_ahead(self, job: JobRecord, time: datetime, following: datetime) -> _Why:
        entry = self._pause_at(time)
        if entry is not None:
            words = f"it is paused, {self._by(entry)}"
            return _Why("will not run", ReasonCode.PAUSED, words, f"jobs resume {job.id}")
        words = f"its next run time was set to {following.astimezone(self._now.tzinfo)}, which is later"
        return _Why("will not run", ReasonCode.LATER, words)

    def _to_come(self, job: JobRecord, time: datetime, following: datetime) -> _Why:
        left = runs_left(job)
        if left is not None and time > following:
            before = sum(1 for _ in islice(_between(job.trigger, following, time - _INSTANT), left))
            if before >= left:
                words = f"max_runs is {job.options.max_runs}, and the {left} runs that are left come before"
                return _Why(
                    "will not run", ReasonCode.MAX_RUNS, words, "give it a higher max_runs (jobs edit)"
                )
        is_overdue = time <= self._now
        found = self._obstacle("waits" if is_overdue else "may wait")
        if found is not None and (is_overdue or found.code in _LASTING or time == following):
            return found
        if is_overdue:
            words = "it is due, and nothing seen from here is in its way: see the logs of the nodes, and whether they load its function"
            return _Why("waits", None, words, "doctor; run --check where the nodes run")
        return _Why("will run", None, f"it is on its schedule: {job.trigger.explain()}")

    def _obstacle(self, verdict: str) -> _Why | None:
        """What would keep the job from being run now."""
        job = self._job
        if job is None or isinstance(job, Unreadable):
            return None
        options = job.options
        lasting = "waits" if verdict == "waits" else "will not run"
        if not self._alive:
            return _Why(
                lasting, ReasonCode.NO_NODE, "no node is at work on this store", "start a scheduler on it"
            )
        if all(options.executor not in node.executors for node in self._alive):
            words = f"no node at work has its executor {options.executor!r}"
            return _Why(
                lasting, ReasonCode.NO_EXECUTOR, words, "start one that does, or change the job (jobs edit)"
            )
        running = self._store.list_runs(None, "running", None, _RUNS)
        own = [run for run in running if run.job_id == job.id]
        if len(own) >= options.max_instances and options.overlap != "allow":
            words = f"{len(own)} of it run, and max_instances is {options.max_instances}: {own[0].id} on {own[0].node}"
            return _Why(verdict, ReasonCode.OVERLAPPING, words, f"runs cancel {own[0].id}, if it hangs")
        return self._full_group(options.group, running, verdict)

    def _full_group(self, name: str | None, running: Iterable[RunRecord], verdict: str) -> _Why | None:
        group = next((group for group in self._store.list_groups() if group.name == name), None)
        if group is None:
            return None
        members = {row.id for row in self._members(group.name)}
        if group.limit is not None:
            inside = [run for run in running if run.job_id in members]
            if len(inside) >= group.limit:
                shown = ", ".join(run.id for run in inside[:3])
                words = f"its group {group.name!r} lets {group.limit} run at a time, and these do: {shown}"
                return _Why(verdict, ReasonCode.GROUP_FULL, words, "set_group with a higher limit, or wait")
        if group.rate is not None:
            since = self._now - group.per
            begun = [
                run
                for run in self._store.list_runs(None, None, None, _RUNS)
                if run.job_id in members and run.claimed is not None and run.claimed > since
            ]
            if len(begun) >= group.rate:
                words = (
                    f"its group {group.name!r} lets {group.rate} runs begin in {group.per}, and so many have"
                )
                return _Why(verdict, ReasonCode.GROUP_FULL, words, "set_group with a higher rate, or wait")
        return None

    def _members(self, group: str) -> Iterator[JobRecord]:
        return map(record_of, self._store.list_rows(JobQuery(group=group)))

    def _told(self, time: datetime, why: _Why) -> Explanation:
        shown = time.astimezone(self._now.tzinfo)
        return Explanation(
            self._id,
            shown,
            shown,
            1,
            why.verdict,
            None if why.code is None else str(why.code),
            why.reason,
            why.advice,
        )


_ENDED = {
    "succeeded": "ended well",
    "failed": "failed",
    "timed_out": "was ended since it took too long",
    "cancelled": "was cancelled",
    "skipped": "was skipped",
    "missed": "was missed",
}
_ADVICE = {
    ReasonCode.TOO_LATE: "a longer misfire_grace_time lets it run late",
    ReasonCode.OVERLAPPING: "more max_instances, overlap='buffer_one', or a timeout",
    ReasonCode.EXECUTOR_FULL: "more workers for its executor",
    ReasonCode.BACKLOG_DROPPED: "a higher catch_up_limit makes up for more",
    ReasonCode.NODE_SILENT: "on_lost='rerun' or a retry runs it again",
    ReasonCode.LOST_TOUCH: "see why the node could not reach its store: its log says so",
    ReasonCode.GIVEN_UP: "a longer --shutdown-timeout, or a function that looks at current_run().cancelled",
}
#: What doesn't pass by itself.
_LASTING = (ReasonCode.NO_NODE, ReasonCode.NO_EXECUTOR)


def _stands_for(run: RunRecord) -> str:
    if run.due_times == 1:
        return ""
    return f" (it stands for {'many' if run.due_times is None else run.due_times} due times)"


def _between(trigger: BaseTrigger, start: datetime, end: datetime) -> Iterator[datetime]:
    """The due times in a span; none of a trigger that fails."""
    try:
        yield from trigger.between(start, end)
    except Exception:  # noqa: BLE001 - a third party's trigger may do anything
        return


def _in_spans(told: Iterable[Explanation]) -> Iterator[Explanation]:
    """One for those in a row that say the same of times that were not run."""
    span: Explanation | None = None
    for one in told:
        if span is not None and one.verdict == span.verdict != "ran" and _same(one, span):
            span = replace(span, last=one.last, count=span.count + 1, run=None)
            continue
        if span is not None:
            yield span
        span = one
    if span is not None:
        yield span


def _same(one: Explanation, other: Explanation) -> bool:
    return one.code == other.code and (one.code is not None or one.reason == other.reason)
