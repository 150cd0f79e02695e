"""Job stores: their own methods, jobs in SQLite that outlive their scheduler, and stores that a program has written itself."""

# needs: sqlalchemy
import os
import re
from datetime import UTC, datetime, timezone

from apscheduler.events import EVENT_JOB_EXECUTED
from apscheduler.job import Job
from apscheduler.jobstores.base import BaseJobStore, ConflictingIdError, JobLookupError, TransientJobError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from kit import LATER, Heard, each, evaluated, listing, nothing, program, running, tried
from sqlalchemy import MetaData, create_engine

EVERY_HOUR = IntervalTrigger(hours=1, start_date="2055-03-04", timezone="UTC")
FILES = iter(range(10_000))


def url():
    return f"sqlite:///{os.getcwd()}/jobs{next(FILES)}.sqlite"


def made(store, **options):
    return BackgroundScheduler(timezone="UTC", jobstores={"default": store}, **options)


class Listed(BaseJobStore):
    """A store that a program has written: jobs in a list."""

    def __init__(self):
        super().__init__()
        self.jobs = {}
        self.calls = []

    def start(self, scheduler, alias):
        super().start(scheduler, alias)
        self.calls.append("start")

    def shutdown(self):
        self.calls.append("shutdown")

    def _sorted(self):
        return sorted(self.jobs.values(), key=lambda job: (job.next_run_time is None, job.next_run_time or 0))

    def lookup_job(self, job_id):
        return self.jobs.get(job_id)

    def get_due_jobs(self, now):
        return [job for job in self._sorted() if job.next_run_time and job.next_run_time <= now]

    def get_next_run_time(self):
        return next((job.next_run_time for job in self._sorted() if job.next_run_time), None)

    def get_all_jobs(self):
        return self._sorted()

    def add_job(self, job):
        self.calls.append(f"add {job.id}")
        if job.id in self.jobs:
            raise ConflictingIdError(job.id)
        self.jobs[job.id] = job

    def update_job(self, job):
        self.calls.append(f"update {job.id}")
        if job.id not in self.jobs:
            raise JobLookupError(job.id)
        self.jobs[job.id] = job

    def remove_job(self, job_id):
        self.calls.append(f"remove {job_id}")
        if job_id not in self.jobs:
            raise JobLookupError(job_id)
        del self.jobs[job_id]

    def remove_all_jobs(self):
        self.calls.append("remove all")
        self.jobs.clear()


KINDS = {"memory": "MemoryJobStore()", "sqlite": "SQLAlchemyJobStore(url=url())", "own": "Listed()"}


@each(KINDS)
def what_a_store_answers(row):
    store = eval(row)
    with running(made(store), paused=True) as scheduler:
        print(store.get_next_run_time(), store.get_all_jobs(), store.get_due_jobs(LATER))
        scheduler.add_job(nothing, EVERY_HOUR, id="a")
        scheduler.add_job(nothing, "cron", year=2054, id="b", timezone="UTC")
        scheduler.add_job(nothing, "cron", year=2054, id="c", next_run_time=None)
        print([job.id for job in store.get_all_jobs()], store.get_next_run_time().isoformat())
        print([job.id for job in store.get_due_jobs(datetime(2054, 6, 1, tzinfo=UTC))])
        print(store.lookup_job("a"), store.lookup_job("nope"))
        job = store.lookup_job("a")
        print(isinstance(job, Job), job._scheduler is scheduler, job._jobstore_alias)
        store.remove_job("b")
        print([job.id for job in store.get_all_jobs()], tried(store.remove_job, "b"))
        store.remove_all_jobs()
        print(store.get_all_jobs())


@each(KINDS)
def every_change(row):
    with running(made(eval(row)), paused=True) as scheduler:
        job = scheduler.add_job(nothing, EVERY_HOUR, id="a", name="one")
        job.modify(name="two", max_instances=3, args=(1,), kwargs={"k": 2})
        print(
            listing(scheduler),
            scheduler.get_job("a").max_instances,
            scheduler.get_job("a").args,
            scheduler.get_job("a").kwargs,
        )
        job.pause()
        print(listing(scheduler))
        job.resume()
        print(listing(scheduler))
        job.reschedule("cron", year=2056, timezone="UTC")
        print(listing(scheduler))
        print(tried(lambda: scheduler.add_job(nothing, EVERY_HOUR, id="a").id))
        scheduler.add_job(nothing, EVERY_HOUR, id="a", name="three", replace_existing=True)
        print(listing(scheduler))
        scheduler.remove_all_jobs()
        print(listing(scheduler))


@each(KINDS)
def runs(row):
    heard = Heard()
    with running(made(eval(row))) as scheduler:
        scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
        scheduler.add_job(divmod, args=[7, 2], id="a")
        scheduler.add_job(divmod, "interval", seconds=0.05, args=[9, 2], id="b", misfire_grace_time=None)
        print(sorted({event.retval for event in heard.wait(EVENT_JOB_EXECUTED, 3)}))


@each(KINDS)
def repr_of(row):
    print(re.sub(r"sqlite:.*sqlite", "sqlite://…", repr(eval(row))))


TRANSIENT = ["lambda: None", "__import__('functools').partial(nothing, 1)", "(lambda: (lambda: 1))()"]


@each(TRANSIENT)
def a_function_that_has_no_name(row):
    with running(made(SQLAlchemyJobStore(url=url())), paused=True) as scheduler:
        answer = tried(lambda: scheduler.add_job(eval(row), EVERY_HOUR, id="a").id)
        print(answer, scheduler.get_jobs())


@program
def jobs_that_outlive_their_scheduler():
    place = url()
    with running(made(SQLAlchemyJobStore(url=place)), paused=True) as scheduler:
        scheduler.add_job(
            nothing,
            EVERY_HOUR,
            args=[1, "two", None, 4.5],
            kwargs={"key": [1, 2]},
            id="a",
            name="the job",
            max_instances=4,
            coalesce=False,
            misfire_grace_time=7,
        )
        scheduler.add_job(
            nothing,
            CronTrigger(day="last", hour="1-3", timezone="Europe/Berlin", start_date="2055-01-01"),
            id="b",
        )
        scheduler.add_job(nothing, "date", run_date=LATER, id="c")
        scheduler.add_job(nothing, EVERY_HOUR, id="d", next_run_time=None)
    with running(made(SQLAlchemyJobStore(url=place)), paused=True) as scheduler:
        print(listing(scheduler))
        job = scheduler.get_job("a")
        print(
            job.args,
            job.kwargs,
            job.name,
            job.max_instances,
            job.coalesce,
            job.misfire_grace_time,
            job.func is nothing,
            job.func_ref,
            job.executor,
        )


ARGUMENTS = {
    "text": "['text']",
    "numbers": "[1, 2.5, True, None]",
    "tuple": "[(1, 2)]",
    "set": "[{1, 2}]",
    "bytes": "[b'12']",
    "datetime": "[datetime(2055, 3, 4, tzinfo=timezone.utc)]",
    "naive datetime": "[datetime(2055, 3, 4)]",
    "nested": "[{'a': [1, {'b': (2, 3)}]}]",
    "numbers as keys": "[{1: 'a', (2, 3): 'b'}]",
    "a function": "[nothing]",
    "a class": "[Listed]",
    "an object": "[Point(1, 2)]",
    "a zone of pytz": "[__import__('pytz').timezone('Europe/Berlin')]",
    "a zone": "[__import__('zoneinfo').ZoneInfo('Europe/Berlin')]",
    "a decimal": "[__import__('decimal').Decimal('1.50')]",
    "a path": "[__import__('pathlib').PurePosixPath('/tmp')]",
    "an exception": "[ValueError('x')]",
    "a lambda": "[lambda: None]",
    "a lock": "[__import__('threading').Lock()]",
}


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __repr__(self):
        return f"Point({self.x}, {self.y})"

    def move(self):
        return self.x + self.y


@each(ARGUMENTS)
def arguments_that_are_stored(row):
    place = url()
    with running(made(SQLAlchemyJobStore(url=place)), paused=True) as scheduler:
        answer = tried(lambda: scheduler.add_job(nothing, EVERY_HOUR, args=eval(row), id="a").id)
        print(answer if answer == "a" else "refused")
    with running(made(SQLAlchemyJobStore(url=place)), paused=True) as scheduler:
        job = scheduler.get_job("a")
        print(job and repr(job.args).split(" at 0x")[0])


@program
def a_method_that_is_stored():
    place = url()
    heard = Heard()
    with running(made(SQLAlchemyJobStore(url=place)), paused=True) as scheduler:
        scheduler.add_job(
            Point(3, 4).move, "date", run_date=datetime(2020, 1, 1), id="a", misfire_grace_time=None
        )
    with running(made(SQLAlchemyJobStore(url=place)), paused=True) as scheduler:
        scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
        scheduler.add_job(nothing, id="z", misfire_grace_time=None)
        scheduler.resume()
        print({event.job_id: event.retval for event in heard.wait(EVENT_JOB_EXECUTED, 2)}.get("a"))


@program
def an_engine_of_the_program():
    engine = create_engine(url())
    with running(made(SQLAlchemyJobStore(engine=engine)), paused=True) as scheduler:
        scheduler.add_job(nothing, EVERY_HOUR, id="a")
        print(listing(scheduler))


@program
def a_table_of_ones_own():
    place = url()
    metadata = MetaData()
    store = SQLAlchemyJobStore(url=place, tablename="my_jobs", metadata=metadata)
    with running(made(store), paused=True) as scheduler:
        scheduler.add_job(nothing, EVERY_HOUR, id="a")
        print(listing(scheduler), "my_jobs" in store.jobs_t.name, "id" in store.jobs_t.c)


@program
def options_of_the_engine():
    with running(
        made(SQLAlchemyJobStore(url=url(), engine_options={"echo": False}, pickle_protocol=2)), paused=True
    ) as scheduler:
        scheduler.add_job(nothing, EVERY_HOUR, id="a")
        print(listing(scheduler))


WRONG = [
    "SQLAlchemyJobStore()",
    "SQLAlchemyJobStore(url='nonsense')",
    "SQLAlchemyJobStore(url='nowhere://x')",
    "SQLAlchemyJobStore(url=url(), tablename='')",
    "SQLAlchemyJobStore(url=url(), nope=1)",
    "SQLAlchemyJobStore('sqlite:///:memory:').engine.url.database",
]


@each(WRONG)
def wrong(row):
    answer = evaluated(row, globals())
    print(answer if isinstance(answer, str) else type(answer).__name__)


@program
def by_its_alias():
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_jobstore("sqlalchemy", url=url())
    with running(scheduler, paused=True):
        scheduler.add_job(nothing, EVERY_HOUR, id="a")
        print(listing(scheduler))


@program
def by_configuration():
    scheduler = BackgroundScheduler(
        {
            "apscheduler.jobstores.default.type": "sqlalchemy",
            "apscheduler.jobstores.default.url": url(),
            "apscheduler.timezone": "UTC",
        }
    )
    with running(scheduler, paused=True):
        scheduler.add_job(nothing, EVERY_HOUR, id="a")
        print(listing(scheduler))


@program
def two_stores_at_once():
    scheduler = BackgroundScheduler(
        timezone="UTC", jobstores={"default": MemoryJobStore(), "kept": SQLAlchemyJobStore(url=url())}
    )
    with running(scheduler, paused=True):
        scheduler.add_job(nothing, EVERY_HOUR, id="a")
        scheduler.add_job(nothing, EVERY_HOUR, id="b", jobstore="kept")
        print(listing(scheduler))
        scheduler.get_job("b").modify(name="x")
        scheduler.remove_job("a")
        print(listing(scheduler))


@program
def one_scheduler_started_again_on_a_file():
    scheduler = made(SQLAlchemyJobStore(url=url()))
    for turn in (1, 2):
        scheduler.add_job(nothing, EVERY_HOUR, id="a", name=f"turn {turn}", replace_existing=True)
        with running(scheduler, paused=True):
            print(listing(scheduler))


@program
def what_is_asked_of_a_store_of_ones_own():
    store = Listed()
    with running(made(store), paused=True) as scheduler:
        job = scheduler.add_job(nothing, EVERY_HOUR, id="a")
        job.modify(name="x")
        job.pause()
        job.remove()
        print(tried(scheduler.remove_job, "a"))
        scheduler.remove_all_jobs()
    print(store.calls)


@program
def jobs_of_a_store_of_ones_own_are_jobs():
    store = Listed()
    with running(made(store), paused=True) as scheduler:
        scheduler.add_job(nothing, EVERY_HOUR, id="a")
        job = store.jobs["a"]
        print(
            isinstance(job, Job),
            job.id,
            job.next_run_time.isoformat(),
            job.func is nothing,
            sorted(job.__getstate__()),
        )


@program
def alias_and_scheduler_of_a_store():
    store = Listed()
    print(store._alias, store._scheduler, store._logger.name)
    with running(BackgroundScheduler(timezone="UTC", jobstores={"mine": store}), paused=True) as scheduler:
        print(store._alias, store._scheduler is scheduler, store._logger.name)


@program
def paused_jobs_go_to_the_end():
    class One:
        def __init__(self, moment):
            self.next_run_time = moment

    jobs = [One(None), One(1), One(2)]
    Listed()._fix_paused_jobs_sorting(jobs)
    print([job.next_run_time for job in jobs])


@program
def errors_of_stores():
    for error in (JobLookupError("a"), ConflictingIdError("a"), TransientJobError("a")):
        print(
            type(error).__name__,
            isinstance(error, KeyError),
            isinstance(error, ValueError),
            "a" in str(error),
        )


@program
def an_abstract_store_cannot_be_made():
    print(tried(BaseJobStore))
