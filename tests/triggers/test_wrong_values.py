"""Whatever is handed in, a trigger is made or a sentence says what is wrong, which is no longer than one can read."""

from __future__ import annotations

import warnings
from datetime import date, datetime, timedelta
from decimal import Decimal
from inspect import signature

import pytest

import mainspring
from mainspring import BusinessCalendar, CronTrigger, WeeklyTrigger
from mainspring.errors import TriggerError
from mainspring.triggers import parse

#: What is too long, too large, or of another kind than is meant, as it comes from programs, forms and configuration.
WRONG = [
    *(None, True, False, 0, -1, 10**30, -(10**30), int("9" * 4_000), 1e308, 1e-320),
    *(float("nan"), float("inf"), Decimal("NaN"), 1 + 2j),
    *("", " ", "\0", "5", "٣", "\ud800", "x" * 100_000, "9" * 5_000, b"x", bytearray(b"1")),
    *([], [1], [[1]], [None], ["\ud800"], {1}, {}, {"a": 1}, (), range(0)),
    *(timedelta(1), date.min, datetime.min, datetime.max, ..., object(), object, len),
]
#: Arguments with which each trigger can be made.
MADE_WITH = {
    "CronTrigger": {},
    "IntervalTrigger": {"hours": 1},
    "CalendarIntervalTrigger": {"days": 1},
    "DateTrigger": {},
    "WeeklyTrigger": {"day_of_week": "mon"},
    "BusinessDayTrigger": {"day": 1},
    "SunTrigger": {"event": "sunset", "latitude": 52.5, "longitude": 13.4},
    "RecurrenceTrigger": {"rule": "FREQ=DAILY"},
    "AndTrigger": {"triggers": [CronTrigger()]},
    "OrTrigger": {"triggers": [CronTrigger()]},
    "AfterJob": {},
}
DAILY = CronTrigger(hour=9, timezone="UTC")
METHODS = ["excluding", "on_business_days", "limited", "within", "spread", "to_cron"]
DIALECTS = ["unix", "quartz", "spring", "eventbridge", "jenkins", "systemd", "rrule", "iso8601", "english"]


def calls():
    for name, arguments in MADE_WITH.items():
        made = getattr(mainspring, name)
        for parameter in signature(made).parameters:
            if parameter not in ("kwargs", "options"):
                yield (
                    f"{name}.{parameter}",
                    lambda value, m=made, a=arguments, p=parameter: m(**{**a, p: value}),
                )
    for method in METHODS:
        yield method, getattr(DAILY, method)
    for reader in ("from_unix", "from_quartz", "from_crontab"):
        yield reader, getattr(CronTrigger, reader)
    for dialect in (None, *DIALECTS):
        yield f"parse {dialect}", lambda value, d=dialect: parse(value, d)
    yield "dialect", lambda value: parse("0 9 * * *", value)
    yield "holidays", BusinessCalendar
    yield "weekend", lambda value: BusinessCalendar((), value)


@pytest.mark.parametrize(
    ("name", "call"), list(calls()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_wrong_value_is_told_of_in_a_sentence(name, call):
    if name.startswith("SunTrigger"):
        pytest.importorskip("astral")
    for value in WRONG:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                call(value)
        except (ValueError, TypeError, LookupError) as error:
            said = str(error)
            assert len(said) < 1_500, (name, said[:200])
            assert "object is not" not in said, (name, said[:200])
            assert said != "year 0 is out of range"
            assert "Exceeds the limit" not in said, (name, said[:200])


@pytest.mark.parametrize(("hour", "meant"), [(0, "'00:00'"), (23, "'23:00'"), (24, None)])
def test_a_number_among_the_times_is_taken_for_an_hour_that_was_meant(hour, meant):
    with pytest.raises(TriggerError) as refused:
        WeeklyTrigger(day_of_week="mon", times=[hour])
    assert str(refused.value).partition("did you mean ")[2] == (f"{meant}?" if meant else "")
