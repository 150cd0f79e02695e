"""A next run time that is far to seek is searched for in slices, and its job is kept."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring.engine.decision import decide
from mainspring.engine.due import due_times
from mainspring.engine.searching import (
    LOOKOUT_MICROSECONDS,
    first_time,
    is_lookout,
    lookout_before,
    number_of_times,
)
from mainspring.model import JobOptions, JobRecord
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.steps import SEARCH_LIMIT, Found, Unknown

START = datetime(2026, 3, 2, 17, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def closed(moment):
    return not 9 <= moment.hour < 17


class Counting:
    """Excludes what another function excludes, and counts how often it is asked."""

    def __init__(self, excludes=closed):
        self.excludes, self.count = excludes, 0

    def __call__(self, moment):
        self.count += 1
        return self.excludes(moment)


class ByTheSecond(BaseTrigger):
    """As third parties write them."""

    def get_next_fire_time(self, previous_fire_time, now):
        moment = previous_fire_time or now
        return moment + OFTEN - (moment - START) % OFTEN


#: So many that a night takes two slices.
OFTEN = timedelta(seconds=10)
SECONDS = CronTrigger(second="*/10", timezone=UTC)
OFFICE = SECONDS.excluding(closed)
SEARCHED = {
    "excluding": OFFICE,
    "interval": IntervalTrigger(seconds=10, start_date=START - timedelta(days=9), timezone=UTC).excluding(
        closed
    ),
    "foreign": ByTheSecond().excluding(closed).bind(timezone=UTC, now=START, job_id="a"),
    "or": OrTrigger([OFFICE, CronTrigger(hour=9, timezone=UTC)]),
    "and": AndTrigger([OFFICE, SECONDS]),
    "rolling": OFFICE.on_business_days(),
    "jitter": OrTrigger([OFFICE], jitter=0.001).bind(timezone=UTC, now=START, job_id="a"),
    "limited": OFFICE.limited(1000, start=START + SECOND),
    "nested": OrTrigger([AndTrigger([OFFICE.limited(5, start=START + SECOND), SECONDS])]).excluding(
        "2027-01-01"
    ),
    "deep": OrTrigger([OrTrigger([OrTrigger([OFFICE, OFFICE]), OFFICE]) for _ in range(4)]),
}


def walk(trigger, first, now=None, limit=500):
    """The run times that a scheduler finds, from when on it looks at each of them; and the lookouts between them."""
    runs, lookouts = [], []
    for _ in range(limit):
        times, following, *_ = due_times(trigger, first, now or first, coalesce=True)
        runs += times
        if not times:
            lookouts.append(first)
        if following is None:
            break
        assert following > first
        first = following
        if len(runs) > 2:
            break
    return runs, lookouts


@pytest.mark.parametrize("kind", SEARCHED)
def test_a_search_goes_on_until_it_finds(kind):
    trigger = SEARCHED[kind]
    runs, lookouts = walk(trigger, trigger.previous(START) or START - OFTEN)
    night = START + timedelta(hours=16)
    assert [time.replace(microsecond=0) for time in runs] == [START - OFTEN, night, night + OFTEN]
    assert lookouts
    assert all(START - OFTEN < moment < night for moment in lookouts)
    assert all(is_lookout(trigger, moment) for moment in lookouts)
    found = trigger.get_next_fire_time(START, START)
    assert found.replace(microsecond=0) == night
    before = trigger.previous(night)
    if kind in ("limited", "nested"):
        assert before is None
    else:
        assert before.replace(microsecond=0) == START - OFTEN


def test_no_slice_asks_more_often_than_its_steps():
    excludes = Counting()
    first = first_time(SECONDS.excluding(excludes), START)
    assert first.microsecond == LOOKOUT_MICROSECONDS
    assert 0 < excludes.count <= SEARCH_LIMIT


def test_a_slice_ends_when_its_time_is_over_but_comes_further():
    excludes = Counting()
    trigger = SECONDS.excluding(excludes)
    moment = first_time(trigger, START, lambda: lambda: True)
    assert excludes.count <= 2
    for _ in range(5):
        before = moment
        _, moment, *_ = due_times(trigger, moment, moment, coalesce=True, slices=lambda: lambda: True)
        assert moment > before
    assert excludes.count < 20


def test_what_comes_after_a_run_is_searched_for_in_slices_too():
    excludes = Counting(lambda moment: moment > START)
    begun = []

    def slices():
        begun.append(excludes.count)
        return lambda: True

    trigger = IntervalTrigger(seconds=0.01, start_date=START, timezone=UTC).excluding(excludes)
    times, following, *_ = due_times(trigger, START, START, coalesce=True, slices=slices)
    assert times == [START]
    assert is_lookout(trigger, following)
    asked = [after - before for before, after in zip(begun, [*begun[1:], excludes.count], strict=True)]
    assert len(asked) > 10
    assert max(asked) <= 4


def test_exclusions_closer_than_lookouts_are_got_past():
    ticks = IntervalTrigger(seconds=0.001, start_date=START, timezone=UTC)
    excludes = Counting(lambda moment: moment < START + 5 * SECOND)
    runs, lookouts = walk(ticks.excluding(excludes), START)
    assert runs[1] == START + 5 * SECOND
    assert len(lookouts) <= 5


def test_a_step_may_be_larger_than_a_slice():
    many = AndTrigger([SECONDS.excluding("2027-01-01") for _ in range(SEARCH_LIMIT)])
    assert first_time(many, START) is not None


@pytest.mark.parametrize("coalesce", [True, False])
def test_what_is_overdue_is_made_up_for_in_slices(coalesce):
    now = START + timedelta(days=2, hours=3)
    trigger = IntervalTrigger(minutes=1, start_date=START - timedelta(days=1), timezone=UTC).excluding(closed)
    first, runs = START - 60 * SECOND, []
    while first <= now:
        times, first, dropped, _ = due_times(trigger, first, now, coalesce=coalesce, limit=5000)
        assert dropped is None
        runs += times
    assert len(runs) == (1 if coalesce else 1 + 2 * 8 * 60)
    assert runs == sorted(set(runs))


def test_coalescing_runs_once_for_each_stretch_that_a_slice_finds_the_end_of():
    now = START + timedelta(days=1, hours=10)
    first, runs = START - OFTEN, []
    for _ in range(200):
        times, first, *_ = due_times(OFFICE, first, now, coalesce=True)
        runs += times
        if first > now:
            break
    assert first > now
    assert runs == [START - OFTEN, START + timedelta(hours=16)]


def test_a_backlog_that_is_too_long_for_a_slice_is_taken_slice_by_slice():
    now = START + timedelta(hours=20)
    first, runs = START - OFTEN, []
    for _ in range(200):
        times, first, dropped, _ = due_times(OFFICE, first, now, coalesce=False, limit=100_000)
        assert dropped is None
        runs += times
        if first > now:
            break
    assert runs[:2] == [START - OFTEN, START + timedelta(hours=16)]
    assert len(runs) == 2 + 4 * 360


def test_a_schedule_that_fires_at_a_lookout_is_run_then():
    begin = START.replace(microsecond=LOOKOUT_MICROSECONDS)
    trigger = IntervalTrigger(seconds=1, start_date=begin, timezone=UTC).excluding(
        lambda moment: moment.second < 30
    )
    times, following, *_ = due_times(trigger, begin + 30 * SECOND, begin + 30 * SECOND, coalesce=True)
    assert times == [begin + 30 * SECOND]
    assert following == begin + 31 * SECOND
    assert due_times(trigger, begin + 29 * SECOND, begin + 29 * SECOND, coalesce=True)[:2] == (
        [],
        begin + 30 * SECOND,
    )


def test_a_trigger_that_is_never_searched_has_no_lookouts():
    assert not is_lookout(SECONDS, START.replace(microsecond=LOOKOUT_MICROSECONDS))
    assert not is_lookout(OFFICE, None)
    assert lookout_before(START) == START - SECOND + timedelta(microseconds=LOOKOUT_MICROSECONDS)
    own = START.replace(microsecond=LOOKOUT_MICROSECONDS)
    assert lookout_before(own.astimezone(ZoneInfo("Asia/Tokyo"))) == own


@pytest.mark.parametrize(
    "options", [JobOptions(), JobOptions(max_runs=3), JobOptions(misfire_grace_time=1)], ids=str
)
def test_a_job_that_is_looked_at_is_neither_run_nor_missed_nor_ended(options):
    lookout = lookout_before(START + timedelta(hours=1))
    job = JobRecord("a", "a", print, "builtins:print", (), {}, OFFICE, options, lookout)
    for late in (0, 3600):
        decision = decide(job, lookout + late * SECOND, 5)
        assert not [*decision.submit, *decision.missed, *decision.overlapping]
        assert not decision.waits
        assert not decision.is_eventful
        assert decision.following.next_run_time > lookout
        assert decision.following.counters == (
            job.counters if options.max_runs is None else decision.following.counters
        )


def test_a_search_that_finds_that_there_is_nothing_ends_the_job():
    trigger = CronTrigger(second="*/10", end_date=START + timedelta(hours=12), timezone=UTC).excluding(closed)
    runs, lookouts = walk(trigger, START - OFTEN)
    assert runs == [START - OFTEN]
    assert lookouts


def test_other_runs_of_an_or_are_not_held_up():
    trigger = OrTrigger([OFFICE, CronTrigger(hour=23, timezone=UTC)])
    assert [time.hour for time in trigger.upcoming(START, 3)] == [23, 9, 9]
    runs, _ = walk(trigger, START - OFTEN)
    assert [time.hour for time in runs] == [16, 23, 9]


@pytest.mark.parametrize(
    "excluded",
    [
        [(START + timedelta(days=at)).date() for at in range(5000)],
        [
            (START.date() + timedelta(days=at), START.date() + timedelta(days=at + 2))
            for at in range(0, 5000, 2)
        ],
        [(START + at * SECOND, START + (at + 2) * SECOND) for at in range(0, 5000 * 86400, 100_000)]
        + [(START - SECOND, START + timedelta(days=5000))],
    ],
    ids=["days", "ranges", "windows"],
)
def test_days_ranges_and_windows_that_touch_are_jumped_over(excluded):
    moment = first_time(IntervalTrigger(seconds=1, start_date=START, timezone=UTC).excluding(excluded), START)
    assert not is_lookout(SECONDS.excluding(excluded), moment)
    assert moment >= START + timedelta(days=4999)


@pytest.mark.parametrize(
    ("limit", "begins", "dropped"), [(4, 0, False), (3, 0, False), (2, 1, True), (1, 2, True)]
)
def test_as_many_as_are_caught_up_leave_none_to_be_dropped(limit, begins, dropped):
    first, now = START - 8 * timedelta(hours=1), START - 8 * timedelta(hours=1) + 2 * OFTEN
    due = [first + number * OFTEN for number in range(3)]
    times, following, beyond, _ = due_times(OFFICE, first, now, coalesce=False, limit=limit)
    assert times == due[begins:]
    assert following == now + OFTEN
    assert beyond == (first if dropped else None)


@pytest.mark.parametrize(
    ("last", "is_last_included", "number"),
    [(0, True, 1), (0, False, 1), (1, True, 2), (1, False, 1), (2, True, 3), (2, False, 2)],
)
def test_how_many_times_there_are_between_two_of_them(last, is_last_included, number):
    found = number_of_times(
        SECONDS, START, START + last * OFTEN, START, None, is_last_included=is_last_included
    )
    assert found == number


class OnlyForwards(IntervalTrigger):
    """Is searched, finds nothing backwards within a slice, and notes what it is told of the present."""

    searches = True

    def __init__(self):
        super().__init__(seconds=10, start_date=START, timezone=UTC)
        self.told = set()

    def search(self, previous, now, steps):
        self.told.add(now)
        return Found(self.get_next_fire_time(previous, now))

    def search_before(self, moment, steps):
        return Unknown(moment - timedelta(hours=1))


@pytest.mark.parametrize(
    ("limit", "dropped", "count"), [(5, None, 1), (4, None, 1), (3, START, 1), (2, START, 2), (1, START, 3)]
)
def test_a_backlog_that_is_found_forwards_alone_is_cut_as_any(limit, dropped, count):
    trigger, now = OnlyForwards(), START + 35 * SECOND
    times = [START + number * 10 * SECOND for number in range(4)]
    answer = due_times(trigger, START, now, coalesce=False, limit=limit)
    assert answer == (times[-limit:], START + 40 * SECOND, dropped, count)
    assert trigger.told == {now}


def test_a_backlog_of_a_foreign_trigger_is_counted_for_no_longer_than_a_slice():
    class Plain(ByTheSecond):
        """Can't tell how many times there are."""

    now = START + 60 * SECOND
    *_, dropped, count = due_times(Plain(), START, now, coalesce=False, limit=2)
    assert (dropped, count) == (START, 5)
    ended = due_times(Plain(), START, now, coalesce=False, limit=2, slices=lambda: lambda: True)
    assert ended[2:] == (START, None)
