"""Jobs: what they hold, how they look, how they are changed, and what is refused."""

import functools
import pickle
from datetime import UTC, datetime, timedelta, timezone

from apscheduler.job import Job
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from kit import LATER, each, evaluated, listing, nothing, program, running, steady, tried

EVERY_HOUR = IntervalTrigger(hours=1, start_date="2055-03-04", timezone="UTC")


def greet(name, greeting="Hello"):
    """Takes one argument or two."""


def only_keywords(*, key):
    """Takes one by its name."""


def only_positional(one, /):
    """Takes one by its place."""


async def coroutine():
    """A coroutine function."""


class Shop:
    def open(self, day=None):
        """A method."""

    @classmethod
    def found(cls):
        """A class method."""

    @staticmethod
    def close():
        """A static method."""

    def __call__(self):
        """An instance that can be called."""


def injected(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function("session", *args, **kwargs)

    return wrapper


@injected
def with_session(session):
    """A decorator gives its argument."""


def made(paused=True, **options):
    """A started scheduler, and a job of it."""
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.start(paused=paused)
    options.setdefault("func", nothing)
    options.setdefault("trigger", EVERY_HOUR)
    return scheduler, scheduler.add_job(**options)


ATTRIBUTES = [
    "job.id", "job.name", "job.func is nothing", "job.func_ref", "job.args", "job.kwargs", "str(job.trigger)", "job.executor",
    "job.coalesce", "job.max_instances", "job.next_run_time.isoformat()", "job.pending", "str(job)", "repr(job)",
    "job == scheduler.get_job('a')", "job != scheduler.get_job('a')", "job == 5", "job._jobstore_alias", "job._scheduler is scheduler",
    "hasattr(job, 'next_run_time')", "isinstance(job, Job)", "[t.isoformat() for t in job._get_run_times(datetime(2055, 3, 4, 2, tzinfo=timezone.utc))]",
    "sorted(job.__getstate__())", "job.__getstate__()['func']", "job.__getstate__()['version']", "job.nope", "type(job.args).__name__", "type(job.kwargs).__name__",
    "job.misfire_grace_time", "callable(job.modify) and callable(job.reschedule)", "hash(job)",
]  # fmt: skip


@each(ATTRIBUTES)
def attribute(row):
    scheduler, job = made(id="a", name="the job", args=[1], kwargs={"key": 2})
    print(evaluated(row, {**globals(), **locals()}))
    scheduler.shutdown()


@each(
    [
        "str(job)",
        "repr(job)",
        "job.pending",
        "hasattr(job, 'next_run_time')",
        "job.next_run_time",
        "job.coalesce",
        "job.max_instances",
        "job.misfire_grace_time",
        "str(job.trigger)",
        "job.executor",
        "job.func_ref",
        "job._jobstore_alias",
    ]
)
def attribute_of_a_pending_job(row):
    scheduler = BackgroundScheduler(timezone="UTC")
    job = scheduler.add_job(nothing, EVERY_HOUR, id="a", name="the job")
    print(evaluated(row, {**globals(), **locals()}))


NAMES = {
    "function": "nothing",
    "function of this module": "greet",
    "method": "Shop().open",
    "class method": "Shop.found",
    "static method": "Shop.close",
    "instance": "Shop()",
    "class": "Shop",
    "lambda": "lambda: None",
    "partial": "functools.partial(greet, 'you')",
    "builtin": "len",
    "reference": "'kit:nothing'",
    "reference to a method": "'jobs:Shop.close'",
    "coroutine function": "coroutine",
    "injected": "with_session",
    "method of an instance of Python's": "[].append",
    "print": "print",
}  # fmt: skip
GIVEN = {"function of this module": ["you"], "builtin": [[]], "method of an instance of Python's": [1]}


@each(NAMES)
def name_and_reference(row):
    scheduler = BackgroundScheduler(timezone="UTC")
    job = tried(
        lambda: scheduler.add_job(
            eval(row),
            EVERY_HOUR,
            args=next((given for key, given in GIVEN.items() if NAMES[key] == row), None),
        )
    )
    print(getattr(job, "name", job), getattr(job, "func_ref", None))


ARGUMENTS = [
    "(greet, ['you'])", "(greet, [])", "(greet, ['you', 'Hi'])", "(greet, ['you', 'Hi', 3])", "(greet, [], {'name': 'you'})", "(greet, ['you'], {'name': 'you'})",
    "(greet, ['you'], {'nope': 1})", "(only_keywords, [], {'key': 1})", "(only_keywords, [1])", "(only_keywords, [])", "(only_positional, [1])",
    "(only_positional, [], {'one': 1})", "(nothing, [1, 2], {'a': 3})", "(Shop().open, ['mon'])", "(Shop().open, [1, 2])", "(with_session, [])", "(len, [])", "(greet, 'you')",
    "(greet, 5)", "(greet, None, 5)", "(greet, None, [('name', 'you')])", "(greet, (x for x in ['you']))", "(greet, {'you'})", "(greet, {'you': 1})", "(int, ['5'])", "(lambda x: x, [1])", "(lambda x: x, [])",
    "(functools.partial(greet, 'you'), [])", "(functools.partial(greet, 'you'), [1, 2])",
]  # fmt: skip


@each(ARGUMENTS)
def arguments(row):
    function, *given = eval(row)
    scheduler = BackgroundScheduler(timezone="UTC")
    job = tried(lambda: scheduler.add_job(function, EVERY_HOUR, *given))
    print((job.args, job.kwargs) if isinstance(job, Job) else job)


REFUSED = [
    "func=5", "func='no_colon'", "func='nowhere_at_all:function'", "func='kit:nope'", "id=5", "id=''", "name=5", "name=''", "misfire_grace_time=0", "misfire_grace_time=-1",
    "misfire_grace_time='5'", "misfire_grace_time=1.5", "max_instances=0", "max_instances='2'", "max_instances=1.5", "max_instances=None", "coalesce='yes'", "coalesce=None", "executor=5", "executor=None", "trigger='nope'",
    "trigger=5", "next_run_time=5", "next_run_time='nonsense'", "next_run_time='2055-03-04'", "jobstore='nope'", "executor='nope'", "nope=5", "trigger='interval', nope=5", "trigger='cron', hour=99", "replace_existing=None",
    "misfire_grace_time=None", "misfire_grace_time=True", "args=None", "kwargs=None", "next_run_time=datetime(2055, 3, 4)", "trigger=None, run_date='2055-03-04'", "trigger=DateTrigger",
    "trigger='date'", "trigger=EVERY_HOUR, seconds=5",
]  # fmt: skip


@each(REFUSED)
def option_of_add_job(row):
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.start(paused=True)
    options = eval(f"dict({row})")
    options.setdefault("func", nothing)
    job = tried(lambda: scheduler.add_job(**options))
    print("a job" if isinstance(job, Job) else job)
    scheduler.shutdown()


CHANGES = [
    "name='other'", "args=[1, 2]", "kwargs={'a': 1}", "func=Shop.close", "func='jobs:Shop.close'", "func=greet, args=['you']", "func=greet", "coalesce=False", "coalesce='no'",
    "max_instances=3", "misfire_grace_time=60", "misfire_grace_time=None", "executor='other'", "trigger=CronTrigger(year=2056, hour=3, timezone='UTC')", "next_run_time=LATER", "next_run_time=None", "next_run_time='2056-01-01'",
    "next_run_time=datetime(2056, 1, 1)", "id='b'", "id='a'", "nope=1", "func=5", "trigger=5", "trigger='interval'", "name=None", "args=5", "kwargs=5", "max_instances=0", "misfire_grace_time=0", "executor=5",
    "next_run_time=5", "name='x', nope=1", "name='x', max_instances=0", "jobstore='other'", "pending=True", "func_ref='kit:nothing'", "", "args='ab'", "args=(1,)", "args=None",
]  # fmt: skip


@each(CHANGES)
def modify(row):
    scheduler, job = made(id="a")
    answer = tried(lambda: job.modify(**eval(f"dict({row})")))
    print(answer is job or answer)
    job = scheduler.get_job("a")
    print(job, job.args, job.kwargs, job.coalesce, job.max_instances, job.executor, job.func_ref)
    scheduler.shutdown()


@each(
    [
        "name='other'",
        "args=[1, 2]",
        "func=Shop.close",
        "coalesce=False",
        "max_instances=3",
        "trigger=CronTrigger(year=2056, hour=3, timezone='UTC')",
        "next_run_time=LATER",
        "next_run_time=None",
        "nope=1",
        "id='b'",
    ]
)
def modify_a_pending_job(row):
    scheduler = BackgroundScheduler(timezone="UTC")
    job = scheduler.add_job(nothing, EVERY_HOUR, id="a")
    answer = tried(lambda: job.modify(**eval(f"dict({row})")))
    print(answer is job or answer)
    print(job)
    with running(scheduler, paused=True):
        job = scheduler.get_job("a")
        print(job, job.args, job.coalesce, job.max_instances, job.func_ref)


@program
def misfire_grace_time_by_default():
    scheduler, job = made()
    print(job.misfire_grace_time)
    scheduler.shutdown()


@program
def reschedule():
    scheduler, job = made(id="a")
    print(job.reschedule("cron", year=2055, month=3, day=4, timezone="UTC") is job)
    print(listing(scheduler))
    print(tried(job.reschedule, "cron", hour=99))
    print(tried(job.reschedule, "nope"))
    print(tried(job.reschedule, 5))
    print(listing(scheduler))
    job.reschedule(DateTrigger("2055-03-04", "UTC"))
    print(listing(scheduler))
    scheduler.shutdown()


@program
def reschedule_a_pending_job():
    scheduler = BackgroundScheduler(timezone="UTC")
    job = scheduler.add_job(nothing, EVERY_HOUR, id="a")
    job.reschedule("cron", year=2055, timezone="UTC")
    print(job)
    with running(scheduler, paused=True):
        print(listing(scheduler))


@program
def pause_and_resume():
    scheduler, job = made(id="a")
    print(job.pause() is job, job)
    print(listing(scheduler))
    print(job.resume() is job, job)
    print(listing(scheduler))
    scheduler.shutdown()


@program
def pause_and_resume_a_pending_job():
    scheduler = BackgroundScheduler(timezone="UTC")
    job = scheduler.add_job(nothing, EVERY_HOUR, id="a")
    job.pause()
    print(job)
    with running(scheduler, paused=True):
        print(listing(scheduler))
        job.resume()
        print(listing(scheduler))


@program
def resume_a_job_whose_schedule_is_over():
    scheduler, _job = made(
        id="a",
        trigger=IntervalTrigger(hours=1, start_date="2020-01-01", end_date="2020-02-01", timezone="UTC"),
        next_run_time=None,
    )
    print(scheduler.resume_job("a"), scheduler.get_job("a"))
    scheduler.shutdown()


@program
def resume_a_date_that_is_past():
    scheduler, _job = made(id="a", trigger=DateTrigger("2020-01-01", "UTC"), next_run_time=None)
    answer = scheduler.resume_job("a")
    print(answer is None, scheduler.get_job("a"))
    scheduler.shutdown()


@program
def remove():
    scheduler, job = made(id="a")
    print(job.remove(), scheduler.get_jobs())
    print(tried(job.remove))
    print(tried(job.modify, name="b"))
    print(tried(job.pause), tried(job.resume), tried(job.reschedule, "date"))
    print(job.id, job.pending)
    scheduler.shutdown()


@program
def remove_a_pending_job():
    scheduler = BackgroundScheduler(timezone="UTC")
    job = scheduler.add_job(nothing, EVERY_HOUR, id="a")
    job.remove()
    print(scheduler.get_jobs(), tried(job.remove))


@program
def a_handle_is_changed_by_what_it_asks_for():
    scheduler, job = made(id="a", name="one")
    job.modify(name="two", next_run_time=LATER)
    print(job)
    scheduler.modify_job("a", name="three")
    print(job)
    scheduler.shutdown()


@program
def attributes_can_be_set():
    scheduler, job = made(id="a")
    job.name = "other"
    job.args = (1,)
    job.kwargs["x"] = 1
    job.func = Shop.close
    job.coalesce = False
    found = scheduler.get_job("a")
    print(found.name, found.args, found.kwargs, found.func is Shop.close, found.coalesce)
    scheduler.shutdown()


@program
def attributes_of_a_pending_job_can_be_set():
    scheduler = BackgroundScheduler(timezone="UTC")
    job = scheduler.add_job(nothing, EVERY_HOUR, id="a")
    job.name = "other"
    job.args = (1,)
    job.kwargs["x"] = 1
    job.next_run_time = LATER
    with running(scheduler, paused=True):
        found = scheduler.get_job("a")
        print(found, found.args, found.kwargs)


@program
def the_id_can_be_set():
    scheduler, job = made(id="a")
    job.id = "b"
    print(job.id, repr(job))
    scheduler.shutdown()


@program
def unknown_attributes_cannot_be_set():
    scheduler, job = made(id="a")
    print(tried(setattr, job, "nope", 1))
    scheduler.shutdown()


@program
def modify_privately():
    scheduler, job = made(id="a")
    job._modify(name="other")
    print(job.name)
    print(tried(job._modify, nope=1))
    scheduler.shutdown()


@program
def equal_by_id():
    first, one = made(id="a")
    second, other = made(id="a", name="other")
    third, different = made(id="b")
    print(one == other, one == different, one != other)
    for scheduler in (first, second, third):
        scheduler.shutdown()


@program
def pickled():
    scheduler, job = made(id="a", name="the job", args=[1])
    again = pickle.loads(pickle.dumps(job.__getstate__()))
    print(again["id"], again["args"], again["name"], str(again["trigger"]))
    job = object.__new__(Job)
    job.__setstate__(again)
    print(job.id, job.args, job.name, job.func is nothing, job)
    scheduler.shutdown()


@program
def state_of_a_method():
    shop = Shop()
    scheduler, job = made(func=shop.open, args=["mon"])
    kept = job.__getstate__()
    print(kept["func"], [type(one).__name__ for one in kept["args"]])
    scheduler.shutdown()


@program
def state_of_a_lambda():
    scheduler, job = made(func=lambda: None)
    print(job.func_ref, tried(job.__getstate__))
    scheduler.shutdown()


@program
def state_of_a_newer_version():
    print(tried(object.__new__(Job).__setstate__, {"version": 2}))


@program
def made_by_hand():
    scheduler = BackgroundScheduler(timezone="UTC")
    job = Job(
        scheduler,
        id="x",
        func=nothing,
        args=(),
        kwargs={},
        trigger=EVERY_HOUR,
        executor="default",
        misfire_grace_time=1,
        coalesce=True,
        max_instances=1,
    )
    print(job.id, job.name, job.pending, job)


@program
def an_id_of_its_own():
    scheduler, job = made()
    print(len(job.id), steady(repr(job)))
    scheduler.shutdown()


@program
def get_run_times_of_many():
    scheduler, job = made(trigger=IntervalTrigger(hours=1, start_date="2055-03-04", timezone="UTC"))
    print([one.hour for one in job._get_run_times(datetime(2055, 3, 4, 5, 30, tzinfo=UTC))])
    print(job._get_run_times(datetime(2050, 1, 1, tzinfo=UTC)))
    scheduler.shutdown()
