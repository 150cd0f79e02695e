"""What a node believes of the store's clock, answer by answer; and when a loop comes back."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from mainspring.engine.store_time import StoreTime
from mainspring.engine.waiting import UNPLANNED, Planned

START = datetime(2026, 1, 1, tzinfo=UTC)


def after(seconds):
    return START + timedelta(seconds=seconds)


#: At 100 by our clock it was `START` by the store's.
KNOWN = StoreTime(START, 100.0)


@pytest.mark.parametrize(
    ("asked", "says", "answered", "believed"),
    [
        (110.0, 10, 110.0, 10),
        (110.0, 10.1, 110.2, 10.2),
        (110.0, 10, 130.0, 30),
        (110.0, 10.5, 110.2, 10.5),
        (110.0, 7200, 110.2, 7200),
        (110.0, -7200, 110.2, -7200),
        (110.0, 9.9, 110.1, 9.9),
    ],
    ids=[
        "as believed",
        "somewhere between question and answer",
        "an answer that took long says little",
        "its clock is ahead of what was believed",
        "its clock was set forward",
        "its clock was set back",
        "it can't be as late as was believed",
    ],
)
def test_an_answer_corrects_what_it_contradicts(asked, says, answered, believed):
    known = KNOWN.corrected(asked, after(says), answered)
    assert abs(known.at(answered) - after(believed)) < timedelta(milliseconds=1)
    assert abs(known.at(answered + 5) - after(believed + 5)) < timedelta(milliseconds=1)


@pytest.mark.parametrize("drift", [0.9999, 1.0, 1.0001])
def test_nothing_is_believed_to_be_due_before_it_is(drift):
    numbers = random.Random(16)
    known, ours = None, 0.0

    def theirs(monotonic):
        return after(1000 + monotonic * drift)

    for _ in range(2000):
        asked = ours + numbers.uniform(0, 2)
        read = asked + numbers.uniform(0, 0.3)
        ours = read + numbers.uniform(0, 0.3)
        known = StoreTime(theirs(read), ours) if known is None else known.corrected(asked, theirs(read), ours)
        late = (theirs(ours) - known.at(ours)).total_seconds()
        # Early by what our clock gains in a minute; late by what an answer takes.
        assert -0.01 <= late <= 0.6


@pytest.mark.parametrize(
    ("planned", "now", "monotonic", "left"),
    [
        (UNPLANNED, 0, 0, None),
        (Planned(wall=after(10)), 4, 0, 6),
        (Planned(wall=after(10)), 12, 0, 0),
        (Planned(wall=after(10)), -7200, 0, 7210),
        (Planned(monotonic=10), -7200, 4, 6),
        (Planned(monotonic=10), 7200, 4, 6),
        (Planned(monotonic=10), 0, 11, 0),
        (Planned(after(10), 10), 9, 4, 1),
        (Planned(after(10), 10), 0, 9, 1),
    ],
    ids=[
        "not at all",
        "by the wall clock",
        "by the wall clock, which was set forward",
        "by the wall clock, which was set back",
        "after a time, though the wall clock was set back",
        "after a time, though the wall clock was set forward",
        "after a time that has passed",
        "either: the wall clock first",
        "either: the time first",
    ],
)
def test_when_a_loop_comes_back(planned, now, monotonic, left):
    assert planned.seconds_left(after(now), monotonic) == left


def test_of_two_plans_whatever_comes_first_is_kept():
    assert UNPLANNED.or_sooner(UNPLANNED) == UNPLANNED
    both = Planned(wall=after(5)).or_sooner(Planned(monotonic=3))
    assert both == Planned(after(5), 3)
    assert both.or_sooner(Planned(after(4), 7)) == Planned(after(4), 3)


def test_an_answer_that_could_be_right_changes_nothing():
    known = StoreTime(START, 0.0)
    # It was ten seconds later when the answer was there, and the question had been asked five seconds before.
    for seconds, is_kept in ((4.9, False), (5, True), (7, True), (10, True), (10.1, False)):
        said = START + timedelta(seconds=seconds)
        after = known.corrected(5.0, said, 10.0)
        assert after == (known if is_kept else StoreTime(said, 10.0)), seconds
