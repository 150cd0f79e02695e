"""Any text at all, in the dialects of systemd, ISO 8601 and English, is a trigger or is refused, in few steps."""

from __future__ import annotations

import random
import sys
import warnings
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainspring.errors import TriggerError
from mainspring.triggers import parse
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LONGEST = 1000
#: So many calls of functions at most: some tens of milliseconds.
MOST_CALLS = 150_000

REAL = {
    "systemd": [
        "Mon..Fri *-*-* 09:00:00 Europe/Berlin",
        "Mon,Wed *-05~07/1",
        "2026..2030/2-1,7-1..7/3 0/2:5,35",
        "*-*-* *:*:0.5/0.25",
        "semiannually UTC",
        "@1395716396",
    ],
    "iso8601": [
        "R5/2026-01-01T00:00Z/P1D",
        "R5/2008-03-01T13:00:00Z/P1Y2M10DT2H30M",
        "R/PT1H/2026-01-01T00:00Z",
        "R3/2026-W01-4T12:00+02:00/P1.5W",
        "R/2026-01-01T08:00Z/15:30",
        "R/P1M/2026-03-31",
        "R/20260101T24/P0001-02-03T04:05:06",
    ],
    "english": [
        "every 2 weeks on monday and thursday at 09:30, Europe/Berlin, from 2026-03-02",
        "on the second to last business day of march and june at 9 and 17:30",
        "every 45 minutes from 08:00 to 12:00 and from 13:00 to 18:00 on weekdays except on 2026-12-25",
        "every 7 minutes from 0 to 56 minutes past every second hour from 08:00 to 18:00",
        "(at 09:00 every day, and also at 10:00 on the 15th and the last day of january), except on Mondays, 4 times in total",
        "whenever (every 5 minutes) and (every 7 minutes from 2026-03-01 00:00) coincide, UTC",
        "at 08:00 on Fridays that fall on the 13th of the month, only in March, delayed by up to 90 seconds",
        "every year, 6 months and 2 days at 9 from 2026-03-01 until 2030-01-01",
    ],
}
ALPHABETS = {
    "systemd": "0123456789*/.,:-~ @MonFriUTC",
    "iso8601": "R0123456789/PTYMWDHMS.,:-+Z",
    "english": "every 12 days on the at from:,.()-3rd0",
}


def checked(text, dialect):
    """What is read, if anything is."""
    trigger, message = None, ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            trigger = parse(text, dialect)
        except TriggerError as error:
            message = str(error)
    if trigger is None:
        assert 0 < len(message) < 1000
        return None
    bound = trigger.bind(timezone=UTC, now=NOW, job_id="job")
    bound.get_next_fire_time(None, NOW)
    assert trigger_from_dict(trigger_to_dict(bound)) == bound
    return trigger


@pytest.mark.one_python
@pytest.mark.parametrize("dialect", REAL)
@settings(max_examples=80)
@given(data=st.data())
def test_any_text_is_a_trigger_or_is_refused(dialect, data):
    letters = st.one_of(st.sampled_from(ALPHABETS[dialect]), st.characters())
    checked(data.draw(st.text(letters, max_size=LONGEST)), dialect)


def mutated(pick, texts):
    text = pick.choice(texts)
    for _ in range(pick.randint(1, 4)):
        at, kind = pick.randint(0, len(text)), pick.randrange(6)
        if kind == 0:
            text = text[:at] + text[at + pick.randint(1, 4) :]
        elif kind == 1:
            text = text[:at] + pick.choice("0123456789/*-~.,:TZPW ()ü\x00\ud800'") + text[at:]
        elif kind == 2:
            words = text.split(" ")
            words.insert(pick.randint(0, len(words)), pick.choice(pick.choice(texts).split(" ")))
            text = " ".join(words)
        elif kind == 3:
            text = text.replace(pick.choice("0123456789"), pick.choice(["9999999", "0", "99"]))
        elif kind == 4:
            other = pick.choice(texts)
            text = text[:at] + other[pick.randint(0, len(other)) :]
        else:
            text = (text + " ") * pick.randint(1, 4)
    return text[:LONGEST]


@pytest.mark.one_python
@pytest.mark.parametrize("dialect", REAL)
def test_mutated_texts_are_triggers_or_are_refused(dialect):
    pick = random.Random(dialect)
    read = sum(checked(mutated(pick, REAL[dialect]), dialect) is not None for _ in range(200))
    assert read > 5


@pytest.mark.soak
@pytest.mark.parametrize("dialect", REAL)
def test_ten_thousand_mutated_texts_are_triggers_or_are_refused(dialect):
    pick = random.Random(f"many of {dialect}")
    for _ in range(10_000):
        checked(mutated(pick, REAL[dialect]), dialect)


def calls_of(text, dialect):
    """How many functions are called until a text is read or refused."""
    count = 0

    def note(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        parse(text, dialect)
    except TriggerError:
        pass
    finally:
        sys.setprofile(None)
    return count


LONG = [
    *("1," * 500, "*:" + "0/1," * 240, "Mon," * 250, "Mon.." * 200, "*-*~" + "1..28," * 150, "@" + "9" * 999, "9" * 1000),
    *("R5/" + "2026-01-01/" * 90, "R" + "9" * 900, "R/P" + "1Y" * 490, "R/PT" + "9" * 900 + "S", "P" * 1000),
    *("every " * 166, "on the first and " * 58, "at 9 and " * 110, "every 2 days, " * 71, "from 1 to 2 and " * 62),
    *("on mondays and " * 66, "at 9 on the 1st of every month and " * 28, "except on 2026-12-25, " * 45, "(" * 1000),
    *("the " * 250, "at 9, and also " * 66, "every second " * 76, "every year, 6 months, " * 45, "every minute from 0 to 10 and " * 33),
    "every 7 seconds from 00:00:01 to 23:59:59",
]  # fmt: skip


@pytest.mark.one_python
@pytest.mark.parametrize("dialect", REAL)
def test_no_long_text_takes_many_steps(dialect):
    for text in LONG:
        calls_of(text[:LONGEST], dialect)  # what is read once is kept
        assert calls_of(text[:LONGEST], dialect) < MOST_CALLS, text[:60]
