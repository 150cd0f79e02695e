"""What holds for every trigger, whatever it is made of."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.business_day import BusinessDayTrigger
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict
from mainspring.triggers.shifting import ShiftedTrigger
from mainspring.triggers.sun import SunTrigger

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Sao_Paulo",
    "Asia/Tehran",
]
ANCHOR = datetime(2018, 1, 1, tzinfo=UTC)
COUNT = 4

zones = st.sampled_from(ZONES)
moments = st.integers(0, 10 * 365 * 86400).map(lambda seconds: ANCHOR + timedelta(seconds=seconds))
policies = st.fixed_dictionaries(
    {},
    optional={
        "gap": st.sampled_from(["shift", "skip"]),
        "fold": st.sampled_from(["first", "second", "both"]),
    },
)
jitters = st.one_of(st.none(), st.integers(1, 600))


@st.composite
def cron(draw):
    fields = {
        "day": draw(st.sampled_from([None, "*", "last", "13", "*/2", "2nd sun", "L-3", "15W"])),
        "day_of_week": draw(st.sampled_from([None, "*", "sun", "sat-mon", "mon-fri"])),
        "hour": draw(st.sampled_from(["*", "*/3", "0", "2", "1-3", "22-2", "23"])),
        "minute": draw(st.sampled_from(["0", "30", "*/20", "5,55"])),
    }
    return CronTrigger(
        timezone=draw(zones), jitter=draw(jitters), **{k: v for k, v in fields.items() if v}, **draw(policies)
    )


@st.composite
def intervals(draw):
    seconds = draw(st.integers(60, 90_000))
    return IntervalTrigger(seconds=seconds, start_date=ANCHOR, timezone=draw(zones), jitter=draw(jitters))


@st.composite
def calendar_intervals(draw):
    lengths = draw(
        st.dictionaries(
            st.sampled_from(["years", "months", "weeks", "days"]), st.integers(1, 3), min_size=1, max_size=2
        )
    )
    return CalendarIntervalTrigger(
        **lengths,
        hour=draw(st.integers(0, 3)),
        minute=30,
        start_date=date(2018, 1, draw(st.integers(1, 31))),
        timezone=draw(zones),
        **draw(policies),
    )


business_days = st.builds(
    lambda day, hour, zone, policy, jitter: BusinessDayTrigger(
        day, hour=hour, calendar=["2020-01-01"], timezone=zone, jitter=jitter, **policy
    ),
    st.sets(st.integers(-23, 23).filter(bool), min_size=1, max_size=2),
    st.sampled_from(["*", "2", "1-3"]),
    zones,
    policies,
    jitters,
)
dates = st.builds(lambda moment, zone: DateTrigger(moment, zone), moments, zones)
simple = st.one_of(cron(), intervals(), calendar_intervals())
triggers = st.one_of(
    simple,
    dates,
    st.lists(simple, min_size=1, max_size=3).map(OrTrigger),
    st.tuples(cron(), cron()).map(AndTrigger),
    simple.map(lambda trigger: trigger.excluding(date(2020, 3, 29), (date(2021, 1, 1), date(2021, 6, 30)))),
    simple.map(lambda trigger: trigger.on_business_days(BusinessCalendar())),
    business_days,
    simple.map(lambda trigger: trigger.within("22:00-03:30,12:00-12:30")),
    simple.map(lambda trigger: trigger.spread("5h")),
    st.builds(ShiftedTrigger, simple, st.sampled_from([timedelta(minutes=-40), timedelta(seconds=0.25)])),
    st.builds(
        lambda event, zone, latitude: SunTrigger(event, latitude=latitude, longitude=90.4, timezone=zone),
        st.sampled_from(["dawn", "sunset"]),
        zones,
        st.integers(-80, 80),
    ),
).map(lambda trigger: trigger.bind(timezone=UTC, now=ANCHOR, job_id="job"))


def utc(times):
    return [time.astimezone(UTC) for time in times]


@given(triggers, moments)
def test_fire_times_rise_and_none_is_before_now(trigger, now):
    times = utc(trigger.upcoming(now, COUNT))
    assert all(earlier < later for earlier, later in pairwise(times))
    if times and not isinstance(trigger, DateTrigger):  # a date that has passed is still to be run, late
        assert times[0] >= now


@given(triggers, moments)
def test_upcoming_is_what_a_scheduler_is_told_one_by_one(trigger, now):
    times = []
    previous = None
    while len(times) < COUNT:
        previous = trigger.get_next_fire_time(previous, now if previous is None else previous)
        if previous is None:
            break
        times.append(previous)
    if isinstance(trigger, DateTrigger):
        times = [time for time in times if time >= now]
    assert utc(times) == utc(trigger.upcoming(now, COUNT))


@given(triggers, moments)
def test_what_follows_a_fire_time_does_not_depend_on_now(trigger, now):
    for earlier, later in pairwise(trigger.upcoming(now, COUNT)):
        for asked in (earlier, later, later + timedelta(days=400)):
            assert trigger.get_next_fire_time(earlier, asked) == later


@given(triggers, moments)
def test_previous_undoes_upcoming(trigger, now):
    times = utc(trigger.upcoming(now, COUNT))
    back = []
    before = times[-1] + timedelta(microseconds=1) if times else now
    while len(back) < len(times):
        before = trigger.previous(before)
        back.append(before)
    assert utc(reversed(back)) == times


@given(triggers, moments, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_between_is_the_fire_times_from_one_end_to_the_other(trigger, low, length):
    high = low + length
    found = utc(trigger.between(low, high))
    assert all(low <= time <= high for time in found)
    after = utc(trigger.upcoming(low, len(found) + 1))
    assert found == after[: len(found)]
    assert len(after) == len(found) or after[-1] > high


@given(triggers, moments)
@settings(max_examples=60)
def test_plain_data_and_pickles_give_the_same_trigger(trigger, now):
    times = utc(trigger.upcoming(now, COUNT))
    plain = json.loads(json.dumps(trigger_to_dict(trigger)))
    for copy in (trigger_from_dict(plain), pickle.loads(pickle.dumps(trigger))):
        assert type(copy) is type(trigger)
        assert copy.is_same_schedule(trigger)
        assert utc(copy.upcoming(now, COUNT)) == times
        assert (str(copy), repr(copy)) == (str(trigger), repr(trigger))


@given(simple, moments)
def test_a_late_run_belongs_to_the_latest_fire_time(trigger, now):
    trigger = trigger.bind(timezone=UTC, now=ANCHOR, job_id="job")
    first = next(iter(trigger.upcoming(now, 1)), None)
    if first is None:
        return
    asked = first.astimezone(UTC) + timedelta(days=2)  # on a clock of its own zone that hour may not be
    latest = trigger.latest_fire_time(first, asked)
    following = trigger.get_next_fire_time(latest, asked)
    assert first <= latest <= asked
    assert following is None or following > asked
    times, is_cut = trigger.fire_times(first, asked, 5)
    every = list(trigger.between(first, asked))
    assert utc(times) == utc(every)[-5:]
    assert is_cut == (len(every) > 5)


@given(st.lists(simple, min_size=2, max_size=3), moments)
def test_or_is_the_union_and_and_is_the_intersection(parts, low):
    high = low + timedelta(days=2)
    parts = [part.bind(timezone=UTC, now=ANCHOR, job_id="job") for part in parts]
    fired = [set(utc(part.between(low, high))) for part in parts]
    assert utc(OrTrigger(parts).between(low, high)) == sorted(set.union(*fired))
    assert utc(AndTrigger(parts).between(low, high)) == sorted(set.intersection(*fired))


@given(simple, moments)
def test_a_trigger_says_what_it_means_and_when_it_is_next(trigger, now):
    trigger = trigger.bind(timezone=UTC, now=ANCHOR, job_id="job")
    told = trigger.explain(now)
    following = trigger.get_next_fire_time(None, now)
    assert following is None or following.strftime("%Y-%m-%d %H:%M:%S") in told


@given(st.sampled_from(["Europe/Berlin", "America/New_York"]), st.integers(1, 3600))
@settings(max_examples=20)
def test_jitter_delays_each_fire_time_and_moves_none(zone, jitter):
    """Also across both changes of the clocks: a year of hours, and each delay within its bounds."""
    exact = CronTrigger(minute=0, hour="*/6", timezone=zone)
    late = CronTrigger(minute=0, hour="*/6", timezone=zone, jitter=jitter)
    late = late.bind(timezone=UTC, now=ANCHOR, job_id="job")
    delays = [
        (delayed - base.astimezone(UTC)).total_seconds()
        for base, delayed in zip(exact.upcoming(ANCHOR, 1500), utc(late.upcoming(ANCHOR, 1500)), strict=True)
    ]
    assert all(0 <= delay <= jitter for delay in delays)
    assert len(set(delays)) > 1
    assert abs(sum(delays) / len(delays) - jitter / 2) < jitter / 10


@pytest.mark.parametrize("seed", ["a", "b"])
def test_jitter_is_a_jobs_own_and_the_same_everywhere(seed):
    made = [IntervalTrigger(hours=1, start_date=ANCHOR, timezone=UTC, jitter=60) for _ in range(2)]
    one, other = (trigger.bind(timezone=UTC, now=ANCHOR, job_id=seed) for trigger in made)
    assert one.upcoming(ANCHOR, 20) == other.upcoming(ANCHOR, 20)
    stranger = made[0].bind(timezone=UTC, now=ANCHOR, job_id="stranger")
    assert one.upcoming(ANCHOR, 20) != stranger.upcoming(ANCHOR, 20)
