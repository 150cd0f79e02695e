"""No sentence is untrue: read back by its words alone, it names the dates and the times at which the schedule fires, and no others."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mainspring import (
    BusinessCalendar,
    CalendarIntervalTrigger,
    CronTrigger,
    IntervalTrigger,
    OrTrigger,
    WeeklyTrigger,
)
from sentence_reader import ALL_DATES, DAY, FIRST, LAST, Reader
from triggers_proof.test_english_dialect import read_back

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def part(low, high, names=None, *, wraps=True):
    """A part of a field: a number, a range, or steps."""

    def named(value):
        return str(value) if names is None else names[value - low]

    numbers = st.integers(low, high)
    steps = st.integers(1, max((high - low) // 2, 1))
    ranges = st.tuples(numbers, numbers)
    if not wraps:
        ranges = ranges.map(lambda pair: (min(pair), max(pair)))
    return st.one_of(
        numbers.map(named),
        ranges.map(lambda pair: f"{named(pair[0])}-{named(pair[1])}"),
        steps.map(lambda step: f"*/{step}"),
        st.tuples(st.integers(low, (low + high) // 2), steps).map(
            lambda pair: f"{named(pair[0])}-{named(high)}/{min(pair[1], high - pair[0])}"
        ),
    )


def field(low, high, names=None, *extra, most=3, wraps=True):
    parts = part(low, high, names, wraps=wraps)
    if extra:
        parts = st.one_of(parts, parts, st.sampled_from(extra))
    return st.lists(parts, min_size=1, max_size=most, unique=True).map(",".join)


def sometimes(values):
    return st.one_of(st.none(), values)


DAYS = field(
    1, 31, None, "last", "L-1", "L-3", "LW", "15W", "31W", "1st mon", "3rd mon", "5th fri", "last tue"
)
ON_WEEKDAYS = field(0, 6, WEEKDAYS, "fri#2", "mon#1", "sunL", most=2)
cron_fields = st.fixed_dictionaries(
    {
        "year": sometimes(
            st.sampled_from(
                ["2027", "2026-2029", "2025,2028", "*/2", "1971-9999/2", "2024/4", "2026-9999", "2024-2032/3"]
            )
        ),
        "month": sometimes(field(1, 12)),
        "day": sometimes(DAYS),
        "week": sometimes(st.one_of(st.none(), field(1, 53, most=2))),
        "day_of_week": sometimes(ON_WEEKDAYS),
        "hour": sometimes(field(0, 23)),
        "minute": sometimes(field(0, 59)),
        "second": sometimes(st.one_of(st.none(), field(0, 59, most=2))),
    }
)


def fired(fields, *, is_either):
    """The dates, and the seconds of the day, at which fields let a trigger fire."""
    trigger = made(fields, is_either=is_either)
    by_day = made({name: str(value) for name, value in day_fields(trigger).items()}, is_either=is_either)
    start, end = (datetime.combine(day, time(), UTC) for day in (FIRST, LAST))
    dates = {moment.date() for moment in by_day.between(start, end)}
    hours, minutes, seconds = (one.values() for one in trigger.fields[-3:])
    seconds = {
        hour * 3600 + minute * 60 + second for hour in hours for minute in minutes for second in seconds
    }
    return dates, seconds


def day_fields(trigger):
    return {one.name: one for one in trigger.fields[:-3]} | {"hour": 0, "minute": 0, "second": 0}


def made(fields, *, is_either):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trigger = CronTrigger(**fields, timezone=UTC)
    trigger._is_either = is_either
    return trigger


def check(fields, *, is_either):
    trigger = made(fields, is_either=is_either)
    sentence = trigger.explain()
    dates, seconds = fired(fields, is_either=is_either)
    is_never = sentence.startswith("never fires: ")
    core, *details = sentence.removeprefix("never fires: ").split(", UTC")
    assert details in ([""], [", skipping dates that don't exist"])
    read = Reader(core)
    assert read.seconds == seconds, sentence
    assert {day for day in ALL_DATES if read.days(day)} - {LAST} == dates - {LAST}, sentence
    assert not (is_never and dates), sentence
    in_german = trigger.explain(language="de")
    assert in_german.startswith("nie: ") == is_never
    assert not re.search(r"[{}]|\b(?:at|on|every|from|the|of)\b", in_german), in_german


@pytest.mark.one_python
@example({"hour": "22-2", "minute": "*/20"}, False)
@example({"day": "29", "month": "2"}, False)
@example({"day": "13", "day_of_week": "fri", "month": "1,6"}, True)
@example({"hour": "8-18/2", "minute": "*/15", "second": "0,30"}, False)
@settings(max_examples=150)
@given(cron_fields, st.booleans())
def test_a_sentence_names_what_fires_and_nothing_else(fields, is_either):
    given_fields = {name: value for name, value in fields.items() if value is not None}
    check(given_fields, is_either=is_either)


@pytest.mark.soak
@settings(max_examples=20_000)
@given(cron_fields, st.booleans())
def test_sentences_of_many_schedules_name_what_fires_and_nothing_else(fields, is_either):
    given_fields = {name: value for name, value in fields.items() if value is not None}
    check(given_fields, is_either=is_either)


@pytest.mark.parametrize(
    ("sentence", "number"),
    [
        ("at 09:00 every day", 1),
        ("every 20 minutes from 08:00 to 18:40", 33),
        ("every 7 minutes from 0 to 56 minutes past every hour", 216),
    ],
)
def test_the_reader_reads_times(sentence, number):
    seconds = Reader(sentence).seconds
    assert len(seconds) == number
    assert seconds <= set(range(DAY))


BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 2, 28, 12, tzinfo=BERLIN)
dates = st.one_of(st.none(), st.dates(date(2024, 1, 1), date(2027, 12, 31)))
small = st.integers(0, 4)
clocks = st.sampled_from([(0, 0, 0), (9, 0, 0), (23, 59, 0), (6, 30, 15), (2, 30, 0)])
zones = st.sampled_from([None, "UTC", "Europe/Berlin", "+02:00"])
calendar_intervals = st.builds(
    lambda distance, clock, start, zone: CalendarIntervalTrigger(
        **dict(zip(("years", "months", "weeks", "days"), distance, strict=True)),
        **dict(zip(("hour", "minute", "second"), clock, strict=True)),
        start_date=start,
        timezone=zone,
    ),
    st.tuples(small, st.integers(0, 13), small, st.integers(0, 15)).filter(any),
    clocks,
    dates,
    zones,
)
intervals = st.builds(
    lambda distance, start, zone: IntervalTrigger(
        **dict(zip(("weeks", "days", "hours", "minutes", "seconds"), distance, strict=True)),
        start_date=start,
        timezone=zone or "UTC",
    ),
    st.tuples(
        small,
        small,
        st.integers(1, 30),
        st.sampled_from([0, 0, 1, 45, 90]),
        st.sampled_from([0, 0, 1, 90, 0.5]),
    ).filter(any),
    dates,
    zones,
)
weeklies = st.builds(
    lambda days, times, weeks, begin, start, zone: WeeklyTrigger(
        ",".join(sorted(days)), sorted(times), weeks=weeks, week_start=begin, start_date=start, timezone=zone
    ),
    st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    st.sets(st.sampled_from(["09:00", "09:30", "12:00", "17:45:30"]), min_size=1),
    st.integers(1, 5),
    st.sampled_from(WEEKDAYS),
    dates,
    zones,
)
ends = st.sampled_from(
    [
        lambda trigger: trigger,
        lambda trigger: trigger.limited(3),
        lambda trigger: trigger.excluding(date(2026, 3, 2), date(2026, 3, 3), date(2026, 5, 1)),
        lambda trigger: trigger.on_business_days(),
        lambda trigger: trigger.on_business_days(BusinessCalendar(weekend=["fri"]), roll="previous"),
        lambda trigger: trigger.within("08:00-18:00"),
        lambda trigger: OrTrigger([trigger, CronTrigger(hour=8)]),
    ]
)


@pytest.mark.one_python
@settings(max_examples=60)
@given(st.one_of(calendar_intervals, intervals, weeklies), ends, st.booleans())
def test_what_is_said_of_other_schedules_is_not_read_back_as_another(trigger, end, is_added):
    changed = end(trigger)
    if is_added:
        changed = changed.bind(timezone=BERLIN, now=NOON, job_id="job1")
    assert read_back(changed, changed.explain()) != "different", changed.explain()
