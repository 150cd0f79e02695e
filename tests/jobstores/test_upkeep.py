"""What a store has done again and again, and what it says of that."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime

import pytest

from mainspring.clock import SystemClock
from mainspring.jobstores.shared import upkeep as upkeep_module
from mainspring.jobstores.shared.upkeep import LONGEST_UNTIL_RETRIED, Upkeep
from mainspring.testing import SettableClock


class Task:
    """Something that fails as long as it is told to."""

    def __init__(self):
        self.fails = True
        self.calls = 0
        self._called = threading.Condition()

    def __call__(self):
        with self._called:
            self.calls += 1
            self._called.notify_all()
        if self.fails:
            raise OSError("the server is away")

    def wait_for_more(self, count):
        """Wait until it has been called so many times more."""
        with self._called:
            wanted = self.calls + count
            assert self._called.wait_for(lambda: self.calls >= wanted, 30)


@pytest.fixture
def task():
    return Task()


@pytest.fixture
def upkeep(task):
    made = Upkeep("mainspring-test", {task: 0.001}, logging.getLogger("mainspring.test"), SystemClock())
    made.start()
    yield made
    made.stop()
    assert made.join(30)


def test_what_goes_on_failing_is_said_at_once_and_then_now_and_then(task, monkeypatch, caplog, request):
    caplog.set_level(logging.INFO, "mainspring.test")

    def said():
        return [(record.levelname, record.getMessage()) for record in caplog.records]

    request.getfixturevalue("upkeep")
    task.wait_for_more(20)
    first = ("ERROR", "Error in the upkeep of a job store; trying again")
    assert said() == [first]
    assert "the server is away" in caplog.text
    monkeypatch.setattr(upkeep_module, "REMIND_AFTER", 0.0)
    task.wait_for_more(3)
    assert said()[1] == (
        "WARNING",
        "Error in the upkeep of a job store: the server is away; trying again",
    )
    task.fails = False
    task.wait_for_more(3)
    assert said()[-1] == ("INFO", "The upkeep of a job store works again")
    count = len(said())
    task.wait_for_more(3)
    assert len(said()) == count


@pytest.mark.parametrize(
    ("every", "part", "again"),
    [
        (4.0, 0.25, 1.0),
        # However seldom it is called: until it has worked, the store is said to fail.
        (100.0, 0.25, LONGEST_UNTIL_RETRIED),
        (1.0, 1.0, 1.0),
    ],
)
def test_a_task_that_fails_is_called_again_sooner(task, every, part, again):
    clock = SettableClock(datetime(2026, 1, 1, tzinfo=UTC))
    made = Upkeep(
        "mainspring-test", {task: every}, logging.getLogger("mainspring.test"), clock, retried_after=part
    )
    made.start()

    def calls_after(seconds):
        clock.advance(seconds)
        # Whatever is due is called by the time at which this is.
        called = threading.Event()
        made._tasks[called.set] = 1e9
        made.call_now(called.set)
        assert called.wait(30)
        return task.calls

    assert [calls_after(seconds) for seconds in (every - 0.1, 0.2, again - 0.2, 0.3)] == [0, 1, 1, 2]
    task.fails = False
    assert [calls_after(seconds) for seconds in (again + 0.1, every - 0.1, 0.2)] == [3, 3, 4]
    made.stop()
    assert made.join(30)


class Clock(SettableClock):
    """Time passes as soon as somebody waits for it, and how long is noted; until something is to happen."""

    def __init__(self, happenings):
        super().__init__(datetime(2026, 1, 1, tzinfo=UTC))
        self.waits = []
        self._happenings = list(happenings)

    def wait(self, event, timeout):
        self.waits.append(round(timeout, 3))
        self.advance(timeout)
        if self._happenings:
            self._happenings.pop(0)()
        return event.is_set()


def nothing():
    """Nothing happens."""


def run(*, tasks=None, happenings, **options):
    """An upkeep whose thread lives through these happenings, one for each time it waits, and then stops; and its clock."""
    clock = Clock([*happenings(lambda: made), lambda: made.stop()])
    made = Upkeep(
        "mainspring-test",
        tasks(clock) if tasks is not None else {nothing: 1e6},
        logging.getLogger("mainspring.test"),
        clock,
        **options,
    )
    made.start()
    assert made.join(30)
    assert not made.stopping.is_set()
    return clock


def test_each_task_is_called_in_its_time():
    called = []

    def tasks(clock):
        begun = clock.monotonic()

        def note(name):
            return lambda: called.append((name, round(clock.monotonic() - begun)))

        return {note("two"): 2.0, note("five"): lambda: 5.0}

    clock = run(tasks=tasks, happenings=lambda upkeep: [nothing] * 5)
    assert called == [("two", 2), ("two", 4), ("five", 5), ("two", 6), ("two", 8)]
    assert clock.waits[:5] == [2, 2, 1, 1, 2]


def test_outcomes_are_written_soon_after_they_are_there_and_once():
    written = []

    def happenings(upkeep):
        return [
            lambda: (upkeep().flush_soon(), upkeep().flush_soon()),
            nothing,
            nothing,
        ]

    clock = run(happenings=happenings, flush=lambda: written.append(1))
    assert written == [1]
    assert clock.waits[1] == upkeep_module.FLUSH_AFTER


def test_what_there_is_at_the_end_is_done_once_on_the_thread():
    ended = []
    run(happenings=lambda upkeep: [], ended=lambda: ended.append(threading.current_thread().name))
    assert ended == ["mainspring-test"]


def test_a_task_that_is_wanted_at_once_is_called_then():
    called = []

    def task():
        called.append(1)

    run(
        tasks=lambda clock: {task: 1e6},
        happenings=lambda upkeep: [lambda: upkeep().call_now(task), nothing],
    )
    # Its time came after it, and then it was wanted.
    assert len(called) >= 2


@pytest.mark.parametrize(("is_known", "lines"), [(True, 0), (False, 1)])
def test_what_is_the_databases_failure_is_told_by_others(caplog, is_known, lines):
    class Outage:
        def failure_of(self, error):
            return "away" if is_known else None

    task = Task()
    run(
        tasks=lambda clock: {task: 1.0},
        happenings=lambda upkeep: [nothing] * 3,
        outage=Outage(),
    )
    assert task.calls >= 3
    assert len(caplog.records) == lines


def test_who_does_not_end_in_time_is_told_to_give_up():
    go_on = threading.Event()
    made = Upkeep(
        "mainspring-test",
        {nothing: 1e6},
        logging.getLogger("mainspring.test"),
        SystemClock(),
        ended=lambda: go_on.wait(30),
    )
    made.start()
    made.stop()
    assert made.join(0.01) is False
    assert made.stopping.is_set()
    go_on.set()
    assert made.join(30) is True


def test_a_flush_that_fails_is_tried_again_soon_also_when_it_had_worked_before():
    made = Upkeep(
        "mainspring-test",
        {nothing: 1e6},
        logging.getLogger("mainspring.test"),
        SystemClock(),
        flush=lambda: flush(),
    )
    outcomes = [True, False, False, True]
    ended = [threading.Event() for _ in outcomes]

    def flush():
        outcome = outcomes.pop(0)
        ended[-1 - len(outcomes)].set()
        if not outcome:
            raise OSError("away")

    made.start()
    made.flush_soon()
    assert ended[0].wait(30)
    made.flush_soon()
    assert ended[3].wait(30)  # without being asked for again
    made.stop()
    assert made.join(30)


def test_a_runner_of_others_is_given_the_upkeep():
    given = []

    class Caller:
        def __init__(self, upkeep):
            given.append(upkeep)

        def start(self):
            pass

    made = Upkeep(
        "mainspring-test", {Task(): 1.0}, logging.getLogger("mainspring.test"), SystemClock(), runner=Caller
    )
    made.start()
    assert given == [made]
    assert not any(thread.name == "mainspring-test" for thread in threading.enumerate())


def test_what_goes_on_failing_is_said_again_after_a_minute(caplog):
    task = Task()
    waits = round(130 / LONGEST_UNTIL_RETRIED)
    run(tasks=lambda clock: {task: 30.0}, happenings=lambda upkeep: [nothing] * waits)
    assert task.calls >= waits - 1
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING", "WARNING"]


def test_in_a_forked_process_nothing_is_called_any_more(task, caplog):
    ended = []
    upkeep = Upkeep(
        "mainspring-test",
        {task: 0.001},
        logging.getLogger("mainspring.test"),
        SystemClock(),
        ended=lambda: ended.append(1),
    )
    upkeep.leave_to_parent()
    upkeep.start()  # as a thread that is a greenlet, and outlives the fork
    assert upkeep.join(30)
    assert task.calls == 0
    assert ended == []
    assert caplog.records == []  # nor was it tried


def test_it_keeps_no_process_from_its_end(upkeep):
    assert upkeep._runner._thread.daemon


def test_writes_that_fail_again_and_again_are_tried_with_growing_pauses(monkeypatch):
    failures = []
    monkeypatch.setattr(upkeep_module, "pause_before_retry", lambda count: failures.append(count) or 0.0)
    flush = Task()
    rarely = {lambda: None: 3600.0}
    made = Upkeep("mainspring-test", rarely, logging.getLogger("mainspring.test"), SystemClock(), flush=flush)
    made.start()
    made.flush_soon()
    flush.wait_for_more(4)
    flush.fails = False
    made.stop()
    assert made.join(30)
    assert failures[:3] == [1, 2, 3]
