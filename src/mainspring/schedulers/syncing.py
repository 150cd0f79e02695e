"""Keeping jobs in step with a list: what is to be added, changed or removed, shown before it is done.

Each job that was made so knows its owner: a file, a deployment, a module. Only what is its owner's is changed or removed, so that two deployments in one store
don't touch each other's jobs, nor those that programs have added.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from mainspring.engine.replacing import replaced
from mainspring.errors import ConflictingIdError
from mainspring.printable import printable, shown
from mainspring.schedulers.job_texts import arguments_text, schedule_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from mainspring.jobstores.contract import RunStore
    from mainspring.model import JobRecord

__all__ = ["Difference", "SyncPlan", "SyncedJob", "apply_plan", "difference_of", "plan_of"]

#: What becomes of a job.
Action = Literal["add", "change", "keep", "remove", "leave", "conflict"]

_WORDS: dict[Action, str] = {
    "add": "added",
    "change": "changed",
    "keep": "unchanged",
    "remove": "removed",
    "leave": "no longer in the list, and left as it is",
    "conflict": "somebody else's",
}
_MARKS: dict[Action, str] = {
    "add": "+",
    "change": "~",
    "keep": "=",
    "remove": "-",
    "leave": "?",
    "conflict": "!",
}
#: So many of the next times are compared where a schedule changes.
_TIMES = 10


@dataclass(frozen=True)
class Difference:
    """What changes of a job, as text; secrets are masked.

    Attributes:
        what: an option of jobs, ``"function"``, ``"arguments"``, ``"name"``, ``"schedule"`` or ``"owner"``.
    """

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class SyncedJob:
    """What becomes of one job.

    Attributes:
        differences: what changes of it.
        times_before, times_after: its next times, where its schedule changes.
    """

    id: str
    action: Action
    differences: tuple[Difference, ...] = ()
    times_before: tuple[datetime, ...] = ()
    times_after: tuple[datetime, ...] = ()

    @property
    def said(self) -> str:
        """What becomes of it, in a line."""
        what = ", ".join(one.what for one in self.differences) if self.action == "change" else ""
        return f"{_WORDS[self.action]}{what and f' ({what})'}"

    def to_dict(self) -> dict[str, Any]:
        """What it says as plain values."""
        return {
            "id": self.id,
            "action": self.action,
            "differences": [
                {"what": one.what, "before": one.before, "after": one.after} for one in self.differences
            ],
            "times_before": [time.isoformat() for time in self.times_before],
            "times_after": [time.isoformat() for time in self.times_after],
        }


@dataclass(frozen=True)
class SyncPlan:
    """What it takes to bring jobs in step with a list. ``print(plan)`` shows it.

    Attributes:
        owner: whose jobs they are.
        jobs: in the order of the list; what is no longer in it comes last.
    """

    owner: str
    jobs: tuple[SyncedJob, ...]

    def of(self, *actions: Action) -> list[SyncedJob]:
        """Those of which this becomes."""
        return [job for job in self.jobs if job.action in actions]

    @property
    def changes_something(self) -> bool:
        """Whether there is anything to be done."""
        return bool(self.of("add", "change", "remove", "conflict"))

    @property
    def summary(self) -> str:
        """How many jobs of which this becomes, in a line."""
        counts = Counter(job.action for job in self.jobs)
        said = [f"{count} {_WORDS[action]}" for action in _WORDS if (count := counts[action])]
        return f"{self.owner}: {'; '.join(said) or 'no jobs'}"

    def __str__(self) -> str:
        lines = [self.summary]
        for job in self.jobs:
            if job.action == "keep":
                continue
            lines.append(f"  {_MARKS[job.action]} {printable(job.id)}")
            lines += [
                f"      {one.what}: {one.before} -> {one.after}"
                if one.before
                else f"      {one.what}: {one.after}"
                for one in job.differences
            ]
            if job.times_after:
                lines.append(
                    f"      next: {', '.join(f'{time:%Y-%m-%d %H:%M %Z}' for time in job.times_after[:3])}, …"
                )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """What it says as plain values."""
        return {"owner": self.owner, "jobs": [job.to_dict() for job in self.jobs]}


def plan_of(
    wanted: Sequence[tuple[JobRecord, bool]],
    stored: Iterable[JobRecord],
    owner: str,
    now: datetime,
    *,
    prune: bool,
    take_over: bool,
) -> SyncPlan:
    """What becomes of jobs.

    Args:
        wanted: those of the list, with whether their next run times are given.
        stored: all that there are.
        now: from when on next times are compared.
        prune: whether what is no longer in the list is removed.
        take_over: whether others' jobs of the same ids are changed.
    """
    known = {record.id: record for record in stored}
    jobs = [_synced(record, known.get(record.id), now, has, take_over=take_over) for record, has in wanted]
    listed = {record.id for record, _ in wanted}
    gone = [one.id for one in known.values() if one.options.owner == owner and one.id not in listed]
    jobs += [SyncedJob(job_id, "remove" if prune else "leave") for job_id in sorted(gone)]
    return SyncPlan(owner, tuple(jobs))


def _synced(
    new: JobRecord, old: JobRecord | None, now: datetime, has_time: bool, *, take_over: bool
) -> SyncedJob:
    if old is None:
        return SyncedJob(
            new.id, "add", (Difference("schedule", "", schedule_text(new)),), (), _times(new, now)
        )
    if old.options.owner != new.options.owner and not take_over:
        whose = "added by a program" if old.options.owner is None else old.options.owner
        return SyncedJob(new.id, "conflict", (Difference("owner", whose, str(new.options.owner)),))
    return difference_of(old, new, now, pauses=has_time and new.next_run_time is None)


def difference_of(old: JobRecord, new: JobRecord, now: datetime, *, pauses: bool = False) -> SyncedJob:
    """What is different of a job: `"change"`, or `"keep"`.

    Args:
        now: from when on next times are compared.
        pauses: whether it is to be paused.
    """
    differences = list(_differences(old, new))
    is_rescheduled = not old.trigger.is_same_schedule(new.trigger)
    if is_rescheduled:
        differences.append(Difference("schedule", schedule_text(old), schedule_text(new)))
    if pauses and old.next_run_time is not None:
        differences.append(Difference("paused", "no", "yes"))
    if not differences:
        return SyncedJob(new.id, "keep")
    times = (_times(old, now), _times(new, now)) if is_rescheduled else ((), ())
    return SyncedJob(new.id, "change", tuple(differences), *times)


def _differences(old: JobRecord, new: JobRecord) -> Iterable[Difference]:
    if old.func_ref != new.func_ref:
        yield Difference("function", str(old.func_ref), str(new.func_ref))
    if (old.args, dict(old.kwargs)) != (new.args, dict(new.kwargs)):
        yield Difference("arguments", f"({arguments_text(old)})", f"({arguments_text(new)})")
    if old.name != new.name:
        yield Difference("name", shown(old.name), shown(new.name))
    for one in fields(old.options):
        before, after = getattr(old.options, one.name), getattr(new.options, one.name)
        if one.compare and before != after:
            yield Difference(one.name, shown(before), shown(after))


def _times(record: JobRecord, now: datetime) -> tuple[datetime, ...]:
    try:
        return tuple(record.trigger.upcoming(now, _TIMES))
    except Exception:  # noqa: BLE001 - a third party's trigger may do anything
        return ()


def owned_by(owner: Any, made: Iterable[tuple[JobRecord, bool]]) -> list[tuple[JobRecord, bool]]:
    """Jobs as their owner's.

    Raises:
        ConflictingIdError: an id is twice in the list.
        ValueError: the owner has no name.
    """
    if not isinstance(owner, str) or not owner.strip():
        raise ValueError(
            f"owner must be a text that names whose jobs they are, such as 'billing/jobs.toml', got {shown(owner)}"
        )
    wanted = [(record._replace(options=replace(record.options, owner=owner)), has) for record, has in made]
    for job_id, count in Counter(record.id for record, _ in wanted).items():
        if count > 1:
            raise ConflictingIdError(job_id)
    return wanted


def apply_plan(
    plan: SyncPlan, wanted: Sequence[tuple[JobRecord, bool]], store: RunStore, *, take_over: bool
) -> list[JobRecord]:
    """Do what a plan says; what was added and changed.

    Raises:
        ConflictingIdError: a job is somebody else's, or has become so since the plan was made.
    """
    for job in plan.of("conflict"):
        raise ConflictingIdError(job.id)
    touched = {job.id for job in plan.of("add", "change")}
    records = [record for record, _ in wanted if record.id in touched]
    keeps = {record.id: not has for record, has in wanted}
    kept = store.add_records(records, _replacing(plan.owner, keeps, take_over=take_over)) if records else []
    for job in plan.of("remove"):
        record = store.get_record(job.id)
        if record is not None and record.options.owner == plan.owner:
            store.remove(job.id)
    return kept


def _replacing(
    owner: str, keeps: Mapping[str, bool], *, take_over: bool
) -> Callable[[JobRecord, JobRecord], JobRecord]:
    def replace_owned(old: JobRecord, new: JobRecord) -> JobRecord:
        if old.options.owner != owner and not take_over:
            raise ConflictingIdError(old.id)
        return replaced(old, new, keeps_schedule=keeps[new.id])

    return replace_owned
