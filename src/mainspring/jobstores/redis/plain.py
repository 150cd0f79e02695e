"""Decisions as most are: one run of a job that does nothing else, and where the job goes. A script is told of many at once.

Columns instead of an object for each: what is written and read of a thousand decisions is a few lists of texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.jobstores.redis.rows import micros
from mainspring.jobstores.redis.runs import member_of
from mainspring.jobstores.shared.rows import time_text
from mainspring.triggers.after import AfterJob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mainspring.engine.decision import Decision


class PlainDecisions:
    """Decisions about due jobs of which no run goes on or waits.

    They are told by executor, and those about jobs that end by their functions too.
    """

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str | None], dict[str, Any]] = {}

    def take(self, decision: Decision, executor: str) -> bool:
        """Take a decision, if it is a plain one; whether it is."""
        job, following, submit = decision.job, decision.following, decision.submit
        options = job.options
        if len(submit) != 1 or options.group is not None or decision.due_times != 1:
            return False
        if decision.missed or decision.overlapping or decision.buffered or decision.dropped is not None:
            return False
        if following is None:
            if options.outlasts_schedule or isinstance(job.trigger, AfterJob):
                return False
            part = self._part(executor, job.func_ref)
        elif following.next_run_time is None or following.counters is not job.counters:
            return False
        else:
            part = self._part(executor, None)
            part["versions"].append(str(following.version))
            part["next_run_times"].append(time_text(following.next_run_time))
            part["dues"].append(micros(following.next_run_time))
        time = submit[0]
        part["ids"].append(job.id)
        part["members"].append(member_of(time))
        part["times"].append(micros(time))
        return True

    def _part(self, executor: str, func: str | None) -> dict[str, Any]:
        part = self._parts.get((executor, func))
        if part is None:
            part = {"executor": executor, "func": func or False, "ids": [], "members": [], "times": []}
            if func is None:
                part.update(versions=[], next_run_times=[], dues=[])
            self._parts[executor, func] = part
        return part

    def written(self) -> list[dict[str, Any]]:
        """As `claim` takes them."""
        return list(self._parts.values())

    def attempts(self, answered: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """By job, which attempts its runs are; ``False`` where the job was no longer what was decided on."""
        found: dict[str, Any] = {}
        for part, attempts in zip(self._parts.values(), answered, strict=True):
            told = ((attempt,) if attempt else False for attempt in attempts)
            found.update(zip(part["ids"], told, strict=True))
        return found
