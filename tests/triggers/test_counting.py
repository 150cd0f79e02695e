"""How many fire times there are between two moments is told without going through them, and rightly."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.wall import WallSchedule
from mainspring.triggers.event_calendar import CalendarEvent, EventCalendar
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.recurrence import RecurrenceTrigger
from mainspring.triggers.steps import Found, Steps

BERLIN = ZoneInfo("Europe/Berlin")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = datetime(2026, 3, 20, 12, 0, 0, 250_000, tzinfo=UTC)
CRONS = [
    {"minute": "*/7"},
    {"hour": "2", "minute": "*/10"},
    {"hour": "1-3", "minute": "0,30"},
    {"hour": "*/2", "minute": "15"},
    {"day": "last sun", "hour": "2-3", "minute": "30"},
    {"year": "2026-2028", "month": "2,3,10", "day": "*/3", "hour": "2", "minute": "59", "second": "*/20"},
    {"week": "1-20", "day_of_week": "sat-mon", "hour": "*"},
]
POLICIES = [
    {},
    *({"gap": gap, "fold": fold} for gap in ("shift", "skip") for fold in ("first", "second", "both")),
]
ZONES = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca"]


def cases():
    for number, zone in enumerate(ZONES):
        for at, fields in enumerate(CRONS):
            for policy in POLICIES[at % 2 :: 2] if number else POLICIES[:1]:
                yield CronTrigger(**fields, **policy, timezone=zone)
        yield CalendarIntervalTrigger(
            days=3, hour=2, minute=30, start_date="2026-03-01", timezone=zone, fold="both"
        )
        yield CalendarIntervalTrigger(
            months=1, days=2, hour=2, start_date="2026-01-31", end_date="2027-03-01", timezone=zone
        )
    yield IntervalTrigger(seconds=1000.5, start_date=START - timedelta(days=3))
    yield IntervalTrigger(hours=5, start_date=START, end_date=START + timedelta(days=300))
    yield IntervalTrigger(hours=5, start_date=START, max_fires=70)
    yield IntervalTrigger(hours=5, start_date=START, end_date=START + timedelta(days=300), jitter=4000)
    for zone in ZONES[:3]:
        yield CronTrigger(minute="*/20", timezone=zone, start_date=START, jitter=2000)
        yield CronTrigger(hour="*/5", timezone=zone, start_date=START, max_fires=70)
        yield CronTrigger(hour="*/5", timezone=zone, first="now")
        yield CronTrigger(hour="*/5", timezone=zone).limited(50, start=START + timedelta(days=2))


class FifthDays:
    """The days of the month that five divides."""

    def __contains__(self, day):
        return day.day % 5 == 0


INNER = [
    {"minute": "*/7"},
    {"hour": "1-3", "minute": "0,30", "jitter": 900},
    {"hour": "2", "minute": "30", "fold": "both"},
    {"hour": "*", "minute": "*/20", "day_of_week": "fri-mon"},
]
WINDOWS = [None, "08:00-18:00", "22:00-02:30", "01:15-01:45,02:00-03:00", "23:30-00:30,00:01-00:02"]
#: Before clocks are put forward, and before they are put back, in St. John's a minute after midnight.
BEGINNINGS = [START, datetime(2006, 10, 20, 12, tzinfo=UTC)]


def wrapped_cases():
    """Triggers that leave out times of others in each way that is counted by stretches of time."""
    pick = random.Random(1)
    for number in range(36):
        start, zone = pick.choice(BEGINNINGS), pick.choice(ZONES)
        if number % 5:
            inner = CronTrigger(**pick.choice(INNER), timezone=zone)
        else:
            inner = IntervalTrigger(minutes=pick.choice([7, 50, 131]), start_date=start, timezone=zone)
        day = start.date() + timedelta(days=pick.randint(-1, 20))
        hour = start + timedelta(hours=pick.randint(0, 300))
        exclusions = pick.sample(
            [
                day,
                (day - timedelta(days=4), day + timedelta(days=3)),
                (hour, hour + timedelta(hours=30)),
                (hour + timedelta(hours=20), hour + timedelta(hours=40)),
                BusinessCalendar([day]),
                FifthDays(),
            ],
            pick.randint(0, 3),
        )
        window = pick.choice(WINDOWS)
        trigger = inner.excluding(exclusions)
        yield (trigger if window is None else trigger.within(window)), start


@pytest.mark.parametrize("part", range(2))
def test_what_is_left_out_is_not_counted(part):
    pick = random.Random(part)
    for trigger, start in list(wrapped_cases())[part::2]:
        bound = trigger.bind(timezone=UTC, now=start, job_id="a")
        found = bound.between(start, start + timedelta(days=25))
        times = [time.astimezone(UTC) for time in islice(found, 300)]
        for _ in range(8 if len(times) > 1 else 0):
            moments = [*pick.sample(times, 2), start + timedelta(minutes=pick.randint(0, 20_000))]
            first, last = sorted(pick.sample(moments, 2))
            if last <= times[-1]:
                expected = sum(first < time <= last for time in times)
                assert bound.count_between(first, last) == expected, (bound, first, last)


TOGETHER = [
    {"minute": "*/20"},
    {"hour": "2", "minute": "30"},
    {"hour": "3", "minute": "0,30"},
    {"hour": "*", "minute": "30"},
    {"hour": "1-3", "minute": "*/15", "fold": "both"},
    {"hour": "2", "minute": "0,30", "gap": "skip", "fold": "second"},
    {"day_of_week": "sat,sun", "hour": "0-4", "minute": "0"},
    {"day": "last sun", "hour": "*", "minute": "15,30"},
    {"year": "2026-2027", "month": "3,10", "hour": "3", "minute": "30"},
    {"hour": "*/2", "minute": "30", "start_date": START + timedelta(days=4)},
    {"hour": "*", "minute": "0,30", "end_date": START + timedelta(days=12)},
    {"hour": "*", "minute": "30", "start_date": START, "max_fires": 70},
]


def combined_cases():
    """Triggers made of others, before clocks are put forward and back, and what is left of some by a window, and an exclusion."""
    pick = random.Random(3)
    for number in range(60):
        start = pick.choice([*BEGINNINGS, datetime(2026, 10, 20, tzinfo=UTC)])
        zone = pick.choice(ZONES)
        kind = pick.choice([AndTrigger, OrTrigger])
        if number % 6:
            inner = [
                CronTrigger(**fields, timezone=zone) for fields in pick.sample(TOGETHER, pick.randint(2, 4))
            ]
        else:
            inner = [
                IntervalTrigger(
                    minutes=pick.choice([4, 6, 15]), start_date=START + timedelta(minutes=pick.choice([0, 2]))
                )
                for _ in range(3)
            ]
        yield kind(inner, jitter=pick.choice([None, None, 900])), start


@pytest.mark.parametrize("part", range(2))
def test_what_several_have_together_or_in_common_is_counted(part):
    pick = random.Random(part)
    told = 0
    for trigger, start in list(combined_cases())[part::2]:
        bound = trigger.bind(timezone=UTC, now=start, job_id="a")
        times = [
            time.astimezone(UTC) for time in islice(bound.between(start, start + timedelta(days=20)), 2500)
        ]
        for _ in range(8 if len(times) > 1 else 0):
            moments = [*pick.sample(times, 2), start + timedelta(minutes=pick.randint(0, 20_000))]
            first, last = sorted(pick.sample(moments, 2))
            if last <= times[-1]:
                told += 1
                expected = sum(first < time <= last for time in times)
                assert bound.count_between(first, last) == expected, (bound, first, last)
    assert told > 100


@pytest.mark.parametrize("kind", [AndTrigger, OrTrigger])
def test_years_are_those_of_each_schedule(kind):
    parts = [CronTrigger(year=2026, hour="*", timezone="UTC"), CronTrigger(hour="*/2", timezone="UTC")]
    trigger = kind(parts).bind(timezone=UTC, now=START, job_id="a")
    first, last = datetime(2026, 12, 30, tzinfo=UTC), datetime(2027, 1, 3, tzinfo=UTC)
    assert trigger.count_between(first, last) == len(list(trigger.between(first, last))) - 1


@pytest.mark.parametrize("kind", [AndTrigger, OrTrigger])
@pytest.mark.parametrize("bound", ["start_date", "end_date"])
def test_a_schedule_begins_and_ends_to_the_instant(kind, bound):
    half_past = datetime(2026, 3, 20, 12, 30, tzinfo=UTC)
    for apart in (-1_000_000, -1, 0, 1, 1_000_000):
        end = half_past + timedelta(microseconds=apart)
        one = CronTrigger(hour="*", minute="*/30", timezone="UTC", **{bound: end})
        trigger = kind([one, CronTrigger(minute="*", timezone="UTC")]).bind(
            timezone=UTC, now=START, job_id="a"
        )
        for around in (half_past - timedelta(minutes=1), half_past - timedelta(seconds=1), half_past):
            last = half_past + timedelta(minutes=1)
            expected = len(list(trigger.between(around + timedelta(microseconds=1), last)))
            assert trigger.count_between(around, last) == expected, (apart, around)


@pytest.mark.parametrize("kind", [AndTrigger, OrTrigger])
@pytest.mark.parametrize(
    "others",
    [
        [CronTrigger(minute="*", timezone="Europe/Berlin")],
        [IntervalTrigger(minutes=7, start_date=START)],
        [CronTrigger(minute="*", timezone=UTC).excluding("2026-04-01")],
        [CronTrigger(minute="*", jitter=5, timezone=UTC)],
        [CronTrigger(day=day, timezone=UTC) for day in range(1, 8)],
    ],
    ids=["zones", "interval", "exclusion", "jitter", "many kinds of days"],
)
def test_what_is_not_counted_by_days_is_gone_through(kind, others):
    trigger = kind([CronTrigger(minute="*/5", timezone=UTC), *others]).bind(
        timezone=UTC, now=START, job_id="a"
    )
    assert trigger.count_between(START, START + timedelta(days=3)) is None


@pytest.mark.parametrize(
    "trigger",
    [
        CronTrigger(minute="*", timezone="Europe/Berlin").excluding(lambda time: time.hour == 3),
        CronTrigger(minute="*", timezone="Europe/Berlin").excluding(
            EventCalendar([CalendarEvent(RecurrenceTrigger("FREQ=DAILY"), duration=timedelta(hours=1))])
        ),
    ],
    ids=["function", "repeated events"],
)
def test_what_tells_of_each_time_is_asked_about_each(trigger):
    assert trigger.count_between(START, START + timedelta(days=3)) is None


def test_a_day_that_is_shown_again_is_left_out_again():
    """In St. John's it was 23:01 of the day before again, a minute after midnight."""
    zone = ZoneInfo("America/St_Johns")
    trigger = CronTrigger(minute="*", timezone=zone).excluding("2006-10-28")
    first = datetime(2006, 10, 29, 0, 0, 30, tzinfo=zone).astimezone(UTC)
    last = first + timedelta(hours=2)
    assert trigger.count_between(first, last) == len(list(trigger.between(first, last))) == 61


class Unsure(BaseTrigger):
    """Every minute, and tells of short and of long stretches only how many times there are in them."""

    def get_next_fire_time(self, previous_fire_time, now):
        moment = now - timedelta(microseconds=1) if previous_fire_time is None else previous_fire_time
        return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)

    def count_between(self, first, last):
        minute = timedelta(minutes=1)
        if timedelta(hours=1) < last - first < timedelta(hours=20):
            return None
        return (last - EPOCH) // minute - (first - EPOCH) // minute


def test_what_cannot_be_told_of_a_part_is_gone_through():
    limited = Unsure().limited(700, start=START).bind(timezone=UTC, now=START, job_id="")
    times = list(limited.between(START, START + timedelta(days=3)))
    assert len(times) == 700
    again = Unsure().limited(700, start=START).bind(timezone=UTC, now=START, job_id="")
    assert again.previous(START + timedelta(days=2)) == times[-1]


def test_few_times_are_gone_through_rather_than_many_days():
    yearly = CronTrigger(month=5, day=4, timezone=UTC)
    decade = START + timedelta(days=3652)
    assert yearly.excluding(BusinessCalendar()).count_between(START, decade) is None
    assert yearly.within("08:00-18:00").count_between(START, decade) is None
    assert yearly.excluding("2027-05-04").count_between(START, decade) == 9
    limited = yearly.excluding(BusinessCalendar()).limited(2, start=START)
    assert [time.year for time in limited.upcoming(START, 9)] == [2026, 2027]


@pytest.mark.parametrize("number", range(4))
def test_times_are_counted_as_they_are_found_one_by_one(number):
    pick = random.Random(number)
    for trigger in list(cases())[number::4]:
        bound = trigger.bind(timezone=UTC, now=START, job_id="a")
        found = bound.between(START, START + timedelta(days=400))
        times = [time.astimezone(UTC) for time in islice(found, 3000)]
        moments = [
            *pick.sample(times, min(len(times), 4)),
            START,
            START + timedelta(days=pick.randint(1, 40)),
        ]
        for first in moments:
            for last in moments:
                if first <= last <= times[-1]:
                    expected = sum(first < time <= last for time in times)
                    assert bound.count_between(first, last) == expected, (bound, first, last)


@pytest.mark.parametrize("first", [None, "now"])
@pytest.mark.parametrize("zone", ZONES[1:3])
def test_the_last_of_so_many_is_the_same_however_it_is_found(zone, first):
    for fields in CRONS:
        for count in (1, 130):
            endless = CronTrigger(**fields, timezone=zone, start_date=START)
            since = START.replace(microsecond=1) if first else START
            times = list(
                islice(endless.between(since, datetime(2100, 1, 1, tzinfo=UTC)), count - bool(first))
            )
            expected = [START, *times] if first else times
            trigger = CronTrigger(**fields, timezone=zone, first=first, max_fires=count)
            bound = trigger.bind(timezone=UTC, now=START, job_id="a")
            assert bound.upcoming(START, count + 5) == expected
            again = trigger.bind(timezone=UTC, now=START, job_id="a")
            assert again.previous(datetime(2099, 1, 1, tzinfo=UTC)) == expected[-1]
            if not first:
                limited = CronTrigger(**fields, timezone=zone).limited(count, start=START)
                assert limited.previous(datetime(2099, 1, 1, tzinfo=UTC)) == expected[-1]
                assert limited.upcoming(START, count + 5) == expected


WORKDAY = ("2026-05-01", ("2026-08-01", "2026-08-20"), BusinessCalendar())
OFTEN = {
    "max_fires": lambda count: CronTrigger(minute="*", timezone=BERLIN, max_fires=count, start_date=START),
    "limited": lambda count: CronTrigger(minute="*", timezone=BERLIN).limited(count, start=START),
    "dates": lambda count: (
        CronTrigger(minute="*", timezone=BERLIN).excluding(*WORKDAY[:2]).limited(count, start=START)
    ),
    "calendar": lambda count: (
        CronTrigger(minute="*", timezone=BERLIN).excluding(*WORKDAY).limited(count, start=START)
    ),
    "window": lambda count: (
        CronTrigger(minute="*", timezone=BERLIN).within("08:00-18:00").limited(count, start=START)
    ),
    "or": lambda count: OrTrigger(
        [CronTrigger(minute="*", timezone=BERLIN), CronTrigger(hour="9", second=30, timezone=BERLIN)]
    ).limited(count, start=START),
    "and": lambda count: (
        AndTrigger(
            [CronTrigger(minute="*", timezone=BERLIN), CronTrigger(hour="8-20", minute="*", timezone=BERLIN)]
        )
        .excluding(*WORKDAY)
        .limited(count, start=START)
    ),
    "all": lambda count: (
        CronTrigger(minute="*", timezone=BERLIN)
        .excluding(*WORKDAY)
        .within("08:00-12:00,13:00-18:00")
        .limited(count, start=START)
    ),
}


@pytest.mark.parametrize("count", [100_000, 300_000])
@pytest.mark.parametrize("kind", OFTEN)
def test_what_is_fired_very_often_is_not_counted_one_by_one(count, kind, monkeypatch):
    steps, counts = [], []
    after, counted = WallSchedule.after, WallSchedule.count
    monkeypatch.setattr(WallSchedule, "after", lambda self, wall: steps.append(1) or after(self, wall))
    monkeypatch.setattr(
        WallSchedule, "count", lambda self, low, high: counts.append(1) or counted(self, low, high)
    )
    trigger = OFTEN[kind](count).bind(timezone=UTC, now=START, job_id="")
    amid = trigger.get_next_fire_time(START + timedelta(days=60), START)
    counts.clear()
    assert trigger.get_next_fire_time(amid, START) is not None
    assert len(counts) < 50
    last = trigger.previous(datetime(2100, 1, 1, tzinfo=UTC))
    days = (last - START).days
    assert len(steps) < 1000 + 10 * days
    assert len(counts) < 40 * (days + 100)
    # What was counted before isn't counted again.
    steps.clear()
    counts.clear()
    assert trigger.get_next_fire_time(last - timedelta(minutes=1), START) == last
    assert trigger.get_next_fire_time(last, START) is None
    assert trigger.previous(last + timedelta(days=9)) == last
    assert len(steps) < 50
    assert len(counts) < 50
    assert trigger.count_between(START, last.astimezone(UTC)) == count


@pytest.mark.parametrize(
    "trigger",
    [
        AndTrigger(
            [CronTrigger(minute="*", timezone=UTC), CronTrigger(hour="*", minute="*/2", timezone=BERLIN)]
        ),
        OrTrigger([CronTrigger(minute="*", timezone=UTC), CronTrigger(hour="9", second=30, timezone=BERLIN)]),
        CronTrigger(minute="*", timezone=UTC).excluding(lambda time: time.hour == 3),
        CronTrigger(hour="*", timezone=UTC).on_business_days(),
    ],
    ids=["and", "or", "function", "business days"],
)
def test_what_is_counted_one_by_one_is_counted_once(trigger):
    """A slice goes on where the last one ended, and what follows takes a few steps."""
    limited = trigger.limited(20_000, start=START).bind(timezone=UTC, now=START, job_id="")
    moment = START + timedelta(days=9)
    for _ in range(40):
        answer = limited.search(moment, moment, Steps())
        if isinstance(answer, Found):
            break
    following = trigger.bind(timezone=UTC, now=START, job_id="").get_next_fire_time(moment, moment)
    assert answer == Found(following)
    assert isinstance(limited.search(answer.time, moment, Steps(200)), Found)


def test_what_never_comes_is_found_in_few_steps(monkeypatch):
    steps = []
    after = WallSchedule.after
    monkeypatch.setattr(WallSchedule, "after", lambda self, wall: steps.append(1) or after(self, wall))
    never = [
        CronTrigger(year="*/4", month=2, day=29, timezone=UTC),
        CronTrigger(month=3, day="last sun", hour=2, minute=30, gap="skip", timezone="Europe/Berlin"),
    ]
    for trigger in never:
        assert trigger.get_next_fire_time(None, START) is None
        assert (
            AndTrigger([trigger, CronTrigger(minute="*", timezone=UTC)]).get_next_fire_time(None, START)
            is None
        )
    assert never[0].previous(datetime(9000, 1, 1, tzinfo=UTC)) is None
    # The clocks were put forward on other Sundays before 1981.
    assert never[1].previous(datetime(9000, 1, 1, tzinfo=UTC)).year == 1980
    assert len(steps) < 5_000


def test_a_leap_day_on_a_weekday_is_found_however_far_it_is():
    zone = ZoneInfo("Europe/Berlin")
    trigger = CronTrigger(month=2, day=29, day_of_week="mon", hour=2, gap="skip", timezone=zone)
    assert [time.year for time in trigger.upcoming(START, 4)] == [2044, 2072, 2112, 2140]
    assert CronTrigger(year="2026-2400/374", timezone=zone).upcoming(START, 1)[0].year == 2400
