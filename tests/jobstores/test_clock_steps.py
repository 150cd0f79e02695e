"""Wall clocks that are set while nodes run: where a store has a clock, that alone says what is due."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest

from mainspring import BackgroundScheduler, current_run
from mainspring.clock import SystemClock
from mainspring.events import EVENT_JOB_EXECUTED
from mainspring.testing import EventRecorder
from stores import MONGODB, open_store

pytestmark = pytest.mark.one_python

HOUR = timedelta(hours=1)


class SteppedClock(SystemClock):
    """The machine's, whose wall clock somebody sets."""

    __slots__ = ("ahead",)

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        self.ahead = ahead

    def now(self, timezone=UTC):
        return (super().now(UTC) + self.ahead).astimezone(timezone)


#: What was called: the run, and what time it was by a clock that nobody sets.
CALLED: dict[str, list[tuple[str, datetime]]] = {}
GATES: dict[str, threading.Event] = {}


def note(name: str) -> None:
    CALLED[name].append((current_run().run_id, datetime.now(UTC)))


def wait_for_gate(name: str) -> None:
    assert GATES[name].wait(60)


@pytest.fixture(params=["postgres", "mariadb", "redis", MONGODB])
def url(request):
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def make_node(url, tablename):
    schedulers = []
    CALLED[tablename] = []
    GATES[tablename] = threading.Event()

    def make(ahead: timedelta = timedelta(0)) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            timezone="Europe/Berlin",
            clock=SteppedClock(ahead),
            jobstores={"default": open_store(url, tablename, node_name=f"node {len(schedulers)}")},
        )
        scheduler.heard = EventRecorder()
        scheduler.add_listener(scheduler.heard, EVENT_JOB_EXECUTED)
        scheduler.start()
        schedulers.append(scheduler)
        return scheduler

    yield make
    GATES[tablename].set()
    for scheduler in schedulers:
        scheduler.shutdown()


def test_steps_of_wall_clocks_have_nothing_run_early_late_or_twice(make_node, tablename):
    numbers = random.Random(16)
    nodes = [make_node(-2 * HOUR), make_node()]
    scheduler = nodes[1]
    scheduler.add_job(note, "date", run_date=datetime.now(UTC) + HOUR, id="in an hour", args=[tablename])
    scheduler.add_job(
        note, "interval", seconds=0.25, id="often", args=[tablename], misfire_policy="all", max_instances=5
    )
    called = CALLED[tablename]
    # Each on one node or on both; half a year is across a change of the clocks there.
    for number, step in enumerate((timedelta(0), 2 * HOUR, -3 * HOUR, 4000 * HOUR, -4000 * HOUR, HOUR / 60)):
        for node in nodes if number % 2 else numbers.sample(nodes, 1):
            node._clock.ahead = step
        wanted = len(called) + 2
        deadline = threading.Event()
        for _ in range(600):
            if len(called) >= wanted:
                break
            deadline.wait(0.05)
        assert len(called) >= wanted, f"nothing is run any more after a step to {step}"
    names = [name for name, _ in called]
    assert len(set(names)) == len(names)
    assert {name.partition("/")[0] for name in names} == {"often"}
    for name, at in called:
        due = datetime.fromisoformat(name.split("/")[1])
        assert timedelta(seconds=-0.05) < at - due < timedelta(seconds=20), "early, or a step late"
    assert scheduler.get_job("often").next_run_time - datetime.now(UTC) < timedelta(seconds=2)
    for run in scheduler.get_runs("often", outcome="succeeded"):
        assert abs(run.started - run.scheduled_run_time) < timedelta(seconds=20)
        assert timedelta(0) <= run.finished - run.started < timedelta(seconds=20)


def test_a_run_is_dated_by_the_store_though_the_wall_clock_is_set_meanwhile(make_node, tablename):
    node = make_node(-2 * HOUR)
    before = datetime.now(UTC)
    node.add_job(wait_for_gate, id="long", args=[tablename])
    for _ in range(600):
        if node.get_runs("long", outcome="running"):
            break
        threading.Event().wait(0.05)
    node._clock.ahead = 5 * HOUR
    GATES[tablename].set()
    (event,) = node.heard.wait_for(EVENT_JOB_EXECUTED, "long", timeout=30)
    for _ in range(600):  # it is written a moment after it is told
        (run,) = node.get_runs("long")
        if run.finished is not None:
            break
        threading.Event().wait(0.05)
    slack = timedelta(seconds=1)
    assert before - slack < run.started <= run.finished < datetime.now(UTC) + slack
    assert event.started == run.started


@pytest.mark.parametrize("ahead", [-2 * HOUR, 2 * HOUR], ids=["slow", "fast"])
def test_what_is_to_run_now_does_so_on_a_node_whose_clock_is_wrong(make_node, tablename, ahead):
    node = make_node(ahead)
    node.add_job(note, id="now", args=[tablename], misfire_grace_time=30)
    node.heard.wait_for(EVENT_JOB_EXECUTED, "now", timeout=30)
    job = node.add_job(note, "interval", hours=1, id="hourly", args=[tablename])
    assert timedelta(minutes=59) < job.next_run_time - datetime.now(UTC) <= HOUR + timedelta(seconds=5)
    job.run_now().wait(30)
    node.pause_job("hourly")
    node.resume_job("hourly")
    due = node.get_job("hourly").next_run_time
    assert timedelta(minutes=59) < due - datetime.now(UTC) <= HOUR + timedelta(seconds=5)
    node.reschedule_job("hourly", trigger="interval", hours=2)
    due = node.get_job("hourly").next_run_time
    assert timedelta(minutes=119) < due - datetime.now(UTC) <= 2 * HOUR + timedelta(seconds=5)
