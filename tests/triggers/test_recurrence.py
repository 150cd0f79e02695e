"""What `RecurrenceTrigger` reads and refuses, when it is equal to another, and that no rule takes long."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from math import prod
from zoneinfo import ZoneInfo

import pytest

from mainspring import CronTrigger, RecurrenceTrigger
from mainspring.errors import CronSyntaxError, TriggerError
from mainspring.triggers.parsing import parse
from mainspring.triggers.recurrence.days import Days
from mainspring.triggers.steps import NEVER, Found, Steps, Unknown

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "position", "message", "hint"),
    [
        ("FREQ=DAYLY", 5, "FREQ must be one of", "FREQ=DAILY"),
        ("BYDAY=MO,TU", 0, "FREQ is missing", "FREQ=WEEKLY;BYDAY=MO,TU"),
        ("BYMONTHDAY=13", 0, "FREQ is missing", "FREQ=MONTHLY;BYMONTHDAY=13"),
        ("FREQ=DAILY;BYHOURS=9", 11, "expected one of FREQ", "FREQ=DAILY;BYHOUR=9"),
        ("FREQ=DAILY;BYHOURS=99", 11, "expected one of FREQ", None),
        ("FREQ=DAILY;BYHOUR=24", 18, "BYHOUR has whole numbers from 0 to 23", None),
        ("FREQ=DAILY;BYHOUR=1,,2", 20, "BYHOUR has whole numbers", None),
        ("FREQ=MONTHLY;BYMONTHDAY=0", 24, r"or from the end, -31 to -1", None),
        ("FREQ=WEEKLY;BYDAY=Monday", 18, "BYDAY has weekdays such as MO", "FREQ=WEEKLY;BYDAY=MO"),
        ("FREQ=MONTHLY;BYDAY=2 tue", 19, "BYDAY has weekdays such as MO", "FREQ=MONTHLY;BYDAY=2TU"),
        ("FREQ=WEEKLY;BYDAY=2 tue", 18, "BYDAY has weekdays such as MO", None),
        ("FREQ=WEEKLY;BYDAY=2TU", 18, "numbers before weekdays go with FREQ=MONTHLY or YEARLY", None),
        ("FREQ=YEARLY;BYWEEKNO=3;BYDAY=2TU", 29, "don't go with BYWEEKNO", None),
        ("FREQ=WEEKLY;BYMONTHDAY=3", 23, "BYMONTHDAY goes with FREQ=YEARLY, MONTHLY, DAILY", None),
        ("FREQ=MONTHLY;BYWEEKNO=3", 22, "BYWEEKNO goes with FREQ=YEARLY, not with MONTHLY", None),
        ("FREQ=DAILY;BYSETPOS=1", 20, "BYSETPOS picks out of", None),
        ("FREQ=DAILY;COUNT=0", 17, "whole number, 1 or more", None),
        ("FREQ=DAILY;INTERVAL=1234567890", 20, "at most 9 digits", None),
        ("FREQ=DAILY;COUNT=3;COUNT=4", 19, "COUNT comes twice", None),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", 25, "COUNT and UNTIL don't go together", None),
        ("FREQ=DAILY;UNTIL=2027-01-01", 17, "expected a date such as", "FREQ=DAILY;UNTIL=20270101"),
        ("FREQ=DAILY;WKST=monday", 16, "WKST must be one of", "FREQ=DAILY;WKST=MO"),
        ("FREQ=DAILY;BYEASTER=0", 11, "dateutil's own", None),
        ("FREQ=DAILY;RSCALE=CHINESE", 11, "RFC 7529", None),
        ("DTSTART:20260230T090000\nRRULE:FREQ=DAILY", 8, "doesn't exist", None),
        (
            "DTSTART;TZID=Europe/Berln:20260202T090000\nRRULE:FREQ=DAILY",
            26,
            "did you mean 'Europe/Berlin'",
            None,
        ),
        ("DTSTART:20260101\nDTSTART:20260102\nRRULE:FREQ=DAILY", 17, "DTSTART comes twice", None),
        ("RRULE:FREQ=DAI\r\n LY;BYHOUR=99", 27, "BYHOUR has", None),
        ("RULE:FREQ=DAILY", 0, "expected one of DTSTART, RRULE", "RRULE:FREQ=DAILY"),
        ("EXRULE:FREQ=DAILY", 0, "no longer part of iCalendar", None),
        ("BEGIN:VCALENDAR", 0, "mainspring.ics", None),
        ("RDATE:20260101", 0, "expected a rule such as", None),
        ("", 0, "expected parts such as FREQ=WEEKLY", None),
        ("0 9 * * *", 0, "expected parts such as FREQ=WEEKLY", None),
    ],
)
def test_what_the_standard_does_not_have_is_refused_where_it_stands(text, position, message, hint):
    with pytest.raises(CronSyntaxError, match=message) as raised:
        RecurrenceTrigger(text)
    assert (raised.value.position, raised.value.hint) == (position, hint)


@pytest.mark.parametrize("rule", [None, b"FREQ=DAILY", 5, ["FREQ=DAILY", 3]])
def test_what_is_no_text_is_refused(rule):
    with pytest.raises(TypeError, match="rule must be a text such as 'FREQ=DAILY'"):
        RecurrenceTrigger(rule)


def test_a_start_or_a_zone_that_is_said_twice_is_refused():
    with pytest.raises(TriggerError, match="the text has DTSTART: say it once"):
        RecurrenceTrigger("DTSTART:20260101T090000\nRRULE:FREQ=DAILY", start_date="2026-01-01")
    with pytest.raises(TriggerError, match="but DTSTART is in UTC"):
        RecurrenceTrigger("DTSTART:20260101T090000Z\nRRULE:FREQ=DAILY", timezone="Europe/Berlin")


@pytest.mark.parametrize(
    "same",
    [
        "freq=weekly;byday=we,mo;interval=2;",
        "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=WE,MO,MO;WKST=MO",
        "DTSTART:20260302T090000\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE",
        "DTSTART;TZID=Europe/Berlin:20260302T090000 RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;BYHOUR=9",
        "RRULE:FREQ=WEEKLY;INTER\r\n VAL=2;BYDAY=MO,WE\r\n",
        ["DTSTART;TZID=Europe/Berlin:20260302T090000", "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE"],
    ],
)
def test_rules_are_equal_where_they_mean_the_same(same):
    options = {} if "DTSTART" in "".join(same) else {"start_date": "2026-03-02 09:00"}
    start = {} if "TZID" in "".join(same) else {"timezone": "Europe/Berlin"}
    one = RecurrenceTrigger(
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", start_date="2026-03-02 09:00", timezone="Europe/Berlin"
    )
    assert RecurrenceTrigger(same, **options, **start) == one
    assert (
        RecurrenceTrigger("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", start_date="2026-03-02 09:00", timezone=BERLIN)
        != one
    )


def test_a_part_that_the_start_implies_makes_no_difference():
    implied = RecurrenceTrigger("DTSTART:20260302T090000Z\nRRULE:FREQ=WEEKLY;UNTIL=20270101T000000Z")
    said = RecurrenceTrigger(
        "DTSTART:20260302T090000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;UNTIL=20270101T000000Z;WKST=SU"
    )
    assert implied == said
    assert implied != RecurrenceTrigger("DTSTART:20260303T090000Z\nRRULE:FREQ=WEEKLY;UNTIL=20270101T000000Z")


def test_dates_to_leave_out_are_the_same_however_they_are_spelt():
    lines = "DTSTART;TZID=Europe/Berlin:20260302T090000\nRRULE:FREQ=DAILY\n"
    spellings = [
        "EXDATE;TZID=Europe/Berlin:20260304T090000,20260303T090000",
        "EXDATE:20260303T080000Z\nEXDATE:20260304T080000Z",
        "EXDATE;TZID=America/New_York:20260303T030000,20260304T030000",
    ]
    triggers = [RecurrenceTrigger(lines + spelling) for spelling in spellings]
    assert triggers[0] == triggers[1] == triggers[2]
    assert [found.day for found in triggers[2].upcoming(NOW - DAY, 3)] == [2, 5, 6]
    whole_day = RecurrenceTrigger(f"{lines}EXDATE;VALUE=DATE:20260303")
    assert [found.day for found in whole_day.upcoming(NOW - DAY, 3)] == [2, 4, 5]


def test_without_a_start_it_starts_when_it_is_added_and_goes_on_from_there_after_a_restart():
    trigger = parse("FREQ=DAILY;INTERVAL=3;COUNT=3", "rrule")
    bound = trigger.bind(timezone=BERLIN, now=NOW + timedelta(microseconds=1), job_id="a")
    assert [f"{found:%d %H:%M:%S}" for found in bound.upcoming(NOW, 9)] == [
        "02 10:00:01",
        "05 10:00:01",
        "08 10:00:01",
    ]
    assert trigger.bind(timezone=BERLIN, now=NOW + DAY, job_id="a").is_same_schedule(bound)
    other = parse("FREQ=DAILY;INTERVAL=4;COUNT=3", "rrule").bind(timezone=BERLIN, now=NOW, job_id="a")
    assert not other.is_same_schedule(bound)


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260304", "04 09:00"),
        ("20260304T090000", "04 09:00"),
        ("20260304T085959", "03 09:00"),
        ("20260304T080000Z", "04 09:00"),
        ("20260304T075959Z", "03 09:00"),
    ],
)
def test_the_end_is_included(until, last):
    trigger = RecurrenceTrigger(f"DTSTART;TZID=Europe/Berlin:20260302T090000\nRRULE:FREQ=DAILY;UNTIL={until}")
    assert f"{trigger.upcoming(NOW - DAY, 9)[-1]:%d %H:%M}" == last
    assert f"{trigger.previous(NOW + 99 * DAY):%d %H:%M}" == last


def test_several_rules_are_united():
    trigger = RecurrenceTrigger(
        "DTSTART:20260302T090000Z\nRRULE:FREQ=DAILY;COUNT=2\nRRULE:FREQ=WEEKLY;UNTIL=20260317T000000Z\nEXDATE:20260309T090000Z"
    )
    assert [found.day for found in trigger.upcoming(NOW, 9)] == [2, 3, 16]
    assert trigger.previous(NOW + 99 * DAY).day == 16


def test_a_delay_ends_with_the_rule():
    trigger = RecurrenceTrigger(
        "DTSTART:20260302T090000Z\nRRULE:FREQ=DAILY;UNTIL=20260303T090005Z", jitter=3600
    )
    for job_id in "abcdefgh":
        bound = trigger.bind(timezone=UTC, now=NOW, job_id=job_id)
        first, last = bound.upcoming(NOW, 9)
        assert NOW <= first < NOW + timedelta(hours=1)
        assert NOW + DAY <= last <= NOW + DAY + timedelta(seconds=5)


#: Rules that never fire, or seldom, or whose count is far.
WORST = [
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MONTHLY;INTERVAL=12;BYMONTH=4",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
    "FREQ=WEEKLY;INTERVAL=60;BYDAY=MO;BYSETPOS=2",
    "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
    "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
    "FREQ=HOURLY;INTERVAL=24;BYHOUR=5",
    "FREQ=HOURLY;INTERVAL=168;BYDAY=TU",
    "FREQ=MINUTELY;INTERVAL=10080;BYDAY=TU",
    "FREQ=SECONDLY;INTERVAL=2;BYSECOND=1,3,5",
    "FREQ=SECONDLY;INTERVAL=999999999;BYSECOND=7",
    "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6;BYDAY=MO",
]


@pytest.mark.parametrize("rule", WORST)
def test_what_never_fires_is_found_out_in_one_step_and_in_few_looks_at_years(rule, monkeypatch):
    looks = 0
    year = Days.year

    def counting(self, number):
        nonlocal looks
        looks += 1
        return year(self, number)

    monkeypatch.setattr(Days, "year", counting)
    trigger = RecurrenceTrigger(f"DTSTART;TZID=Europe/Berlin:19700101T030000\nRRULE:{rule}")
    assert trigger.search(None, NOW, Steps(1)) is NEVER
    assert trigger.search_before(NOW, Steps(1)) is NEVER
    assert looks < 60_000
    looks = 0
    assert trigger.search(None, NOW, Steps(1)) is NEVER
    assert looks < 10, "it is known by now"


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;INTERVAL=7;COUNT=999999999",
        "FREQ=MINUTELY;COUNT=999999999",
        "FREQ=HOURLY;INTERVAL=25;BYDAY=MO;COUNT=999999",
        "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=2;BYMONTH=3;COUNT=999999999",
        "FREQ=SECONDLY;INTERVAL=86401;BYMINUTE=3;BYMONTH=2;BYMONTHDAY=29;COUNT=999999",
    ],
)
def test_a_start_long_ago_and_a_far_count_take_few_looks_at_days(rule, monkeypatch):
    looks = 0
    following = Days.following

    def counting(self, day):
        nonlocal looks
        looks += 1
        return following(self, day)

    monkeypatch.setattr(Days, "following", counting)
    trigger = RecurrenceTrigger(f"DTSTART:19700101T000000Z\nRRULE:{rule}")
    found = trigger.get_next_fire_time(None, NOW)
    assert found is not None
    assert found >= NOW
    before = trigger.previous(found)
    assert before < found
    assert trigger.get_next_fire_time(before, NOW) == found
    assert looks < 2_500


MUTATIONS = [
    *"0123456789,;=:-+MOTUWEFRSA \n\tZ/",
    ";INTERVAL=999999",
    ";COUNT=99999999",
    ";BYSETPOS=366",
    ",31",
    ";BYHOUR=0,1,2",
]


def test_any_text_is_read_or_refused_and_what_is_read_is_searched_both_ways():
    read, refused = 0, []
    for number in range(250):
        pick = random.Random(number)
        text = pick.choice(
            [*WORST, "FREQ=MONTHLY;BYDAY=-1FR,2MO;BYSETPOS=1", "FREQ=WEEKLY;UNTIL=20270101T090000Z;WKST=SU"]
        )
        if pick.random() < 0.5:
            start = pick.choice(["00010101T000000", "19700101", "99991231T235959", "20260302T090000Z"])
            text = f"DTSTART:{start}\nRRULE:{text}"
        for _ in range(pick.randint(0, 2)):
            at = pick.randrange(len(text))
            text = text[:at] + pick.choice(["", *MUTATIONS]) + text[at + pick.randint(0, 1) :]
        try:
            trigger = RecurrenceTrigger(text)
        except TriggerError as error:
            refused.append(str(error))
            continue
        read += 1
        bound = trigger.bind(timezone=BERLIN, now=NOW, job_id="a")
        found = bound.get_next_fire_time(None, NOW)
        before = None if found is None else bound.previous(found)
        if before is not None:
            assert bound.get_next_fire_time(before, NOW) == found, text
    assert read > 60
    assert max(map(len, refused)) < 1000


def test_the_count_is_exact_far_away():
    every_seventh = RecurrenceTrigger(
        "DTSTART:19700101T000000Z\nRRULE:FREQ=SECONDLY;INTERVAL=7;COUNT=99999999"
    )
    last = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=7 * 99_999_998)
    assert every_seventh.previous(datetime(9000, 1, 1, tzinfo=UTC)) == last
    assert every_seventh.get_next_fire_time(last, last) is None
    workdays = RecurrenceTrigger(
        "DTSTART:19700105T000000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=5001"
    )
    assert (
        workdays.previous(datetime(9000, 1, 1, tzinfo=UTC)) == datetime(1970, 1, 5, tzinfo=UTC) + 7000 * DAY
    )


def test_the_count_of_a_distance_of_weeks_in_seconds_is_exact_too():
    seconds = 1_048_583  # a prime, so that no two fire at the same time of the day
    trigger = RecurrenceTrigger(f"DTSTART:19700101T000000Z\nRRULE:FREQ=SECONDLY;INTERVAL={seconds};COUNT=501")
    last = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=500 * seconds)
    assert trigger.previous(datetime(9000, 1, 1, tzinfo=UTC)) == last
    assert trigger.count_between(datetime(1970, 1, 1, tzinfo=UTC), last) == 500


def test_a_start_alone_is_once():
    trigger = RecurrenceTrigger("DTSTART;TZID=Europe/Berlin:20260302T090000")
    only = datetime(2026, 3, 2, 9, tzinfo=BERLIN)
    assert trigger.upcoming(only - DAY, 9) == [only]
    assert trigger.previous(only + DAY) == only
    assert trigger.previous(only) is None
    assert trigger.count_between(only - DAY, only + DAY) == 1
    assert eval(repr(trigger)) == trigger


def test_a_search_through_many_dates_that_are_left_out_goes_on_where_it_ended():
    days = [NOW + at * DAY for at in range(1000)]
    listed = ",".join(f"{day:%Y%m%dT%H%M%SZ}" for day in days)
    trigger = RecurrenceTrigger(f"DTSTART:20260302T090000Z\nRRULE:FREQ=DAILY\nEXDATE:{listed}")
    answer = trigger.search(None, NOW, Steps(10))
    assert isinstance(answer, Unknown)
    assert NOW < answer.since < NOW + 12 * DAY
    assert trigger.search(None, NOW, Steps()) == Found(NOW + 1000 * DAY)
    before = trigger.search_before(NOW + 1000 * DAY, Steps(10))
    assert isinstance(before, Unknown)
    assert trigger.previous(NOW + 1000 * DAY) is None


def test_a_start_with_a_part_of_a_second_begins_at_the_next():
    start = datetime(2026, 3, 2, 9, 0, 0, 1, tzinfo=BERLIN)
    trigger = RecurrenceTrigger("FREQ=DAILY", start_date=start)
    assert trigger.upcoming(start, 1) == [datetime(2026, 3, 2, 9, 0, 1, tzinfo=BERLIN)]


@pytest.mark.parametrize("number", range(40))
def test_what_repeats_by_hours_or_shorter_is_said_by_its_times_of_the_day(number):
    """What is said alike by a rule and by a cron schedule is alike."""
    pick = random.Random(number)
    freq, steps = pick.choice(
        [("HOURLY", (1, 2, 6)), ("MINUTELY", (1, 7, 15, 60, 180)), ("SECONDLY", (30, 90, 7200))]
    )
    rule = f"FREQ={freq};INTERVAL={pick.choice(steps)}" + pick.choice(
        ["", ";BYHOUR=3,4,5", ";BYHOUR=9", ";BYDAY=MO,SU"]
    )
    trigger = RecurrenceTrigger(f"DTSTART:20260302T054030\nRRULE:{rule}", timezone=UTC)
    said = trigger.explain()
    begin = datetime(2026, 3, 8, tzinfo=UTC)
    times = list(trigger.between(begin, begin + timedelta(days=1) - timedelta(seconds=1)))
    digits = [sorted({getattr(time, unit) for time in times}) for unit in ("hour", "minute", "second")]
    if "iCalendar" in said or not times or len(times) != prod(map(len, digits)):
        assert re.search("INTERVAL=(7|90)(;|$)|BYHOUR=9|BYHOUR=3", rule), said
        return
    hour, minute, second = ([int(one) for one in values] for values in digits)
    weekdays = "mon,sun" if "BYDAY" in rule else "*"
    cron = CronTrigger(day_of_week=weekdays, hour=hour, minute=minute, second=second, timezone=UTC)
    assert said.startswith(cron.explain().removesuffix(", UTC"))


@pytest.mark.parametrize(
    "rule", ["FREQ=HOURLY;INTERVAL=5;BYSECOND=0,30", "FREQ=SECONDLY;INTERVAL=7;BYSECOND=7"]
)
def test_seconds_that_a_distance_does_not_say_are_told(rule):
    assert rule in RecurrenceTrigger(f"DTSTART:20260101T000007Z\nRRULE:{rule}").explain()
