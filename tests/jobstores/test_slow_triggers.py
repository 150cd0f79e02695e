"""Triggers that take their time: while they are asked, nobody waits for the store."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, date, datetime, timedelta

import pytest

from mainspring.errors import JobLookupError
from mainspring.jobstores.shared.asked_triggers import AskedTrigger, runs_foreign_code
from mainspring.jobstores.shared.rows import writable
from mainspring.model import JobRecord
from mainspring.serializers.arguments import ArgumentSerializer
from mainspring.testing.conformance import START, claim, record
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger
from stores import open_store

ASKED, MAY_ANSWER = threading.Event(), threading.Event()


class SlowTrigger(BaseTrigger):
    """Hourly, when it is let."""

    def get_next_fire_time(self, previous_fire_time, now):
        ASKED.set()
        assert MAY_ANSWER.wait(60)
        return (previous_fire_time or now) + timedelta(hours=1)

    def to_dict(self):
        return {"type": "slow"}

    @classmethod
    def from_dict(cls, values):
        return cls()

    def __getstate__(self):
        return {}

    def __eq__(self, other):
        return isinstance(other, SlowTrigger)

    def __hash__(self):
        return 1


def is_holiday(day):
    ASKED.set()
    assert MAY_ANSWER.wait(60)
    return day == date(2026, 1, 2)


HOURLY = IntervalTrigger(hours=1, start_date=START, timezone="UTC")


@pytest.fixture(autouse=True)
def events():
    ASKED.clear()
    MAY_ANSWER.clear()
    yield
    MAY_ANSWER.set()


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def make_node(request, tmp_path, tablename, started):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/jobs.sqlite"
    else:
        url = request.getfixturevalue(f"{request.param}_url")

    def make():
        return started(open_store(url, tablename, lease=60))

    return make


@pytest.fixture
def claiming(make_node):
    """A claim of a node that waits for a trigger, in a thread; and another node."""
    threads = []

    def begin(slow=None, *others):
        node, other = make_node(), make_node()
        if not isinstance(slow, JobRecord):
            slow = record("slow")._replace(trigger=slow or SlowTrigger())
        node.add_records([slow, *others], None)
        found = []
        thread = threading.Thread(target=lambda: found.append(claim(node, 90)))
        thread.start()
        threads.append(thread)
        assert ASKED.wait(30)

        def end():
            MAY_ANSWER.set()
            thread.join(60)
            return sorted(found[0].decisions, key=lambda decision: decision.job.id)

        return node, other, end

    yield begin
    MAY_ANSWER.set()
    for thread in threads:
        thread.join(60)


@pytest.mark.parametrize(
    "trigger",
    [SlowTrigger(), HOURLY.excluding(is_holiday)],
    ids=["a third party's", "with a user's function"],
)
def test_others_go_on_while_a_trigger_is_asked(claiming, trigger):
    node, other, end = claiming(trigger, record("quick"))
    # All of these write; on SQLite one at a time.
    node._membership.renew()
    other._membership.renew()
    other.add_records([record("new", 1000)], None)
    assert other.get_record("quick") is None  # it was claimed at once: it was its last
    (slow,) = (decision for decision in end() if decision.job.id == "slow")
    assert list(slow.submit) == [START]
    assert slow.job.trigger == trigger
    stored = other.get_record("slow")
    assert stored.next_run_time == START + timedelta(hours=1)
    assert stored.trigger == trigger


MODULE = """
import test_slow_triggers

test_slow_triggers.ASKED.set()
assert test_slow_triggers.MAY_ANSWER.wait(60)


def work():
    pass
"""


def test_others_go_on_while_a_jobs_module_is_imported(claiming, tmp_path, monkeypatch, tablename):
    name = f"slow_{tablename}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "test_slow_triggers", sys.modules[__name__])
    slow = record("slow")._replace(func=None, func_ref=f"{name}:work", trigger=HOURLY)
    _, other, end = claiming(slow)
    other._membership.renew()
    other.add_records([record("new", 1000)], None)
    (decision,) = end()
    assert decision.job.func is sys.modules[name].work
    assert other.get_record("slow").next_run_time == START + timedelta(hours=1)


def test_both_parts_of_a_claim_are_handed_out(claiming):
    _, other, end = claiming(None, record("quick"), record("quick too"))
    assert [decision.job.id for decision in end()] == ["quick", "quick too", "slow"]
    running = other.list_runs(None, "running", None, 10)
    assert {run.job_id for run in running} == {"quick", "quick too", "slow"}


def test_what_was_changed_meanwhile_is_left_alone(claiming):
    _, other, end = claiming()
    other.change(
        "slow", lambda old: old._replace(version=old.version + 1, next_run_time=START + timedelta(days=1))
    )
    assert end() == []
    assert other.get_record("slow").next_run_time == START + timedelta(days=1)
    assert other.list_runs("slow", None, None, 10) == []


def test_what_was_removed_meanwhile_is_left_alone(claiming):
    _, other, end = claiming()
    other.remove("slow")
    assert end() == []
    with pytest.raises(JobLookupError):
        other.remove("slow")


def test_what_another_node_has_claimed_meanwhile_is_left_to_it(claiming):
    _, other, end = claiming()
    MAY_ANSWER.set()
    theirs = claim(other, 90).decisions
    ours = end()
    assert len(theirs) + len(ours) == 1
    assert len(other.list_runs("slow", None, None, 10)) == 1


class FailingTrigger(SlowTrigger):
    def get_next_fire_time(self, previous_fire_time, now):
        ASKED.set()
        raise OSError("no calendar")

    def to_dict(self):
        return {"type": "failing"}


def test_a_trigger_that_raises_is_told_of_once_it_is_decided_about(make_node):
    node = make_node()
    node.add_records([record("bad")._replace(trigger=FailingTrigger())], None)
    (decision,) = claim(node, 90).decisions
    assert (decision.reason, str(decision.error)) == ("its trigger failed", "no calendar")
    assert node.get_record("bad").next_run_time == START


class Sub(CronTrigger):
    """Somebody's own."""


@pytest.mark.parametrize(
    ("trigger", "is_foreign"),
    [
        (DateTrigger(START), False),
        (HOURLY, False),
        (CronTrigger(hour=1, timezone="UTC"), False),
        (HOURLY.excluding(date(2026, 1, 2)), False),
        (HOURLY.excluding(BusinessCalendar([date(2026, 1, 2)])), False),
        (HOURLY.excluding(is_holiday), True),
        (HOURLY.excluding(BusinessCalendar(is_holiday)), True),
        (SlowTrigger(), True),
        (Sub(hour=1, timezone="UTC"), True),
        (OrTrigger([HOURLY, SlowTrigger()]), True),
        (OrTrigger([HOURLY, HOURLY.excluding(is_holiday)]), True),
    ],
)
def test_which_triggers_run_foreign_code(trigger, is_foreign):
    MAY_ANSWER.set()
    job = record("a")._replace(trigger=trigger)
    written = writable(job, ArgumentSerializer("auto"))["trigger"]
    assert runs_foreign_code(written) is is_foreign


def test_what_is_no_trigger_is_nobodys():
    assert not runs_foreign_code("no JSON")
    assert not runs_foreign_code(None)


def test_each_question_is_asked_once():
    asked = []

    class Counting(SlowTrigger):
        def get_next_fire_time(self, previous_fire_time, now):
            asked.append(previous_fire_time)
            if previous_fire_time is None:
                raise OSError("none")
            return previous_fire_time + timedelta(hours=1)

    trigger = AskedTrigger(Counting())
    now = datetime(2026, 1, 1, 5, tzinfo=UTC)
    for _ in range(3):
        assert trigger.get_next_fire_time(START, now) == START + timedelta(hours=1)
        with pytest.raises(OSError, match="none"):
            trigger.get_next_fire_time(None, now)
    assert asked == [START, None]


def test_each_question_is_passed_on_as_it_was_asked_and_asked_once():
    asked = []

    class Knows(BaseTrigger):
        def get_next_fire_time(self, previous_fire_time, now):
            raise NotImplementedError

        def fire_times(self, first, now, limit):
            asked.append(("fire_times", first, now, limit))
            return [first], True

        def count_between(self, first, last):
            asked.append(("count_between", first, last))
            return 7

        def latest_fire_time(self, first, now):
            asked.append(("latest_fire_time", first, now))
            return now

    trigger, now = AskedTrigger(Knows()), START + timedelta(hours=5)
    for _ in range(2):
        assert trigger.fire_times(START, now, 3) == ([START], True)
        assert trigger.count_between(START, now) == 7
        assert trigger.latest_fire_time(START, now) == now
    assert asked == [
        ("fire_times", START, now, 3),
        ("count_between", START, now),
        ("latest_fire_time", START, now),
    ]
