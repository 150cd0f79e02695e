"""The methods of schedulers, one after the other, and what they refuse."""

import io
import json
import pickle
from datetime import datetime, timezone

from apscheduler.executors.debug import DebugExecutor
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_PAUSED, STATE_RUNNING, STATE_STOPPED, BaseScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from kit import LATER, each, evaluated, listing, nothing, program, running, tried, warned

EVERY_HOUR = IntervalTrigger(hours=1, start_date="2055-03-04", timezone="UTC")


def made():
    return BackgroundScheduler(timezone="UTC")


def with_jobs():
    scheduler = made()
    scheduler.add_jobstore("memory", "other")
    scheduler.add_job(nothing, EVERY_HOUR, id="a")
    scheduler.add_job(nothing, "date", run_date=LATER, id="b", name="second")
    scheduler.add_job(nothing, "cron", year=2055, id="c", jobstore="other")
    return scheduler


ASKED = [
    "scheduler.get_job('a').id", "scheduler.get_job('nope')", "scheduler.get_job('a', 'default').id", "scheduler.get_job('a', 'other')", "scheduler.get_job('c').id", "scheduler.get_job('a', 'nope')",
    "sorted(job.id for job in scheduler.get_jobs())", "[job.id for job in scheduler.get_jobs('other')]", "[job.id for job in scheduler.get_jobs(jobstore='default')]", "scheduler.get_jobs('nope')",
    "scheduler.remove_job('a')", "scheduler.remove_job('nope')", "scheduler.remove_job('a', 'other')", "scheduler.remove_job('c', 'other')", "scheduler.remove_job(5)", "scheduler.remove_all_jobs()",
    "scheduler.remove_all_jobs('other')", "scheduler.remove_all_jobs('nope')", "scheduler.modify_job('a', name='x').name", "scheduler.modify_job('nope', name='x')", "scheduler.modify_job('a', 'other', name='x')",
    "scheduler.modify_job('a', jobstore='default', max_instances=2).max_instances", "scheduler.pause_job('a').id", "scheduler.pause_job('nope')", "scheduler.resume_job('a').id", "scheduler.resume_job('nope')", "scheduler.reschedule_job('a', trigger='date', run_date=LATER).id",
    "scheduler.reschedule_job('nope', trigger='date')", "scheduler.reschedule_job('a', trigger='cron', year=2055, timezone='UTC').id", "scheduler.reschedule_job('a').id", "scheduler.print_jobs()", "scheduler.print_jobs('other')", "scheduler.print_jobs('nope')", "scheduler.print_jobs(jobstore='default')",
    "scheduler.add_jobstore('memory')", "scheduler.add_jobstore('memory', 'third')", "scheduler.add_jobstore(MemoryJobStore(), 'third')", "scheduler.add_jobstore(5, 'third')", "scheduler.add_jobstore('nope', 'third')", "scheduler.add_jobstore('memory', 'third', nope=1)", "scheduler.remove_jobstore('other')", "scheduler.remove_jobstore('nope')",
    "scheduler.remove_jobstore('other', shutdown=False)", "scheduler.add_executor('threadpool', 'third')", "scheduler.add_executor('debug', 'third')", "scheduler.add_executor(DebugExecutor(), 'third')", "scheduler.add_executor(5, 'third')", "scheduler.add_executor('nope', 'third')", "scheduler.add_executor('threadpool', 'third', max_workers=2)",
    "scheduler.add_executor('threadpool', 'third', max_workers='2')", "scheduler.add_executor('threadpool', 'third', nope=2)", "scheduler.remove_executor('nope')", "scheduler.add_listener(nothing)", "scheduler.add_listener(None)", "scheduler.add_listener(nothing, 5)", "scheduler.remove_listener(nothing)", "scheduler.pause()", "scheduler.resume()", "scheduler.wakeup()", "scheduler.running", "scheduler.state", "str(scheduler.timezone)", "scheduler.jobstore_retry_interval",
    "scheduler.configure(timezone='Asia/Tokyo')", "scheduler.export_jobs(io.StringIO())", "scheduler.import_jobs(io.StringIO('[]'))", "scheduler.import_jobs(io.StringIO('{\"version\": 2}'))", "scheduler.import_jobs(io.StringIO('{\"version\": 1, \"jobs\": []}'), 'nope')", "scheduler.import_jobs(io.StringIO('{\"version\": 1, \"jobs\": []}'))", "pickle.dumps(scheduler)", "sorted(scheduler._jobstores)", "len(scheduler._pending_jobs)", "scheduler._lookup_jobstore('nope')",
    "scheduler._lookup_executor('nope')", "scheduler._lookup_job('nope', None)", "type(scheduler._lookup_jobstore('default')).__name__", "scheduler._lookup_job('a', None)[1]", "type(scheduler._create_trigger('date', {})).__name__", "scheduler._create_trigger(EVERY_HOUR, {}) is EVERY_HOUR", "type(scheduler._create_default_executor()).__name__", "type(scheduler._create_default_jobstore()).__name__",
    "sorted(scheduler._job_defaults.items(), key=str)", "scheduler._logger.name", "sorted(scheduler._trigger_plugins)[:3]", "scheduler.start()", "scheduler.nope",
]  # fmt: skip


@each(ASKED)
def asked_of_a_running_one(row):
    scheduler = with_jobs()
    with running(scheduler, paused=True):
        print(evaluated(row, {**globals(), **locals()}))
        if scheduler.running:
            print(listing(scheduler) if "print" not in row else "")


@each(ASKED)
def asked_before_the_start(row):
    scheduler = with_jobs()
    if row != "scheduler.start()":
        print(evaluated(row, {**globals(), **locals()}))
        print(listing(scheduler) if "print" not in row else "")


@each(
    [
        "pause()",
        "resume()",
        "shutdown()",
        "start()",
        "shutdown(wait=False)",
        "running",
        "state",
        "get_jobs()",
        "print_jobs()",
        "add_job(nothing).id is not None",
        "configure()",
        "remove_job('a')",
    ]
)
def asked_after_the_shutdown(row):
    scheduler = made()
    scheduler.start()
    scheduler.add_job(nothing, EVERY_HOUR, id="a")
    scheduler.shutdown()
    print(evaluated(f"scheduler.{row}", {**globals(), **locals()}))
    if scheduler.running:
        scheduler.shutdown()


@program
def states():
    scheduler = made()
    print(STATE_STOPPED, STATE_RUNNING, STATE_PAUSED)
    print(scheduler.state, scheduler.running)
    scheduler.start()
    print(scheduler.state, scheduler.running)
    scheduler.pause()
    print(scheduler.state, scheduler.running)
    scheduler.resume()
    print(scheduler.state, scheduler.running)
    scheduler.shutdown()
    print(scheduler.state, scheduler.running)
    scheduler.start(paused=True)
    print(scheduler.state, scheduler.running)
    scheduler.shutdown(wait=False)


@program
def twice_paused_and_resumed():
    scheduler = made()
    scheduler.start()
    scheduler.pause()
    scheduler.pause()
    scheduler.resume()
    scheduler.resume()
    print(scheduler.state)
    scheduler.shutdown()


ERRORS = {
    "start while it runs": "scheduler.start()",
    "configure while it runs": "scheduler.configure()",
    "job that isn't there": "scheduler.remove_job('nope')",
    "id that is taken": "scheduler.add_job(nothing, EVERY_HOUR, id='a')",
}


@each(ERRORS)
def text_of_an_error(row):
    with running(with_jobs(), paused=True) as scheduler:
        try:
            eval(row, {**globals(), **locals()})
        except Exception as error:
            print(type(error).__name__, str(error), [base.__name__ for base in type(error).__mro__[1:3]])


@program
def text_of_not_running():
    for method in ("shutdown", "pause", "resume"):
        try:
            getattr(made(), method)()
        except Exception as error:
            print(type(error).__name__, str(error))


@program
def an_id_that_is_taken_is_refused_at_the_start():
    scheduler = made()
    scheduler.add_job(nothing, EVERY_HOUR, id="a")
    print(tried(lambda: scheduler.add_job(nothing, EVERY_HOUR, id="a").id))
    print(tried(scheduler.start))
    if scheduler.running:
        scheduler.shutdown(wait=False)


@program
def replace_existing():
    with running(with_jobs(), paused=True) as scheduler:
        scheduler.add_job(nothing, "cron", year=2056, id="a", name="other", replace_existing=True)
        print(listing(scheduler))


@program
def replace_existing_among_pending_jobs():
    scheduler = with_jobs()
    scheduler.add_job(nothing, "cron", year=2056, id="a", name="other", replace_existing=True)
    with running(scheduler, paused=True):
        print(listing(scheduler))


@program
def replace_existing_with_an_equal_trigger():
    with running(made(), paused=True) as scheduler:
        scheduler.add_job(nothing, EVERY_HOUR, id="a", next_run_time=LATER)
        scheduler.add_job(nothing, EVERY_HOUR, id="a", replace_existing=True)
        print(listing(scheduler))


@program
def the_same_id_in_two_stores():
    with running(with_jobs(), paused=True) as scheduler:
        scheduler.add_job(nothing, EVERY_HOUR, id="a", jobstore="other")
        print(listing(scheduler))
        scheduler.remove_job("a")
        print(listing(scheduler))


@program
def decorated():
    scheduler = made()

    @scheduler.scheduled_job(
        "interval",
        hours=1,
        start_date="2055-03-04",
        id="a",
        args=[1],
        kwargs={"k": 2},
        name="the job",
        max_instances=3,
        coalesce=False,
        misfire_grace_time=5,
    )
    def job(*args, **kwargs):
        return args, kwargs

    print(job(1, k=2))
    with running(scheduler, paused=True):
        found = scheduler.get_job("a")
        print(found, found.args, found.kwargs, found.max_instances, found.coalesce, found.misfire_grace_time)


@program
def decorated_twice():
    scheduler = made()

    @scheduler.scheduled_job("cron", year=2055, id="a")
    @scheduler.scheduled_job("cron", year=2056, id="b")
    def job():
        pass

    with running(scheduler, paused=True):
        print(listing(scheduler))


@program
def decorated_anew_replaces():
    scheduler = made()
    with running(scheduler, paused=True):
        for year in (2055, 2056):
            scheduler.scheduled_job("cron", year=year, id="a")(nothing)
        print(listing(scheduler))


@program
def get_jobs_are_in_order():
    with running(made(), paused=True) as scheduler:
        for key, year in (("a", 2057), ("b", 2055), ("c", 2056)):
            scheduler.add_job(nothing, "cron", year=year, id=key)
        scheduler.add_job(nothing, "cron", year=2054, id="d", next_run_time=None)
        print([job.id for job in scheduler.get_jobs()])
        print(listing(scheduler))


@program
def get_jobs_pending_is_deprecated():
    scheduler = with_jobs()
    with warned() as kinds:
        print(len(scheduler.get_jobs(pending=True)))
    print(kinds)


@program
def print_jobs_of_nothing():
    scheduler = made()
    print(listing(scheduler))
    with running(scheduler, paused=True):
        print(listing(scheduler))


@program
def print_jobs_goes_where_print_does():
    scheduler = with_jobs()
    scheduler.print_jobs()


@program
def the_zone_of_the_scheduler_counts():
    scheduler = BackgroundScheduler(timezone="Asia/Tokyo")
    with running(scheduler, paused=True):
        scheduler.add_job(nothing, "cron", year=2055, hour=3)
        scheduler.add_job(nothing, "date", run_date="2055-03-04 05:06:07")
        scheduler.add_job(nothing, "interval", hours=3, start_date="2055-03-04 05:06:09")
        scheduler.add_job(nothing, "date", run_date="2055-03-04 05:06:08", timezone="Europe/Berlin")
        scheduler.add_job(nothing, "cron", year=2055, timezone="America/New_York")
        scheduler.add_job(nothing, "interval", hours=1, next_run_time="2055-03-04 01:00:00")
        print(listing(scheduler))


@program
def trigger_instances_keep_the_local_zone():
    with running(BackgroundScheduler(timezone="Asia/Tokyo"), paused=True) as scheduler:
        scheduler.add_job(nothing, DateTrigger("2055-03-04 05:06:07"))
        scheduler.add_job(nothing, CronTrigger(year=2055))
        scheduler.add_job(nothing, IntervalTrigger(hours=1, start_date="2055-03-04"))
        print(listing(scheduler))


@program
def a_job_with_several_options():
    with running(with_jobs(), paused=True) as scheduler:
        job = scheduler.add_job(
            "kit:nothing",
            "interval",
            (1, 2),
            {"key": 3},
            "x",
            "the job",
            7,
            False,
            4,
            LATER,
            "other",
            "default",
            True,
            hours=5,
            start_date="2055-03-04",
        )
        print(
            job,
            job.args,
            job.kwargs,
            job.id,
            job.misfire_grace_time,
            job.coalesce,
            job.max_instances,
            job._jobstore_alias,
            job.executor,
        )


@program
def export_and_import():
    out = io.StringIO()
    with running(with_jobs(), paused=True) as scheduler:
        scheduler.export_jobs(out)
    data = json.loads(out.getvalue())
    print(sorted(data), data["version"], sorted(job["id"] for job in data["jobs"]))
    with running(made(), paused=True) as scheduler:
        scheduler.import_jobs(io.StringIO(out.getvalue()))
        print(listing(scheduler))


@program
def export_of_one_store():
    out = io.StringIO()
    with running(with_jobs(), paused=True) as scheduler:
        scheduler.export_jobs(out, "other")
    print(
        [
            (job["id"], job["func"], job["name"], job["args"], job["kwargs"], job["executor"])
            for job in json.loads(out.getvalue())["jobs"]
        ]
    )


@program
def import_twice():
    out = io.StringIO()
    with running(with_jobs(), paused=True) as scheduler:
        scheduler.export_jobs(out)
        print(tried(scheduler.import_jobs, io.StringIO(out.getvalue())))


@program
def import_to_a_path():
    with running(with_jobs(), paused=True) as scheduler:
        scheduler.export_jobs("jobs.json")
        scheduler.remove_all_jobs()
        scheduler.import_jobs("jobs.json", "other")
        print(listing(scheduler))


@program
def an_abstract_scheduler_cannot_be_made():
    print(tried(BaseScheduler))


@program
def add_jobs_from_dictionaries():
    scheduler = made()
    for definition in (
        {"func": "kit:nothing", "trigger": "cron", "year": 2055, "id": "a"},
        {"func": nothing, "trigger": "date", "run_date": LATER, "id": "b"},
    ):
        scheduler.add_job(**definition)
    with running(scheduler, paused=True):
        print(listing(scheduler))


@program
def a_store_that_a_job_names_and_that_is_not_there():
    scheduler = made()
    scheduler.add_job(nothing, EVERY_HOUR, jobstore="nope")
    print(tried(scheduler.start))


@program
def a_removed_store_takes_its_jobs_along():
    with running(with_jobs(), paused=True) as scheduler:
        scheduler.remove_jobstore("other")
        print(listing(scheduler), scheduler.get_job("c"))


@program
def a_store_object_comes_back_with_its_jobs():
    store = MemoryJobStore()
    scheduler = made()
    scheduler.add_jobstore(store, "other")
    with running(scheduler, paused=True):
        scheduler.add_job(nothing, EVERY_HOUR, id="a", jobstore="other")
        scheduler.remove_jobstore("other", shutdown=False)
        print(listing(scheduler))
        scheduler.add_jobstore(store, "again")
        print(listing(scheduler))
