"""What the checker is told of a world: what was done to its jobs and groups, when, and what it was to come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mainspring.testing.checker import Observed, Span
from mainspring.testing.told import TO_GROUPS, TO_JOBS, Told

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.testing.checker import Call
    from programs import Step


class Story(Told):
    """What was done, as the program says it. Of what came of it only the jobs' handles are believed that a scheduler returned.

    Attributes:
        handed: the record of the job that the present step has returned, if it has.
    """

    def __init__(self) -> None:
        super().__init__()
        self.handed: Any = None
        self._stops: list[Span] = []
        self._refused: set[str] = set()

    def tell(self, step: Step, result: Any, begin: datetime, end: datetime) -> None:
        """A step was taken.

        Args:
            result: what came of it.
            begin, end: when it began, and when it was done.
        """
        values = step.values
        if step.name in TO_JOBS:
            if not isinstance(result, str) or self.handed is not None:  # else it was refused
                self.to_job(step.name, values["job"], self.handed, begin)
        elif step.name in TO_GROUPS:
            self.to_group(values, begin)
        elif step.name == "sleep":
            self._stops.append(Span(begin, end))
        elif step.name == "stop":
            self._stops.append(Span(begin))
        elif step.name == "start":
            self._stops = [stop if stop.end else Span(stop.start, begin) for stop in self._stops]
        elif step.name == "refuse" and values["times"]:
            self._refused.add(values["job"])
        self.handed = None

    def observed(
        self, *, since: datetime, until: datetime, runs: list[Any], calls: list[Call], events: list[Any]
    ) -> Observed:
        """All that is known."""
        return Observed(
            since=since,
            until=until,
            jobs=[
                replace(job, changes=self.changes[job.id], is_prompt=job.id not in self._refused)
                for job in self.jobs.values()
            ],
            runs=runs,
            calls=calls,
            groups=self.groups,
            events=events,
            outages=self._stops,
            patience=timedelta(seconds=1),
        )
