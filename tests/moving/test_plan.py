"""A plan is looked at, changed, and applied as a whole; again and again."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from mainspring import CronTrigger, DateTrigger, MemoryJobStore, SQLAlchemyJobStore
from mainspring.errors import ConflictingIdError, JobLookupError
from mainspring.moving import read_crontab
from mainspring.moving.plan import Planner, digest
from waiting import wait_for

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINES = """\
MAILTO=ops@example.com
*/5 * * * * fetch
0 9 * * 1-5 report --all
@reboot start
"""


def work(number=1):
    return number


@pytest.fixture(params=["memory", "sqlite"])
def started(request, make_scheduler, tmp_path):
    store = (
        MemoryJobStore()
        if request.param == "memory"
        else SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite")
    )
    scheduler = make_scheduler(jobstores={"default": store})
    scheduler.start(paused=True)
    return scheduler


def test_it_shows_all_that_there_is_to_know():
    shown = str(read_crontab(LINES, now=NOW, timezone="Europe/Berlin"))
    assert "crontab: 2 jobs, 1 left out" in shown
    assert "every 5 minutes, Europe/Berlin" in shown
    assert "report --all" in shown
    assert "2026-03-02 09:00:00 CET" in shown
    assert "MAILTO=ops@example.com: no mail is sent" in shown
    assert "left out, line 4: @reboot start:" in shown


def test_nothing_of_a_command_can_forge_a_line():
    shown = str(read_crontab("* * * * * a\x1b[31m\u2028b\n", now=NOW))
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 3


def test_applied_twice_it_changes_nothing(started):
    first = read_crontab(LINES, now=NOW).apply(started)
    before = [(job.id, job.next_run_time, str(job.trigger)) for job in started.get_jobs()]
    again = read_crontab(LINES, now=NOW + timedelta(days=1)).apply(started, replace_existing=True)
    assert [job.id for job in first] == [job.id for job in again]
    assert [(job.id, job.next_run_time, str(job.trigger)) for job in started.get_jobs()] == before


def test_a_schedule_that_was_edited_changes_its_job(started):
    read_crontab(LINES, now=NOW).apply(started)
    edited = read_crontab(LINES.replace("0 9", "0 10"), now=NOW)
    edited.apply(started, replace_existing=True)
    assert len(started.get_jobs()) == 2
    assert started.get_job(edited.jobs[1].id).next_run_time.hour == 10


def test_it_is_applied_as_a_whole_or_not_at_all(started):
    plan = read_crontab(LINES, now=NOW)
    started.add_job(work, "date", run_date="2999-01-01", id=plan.jobs[1].id)
    with pytest.raises(ConflictingIdError):
        plan.apply(started)
    assert len(started.get_jobs()) == 1
    with pytest.raises(LookupError):
        plan.change(plan.jobs[1].id, func="no_such_module:function").apply(started, replace_existing=True)
    assert len(started.get_jobs()) == 1


def test_what_is_left_out_is_told_in_the_log(started, caplog):
    with caplog.at_level(logging.WARNING, "mainspring.moving"):
        read_crontab(LINES, now=NOW).apply(started)
    assert [record.getMessage() for record in caplog.records if "@reboot" in record.getMessage()]


def test_a_job_of_it_can_be_changed_or_dropped(started):
    plan = read_crontab(LINES, now=NOW)
    fetch, report = (job.id for job in plan.jobs)
    plan = plan.change(fetch, func=work, timeout=30).without(report)
    assert plan[fetch].args == ()
    assert plan[fetch].kwargs == {}
    assert [job.id for job in plan.jobs] == [fetch]
    plan = plan.change(fetch, kwargs={"number": 2}, trigger=CronTrigger(hour=3))
    (job,) = plan.apply(started, executor="default", coalesce=False)
    assert (job.kwargs, job.coalesce) == ({"number": 2}, False)
    with pytest.raises(JobLookupError, match="did you mean"):
        plan.change(f"{fetch}x", timeout=1)


def test_what_was_to_run_once_is_not_run_again(started):
    """The attack: a plan that is applied at every start ran its one-shots at every start."""

    def plan():
        planner = Planner("test", now=datetime.now(UTC), tag="test")
        planner.add("once", work, DateTrigger(datetime.now(UTC) - timedelta(minutes=5)))
        return planner.plan()

    kept = plan()
    kept.apply(started)
    started.resume()
    wait_for(lambda: started.get_runs("once") and started.get_job("once").next_run_time is None)
    plan().apply(started, replace_existing=True)
    kept.apply(started, replace_existing=True)
    assert started.get_job("once").next_run_time is None
    assert len(started.get_runs("once")) == 1


def test_what_was_to_run_once_long_ago_waits_for_somebody_to_want_it():
    planner = Planner("test", now=NOW, tag="test")
    planner.add("old", work, DateTrigger(NOW - timedelta(hours=2)))
    (job,) = planner.plan().jobs
    assert job.is_paused
    assert "resume_job" in job.notes[0]


def test_ids_are_short_enough_and_each_is_one_job():
    planner = Planner("test", now=NOW, tag="test")
    for _ in range(2):
        planner.add("x" * 500, work, CronTrigger(hour=1))
    first, second = (job.id for job in planner.plan().jobs)
    assert first != second
    assert len(first) <= 160
    assert len(second) <= 170


def test_ids_do_not_depend_on_the_process():
    class Thing:
        pass

    assert digest(Thing()) == digest(Thing())


def test_a_plan_is_applied_to_a_scheduler_that_has_not_started(make_scheduler):
    scheduler = make_scheduler()
    read_crontab(LINES, now=NOW).apply(scheduler, replace_existing=True)
    scheduler.start(paused=True)
    assert len(scheduler.get_jobs()) == 2
