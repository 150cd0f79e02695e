"""English sentences fire when a plain reading of them says so, and what `explain` says is read back as the same schedule."""

from __future__ import annotations

import random
import re
import warnings
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring.errors import TriggerError
from mainspring.triggers import parse
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.cron import CronTrigger
from sentence_reader import MONTHS
from sentence_reader import WEEKDAYS as DAYS
from triggers.test_sentences import ENGLISH, made, written

PLACES = ["first", "second", "third", "fourth", "fifth"]
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]


def listed(words):
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]


def some_days(pick):
    """A phrase for days, and which days it means."""
    kind = pick.randrange(9)
    some = sorted(pick.sample(range(7), pick.randint(1, 3)))
    if kind == 0:
        return pick.choice(["every day", "daily"]), lambda day: True
    if kind == 1:
        return pick.choice(["on weekdays", "every weekday", "mon-fri"]), lambda day: day.weekday() < 5
    if kind == 2:
        return (
            f"{pick.choice(['on', 'every'])} {listed([DAYS[one] for one in some])}",
            lambda day: day.weekday() in some,
        )
    if kind == 3:
        first, last = pick.sample(range(7), 2)
        return (
            f"from {DAYS[first]} to {DAYS[last]}",
            lambda day: (day.weekday() - first) % 7 <= (last - first) % 7,
        )
    if kind == 4:
        numbers = sorted(pick.sample(range(1, 29), 2))
        return f"on the {ordinal(numbers[0])} and {ordinal(numbers[1])}", lambda day: day.day in numbers
    if kind == 5:
        place, weekday = pick.randrange(5), pick.randrange(7)
        return (
            f"on the {PLACES[place]} {DAYS[weekday]} of the month",
            lambda day: day.weekday() == weekday and (day.day - 1) // 7 == place,
        )
    if kind == 6:
        weekday = pick.randrange(7)
        return (
            f"on the last {DAYS[weekday]} of every month",
            lambda day: day.weekday() == weekday and (day + timedelta(7)).month != day.month,
        )
    if kind == 7:
        before = pick.randint(1, 5)
        return (
            f"on the {PLACES[before - 1]} day before the last day of the month",
            lambda day: (day + timedelta(before + 1)).day == 1,
        )
    return "on the last day of the month", lambda day: (day + timedelta(1)).day == 1


def ordinal(number):
    return f"{number}{'th' if number in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def some_months(pick):
    kind = pick.randrange(4)
    if kind == 0:
        some = sorted(pick.sample(range(1, 13), pick.randint(1, 3)))
        return f" in {listed([MONTHS[one - 1] for one in some])}", lambda day: day.month in some
    if kind == 1:
        first, last = pick.sample(range(1, 13), 2)
        return (
            f", from {MONTHS[first - 1]} to {MONTHS[last - 1]}",
            lambda day: (day.month - first) % 12 <= (last - first) % 12,
        )
    return "", lambda day: True


def some_times(pick):
    kind = pick.randrange(4)
    if kind == 0:
        some = sorted(pick.sample(range(24 * 60), pick.randint(1, 3)))
        words = [f"{one // 60:02}:{one % 60:02}" for one in some]
        return f"at {listed(words)}", some
    if kind == 1:
        step, first = pick.choice([5, 7, 20, 45, 90]), pick.randrange(0, 12 * 60, 5)
        last = first + pick.randrange(60, 11 * 60, 5)
        return (
            f"every {step} minutes from {first // 60:02}:{first % 60:02} to {last // 60:02}:{last % 60:02}",
            list(range(first, last + 1, step)),
        )
    if kind == 2:
        some = sorted(pick.sample(range(60), 2))
        return f"at {listed([str(one) for one in some])} minutes past every hour", [
            hour * 60 + one for hour in range(24) for one in some
        ]
    hour = pick.randrange(12)
    half = pick.choice(["am", "pm"])
    return f"at {hour or 12}{half}", [(hour + (12 if half == "pm" else 0)) * 60]


@pytest.mark.one_python
def test_every_sentence_fires_when_a_plain_reading_of_it_says_so():
    pick = random.Random("sentences")
    first = date(2027, 12, 20)
    for _ in range(200):
        (when, days), (season, months), (clock, minutes) = (
            some_days(pick),
            some_months(pick),
            some_times(pick),
        )
        text = f"{clock} {when}{season}" if pick.random() < 0.5 else f"{when}{season} {clock}"
        expected: list[datetime] = []
        ahead = 0
        while len(expected) < 50 and ahead < 800:
            day = first + timedelta(ahead)
            if days(day) and months(day):
                midnight = datetime.combine(day, time(), UTC)
                expected += [midnight + timedelta(minutes=minute) for minute in minutes]
            ahead += 1
        begin, end = (datetime.combine(first + timedelta(many), time(), UTC) for many in (0, ahead))
        times = parse(text, "english").upcoming(begin, 50)
        assert [at for at in times if at < end] == expected[:50], text


def read_back(trigger, sentence):
    """What a sentence of `explain` is, read back: ``"same"``, ``"different"``, or ``"refused"``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            again = parse(sentence, "english")
    except TriggerError:
        return "refused"
    now = datetime(2026, 3, 1, tzinfo=BERLIN)
    both = [one.bind(timezone=BERLIN, now=now, job_id="job1") for one in (trigger, again)]
    for start in (now, datetime(2026, 10, 23, 12, tzinfo=BERLIN), datetime(2028, 2, 25, tzinfo=BERLIN)):
        times = [[at.astimezone(UTC) for at in one.upcoming(start, 40)] for one in both]
        if times[0] != times[1]:
            return "different"
    return "same"


#: What the grammar leaves out: what a function says, other jobs, holidays, what is only counted, what needs the zone of the scheduler, and what rules of
#: iCalendar alone can mean.
BEYOND = re.compile(
    r"at times that the job's id chooses \(|which is about|says so|holiday|the days of Closures|on \d+ dates|run of job|the iCalendar rule|at each of|never fires"
    r"|by the clock|of every third year|100th day|20th Monday|last ISO week|day of a weekend|30 every 2 years"
    r"|(every day|weeks)(, UTC)?, counted from when it is added|except at 2026"
)


@pytest.mark.one_python
def test_what_explain_says_is_read_back_as_the_same_schedule(record_property):
    pytest.importorskip("astral")
    outcomes, wrong, refused = Counter(), [], []
    for text, _ in written(*ENGLISH):
        trigger = made(text)
        outcome = read_back(trigger, trigger.explain())
        outcomes[outcome] += 1
        if outcome == "refused":
            refused.append(trigger.explain())
        if outcome == "different":
            wrong.append((text, trigger.explain()))
    share = outcomes["same"] / outcomes.total()
    record_property("share of sentences that are read back", f"{share:.0%} of {outcomes.total()}")
    assert wrong == []
    assert share > 0.91, outcomes
    assert [one for one in refused if not BEYOND.search(one)] == []


@pytest.mark.one_python
def test_times_of_several_schedules_are_told_together_as_they_are():
    pick = random.Random("together")
    told = 0
    for _ in range(50):
        first, step = pick.randrange(0, 24 * 60, 5), pick.choice([35, 45, 70, 90, 100])
        times = {(first + step * turn) % (24 * 60) for turn in range(pick.randint(2, 16))}
        times |= {pick.randrange(24 * 60) for _ in range(pick.choice([0, 0, 1, 2]))}
        days = {"day_of_week": "mon-fri"} if pick.random() < 0.5 else {}
        parts = [CronTrigger(hour=time // 60, minute=time % 60, **days) for time in sorted(times)]
        trigger = OrTrigger(parts)
        sentence = trigger.explain()
        told += "and also" not in sentence
        monday = datetime(2026, 3, 2, tzinfo=UTC)
        again = parse(sentence, "english").bind(timezone=UTC, now=monday, job_id="job1")
        expected = [monday + timedelta(minutes=time) for time in sorted(times)]
        assert again.upcoming(monday - timedelta(microseconds=1), len(times)) == expected, sentence
    assert told > 40


def some_cron(pick):
    """A cron trigger of the kinds that people write."""
    step = pick.choice([5, 10, 15, 20, 30])
    hours = [str(pick.randrange(24)), "8-18", "*/2", "9,17", "*", "6-22/4"]
    minutes = ["0", "0", "30", str(pick.randrange(60)), f"*/{step}", "5,35"]
    days = ["1", "15", "1,15", "last", "L-2", "1-7", "2nd tue", "last fri", "LW", "31"]
    weekdays = ["mon", "mon-fri", "sat,sun", "tue,thu", "fri#2"]
    fields = {"hour": pick.choice(hours), "minute": pick.choice(minutes)}
    kind = pick.randrange(5)
    if kind in (1, 3):
        fields["day"] = pick.choice(days)
    if kind in (2, 4):
        fields["day_of_week"] = pick.choice(weekdays)
    if kind in (3, 4) and pick.random() < 0.6:
        fields["month"] = pick.choice(["1", "*/3", "jun-aug", "2,7,11", "dec"])
    return CronTrigger(**fields, timezone=pick.choice([None, *ZONES]))


@pytest.mark.one_python
def test_what_is_said_of_the_schedules_that_people_write_is_read_back_nearly_always():
    pick = random.Random("people's")
    triggers = [some_cron(pick) for _ in range(100)]
    outcomes = [(read_back(one, one.explain()), one.explain()) for one in triggers]
    assert [sentence for outcome, sentence in outcomes if outcome == "different"] == []
    assert sum(outcome == "same" for outcome, _ in outcomes) > 95, [
        one for one in outcomes if one[0] == "refused"
    ]
