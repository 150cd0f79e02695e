"""What is seldom said in plain English, and small changes of its reader would lose."""

from __future__ import annotations

import pytest

from mainspring.errors import TriggerError
from mainspring.triggers import parse
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.cron import CronTrigger


@pytest.mark.parametrize(
    ("sentence", "fields"),
    [
        (
            "every friday that falls on the 13th or 20th at 9",
            {"day": "13,20", "day_of_week": "fri", "hour": 9, "minute": 0},
        ),
        (
            "at 8 on mondays that fall on the 1st and on the 13th of the month",
            {"day": "1,13", "day_of_week": "mon", "hour": 8, "minute": 0},
        ),
        ("on odd days at 08:00", {"day": "*/2", "hour": 8, "minute": 0}),
        ("at 08:00 on even days", {"day": "2-31/2", "hour": 8, "minute": 0}),
        ("on the 1st and 15th day of the month at 8", {"day": "1,15", "hour": 8, "minute": 0}),
        (
            "at 08:00 in every fourth year from 2024 to 2040",
            {"year": "2024-2040/4", "hour": 8, "minute": 0},
        ),
    ],
)
def test_a_sentence_that_is_seldom_said(sentence, fields):
    assert parse(sentence, dialect="english") == CronTrigger(**fields)


def test_an_end_may_be_said_to_be_the_end_of_a_day():
    said = parse("at 08:00 every day until the end of 2026-12-31", dialect="english")
    assert said == parse("at 08:00 every day until 2026-12-31", dialect="english")


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("on the first monday of foo at 8", "a month, 'the month' or 'every month', got 'foo'"),
        (
            "every 1.5 seconds from 08:00 to 18:00",
            "at position 6: times of the day have whole seconds: write a whole number",
        ),
        ("every second last monday of the month at 8", "this may be the n-th of the month or of some weeks"),
        ("every second, last friday of the month", "a time of the day is missing"),
    ],
)
def test_what_is_refused_says_where_and_why(sentence, words):
    with pytest.raises(TriggerError) as refusal:
        parse(sentence, dialect="english")
    assert words in str(refusal.value)


def test_hours_round_midnight_are_told_in_one():
    hours = [CronTrigger(hour=hour) for hour in (22, 23, 0, 1)]
    assert OrTrigger(hours).explain() == "every hour from 22:00 to 01:00"
