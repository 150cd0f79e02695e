"""Triggers as text: what is written, what is refused, and that it is read back as the same times, here and by others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mainspring import (
    BusinessCalendar,
    BusinessDayTrigger,
    CalendarIntervalTrigger,
    CronTrigger,
    DateTrigger,
    IntervalTrigger,
    OrTrigger,
    WeeklyTrigger,
)
from mainspring.errors import TriggerError
from mainspring.triggers import parse

BERLIN = "Europe/Berlin"
NOW = datetime(2026, 3, 1, tzinfo=ZoneInfo(BERLIN))
DIALECTS = ["unix", "quartz", "spring", "eventbridge", "jenkins", "systemd"]
#: A trigger, and its text in each dialect; a part of the message, after "!", where there is none.
WRITTEN = [
    (
        CronTrigger(day_of_week="mon-fri", hour=9, minute=30),
        "30 9 * * 1-5",
        "0 30 9 ? * MON-FRI",
        "0 30 9 * * MON-FRI",
        "cron(30 9 ? * MON-FRI *)",
        "30 9 * * 1-5",
        "Mon..Fri *-*-* 09:30:00",
    ),
    (
        CronTrigger(hour="9-17", minute="*/20", timezone=BERLIN),
        "CRON_TZ=Europe/Berlin */20 9-17 * * *",
        "0 */20 9-17 * * ?",
        "0 */20 9-17 * * *",
        "cron(*/20 9-17 * * ? *)",
        "TZ=Europe/Berlin\n*/20 9-17 * * *",
        "*-*-* 09..17:00/20:00 Europe/Berlin",
    ),
    (
        CronTrigger(day="last", hour=3),
        "!can't say 'last': it has no days that depend on the month",
        "0 0 3 L * ?",
        "0 0 3 L * *",
        "cron(0 3 L * ? *)",
        "!can't say 'last'",
        "*-*~01 03:00:00",
    ),
    (
        CronTrigger(day="2nd fri", hour=1),
        "!can't say '2nd fri'",
        "0 0 1 ? * FRI#2",
        "0 0 1 * * FRI#2",
        "cron(0 1 ? * FRI#2 *)",
        "!can't say '2nd fri'",
        "Fri *-*-08..14 01:00:00",
    ),
    (
        CronTrigger(day_of_week="friL", hour=1),
        "!can't say 'friL'",
        "0 0 1 ? * FRIL",
        "0 0 1 * * FRIL",
        "cron(0 1 ? * FRIL *)",
        "!can't say 'friL'",
        "Fri *-*~07/1 01:00:00",
    ),
    (
        CronTrigger(day="13", day_of_week="fri"),
        "!both of which must match",
        "!day='13' and day_of_week='fri' together: one of the two must be '?'",
        "0 0 0 13 * FRI",
        "!one of the two must be '?'",
        "0 0 13 * 5",
        "Fri *-*-13 00:00:00",
    ),
    (CronTrigger.from_unix("0 0 13 * 5"), "0 0 13 * 5", *["!a day fires if '13' or 'fri' matches"] * 5),
    (
        CronTrigger(second="*/10"),
        "!can't say seconds (second='*/10')",
        "*/10 * * * * ?",
        "*/10 * * * * *",
        "!can't say seconds",
        "!can't say seconds",
        "*-*-* *:*:00/10",
    ),
    (
        CronTrigger(year="2027-2029", month=3, day=1),
        "!can't say years (year='2027-2029')",
        "0 0 0 1 3 ? 2027-2029",
        "!can't say years",
        "cron(0 0 1 3 ? 2027-2029)",
        "!can't say years",
        "2027..2029-03-01 00:00:00",
    ),
    (
        CronTrigger(hour="*/2", gap="shift", fold="first"),
        "0 0-23/2 * * *",
        "0 0 0-23/2 * * ?",
        "0 0 0-23/2 * * *",
        "cron(0 0-23/2 * * ? *)",
        "0 0-23/2 * * *",
        "*-*-* 00..22/2:00:00",
    ),
    (CronTrigger.from_unix("5 */24 * * *"), "5 */24 * * *", *["!changes of the clocks (gap, fold)"] * 5),
    (CronTrigger(hour="9-17", gap="skip", fold="both"), *["!changes of the clocks (gap, fold)"] * 6),
    (
        CronTrigger(minute="H", hour="H(2-4)", day_of_week="H(1-3)"),
        *["!can't say H: add the trigger to a scheduler"] * 4,
        "H H(2-4) * * H(2-4)",
        "!can't say H",
    ),
    (CronTrigger(week="1-26", day_of_week="mon"), *["!can't say weeks of the year (week='1-26')"] * 6),
    (CronTrigger(hour=3, jitter=5), *["!can't say jitter=5: it is no part of the expression"] * 6),
    (CronTrigger(hour=3, start_date=NOW), *["!can't say start_date=2026-03-01"] * 6),
    (CronTrigger(hour=3, end_date=NOW), *["!can't say end_date=2026-03-01"] * 6),
    (CronTrigger(hour=3, max_fires=2), *["!can't say max_fires=2"] * 6),
    (CronTrigger(hour=3, first="now"), *["!can't say first='now'"] * 6),
    (
        BusinessDayTrigger([1, -1], hour=8),
        "!can't say business days",
        "0 0 8 1W,LW * ?",
        "0 0 8 1W,LW * *",
        "cron(0 8 1W,LW * ? *)",
        *["!can't say business days"] * 2,
    ),
    (BusinessDayTrigger(2), *["!can't say business days"] * 6),
    (BusinessDayTrigger(1, calendar=BusinessCalendar(["2026-01-01"])), *["!can't say business days"] * 6),
    (
        WeeklyTrigger("mon,thu", "09:30,14:30"),
        "30 9,14 * * 1,4",
        "0 30 9,14 ? * MON,THU",
        "0 30 9,14 * * MON,THU",
        "cron(30 9,14 ? * MON,THU *)",
        "30 9,14 * * 1,4",
        "Mon,Thu *-*-* 09,14:30:00",
    ),
    (WeeklyTrigger("mon", "09:30,14:00"), *["!times of the day whose minutes differ"] * 6),
    (WeeklyTrigger("mon", weeks=2), *["!can't say every 2 weeks"] * 6),
    (
        CalendarIntervalTrigger(days=1, hour=9),
        "0 9 * * *",
        "0 0 9 * * ?",
        "0 0 9 * * *",
        "cron(0 9 * * ? *)",
        "0 9 * * *",
        "*-*-* 09:00:00",
    ),
    (CalendarIntervalTrigger(days=2), *["!can't say what CalendarIntervalTrigger does"] * 6),
    (
        IntervalTrigger(minutes=90),
        "@every 1h30m",
        *["!an interval of 1:30:00, which counts from when it is added"] * 2,
        "rate(90 minutes)",
        *["!an interval of 1:30:00"] * 2,
    ),
    (
        IntervalTrigger(seconds=90),
        "@every 1m30s",
        *["!interval"] * 2,
        "!a rate is of whole minutes",
        *["!interval"] * 2,
    ),
    (IntervalTrigger(minutes=5, start_date=NOW), *["!can't say start_date"] * 6),
    (
        DateTrigger("2026-11-20 13:00:00", timezone=BERLIN),
        "!a single date: it has no field for the year",
        "0 0 13 20 11 ? 2026",
        "!a single date",
        "at(2026-11-20T13:00:00)",
        "!a single date",
        "2026-11-20 13:00:00 Europe/Berlin",
    ),
    (DateTrigger("2026-11-20"), *["!time zone is still open"] * 6),
    (
        DateTrigger(datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo(BERLIN))),
        "!",
        "!the second 02:30 of a day on which the clocks are put back",
        "!",
        "!the second 02:30",
        "!",
        "!the second 02:30",
    ),
    (
        CronTrigger(hour=3, timezone="+02:00"),
        "CRON_TZ=Etc/GMT-2 0 3 * * *",
        "0 0 3 * * ?",
        "0 0 3 * * *",
        "cron(0 3 * * ? *)",
        "TZ=Etc/GMT-2\n0 3 * * *",
        "*-*-* 03:00:00 Etc/GMT-2",
    ),
    (
        OrTrigger([CronTrigger(hour=3, timezone=BERLIN), CronTrigger(hour=4, minute=1, timezone=BERLIN)]),
        *["!can't say what OrTrigger does"] * 4,
        "TZ=Europe/Berlin\n0 3 * * *\n1 4 * * *",
        "!can't say what OrTrigger does",
    ),
    (CronTrigger(hour=3).within("01:00-04:00"), *["!can't say what WindowTrigger does"] * 6),
]


@pytest.mark.parametrize("row", WRITTEN, ids=range(len(WRITTEN)))
def test_each_dialect(row):
    trigger, *texts = row
    for dialect, text in zip(DIALECTS, texts, strict=True):
        if text.startswith("!"):
            with pytest.raises(TriggerError) as caught:
                trigger.to_cron(dialect)
            assert str(caught.value).startswith(f"{dialect} can't say ")
            assert text[1:] in str(caught.value)
        else:
            assert trigger.to_cron(dialect) == text


def test_dialects_have_other_names_and_some_are_not_written():
    assert CronTrigger(hour=3).to_cron() == CronTrigger(hour=3).to_cron("crontab") == "0 3 * * *"
    with pytest.raises(TriggerError, match="did you mean 'quartz'"):
        CronTrigger(hour=3).to_cron("quarz")
    with pytest.raises(TriggerError, match="and not in iso8601"):
        CronTrigger(hour=3).to_cron("iso8601")


def test_a_job_has_the_values_that_its_id_chose():
    bound = CronTrigger(minute="H", hour="H(2-4)").bind(timezone=ZoneInfo(BERLIN), now=NOW, job_id="a")
    text = bound.to_cron()
    assert "H" not in text.replace("CRON_TZ", "")
    assert parse(text, dialect="unix").upcoming(NOW, 9) == bound.upcoming(NOW, 9)
    anchored = WeeklyTrigger("mon", "09:30").bind(timezone=ZoneInfo(BERLIN), now=NOW, job_id="a")
    assert anchored.to_cron() == "CRON_TZ=Europe/Berlin 30 9 * * 1"


numbers = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "month": (1, 12),
}


@st.composite
def fields(draw, name):
    low, high = numbers[name]
    kind = draw(st.integers(0, 4))
    first, last = sorted((draw(st.integers(low, high)), draw(st.integers(low, high))))
    step = draw(st.integers(1, 7))
    if kind == 0:
        return "*"
    if kind == 1:
        return f"*/{step}"
    if kind == 2:  # wraps around
        return f"{last}-{first}"
    if kind == 3:
        return f"{first}-{last}/{min(step, max(last - first, 1))}"
    return ",".join(map(str, draw(st.sets(st.integers(low, high), min_size=1, max_size=4))))


crons = st.builds(
    lambda policy, **given: CronTrigger(**given, **policy),
    policy=st.sampled_from(
        [{}, {}, {"gap": "skip", "fold": "both"}, {"gap": "shift", "fold": "first"}, {"gap": "skip"}]
    ),
    month=st.one_of(st.just("*"), fields("month")),
    day=st.sampled_from(
        [
            "*",
            "*",
            "1",
            "13,31",
            "*/2",
            "*/5",
            "10-20/3",
            "last",
            "L-3",
            "L-2,5",
            "LW",
            "15W",
            "2nd tue",
            "last sun",
            "L-1W",
        ]
    ),
    day_of_week=st.sampled_from(
        ["*", "*", "mon-fri", "sat-mon", "sun", "tue,sat", "*/2", "wed#3", "satL", "mon-sun"]
    ),
    hour=fields("hour"),
    minute=fields("minute"),
    second=st.one_of(st.just("0"), fields("second")),
    timezone=st.sampled_from([BERLIN, "Australia/Lord_Howe", "UTC", "America/New_York"]),
)


@given(crons, st.booleans(), st.sampled_from(DIALECTS), st.integers(0, 3000))
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_back_as_the_same_times(trigger, is_either, dialect, days):
    trigger._is_either = is_either
    try:
        text = trigger.to_cron(dialect)
    except TriggerError:
        assume(False)
    again = parse(text, dialect=dialect)
    begin = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=days)
    for start in (begin, datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)):
        now = start.astimezone(trigger.timezone)
        found = again.bind(timezone=trigger.timezone, now=now, job_id="").upcoming(now, 12)
        assert found == trigger.upcoming(now, 12), text


@given(crons)
@settings(max_examples=100, deadline=None)
def test_a_crontab_is_read_by_others_as_the_same_times(trigger):
    try:
        text = trigger.to_cron("unix").split(" ", 1)[1]
    except TriggerError:
        assume(False)
    start = datetime(2025, 12, 20, 7, 31)
    in_utc = parse(text, dialect="unix").bind(timezone=UTC, now=start.replace(tzinfo=UTC), job_id="")
    found = [
        time.replace(tzinfo=None)
        for time in in_utc.upcoming(start.replace(tzinfo=UTC) + timedelta(seconds=1), 10)
    ]
    assert found == list(islice(CronSim(text, start), 10))
