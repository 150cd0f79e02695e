"""What goes on at one moment, on every kind of shared store; and that as much is read of a large store as of a small one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mainspring.admin import Admin, overview
from mainspring.admin.overview import overview_of
from stores import open_store
from waiting import wait_for


@pytest.fixture
def node(store_url, tablename, make_scheduler):
    return make_scheduler(jobstores={"default": open_store(store_url, tablename)}, start=True)


@pytest.fixture
def admin(node, store_url, tablename):
    with Admin(open_store(store_url, tablename)) as admin:
        yield admin


def waits():
    from mainspring import current_run

    current_run().progress(1, 4, "rows")
    current_run().cancelled.wait(60)


def fails():
    raise ValueError("no printer")


def test_it_shows_what_runs_comes_failed_and_is_late(admin, node):
    node.add_job(waits, id="long")
    node.add_job(fails, id="bad")
    node.add_job("time:time", "interval", hours=1, id="hourly")
    node.add_job("time:time", "interval", hours=1, id="paused", next_run_time=None)
    node.add_job("time:time", "interval", hours=1, id="elsewhere", executor="gpu")
    node.modify_job("elsewhere", next_run_time=admin.now() - timedelta(minutes=1))

    def seen():
        found = overview_of(admin)
        return found.failures and found.open_runs and found.open_runs[0].progress and found

    shown = wait_for(seen)
    assert [(run.job_id, run.state, run.progress) for run in shown.open_runs] == [
        ("long", "running", (1, 4, "rows"))
    ]
    assert timedelta(0) <= shown.open_runs[0].duration < timedelta(minutes=5)
    assert [(run.job_id, run.state, run.error) for run in shown.failures] == [
        ("bad", "failed", "ValueError: no printer")
    ]
    assert [job.id for job in shown.upcoming] == ["elsewhere", "hourly", "paused"]
    assert [one.state for one in shown.nodes] == ["alive"]
    assert shown.lateness.overdue == 1
    assert timedelta(minutes=1) <= shown.lateness.oldest < timedelta(minutes=6)
    assert timedelta(0) <= shown.lateness.typical <= shown.lateness.worst < timedelta(minutes=5)
    assert shown.more == ()
    assert shown.to_dict()["lateness"]["overdue"] == 1

    some = overview_of(admin, search="OUR")
    assert [job.id for job in some.upcoming] == ["hourly"]
    assert (some.open_runs, some.failures) == ((), ())
    admin.cancel_run(shown.open_runs[0].id)


def test_there_are_more_than_are_shown(admin, node, monkeypatch):
    for name in ("RUNS_SHOWN", "JOBS_SHOWN", "FAILURES_SHOWN"):
        monkeypatch.setattr(overview, name, 2)
    for number in range(3):
        node.add_job(fails, "interval", hours=number + 1, id=f"bad {number}", first="now")
    wait_for(lambda: len(admin.runs(state="failed")) == 3)
    shown = overview_of(admin)
    assert (len(shown.failures), len(shown.upcoming), shown.open_runs) == (2, 2, ())
    assert shown.more == ("failures", "upcoming")


def test_a_store_without_anything_has_an_overview(admin):
    shown = overview_of(admin)
    assert (shown.open_runs, shown.upcoming, shown.failures) == ((), (), ())
    assert (shown.lateness.typical, shown.lateness.worst, shown.lateness.oldest) == (None, None, None)
