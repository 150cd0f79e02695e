"""Why a job ran, or didn't, or won't: on every kind of shared store, for each reason as it comes about."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from mainspring import AfterJob
from mainspring.admin import Admin
from mainspring.errors import JobLookupError
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.interval import IntervalTrigger
from stores import open_store
from waiting import wait_for

GATES: dict[str, Event] = {}


def waits_for(gate):
    GATES[gate].wait(30)


@pytest.fixture
def gate(request):
    GATES[request.node.name] = Event()
    yield request.node.name
    GATES.pop(request.node.name).set()


@pytest.fixture
def place(store_url, tablename):
    return lambda: open_store(store_url, tablename)


@pytest.fixture
def node(place, make_scheduler):
    return make_scheduler(jobstores={"default": place()}, start=True)


@pytest.fixture
def admin(node, place):
    with Admin(place(), timezone="UTC") as admin:
        yield admin


def last(told):
    return told[-1].verdict, told[-1].code


def test_a_run_says_how_it_came_about_and_how_it_ended(admin, node):
    node.add_job("time:time", "interval", hours=1, id="well")
    node.add_job("math:sqrt", "interval", hours=1, id="fails", args=[-1])
    run = admin.run_job("well", timeout=30)
    ran, comes = admin.why("well")
    assert (ran.verdict, ran.code, ran.run, ran.first) == ("ran", None, run.id, run.scheduled)
    assert "because somebody asked for it" in ran.reason
    assert (comes.verdict, comes.code, comes.first) == ("will run", None, node.get_job("well").next_run_time)
    json.dumps(comes.to_dict())
    failed = admin.run_job("fails", timeout=30)
    assert failed.reason == "failed"
    (told,) = admin.why("fails", failed.scheduled)
    assert (told.verdict, told.code) == ("ran", "failed")
    assert "ValueError: math domain error" in told.reason


def test_what_is_paused_says_by_what(admin, node):
    for job_id in ("by hand", "spent", "failing"):
        node.add_job("time:time", "interval", hours=1, id=job_id)
    node.pause_job("by hand", note="the printer is broken")
    (told,) = admin.why("by hand")
    assert last([told]) == ("will not run", "paused")
    assert "the printer is broken" in told.reason
    node.add_job("time:time", "date", id="spent", max_runs=1, replace_existing=True)
    wait_for(lambda: node.get_job("spent").next_run_time is None)
    assert last(admin.why("spent")) == ("will not run", "max-runs")
    node.add_job(
        "math:sqrt",
        "interval",
        hours=1,
        args=[-1],
        id="failing",
        pause_after_failures=1,
        replace_existing=True,
    )
    node.run_job("failing").wait(30)
    wait_for(lambda: node.get_job("failing").next_run_time is None)
    assert last(admin.why("failing")) == ("will not run", "failures")


def test_a_time_that_is_not_on_the_schedule(admin, node):
    now = admin.now()
    trigger = CronTrigger(hour="*", minute=0, end_date=now + timedelta(days=30), timezone=UTC)
    node.add_job("time:time", trigger, id="hourly")
    node.add_job(
        "time:time", CronTrigger(hour="*", minute=0, timezone=UTC).within("08:00-12:00"), id="window"
    )
    node.add_job("time:time", AfterJob("hourly"), id="follows")
    day = (now + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert last(admin.why("hourly", day.replace(minute=30))) == ("not due", "not-due")
    assert last(admin.why("hourly", day)) == ("will run", None)
    assert last(admin.why("hourly", now + timedelta(days=60))) == ("not due", "no-time-left")
    assert last(admin.why("window", day.replace(hour=9))) == ("will run", None)
    assert last(admin.why("window", day.replace(hour=20))) == ("not due", "left-out")
    assert last(admin.why("window", day.replace(hour=20, minute=30))) == ("not due", "not-due")
    assert last(admin.why("follows")) == ("not due", "after-job")
    with pytest.raises(JobLookupError, match="did you mean 'hourly'"):
        admin.why("hourli")


def test_runs_that_max_runs_leaves_none_of(admin, node):
    node.add_job("time:time", "interval", hours=1, id="thrice", max_runs=3)
    first = node.get_job("thrice").next_run_time
    told = admin.why("thrice", first, first + timedelta(hours=5))
    assert [(one.verdict, one.code, one.count) for one in told] == [
        ("will run", None, 3),
        ("will not run", "max-runs", 3),
    ]
    assert (told[1].first, told[1].last) == (first + timedelta(hours=3), first + timedelta(hours=5))


def test_what_nobody_can_run(admin, node):
    node.add_job("time:time", "interval", hours=1, id="elsewhere", executor="gpu")
    assert last(admin.why("elsewhere")) == ("will not run", "no-executor")
    node.modify_job("elsewhere", next_run_time=admin.now() - timedelta(minutes=1))
    assert last(admin.why("elsewhere")) == ("waits", "no-executor")
    node.shutdown()
    assert last(admin.why("elsewhere")) == ("waits", "no-node")


def test_what_has_to_wait_for_room(admin, node, gate):
    node.set_group("api", limit=1)
    for job_id in ("first", "second"):
        node.add_job(waits_for, "interval", hours=1, id=job_id, args=[gate], group="api")
    running = admin.run_job("first")
    wait_for(lambda: admin.run(running.id).state == "running")
    assert last(admin.why("first")) == ("may wait", "overlapping")
    assert last(admin.why("second")) == ("may wait", "group-full")
    queued = admin.run_job("second")
    (told,) = admin.why("second", queued.scheduled)
    assert (told.verdict, told.code, told.run) == ("waits", "group-full", queued.id)
    assert running.id in told.reason
    (goes_on,) = admin.why("first", running.scheduled)
    assert (goes_on.verdict, goes_on.code) == ("goes on", None)
    later = node.get_job("second").next_run_time + timedelta(hours=5)
    assert last(admin.why("second", later)) == ("will run", None)  # nobody knows what runs by then
    admin.cancel_run(queued.id)
    (told,) = admin.why("second", queued.scheduled)
    assert (told.verdict, told.code) == ("did not run", "cancelled-unbegun")


def test_a_run_that_waits_for_its_next_attempt(admin, node):
    node.add_job(
        "math:sqrt", "interval", hours=1, id="again", args=[-1], retry={"attempts": 2, "delay": 3600}
    )
    run = admin.run_job("again")

    def told():
        return [(one.verdict, one.code) for one in admin.why("again", run.scheduled)]

    # MongoDB has the next attempt for a moment while the first still counts as going on.
    wait_for(lambda: told() == [("ran", "failed"), ("waits", "later")])


def test_what_was_missed_while_nobody_was_at_work(place, make_scheduler):
    before = make_scheduler(jobstores={"default": place()}, start=True)
    now = datetime.now(UTC).replace(microsecond=0)
    first = now - timedelta(minutes=60)

    def add(job_id, **options):
        trigger = IntervalTrigger(minutes=10, start_date=first, timezone=UTC)
        before.add_job("time:time", trigger, id=job_id, next_run_time=first, **options)

    before.pause()
    add("late", misfire_grace_time=1, coalesce=False)
    add("coalesced", misfire_grace_time=None)
    add("dropped", misfire_grace_time=None, coalesce=False, catch_up_limit=2, max_instances=10)
    before.shutdown()
    after = make_scheduler(jobstores={"default": place()}, start=True)
    wait_for(lambda: all(after.get_job(one).next_run_time > now for one in ("late", "coalesced", "dropped")))
    wait_for(lambda: len(after.get_runs("dropped", "succeeded")) == 2)
    wait_for(lambda: after.get_runs("coalesced", "succeeded"))
    with Admin(place(), timezone="UTC") as admin:
        times = [first + timedelta(minutes=10 * number) for number in range(6)]
        told = admin.why("late", times[0], times[4])
        assert [(one.verdict, one.code, one.count) for one in told] == [("did not run", "too-late", 5)]
        assert "no node was at work then" in told[0].reason
        assert {run.reason for run in admin.runs("late", state="missed")} == {"too-late"}
        told = admin.why("coalesced", times[0], times[4])
        assert [(one.verdict, one.code, one.count) for one in told] == [("did not run", "coalesced", 5)]
        told = admin.why("dropped", times[0], times[3])
        assert [(one.verdict, one.code, one.count) for one in told] == [("did not run", "backlog-dropped", 4)]
        # Long before the job was there.
        told = admin.why("coalesced", first - timedelta(days=9))
        assert last(told)[0] == "not due"
        after.remove_job("late")
        assert {one.code for one in admin.why("late", times[0], times[4])} == {"too-late"}
        assert last(admin.why("late", times[0] + timedelta(minutes=1))) == ("unknown", "job-removed")


def test_a_due_time_of_which_nothing_is_kept(admin, node):
    node.add_job("time:time", "cron", minute=0, id="young")
    hour = admin.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    assert last(admin.why("young", hour)) == ("unknown", "not-recorded")
    far = admin.now() + timedelta(days=3)
    node.modify_job("young", next_run_time=far)
    assert last(admin.why("young", hour + timedelta(hours=10))) == ("will not run", "later")


def test_what_is_skipped_since_it_runs(admin, node, gate):
    node.add_job(waits_for, "interval", seconds=1, id="slow", args=[gate])
    skipped = wait_for(lambda: admin.runs("slow", state="skipped"))[0]
    assert skipped.reason == "overlapping"
    (told,) = admin.why("slow", skipped.scheduled)
    assert (told.verdict, told.code) == ("did not run", "overlapping")
    assert "max_instances" in told.reason


def test_who_had_paused_a_job_is_told(store_url, tablename, make_scheduler):
    with Admin(open_store(store_url, tablename), makes=True, timezone="UTC", who="anna") as admin:
        admin.add_job({"id": "often", "func": "time:time", "trigger": "interval", "seconds": 1})
        admin.pause_job("often", note="password=hunter2 is wrong")
        begin = admin.now()
        (told,) = [one for one in admin.why("often") if one.verdict == "will not run"]
        assert told.reason.startswith("it is paused, by anna at ")
        assert "hunter2" not in told.reason
        assert wait_for(lambda: admin.now() > begin + timedelta(seconds=2))
        with admin.on_behalf_of("bob"):
            admin.resume_job("often")
        end = admin.now()
        (told,) = [
            one for one in admin.why("often", begin, end - timedelta(seconds=1)) if one.code == "paused"
        ]
        assert told.verdict == "did not run"
        assert told.reason.startswith("it was paused then, by anna at ")
        admin.pause_job("often", until=end + timedelta(hours=1))
        (told,) = admin.why("often", end + timedelta(minutes=1), end + timedelta(minutes=2))
        assert told.verdict == "will not run"
