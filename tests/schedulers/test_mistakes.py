"""What is said to who makes a mistake: what was expected, what came, and the nearest that is right."""

from __future__ import annotations

import os
import re
import sys
import warnings
from datetime import UTC, date, datetime, timedelta

import pytest

from mainspring import (
    AfterJob,
    AndTrigger,
    BackgroundScheduler,
    CronTrigger,
    IntervalTrigger,
    MemoryJobStore,
    OrTrigger,
    ProcessPoolExecutor,
    Retry,
    SQLAlchemyJobStore,
    ThreadPoolExecutor,
)
from mainspring.errors import ConfigurationError, ConfigurationWarning, CronSyntaxError, TriggerError

LATER = datetime(2100, 1, 1, tzinfo=UTC)


def work(x=1):
    return x


async def coroutine():
    """Nothing."""


@pytest.fixture
def scheduler():
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.start(paused=True)
    scheduler.add_job(work, "date", run_date=LATER, id="known")
    yield scheduler
    scheduler.shutdown()


def add(*args, **kwargs):
    return lambda s: s.add_job(work, *args, **kwargs)


HOURLY = {"trigger": "interval", "hours": 1}
#: What is done wrongly, the kind of error, and what it has to say.
MISTAKES = {
    # executors and job stores
    "an executor's option": (
        lambda s: ThreadPoolExecutor(max_worker=3),
        TypeError,
        "ThreadPoolExecutor: .*did you mean 'max_workers'",
    ),
    "a process pool's option": (
        lambda s: ProcessPoolExecutor(max_worker=3),
        TypeError,
        "did you mean 'max_workers'",
    ),
    "an option by name": (
        lambda s: s.add_executor("threadpool", "a", max_worker=3),
        TypeError,
        "did you mean 'max_workers'",
    ),
    "an option in a configuration": (
        lambda s: BackgroundScheduler(executors={"default": {"type": "threadpool", "max_worker": 3}}),
        TypeError,
        "did you mean 'max_workers'",
    ),
    "a store's option": (lambda s: SQLAlchemyJobStore(ulr="sqlite://"), TypeError, "did you mean 'url'"),
    "a class of executors": (
        lambda s: s.add_executor(ThreadPoolExecutor, "a"),
        TypeError,
        r"make one, ThreadPoolExecutor\(…\)",
    ),
    "a class of stores": (
        lambda s: s.add_jobstore(MemoryJobStore, "a"),
        TypeError,
        r"make one, MemoryJobStore\(…\)",
    ),
    "a number as an executor": (
        lambda s: BackgroundScheduler(executors={"default": 20}),
        TypeError,
        "'max_workers': 20",
    ),
    "a url as a store": (
        lambda s: BackgroundScheduler(jobstores={"default": "sqlite://"}),
        TypeError,
        "'url': 'sqlite:///jobs.sqlite'",
    ),
    "an executor itself": (
        lambda s: s.add_job(work, executor=ThreadPoolExecutor()),
        TypeError,
        "executor must be the alias",
    ),
    "a store itself": (
        lambda s: s.add_job(work, jobstore=MemoryJobStore()),
        TypeError,
        "jobstore must be the alias",
    ),
    "a store that isn't there": (
        lambda s: s.add_job(work, jobstore="redis"),
        KeyError,
        r"valid: default; add_jobstore\('redis', …\) adds one",
    ),
    # triggers
    "no trigger's name": (add(seconds=5), TypeError, "'interval' has: trigger='interval', seconds=…"),
    "no trigger's name, for cron": (add(hour=5), TypeError, "'cron' has: trigger='cron', hour=…"),
    "another's parameter": (add("interval", hour=5), TypeError, "did you mean 'hours'"),
    "a number as trigger": (add(5), TypeError, "trigger='interval', seconds=5"),
    "a duration as trigger": (add(timedelta(minutes=5)), TypeError, "trigger='interval', seconds=300"),
    "a time as trigger": (add(LATER), TypeError, "trigger='date', run_date='2100-01-01 00:00:00"),
    "a class as trigger": (add(IntervalTrigger), TypeError, r"make one, IntervalTrigger\(…\)"),
    "a crontab as trigger": (add("0 3 * * *"), LookupError, r"CronTrigger.from_crontab\('0 3 \* \* \*'\)"),
    "a macro as trigger": (add("@daily"), LookupError, r"CronTrigger.from_crontab\('@daily'\)"),
    "a crontab as argument": (add("cron", "0 3 * * *"), TypeError, r"CronTrigger.from_crontab"),
    "a crontab as year": (lambda s: CronTrigger("0 3 * * *"), CronSyntaxError, "CronTrigger.from_crontab"),
    "a crontab with seconds": (
        lambda s: CronTrigger.from_crontab("0 0 0 * * *"),
        CronSyntaxError,
        "For seconds use CronTrigger",
    ),
    "a dict in cron": (add("cron", hour={1: 2}), CronSyntaxError, "hour="),
    "a time of day in cron": (add("cron", hour="3:30"), CronSyntaxError, "hour=3, minute=30"),
    "an hour in weekly": (
        add("weekly", day_of_week="mon", hour=9),
        TypeError,
        "'weekly' has no hour=…. The trigger 'cron' has: trigger='cron', day_of_week=…, hour=…",
    ),
    "plurals in cron": (lambda s: CronTrigger(minutes=5), TypeError, "did you mean 'minute'"),
    "singulars in interval": (lambda s: IntervalTrigger(second=5), TypeError, "did you mean 'seconds'"),
    "words as seconds": (
        add("interval", seconds="five"),
        TypeError,
        "seconds must be a number, got str 'five'",
    ),
    "digits as seconds": (add("interval", seconds="5"), TypeError, "did you mean 5"),
    "a duration as seconds": (
        add("interval", seconds=timedelta(minutes=5)),
        TypeError,
        "did you mean seconds=300",
    ),
    "triggers side by side": (
        lambda s: OrTrigger(IntervalTrigger(hours=1), IntervalTrigger(hours=2)),
        TriggerError,
        r"OrTrigger\(\[…, …\]\)",
    ),
    "or without triggers": (add("or"), TypeError, "missing a required argument: 'triggers'"),
    "after a job, or": (
        lambda s: OrTrigger([AfterJob("a"), IntervalTrigger(hours=1)]),
        TriggerError,
        "OrTrigger can't be made of AfterJob.*use it alone",
    ),
    "after a job, and": (lambda s: AndTrigger([AfterJob("a")]), TriggerError, "use it alone"),
    "after a job, limited": (lambda s: AfterJob("a").limited(3), TriggerError, "use it alone"),
    "after a job, but": (lambda s: AfterJob("a").excluding(date(2030, 1, 1)), TriggerError, "use it alone"),
    "after a job, moved": (lambda s: AfterJob("a").on_business_days(), TriggerError, "use it alone"),
    "after an outcome": (lambda s: AfterJob("a", on="succes"), TriggerError, "did you mean 'success'"),
    "a zone's offset": (
        lambda s: BackgroundScheduler(timezone="UTC+2"),
        LookupError,
        r"did you mean '\+02:00'",
    ),
    # what is run
    "a called function": (
        lambda s: s.add_job(work(), **HOURLY),
        TypeError,
        r"got int 1. Give the function itself.*not add_job\(f\(1\)\)",
    ),
    "a called coroutine function": (
        lambda s: s.add_job(coroutine(), **HOURLY),
        TypeError,
        "got coroutine .*Give the function itself",
    ),
    "a dot for a colon": (
        lambda s: s.add_job("os.path.join", **HOURLY),
        ValueError,
        "did you mean 'os.path:join'",
    ),
    "a function's name": (lambda s: s.add_job("os.path:jion", **HOURLY), LookupError, "did you mean 'join'"),
    "a parameter's name": (add(kwargs={"X": 1}), ValueError, r"unknown in kwargs: X \(did you mean x\?\)"),
    "no parameter's name": (add(kwargs={"name_": 1}), ValueError, r"unknown in kwargs: name_ \(it takes x\)"),
    "text as args": (add(args="abc"), TypeError, re.escape("write args=[…]")),
    "bytes as args": (add(args=b"abc"), TypeError, re.escape("write args=[…]")),
    "a number as args": (add(args=5), TypeError, re.escape("write args=[…]")),
    "a dict as args": (add(args={"x": 1}), TypeError, "give it as kwargs"),
    "a list as kwargs": (add(kwargs=[1]), TypeError, "write kwargs={'name': value}"),
    # options
    "seconds with a unit": (add(timeout="10s"), TypeError, "did you mean 10"),
    "minutes as text": (add(misfire_grace_time="5 min"), TypeError, "did you mean 300"),
    "a number as text": (add(max_instances="3"), TypeError, "did you mean 3"),
    "one tag": (add(tags="a"), TypeError, re.escape("write tags=['a']")),
    "an option's value": (add(overlap="bufferone"), TypeError, "did you mean 'buffer_one'"),
    "a policy": (add(misfire_policy="skipp"), TypeError, "did you mean 'skip'"),
    "perhaps": (add(coalesce="maybe"), ValueError, "^coalesce: expected true/false"),
    "an option's name": (add(max_instance=2), TypeError, "did you mean 'max_instances'"),
    "a retry's parameter": (lambda s: Retry(attempt=3), TypeError, "did you mean 'attempts'"),
    "a retry's delay": (lambda s: Retry(3, delay="5s"), ValueError, "did you mean 5"),
    "a decorator without its call": (
        lambda s: s.scheduled_job(work),
        TypeError,
        r"@scheduler.scheduled_job\('interval'",
    ),
    "replacing by a decorator": (
        lambda s: s.scheduled_job("interval", hours=1, replace_existing=True),
        TypeError,
        "it always replaces .*Leave it out",
    ),
    # changing
    "the store's place": (
        lambda s: s.reschedule_job("known", "interval", minutes=5),
        TypeError,
        r"got the trigger 'interval' there: write reschedule_job\(job_id, trigger=…\)",
    ),
    "the store's place, a trigger": (
        lambda s: s.reschedule_job("known", IntervalTrigger(minutes=5)),
        TypeError,
        r"write reschedule_job\(job_id, trigger=…\)",
    ),
    "a trigger's parts": (
        lambda s: s.modify_job("known", minutes=5),
        AttributeError,
        "belong to the trigger.*reschedule_job",
    ),
    "a trigger's name": (
        lambda s: s.modify_job("known", trigger="interval", minutes=5),
        TypeError,
        r"reschedule_job\(job_id, trigger='interval', …\)",
    ),
    "an id": (lambda s: s.modify_job("known", id="b"), ValueError, "add a new job and remove this one"),
    "an id and more": (lambda s: s.modify_job("known", id="b", nam="x"), ValueError, "ID may not be changed"),
    "another store": (
        lambda s: s.get_job("known").modify(jobstore="other"),
        AttributeError,
        "keeps its id and its job store",
    ),
    "a handle for an id": (
        lambda s: s.pause_job(s.get_job("known")),
        KeyError,
        "was found; did you mean 'known'",
    ),
    # the scheduler
    "a mask as text": (
        lambda s: s.add_listener(work, "EVENT_JOB_ERROR"),
        TypeError,
        r"EVENT_JOB_ERROR \| EVENT_JOB_MISSED",
    ),
    "a logger": (lambda s: BackgroundScheduler(logger=5), TypeError, "logger must be a logger, or the name"),
    "a shutdown's timeout": (lambda s: s.shutdown(timeout="5s"), TypeError, "did you mean 5"),
    "an option, strictly": (
        lambda s: BackgroundScheduler(strict=True, timezne="UTC"),
        ConfigurationError,
        "did you mean 'timezone'",
    ),
    "a job's option, strictly": (
        lambda s: BackgroundScheduler(strict=True).add_job(work, IntervalTrigger(hours=1), max_instance=2),
        ConfigurationError,
        "did you mean 'max_instances'",
    ),
    "a state": (lambda s: s.get_jobs(state="pause"), ValueError, "did you mean 'paused'"),
    "a backfill of what follows": (
        lambda s: (s.add_job(work, AfterJob("known"), id="next"), s.backfill("next", LATER, LATER)),
        ValueError,
        "it runs after job 'known', which can be backfilled",
    ),
}


@pytest.mark.parametrize(("do", "kind", "words"), MISTAKES.values(), ids=MISTAKES)
def test_an_error_says_what_is_right(scheduler, do, kind, words):
    with pytest.raises(kind) as caught:
        do(scheduler)
    assert re.search(words, str(caught.value))
    assert scheduler.running


def test_an_option_beside_a_trigger_object_is_warned_of(scheduler):
    with pytest.warns(ConfigurationWarning, match="did you mean 'max_instances'"):
        scheduler.add_job(work, IntervalTrigger(hours=1), max_instance=2)


def test_a_trigger_that_never_fires_is_said_at_once_and_shown_as_that(caplog):
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(work, "cron", month=2, day=30, id="never", name="n")
    assert "Job never will never run" in caplog.text
    assert scheduler.get_job("never").state == "pending"
    scheduler.start(paused=True)
    scheduler.add_job(work, "interval", hours=1, end_date="2001-01-01", id="over")
    assert "Job over will never run" in caplog.text
    scheduler.add_job(work, "interval", hours=1, id="paused", next_run_time=None)
    scheduler.add_job(work, "interval", hours=1, id="due")
    scheduler.add_job(work, AfterJob("due"), id="after")
    states = {job.id: job.state for job in scheduler.get_jobs()}
    assert states == {
        "never": "ended",
        "over": "ended",
        "paused": "paused",
        "due": "scheduled",
        "after": "waiting",
    }
    assert [job.id for job in scheduler.get_jobs(state="paused")] == ["paused"]
    assert {job.id for job in scheduler.get_jobs(state="ended")} == {"never", "over"}
    assert len(scheduler.get_jobs(state="ended", limit=1)) == 1
    assert {job.id for job in scheduler.get_jobs(state="scheduled")} == {"due", "after"}
    over = scheduler.get_job("over")
    assert str(over).endswith("never runs: its trigger has no time left)")
    assert repr(over) == "<Job (id=over name=work, never runs: its trigger has no time left)>"
    assert repr(scheduler.get_job("due")) == "<Job (id=due name=work)>"
    scheduler.shutdown()


def test_a_job_after_one_that_is_not_there_is_warned_of(scheduler, caplog):
    scheduler.add_job(work, AfterJob("knwon"), id="a", name="A")
    assert "'knwon'" in caplog.text
    assert "did you mean 'known'?" in caplog.text
    caplog.clear()
    scheduler.add_job(work, AfterJob("known"), id="b")
    assert not caplog.records


def test_of_jobs_that_are_added_before_the_start_the_order_does_not_matter(caplog):
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(work, AfterJob("first"), id="second")
    scheduler.add_job(work, "date", run_date=LATER, id="first")
    scheduler.start(paused=True)
    scheduler.shutdown()
    assert not caplog.records


def test_an_executor_that_is_not_there_is_warned_of_once(scheduler, caplog):
    for number in range(2):
        scheduler.add_job(work, "date", run_date=LATER, id=str(number), name=f"n{number}", executor="defualt")
    (line,) = caplog.messages
    assert 'Job "n0" names the executor' in line
    assert "did you mean 'default'?" in line


@pytest.mark.parametrize(
    "trigger", [HOURLY, {"trigger": CronTrigger(hour=3, start_date="2099-01-01")}], ids=["interval", "cron"]
)
def test_a_backfill_of_nothing_says_why(scheduler, caplog, trigger):
    scheduler.add_job(work, **trigger, id="a", name="n")
    assert scheduler.backfill("a", datetime(2026, 1, 1), datetime(2026, 1, 2)) == []
    assert 'A backfill of job "n" runs nothing' in caplog.text
    assert "the next one is" in caplog.text


def test_a_function_of_the_program_itself_is_warned_of_where_it_is_stored(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "work_of_main", work, raising=False)
    monkeypatch.setattr(work, "__module__", "__main__")
    monkeypatch.setattr(work, "__qualname__", "work_of_main")
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_jobstore("sqlalchemy", "disk", url=f"sqlite:///{tmp_path}/jobs.sqlite")
    scheduler.start(paused=True)
    scheduler.add_job(work, "date", run_date=LATER)
    assert not caplog.records
    for _ in range(2):
        scheduler.add_job(work, "date", run_date=LATER, jobstore="disk", id="a", replace_existing=True)
    scheduler.add_job(os.getpid, "date", run_date=LATER, jobstore="disk")
    scheduler.shutdown()
    (line,) = caplog.messages
    assert "is stored with the function __main__:work_of_main" in line
    assert "Give it as " in line


def test_a_coroutine_that_was_not_to_be_called_is_not_told_of_twice(scheduler):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TypeError):
            scheduler.add_job(coroutine())
