"""No user code runs under a lock of the scheduler: whatever it is, another thread can use the scheduler meanwhile."""

import threading
from datetime import UTC, datetime

import pytest

from mainspring.events import EVENT_ALL, EVENT_JOB_EXECUTED
from mainspring.executors.debug import DebugExecutor
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.testing import EventRecorder
from mainspring.triggers.base import BaseTrigger


def nothing():
    pass


class Probe:
    """Uses a scheduler from another thread, and notes where that came to an end."""

    def __init__(self, scheduler):
        self.scheduler = scheduler
        self.passed = set()
        self.stuck = set()

    def __call__(self, where):
        thread = threading.Thread(target=self.use, daemon=True)
        thread.start()
        thread.join(30)
        (self.stuck if thread.is_alive() else self.passed).add(where)

    def use(self):
        scheduler = self.scheduler
        listener = EventRecorder()
        scheduler.add_listener(listener)
        scheduler.remove_listener(listener)
        scheduler.get_jobs()
        scheduler.health()
        name = threading.current_thread().name
        scheduler.add_executor("debug", name)
        scheduler.remove_executor(name)
        scheduler.add_jobstore("memory", name)
        job = scheduler.add_job(nothing, "date", run_date=datetime(2100, 1, 1, tzinfo=UTC), jobstore=name)
        job.modify(name="x")
        job.pause()
        job.resume()
        job.remove()
        scheduler.remove_jobstore(name)


class ProbingTrigger(BaseTrigger):
    def __init__(self, probe):
        self.probe = probe

    def get_next_fire_time(self, previous_fire_time, now):
        self.probe("trigger asked first" if previous_fire_time is None else "trigger asked again")
        return now if previous_fire_time is None else None


class ProbingExecutor(DebugExecutor):
    probe = None

    def start(self, scheduler, alias):
        self.probe("executor started")
        super().start(scheduler, alias)

    def submit(self, submission, reporter):
        self.probe("executor submitted to")
        super().submit(submission, reporter)

    def shutdown(self, wait=True):
        self.probe("executor shut down")


class ProbingStore(MemoryJobStore):
    probe = None

    def get_due_jobs(self, now):
        self.probe("store asked for due jobs")
        return super().get_due_jobs(now)

    def add_job(self, job):
        self.probe("store added to")
        super().add_job(job)


@pytest.mark.timeout(60)
def test_the_scheduler_can_be_used_while_users_code_runs(scheduler):
    probe = Probe(scheduler)
    executor, store = ProbingExecutor(), ProbingStore()
    executor.probe = store.probe = lambda where: None
    scheduler.start()
    executor.probe = store.probe = probe
    heard = EventRecorder()
    scheduler.add_listener(
        lambda event: probe("listener") if event.job_id == "a" else None, EVENT_JOB_EXECUTED
    )
    scheduler.add_listener(heard, EVENT_ALL)
    scheduler.add_executor(executor, "probing")
    scheduler.add_job(lambda: probe("job"), ProbingTrigger(probe), executor="probing", id="a")
    heard.wait_for(EVENT_JOB_EXECUTED, "a")
    scheduler.remove_executor("probing")
    # A store is called by one thread at a time, as it was promised: so it is not asked for its own jobs meanwhile.
    store.probe = lambda where: probe.passed.add(where)
    scheduler.add_jobstore(store, "probing")
    scheduler.add_job(nothing, jobstore="probing", id="b")
    heard.wait_for(EVENT_JOB_EXECUTED, "b")
    assert not probe.stuck
    assert probe.passed == {
        "trigger asked first",
        "trigger asked again",
        "executor started",
        "executor submitted to",
        "executor shut down",
        "job",
        "listener",
        "store asked for due jobs",
        "store added to",
    }
