"""What a cron expression may say, what exactly that means, and how everything else is refused."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta

import pytest

from mainspring.errors import CronSyntaxError
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.plain import trigger_from_dict

START = datetime(2026, 3, 1, tzinfo=UTC)  # a Sunday


def days(**fields):
    """The days of March 2026 on which a trigger fires."""
    trigger = CronTrigger(timezone=UTC, month=3, year=2026, hour=0, minute=0, second=0, **fields)
    return [time.day for time in trigger.between(START, START + timedelta(days=31))]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"day": "last"}, [31]),
        ({"day": "L"}, [31]),
        ({"day": "L-3"}, [28]),
        ({"day": "LW"}, [31]),
        ({"day": "15W"}, [16]),
        ({"day": "14W"}, [13]),
        ({"day": "1W"}, [2]),
        ({"day": "3rd fri"}, [20]),
        ({"day": "last sat"}, [28]),
        ({"day": "1st sun,last"}, [1, 31]),
        ({"day": "28-31/2"}, [28, 30]),
        ({"day": "?", "day_of_week": "fri#2"}, [13]),
        ({"day_of_week": "friL"}, [27]),
        ({"day_of_week": "sat-mon"}, [1, 2, 7, 8, 9, 14, 15, 16, 21, 22, 23, 28, 29, 30]),
        ({"day_of_week": "mon-fri/2", "day": "2-8"}, [2, 4, 6]),
        ({"day_of_week": "monday-wednesday", "day": "1-7"}, [2, 3, 4]),
        ({"day_of_week": "6"}, [1, 8, 15, 22, 29]),
        ({"week": 11}, [9, 10, 11, 12, 13, 14, 15]),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_days(fields, expected):
    assert days(**fields) == expected


def times(trigger, count):
    return [time.strftime("%a %d %b %H:%M:%S") for time in trigger.upcoming(START, count)]


def test_a_range_of_hours_may_go_past_midnight():
    assert [time[-8:-3] for time in times(CronTrigger(hour="22-2", timezone=UTC), 5)] == [
        "00:00",
        "01:00",
        "02:00",
        "22:00",
        "23:00",
    ]


def test_fields_left_out_match_everything_up_to_the_rightmost_given_and_take_their_minimum_after_it():
    assert times(CronTrigger(month=11, minute="*/20", timezone=UTC), 4)[3] == "Sun 01 Nov 01:00:00"
    assert times(CronTrigger(month="*", hour=2, timezone=UTC), 2) == [
        "Sun 01 Mar 02:00:00",
        "Mon 02 Mar 02:00:00",
    ]
    assert times(CronTrigger(month="*", timezone=UTC), 2)[1] == "Wed 01 Apr 00:00:00"
    assert times(CronTrigger(year="*", timezone=UTC), 1) == ["Fri 01 Jan 00:00:00"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("@hourly", "Sun 01 Mar 00:00:00"),
        ("@daily", "Sun 01 Mar 00:00:00"),
        ("@weekly", "Sun 01 Mar 00:00:00"),
        ("@monthly", "Sun 01 Mar 00:00:00"),
        ("@yearly", "Fri 01 Jan 00:00:00"),
        ("0 9 * * 7", "Sun 01 Mar 09:00:00"),
        ("0 9 * * 0", "Sun 01 Mar 09:00:00"),
        ("0 9 13 * 5", "Fri 06 Mar 09:00:00"),
        ("15 0 9 * * 1", "Mon 02 Mar 09:00:15"),
    ],
)
@pytest.mark.filterwarnings("ignore:from_unix")
def test_from_unix_reads_what_cron_reads(text, first):
    assert times(CronTrigger.from_unix(text, timezone=UTC), 1) == [first]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("0 0 12 ? * 2", "Mon 02 Mar 12:00:00"),
        ("0 0 12 ? * 6L", "Fri 27 Mar 12:00:00"),
        ("0 0 12 ? * 6#3", "Fri 20 Mar 12:00:00"),
        ("0 0 12 LW * ?", "Tue 31 Mar 12:00:00"),
        ("0 0 12 L-2 * ?", "Sun 29 Mar 12:00:00"),
        ("0 15 10 ? * MON-FRI 2026", "Mon 02 Mar 10:15:00"),
    ],
)
def test_from_quartz_reads_what_quartz_reads(text, first):
    assert times(CronTrigger.from_quartz(text, timezone=UTC), 1) == [first]


@pytest.mark.parametrize(
    ("fields", "field", "position"),
    [
        ({"hour": "25"}, "hour", 0),
        ({"minute": "1,2,x"}, "minute", 4),
        ({"day_of_week": "mon,fry"}, "day_of_week", 4),
        ({"day": "0"}, "day", 0),
        ({"day": "6th fri"}, "day", 0),
        ({"month": "janu-mar"}, "month", 0),
        ({"second": "*/0"}, "second", None),
        ({"hour": ""}, "hour", 0),
        ({"day_of_week": "mon#6"}, "day_of_week", None),
        ({"year": "26"}, "year", 0),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_can_not_be_read_is_refused_with_its_place(fields, field, position):
    with pytest.raises(CronSyntaxError) as caught:
        CronTrigger(timezone=UTC, **fields)
    error = caught.value
    assert isinstance(error, ValueError)
    assert (error.field, error.text) == (field, fields[field])
    assert position is None or error.position == position
    assert f"{field}={fields[field]!r}" in str(error)


def test_the_nearest_valid_form_is_named():
    with pytest.raises(CronSyntaxError, match="did you mean 'fri'"):
        CronTrigger(day_of_week="fry", timezone=UTC)


@pytest.mark.parametrize("make", [CronTrigger.from_crontab, CronTrigger.from_unix])
def test_reboot_is_refused_with_a_reason(make):
    with pytest.raises(ValueError, match="@reboot"):
        make("@reboot")


@pytest.mark.parametrize("text", ["* * *", "* * * * * * *", "", "0 25 * * *", "0 0 * * mun"])
def test_a_crontab_that_can_not_be_read_is_refused(text):
    with pytest.raises(ValueError):
        CronTrigger.from_unix(text)


def test_from_crontab_keeps_monday_as_zero_and_warns_of_it():
    with pytest.warns(UserWarning, match="from_unix"):
        trigger = CronTrigger.from_crontab("3 4 * * 0", timezone=UTC)
    assert times(trigger, 1) == ["Mon 02 Mar 04:03:00"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CronTrigger.from_crontab("3 4 * * mon", timezone=UTC)


def test_a_day_that_never_comes_is_none():
    trigger = CronTrigger(month=2, day=30, timezone=UTC)
    assert trigger.get_next_fire_time(None, START) is None
    assert trigger.previous(START) is None
    assert trigger.upcoming(START, 3) == []


def test_h_is_the_same_for_a_job_on_every_machine_and_differs_between_jobs():
    def minute(job_id):
        trigger = CronTrigger(minute="H", hour="*", timezone=UTC)
        return trigger.bind(timezone=UTC, now=START, job_id=job_id).upcoming(START, 1)[0].minute

    assert minute("backup") == minute("backup")
    assert len({minute(f"job {number}") for number in range(50)}) > 20


def test_h_keeps_to_its_range():
    for number in range(30):
        trigger = CronTrigger(hour="H(2-4)", minute=0, timezone=UTC)
        bound = trigger.bind(timezone=UTC, now=START, job_id=str(number))
        assert bound.upcoming(START, 1)[0].hour in (2, 3, 4)


ALL_WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (CronTrigger.from_unix, "0 0 * * H(1-5)", ALL_WEEK[:5]),
        (CronTrigger.from_unix, "H H * * H(6-7)", ["Sat", "Sun"]),
        (CronTrigger.from_unix, "0 0 * * H(0-1)", ["Mon", "Sun"]),
        (CronTrigger.from_unix, "0 0 * * H(0-7)", ALL_WEEK),
        (CronTrigger.from_unix, "0 0 * * H", ALL_WEEK),
        (CronTrigger.from_quartz, "0 0 0 ? * H(2-6)", ALL_WEEK[:5]),
        (CronTrigger.from_quartz, "0 0 0 ? * H(1-2)", ["Mon", "Sun"]),
        (CronTrigger.from_quartz, "0 0 0 ? * H(1-7)", ALL_WEEK),
    ],
    ids=str,
)
def test_h_counts_weekdays_as_its_dialect_does_and_explain_names_the_day(read, text, expected):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    found = set()
    for number in range(200):
        trigger = read(text, timezone=UTC).bind(timezone=UTC, now=start, job_id=f"job{number}")
        again = trigger_from_dict(trigger.to_dict())
        times = trigger.upcoming(start, 3)
        assert again == trigger
        assert again.upcoming(start, 3) == times
        assert len({time.weekday() for time in times}) == 1
        assert f"on {times[0]:%A}" in trigger.explain()
        found.add(f"{times[0]:%a}")
    assert sorted(found, key=ALL_WEEK.index) == expected
    assert "that the job's id chooses" in read(text, timezone=UTC).explain()


def test_steps_of_h_begin_where_the_dialects_week_does():
    start = datetime(2026, 3, 1, tzinfo=UTC)  # a Sunday
    for number in range(50):
        trigger = CronTrigger.from_unix("0 0 * * H/3", timezone=UTC).bind(
            timezone=UTC, now=start, job_id=str(number)
        )
        days = [(time.weekday() + 1) % 7 for time in trigger.between(start, start + timedelta(days=6))]
        assert days in ([0, 3, 6], [1, 4], [2, 5])


def test_explain_names_the_day_of_the_month_that_h_has_chosen():
    trigger = CronTrigger(day="H", timezone=UTC).bind(
        timezone=UTC, now=datetime(2026, 3, 1, tzinfo=UTC), job_id="a"
    )
    (first,) = trigger.upcoming(datetime(2026, 3, 1, tzinfo=UTC), 1)
    assert first.day == 10
    assert trigger.explain() == "at 00:00 on the 10th of every month, UTC"


@pytest.mark.parametrize("text", ["0 0 * * H(0-8)", "0 0 * * H(5-2)", "0 0 * * H(1-5)/9", "0 0 * * H(8-9)"])
def test_ranges_of_h_that_a_dialect_does_not_have_are_refused(text):
    with pytest.raises(CronSyntaxError):
        CronTrigger.from_unix(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/60 * * * *", "01:00"),
        ("0 */24 * * *", "00:00"),
        ("58/5 * * * *", "00:58"),
        ("0 0 * * */7", "00:00"),
    ],
)
def test_of_a_step_wider_than_its_range_the_first_value_is_meant_in_a_crontab(text, expected):
    trigger = CronTrigger.from_unix(text, timezone=UTC)
    (first,) = trigger.upcoming(datetime(2026, 3, 1, 0, 30, tzinfo=UTC), 1)
    assert f"{first:%H:%M}" == expected
    assert trigger_from_dict(trigger.to_dict()) == trigger


def test_six_fields_are_warned_of():
    with pytest.warns(UserWarning, match="croniter has them last"):
        CronTrigger.from_unix("0 0 9 * * *")


@pytest.mark.parametrize(
    "text",
    ["febuary-mach " * 1500, "x" * 20_000, "mon-fryday," * 2000, "1," * 10_000 + "x", "1st " + "x" * 9999],
)
def test_what_is_said_of_a_very_long_text_is_short(text):
    dense = text.replace(" ", "")
    for read in (
        lambda: CronTrigger(day_of_week=text),
        lambda: CronTrigger(day=text),
        lambda: CronTrigger(month=text),
        lambda: CronTrigger.from_unix(text),
        lambda: CronTrigger.from_unix(f"0 0 * * {dense}"),
        lambda: CronTrigger.from_quartz(f"0 0 0 ? * {dense}"),
    ):
        with pytest.raises(CronSyntaxError) as caught:
            read()
        assert len(str(caught.value)) < 1000
