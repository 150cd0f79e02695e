"""What the checker is told of a story: what was done to its jobs and groups, when, and what it was to come to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mainspring.events import EVENT_JOB_PAUSED
from mainspring.testing.checker import Change, GroupLimits, Observed, ObservedJob, Span

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.events import SchedulerEvent
    from mainspring.testing.simulation.stories import Step
    from mainspring.testing.simulation.world import World

_AT_ONCE = timedelta(seconds=0.1)
_TO_JOBS = frozenset({"add", "change", "reschedule", "pause", "resume", "remove"})


class Chronicle:
    """Filled while a story is played. Of what came of a step only the handles are believed that a scheduler returned."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._jobs: dict[str, ObservedJob] = {}
        self._changes: dict[str, list[Change]] = defaultdict(list)
        self._groups: dict[str, GroupLimits] = {}
        self._past_groups: list[GroupLimits] = []
        self._unsure: set[str] = set()

    def heard(self, event: SchedulerEvent) -> None:
        """Note that a job was paused for its runs that don't end: the checker works the other reasons out by itself."""
        if event.code == EVENT_JOB_PAUSED and "runs of it don't end" in getattr(event, "note", ""):
            job_id: str = event.job_id  # type: ignore[attr-defined]
            self._changes[job_id].append(Change(self._world.now, "paused"))

    def tell(self, step: Step, result: Any, moment: datetime, *, is_unsure: bool) -> None:
        """A program has done something.

        Args:
            result: what it was answered.
            moment: when it began.
            is_unsure: whether it doesn't know what came of it.
        """
        values = step.values
        took = self._world.now - moment
        if is_unsure or took > _AT_ONCE:  # it may have been done at any moment of that time
            self._unsure.add(values.get("job") or values.get("group") or "")
        elif isinstance(result, Exception):
            return
        elif step.name in _TO_JOBS:
            self._to_job(step, result, moment)
        elif step.name in {"group", "ungroup"}:
            self._to_group(values, moment)

    def _to_job(self, step: Step, result: Any, moment: datetime) -> None:
        job_id: str = step.values["job"]
        record: Any = None if result is None else result._record  # noqa: SLF001 - the job's options as one value
        changes = self._changes[job_id]
        if step.name == "add" and job_id not in self._jobs:
            self._jobs[job_id] = ObservedJob(job_id, record.trigger, record.options, added=moment)
        elif step.name == "add":
            changes.append(Change(moment, "added", record.trigger, record.options))
        elif step.name == "change":
            changes.append(Change(moment, "changed", options=record.options))
        elif step.name == "reschedule":
            changes.append(Change(moment, "changed", record.trigger))
            if record.next_run_time is None:
                changes.append(Change(moment, "paused"))  # it is so still
        elif step.name == "pause":
            changes.append(Change(moment, "paused"))
        elif step.name == "resume" and record is not None:
            changes.append(Change(moment, "resumed"))
        else:  # removed, or resumed when its schedule had ended
            changes.append(Change(moment, "removed"))

    def _to_group(self, values: dict[str, Any], moment: datetime) -> None:
        name = values["group"]
        before = self._groups.pop(name, None)
        if before is not None and before.span is not None:
            self._past_groups.append(replace(before, span=Span(before.span.start, moment)))
        if "limit" in values:
            per = timedelta(seconds=values["per"])
            self._groups[name] = GroupLimits(name, values["limit"], values["rate"], per, Span(moment))

    def observed(self, **values: Any) -> Observed:
        """All that is known.

        Args:
            values: others of the attributes of `Observed`.
        """
        jobs = [
            replace(job, changes=self._changes[job.id], is_prompt=False)
            for job in self._jobs.values()
            if job.id not in self._unsure
        ]
        groups = [
            group for group in (*self._groups.values(), *self._past_groups) if group.name not in self._unsure
        ]
        return Observed(jobs=jobs, groups=groups, **values)
