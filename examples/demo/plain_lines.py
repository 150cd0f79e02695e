"""The demo for a file or a pipe: a line for each run."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

from examples.demo.record import LISTENED, Record

if TYPE_CHECKING:
    from mainspring import BackgroundScheduler


def show(scheduler: BackgroundScheduler, record: Record, seconds: float) -> None:
    """Print what is scheduled, then each run as it ends, for `seconds`."""
    jobs = scheduler.get_jobs()
    names = {job.id: job.name for job in jobs}
    print("Scheduled:")
    for job in jobs:
        print(f"  {job.id:<8} {job.name:<20} next {job.next_run_time.astimezone():%H:%M:%S}")
    print("Runs:", flush=True)

    def ended(event: Any) -> None:
        run = record(event)
        if run is not None:
            mark = "ERROR" if run.failed else "ok"
            print(
                f"  {run.due.astimezone():%H:%M:%S} {run.job_id:<8} {names[run.job_id]:<20} {mark:<5} "
                f"{run.late_ms:6.1f} ms late took {run.took_ms:6.1f} ms  {run.outcome}",
                flush=True,
            )

    scheduler.add_listener(ended, LISTENED)
    Event().wait(seconds)
