"""What a store has done again and again, and what it says of that."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime

import pytest

from mainspring.clock import SystemClock
from mainspring.jobstores.shared import upkeep as upkeep_module
from mainspring.jobstores.shared.upkeep import Upkeep
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


def test_a_task_that_fails_is_called_again_sooner(task):
    clock = SettableClock(datetime(2026, 1, 1, tzinfo=UTC))
    made = Upkeep(
        "mainspring-test", {task: 100.0}, logging.getLogger("mainspring.test"), clock, retried_after=0.25
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

    assert [calls_after(seconds) for seconds in (99, 2, 20, 6)] == [0, 1, 1, 2]
    task.fails = False
    assert [calls_after(seconds) for seconds in (26, 26, 75)] == [3, 3, 4]
    made.stop()
    assert made.join(30)
