"""What is logged: names of loggers, levels, and the texts that people filter for."""

import logging
import re
import threading

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_REMOVED,
)
from apscheduler.executors.base import BaseExecutor
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from kit import LATER, PATIENCE, Heard, ago, each, logged, nothing, program, running, steady, tried


def fails():
    raise ValueError("broken")


def lines(records, name="apscheduler", level=logging.INFO, holding=""):
    for record in records:
        if record.levelno >= level and record.name.startswith(name) and holding in record.getMessage():
            text = re.sub(r" \[(job|run) \S+\]$", "", record.getMessage())  # shown by `what_a_line_is_about`
            print(record.levelname, record.name, steady(text), "with an error" if record.exc_info else "")


@program
def what_a_line_is_about():
    with logged() as records, running(BackgroundScheduler(timezone="UTC"), paused=True) as scheduler:
        scheduler.add_job(nothing, "date", run_date=LATER, id="a")
    print([record.getMessage() for record in records if record.getMessage().startswith("Added")])


DEEDS = {
    "nothing": "None",
    "add_job": "scheduler.add_job(nothing, 'date', run_date=LATER, id='b')",
    "add_job of a name": "scheduler.add_job(nothing, 'cron', year=2055, name='the job')",
    "modify_job": "scheduler.modify_job('a', name='x')",
    "reschedule_job": "scheduler.reschedule_job('a', trigger='cron', year=2055)",
    "pause_job": "scheduler.pause_job('a')",
    "resume_job": "scheduler.resume_job('a')",
    "remove_job": "scheduler.remove_job('a')",
    "remove_all_jobs": "scheduler.remove_all_jobs()",
    "pause": "scheduler.pause()",
    "pause and resume": "(scheduler.pause(), scheduler.resume())",
    "add_jobstore": "scheduler.add_jobstore('memory', 'x')",
    "remove_jobstore": "scheduler.remove_jobstore('default')",
    "add_executor": "scheduler.add_executor('debug', 'x')",
    "remove_executor": "scheduler.remove_executor('default')",
    "a listener that raises": "(scheduler.add_listener(raising), scheduler.pause())",
}


def raising(event):
    raise ValueError(event)


@each(DEEDS)
def logged_by(row):
    with logged() as records:
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_job(nothing, "date", run_date=LATER, id="a")
        scheduler.start()
        tried(lambda: eval(row, {**globals(), "scheduler": scheduler}))
        scheduler.shutdown()
    lines(records, "apscheduler.scheduler")


def ran(function, wait, name="apscheduler.executors", level=logging.INFO, **options):
    heard = Heard()
    with logged() as records:
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_listener(heard)
        with running(scheduler):
            scheduler.add_job(function, id="a", **options)
            heard.wait(wait)
    lines(records, name, level)


@program
def a_success():
    ran(nothing, EVENT_JOB_EXECUTED)


@program
def a_failure():
    ran(fails, EVENT_JOB_ERROR)


@program
def a_miss():
    heard = Heard()
    with logged() as records:
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_listener(heard)
        with running(scheduler):
            scheduler.add_job(nothing, "date", run_date=ago(hours=1), id="a", misfire_grace_time=1)
            heard.wait(EVENT_JOB_MISSED)
    for record in records:
        if "was missed by" in record.getMessage():
            print(
                record.levelname, record.name, steady(record.getMessage()).split("by ")[0], len(record.args)
            )


@program
def a_run_at_the_limit():
    heard = Heard()
    gate = threading.Event()
    with logged() as records:
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_listener(heard)
        with running(scheduler):
            scheduler.add_job(
                gate.wait,
                "interval",
                (PATIENCE,),
                seconds=0.02,
                id="a",
                name="the job",
                misfire_grace_time=None,
            )
            heard.wait(EVENT_JOB_MAX_INSTANCES)
            gate.set()
    found = [
        record for record in records if "maximum number of running instances reached" in record.getMessage()
    ]
    print(found[0].levelname, found[0].name, steady(found[0].getMessage()))


@program
def an_executor_that_is_not_there():
    heard = Heard()
    with logged() as records:
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_listener(heard)
        with running(scheduler):
            scheduler.add_job(nothing, id="a", executor="nope", misfire_grace_time=None)
            scheduler.add_job(nothing, id="z", misfire_grace_time=None)
            heard.wait(EVENT_JOB_EXECUTED)
    lines(records, "apscheduler.scheduler", logging.WARNING)


@program
def an_executor_that_refuses():
    class Own(BaseExecutor):
        def _do_submit_job(self, job, run_times):
            raise RuntimeError("full")

    heard = Heard()
    with logged() as records:
        scheduler = BackgroundScheduler(timezone="UTC", executors={"full": Own()})
        scheduler.add_listener(heard)
        with running(scheduler):
            scheduler.add_job(nothing, id="a", executor="full", misfire_grace_time=None)
            scheduler.add_job(nothing, id="z", misfire_grace_time=None)
            heard.wait(EVENT_JOB_EXECUTED)
    lines(records, "apscheduler.scheduler", logging.WARNING)


@program
def the_next_wakeup():
    with logged() as records:
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_job(nothing, "date", run_date=LATER, id="a")
        scheduler.start()
        scheduler.shutdown()
    print(
        sorted(
            {
                record.levelname
                for record in records
                if "Next wakeup is due at 2055-03-04 05:06:07+00:00 (in " in record.getMessage()
            }
        )
    )


@program
def no_jobs():
    with logged() as records:
        heard = Heard()
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_listener(heard)
        scheduler.start()
        scheduler.add_job(nothing)
        heard.wait(EVENT_JOB_REMOVED)
        scheduler.shutdown()
    print(
        {
            record.levelname
            for record in records
            if record.getMessage() == "No jobs; waiting until a job is added"
        }
    )


@program
def looking_for_jobs():
    with logged() as records:
        heard = Heard()
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_listener(heard)
        scheduler.start()
        scheduler.add_job(nothing)
        heard.wait(EVENT_JOB_EXECUTED)
        scheduler.shutdown()
    print({record.levelname for record in records if record.getMessage() == "Looking for jobs to run"})


@program
def a_logger_of_ones_own():
    with logged("mine") as records:
        scheduler = BackgroundScheduler(timezone="UTC", logger=logging.getLogger("mine"))
        scheduler.start()
        scheduler.shutdown()
    lines(records, "mine")


@program
def executors_log_under_their_alias():
    heard = Heard()
    with logged("apscheduler.executors.mine") as records:
        scheduler = BackgroundScheduler(timezone="UTC", executors={"mine": ThreadPoolExecutor(1)})
        scheduler.add_listener(heard)
        with running(scheduler):
            scheduler.add_job(nothing, id="a", executor="mine", name="the job")
            heard.wait(EVENT_JOB_EXECUTED)
    lines(records, "apscheduler.executors.mine")


@program
def stores_log_under_their_alias():
    scheduler = BackgroundScheduler(timezone="UTC", jobstores={"mine": MemoryJobStore()})
    with running(scheduler):
        print(
            scheduler._jobstores["mine"]._logger.name,
            scheduler._executors["default"]._logger.name,
            scheduler._logger.name,
        )


@program
def a_filter_that_looks_at_the_text():
    heard = Heard()
    kept = []

    class Missed(logging.Filter):
        def filter(self, record):
            if "Run time of job" in record.msg and "was missed by" in record.msg:
                kept.append(record.levelname)
            return True

    logger = logging.getLogger("apscheduler.executors.default")
    missed = Missed()
    logger.addFilter(missed)
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(nothing, "date", run_date=ago(hours=1), id="a", misfire_grace_time=1)
        heard.wait(EVENT_JOB_MISSED)
    logger.removeFilter(missed)
    print(kept)


@program
def a_store_that_raises():
    class Own(MemoryJobStore):
        def get_due_jobs(self, now):
            raise OSError("gone")

    with logged() as records:
        done = threading.Event()
        handler = logging.Handler()
        handler.emit = lambda record: done.set() if record.levelno >= logging.WARNING else None
        logging.getLogger("apscheduler").addHandler(handler)
        with running(BackgroundScheduler(timezone="UTC", jobstores={"mine": Own()})):
            print(done.wait(PATIENCE))
        logging.getLogger("apscheduler").removeHandler(handler)
    print(
        {
            (record.levelname, record.getMessage().split(":")[0][:36])
            for record in records
            if record.levelno >= logging.WARNING
        }
    )
