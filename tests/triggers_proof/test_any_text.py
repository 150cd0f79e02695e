"""Whatever text is read: it is a trigger or an error that can be shown, and neither reading it nor the first search takes more than so many steps.

Steps are calls, of Python's functions and of those in C, so that they are the same on every machine.
"""

from __future__ import annotations

import sys
import warnings
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mainspring.errors import TriggerError
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.fields import FIELDS
from mainspring.triggers.parsing import DIALECTS, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.triggers.base import BaseTrigger

pytestmark = pytest.mark.one_python

NOW = datetime(2026, 1, 1, tzinfo=UTC)
#: So many calls may be made for one text: some hundredths of a second.
MOST_CALLS = 60_000
LONGEST_MESSAGE = 3_000

#: As people write them, in every dialect.
REAL = [
    "*/5 * * * *", "0 9 * * mon-fri", "30 2 1,15 * *", "0 0 * * 0", "15 10 L * *", "17,43 8-18/2 * 3-9 mon,wed", "@daily", "@every 1h30m",
    "0 0 29 2 *", "CRON_TZ=Europe/Berlin 0 9 * * *", "0~59 * * * *", "H H(0-7) * * 1-5", "0 0 12 ? * 2#1", "0 15 10 L-3W * ?",
    "0 0/5 14,18 * * ?", "0 0 9 ? * MON-FRI 2026-2030", "cron(0 10 ? * MON-FRI *)", "rate(5 minutes)", "at(2026-11-20T13:00:00)",
    "Mon..Fri *-*-* 09:00:00 Europe/Berlin", "*:0/15", "*-*~03/2 12:00", "R5/2026-01-01T00:00Z/P1D", "R/2026-01-31/P1M",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=10", "every 2 weeks on monday and thursday at 09:30",
    "first business day of the month at 8", "every 45 minutes from 08:00 to 18:00", "0 0 0/24 * * *", "0 9 * * 1-5 Asia/Tokyo",
]  # fmt: skip
CHARACTERS = "0123456789*/-,#LWH?@~.:;=()+ \tabcdefmnorstuyMOWEFRPTZé\u0660\n"


class TooManyCallsError(BaseException):
    """Not an `Exception`, so that nothing that is called takes it for a mistake of the text."""


def within_calls(do: Callable[[], Any], most: int = MOST_CALLS) -> Any:
    """What `do` gives.

    Raises:
        TooManyCallsError: it makes more calls.
    """
    left = most

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal left
        if event in ("call", "c_call"):
            left -= 1
            if left < 0:
                sys.setprofile(None)
                raise TooManyCallsError

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        return do()
    finally:
        sys.setprofile(before)


def made(make: Callable[[], BaseTrigger]) -> BaseTrigger | None:
    """What `make` makes; ``None``, if it says that it can't."""
    try:
        return make()
    except TriggerError as error:
        message = str(error)
    assert len(message) <= LONGEST_MESSAGE
    return None


def read(text: str, dialect: str | None) -> None:
    """Read a text, and ask what it gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trigger = made(lambda: parse(text, dialect))
        if trigger is None:
            return
        bound = trigger.bind(timezone=UTC, now=NOW, job_id="a")
        bound.get_next_fire_time(None, NOW)
        bound.previous(NOW)
        assert bound.explain()
        assert str(bound)


def warm_up() -> None:
    """Load the dialects, and what is cached for good: their calls are no text's."""
    for dialect in (*DIALECTS, None):
        for text in REAL:
            read(text, dialect)


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    warm_up()


TEXTS = st.one_of(
    st.text(max_size=1_000),
    st.text(alphabet=CHARACTERS, max_size=1_000),
    st.builds(
        lambda part, between, number: (part + between) * number,
        st.one_of(st.sampled_from(REAL), st.text(alphabet=CHARACTERS, min_size=1, max_size=20)),
        st.sampled_from(["", " ", ",", "/", "-"]),
        st.integers(1, 60),
    ).map(lambda text: text[:1_000]),
)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(TEXTS, st.sampled_from([*DIALECTS, None]))
def test_any_text_of_a_thousand_characters(text: str, dialect: str | None) -> None:
    within_calls(lambda: read(text, dialect), MOST_CALLS * (1 if dialect else len(DIALECTS)))


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(TEXTS, st.sampled_from([*FIELDS]))
def test_any_text_as_a_field(text: str, field: str) -> None:
    def make() -> None:
        trigger = made(lambda: CronTrigger(**{field: text}, timezone=UTC))
        if trigger is not None:
            trigger.get_next_fire_time(None, NOW)
            trigger.previous(NOW)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        within_calls(make)


def test_a_thousand_times_are_told_in_steps_that_grow_with_their_number() -> None:
    trigger = parse("R1000/2026-01-01T00Z/P1Y2M3DT4H5M6S", "iso8601")
    assert within_calls(trigger.explain, 250_000).startswith("once at each of 1000 moments")


def mutated(text: str, random: Random) -> str:
    for _ in range(random.randint(1, 4)):
        at, what = random.randrange(len(text) + 1), random.randrange(5)
        if what == 0:
            text = text[:at] + text[at + random.randint(1, 3) :]
        elif what == 1:
            text = text[:at] + random.choice(CHARACTERS) + text[at:]
        elif what == 2:
            text = text[:at] + random.choice(CHARACTERS) + text[at + 1 :]
        elif what == 3:
            other = random.choice(REAL)
            text = text[:at] + other[random.randrange(len(other)) :]
        else:
            text = text[:at] + str(random.choice([0, 7, 31, 60, 99, 2026, 10**6, 10**12])) + text[at:]
    return text[:1_000]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 5))])
def test_ten_thousand_mutated_expressions(seed: int) -> None:
    random = Random(seed)
    for _ in range(2_000):
        text = mutated(random.choice(REAL), random)
        dialect = random.choice([*DIALECTS])
        try:
            within_calls(lambda: read(text, dialect))
        except TooManyCallsError:
            pytest.fail(f"{dialect}: {text!r} takes more than {MOST_CALLS} calls")
