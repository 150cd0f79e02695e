"""A job whose executor isn't there: told soon, tried again, no sign of health, and run once there is one; alike on every store."""

from __future__ import annotations

import run_work as work

from mainspring.events import EVENT_JOB_EXECUTED, EVENT_JOB_PARKED
from mainspring.executors.debug import DebugExecutor


def test_a_job_waits_for_its_executor_and_says_so(scheduler, heard):
    scheduler.add_job(work.add, args=[1, 2], id="early", executor="later")
    told = heard.wait_for(EVENT_JOB_PARKED, "early", count=2)
    assert {event.reason for event in told} == {"no executor 'later' here"}
    assert told[0].retry_at < told[1].retry_at
    health = scheduler.health()
    assert (health.ok, health.parked_jobs, health.jobs_without_executor) == (False, 1, 1)
    assert [job.job_id for job in scheduler.get_parked_jobs()] == ["early"]
    scheduler.add_executor(DebugExecutor(), "later")
    heard.wait_for(EVENT_JOB_EXECUTED, "early")
    work.eventually(lambda: scheduler.health().ok)
