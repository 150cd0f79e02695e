"""A slice of a search ends after so many steps, whatever triggers are made of which others."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.steps import Found, Never, Steps, Unknown

START = datetime(2026, 3, 1, tzinfo=UTC)
LIMIT = 300
#: So many questions to cron schedules are one step at most: those of a delay, and of shares that are no smaller than eight.
QUESTIONS = 60


class TooManyError(BaseException):
    """The slice goes on and on."""


@pytest.fixture
def asked(monkeypatch):
    """How many questions cron schedules were asked; more than there may be end the test."""
    questions = []
    after, before = CronTrigger._base_after, CronTrigger._base_before

    def counted(question):
        def ask(self, moment, steps):
            questions.append(moment)
            if len(questions) > LIMIT * QUESTIONS:
                raise TooManyError
            return question(self, moment, steps)

        return ask

    monkeypatch.setattr(CronTrigger, "_base_after", counted(after))
    monkeypatch.setattr(CronTrigger, "_base_before", counted(before))
    return questions


def of_minutes(*minutes, **fields):
    return CronTrigger(
        **{"hour": "*", "minute": ",".join(map(str, minutes))} | fields, timezone="Europe/Berlin"
    )


def test_schedules_that_are_each_either_of_two_and_never_agree(asked):
    """Shares of a slice are never smaller than some steps, so that they alone end nothing."""
    either = OrTrigger([of_minutes(0, hour=3), of_minutes(1, hour=5)])
    other = OrTrigger([of_minutes(0, hour=4), of_minutes(*range(2, 60))])
    both = AndTrigger([either, other]).bind(timezone=UTC, now=START, job_id="a")
    answer = both.search(START, START, Steps(LIMIT))
    assert isinstance(answer, Unknown)
    assert answer.since > START + timedelta(days=1)
    asked.clear()
    answer = both.search_before(START, Steps(LIMIT))
    assert isinstance(answer, Unknown)
    assert answer.since < START - timedelta(days=1)


def some_trigger(pick, depth):
    kind = pick.randrange(7) if depth else 0
    if kind == 0:
        hour = pick.choice(["*", "3", "4-9", "*/6"])
        return of_minutes(
            *pick.sample(range(60), pick.choice([1, 3, 30])), hour=hour, jitter=pick.choice([None, None, 90])
        )
    if kind in (1, 2):
        return AndTrigger([some_trigger(pick, depth - 1) for _ in range(pick.choice([2, 3]))])
    if kind in (3, 4):
        return OrTrigger([some_trigger(pick, depth - 1) for _ in range(pick.choice([2, 4]))])
    inner = some_trigger(pick, depth - 1)
    if kind == 5:
        return inner.within("08:00-12:00,14:00-16:00")
    return pick.choice(
        [
            lambda: inner.excluding(BusinessCalendar(weekend=["mon", "tue"])),
            lambda: inner.limited(500),
            lambda: inner.on_business_days(),
            lambda: inner.spread("1h"),
        ]
    )()


@pytest.mark.parametrize("number", range(3))
def test_a_slice_of_anything_ends(asked, number):
    pick = random.Random(number)
    answers = set()
    for _ in range(40):
        trigger = some_trigger(pick, 3).bind(timezone=UTC, now=START, job_id="a")
        asked.clear()
        answer = trigger.search(START, START, Steps(LIMIT))
        answers.add(type(answer))
        asked.clear()
        moment = answer.since if isinstance(answer, Unknown) else START
        trigger.search_before(moment, Steps(LIMIT))
    assert answers == {Found, Never, Unknown}
