from datetime import UTC, datetime, timedelta

import pytest

from mainspring.engine.replacing import replaced
from mainspring.model import JobCounters, JobOptions, JobRecord
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + timedelta(days=3)


def record(trigger, at=START, *, now=START, name="old"):
    bound = trigger.bind(timezone=UTC, now=now, job_id="a")
    return JobRecord("a", name, print, "builtins:print", (), {}, bound, JobOptions(), at, 7)


def test_an_equal_interval_keeps_its_next_run_time_and_anchor():
    old = record(IntervalTrigger(hours=24))
    new = record(IntervalTrigger(hours=24), LATER, now=LATER, name="new")
    result = replaced(old, new, keeps_schedule=True)
    assert result.next_run_time == START
    assert result.trigger.start_date == old.trigger.start_date
    assert result.name == "new"
    assert result.version == 8


def test_an_equal_cron_keeps_an_overdue_run():
    result = replaced(record(CronTrigger(hour=3)), record(CronTrigger(hour=3), LATER), keeps_schedule=True)
    assert result.next_run_time == START


def test_a_changed_trigger_recomputes():
    old = record(IntervalTrigger(hours=24))
    new = record(IntervalTrigger(hours=12), LATER)
    assert replaced(old, new, keeps_schedule=True).next_run_time == LATER


def test_running_once_now_is_another_time_each_time():
    old, new = record(DateTrigger(), START), record(DateTrigger(), LATER, now=LATER)
    assert replaced(old, new, keeps_schedule=True).next_run_time == LATER


def test_a_paused_job_stays_paused():
    old = record(IntervalTrigger(hours=24), None)
    assert replaced(old, record(IntervalTrigger(hours=12), LATER), keeps_schedule=True).next_run_time is None


def test_a_next_run_time_that_was_named_is_taken():
    old = record(IntervalTrigger(hours=24), None)
    assert (
        replaced(old, record(IntervalTrigger(hours=24), LATER), keeps_schedule=False).next_run_time == LATER
    )


@pytest.mark.parametrize(
    ("new_trigger", "keeps_schedule", "paused"),
    [
        (IntervalTrigger(hours=24), True, False),
        (IntervalTrigger(hours=12), True, False),
        (IntervalTrigger(hours=24), True, True),
        (IntervalTrigger(hours=24), False, False),
    ],
    ids=["the same schedule", "another", "paused", "at a time that was named"],
)
def test_a_job_in_the_place_of_another_is_its_next_version_and_remembers_what_it_remembered(
    new_trigger, keeps_schedule, paused
):
    counters = JobCounters(3, 2, "a note")
    old = record(IntervalTrigger(hours=24), None if paused else START)._replace(counters=counters)
    new = replaced(old, record(new_trigger, LATER), keeps_schedule=keeps_schedule)
    assert new.version == old.version + 1
    assert new.counters == counters
