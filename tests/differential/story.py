"""What the checker is told of a world: what was done to its jobs and groups, when, and what it was to come to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mainspring.testing.checker import Change, GroupLimits, Observed, ObservedJob, Span

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.testing.checker import Call
    from programs import Step

#: What a program does to a job.
_TO_JOBS = frozenset({"add", "change", "reschedule", "move", "pause", "resume", "remove"})


class Story:
    """What was done, as the program says it. Of what came of it only the jobs' handles are believed that a scheduler returned.

    Attributes:
        handed: the record of the job that the present step has returned, if it has.
    """

    def __init__(self) -> None:
        self.handed: Any = None
        self._jobs: dict[str, ObservedJob] = {}
        self._changes: dict[str, list[Change]] = defaultdict(list)
        self._groups: dict[str, GroupLimits] = {}
        self._past_groups: list[GroupLimits] = []
        self._stops: list[Span] = []
        self._refused: set[str] = set()

    def tell(self, step: Step, result: Any, begin: datetime, end: datetime) -> None:
        """A step was taken.

        Args:
            result: what came of it.
            begin, end: when it began, and when it was done.
        """
        values = step.values
        if step.name in _TO_JOBS:
            if not isinstance(result, str) or self.handed is not None:  # else it was refused
                self._to_job(step, begin)
        elif step.name in {"group", "ungroup"}:
            self._to_group(values, begin)
        elif step.name == "sleep":
            self._stops.append(Span(begin, end))
        elif step.name == "stop":
            self._stops.append(Span(begin))
        elif step.name == "start":
            self._stops = [stop if stop.end else Span(stop.start, begin) for stop in self._stops]
        elif step.name == "refuse" and values["times"]:
            self._refused.add(values["job"])
        self.handed = None

    def paused(self, job_id: str, moment: datetime) -> None:
        """A job was paused, and not by a step."""
        self._changes[job_id].append(Change(moment, "paused"))

    def _to_job(self, step: Step, moment: datetime) -> None:
        job_id, record = step.values["job"], self.handed
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
        elif step.name == "move":
            changes.append(Change(moment, "changed", next_run_time=record.next_run_time))
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

    def observed(
        self, *, since: datetime, until: datetime, runs: list[Any], calls: list[Call], events: list[Any]
    ) -> Observed:
        """All that is known."""
        return Observed(
            since=since,
            until=until,
            jobs=[
                replace(job, changes=self._changes[job.id], is_prompt=job.id not in self._refused)
                for job in self._jobs.values()
            ],
            runs=runs,
            calls=calls,
            groups=[*self._groups.values(), *self._past_groups],
            events=events,
            outages=self._stops,
            patience=timedelta(seconds=1),
        )
