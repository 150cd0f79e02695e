"""What type checkers make of the public methods; read by mypy in `make lint`, and not run.

A line that ends in ``type: ignore`` holds a mistake: mypy complains when it finds nothing there any more.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import assert_type

from mainspring import AfterJob, BackgroundScheduler, Job, Retry, RunHandle, RunRecord


def work(number: int) -> int:
    return number


scheduler = BackgroundScheduler()

job = scheduler.add_job(
    work,
    "interval",
    hours=1,
    args=[1],
    misfire_grace_time=timedelta(minutes=1),
    coalesce=False,
    max_instances=2,
    next_run_time=datetime(2026, 1, 1, tzinfo=UTC),
    on_lost="rerun",
    tags=["a"],
    retry=Retry(3, on=OSError),
    timeout=30,
    overlap="buffer_one",
    group="shop",
    misfire_policy="all",
    priority=3,
    reruns=5,
    max_runs=None,
    around_run="contextlib:nullcontext",
    metadata={"team": "billing"},
)
assert_type(job, Job)
assert_type(job.run_now(), RunHandle)
assert_type(scheduler.run_job("a").wait(5), RunRecord)
assert_type(scheduler.modify_job("a", timeout=None, priority=1, trigger=AfterJob("b"), note="why"), Job)
assert_type(job.modify(retry=3, tags={"a"}), Job)

scheduler.add_job(work, tags=5)  # type: ignore[arg-type]
scheduler.add_job(work, coalesce="no")  # type: ignore[arg-type]
scheduler.add_job(work, on_lost="again")  # type: ignore[arg-type]
scheduler.add_job(work, around_run=5)  # type: ignore[arg-type]
scheduler.add_job(work, misfire_grace_time="5")  # type: ignore[arg-type]
scheduler.modify_job("a", timout=5)  # type: ignore[call-arg]
scheduler.modify_job("a", overlap="queue")  # type: ignore[arg-type]
job.modify(priority="high")  # type: ignore[arg-type]


@scheduler.scheduled_job("cron", hour=3, overlap="allow", timeout=timedelta(hours=1))
def nightly() -> None:
    """Decorated functions stay what they are."""


@scheduler.scheduled_job("cron", hour=3, max_instances="2")  # type: ignore[arg-type]
def wrong() -> None:
    """One option is of the wrong type."""
