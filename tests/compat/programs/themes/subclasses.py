"""Parts that programs have written by subclassing: the hooks that they override are called."""

from datetime import timedelta

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_REMOVED,
    EVENT_JOB_SUBMITTED,
    EVENT_SCHEDULER_SHUTDOWN,
)
from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.executors.pool import BasePoolExecutor, ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from kit import LATER, Heard, ago, each, listing, nothing, program, running

EVERY_HOUR = IntervalTrigger(hours=1, start_date="2055-03-04", timezone="UTC")

HOOKS = [
    "_real_add_job",
    "_dispatch_event",
    "_create_trigger",
    "_process_jobs",
    "_configure",
    "_create_default_executor",
    "_create_default_jobstore",
    "_create_lock",
    "_lookup_job",
    "_lookup_executor",
    "_lookup_jobstore",
    "_create_plugin_instance",
    "_check_uwsgi",
    "_main_loop",
    "wakeup",
    "add_job",
    "modify_job",
    "remove_job",
    "start",
    "shutdown",
    "pause_job",
    "add_jobstore",
    "add_executor",
]


@each(HOOKS)
def hook_of_a_scheduler(row):
    called = []
    original = getattr(BackgroundScheduler, row)

    def hook(self, *args, **kwargs):
        called.append(row)
        return original(self, *args, **kwargs)

    own = type("Own", (BackgroundScheduler,), {row: hook})
    heard = Heard()
    scheduler = own({"apscheduler.executors.x.type": "debug"}, timezone="UTC")
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(nothing, "cron", year=2055, id="a")
        scheduler.add_job(nothing, id="b")
        heard.wait(EVENT_JOB_EXECUTED)
        heard.wait(EVENT_JOB_SUBMITTED)
        scheduler.get_job("a").modify(name="x").pause().remove()
    print(bool(called))


@program
def a_scheduler_with_a_loop_of_its_own():
    class Own(BaseScheduler):
        woken = 0

        def wakeup(self):
            self.woken += 1

        def shutdown(self, wait=True):
            super().shutdown(wait)

    heard = Heard()
    scheduler = Own(timezone="UTC")
    scheduler.add_listener(heard)
    scheduler.start()
    print(scheduler.woken > 0, scheduler._process_jobs())
    scheduler.add_job(divmod, args=[7, 2], id="a")
    scheduler.add_job(nothing, "date", run_date=LATER)
    print(scheduler._process_jobs() > 1000)
    print(heard.wait(EVENT_JOB_EXECUTED)[0].retval)
    scheduler.shutdown()


@program
def a_blocking_scheduler_whose_loop_is_replaced():
    class Own(BlockingScheduler):
        def _main_loop(self):
            print("the loop", self._process_jobs())

    scheduler = Own(timezone="UTC")
    scheduler.start()
    print(scheduler.running)
    scheduler.shutdown()


@program
def an_executor_of_ones_own():
    class Own(BaseExecutor):
        def _do_submit_job(self, job, run_times):
            print("submitted", job.id, len(run_times))
            try:
                events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
            except BaseException as error:
                self._run_job_error(job.id, error)
            else:
                self._run_job_success(job.id, events)

    heard = Heard()
    scheduler = BackgroundScheduler(timezone="UTC", executors={"default": Own()})
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(divmod, args=[7, 2], id="a")
        print(heard.wait(EVENT_JOB_EXECUTED)[0].retval)
        scheduler.add_job(divmod, args=[7, 0], id="b")
        print(repr(heard.wait(EVENT_JOB_ERROR)[0].exception))
        print(dict(scheduler._executors["default"]._instances))


@program
def an_executor_that_hears_of_success():
    class Own(ThreadPoolExecutor):
        def _run_job_success(self, job_id, events):
            print("success", job_id, [event.retval for event in events])
            super()._run_job_success(job_id, events)

    heard = Heard()
    scheduler = BackgroundScheduler(timezone="UTC", executors={"default": Own(1)})
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(divmod, args=[7, 2], id="a")
        heard.wait(EVENT_JOB_EXECUTED)


@program
def an_executor_that_hears_of_a_submission():
    class Own(ThreadPoolExecutor):
        def submit_job(self, job, run_times):
            print("submitted", job.id, len(run_times))
            return super().submit_job(job, run_times)

    heard = Heard()
    scheduler = BackgroundScheduler(timezone="UTC", executors={"default": Own(1)})
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(divmod, args=[7, 2], id="a")
        heard.wait(EVENT_JOB_EXECUTED)


@program
def an_executor_that_changes_what_is_done():
    class Own(ThreadPoolExecutor):
        def _do_submit_job(self, job, run_times):
            print("done", job.id)
            super()._do_submit_job(job, run_times)

    heard = Heard()
    scheduler = BackgroundScheduler(timezone="UTC", executors={"default": Own(1)})
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(divmod, args=[7, 2], id="a")
        heard.wait(EVENT_JOB_EXECUTED)


@program
def an_executor_with_a_pool_of_its_own():
    from concurrent.futures import ThreadPoolExecutor as Pool

    class Own(BasePoolExecutor):
        def __init__(self):
            super().__init__(Pool(1, "own"))

    heard = Heard()
    scheduler = BackgroundScheduler(timezone="UTC", executors={"default": Own()})
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(divmod, args=[7, 2], id="a")
        print(heard.wait(EVENT_JOB_EXECUTED)[0].retval)


@program
def an_executor_is_started_and_shut_down():
    class Own(ThreadPoolExecutor):
        def start(self, scheduler, alias):
            print("start", alias)
            super().start(scheduler, alias)

        def shutdown(self, wait=True):
            print("shutdown", wait)
            super().shutdown(wait)

    scheduler = BackgroundScheduler(timezone="UTC", executors={"mine": Own(1)})
    scheduler.start()
    print(scheduler._executors["mine"]._scheduler is scheduler, scheduler._executors["mine"]._logger.name)
    scheduler.shutdown(wait=False)


@program
def a_memory_store_that_counts():
    calls = []

    class Own(MemoryJobStore):
        def add_job(self, job):
            calls.append("add")
            super().add_job(job)

        def update_job(self, job):
            calls.append("update")
            super().update_job(job)

        def remove_job(self, job_id):
            calls.append("remove")
            super().remove_job(job_id)

        def get_due_jobs(self, now):
            calls.append("due")
            return super().get_due_jobs(now)

    heard = Heard()
    scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": Own()})
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(nothing, id="a")
        heard.wait(EVENT_JOB_EXECUTED)
        heard.wait(EVENT_JOB_SUBMITTED)
        scheduler.add_job(nothing, "cron", year=2055, id="b").modify(name="x")
    print(sorted(set(calls)))


@program
def a_trigger_of_ones_own():
    class Own(BaseTrigger):
        def get_next_fire_time(self, previous_fire_time, now):
            return LATER if previous_fire_time is None else None

        def __str__(self):
            return "mine"

    with running(BackgroundScheduler(timezone="UTC"), paused=True) as scheduler:
        scheduler.add_job(nothing, Own(), id="a")
        print(listing(scheduler))


@program
def a_trigger_of_ones_own_runs_until_it_ends():
    class Own(BaseTrigger):
        left = 3

        def get_next_fire_time(self, previous_fire_time, now):
            self.left -= 1
            return now + timedelta(milliseconds=10) if self.left >= 0 else None

    heard = Heard()
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(nothing, Own(), id="a", misfire_grace_time=None, max_instances=5)
        heard.wait(EVENT_JOB_REMOVED)
        print(scheduler.get_job("a"))
    heard.wait(EVENT_SCHEDULER_SHUTDOWN)
    print(len(heard.of(EVENT_JOB_EXECUTED)))


@program
def a_subclass_of_a_trigger():
    class Own(CronTrigger):
        """Nothing of its own."""

    with running(BackgroundScheduler(timezone="UTC"), paused=True) as scheduler:
        job = scheduler.add_job(nothing, Own(year=2055, timezone="UTC"), id="a")
        print(listing(scheduler), type(job.trigger).__name__, repr(job.trigger))


@program
def attributes_of_ones_own():
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.app = "mine"
    print(scheduler.app)


@program
def the_loop_by_hand():
    heard = Heard()
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_listener(heard)
    with running(scheduler, paused=True):
        scheduler.add_job(
            divmod, "date", run_date=ago(seconds=1), args=[7, 2], id="a", misfire_grace_time=None
        )
        print(scheduler._process_jobs())
        print(heard.names(EVENT_JOB_EXECUTED))
