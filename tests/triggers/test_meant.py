"""What is offered for whole texts that can't be read: another dialect by name, or the text as it was most likely meant."""

from __future__ import annotations

import re

import pytest

from mainspring.errors import CronSyntaxError
from mainspring.triggers import parse
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.parsing import DIALECTS

READ_ELSEWHERE = [
    ("rate(5 minutes)", "eventbridge"),
    ("cron(0 10 * * ? *)", "eventbridge"),
    ("at(2026-11-20T13:00:00)", "eventbridge"),
    ("Mon *-*-* 09:00:00", "systemd"),
    ("Mon..Fri 09:00", "systemd"),
    ("daily", "systemd"),
    ("OnCalendar=daily", "systemd"),
    ("FREQ=DAILY;BYHOUR=9", "rrule"),
    ("RRULE:FREQ=WEEKLY;BYDAY=MO", "rrule"),
    ("R/2026-01-01T00:00:00Z/P1D", "iso8601"),
    ("R5/PT15M", "iso8601"),
    ("every 5 minutes", "english"),
    ("every monday at 9", "english"),
    ("0 0 9 ? * MON 2027", "quartz"),
]


@pytest.mark.parametrize("method", ["from_unix", "from_crontab", "from_quartz"])
@pytest.mark.parametrize(("text", "dialect"), READ_ELSEWHERE)
def test_a_method_of_one_dialect_names_the_one_that_reads_the_text(
    method: str, text: str, dialect: str
) -> None:
    if method == "from_quartz" and dialect == "quartz":
        return
    with pytest.raises(
        CronSyntaxError, match=re.escape(f"mainspring.triggers.parse(text, dialect={dialect!r}) reads it")
    ):
        getattr(CronTrigger, method)(text)
    parse(text, dialect)


@pytest.mark.parametrize(
    ("method", "text", "said"),
    [
        ("from_crontab", "@every 5m", "parse(text, dialect='unix') reads it"),
        ("from_crontab", "* * * * * *", "parse(text, dialect='spring') reads it"),
        ("from_quartz", "0 9 * * 1-5", "parse(text, dialect='unix') reads it"),
        ("from_quartz", "0 0 9 * * 1-5", "parse(text, dialect='spring') reads it"),
        ("from_unix", "0 10 * * ? *", "parse('cron(0 10 * * ? *)', dialect='eventbridge')"),
    ],
)
def test_what_else_reads_it_is_what_was_most_likely_meant(method: str, text: str, said: str) -> None:
    with pytest.raises(CronSyntaxError, match=re.escape(said)):
        getattr(CronTrigger, method)(text)


def test_what_nothing_reads_is_said_to_be_read_by_nothing() -> None:
    for text in ("0 9 * * mun", "nonsense", "0 9 * *", "x" * 10_000):
        for read in (CronTrigger.from_unix, CronTrigger.from_crontab, CronTrigger.from_quartz):
            with pytest.raises(CronSyntaxError) as caught:
                read(text)
            assert "parse(" not in str(caught.value)


@pytest.mark.parametrize("text", ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", "@nightly"])  # fmt: skip
def test_short_forms_are_those_of_crontabs(text: str) -> None:
    assert parse(text) == CronTrigger.from_unix(text)


MEANT = [
    # around the text
    (None, '"0 9 * * *"', "0 9 * * *"),
    (None, "'0 9 * * *'", "0 9 * * *"),
    (None, "`0 9 * * *`", "0 9 * * *"),
    (None, 'schedule: "0 9 * * *"', "0 9 * * *"),
    (None, "cron = 0 9 * * *;", "0 9 * * *"),
    (None, "# 0 9 * * *", "0 9 * * *"),
    ("systemd", '"Mon *-*-* 09:00"', "Mon *-*-* 09:00"),
    ("rrule", "'FREQ=DAILY'", "FREQ=DAILY"),
    # other characters
    (None, "0 9\N{EN DASH}17 * * 1\N{EN DASH}5", "0 9-17 * * 1-5"),
    (None, "\N{FULLWIDTH DIGIT ZERO} \N{FULLWIDTH DIGIT NINE} * * *", "0 9 * * *"),
    # intervals
    (None, "5m", "@every 5m"),
    (None, "1h30m", "@every 1h30m"),
    (None, "10 sec", "@every 10s"),
    (None, "@every 1 hour", "@every 1h"),
    (None, "@every 5 minutes", "@every 5m"),
    ("unix", "@every 2 days", "@every 48h"),
    # hashes
    (None, "h h * * *", "H H * * *"),
    ("jenkins", "h h(0-7) * * *", "H H(0-7) * * *"),
    # EventBridge
    (None, "rate 5 minutes", "rate(5 minutes)"),
    (None, "rate(5minutes)", "rate(5 minutes)"),
    ("aws", "rate(1 hours)", "rate(1 hour)"),
    ("aws", "rate(5 min)", "rate(5 minutes)"),
    (None, "cron(0 10 * * ?)", "cron(0 10 * * ? *)"),
    ("aws", "cron(0 10 * * *)", "cron(0 10 * * ? *)"),
    ("aws", "cron(0 10 * * MON-FRI)", "cron(0 10 ? * MON-FRI *)"),
    ("aws", "cron(0 10 * * 1-5 *)", "cron(0 10 ? * mon-fri *)"),
    ("aws", "0 10 * * ? *", "cron(0 10 * * ? *)"),
    (None, "at(2026-01-01 00:00:00)", "at(2026-01-01T00:00:00)"),
    # Quartz: who has two stars has the numbers of weekdays from elsewhere
    ("quartz", "0 0 9 * * 1-5", "0 0 9 ? * mon-fri"),
    ("quartz", "0 0 9 * * MON#1", "0 0 9 ? * MON#1"),
    # iCalendar, ISO 8601, systemd, English
    (None, "FREQ=DAYLY;COUNT=3", "FREQ=DAILY;COUNT=3"),
    (None, "FREQ=WEEKLY;BYDAYS=MO", "FREQ=WEEKLY;BYDAY=MO"),
    (None, "FREQ=WEEKLY;UNTIL=2026-01-01;BYDAY=MO", "FREQ=WEEKLY;UNTIL=20260101;BYDAY=MO"),
    (None, "R/2026-01-01T00:00:00Z/P1H", "R/2026-01-01T00:00:00Z/PT1H"),
    (None, "R/2026-01-01T00:00:00Z/1D", "R/2026-01-01T00:00:00Z/P1D"),
    (None, "2026-01-01T09:00:00Z", "2026-01-01 09:00:00 UTC"),
    (None, "everyday at 9", "every day at 9"),
    ("unix", "9:30 * * *", "30 9 * * *"),
    ("unix", "0 9 * *", "0 9 * * *"),
    ("unix", "@every1h", "@every 1h"),
    ("unix", "0 9 * * mon..fri", "0 9 * * mon-fri"),
    ("unix", "0 9 * * 5#L", "0 9 * * 5L"),
    ("spring", '@Scheduled(cron = "0 0 9 * * *", zone = "UTC")', "0 0 9 * * *"),
    ("aws", "cron 0 9 * * ? *", "cron(0 9 * * ? *)"),
    ("aws", "rate(1.5 hours)", "rate(90 minutes)"),
    ("systemd", "*-*-* 09.00", "*-*-* 09:00"),
    ("systemd", "9am", "9:00"),
    ("systemd", "Mon *-*-* 9", "Mon *-*-* 9:00"),
    ("systemd", "daily 09:00", "09:00"),
    ("systemd", "every day", "daily"),
    ("systemd", "noon", "12:00"),
    ("systemd", "2026-01-01T09:00:00", "2026-01-01 09:00:00"),
    ("aws", "rate(2 d)", "rate(2 days)"),
    ("systemd", "Mon,Tue;Wed 09:00", "Mon,Tue,Wed 09:00"),
    ("rrule", "FREQ=FORTNIGHTLY;BYDAY=MO", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"),
    ("rrule", "FREQ=WEEKLY;BYDAY=MO WE FR", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
    ("rrule", "FREQ=DAILY,INTERVAL=2", "FREQ=DAILY;INTERVAL=2"),
    ("rrule", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=MONTHLY;BYDAY=1MO"),
    ("rrule", "FREQ=DAILY;BYHOUR=9:30", "FREQ=DAILY;BYHOUR=9;BYMINUTE=30"),
    ("rrule", "FREQ=YEARLY;BYMONTH=JAN,JUL;BYMONTHDAY=1", "FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=1"),
    ("iso8601", "R/2026-01-01T00:00Z/24H", "R/2026-01-01T00:00Z/PT24H"),
    ("iso8601", "RR/2026-01-01/P1D", "R/2026-01-01/P1D"),
    ("iso8601", "R5,2026-01-01,P1D", "R5/2026-01-01/P1D"),
    ("iso8601", "R5/01.02.2026/P1D", "R5/2026-02-01/P1D"),
    # two readings, or none: nothing is offered
    (None, "biweekly", None),
    (None, "fortnightly", "fortnightly at 09:00"),
    (None, "@reboot", None),
    (None, "twice a day", "every 12 hours"),
    (None, "every 1 hour past", None),
]


@pytest.mark.parametrize(("dialect", "wrong", "meant"), MEANT, ids=lambda value: ascii(value))
def test_what_was_most_likely_meant_is_offered_and_can_be_read(
    dialect: str | None, wrong: str, meant: str | None
) -> None:
    with pytest.raises(CronSyntaxError) as caught:
        parse(wrong, dialect)
    assert caught.value.hint == meant
    if meant is not None:
        assert dialect is None or parse(meant, dialect)
        assert any(f"dialect={name!r}" in str(caught.value) for name in DIALECTS) or dialect is not None


def test_the_last_word_is_a_zone_only_after_what_can_be_read() -> None:
    for text, said in [
        ("10:00 tomorrow", "no time zone is named 'tomorrow'"),
        ("once every sunrise", "expected"),
        ("jeden Tag um 9 Uhr", "expected"),
    ]:
        with pytest.raises(CronSyntaxError, match=said):
            parse(text, "systemd")
