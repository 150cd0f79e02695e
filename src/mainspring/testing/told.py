"""What was done to jobs and groups, step by step, in the form in which the checker is told it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mainspring.testing.checker import Change, GroupLimits, ObservedJob, Span

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


#: What a step does to a job.
TO_JOBS = frozenset({"add", "change", "reschedule", "move", "pause", "resume", "remove"})
#: What a step does to a group.
TO_GROUPS = frozenset({"group", "ungroup"})


class Told:
    """Jobs and groups as they were changed. Of what came of a step only the record is believed that a scheduler returned.

    Attributes:
        jobs: by id, as they were first.
        changes: by id, those that came later.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, ObservedJob] = {}
        self.changes: dict[str, list[Change]] = defaultdict(list)
        self._groups: dict[str, GroupLimits] = {}
        self._past_groups: list[GroupLimits] = []

    @property
    def groups(self) -> list[GroupLimits]:
        """The limits of groups, those that are over included."""
        return [*self._groups.values(), *self._past_groups]

    def paused(self, job_id: str, moment: datetime) -> None:
        """A job was paused, and not by a step."""
        self.changes[job_id].append(Change(moment, "paused"))

    def to_job(self, name: str, job_id: str, record: Any, moment: datetime) -> None:
        """A step has changed a job.

        Args:
            name: one of `TO_JOBS`.
            record: of the handle that it returned; ``None``, where that is none: the job is no more.
        """
        changes = self.changes[job_id]
        if name == "add" and job_id not in self.jobs:
            self.jobs[job_id] = ObservedJob(job_id, record.trigger, record.options, added=moment)
        elif name == "add":
            changes.append(Change(moment, "added", record.trigger, record.options))
        elif name == "change":
            changes.append(Change(moment, "changed", options=record.options))
        elif name == "reschedule":
            changes.append(Change(moment, "changed", record.trigger))
            if record.next_run_time is None:
                changes.append(Change(moment, "paused"))  # it is so still
        elif name == "move":
            changes.append(Change(moment, "changed", next_run_time=record.next_run_time))
        elif name == "pause":
            changes.append(Change(moment, "paused"))
        elif name == "resume" and record is not None:
            changes.append(Change(moment, "resumed"))
        else:  # removed, or resumed when its schedule had ended
            changes.append(Change(moment, "removed"))

    def to_group(self, values: Mapping[str, Any], moment: datetime) -> None:
        """A group was given limits, or they were taken from it."""
        name = values["group"]
        before = self._groups.pop(name, None)
        if before is not None and before.span is not None:
            self._past_groups.append(replace(before, span=Span(before.span.start, moment)))
        if "limit" in values:
            per = timedelta(seconds=values["per"])
            self._groups[name] = GroupLimits(name, values["limit"], values["rate"], per, Span(moment))
