"""`sync`: the jobs of one owner are brought in step with a list, and nobody else's are touched."""

from __future__ import annotations

import pytest

from mainspring.admin import Admin
from mainspring.errors import ConflictingIdError, JobLookupError, SchedulerNotRunningError
from mainspring.testing import EventRecorder
from stores import open_store


@pytest.fixture
def on_store(store_url, tablename, make_scheduler):
    return make_scheduler(jobstores={"default": open_store(store_url, tablename)}, start=True)


def job(job_id, **options):
    return {"id": job_id, "func": "time:time", "trigger": "interval", "hours": 1, **options}


def actions(plan):
    return {one.id: one.action for one in plan.jobs}


def test_on_every_store_what_is_its_owners_is_added_changed_kept_and_removed(on_store):
    on_store.add_job("time:time", "interval", hours=1, id="by hand")
    plan = on_store.sync([job("a"), job("b"), job("c")], owner="billing")
    assert actions(plan) == {"a": "add", "b": "add", "c": "add"}
    due = {one.id: one.next_run_time for one in on_store.get_jobs()}

    wanted = [job("a"), job("b", priority=3, args=None), job("c", hours=2)]
    shown = on_store.sync(wanted, owner="billing", dry_run=True)
    assert [one.what for one in shown.jobs[1].differences] == ["priority"]
    assert [one.what for one in shown.jobs[2].differences] == ["schedule"]
    assert len(shown.jobs[2].times_after) == 10
    assert {one.id: one.next_run_time for one in on_store.get_jobs()} == due, "a dry run changes nothing"
    done = on_store.sync(wanted, owner="billing")
    assert actions(done) == actions(shown) == {"a": "keep", "b": "change", "c": "change"}
    now_due = {one.id: one.next_run_time for one in on_store.get_jobs()}
    assert (now_due["a"], now_due["b"]) == (due["a"], due["b"]), "what isn't rescheduled keeps its time"
    assert now_due["c"] > due["c"]
    assert on_store.get_job("b").priority == 3
    assert not on_store.sync(wanted, owner="billing").changes_something

    assert actions(on_store.sync(wanted[:1], owner="billing")) == {"a": "keep", "b": "leave", "c": "leave"}
    assert len(on_store.get_jobs()) == 4
    pruned = on_store.sync(wanted[:1], owner="billing", prune=True)
    assert actions(pruned) == {"a": "keep", "b": "remove", "c": "remove"}
    assert {one.id for one in on_store.get_jobs()} == {"a", "by hand"}


def test_on_every_store_what_is_others_is_refused_or_taken_over(on_store, store_url, tablename):
    on_store.add_job("time:time", "interval", hours=1, id="by hand")
    on_store.sync([job("theirs")], owner="shop")
    for job_id in ("by hand", "theirs"):
        with pytest.raises(ConflictingIdError):
            on_store.sync([job("new"), job(job_id)], owner="billing")
        with pytest.raises(JobLookupError):
            on_store.remove_job("new")  # all or nothing
    on_store.sync([], owner="billing", prune=True)
    assert {one.id for one in on_store.get_jobs()} == {"by hand", "theirs"}
    with Admin(open_store(store_url, tablename)) as admin:
        assert admin.job("theirs").owner == "shop"
        admin.sync([job("theirs", priority=1)], owner="billing", take_over=True)
        assert admin.job("theirs").owner == "billing"
    assert not on_store.sync([job("theirs", priority=1)], owner="billing").changes_something


def test_a_job_that_somebody_has_paused_stays_paused(make_scheduler):
    scheduler = make_scheduler(start=True)
    scheduler.sync([job("a")], owner="billing")
    scheduler.pause_job("a", note="the printer is broken")
    assert not scheduler.sync([job("a")], owner="billing").changes_something
    scheduler.sync([job("a", hours=3)], owner="billing")
    assert scheduler.get_job("a").next_run_time is None
    assert scheduler.get_job("a").note == "the printer is broken"


def test_a_job_that_the_list_pauses_is_paused(make_scheduler):
    scheduler = make_scheduler(start=True)
    scheduler.sync([job("a")], owner="billing")
    plan = scheduler.sync([job("a", next_run_time=None)], owner="billing")
    assert [(one.what, one.after) for one in plan.jobs[0].differences] == [("paused", "yes")]
    assert scheduler.get_job("a").next_run_time is None
    assert not scheduler.sync([job("a", next_run_time=None)], owner="billing").changes_something


def test_a_program_that_replaces_a_job_makes_it_its_own(make_scheduler):
    scheduler = make_scheduler(start=True)
    scheduler.sync([job("a")], owner="billing")
    scheduler.modify_job("a", priority=2)
    assert actions(scheduler.sync([job("a")], owner="billing")) == {"a": "change"}, (
        "modified, it is still its owner's"
    )
    scheduler.add_job("time:time", "interval", hours=1, id="a", replace_existing=True)
    assert actions(scheduler.sync([job("a")], owner="billing", dry_run=True)) == {"a": "conflict"}


def test_what_is_done_is_told_as_events(make_scheduler):
    scheduler = make_scheduler(start=True)
    recorder = EventRecorder()
    scheduler.sync([job("a"), job("b")], owner="billing")
    scheduler.add_listener(recorder)
    scheduler.sync([job("a"), job("c")], owner="billing", prune=True)
    assert [(type(event).__name__, event.job_id) for event in recorder.events] == [
        ("JobEvent", "c"),
        ("JobEvent", "b"),
    ]


def test_secrets_are_masked_in_what_is_shown(make_scheduler):
    scheduler = make_scheduler(start=True)
    scheduler.sync(
        [job("a", func="logging:log", args=[1, "x"], kwargs={"password": "hush"})], owner="billing"
    )
    plan = scheduler.sync(
        [job("a", func="logging:log", args=[1, "x"], kwargs={"password": "hushed"})], owner="billing"
    )
    assert [one.what for one in plan.jobs[0].differences] == ["arguments"]
    assert "hush" not in str(plan)
    assert "hush" not in str(plan.to_dict())


@pytest.mark.parametrize(
    ("jobs", "owner", "error", "words"),
    [
        ([job("a"), job("a")], "billing", ConflictingIdError, "a"),
        ([{"func": "time:time", "trigger": "interval"}], "billing", ValueError, "each job needs an id"),
        ([job("a")], "", ValueError, "owner must be a text"),
        ([job("a")], None, ValueError, "owner must be a text"),
        ([job("a", trigger="intervall")], "billing", LookupError, "did you mean 'interval'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(make_scheduler, jobs, owner, error, words):
    scheduler = make_scheduler(start=True)
    with pytest.raises(error, match=words):
        scheduler.sync(jobs, owner=owner)
    assert scheduler.get_jobs() == []


def test_before_the_start_it_is_refused(scheduler):
    with pytest.raises(SchedulerNotRunningError, match=r"sync\(\) needs its job stores"):
        scheduler.sync([job("a")], owner="billing")
