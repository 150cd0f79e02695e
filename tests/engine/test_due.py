"""Which of a job's due times are to be run, and when it is due next."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring.engine.due import BACKLOG_LIMIT, due_times
from mainspring.errors import TriggerError
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.interval import IntervalTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BERLIN = ZoneInfo("Europe/Berlin")


class Listed(BaseTrigger):
    """Fires at the times of a list."""

    def __init__(self, *times):
        self.times = times

    def get_next_fire_time(self, previous_fire_time, now):
        return next((time for time in self.times if time > previous_fire_time), None)


class Twice(BaseTrigger):
    """Repeats itself once: says that it fires again at the time at which it is asked."""

    def get_next_fire_time(self, previous_fire_time, now):
        return previous_fire_time if previous_fire_time == now else now


class Asked(BaseTrigger):
    """Notes as of when it is asked."""

    def __init__(self):
        self.nows = []

    def get_next_fire_time(self, previous_fire_time, now):
        self.nows.append(now)
        return previous_fire_time + 10 * SECOND


class Stuck(BaseTrigger):
    """Says the same whatever it is asked."""

    def __init__(self, answer):
        self.answer = answer

    def get_next_fire_time(self, previous_fire_time, now):
        return self.answer

    def __repr__(self):
        return "a trigger that is stuck"


def seconds(*numbers):
    return [START + number * SECOND for number in numbers]


EVERY_TEN = IntervalTrigger(seconds=10, start_date=START, timezone=UTC)
THREE = Listed(*seconds(0, 10, 20))


@pytest.mark.parametrize("coalesce", [True, False])
@pytest.mark.parametrize(
    ("trigger", "now", "all_times", "following"),
    [
        (EVERY_TEN, 0, [0], 10),
        (EVERY_TEN, 9.999, [0], 10),
        (EVERY_TEN, 10, [0, 10], 20),  # what is due now is due
        (EVERY_TEN, 35, [0, 10, 20, 30], 40),
        (THREE, 5, [0], 10),
        (THREE, 10, [0, 10], 20),
        (THREE, 20, [0, 10, 20], None),
        (THREE, 500, [0, 10, 20], None),
        (Listed(START), 500, [0], None),
    ],
)
def test_due_times(trigger, now, all_times, following, coalesce):
    times, after, dropped, count = due_times(trigger, START, START + now * SECOND, coalesce=coalesce)
    assert times == (seconds(all_times[-1]) if coalesce else seconds(*all_times))
    assert after == (None if following is None else START + following * SECOND)
    assert dropped is None
    assert count == (len(all_times) if coalesce else 1)


@pytest.mark.parametrize(
    ("limit", "kept", "dropped"),
    [
        (1, [30], 0),
        (2, [20, 30], 0),
        (3, [10, 20, 30], 0),
        (4, [0, 10, 20, 30], None),
        (5, [0, 10, 20, 30], None),
    ],
)
def test_of_a_backlog_beyond_its_limit_the_latest_are_kept(limit, kept, dropped):
    times, after, oldest, count = due_times(
        EVERY_TEN, START, START + 35 * SECOND, coalesce=False, limit=limit
    )
    assert times == seconds(*kept)
    assert after == START + 40 * SECOND
    assert oldest == (None if dropped is None else START)
    assert count == (1 if dropped is None else 4 - len(kept))


def test_a_limit_is_nothing_to_a_job_that_coalesces():
    assert due_times(EVERY_TEN, START, START + 35 * SECOND, coalesce=True, limit=1)[2] is None


def test_the_backlog_has_a_limit_of_itself():
    last = START + BACKLOG_LIMIT * 10 * SECOND
    times, _, dropped, _ = due_times(EVERY_TEN, START, last, coalesce=False)
    assert BACKLOG_LIMIT == 1000
    assert (times[0], times[-1], len(times)) == (START + 10 * SECOND, last, 1000)
    assert dropped == START


@pytest.mark.parametrize("answer", [START, START - SECOND], ids=["the same", "an earlier one"])
@pytest.mark.parametrize("now", [START, START + 60 * SECOND])
def test_a_trigger_that_gives_no_later_time_is_refused(answer, now):
    with pytest.raises(TriggerError, match="must return a later time"):
        due_times(Stuck(answer), START, now, coalesce=True)


@pytest.mark.parametrize("coalesce", [True, False])
def test_a_trigger_that_repeats_itself_at_the_end_of_a_backlog_is_refused(coalesce):
    with pytest.raises(TriggerError, match="must return a later time"):
        due_times(Twice(), START, START + 60 * SECOND, coalesce=coalesce)


@pytest.mark.parametrize("coalesce", [True, False])
def test_a_trigger_is_told_the_time_of_the_claim(coalesce):
    trigger, now = Asked(), START + 25 * SECOND
    due_times(trigger, START, now, coalesce=coalesce)
    assert set(trigger.nows) == {now}


def test_the_message_says_what_came_and_after_what():
    with pytest.raises(TriggerError) as caught:
        due_times(Stuck(START), START, START, coalesce=True)
    assert str(caught.value) == (
        f"{Stuck(START)!r} gave {START} as the fire time after {START}: "
        "get_next_fire_time must return a later time than previous_fire_time, or None"
    )


# In October the hour from 2 to 3 comes twice in Berlin: the second 2:10 is later than the first 2:50, which no comparison of
# wall clocks says.
FIRST_TEN, FIRST_FIFTY = (datetime(2026, 10, 25, 2, minute, tzinfo=BERLIN) for minute in (10, 50))
SECOND_TEN = FIRST_TEN.replace(fold=1)


def test_in_an_hour_that_comes_twice_what_is_still_to_come_is_not_due():
    times, following, *_ = due_times(Stuck(SECOND_TEN), FIRST_TEN, FIRST_FIFTY, coalesce=False)
    assert times == [FIRST_TEN]
    assert following.timestamp() == SECOND_TEN.timestamp()


def test_in_an_hour_that_comes_twice_the_second_is_later():
    times, following, *_ = due_times(Stuck(SECOND_TEN), FIRST_FIFTY, FIRST_FIFTY, coalesce=False)
    assert (times, following) == ([FIRST_FIFTY], SECOND_TEN)


def test_in_an_hour_that_comes_twice_the_first_is_not_later():
    with pytest.raises(TriggerError):
        due_times(Stuck(FIRST_FIFTY), SECOND_TEN, SECOND_TEN, coalesce=True)
