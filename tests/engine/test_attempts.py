"""Which attempt at its due time a run is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring.engine.attempts import attempt_of, in_line, next_attempts
from mainspring.model import QueuedRun

START = datetime(2026, 1, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
#: 2:30 on the day on which that hour is repeated.
FIRST, SECOND = (datetime(2026, 10, 25, 2, 30, fold=fold, tzinfo=BERLIN) for fold in (0, 1))


def at(*hours):
    return [START + timedelta(hours=hour) for hour in hours]


@pytest.mark.parametrize(
    ("times", "latest", "attempts"),
    [
        ([], {}, {}),
        (at(0, 1), {}, {}),
        (at(0), {START: 1}, {START: 2}),
        (at(0), {START: 7}, {START: 8}),
        (at(0, 1), {START: 1}, {START: 2}),  # and the first at the other
        (at(1), {START: 1}, {}),
        (at(0, 1), dict.fromkeys(at(0, 1), 3), dict.fromkeys(at(0, 1), 4)),
        ([START.astimezone(BERLIN)], {START: 1}, {START: 2}),
    ],
)
def test_each_due_time_counts_on_from_its_own_latest(times, latest, attempts):
    found = next_attempts(times, latest)
    assert found == attempts
    assert all(time.tzinfo is UTC for time in found)


def test_the_times_of_a_repeated_hour_are_two():
    attempts = next_attempts([FIRST, SECOND], {SECOND.astimezone(UTC): 4})
    assert (attempt_of(attempts, FIRST), attempt_of(attempts, SECOND)) == (1, 5)


@pytest.mark.parametrize(
    ("attempts", "hour", "attempt"), [({}, 0, 1), ({START: 2}, 0, 2), ({START: 2}, 1, 1)]
)
def test_what_is_not_said_is_the_first(attempts, hour, attempt):
    (time,) = at(hour)
    assert attempt_of(attempts, time) == attempt_of(attempts, time.astimezone(BERLIN)) == attempt


@pytest.mark.parametrize(
    ("wanted", "latest", "attempts"),
    [
        ([2], {}, [2]),
        ([2], {START: 1}, [2]),
        ([2], {START: 4}, [5]),
        ([2, 3], {START: 2}, [3, 4]),  # two that have failed together
        ([3, 2], {START: 2}, [3, 4]),
        ([2, 2, 7], {START: 1}, [2, 3, 7]),
    ],
)
def test_of_several_that_follow_at_one_due_time_each_is_an_attempt_of_its_own(wanted, latest, attempts):
    runs = [QueuedRun("a", START, attempt, START, "rerun") for attempt in wanted]
    assert [run.attempt for run in in_line(runs, {"a": latest})] == attempts


def test_each_job_and_each_due_time_has_its_own_line():
    runs = [QueuedRun(job, time, 2, START, "retry") for job in "ab" for time in (FIRST, SECOND)]
    found = in_line(runs, {"a": {FIRST.astimezone(UTC): 3}})
    assert [run.attempt for run in found] == [4, 2, 2, 2]
