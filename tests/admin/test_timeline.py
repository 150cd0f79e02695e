"""When jobs will be due, in cells: counted, or gone through, which is the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mainspring.admin.timeline import _counted, _listed, timelines_of
from mainspring.testing.conformance import record
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.interval import IntervalTrigger

NOW = datetime(2026, 11, 27, 9, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


def job(job_id, trigger, due=None):
    bound = trigger.bind(timezone=UTC, now=NOW, job_id=job_id)
    return record(job_id)._replace(trigger=bound, next_run_time=due or bound.upcoming(NOW, 1)[0])


def test_a_job_is_due_in_the_cells_of_its_times():
    daily = job("daily", CronTrigger(hour=12))
    (line,) = timelines_of([daily], NOW, 24 * HOUR, 24, UTC)
    assert (line.job_id, line.start, line.step) == ("daily", NOW, HOUR)
    assert [at for at, count in enumerate(line.due) if count] == [2]
    assert timelines_of([daily], NOW, HOUR, 4, UTC) == []
    assert timelines_of([daily._replace(next_run_time=None)], NOW, 24 * HOUR, 24, UTC) == []


@pytest.mark.parametrize(
    ("trigger", "due"),
    [
        (IntervalTrigger(seconds=10, start_date=NOW), None),
        (IntervalTrigger(minutes=7, start_date=NOW), None),
        (IntervalTrigger(minutes=90, start_date=NOW), NOW - 3 * HOUR),
        (IntervalTrigger(minutes=30, start_date=NOW), NOW + 5 * HOUR),
        (IntervalTrigger(hours=1, start_date=NOW, end_date=NOW + 3 * HOUR), None),
    ],
)
def test_what_is_counted_is_what_is_there(trigger, due):
    one = job("a", trigger, due)
    counted = _counted(one, NOW, HOUR / 2, 14)
    assert counted == _listed(one, NOW, HOUR / 2, 14)
    assert any(counted)


def test_a_trigger_that_fails_has_the_times_that_it_has_told():
    class Broken(IntervalTrigger):
        def get_next_fire_time(self, previous_fire_time, now):
            if previous_fire_time is None:
                return super().get_next_fire_time(previous_fire_time, now)
            raise RuntimeError("no more")

    (line,) = timelines_of([job("a", Broken(hours=1, start_date=NOW), NOW)], NOW, 4 * HOUR, 4, UTC)
    assert sum(line.due) >= 1
