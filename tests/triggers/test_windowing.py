"""Windows: what they are as text and data, and with a scheduler."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, time, timedelta
from inspect import signature
from zoneinfo import ZoneInfo

import pytest

from mainspring import BusinessCalendar, CronTrigger, DateTrigger, IntervalTrigger, OrTrigger
from mainspring.errors import TriggerError
from mainspring.testing import ManualScheduler
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.plain import trigger_from_dict
from mainspring.triggers.steps import Never, Steps, Unknown

BERLIN = ZoneInfo("Europe/Berlin")
EVENING = datetime(2026, 3, 1, 20, 0, 1, tzinfo=BERLIN)


def work():
    pass


class EveryThreeHours(BaseTrigger):
    """A third party's, that can only go forward."""

    def get_next_fire_time(self, previous_fire_time, now):
        moment = (previous_fire_time or now).astimezone(UTC)
        return moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=3 - moment.hour % 3)


@pytest.mark.parametrize(
    ("window", "text"),
    [
        ("08:00-18:00", "08:00-18:00"),
        (" 8:00 - 18:00:30 ", "08:00-18:00:30"),
        ("22:00-06:00,12:00-13:00", "12:00-13:00,22:00-06:00"),
        (["08:00-12:00", "13:00-24:00"], "08:00-12:00,13:00-24:00"),
        (("08:00-12:00", "13:00-18:00"), "08:00-12:00,13:00-18:00"),
        (("08:00", "18:00"), "08:00-18:00"),
        ((time(8), time(18, 30)), "08:00-18:30"),
        ([(time(8), time(9)), "10:00-11:00"], "08:00-09:00,10:00-11:00"),
    ],
)
def test_windows_are_read(window, text):
    assert IntervalTrigger(seconds=2).within(window).to_dict()["window"] == text


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ("8-18", "did you mean '08:00-18:00'"),
        ("8 to 17:30", "did you mean '08:00-17:30'"),
        ("08:00", "got '08:00'$"),
        ("25:00-26:00", "no day has a time after 24:00"),
        ("08:00-24:01", "no day has a time after 24:00"),
        ("08:60-09:00", "08:60 is no time of the day"),
        ("08:00-08:00", "the whole day is '00:00-24:00'"),
        ("24:00-08:00", "no length"),
        ("", "got ''"),
        ([], "got none"),
        (None, "NoneType"),
        (8, "int 8"),
        ("x" * 5000, "x{100}'$"),
        ((time(8, microsecond=1), time(9)), "whole seconds"),
        ((time(8, tzinfo=UTC), time(9)), "without a time zone"),
    ],
    ids=repr,
)
def test_what_is_no_window_is_refused(window, message):
    with pytest.raises(TriggerError, match=message):
        IntervalTrigger(seconds=2).within(window)


def test_an_interval_outside_goes_on_where_the_window_begins():
    trigger = IntervalTrigger(seconds=2, start_date="2026-01-01 00:00:01", timezone=BERLIN).within(
        "08:00-18:00"
    )
    assert trigger.get_next_fire_time(EVENING, EVENING) == datetime(2026, 3, 2, 8, 0, 1, tzinfo=BERLIN)
    assert trigger.previous(EVENING) == datetime(2026, 3, 1, 17, 59, 59, tzinfo=BERLIN)


def test_a_window_ends_with_its_last_second_exactly():
    """A microsecond after it is outside, forwards and backwards."""
    late = datetime(2026, 3, 2, 18, 0, 0, 1, tzinfo=BERLIN)
    trigger = IntervalTrigger(hours=1, start_date=late - timedelta(days=9), timezone=BERLIN).within(
        "08:00-18:00"
    )
    assert trigger.upcoming(late - timedelta(hours=1), 2) == [
        late - timedelta(hours=1),
        late + timedelta(hours=14),
    ]
    assert trigger.previous(late + timedelta(hours=1)) == late - timedelta(hours=1)


def test_the_zone_of_a_trigger_without_one_is_the_schedulers():
    bound = (
        IntervalTrigger(minutes=30)
        .within("08:00-09:00")
        .bind(timezone=ZoneInfo("Asia/Tokyo"), now=EVENING, job_id="a")
    )
    assert {at.strftime("%H:%M") for at in bound.upcoming(EVENING, 9)} <= {"08:00", "08:30", "09:00"} | {
        "08:00",
        "08:30",
    }


def test_a_third_partys_trigger_has_windows_too():
    trigger = EveryThreeHours().within("05:00-13:00").bind(timezone=BERLIN, now=EVENING, job_id="a")
    assert [at.astimezone(BERLIN).hour for at in trigger.upcoming(EVENING, 3)] == [7, 10, 13]


def test_windows_and_other_changes_go_together():
    trigger = (
        CronTrigger(minute="*/30", timezone=BERLIN)
        .within("08:00-09:00")
        .excluding(BusinessCalendar())
        .limited(4, start=EVENING)
    )
    assert [f"{at:%a %H:%M}" for at in trigger.upcoming(EVENING, 9)] == [
        "Mon 08:00",
        "Mon 08:30",
        "Mon 09:00",
        "Tue 08:00",
    ]
    either = OrTrigger([trigger, CronTrigger(hour=10, timezone=BERLIN)])
    assert [f"{at:%a %H:%M}" for at in either.upcoming(EVENING, 5)][-2:] == ["Mon 10:00", "Tue 08:00"]


def test_a_schedule_that_is_never_inside_is_searched_slice_by_slice():
    trigger = OrTrigger([CronTrigger(hour=19, timezone=BERLIN)]).within("08:00-18:00")
    answer = trigger.search(None, EVENING, Steps(100))
    assert isinstance(answer, Unknown)
    assert answer.since > EVENING + timedelta(days=40)
    assert trigger.get_next_fire_time(None, EVENING) is None
    never = DateTrigger("2026-03-02 07:00", timezone=BERLIN).within("08:00-18:00")
    assert isinstance(never.search(None, EVENING, Steps(100)), Never)


@pytest.mark.parametrize("is_bound", [False, True])
def test_it_is_the_same_as_data(is_bound):
    trigger = IntervalTrigger(minutes=7).within("22:00-06:00,12:00-13:00:30")
    if is_bound:
        trigger = trigger.bind(timezone=BERLIN, now=EVENING, job_id="a")
    for again in (
        trigger_from_dict(json.loads(json.dumps(trigger.to_dict()))),
        pickle.loads(pickle.dumps(trigger)),
    ):
        assert again == trigger
        assert again.is_same_schedule(trigger)
        assert not again.is_same_schedule(IntervalTrigger(minutes=7).within("22:00-06:00"))
        assert repr(again) == repr(trigger)
        assert again.upcoming(EVENING, 5) == trigger.upcoming(EVENING, 5)


@pytest.mark.parametrize("trigger", ["cron", CronTrigger(minute="*/20")], ids=["name", "object"])
def test_a_window_is_a_parameter_of_add_job(trigger):
    scheduler = ManualScheduler(start=EVENING, timezone=BERLIN)
    scheduler.start()
    options = {"minute": "*/20"} if trigger == "cron" else {}
    job = scheduler.add_job(work, trigger, window="08:00-18:00", **options)
    assert job.next_run_time == datetime(2026, 3, 2, 8, tzinfo=BERLIN)
    job.reschedule("cron", minute="*/20", window="21:00-22:00")
    assert job.next_run_time == datetime(2026, 3, 1, 21, tzinfo=BERLIN)
    scheduler.shutdown()


def test_every_trigger_can_be_made_with_a_window_and_a_spread():
    made = CronTrigger(hour="*", window="08:00-18:00", spread_over="1h")
    assert made == CronTrigger(hour="*").within("08:00-18:00").spread("1h")
    assert IntervalTrigger(minutes=5, window="08:00-18:00") == IntervalTrigger(minutes=5).within(
        "08:00-18:00"
    )
    assert type(CronTrigger(hour="*", window=None)) is CronTrigger
    assert "window" in signature(CronTrigger).parameters
    with pytest.raises(TypeError, match="did you mean 'window'"):
        CronTrigger(hour="*", windw="08:00-18:00")


class HasWindow(EveryThreeHours):
    """Has a parameter of that name itself."""

    def __init__(self, window):
        self.window = window


def test_a_third_partys_own_parameter_of_that_name_is_its_own():
    made = HasWindow(window="kitchen", spread_over=60)
    assert made.trigger.window == "kitchen"
    assert str(signature(HasWindow)) == "(window, *, spread_over=None)"
