"""Jobs that run somebody else's code when they are claimed: that is done before a transaction that keeps others waiting.

A trigger of a third party, or one of ours that holds a user's function (which days are holidays), may take as long as it likes. While it is asked
nobody must wait: on SQLite the whole store would, and every node would lose its lease; elsewhere the rows that are locked. So its answers are
collected before, and used in the transaction, if the job is still as it was read. So it is with a job's module that must be imported.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from mainspring.engine.due import due_times
from mainspring.triggers.plain import references_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mainspring.engine.decision import Decision
    from mainspring.engine.searching import Slices
    from mainspring.model import JobRecord
    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.steps import Answer, Steps


@lru_cache(maxsize=1024)
def runs_foreign_code(trigger: Any) -> bool:
    """Whether asking a stored trigger, as it is written, calls what isn't ours. What can't be read is nobody's."""
    try:
        return next(references_in(json.loads(trigger)), None) is not None
    except (TypeError, ValueError, RecursionError):
        return False


def is_imported(reference: Any) -> bool:
    """Whether the module of a job's function is there, so that to look the function up runs no module."""
    return not isinstance(reference, str) or reference.partition(":")[0] in sys.modules


class AskedTrigger:
    """Asks a trigger each question once, and gives the same answers again: as far as deciding what is due goes.

    Args:
        trigger: the one that knows.
    """

    def __init__(self, trigger: BaseTrigger) -> None:
        self._trigger = trigger
        self.searches = trigger.searches
        self._answers: dict[tuple[Any, ...], Any] = {}
        self._errors: dict[tuple[Any, ...], Exception] = {}

    def _ask(self, question: Callable[..., Any], *args: Any) -> Any:
        key = (question.__name__, *args)
        if key in self._errors:
            raise self._errors[key]
        if key not in self._answers:
            try:
                self._answers[key] = question(*args)
            except Exception as error:
                self._errors[key] = error
                raise
        return self._answers[key]

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """See `BaseTrigger.get_next_fire_time`."""
        answer: datetime | None = self._ask(self._trigger.get_next_fire_time, previous_fire_time, now)
        return answer

    def search(self, previous_fire_time: datetime | None, now: datetime, steps: Steps) -> Answer:
        """See `BaseTrigger.search`; the answer of the first slice that asks."""

        def search(previous: datetime | None, now: datetime) -> Answer:
            return self._trigger.search(previous, now, steps)

        answer: Answer = self._ask(search, previous_fire_time, now)
        return answer

    def search_before(self, before: datetime, steps: Steps) -> Answer:
        """See `BaseTrigger.search_before`; the answer of the first slice that asks."""

        def search_before(before: datetime) -> Answer:
            return self._trigger.search_before(before, steps)

        answer: Answer = self._ask(search_before, before)
        return answer

    def count_between(self, first: datetime, last: datetime) -> int | None:
        """See `BaseTrigger.count_between`."""
        answer: int | None = self._ask(self._trigger.count_between, first, last)
        return answer

    def latest_fire_time(self, first: datetime, now: datetime) -> datetime:
        """See `BaseTrigger.latest_fire_time`."""
        answer: datetime = self._ask(self._trigger.latest_fire_time, first, now)
        return answer

    def fire_times(self, first: datetime, now: datetime, limit: int) -> tuple[list[datetime], bool]:
        """See `BaseTrigger.fire_times`."""
        answer: tuple[list[datetime], bool] = self._ask(self._trigger.fire_times, first, now, limit)
        return answer

    def __repr__(self) -> str:
        return repr(self._trigger)


def asked(record: JobRecord, now: datetime, slices: Slices | None = None) -> JobRecord:
    """A due job whose trigger has been asked all that a decision about it asks at `now`, as the scheduler will say it."""
    trigger = AskedTrigger(record.trigger)
    known = record._replace(trigger=cast("BaseTrigger", trigger))
    if record.next_run_time is not None and record.func is not None:
        options = record.options
        first, limit = record.next_run_time, options.catch_up_limit
        with suppress(Exception):  # it is raised again, and told, when it is decided about
            due_times(known.trigger, first, now, coalesce=options.coalesce, limit=limit, slices=slices)
    return known


def with_own_trigger(decision: Decision, record: JobRecord) -> None:
    """Have a decision about `asked(record)` be one about `record`."""
    decision.job = record
    if decision.following is not None:
        decision.following = decision.following._replace(trigger=record.trigger)
