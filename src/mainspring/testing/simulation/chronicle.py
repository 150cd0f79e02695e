"""What the checker is told of a story: what was done to its jobs and groups, when, and what it was to come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mainspring.events import EVENT_JOB_PAUSED
from mainspring.testing.checker import Observed
from mainspring.testing.told import TO_GROUPS, TO_JOBS, Told

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.events import SchedulerEvent
    from mainspring.testing.simulation.stories import Step
    from mainspring.testing.simulation.world import World

_AT_ONCE = timedelta(seconds=0.1)


class Chronicle:
    """Filled while a story is played. Of what came of a step only the handles are believed that a scheduler returned."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._told = Told()
        self._unsure: set[str] = set()

    def heard(self, event: SchedulerEvent) -> None:
        """Note that a job was paused for its runs that don't end: the checker works the other reasons out by itself."""
        if event.code == EVENT_JOB_PAUSED and "runs of it don't end" in getattr(event, "note", ""):
            job_id: str = event.job_id  # type: ignore[attr-defined]
            self._told.paused(job_id, self._world.now)

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
        elif step.name in TO_JOBS:
            record = None if result is None else result._record  # noqa: SLF001 - the job's options as one value
            self._told.to_job(step.name, values["job"], record, moment)
        elif step.name in TO_GROUPS:
            self._told.to_group(values, moment)

    def observed(self, **values: Any) -> Observed:
        """All that is known.

        Args:
            values: others of the attributes of `Observed`.
        """
        jobs = [
            replace(job, changes=self._told.changes[job.id], is_prompt=False)
            for job in self._told.jobs.values()
            if job.id not in self._unsure
        ]
        groups = [group for group in self._told.groups if group.name not in self._unsure]
        return Observed(jobs=jobs, groups=groups, **values)
