"""Every form in which a scheduler is configured."""

import logging
from zoneinfo import ZoneInfo

import pytz
from apscheduler.executors.debug import DebugExecutor
from apscheduler.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from kit import each, evaluated, nothing, program, running, tried

FORMS = {
    "nothing": "()",
    "options": "(timezone='Asia/Tokyo', job_defaults={'coalesce': False, 'max_instances': 3, 'misfire_grace_time': 5})",
    "options as text": "(timezone='Asia/Tokyo', job_defaults={'coalesce': 'false', 'max_instances': '3', 'misfire_grace_time': '5'}, jobstore_retry_interval='7')",
    "prefixed": "({'apscheduler.timezone': 'Asia/Tokyo', 'apscheduler.job_defaults.coalesce': 'false', 'apscheduler.job_defaults.max_instances': '3', 'apscheduler.job_defaults.misfire_grace_time': '5', 'other.timezone': 'UTC'})",
    "prefixed, executors": "({'apscheduler.executors.default': {'class': 'apscheduler.executors.pool:ThreadPoolExecutor', 'max_workers': '3'}, 'apscheduler.executors.debug': {'type': 'debug'}})",
    "prefixed, dotted": "({'apscheduler.executors.default.type': 'threadpool', 'apscheduler.executors.default.max_workers': '3', 'apscheduler.jobstores.other.type': 'memory'})",
    "prefixed, class": "({'apscheduler.jobstores.default': {'class': 'apscheduler.jobstores.memory:MemoryJobStore'}})",
    "both": "({'apscheduler.timezone': 'Asia/Tokyo', 'apscheduler.jobstore_retry_interval': 3}, timezone='UTC')",
    "instances": "(jobstores={'default': MemoryJobStore(), 'other': MemoryJobStore()}, executors={'default': ThreadPoolExecutor(4), 'debug': DebugExecutor()})",
    "dictionaries": "(jobstores={'default': {'type': 'memory'}}, executors={'default': {'type': 'threadpool', 'max_workers': 4}, 'processes': {'type': 'processpool', 'max_workers': 2}})",
    "class objects": "(jobstores={'default': {'class': MemoryJobStore}}, executors={'default': {'class': ThreadPoolExecutor, 'max_workers': 4}})",
    "zone of pytz": "(timezone=pytz.timezone('Asia/Tokyo'))",
    "zone of pytz, utc": "(timezone=pytz.utc)",
    "zone of zoneinfo": "(timezone=ZoneInfo('Asia/Tokyo'))",
    "zone UTC": "(timezone='UTC')",
    "no zone": "(timezone=None)",
    "logger": "(logger='logging:root')",
    "logger object": "(logger=logging.getLogger('mine'))",
    "grace of none": "(job_defaults={'misfire_grace_time': None})",
    "empty dictionaries": "({}, jobstores={}, executors={}, job_defaults={})",
    "daemon": "(daemon='no')",
    "gconfig by name": "(gconfig={'apscheduler.timezone': 'Asia/Tokyo'})",
    "unprefixed keys are left aside": "({'timezone': 'Asia/Tokyo'})",
    "misspelt": "(time_zone='Asia/Tokyo')",
    "executor without type": "(executors={'default': {'max_workers': 4}})",
    "executor of another kind": "(executors={'default': 5})",
    "executor by its name": "(executors={'default': 'threadpool'})",
    "executor that isn't known": "(executors={'default': {'type': 'nope'}})",
    "executor with a wrong option": "(executors={'default': {'type': 'threadpool', 'nope': 5}})",
    "class that isn't there": "(executors={'default': {'class': 'kit:Nope'}})",
    "store without type": "(jobstores={'default': {'url': 'x'}})",
    "store of another kind": "(jobstores={'default': 5})",
    "store that isn't known": "(jobstores={'default': {'type': 'nope'}})",
    "store with a wrong option": "(jobstores={'default': {'type': 'memory', 'nope': 1}})",
    "wrong zone": "(timezone='Nowhere/At_All')",
    "zone of another kind": "(timezone=5)",
    "wrong interval": "(jobstore_retry_interval='soon')",
    "wrong grace": "(job_defaults={'misfire_grace_time': 'soon'})",
    "wrong flag": "(job_defaults={'coalesce': 'perhaps'})",
    "wrong number": "(job_defaults={'max_instances': 'many'})",
    "wrong logger": "(logger='nope')",
    "wrong daemon": "(daemon='perhaps')",
}


@each(FORMS)
def configured(row):
    described(evaluated(f"BackgroundScheduler{row}", globals()))


def described(scheduler):
    if isinstance(scheduler, str):
        print(scheduler)
        return
    print(str(scheduler.timezone), scheduler.jobstore_retry_interval, scheduler._logger.name)
    print(sorted((alias, type(one).__name__) for alias, one in scheduler._executors.items()))
    print(sorted((alias, type(one).__name__) for alias, one in scheduler._jobstores.items()))
    with running(scheduler, paused=True):
        job = scheduler.add_job(nothing, "cron", year=2055)
        print(job, job.coalesce, job.max_instances)


@each(FORMS)
def configured_later(row):
    scheduler = BlockingScheduler() if "daemon" not in row else BackgroundScheduler()
    answer = evaluated(f"scheduler.configure{row}", {**globals(), **locals()})
    print(answer)
    if answer is None:
        print(
            str(scheduler.timezone),
            scheduler.jobstore_retry_interval,
            scheduler._logger.name,
            sorted(scheduler._executors),
            sorted(scheduler._jobstores),
        )


PREFIXES = {
    "another": "({'jobs.timezone': 'Asia/Tokyo', 'apscheduler.timezone': 'UTC'}, 'jobs.')",
    "by its name": "({'jobs.timezone': 'Asia/Tokyo'}, prefix='jobs.')",
    "none": "({'timezone': 'Asia/Tokyo'}, None)",
    "empty": "({'timezone': 'Asia/Tokyo', 'job_defaults.max_instances': 4}, '')",
    "without its dot": "({'jobs.timezone': 'Asia/Tokyo'}, 'jobs')",
}


@each(PREFIXES)
def prefix(row):
    scheduler = BackgroundScheduler()
    print(evaluated(f"scheduler.configure{row}", {**globals(), **locals()}), str(scheduler.timezone))


@program
def configured_again_forgets_what_it_had():
    scheduler = BackgroundScheduler(
        jobstores={"other": MemoryJobStore()},
        executors={"other": DebugExecutor()},
        job_defaults={"max_instances": 4},
        timezone="Asia/Tokyo",
    )
    scheduler.configure()
    print(sorted(scheduler._jobstores), sorted(scheduler._executors), str(scheduler.timezone))
    with running(scheduler, paused=True):
        print(scheduler.add_job(nothing, "cron", year=2055).max_instances)


@program
def one_executor_given_twice():
    executor = ThreadPoolExecutor(2)
    scheduler = BackgroundScheduler(executors={"default": executor}, timezone="UTC")
    scheduler.configure(executors={"default": executor}, timezone="Asia/Tokyo")
    with running(scheduler, paused=True):
        print(scheduler._executors["default"] is executor, str(scheduler.timezone))


@program
def the_dictionaries_of_the_program():
    jobstores = {"default": {"type": "memory"}}
    executors = {"default": {"type": "threadpool", "max_workers": 2}}
    BackgroundScheduler(jobstores=jobstores, executors=executors)
    print(tried(BackgroundScheduler, jobstores=jobstores, executors=executors) is not None)


@program
def defaults_are_filled_in_at_the_start():
    scheduler = BackgroundScheduler(timezone="UTC")
    job = scheduler.add_job(nothing, "cron", year=2055)
    scheduler.configure(timezone="UTC", job_defaults={"max_instances": 4, "coalesce": False})
    with running(scheduler, paused=True):
        print(job.max_instances, job.coalesce)


@program
def pools():
    for one in (
        ThreadPoolExecutor(3),
        ProcessPoolExecutor(2),
        ThreadPoolExecutor("4"),
        ThreadPoolExecutor(2, {"thread_name_prefix": "mine"}),
    ):
        print(type(one).__name__, one._pool._max_workers)
        one._pool.shutdown()


@program
def zones():
    print(
        type(BackgroundScheduler(timezone=pytz.timezone("Asia/Tokyo")).timezone).__name__,
        ZoneInfo("Asia/Tokyo") == BackgroundScheduler(timezone=pytz.timezone("Asia/Tokyo")).timezone,
    )
    logging.getLogger("mine")
