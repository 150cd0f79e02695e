"""Schedulers as parts of applications: web servers, bots, commands, tools that look at jobs, settings from files."""

import asyncio
import atexit
import collections
import configparser
import contextlib
import functools
import io
import json
import logging
import pickle
import threading
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytz
from apscheduler.events import (
    EVENT_ALL,
    EVENT_JOB_ADDED,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MISSED,
    EVENT_JOB_REMOVED,
    EVENT_JOB_SUBMITTED,
    JobExecutionEvent,
)
from apscheduler.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from apscheduler.job import Job
from apscheduler.jobstores.base import ConflictingIdError, JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers import SchedulerAlreadyRunningError, SchedulerNotRunningError
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from apscheduler.util import astimezone, undefined
from kit import LATER, PATIENCE, Heard, ago, ahead, each, listing, nothing, program, running, tried, warned

#: A machine that is busy drops no run.
HOWEVER_LATE = {"misfire_grace_time": None}


class Extension:
    """A part of a web application that has a scheduler, as extensions of Flask have."""

    def __init__(self, app=None, scheduler=None):
        self._scheduler = scheduler or BackgroundScheduler()
        self.auth = None
        if app is not None:
            self.init_app(app)

    def __getattr__(self, name):
        return getattr(self._scheduler, name)

    def init_app(self, app):
        app["scheduler"] = self
        options = {}
        for name in ("jobstores", "executors", "job_defaults", "timezone"):
            if f"SCHEDULER_{name.upper()}" in app:
                options[name] = app[f"SCHEDULER_{name.upper()}"]
        self._scheduler.configure(**options)
        for job in app.get("JOBS", ()):
            job = dict(job)
            self._scheduler.add_job(**job)

    def as_dict(self, job):
        data = collections.OrderedDict(
            id=job.id, name=job.name, func=job.func_ref, args=job.args, kwargs=job.kwargs
        )
        trigger = job.trigger
        if isinstance(trigger, DateTrigger):
            data.update(trigger="date", run_date=trigger.run_date.isoformat())
        elif isinstance(trigger, IntervalTrigger):
            data.update(
                trigger="interval",
                start_date=trigger.start_date.isoformat(),
                seconds=trigger.interval.total_seconds(),
            )
            if trigger.end_date:
                data["end_date"] = trigger.end_date.isoformat()
        elif isinstance(trigger, CronTrigger):
            data["trigger"] = "cron"
            data.update((field.name, str(field)) for field in trigger.fields if not field.is_default)
        data["misfire_grace_time"] = "some" if job.misfire_grace_time == 60 else job.misfire_grace_time
        data["max_instances"] = job.max_instances
        data["next_run_time"] = job.next_run_time.isoformat() if job.next_run_time else None
        return json.loads(json.dumps(data))


def settings(jobs=3):
    """Made anew each time: APScheduler takes things out of them."""
    return {
        "SCHEDULER_TIMEZONE": "Asia/Tokyo",
        "SCHEDULER_JOB_DEFAULTS": {"coalesce": False, "max_instances": 3, "misfire_grace_time": 60},
        "SCHEDULER_EXECUTORS": {"default": {"type": "threadpool", "max_workers": 20}},
        "SCHEDULER_JOBSTORES": {"default": MemoryJobStore()},
        "JOBS": [
            {
                "id": "one",
                "func": "kit:nothing",
                "args": (1, 2),
                "trigger": "interval",
                "seconds": 10,
                "start_date": "2055-01-01",
            },
            {
                "id": "two",
                "func": "kit:nothing",
                "trigger": "cron",
                "day_of_week": "mon-fri",
                "hour": "9-17/2",
                "year": 2055,
            },
            {
                "id": "three",
                "func": nothing,
                "trigger": "date",
                "run_date": "2055-03-04 05:06:07",
                "kwargs": {"a": 1},
            },
            {"id": "four", "func": "kit:nothing", "trigger": {"type": "cron"}, "name": "wrong"},
        ][:jobs],
    }


@program
def an_extension_of_a_web_server():
    extension = Extension(settings())
    extension.start(paused=True)
    for job in extension.get_jobs():
        print(extension.as_dict(job))
    print(extension.running, extension.state, str(extension.timezone))
    extension.modify_job(
        "one",
        trigger=IntervalTrigger(minutes=5, start_date="2055-01-01", timezone="UTC"),
        next_run_time=LATER,
    )
    extension.pause_job("two")
    print([extension.as_dict(job) for job in extension.get_jobs()])
    extension.shutdown()


@program
def an_extension_is_given_nonsense():
    print(tried(Extension, settings(4)))


@program
def a_scheduler_in_a_factory_that_is_called_twice():
    extension = Extension()
    for _ in range(2):
        print(tried(extension.init_app, settings(1)))
    print(len(extension.get_jobs()))
    print(tried(extension.start, paused=True))
    if extension.running:
        extension.shutdown()


@program
def started_only_if_it_does_not_run():
    scheduler = BackgroundScheduler(timezone="UTC")
    for _ in range(2):
        if not scheduler.running:
            scheduler.start()
    try:
        scheduler.start()
    except SchedulerAlreadyRunningError as error:
        print(error)
    scheduler.shutdown()
    try:
        scheduler.shutdown()
    except SchedulerNotRunningError as error:
        print(error)
    print(scheduler.running)


@program
def registered_to_end_with_the_process():
    scheduler = BackgroundScheduler(timezone="UTC")
    atexit.register(lambda: scheduler.shutdown(wait=False) if scheduler.running else None)
    scheduler.start()
    scheduler.shutdown(wait=False)
    print(scheduler.running)


@program
def settings_from_an_ini_file():
    parser = configparser.ConfigParser()
    parser.read_string(
        """
        [scheduler]
        apscheduler.timezone = Asia/Tokyo
        apscheduler.jobstores.default.type = memory
        apscheduler.executors.default.class = apscheduler.executors.pool:ThreadPoolExecutor
        apscheduler.executors.default.max_workers = 7
        apscheduler.executors.processes.type = processpool
        apscheduler.executors.processes.max_workers = 2
        apscheduler.job_defaults.coalesce = false
        apscheduler.job_defaults.max_instances = 3
        apscheduler.job_defaults.misfire_grace_time = 30
        apscheduler.jobstore_retry_interval = 2.5
        apscheduler.daemon = yes
        """
    )
    scheduler = BackgroundScheduler(dict(parser["scheduler"]))
    print(
        sorted(scheduler._executors),
        scheduler._executors["default"]._pool._max_workers,
        scheduler.jobstore_retry_interval,
    )
    with running(scheduler, paused=True):
        job = scheduler.add_job(nothing, "cron", year=2055)
        print(job, job.coalesce, job.max_instances, job.misfire_grace_time)


@program
def settings_from_an_ini_file_with_a_prefix_of_its_own():
    parser = configparser.ConfigParser()
    parser.read_string("[app]\njobs.timezone = Asia/Tokyo\njobs.job_defaults.max_instances = 4\nname = app\n")
    scheduler = BackgroundScheduler()
    scheduler.configure(dict(parser["app"]), prefix="jobs.")
    with running(scheduler, paused=True):
        print(str(scheduler.timezone), scheduler.add_job(nothing, "cron", year=2055).max_instances)


@program
def settings_of_django():
    settings = {
        "apscheduler.jobstores.default": {"class": "apscheduler.jobstores.memory:MemoryJobStore"},
        "apscheduler.executors.processpool": {"type": "threadpool"},
        "apscheduler.timezone": "Europe/Berlin",
    }
    scheduler = BackgroundScheduler(settings)
    print(sorted(scheduler._executors), str(scheduler.timezone))
    with running(scheduler, paused=True):
        print(sorted(scheduler._executors), sorted(scheduler._jobstores))


@program
def a_command_that_blocks():
    done = []
    scheduler = BlockingScheduler(job_defaults=HOWEVER_LATE, timezone=pytz.timezone("Asia/Tokyo"))

    def tick():
        done.append(1)
        if len(done) == 3:
            scheduler.remove_all_jobs()
            threading.Thread(target=scheduler.shutdown).start()

    scheduler.add_job(tick, "interval", seconds=0.02, id="tick", max_instances=1, replace_existing=True)
    try:
        scheduler.start()
    except (KeyboardInterrupt, SystemExit):
        print("ended")
    print(len(done), scheduler.running, scheduler.get_jobs())


@program
def decorated_functions_are_themselves():
    scheduler = BackgroundScheduler(timezone="UTC")

    @scheduler.scheduled_job("cron", id="one", year=2055, day_of_week="mon", hour=3)
    def one():
        return 1

    @scheduler.scheduled_job(
        IntervalTrigger(hours=2, start_date=LATER), args=["a"], kwargs={"b": 1}, name="second"
    )
    def two(a, b=None):
        return a

    print(one(), two("x"), one.__name__)
    with running(scheduler, paused=True):
        print(
            sorted((job.name, str(job.trigger), job.args, sorted(job.kwargs)) for job in scheduler.get_jobs())
        )


@program
def a_decorator_of_ones_own_around_the_schedulers():
    scheduler = BackgroundScheduler(timezone="UTC")

    def cron(**options):
        def register(function):
            @functools.wraps(function)
            def called(*args, **kwargs):
                return function(*args, **kwargs)

            scheduler.add_job(
                called, CronTrigger(timezone="UTC", **options), id=function.__name__, replace_existing=True
            )
            return called

        return register

    @cron(year=2055, minute="*/5")
    def poll():
        """Polls."""

    print(listing(scheduler), poll.__doc__)


@program
def a_subclass_that_counts():
    class Counting(BackgroundScheduler):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            self.added = 0

        def add_job(self, func, trigger=None, *args, **options):
            self.added += 1
            return super().add_job(func, trigger, *args, **options)

        def shutdown(self, wait=True):
            print("down", wait)
            super().shutdown(wait)

    scheduler = Counting({"apscheduler.timezone": "UTC"})
    scheduler.add_job(nothing, "cron", [1], year=2055, id="a")
    scheduler.scheduled_job("interval", hours=1, id="b")(nothing)
    scheduler.start(paused=True)
    print(scheduler.added, len(scheduler.get_jobs()))
    scheduler.shutdown(wait=False)


@program
def a_subclass_of_a_blocking_scheduler():
    class App(BlockingScheduler):
        def start(self):
            print("before", self.running)
            super().start()
            print("after", self.running)

    scheduler = App(job_defaults=HOWEVER_LATE, timezone="UTC")
    scheduler.add_job(
        lambda: threading.Thread(target=scheduler.shutdown).start(),
        "interval",
        hours=1,
        next_run_time=ahead(),
    )
    scheduler.start()


@program
def a_class_with_a_scheduler_and_jobs_that_are_its_methods():
    class Bot:
        def __init__(self):
            self.sent = []
            self.done = threading.Event()
            self.scheduler = BackgroundScheduler(job_defaults=HOWEVER_LATE, timezone="UTC")
            self.scheduler.add_job(self.send, "date", args=("hello",), kwargs={"to": "you"}, id="send")
            self.scheduler.add_job(self.later, "interval", hours=1, start_date=LATER)

        def send(self, text, to=None):
            self.sent.append((text, to))
            self.done.set()

        async def later(self):
            """Never comes."""

    bot = Bot()
    with running(bot.scheduler):
        print(bot.done.wait(PATIENCE), bot.sent)
        print(
            [
                (job.name.rpartition(".")[2], job.func == bot.later)
                for job in bot.scheduler.get_jobs()
                if job.id != "send"
            ]
        )


@program
def listeners_that_count():
    counts = collections.Counter()
    heard = Heard()
    scheduler = BackgroundScheduler(job_defaults=HOWEVER_LATE, timezone="UTC")
    scheduler.add_listener(
        lambda event: counts.update([type(event).__name__]),
        EVENT_JOB_SUBMITTED | EVENT_JOB_EXECUTED | EVENT_JOB_MISSED | EVENT_JOB_ERROR,
    )
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(nothing, "date", run_date=ago(hours=1), misfire_grace_time=5, id="missed")
        heard.wait(EVENT_JOB_MISSED)
        scheduler.add_job(nothing, id="done")
        heard.wait(EVENT_JOB_EXECUTED)
        scheduler.add_job(int, args=["x"], id="failed")
        heard.wait(EVENT_JOB_ERROR)
        heard.wait(EVENT_JOB_SUBMITTED, 3)
    print(sorted(counts.items()))


@program
def a_listener_that_says_what_failed():
    told = []
    heard = Heard()

    def on_event(event: JobExecutionEvent):
        if event.exception:
            told.append(
                (
                    event.job_id,
                    type(event.exception).__name__,
                    "int(" in event.traceback or "line" in event.traceback,
                    event.retval,
                )
            )
        else:
            told.append((event.job_id, event.retval))

    scheduler = BackgroundScheduler(job_defaults=HOWEVER_LATE, timezone="UTC")
    scheduler.add_listener(on_event, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(int, args=["x"], id="bad")
        heard.wait(EVENT_JOB_ERROR)
        scheduler.add_job(int, args=["5"], id="good")
        heard.wait(EVENT_JOB_EXECUTED)
    print(told)


@program
def a_listener_that_adds_the_job_that_follows():
    heard = Heard()
    scheduler = BackgroundScheduler(job_defaults=HOWEVER_LATE, timezone="UTC")

    def follow(event):
        if event.job_id == "first":
            scheduler.add_job(nothing, id="second")

    scheduler.add_listener(follow, EVENT_JOB_EXECUTED)
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(nothing, id="first")
        heard.wait(EVENT_JOB_EXECUTED, 2)
    print([event.job_id for event in heard.of(EVENT_JOB_EXECUTED)])


@program
def a_listener_that_looks_the_job_up():
    found = []
    heard = Heard()
    scheduler = BackgroundScheduler(job_defaults=HOWEVER_LATE, timezone="UTC")
    scheduler.add_listener(lambda event: found.append(scheduler.get_job(event.job_id).name), EVENT_JOB_ADDED)
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(nothing, "cron", year=2055, name="the name")
        heard.wait(EVENT_JOB_ADDED)
    print(found)


@program
def a_job_that_reschedules_itself():
    heard = Heard()
    scheduler = BackgroundScheduler(job_defaults=HOWEVER_LATE, timezone="UTC")

    def work():
        scheduler.reschedule_job("work", trigger="date", run_date=LATER)

    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(work, "interval", hours=1, id="work", next_run_time=datetime.now(timezone.utc))
        heard.wait(EVENT_JOB_EXECUTED)
        print(listing(scheduler).replace("a_job_that_reschedules_itself.<locals>.", ""))


@program
def a_job_that_knows_its_id_by_its_arguments():
    heard = Heard()
    seen = []
    scheduler = BackgroundScheduler(job_defaults=HOWEVER_LATE, timezone="UTC")
    scheduler.add_listener(heard)
    with running(scheduler):
        for number in range(3):
            scheduler.add_job(seen.append, args=[number], id=f"job-{number}")
        heard.wait(EVENT_JOB_EXECUTED, 3)
    print(sorted(seen))


@program
def a_job_in_a_lambda_with_a_default():
    heard = Heard()
    seen = []
    scheduler = BackgroundScheduler(job_defaults=HOWEVER_LATE, timezone="UTC")
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(
            lambda x=5, *rest, **more: seen.append((x, rest, more)), args=(1, 2), kwargs={"y": 3}
        )
        heard.wait(EVENT_JOB_EXECUTED)
    print(seen)


@program
def every_form_of_a_date():
    scheduler = BackgroundScheduler(timezone="Asia/Tokyo")
    moments = [
        "2055-03-04",
        "2055-03-04 05:06:07",
        "2055-03-04T05:06:07Z",
        date(2055, 3, 4),
        datetime(2055, 3, 4, 5),
        datetime(2055, 3, 4, 5, tzinfo=timezone.utc),
        pytz.timezone("Europe/Berlin").localize(datetime(2035, 7, 4, 5)),
        datetime(2055, 3, 4, 5, tzinfo=ZoneInfo("America/New_York")),
        datetime.combine(date(2055, 3, 4), time(5, 6)),
    ]
    with running(scheduler, paused=True):
        for moment in moments:
            job = scheduler.add_job(nothing, "date", run_date=moment)
            print(
                job.next_run_time.isoformat(),
                scheduler.add_job(nothing, DateTrigger(moment)).next_run_time.isoformat(),
            )
            print(scheduler.add_job(nothing, "interval", days=1, start_date=moment).next_run_time.isoformat())
            print(scheduler.add_job(nothing, "cron", hour=5, start_date=moment).next_run_time.isoformat())
            print(scheduler.add_job(nothing, "cron", hour=5, year=2060, end_date=moment).next_run_time)


@program
def zones_of_a_scheduler_and_of_its_triggers():
    for zone in (
        "Asia/Tokyo",
        pytz.timezone("Asia/Tokyo"),
        ZoneInfo("Asia/Tokyo"),
        pytz.utc,
        timezone.utc,
        "UTC",
    ):
        scheduler = BackgroundScheduler(timezone=zone)
        with running(scheduler, paused=True):
            job = scheduler.add_job(nothing, "cron", year=2035, hour=9, timezone=pytz.timezone("US/Eastern"))
            other = scheduler.add_job(
                nothing, CronTrigger.from_crontab("30 9 1 1 *", timezone="Europe/Paris")
            )
            third = scheduler.add_job(nothing, CronTrigger.from_crontab("30 9 1 1 *"))
            print(
                str(scheduler.timezone),
                job.next_run_time.isoformat(),
                other.next_run_time.utcoffset(),
                third.next_run_time.utcoffset(),
            )


@program
def the_zone_of_a_scheduler_that_is_used_by_the_program():
    scheduler = BackgroundScheduler(timezone=pytz.timezone("Asia/Tokyo"))
    now = datetime.now(scheduler.timezone)
    print(
        now.utcoffset(),
        str(astimezone("Asia/Tokyo")),
        datetime(2055, 1, 1, tzinfo=scheduler.timezone).utcoffset(),
    )


@program
def times_of_a_trigger_that_a_program_asks_itself():
    trigger = CronTrigger.from_crontab("0 9 * * mon-fri")
    now = datetime(2030, 3, 5, 12, tzinfo=timezone.utc)
    previous = None
    for _ in range(4):
        previous = trigger.get_next_fire_time(previous, now)
        now = previous
        print(
            previous.isoformat(),
            previous.tzinfo is trigger.timezone or str(previous.tzinfo) == str(trigger.timezone),
        )
    print(datetime.now(trigger.timezone).utcoffset() is not None)


@program
def intervals_that_a_program_asks_itself():
    trigger = IntervalTrigger(hours=8, start_date="2030-01-01 06:00:00")
    print(trigger.start_date.isoformat(), str(trigger.timezone), trigger.interval, trigger.interval_length)
    moment = trigger.get_next_fire_time(None, datetime(2030, 3, 5, 12, tzinfo=timezone.utc))
    print(moment.isoformat(), trigger.get_next_fire_time(moment, moment).isoformat())


@program
def attributes_of_triggers():
    cron = CronTrigger(day_of_week="mon", hour="9", start_date="2055-01-01", end_date="2056-01-01", jitter=10)
    print([(field.name, str(field), field.is_default) for field in cron.fields])
    print(cron.start_date.isoformat(), cron.end_date.isoformat(), cron.jitter, str(cron.timezone))
    print(cron.FIELD_NAMES, sorted(cron.FIELDS_MAP))
    both = AndTrigger([cron, IntervalTrigger(hours=1, start_date="2055-01-01")], jitter=3)
    print(len(both.triggers), both.jitter, OrTrigger([cron]).triggers[0] is cron)
    print(DateTrigger(LATER).run_date == LATER)


@program
def pending_jobs_are_modified():
    scheduler = BackgroundScheduler(timezone="UTC")
    job = scheduler.add_job(nothing, "cron", year=2055, id="a")
    job.modify(
        name="other", max_instances=6, args=(1,), kwargs={"b": 2}, coalesce=False, misfire_grace_time=7
    )
    scheduler.modify_job("a", executor="default", func="kit:nothing")
    print(
        job.name,
        job.max_instances,
        job.args,
        dict(job.kwargs),
        job.coalesce,
        job.misfire_grace_time,
        job.pending,
    )
    print(tried(job.modify, id="b"), tried(job.modify, nope=1))
    with running(scheduler, paused=True):
        print(
            job.name,
            job.max_instances,
            job.args,
            dict(job.kwargs),
            job.coalesce,
            job.misfire_grace_time,
            job.pending,
        )


@program
def pending_jobs_are_rescheduled_paused_and_resumed():
    scheduler = BackgroundScheduler(timezone="UTC")
    job = scheduler.add_job(nothing, "interval", hours=1, id="a", start_date=LATER)
    print(job)
    print(job.reschedule("cron", year=2056) is job, job)
    print(job.pause() is job, job)
    print(job.resume() is job, job)
    scheduler.reschedule_job("a", trigger=DateTrigger(LATER))
    print(job, len(scheduler.get_jobs()))
    with running(scheduler, paused=True):
        print(job, listing(scheduler))


@program
def a_pending_job_whose_schedule_is_over_is_resumed():
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(nothing, "cron", year=2020, id="a")
    print(scheduler.resume_job("a"), scheduler.get_jobs())


@program
def defaults_that_are_configured_in_between():
    scheduler = BackgroundScheduler()
    first = scheduler.add_job(nothing, "cron", year=2055, id="a", max_instances=7)
    second = scheduler.add_job(nothing, "cron", year=2055, id="b", coalesce=False)
    second.modify(misfire_grace_time=9)
    scheduler.configure(
        job_defaults={"max_instances": 3, "coalesce": False, "misfire_grace_time": 5}, timezone="UTC"
    )
    third = scheduler.add_job(nothing, "cron", year=2055, id="c")
    with running(scheduler, paused=True):
        for job in (first, second, third):
            print(job.id, job.max_instances, job.coalesce, job.misfire_grace_time)


@program
def jobs_that_are_shown_to_people():
    scheduler = BackgroundScheduler(timezone="Europe/Berlin")
    scheduler.add_jobstore("memory", "second")
    scheduler.add_job(nothing, "cron", year=2035, month=7, id="a", name="summer")
    scheduler.add_job(
        nothing, "date", run_date="2035-01-02 03:04:05", id="b", jobstore="second", name="winter"
    )
    scheduler.add_job(
        nothing, "interval", weeks=1, start_date="2035-01-01", id="c", next_run_time=None, name="paused"
    )
    print(listing(scheduler))
    with running(scheduler, paused=True):
        print(listing(scheduler))
        print(listing(scheduler, jobstore="second"))
        for job in scheduler.get_jobs():
            print(f"{job.id:>5} {job.name:10} {job.next_run_time} {job.trigger!s}")
            print(f"{job}|{job!r}")


@program
def shown_where_print_goes():
    scheduler = BackgroundScheduler(timezone="UTC")
    out = io.StringIO()
    with contextlib.redirect_stdout(out), running(scheduler, paused=True):
        scheduler.add_job(nothing, "cron", year=2055)
        scheduler.print_jobs()
    print(out.getvalue())


@program
def the_way_of_asking_for_pending_jobs_of_old():
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(nothing, "cron", year=2055, id="a")
    with warned():
        print(
            [job.id for job in scheduler.get_jobs(pending=True)],
            [job.id for job in scheduler.get_jobs(None, False)],
        )
        with running(scheduler, paused=True):
            print(
                [job.id for job in scheduler.get_jobs(pending=True)],
                [job.id for job in scheduler.get_jobs(pending=False)],
            )


@program
def removed_while_it_is_looked_at():
    scheduler = BackgroundScheduler(timezone="UTC")
    with running(scheduler, paused=True):
        for number in range(5):
            scheduler.add_job(nothing, "cron", year=2055, id=str(number))
        for job in scheduler.get_jobs():
            job.remove()
        print(scheduler.get_jobs())
        try:
            scheduler.remove_job("0")
        except JobLookupError as error:
            print(
                type(error).__mro__[1].__name__ in ("KeyError", "MainspringError"),
                isinstance(error, KeyError),
            )


@program
def added_unless_it_is_there():
    scheduler = BackgroundScheduler(timezone="UTC")
    with running(scheduler, paused=True):
        for _ in range(2):
            if scheduler.get_job("a") is None:
                scheduler.add_job(nothing, "cron", year=2055, id="a")
        try:
            scheduler.add_job(nothing, "cron", year=2055, id="a")
        except ConflictingIdError:
            print("there already")
        try:
            scheduler.add_job(nothing, "cron", year=2056, id="a")
        except KeyError:
            print("there already, too")
        scheduler.add_job(nothing, "cron", year=2057, id="a", replace_existing=True)
        print(listing(scheduler))


PROCESSES = {
    "number": "ProcessPoolExecutor(2)",
    "text": "ProcessPoolExecutor('2')",
    "options of the pool": "ProcessPoolExecutor(max_workers=1, pool_kwargs={'max_tasks_per_child': None})",
    "nothing": "ProcessPoolExecutor()",
    "by place": "ProcessPoolExecutor(3, None)",
    "wrong option": "ProcessPoolExecutor(1, {'nope': 1})",
    "wrong number": "ProcessPoolExecutor('many')",
    "zero": "ProcessPoolExecutor(0)",
    "threads with an initializer": "ThreadPoolExecutor(2, pool_kwargs={'initializer': nothing, 'initargs': (1,)})",
    "threads, wrong option": "ThreadPoolExecutor(2, {'nope': 1})",
    "threads, zero": "ThreadPoolExecutor(0)",
}


@each(PROCESSES)
def options_of_a_pool(row):
    executor = tried(lambda: eval(row, globals()))
    print(executor if isinstance(executor, str) else (type(executor).__name__, executor._pool._max_workers))


@program
def a_job_in_another_process():
    heard = Heard()
    scheduler = BackgroundScheduler(
        timezone="UTC", executors={"default": ThreadPoolExecutor(2), "processes": ProcessPoolExecutor(1)}
    )
    scheduler.add_listener(heard)
    with running(scheduler):
        scheduler.add_job(divmod, args=[7, 2], executor="processes", id="a")
        print(heard.wait(EVENT_JOB_EXECUTED)[0].retval)
        scheduler.add_job(int, args=["x"], executor="processes", id="b")
        event = heard.wait(EVENT_JOB_ERROR)[0]
        print(type(event.exception).__name__, str(event.exception), event.traceback is not None)


@program
def a_store_on_a_file_and_its_table():
    store = SQLAlchemyJobStore(url="sqlite:///application.sqlite", tablename="my_jobs")
    scheduler = BackgroundScheduler(jobstores={"default": store}, timezone="UTC")
    with running(scheduler, paused=True):
        scheduler.add_job(
            "kit:nothing", "cron", year=2055, id="a", args=[{"deep": [1, (2, 3)]}], replace_existing=True
        )
        scheduler.add_job("kit:nothing", "interval", days=1, id="b", start_date=LATER, replace_existing=True)
        scheduler.pause_job("b")
        print(
            [(job.id, job.args) for job in store.get_all_jobs()],
            [job.id for job in scheduler.get_jobs("default")],
        )
        print(store.lookup_job("a").id, store.lookup_job("nope"), store.get_next_run_time())
    again = BackgroundScheduler(timezone="UTC")
    again.add_jobstore("sqlalchemy", url="sqlite:///application.sqlite", tablename="my_jobs")
    with running(again, paused=True):
        print(listing(again))
        again.get_job("a").modify(args=[1])
        print(again.get_job("a").args)
        again.remove_all_jobs()


@program
def a_lambda_cannot_be_stored():
    scheduler = BackgroundScheduler(
        jobstores={"default": SQLAlchemyJobStore(url="sqlite://")}, timezone="UTC"
    )
    with running(scheduler, paused=True):
        print(tried(scheduler.add_job, lambda: None, "cron", year=2055))
        print(tried(scheduler.add_job, functools.partial(nothing, 1), "cron", year=2055))
        print(len(scheduler.get_jobs()))


@program
def a_stored_job_is_gone_over_by_a_tool():
    scheduler = BackgroundScheduler(timezone="UTC")
    with running(scheduler, paused=True):
        job = scheduler.add_job(
            "kit:nothing",
            "cron",
            year=2055,
            id="a",
            name="n",
            args=[1],
            kwargs={"b": 2},
            misfire_grace_time=4,
        )
        state = job.__getstate__()
        print(
            {key: value for key, value in state.items() if key not in ("trigger", "args", "mainspring")},
            list(state["args"]),
        )
        print(pickle.loads(pickle.dumps(state))["id"])
        fresh = Job.__new__(Job)
        fresh.__setstate__(pickle.loads(pickle.dumps(state)))
        print(fresh == job, fresh.next_run_time == job.next_run_time)


@program
def moved_to_another_store():
    scheduler = BackgroundScheduler(
        timezone="UTC", jobstores={"default": MemoryJobStore(), "other": MemoryJobStore()}
    )
    with running(scheduler, paused=True):
        job = scheduler.add_job(nothing, "cron", year=2055, id="a", args=[1])
        job.remove()
        scheduler.add_job(
            job.func,
            job.trigger,
            args=job.args,
            kwargs=job.kwargs,
            id=job.id,
            name=job.name,
            jobstore="other",
            next_run_time=job.next_run_time,
        )
        print(listing(scheduler))


@program
def a_trigger_that_skips_holidays():
    class Holidays(BaseTrigger):
        def __init__(self, trigger, days):
            self.trigger, self.days = trigger, days

        def get_next_fire_time(self, previous_fire_time, now):
            moment = self.trigger.get_next_fire_time(previous_fire_time, now)
            while moment is not None and moment.date() in self.days:
                moment = self.trigger.get_next_fire_time(moment, moment + timedelta(microseconds=1))
            return moment

        def __str__(self):
            return f"holidays[{self.trigger}]"

    trigger = Holidays(
        CronTrigger(year=2055, month=1, hour=9, timezone="UTC"), {date(2055, 1, 1), date(2055, 1, 2)}
    )
    scheduler = BackgroundScheduler(timezone="UTC")
    with running(scheduler, paused=True):
        job = scheduler.add_job(nothing, trigger, id="a")
        print(job, job.trigger is trigger)
        scheduler.pause_job("a")
        print(scheduler.resume_job("a"))


@program
def a_trigger_with_jitter_of_ones_own():
    class Jittered(BaseTrigger):
        def get_next_fire_time(self, previous_fire_time, now):
            moment = LATER if previous_fire_time is None else None
            return self._apply_jitter(moment, 5, now)

    moment = Jittered().get_next_fire_time(None, datetime.now(timezone.utc))
    print(abs(moment - LATER) <= timedelta(seconds=5), Jittered().get_next_fire_time(LATER, LATER))


@program
def on_a_loop_with_a_bot():
    async def main():
        seen = asyncio.Queue()
        scheduler = AsyncIOScheduler(timezone="UTC")

        async def send(text, *, to):
            await seen.put((text, to))

        scheduler.add_job(
            send,
            "date",
            run_date=datetime.now(timezone.utc),
            args=["hi"],
            kwargs={"to": "you"},
            misfire_grace_time=None,
        )
        scheduler.add_job(
            functools.partial(send, "partial", to="me"),
            "interval",
            hours=1,
            next_run_time=datetime.now(timezone.utc),
            misfire_grace_time=None,
        )
        scheduler.start()
        print(sorted([await asyncio.wait_for(seen.get(), PATIENCE) for _ in range(2)]))
        print(scheduler.running, scheduler._eventloop is asyncio.get_running_loop())
        scheduler.shutdown(wait=False)
        await asyncio.sleep(0)
        print(scheduler.running)

    asyncio.run(main())


@program
def on_a_loop_with_the_lifespan_of_a_web_server():
    class App:
        """Has a scheduler while it serves."""

    @contextlib.asynccontextmanager
    async def lifespan(app):
        app.scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 2})
        app.scheduler.add_job(nothing, CronTrigger(year=2055, timezone="UTC"), id="a", replace_existing=True)
        app.scheduler.start()
        yield
        app.scheduler.shutdown()

    async def main():
        app = App()
        async with lifespan(app):
            print(
                app.scheduler.get_job("a").next_run_time.isoformat(), app.scheduler.get_job("a").max_instances
            )
        await asyncio.sleep(0.01)
        print(app.scheduler.running, app.scheduler.state)

    asyncio.run(main())


@program
def logging_as_the_documentation_says():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s"))
    logger = logging.getLogger("apscheduler")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.start(paused=True)
    scheduler.add_job(nothing, "cron", year=2055)
    scheduler.shutdown()
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)
    print(sorted(set(stream.getvalue().splitlines())))


@program
def a_value_that_is_not_given():
    scheduler = BackgroundScheduler(timezone="UTC")
    job = scheduler.add_job(
        nothing, "cron", year=2055, next_run_time=undefined, max_instances=undefined, coalesce=undefined
    )
    with running(scheduler, paused=True):
        print(job, job.max_instances, bool(undefined))


@program
def all_parameters_by_place():
    scheduler = BackgroundScheduler(timezone="UTC")
    with running(scheduler, paused=True):
        job = scheduler.add_job(
            nothing,
            CronTrigger(year=2055, timezone="UTC"),
            [1],
            {"a": 2},
            "id",
            "name",
            3,
            False,
            4,
            LATER,
            "default",
            "default",
            True,
        )
        print(
            job,
            job.args,
            dict(job.kwargs),
            job.misfire_grace_time,
            job.coalesce,
            job.max_instances,
            job.executor,
        )


class EveryFewSeconds(BaseTrigger):
    def __init__(self, seconds):
        self.seconds = seconds

    def get_next_fire_time(self, previous_fire_time, now):
        return LATER if previous_fire_time is None else previous_fire_time + timedelta(seconds=self.seconds)

    def __str__(self):
        return f"every[{self.seconds}]"


@program
def a_trigger_of_ones_own_is_stored():
    for start in range(2):
        store = SQLAlchemyJobStore(url="sqlite:///trigger_of_ones_own.sqlite")
        with running(
            BackgroundScheduler(jobstores={"default": store}, timezone="UTC"), paused=True
        ) as scheduler:
            if not start:
                scheduler.add_job("kit:nothing", EveryFewSeconds(5), id="a")
            print(listing(scheduler), scheduler.get_job("a").trigger.seconds)
