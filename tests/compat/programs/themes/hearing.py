"""Events: which are heard, in which order, with what in them."""

from datetime import UTC, datetime, timezone

from apscheduler import events
from apscheduler.events import (
    EVENT_ALL,
    EVENT_JOB_ADDED,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MISSED,
    EVENT_JOB_MODIFIED,
    EVENT_JOB_REMOVED,
    EVENT_JOB_SUBMITTED,
    EVENT_SCHEDULER_SHUTDOWN,
    EVENT_SCHEDULER_STARTED,
    JobEvent,
    JobExecutionEvent,
    JobSubmissionEvent,
    SchedulerEvent,
)
from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from kit import LATER, Heard, ago, each, evaluated, nothing, program, running, steady, tried

#: What a scheduler is asked to do, and so tells its listeners.
DEEDS = {
    "nothing": "None",
    "add_job": "scheduler.add_job(nothing, 'date', run_date=LATER, id='b')",
    "replace": "scheduler.add_job(nothing, 'date', run_date=LATER, id='a', replace_existing=True)",
    "add_job refused": "tried(scheduler.add_job, nothing, 'date', run_date=LATER, id='a')",
    "modify_job": "scheduler.modify_job('a', name='x')",
    "modify_job to nothing": "scheduler.modify_job('a')",
    "job.modify": "scheduler.get_job('a').modify(name='x')",
    "pause_job": "scheduler.pause_job('a')",
    "resume_job": "scheduler.resume_job('a')",
    "pause and resume": "(scheduler.pause_job('a'), scheduler.resume_job('a'))",
    "reschedule_job": "scheduler.reschedule_job('a', trigger='cron', year=2055)",
    "remove_job": "scheduler.remove_job('a')",
    "job.remove": "scheduler.get_job('a').remove()",
    "remove_job refused": "tried(scheduler.remove_job, 'nope')",
    "remove_all_jobs": "scheduler.remove_all_jobs()",
    "remove_all_jobs of one": "scheduler.remove_all_jobs('default')",
    "add_jobstore": "scheduler.add_jobstore('memory', 'x')",
    "remove_jobstore": "scheduler.remove_jobstore('default')",
    "add_executor": "scheduler.add_executor('debug', 'x')",
    "remove_executor": "scheduler.remove_executor('default')",
    "pause": "scheduler.pause()",
    "pause twice": "(scheduler.pause(), scheduler.pause())",
    "pause and resume of it": "(scheduler.pause(), scheduler.resume())",
    "run once": "(scheduler.add_job(nothing, executor='direct', id='b'), heard.wait(EVENT_JOB_EXECUTED))",
    "run with an error": "(scheduler.add_job(fails, executor='direct', id='b'), heard.wait(EVENT_JOB_ERROR))",
    "run too late": "(scheduler.add_job(nothing, 'date', run_date=ago(hours=1), executor='direct', id='b', misfire_grace_time=1), heard.wait(EVENT_JOB_MISSED))",
    "resume of what is over": "(scheduler.add_job(nothing, 'interval', hours=1, start_date='2020-01-01', end_date='2020-01-02', id='b', next_run_time=None), scheduler.resume_job('b'))",
    "shutdown": "scheduler.shutdown()",
    "a job of a started scheduler that is removed at once": "scheduler.add_job(nothing, 'date', run_date=LATER, id='b').remove()",
}


def fails():
    raise ValueError("broken")


def told(heard):
    for event in heard.events:
        print(tried(lambda event=event: shown(event)))


def shown(event):
    return (
        type(event).__name__,
        code_of(event),
        getattr(event, "job_id", "-"),
        getattr(event, "jobstore", "-"),
        event.alias,
    )


def code_of(event):
    (name, *_) = (
        name for name, code in vars(events).items() if name.startswith("EVENT_") and code == event.code
    )
    return name


@each(DEEDS)
def deed(row):
    heard = Heard()
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_executor(DebugExecutor(), "direct")
    scheduler.add_job(nothing, "date", run_date=LATER, id="a")
    scheduler.add_listener(heard)
    scheduler.start()
    print(
        tried(lambda: eval(row, {**globals(), **locals(), "scheduler": scheduler, "heard": heard}) and None)
    )
    if scheduler.running:
        scheduler.shutdown()
    heard.wait(EVENT_SCHEDULER_SHUTDOWN)
    told(heard)


@each(DEEDS)
def deed_of_a_pending_scheduler(row):
    heard = Heard()
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_executor(DebugExecutor(), "direct")
    scheduler.add_executor("threadpool", "default")
    scheduler.add_jobstore("memory", "default")
    scheduler.add_job(nothing, "date", run_date=LATER, id="a")
    scheduler.add_listener(heard)
    if "heard.wait" not in row:
        print(tried(lambda: eval(row, {**globals(), "scheduler": scheduler, "heard": heard}) and None))
    scheduler.start()
    scheduler.shutdown()
    heard.wait(EVENT_SCHEDULER_SHUTDOWN)
    told(heard)


MASKS = [
    "EVENT_ALL",
    "EVENT_JOB_EXECUTED",
    "EVENT_JOB_ERROR | EVENT_JOB_EXECUTED",
    "EVENT_JOB_ADDED",
    "EVENT_JOB_REMOVED",
    "EVENT_SCHEDULER_STARTED | EVENT_SCHEDULER_SHUTDOWN",
    "0",
    "EVENT_JOB_SUBMITTED",
    "EVENT_ALL & ~EVENT_JOB_SUBMITTED",
]


@each(MASKS)
def mask(row):
    heard, all_of_it = Heard(), Heard()
    scheduler = BackgroundScheduler(timezone="UTC", executors={"default": {"type": "debug"}})
    scheduler.add_listener(heard, eval(row))
    scheduler.add_listener(all_of_it)
    scheduler.start()
    scheduler.add_job(nothing, id="a")
    all_of_it.wait(EVENT_JOB_EXECUTED)
    all_of_it.wait(EVENT_JOB_REMOVED)
    scheduler.add_job(fails, id="b")
    all_of_it.wait(EVENT_JOB_ERROR)
    all_of_it.wait(EVENT_JOB_REMOVED, 2)
    scheduler.shutdown()
    all_of_it.wait(EVENT_SCHEDULER_SHUTDOWN)
    print(sorted(heard.names()))


MADE = [
    "SchedulerEvent(1)", "SchedulerEvent(1, 'a')", "SchedulerEvent(code=1, alias='a')", "JobEvent(512, 'a', 'default')", "JobSubmissionEvent(32768, 'a', 'default', [LATER])", "JobExecutionEvent(4096, 'a', 'default', LATER)",
    "JobExecutionEvent(4096, 'a', 'default', LATER, 5)", "JobExecutionEvent(8192, 'a', 'default', LATER, exception=ValueError(), traceback='text')", "JobExecutionEvent(4096, 'a', 'default', LATER, retval=5)", "JobEvent(512)", "SchedulerEvent()",
]  # fmt: skip


@each(MADE)
def made_by_hand(row):
    event = evaluated(row, globals())
    if isinstance(event, str):
        print(event)
        return
    names = (
        "code",
        "alias",
        "job_id",
        "jobstore",
        "scheduled_run_times",
        "scheduled_run_time",
        "retval",
        "exception",
        "traceback",
    )
    print([(name, steady(repr(getattr(event, name)))) for name in names if hasattr(event, name)])
    print([base.__name__ for base in type(event).__mro__])


@program
def repr_of_an_event():
    print(steady(repr(SchedulerEvent(1))))
    print(steady(repr(JobEvent(512, "a", "default"))))


@program
def what_is_in_a_success():
    heard = Heard()
    with running(BackgroundScheduler(timezone="UTC")) as scheduler:
        scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
        scheduler.add_job(
            divmod,
            args=[7, 2],
            id="a",
            next_run_time=datetime(2020, 1, 1, tzinfo=UTC),
            misfire_grace_time=None,
        )
        (event,) = heard.wait(EVENT_JOB_EXECUTED)
        print(
            event.retval,
            event.exception,
            event.traceback,
            event.scheduled_run_time,
            event.job_id,
            event.jobstore,
            event.alias,
            event.code,
        )


@program
def what_is_in_a_failure():
    heard = Heard()
    with running(BackgroundScheduler(timezone="UTC")) as scheduler:
        scheduler.add_listener(heard, EVENT_JOB_ERROR)
        scheduler.add_job(fails, id="a")
        (event,) = heard.wait(EVENT_JOB_ERROR)
        print(event.retval, repr(event.exception), type(event.traceback).__name__)
        print(
            "raise ValueError" in event.traceback,
            "in fails" in event.traceback,
            event.traceback.startswith("  File"),
        )


@program
def what_is_in_a_submission():
    heard = Heard()
    with running(BackgroundScheduler(timezone="UTC")) as scheduler:
        scheduler.add_listener(heard, EVENT_JOB_SUBMITTED)
        scheduler.add_job(
            nothing, id="a", next_run_time=datetime(2020, 1, 1, tzinfo=UTC), misfire_grace_time=None
        )
        (event,) = heard.wait(EVENT_JOB_SUBMITTED)
        print(event.scheduled_run_times, event.job_id, event.jobstore, event.alias)


@program
def what_is_in_a_miss():
    heard = Heard()
    with running(BackgroundScheduler(timezone="UTC")) as scheduler:
        scheduler.add_listener(heard, EVENT_JOB_MISSED)
        scheduler.add_job(
            nothing, id="a", next_run_time=datetime(2020, 1, 1, tzinfo=UTC), misfire_grace_time=1
        )
        (event,) = heard.wait(EVENT_JOB_MISSED)
        print(type(event).__name__, event.scheduled_run_time, event.retval, event.exception, event.traceback)


@program
def a_listener_that_raises_keeps_no_other_back():
    heard = Heard()

    def broken(event):
        raise ValueError

    with running(BackgroundScheduler(timezone="UTC")) as scheduler:
        scheduler.add_listener(broken)
        scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
        scheduler.add_job(nothing)
        print(len(heard.wait(EVENT_JOB_EXECUTED)))


@program
def a_listener_may_call_the_scheduler():
    heard = Heard()
    with running(BackgroundScheduler(timezone="UTC")) as scheduler:

        def again(event):
            if event.job_id == "a":
                scheduler.add_job(nothing, id="b")

        scheduler.add_listener(again, EVENT_JOB_EXECUTED)
        scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
        scheduler.add_job(nothing, id="a")
        print([event.job_id for event in heard.wait(EVENT_JOB_EXECUTED, 2)])


@program
def a_listener_that_was_removed_hears_nothing():
    one, other = Heard(), Heard()
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_listener(one)
    scheduler.add_listener(other)
    scheduler.remove_listener(one)
    scheduler.start()
    scheduler.shutdown()
    other.wait(EVENT_SCHEDULER_SHUTDOWN)
    print(one.names(), len(other.names()))


@program
def a_listener_added_twice_hears_twice():
    heard = Heard()
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_listener(heard, EVENT_SCHEDULER_STARTED)
    scheduler.add_listener(heard, EVENT_SCHEDULER_STARTED | EVENT_SCHEDULER_SHUTDOWN)
    scheduler.start()
    scheduler.shutdown()
    heard.wait(EVENT_SCHEDULER_SHUTDOWN)
    print(heard.names())


@program
def listeners_are_a_list_of_pairs():
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_listener(nothing, EVENT_JOB_ADDED)
    print([(callback is nothing, mask) for callback, mask in scheduler._listeners])


@program
def listeners_hear_before_the_call_returns():
    heard = Heard()
    with running(BackgroundScheduler(timezone="UTC"), paused=True) as scheduler:
        scheduler.add_listener(heard, EVENT_JOB_ADDED | EVENT_JOB_MODIFIED)
        scheduler.add_job(nothing, "date", run_date=LATER, id="a")
        heard.wait(EVENT_JOB_ADDED)  # without waiting it is there, or not yet, here
        print(heard.names())


@program
def an_event_of_ones_own_can_be_dispatched():
    heard = Heard()
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_listener(heard)
    scheduler.start()
    scheduler._dispatch_event(SchedulerEvent(EVENT_JOB_ADDED, "mine"))
    scheduler.shutdown()
    heard.wait(EVENT_SCHEDULER_SHUTDOWN)
    print([(code_of(event), event.alias) for event in heard.events])


@program
def stores_and_executors_of_the_constructor_are_told_to_nobody():
    heard = Heard()
    scheduler = BackgroundScheduler(
        timezone="UTC", jobstores={"default": MemoryJobStore()}, executors={"default": DebugExecutor()}
    )
    scheduler.add_listener(heard, EVENT_ALL)
    scheduler.start()
    scheduler.shutdown()
    heard.wait(EVENT_SCHEDULER_SHUTDOWN)
    print(heard.names())
