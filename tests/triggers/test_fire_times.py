"""What the triggers fire at, as the scheduler asks them."""

import pickle
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from mainspring.errors import CronSyntaxError
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def fires(trigger, start, count):
    times, previous = [], None
    for _ in range(count):
        previous = trigger.get_next_fire_time(previous, start)
        if previous is None:
            break
        times.append(previous)
    return times


def walls(trigger, start, count):
    return [time.strftime("%m-%d %H:%M%z") for time in fires(trigger, start, count)]


def test_a_date_fires_once_also_when_it_has_passed():
    trigger = DateTrigger("2026-05-01 10:00", timezone="Europe/Berlin")
    moment = datetime(2026, 5, 1, 10, tzinfo=BERLIN)
    assert trigger.get_next_fire_time(None, START) == moment
    assert trigger.get_next_fire_time(None, moment + timedelta(days=1)) == moment
    assert trigger.get_next_fire_time(moment, moment) is None
    assert str(trigger) == "date[2026-05-01 10:00:00 CEST]"


def test_a_date_without_a_date_is_now():
    assert DateTrigger().bind(timezone=UTC, now=START, job_id="a").run_date == START


def test_an_interval_begins_one_interval_after_it_is_added():
    trigger = IntervalTrigger(minutes=5).bind(timezone=UTC, now=START, job_id="a")
    assert fires(trigger, START, 2) == [START + timedelta(minutes=5), START + timedelta(minutes=10)]


def test_an_interval_keeps_its_grid():
    trigger = IntervalTrigger(minutes=5, start_date=START, timezone=UTC)
    late = START + timedelta(minutes=7)
    assert trigger.get_next_fire_time(None, late) == START + timedelta(minutes=10)
    assert trigger.get_next_fire_time(START, late) == START + timedelta(minutes=5)


def test_an_interval_is_elapsed_time():
    trigger = IntervalTrigger(days=1, start_date="2026-03-28 12:00", timezone=BERLIN)
    assert walls(trigger, START, 2) == ["03-28 12:00+0100", "03-29 13:00+0200"]


def test_an_interval_ends():
    trigger = IntervalTrigger(
        minutes=5, start_date=START, end_date=START + timedelta(minutes=11), timezone=UTC
    )
    assert len(fires(trigger, START, 10)) == 3


@pytest.mark.parametrize("seconds", [0, -5])
def test_bug_13_an_interval_moves_forward(seconds):
    with pytest.raises(ValueError, match="longer than zero"):
        IntervalTrigger(seconds=seconds)


@pytest.mark.parametrize(
    ("make", "period"),
    [
        (lambda: IntervalTrigger(seconds=10, start_date=START, timezone=UTC, jitter=5), 10),
        (lambda: CronTrigger(minute="*", timezone=UTC, jitter=90), 60),
    ],
    ids=["interval", "cron"],
)
def test_bug_14_jitter_delays_and_never_moves_the_schedule(make, period):
    times = fires(make(), START, 500)
    jitter = min(make().jitter, period)
    for number, time in enumerate(times):
        assert timedelta(0) <= time - (START + number * period * SECOND) <= jitter * SECOND
    assert len({time.microsecond for time in times}) > 100
    assert all(one < other for one, other in pairwise(times))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: IntervalTrigger(seconds=1, start_date=START, timezone=UTC), 0),
        (lambda: IntervalTrigger(seconds=7, start_date=START, timezone=UTC), 315532800 % 7),
        (lambda: CronTrigger(second="*", timezone=UTC), 0),
    ],
    ids=["each second", "each seventh", "cron"],
)
def test_the_latest_of_ten_years_of_times(make, expected):
    now = START + timedelta(seconds=315532800)
    assert make().latest_fire_time(START, now) == now - expected * SECOND


def test_the_latest_time_when_there_is_no_later_one():
    trigger = CronTrigger(hour=9, timezone=BERLIN)
    by_hand = datetime(2026, 1, 5, 10, 30, tzinfo=BERLIN)
    assert trigger.latest_fire_time(by_hand, by_hand + timedelta(hours=2)) == by_hand


@pytest.mark.parametrize(
    "make",
    [
        lambda: IntervalTrigger(minutes=10, start_date=START, timezone=UTC),
        lambda: CronTrigger(minute="*/10", timezone=UTC),
    ],
    ids=["interval", "cron"],
)
def test_the_last_times_of_many(make):
    now = START + timedelta(hours=5, minutes=5)
    times, more = make().fire_times(START, now, 4)
    assert times == [START + timedelta(minutes=300 - 10 * back) for back in (3, 2, 1, 0)]
    assert more
    times, more = make().fire_times(now - timedelta(minutes=16), now, 4)
    assert len(times) == 3  # the first, which is by hand, and two of the trigger's
    assert not more


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ({"hour": 9}, "2026-01-01 09:00:00"),
        ({"minute": 30}, "2026-01-01 00:30:00"),
        ({"second": "*/15"}, "2026-01-01 00:00:00"),
        ({"day_of_week": "mon-fri", "hour": "8-10/2"}, "2026-01-01 08:00:00"),
        ({"day_of_week": "sun"}, "2026-01-04 00:00:00"),
        ({"day_of_week": 6}, "2026-01-04 00:00:00"),
        ({"day": "last"}, "2026-01-31 00:00:00"),
        ({"day": "2nd tue"}, "2026-01-13 00:00:00"),
        ({"day": "last fri"}, "2026-01-30 00:00:00"),
        ({"month": "feb", "day": 29}, "2028-02-29 00:00:00"),
        ({"month": "2,jun-aug", "day": "5"}, "2026-02-05 00:00:00"),
        ({"week": 10}, "2026-03-02 00:00:00"),
        ({"year": 2030}, "2030-01-01 00:00:00"),
        ({"minute": "5/20", "hour": 3}, "2026-01-01 03:05:00"),
    ],
)
def test_cron_fields(fields, first):
    expected = datetime.fromisoformat(first).replace(tzinfo=UTC)
    assert CronTrigger(timezone=UTC, **fields).get_next_fire_time(None, START) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"month": 2, "day": 30},
        {"year": 2020},
        {"month": "apr", "day": 31},
        {"day": "5th mon", "month": 2, "year": "2026"},
    ],
)
def test_cron_times_that_never_come(fields):
    assert CronTrigger(timezone=UTC, **fields).get_next_fire_time(None, START) is None


def test_cron_between_bounds():
    trigger = CronTrigger(hour=9, start_date="2026-01-03 09:00", end_date="2026-01-05 09:00", timezone=UTC)
    assert walls(trigger, START, 9) == ["01-03 09:00+0000", "01-04 09:00+0000", "01-05 09:00+0000"]


@pytest.mark.parametrize(
    ("field", "text", "position"),
    [
        ("day_of_week", "mon#9", 0),
        ("hour", "25", 0),
        ("minute", "1,,2", 2),
        ("minute", "5,x", 2),
        ("day", "last-99", 0),
        ("hour", "", 0),
    ],
)
def test_bug_7_what_cannot_be_read_is_refused_with_its_place(field, text, position):
    with pytest.raises(CronSyntaxError) as caught:
        CronTrigger(**{field: text})
    assert isinstance(caught.value, ValueError)
    assert (caught.value.field, caught.value.text) == (field, text)
    assert field in str(caught.value)


def test_bug_1_no_day_is_lost_when_the_clocks_go_forward():
    trigger = CronTrigger(hour=0, minute=0, timezone=NEW_YORK)
    assert walls(trigger, datetime(2026, 3, 7, tzinfo=NEW_YORK), 4) == [
        "03-07 00:00-0500",
        "03-08 00:00-0500",
        "03-09 00:00-0400",
        "03-10 00:00-0400",
    ]


def test_a_time_of_the_day_that_does_not_exist_fires_once():
    trigger = CronTrigger(hour=2, minute=30, timezone=BERLIN)
    assert walls(trigger, datetime(2026, 3, 28, tzinfo=BERLIN), 3) == [
        "03-28 02:30+0100",
        "03-29 03:30+0200",
        "03-30 02:30+0200",
    ]


def test_a_time_of_the_day_that_exists_twice_fires_once():
    trigger = CronTrigger(hour=2, minute=30, timezone=BERLIN)
    assert walls(trigger, datetime(2026, 10, 24, tzinfo=BERLIN), 3) == [
        "10-24 02:30+0200",
        "10-25 02:30+0200",
        "10-26 02:30+0100",
    ]


def test_every_half_hour_is_every_half_hour_when_the_clocks_change():
    trigger = CronTrigger(minute="*/30", timezone=BERLIN)
    for start in (datetime(2026, 3, 29, 1, tzinfo=BERLIN), datetime(2026, 10, 25, 1, tzinfo=BERLIN)):
        times = [time.astimezone(UTC) for time in fires(trigger, start, 10)]
        assert {other - one for one, other in pairwise(times)} == {timedelta(minutes=30)}


def test_crontab_lines():
    trigger = CronTrigger.from_crontab("0 9 1-15 may-aug *", timezone=UTC)
    assert trigger.get_next_fire_time(None, START) == datetime(2026, 5, 1, 9, tzinfo=UTC)
    with pytest.raises(ValueError, match="got 4"):
        CronTrigger.from_crontab("0 9 1-15 may-aug")


def test_bug_6_a_numeric_weekday_in_a_crontab_line_warns():
    with pytest.warns(UserWarning, match="Monday"):
        trigger = CronTrigger.from_crontab("0 0 * * 0", timezone=UTC)
    assert trigger.get_next_fire_time(None, START) == datetime(2026, 1, 5, tzinfo=UTC)


def test_a_crontab_line_can_be_rebuilt_from_its_fields():
    trigger = CronTrigger(day_of_week="mon-fri", hour="1-5/2", timezone=UTC)
    rebuilt = {field.name: str(field) for field in trigger.fields if not field.is_default}
    assert rebuilt == {"day_of_week": "mon-fri", "hour": "1-5/2"}
    assert (
        str(CronTrigger(timezone=UTC, **rebuilt))
        == str(trigger)
        == "cron[day_of_week='mon-fri', hour='1-5/2']"
    )


@pytest.mark.parametrize(
    "trigger",
    [
        DateTrigger("2026-05-01", timezone=BERLIN),
        IntervalTrigger(hours=3, start_date="2026-05-01", timezone=BERLIN, jitter=3),
        CronTrigger(day="last", hour="1-5/2", timezone=BERLIN, end_date="2027-01-01"),
    ],
)
def test_pickling(trigger):
    copy = pickle.loads(pickle.dumps(trigger))
    assert str(copy) == str(trigger)
    assert fires(copy, START, 5) == fires(trigger, START, 5)
    assert trigger.is_same_schedule(copy)


class Third(BaseTrigger):
    """As third parties write them: only the one method."""

    def get_next_fire_time(self, previous_fire_time, now):
        return now if previous_fire_time is None else previous_fire_time + timedelta(hours=1)


def test_a_third_partys_trigger_can_be_caught_up():
    now = START + timedelta(hours=30, minutes=30)
    assert Third().latest_fire_time(START, now) == START + timedelta(hours=30)
    times, more = Third().fire_times(START, now, 3)
    assert times == [START + timedelta(hours=hour) for hour in (28, 29, 30)]
    assert more
