"""What is said of a store that fails, and when it is said to work again."""

from __future__ import annotations

import logging
import random
import re
from datetime import UTC, datetime

import pytest

from mainspring.errors import StoreUnavailableError
from mainspring.jobstores.shared import backoff
from mainspring.jobstores.shared.backoff import (
    CALL_TIMEOUT,
    CALL_TIMEOUT_ON_LOOP,
    pause_before_retry,
    try_again,
)
from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.shared.outage import (
    CLAIMING,
    HEARTBEAT,
    REMIND_AFTER,
    SETTLED_AFTER,
    SLOW_AFTER,
    STARTING,
    Outage,
    said_by,
    without_secrets,
)
from mainspring.testing import SettableClock

pytestmark = pytest.mark.one_python


class Away(Exception):
    """A failure that passes."""


class Full(Exception):
    """Another."""


class Locked(Exception):
    """Others are in the way."""


class Wrong(Exception):
    """A failure that doesn't pass."""


KINDS = {Away: Failure.OUTAGE, Full: Failure.FULL, Locked: Failure.CONFLICT, Wrong: Failure.PERMANENT}


class Clock(SettableClock):
    """Time passes as soon as somebody waits for it."""

    def pause(self, seconds):
        self.advance(seconds)


@pytest.fixture
def clock():
    return Clock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def outage(clock):
    made = Outage(lambda error: KINDS.get(type(error)), "postgresql://me:***@host/db")
    made.alias, made.logger = "default", logging.getLogger("mainspring.test")
    made.clock = made.answer_clock = clock
    return made


@pytest.fixture
def said(caplog, clock, outage):
    """What has been said, when another moment has passed."""
    caplog.set_level(logging.INFO, "mainspring.test")

    def lines():
        clock.advance(SETTLED_AFTER + 0.1)
        outage.look_for_slow()
        return [f"{record.levelname} {record.getMessage()}" for record in caplog.records]

    return lines


WHERE = "Job store 'default' (postgresql://me:***@host/db)"


def failing(*errors):
    left = list(errors)

    def work():
        if left:
            raise left.pop(0)
        return "done"

    return work


def test_an_outage_is_said_at_once_each_minute_and_when_it_is_over(outage, clock, said):
    until = clock.monotonic() + 130

    def work():
        if clock.monotonic() < until:
            raise Away("no route")

    with outage.doing(CLAIMING):
        try_again(work, outage, give_up=lambda: False)
        assert outage.words == "can't claim due runs: it can't be reached, or gives no answer: no route"
    assert outage.words is None
    lines = said()
    assert [line.split()[0] for line in lines] == ["WARNING", "WARNING", "WARNING", "INFO"]
    assert lines[0] == (
        f"WARNING {WHERE} can't claim due runs: it can't be reached, or gives no answer: no route. "
        "It is tried again, with growing pauses, until it works; it has failed for 0 s so far"
    )
    assert re.search(
        r"it has failed for 6[01] s so far$", lines[1]
    )  # as pauses have it, which chance has a part in
    assert lines[-1].startswith(f"INFO {WHERE} works again, after 13")


def test_all_who_find_out_tell_of_one_outage(outage, said):
    for activity in (CLAIMING, HEARTBEAT):
        with pytest.raises(Away), outage.doing(activity):
            raise Away("no route")
    with outage.doing(HEARTBEAT):
        pass
    assert outage.words is not None  # claims, which fail still, aren't answered for by a heartbeat
    with outage.doing(CLAIMING):
        pass
    assert outage.words is None
    assert [line.split()[0] for line in said()] == ["WARNING", "INFO"]


def test_what_works_now_and_then_is_one_outage(outage, clock, said):
    for _ in range(20):
        with pytest.raises(Full), outage.doing(CLAIMING):
            raise Full("disk full")
        with outage.doing(CLAIMING):
            clock.advance(SETTLED_AFTER / 2)
    assert outage.words is None
    assert said() == [
        (
            f"WARNING {WHERE} can't claim due runs: it has no room left: disk full. "
            "It is tried again, with growing pauses, until it works; it has failed for 0 s so far"
        ),
        f"INFO {WHERE} works again, after 10 s",
    ]


def test_another_kind_of_failure_is_news(outage, said):
    for error in (Away("no route"), Full("disk full"), Away("no route"), Wrong("no such role")):
        with pytest.raises(type(error)), outage.doing(CLAIMING):
            raise error
    assert [line.split()[0] for line in said()] == ["WARNING", "WARNING", "ERROR"]


def test_others_in_the_way_are_said_only_if_they_are_for_long(outage, clock, said):
    assert try_again(failing(Locked("x"), Locked("x"), Locked("x")), outage) == "done"
    assert said() == []
    until = clock.monotonic() + 10

    def locked():
        if clock.monotonic() < until:
            raise Locked("database is locked")

    try_again(locked, outage)
    assert [line.split()[0] for line in said()] == ["WARNING", "INFO"]


def test_a_call_that_is_given_up_leaves_the_outage_to_the_next_that_works(outage, clock, said):
    began = clock.monotonic()
    with pytest.raises(Away):
        try_again(failing(*[Away("no route")] * 1000), outage)
    assert CALL_TIMEOUT < clock.monotonic() - began < CALL_TIMEOUT + 2
    assert "answer a call" in outage.words
    with outage.doing(HEARTBEAT):
        pass
    assert outage.words is None
    assert [line.split()[0] for line in said()] == ["WARNING", "INFO"]


def test_a_call_of_an_event_loop_is_given_up_soon_and_says_what_to_do_instead(outage, clock):
    outage.instead_of_waiting = lambda: "Await the twin, such as aadd_job"
    began = clock.monotonic()
    with pytest.raises(
        StoreUnavailableError, match=r"stands still.*Await the twin, such as aadd_job"
    ) as raised:
        try_again(failing(*[Away("no route")] * 1000), outage)
    assert isinstance(raised.value.__cause__, Away)
    assert CALL_TIMEOUT_ON_LOOP < clock.monotonic() - began < CALL_TIMEOUT_ON_LOOP + 2
    # What the store does by itself says when it ends.
    began = clock.monotonic()
    with pytest.raises(Away):
        try_again(failing(*[Away("no route")] * 1000), outage, give_up=lambda: clock.monotonic() > began + 5)
    # And is no call of a program, also where it has a greenlet on the loop's thread.
    began = clock.monotonic()
    with pytest.raises(Away), outage.doing(HEARTBEAT):
        try_again(failing(*[Away("no route")] * 1000), outage)
    assert clock.monotonic() - began > CALL_TIMEOUT


def test_what_has_failed_for_a_while_before_it_is_told_of_has_failed_for_so_long(outage, said):
    outage.failed(Locked("database is locked"), Failure.CONFLICT, 7.0, "this call")
    outage.call_ended("this call")
    first, last = said()
    assert first.endswith("it has failed for 7 s so far")
    assert last == f"INFO {WHERE} works again, after 7 s"


def test_a_start_is_told_how_long_it_is_tried_and_that_it_failed_by_what_is_raised(outage, said):
    with outage.tried_until(lambda: False, 90.0), outage.doing(STARTING):
        try_again(failing(Away("no route")), outage)
    with pytest.raises(Full), outage.tried_until(lambda: True, 90.0):
        try_again(failing(Full("disk full")), outage)
    (line,) = said()
    assert line == (
        f"WARNING {WHERE} can't be started: it can't be reached, or gives no answer: no route. "
        "It is tried for 90 s; it has failed for 0 s so far"
    )


def test_what_was_raised_is_shown_to_those_who_look_closer(outage, caplog):
    caplog.set_level(logging.DEBUG, "mainspring.test")
    error = Away("no route")
    outage.failed(error, Failure.OUTAGE, 0.0)
    assert [record.exc_info and record.exc_info[1] for record in caplog.records] == [None, error]


def test_what_does_not_pass_is_raised_at_once(outage, clock, said):
    began = clock.monotonic()
    with pytest.raises(Wrong):
        try_again(failing(Wrong("no such role")), outage)
    assert clock.monotonic() == began
    assert said()[0].startswith("ERROR")


def test_an_answer_that_is_an_error_is_one(outage, said):
    with pytest.raises(KeyError):
        try_again(failing(Away("no route"), KeyError("x")), outage)
    assert outage.words is None
    assert [line.split()[0] for line in said()] == ["WARNING", "INFO"]


def test_no_answer_for_long_is_trouble_before_it_is_a_failure(outage, clock, said):
    with outage.doing(CLAIMING):
        assert outage.words is None
        clock.advance(SLOW_AFTER + 1)
        assert outage.words == "can't claim due runs: no answer for 6 s"
        outage.look_for_slow()
        assert outage.words == "can't claim due runs: no answer for 6 s"
        clock.advance(10)
        outage.look_for_slow()
        assert outage.words == "can't claim due runs: no answer for 16 s"
        clock.advance(REMIND_AFTER)
        outage.look_for_slow()
    assert outage.words is None
    assert said() == [
        f"WARNING {WHERE} can't claim due runs: no answer for 6 s. It is waited for",
        f"WARNING {WHERE} can't claim due runs: no answer for 76 s. It is waited for",
        f"INFO {WHERE} works again, after 76 s",
    ]


def test_a_clock_that_is_set_by_hand_keeps_nobody_waiting(clock):
    outage = Outage(lambda error: None, "sqlite:///jobs")
    outage.clock = clock
    with outage.doing(CLAIMING):
        clock.advance(SLOW_AFTER + 1)
        assert outage.words is None


def test_what_has_failed_and_is_tried_again_is_not_said_to_have_no_answer(outage, clock, said):
    def work():
        if clock.monotonic() < 3 * SLOW_AFTER:
            outage.look_for_slow()
            raise Full("disk full")

    with outage.doing(CLAIMING):
        try_again(work, outage, give_up=lambda: False)
    assert [line.split()[0] for line in said()] == ["WARNING", "INFO"]
    assert "no answer" not in said()[0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:secret@host/db", "postgresql://me:***@host/db"),
        ("redis://:secret@host", "redis://:***@host"),
        ("host=h password=secret user=u", "host=h password=*** user=u"),
        ("mysql://host/db?passwd=secret&x=1", "mysql://host/db?passwd=***&x=1"),
        ("nothing: to hide @ all", "nothing: to hide @ all"),
    ],
)
def test_passwords_are_not_shown(text, shown):
    assert without_secrets(text) == shown


def test_what_is_said_is_one_line():
    assert said_by(ValueError("first\n  second, Timeout: 5s, Topology: <…>")) == "first second"
    assert len(said_by(ValueError("x" * 1000))) == 401


def test_what_fails_before_a_store_is_started_is_told_in_the_modules_log():
    assert Outage(KINDS.get, "somewhere").logger.name == Outage.__module__


@pytest.fixture
def pauses(monkeypatch):
    """The least and the longest of each pause that is drawn; none is made."""
    drawn = []

    def uniform(least, longest):
        drawn.append((least, longest))
        return longest

    monkeypatch.setattr(backoff._generator, "uniform", uniform)
    monkeypatch.setattr(backoff, "pause", lambda clock, seconds: None)
    return drawn


@pytest.mark.parametrize(
    ("attempts", "longest"), [(0, 0.01), (1, 0.02), (3, 0.08), (6, 0.64), (7, 0.8), (10**6, 0.8)]
)
def test_pauses_before_retries_grow_and_stay_below_a_second(pauses, attempts, longest):
    assert pause_before_retry(attempts) == longest
    assert pauses == [(longest / 2, longest)]


def test_pauses_of_a_call_double_up_to_a_second(outage, pauses):
    try_again(failing(*[Away("no route")] * 9), outage, give_up=lambda: False)
    longest = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0, 1.0]
    assert pauses == [(seconds / 2, seconds) for seconds in longest]


def test_a_call_ends_though_the_clock_stands_still(outage, pauses):
    with pytest.raises(Away):
        try_again(failing(*[Away("no route")] * 1000), outage)
    assert CALL_TIMEOUT < sum(longest for _, longest in pauses) < CALL_TIMEOUT + 2


def test_a_call_that_is_given_up_is_said_to_be(outage, said):
    outage.failed(Away("no route"), Failure.OUTAGE, 31.0, "this call", again=False)
    (line,) = said()
    assert line == (
        f"WARNING {WHERE} can't answer a call: it can't be reached, or gives no answer: no route. "
        "The call is given up; it has failed for 31 s so far"
    )


@pytest.mark.parametrize(("length", "shown"), [(399, 399), (400, 400), (401, 401), (402, 401)])
def test_what_is_said_is_cut_where_it_is_too_long(length, shown):
    words = said_by(ValueError("x" * length))
    assert len(words) == shown
    assert words.endswith("…") == (length > 400)


@pytest.mark.parametrize(
    ("seconds", "on_loop", "is_over"),
    [
        (backoff.CALL_TIMEOUT, False, False),
        (backoff.CALL_TIMEOUT + 0.1, False, True),
        (backoff.CALL_TIMEOUT_ON_LOOP, True, False),
        (backoff.CALL_TIMEOUT_ON_LOOP + 0.1, True, True),
    ],
)
def test_how_long_a_call_is_tried(seconds, on_loop, is_over):
    assert backoff._is_over(None, seconds, on_loop=on_loop) is is_over
    assert backoff._is_over(lambda: True, 0, on_loop=on_loop) is True


@pytest.mark.parametrize("answer", ["result", "error"])
def test_a_call_that_never_failed_says_nothing_of_one_that_did(outage, answer):
    with pytest.raises(Wrong):
        try_again(failing(Wrong("no such role")), outage)
    assert "no such role" in outage.words
    if answer == "result":
        assert try_again(failing(), outage) == "done"
    else:
        with pytest.raises(KeyError):  # none of the store's
            try_again(failing(KeyError("a")), outage)
    assert "no such role" in outage.words


def test_what_had_no_answer_and_then_fails_is_told_of_as_a_failure(outage, clock):
    with pytest.raises(Wrong), outage.doing(CLAIMING):
        clock.advance(SLOW_AFTER + 1)
        outage.look_for_slow()
        assert outage.words == "can't claim due runs: no answer for 6 s"
        raise Wrong("no such role")
    assert "no such role" in outage.words
    # Tried again without an answer, it is still the failure that says most.
    with outage.doing(CLAIMING):
        clock.advance(SLOW_AFTER + 1)
        outage.look_for_slow()
        assert "no such role" in outage.words
    assert outage.words is None


def test_the_numbers_of_a_generator_that_a_program_has_seeded_are_its_own():
    random.seed(1)
    before = random.getstate()
    for attempts in range(10):
        backoff.pause_before_retry(attempts)
    assert random.getstate() == before
