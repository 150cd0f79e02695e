"""Jobs that share limits."""

from __future__ import annotations

import itertools
import warnings
from datetime import UTC, datetime, timedelta

import pytest
import run_work as work
from run_work import eventually

from mainspring.errors import StoreNotOpenWarning
from mainspring.model import Group

PAST = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def running(scheduler):
    return scheduler.get_runs(outcome="running")


def look_once_more(scheduler):
    """Have the scheduler look for what may begin, and wait until it has."""
    probe = scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2])
    assert probe.run_now().wait(30).outcome == "succeeded"
    probe.remove()


def test_a_group_limits_its_jobs_together(scheduler):
    scheduler.set_group("api", limit=2)
    for number in range(5):
        scheduler.add_job(work.wait, "date", run_date=PAST, id=f"job {number}", group="api")
    scheduler.add_job(work.wait, "date", run_date=PAST, id="free")
    eventually(lambda: len(running(scheduler)) == 3)
    assert len(scheduler.get_jobs()) == 3  # those that wait are still due
    look_once_more(scheduler)
    assert sorted(run.job_id == "free" for run in running(scheduler)) == [False, False, True]
    work.gate.set()

    def ended():
        return [run for run in scheduler.get_runs(outcome="succeeded") if run.job_id.startswith("job ")]

    eventually(lambda: len(ended()) == 5)
    runs = ended()
    changes = sorted([(run.started, 1) for run in runs] + [(run.finished, -1) for run in runs])
    assert max(itertools.accumulate(change for _, change in changes)) <= 2


def test_runs_that_are_asked_for_count_too(scheduler):
    scheduler.set_group("api", limit=1)
    one = scheduler.add_job(work.wait, "date", run_date=LATER, id="one", group="api")
    two = scheduler.add_job(work.wait, "date", run_date=LATER, id="two", group="api")
    first = one.run_now()
    assert work.begun.wait(30)
    second = two.run_now()
    look_once_more(scheduler)
    assert [run.id for run in running(scheduler)] == [first.id]
    work.gate.set()
    assert second.wait(30).outcome == "succeeded"


def test_many_short_runs_follow_one_another_without_a_pause(seldom_polls, scheduler):
    scheduler.set_group("api", limit=1)
    jobs = [
        scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2], id=str(number), group="api")
        for number in range(20)
    ]
    records = [handle.wait(60) for handle in [job.run_now() for job in jobs]]
    assert [record.outcome for record in records] == ["succeeded"] * 20
    records.sort(key=lambda record: record.started)
    pauses = sorted(later.started - earlier.finished for earlier, later in itertools.pairwise(records))
    # Where each is found by a poll, all of them are long; on a busy machine some are.
    assert pauses[5] < seldom_polls / 2


def assert_rate(runs, rate):
    """Of more runs than `rate` the last was claimed a second after the first, at the earliest; in memory that isn't recorded (`tests/differential` sees it)."""
    claimed = sorted(run.claimed for run in runs if run.claimed is not None)
    for earlier, later in zip(claimed, claimed[rate:], strict=False):
        assert later - earlier >= timedelta(seconds=0.999)


def test_a_rate_holds_in_every_span_of_time(scheduler):
    scheduler.set_group("mail", rate=3, per=1)
    for number in range(8):
        scheduler.add_job(work.note, "date", run_date=PAST, args=[number], id=str(number), group="mail")
    eventually(lambda: len(scheduler.get_runs(outcome="succeeded")) == 8)
    assert_rate(scheduler.get_runs(), 3)


def test_a_rate_counts_each_run_of_a_backlog(scheduler):
    scheduler.set_group("mail", rate=2, per=1)
    start = datetime.now(UTC) - timedelta(minutes=4, seconds=30)
    scheduler.add_job(
        work.note,
        "interval",
        minutes=1,
        start_date=start,
        next_run_time=start,
        args=["mail"],
        id="mail",
        group="mail",
        misfire_policy="all",
    )
    eventually(lambda: len(scheduler.get_runs("mail", "succeeded")) == 5)
    assert [moment for _, moment in work.seen] == [start + timedelta(minutes=number) for number in range(5)]
    assert_rate(scheduler.get_runs("mail"), 2)


def test_groups_are_set_listed_changed_and_removed(scheduler):
    scheduler.set_group("b", limit=2)
    scheduler.set_group("a", rate=5, per=timedelta(seconds=90))
    scheduler.set_group("b", limit=3, rate=10)
    assert scheduler.get_groups() == [
        Group("a", None, 5, timedelta(seconds=90)),
        Group("b", 3, 10, timedelta(minutes=1)),
    ]
    scheduler.remove_group("a")
    with pytest.raises(KeyError, match="no group 'a'"):
        scheduler.remove_group("a")
    assert [group.name for group in scheduler.get_groups()] == ["b"]


def test_more_room_is_taken_at_once(scheduler):
    scheduler.set_group("api", limit=1)
    for number in range(3):
        scheduler.add_job(work.wait, "date", run_date=PAST, id=str(number), group="api")
    eventually(lambda: len(running(scheduler)) == 1)
    scheduler.set_group("api", limit=2)
    eventually(lambda: len(running(scheduler)) == 2)
    scheduler.remove_group("api")
    eventually(lambda: len(running(scheduler)) == 3)


def test_groups_may_be_set_before_the_start(make_scheduler, make_store):
    scheduler = make_scheduler(jobstores={"default": make_store()})
    scheduler.set_group("api", limit=1)
    with warnings.catch_warnings(action="ignore", category=StoreNotOpenWarning):  # of all stores but memory
        assert scheduler.get_groups() == [Group("api", 1)]
    for number in range(2):
        scheduler.add_job(work.wait, "date", run_date=PAST, id=str(number), group="api")
    scheduler.start()
    eventually(lambda: len(running(scheduler)) == 1)
    look_once_more(scheduler)
    assert len(running(scheduler)) == 1
    work.gate.set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a"},
        {"name": "a", "limit": 0},
        {"name": "a", "rate": 1.5},
        {"name": "a", "rate": 1, "per": 0},
        {"name": "a", "rate": 1, "per": float("inf")},
        {"name": "a", "limit": 2**31},
        {"name": "a" * 192, "limit": 1},
    ],
)
def test_wrong_groups_are_refused(make_scheduler, wrong):
    with pytest.raises(ValueError, match=r"group|per"):
        make_scheduler().set_group(**wrong)


def warnings_of(caplog):
    """What was said of groups without limits."""
    return [record.getMessage() for record in caplog.records if "has no limits" in record.message]


def test_a_group_that_nobody_limits_is_warned_of_once(scheduler, caplog):
    scheduler.set_group("shop", limit=1)
    scheduler.add_job(work.add, args=[1, 2], id="known", group="shop")
    assert warnings_of(caplog) == []
    for name in ("a", "b"):
        scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2], id=name, group="shpo")
    assert len(warnings_of(caplog)) == 1
    assert "did you mean 'shop'?" in warnings_of(caplog)[0]
    scheduler.modify_job("a", group="other")
    assert "set_group('other', limit=…)" in warnings_of(caplog)[1]


def test_limits_may_be_set_after_the_jobs_that_they_are_for_if_both_come_before_the_start(
    make_scheduler, caplog
):
    scheduler = make_scheduler()
    scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2], group="shop")
    scheduler.set_group("shop", limit=1)
    scheduler.start()
    assert warnings_of(caplog) == []


def test_limits_are_kept_when_a_start_fails(make_scheduler):
    scheduler = make_scheduler()
    scheduler.set_group("early", limit=1)
    scheduler.set_group("shop", limit=1, jobstore="other")
    with pytest.raises(KeyError, match="other"):
        scheduler.start()
    scheduler.add_jobstore("memory", "other")
    scheduler.start()
    assert {group.name for group in scheduler.get_groups()} == {"early", "shop"}
