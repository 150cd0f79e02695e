"""What runs, how often, with what, and what becomes of what doesn't: misfires, coalescing, limits, pauses; executors; starting again."""

import threading
from datetime import UTC, datetime, timedelta, timezone

from apscheduler.events import (
    EVENT_ALL,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_REMOVED,
    EVENT_JOB_SUBMITTED,
    EVENT_SCHEDULER_SHUTDOWN,
)
from apscheduler.executors.base import MaxInstancesReachedError, run_job
from apscheduler.executors.debug import DebugExecutor
from apscheduler.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.interval import IntervalTrigger
from kit import LATER, PATIENCE, Heard, ago, ahead, each, listing, nothing, program, running, steady, tried

RAN = []


def note(*args, **kwargs):
    RAN.append((args, kwargs))
    return len(RAN)


def fails():
    raise ValueError("broken")


def name_of_thread():
    return threading.current_thread().name


def exits():
    raise SystemExit(3)


async def coroutine():
    return "awaited"


def with_heard(**options):
    heard = Heard()
    scheduler = BackgroundScheduler(timezone="UTC", **options)
    scheduler.add_listener(heard)
    return scheduler, heard


@program
def at_once():
    RAN.clear()
    scheduler, heard = with_heard()
    with running(scheduler):
        job = scheduler.add_job(note, args=[1], kwargs={"key": 2}, id="a")
        print(heard.wait(EVENT_JOB_EXECUTED)[0].retval, RAN, scheduler.get_job("a"), job.id)
        heard.wait(EVENT_JOB_REMOVED)


@program
def added_before_the_start():
    scheduler, heard = with_heard()
    scheduler.add_job(note, "date", run_date=ahead(seconds=-0.1), id="a")
    with running(scheduler):
        print(heard.wait(EVENT_JOB_EXECUTED)[0].job_id)


@program
def at_a_time():
    scheduler, heard = with_heard()
    with running(scheduler):
        moment = ahead(milliseconds=50)
        scheduler.add_job(note, "date", run_date=moment, id="a")
        print(heard.wait(EVENT_JOB_EXECUTED)[0].scheduled_run_time == moment)


@program
def again_and_again():
    scheduler, heard = with_heard()
    with running(scheduler):
        scheduler.add_job(note, "interval", seconds=0.02, id="a")
        first, second, third = (event.scheduled_run_time for event in heard.wait(EVENT_JOB_EXECUTED, 3)[:3])
        print(
            first < second < third, {(later - first) % timedelta(seconds=0.02) for later in (second, third)}
        )


@program
def until_its_end():
    scheduler, heard = with_heard()
    with running(scheduler):
        begin = ahead(milliseconds=30)
        scheduler.add_job(
            note,
            "interval",
            seconds=0.02,
            id="a",
            start_date=begin,
            end_date=begin + timedelta(milliseconds=50),
            coalesce=False,
            misfire_grace_time=None,
            max_instances=5,
        )
        heard.wait(EVENT_JOB_REMOVED)
        print(len(heard.wait(EVENT_JOB_EXECUTED, 3)), scheduler.get_jobs())


MISSED = {
    "one run, no grace": "dict(trigger='date', run_date=ago(hours=1), misfire_grace_time=None)",
    "one run, much grace": "dict(trigger='date', run_date=ago(hours=1), misfire_grace_time=7200)",
    "one run, little grace": "dict(trigger='date', run_date=ago(hours=1), misfire_grace_time=1)",
    "one run, the default": "dict(trigger='date', run_date=ago(hours=1))",
    "many, coalesced": "dict(trigger=hourly(), next_run_time=FIRST, coalesce=True, misfire_grace_time=None)",
    "many, each": "dict(trigger=hourly(), next_run_time=FIRST, coalesce=False, misfire_grace_time=None)",
    "many, coalesced, the default": "dict(trigger=hourly(), next_run_time=FIRST, coalesce=True)",
    "many, each, the default": "dict(trigger=hourly(), next_run_time=FIRST, coalesce=False)",
    "many, each, some in time": "dict(trigger=hourly(), next_run_time=FIRST, coalesce=False, misfire_grace_time=8000)",
    "many, coalesced, little grace": "dict(trigger=hourly(), next_run_time=FIRST, coalesce=True, misfire_grace_time=1)",
    "until an end": "dict(trigger=hourly(end_date=ago(hours=1.5)), next_run_time=FIRST, coalesce=False, misfire_grace_time=None)",
}
FIRST = ago(hours=5, minutes=45)


def hourly(**options):
    return IntervalTrigger(hours=1, start_date=FIRST, **options)


@each(MISSED)
def missed(row):
    scheduler, heard = with_heard(executors={"default": {"type": "debug"}})
    done = Heard()
    scheduler.add_listener(done, EVENT_JOB_EXECUTED)
    with running(scheduler):
        scheduler.add_job(note, id="a", **eval(row))
        scheduler.add_job(note, id="z", misfire_grace_time=None)  # begun after the one before it
        done.wait(EVENT_JOB_EXECUTED)
        while not any(event.job_id == "z" for event in done.events):
            done.wait(EVENT_JOB_EXECUTED, len(done.events) + 1)
    counted = {
        name: sum(1 for event in heard.of(code) if event.job_id == "a")
        for name, code in (
            ("executed", EVENT_JOB_EXECUTED),
            ("missed", EVENT_JOB_MISSED),
            ("submitted", EVENT_JOB_SUBMITTED),
        )
    }
    print(counted)
    print([len(event.scheduled_run_times) for event in heard.of(EVENT_JOB_SUBMITTED) if event.job_id == "a"])


@program
def at_the_limit_of_instances():
    scheduler, heard = with_heard()
    gate = threading.Event()
    with running(scheduler):
        scheduler.add_job(gate.wait, "interval", (PATIENCE,), seconds=0.02, id="a", misfire_grace_time=None)
        skipped = heard.wait(EVENT_JOB_MAX_INSTANCES)[0]
        print(type(skipped).__name__, skipped.job_id, len(skipped.scheduled_run_times))
        scheduler.remove_job("a")
        gate.set()
        print(len(heard.wait(EVENT_JOB_EXECUTED)))


@program
def several_instances():
    scheduler, heard = with_heard()
    gate = threading.Barrier(3)
    with running(scheduler):
        scheduler.add_job(
            gate.wait, "interval", (PATIENCE,), seconds=0.02, id="a", max_instances=3, misfire_grace_time=None
        )
        heard.wait(EVENT_JOB_EXECUTED, 3)
        scheduler.remove_job("a")
        gate.abort()
        print("three at once")


@program
def a_failed_job_goes_on():
    scheduler, heard = with_heard()
    with running(scheduler):
        scheduler.add_job(fails, "interval", seconds=0.02, id="a")
        print([repr(event.exception) for event in heard.wait(EVENT_JOB_ERROR, 2)[:2]])


@program
def a_job_that_exits():
    scheduler, heard = with_heard()
    with running(scheduler):
        scheduler.add_job(exits, id="a")
        print(repr(heard.wait(EVENT_JOB_ERROR | EVENT_JOB_EXECUTED)[0].exception))


@program
def a_paused_scheduler_runs_nothing_until_it_is_resumed():
    RAN.clear()
    scheduler, heard = with_heard()
    with running(scheduler, paused=True):
        scheduler.add_job(note, id="a", misfire_grace_time=None)
        print(RAN, len(scheduler.get_jobs()))
        scheduler.resume()
        print(len(heard.wait(EVENT_JOB_EXECUTED)))


@program
def a_paused_job_runs_when_it_is_resumed():
    RAN.clear()
    scheduler, heard = with_heard()
    with running(scheduler):
        job = scheduler.add_job(note, "interval", seconds=0.01, next_run_time=None, id="a")
        print(job.next_run_time, listing(scheduler), RAN)
        job.resume()
        print(len(heard.wait(EVENT_JOB_EXECUTED)) > 0)  # a busy machine lets several be heard at once


@program
def run_at_once_by_its_next_run_time():
    scheduler, heard = with_heard()
    with running(scheduler):
        job = scheduler.add_job(note, "interval", hours=1, start_date=LATER, id="a")
        job.modify(next_run_time=datetime.now(UTC))
        heard.wait(EVENT_JOB_EXECUTED)
        heard.wait(EVENT_JOB_SUBMITTED)
    print(heard.names(EVENT_JOB_EXECUTED))


@program
def rescheduled_to_now():
    scheduler, heard = with_heard()
    with running(scheduler):
        scheduler.add_job(note, "date", run_date=LATER, id="a")
        scheduler.reschedule_job("a", trigger="date")
        print(heard.wait(EVENT_JOB_EXECUTED)[0].job_id)
        heard.wait(EVENT_JOB_REMOVED)
        print(scheduler.get_jobs())


@program
def removed_by_itself():
    scheduler, heard = with_heard()
    with running(scheduler):
        scheduler.add_job(lambda: scheduler.remove_job("a"), "interval", seconds=0.02, id="a")
        heard.wait(EVENT_JOB_REMOVED)
        print(heard.wait(EVENT_JOB_EXECUTED)[0].exception, scheduler.get_jobs())


@program
def added_by_a_job():
    scheduler, heard = with_heard()
    with running(scheduler):
        scheduler.add_job(lambda: scheduler.add_job(note, id="b").id, id="a")
        print([event.job_id for event in heard.wait(EVENT_JOB_EXECUTED, 2)] in (["a", "b"], ["b", "a"]))


@program
def an_executor_that_is_not_there():
    scheduler, heard = with_heard()
    with running(scheduler):
        scheduler.add_job(
            note, "date", run_date=ago(seconds=0), id="a", executor="nope", misfire_grace_time=None
        )
        scheduler.add_job(note, id="z", misfire_grace_time=None)
        heard.wait(EVENT_JOB_EXECUTED)
        print(
            scheduler.get_job("a") is None,
            "JOB_REMOVED" in [name for name in heard.names() if name == "JOB_REMOVED"][:1],
        )


EXECUTORS = {
    "threadpool": "ThreadPoolExecutor(2)",
    "debug": "DebugExecutor()",
    "processpool": "ProcessPoolExecutor(1)",
}


@each(EXECUTORS)
def executor(row):
    scheduler, heard = with_heard(executors={"default": eval(row)})
    with running(scheduler):
        scheduler.add_job(divmod, args=[7, 2], id="a", misfire_grace_time=None)
        scheduler.add_job("runs:fails", id="b", misfire_grace_time=None)
        print(heard.wait(EVENT_JOB_EXECUTED)[0].retval)
        (event,) = heard.wait(EVENT_JOB_ERROR)
        print(repr(event.exception), type(event.traceback).__name__, "fails" in event.traceback)


@program
def names_of_threads():
    scheduler, heard = with_heard()
    with running(scheduler):
        scheduler.add_job(name_of_thread, id="a")
        print(heard.wait(EVENT_JOB_EXECUTED)[0].retval.split("_")[0].split("-")[0])
        print(sorted(thread.name for thread in threading.enumerate() if thread.name == "APScheduler"))


@program
def names_of_threads_of_ones_own():
    scheduler, heard = with_heard(
        executors={"default": ThreadPoolExecutor(1, {"thread_name_prefix": "mine"})}
    )
    with running(scheduler):
        scheduler.add_job(name_of_thread, id="a")
        print(heard.wait(EVENT_JOB_EXECUTED)[0].retval)


@program
def a_coroutine_function_on_threads():
    scheduler, heard = with_heard()
    with running(scheduler):
        scheduler.add_job(coroutine, id="a")
        print(type(heard.wait(EVENT_JOB_EXECUTED)[0].retval).__name__)


@program
def shutdown_waits_for_what_runs():
    scheduler, _heard = with_heard()
    begun, gate = threading.Event(), threading.Event()

    def work():
        begun.set()
        gate.wait(PATIENCE)
        RAN.append("ended")

    scheduler.start()
    RAN.clear()
    scheduler.add_job(work, id="a")
    begun.wait(PATIENCE)
    threading.Timer(0.05, gate.set).start()
    scheduler.shutdown()
    print(RAN)


@program
def shutdown_does_not_wait_if_it_is_told_so():
    scheduler, _heard = with_heard()
    begun, gate = threading.Event(), threading.Event()

    def work():
        begun.set()
        gate.wait(PATIENCE)
        RAN.append("ended")

    scheduler.start()
    RAN.clear()
    scheduler.add_job(work, id="a")
    begun.wait(PATIENCE)
    scheduler.shutdown(wait=False)
    print(RAN, scheduler.running)
    gate.set()


@program
def shutdown_from_a_job_of_a_blocking_scheduler():
    scheduler = BlockingScheduler(timezone="UTC")
    scheduler.add_job(lambda: scheduler.shutdown(wait=False), id="a")
    scheduler.start()
    print("start has returned", scheduler.running)


@program
def a_blocking_scheduler_blocks_until_another_thread_ends_it():
    scheduler = BlockingScheduler(timezone="UTC")
    heard = Heard()
    scheduler.add_listener(heard)
    scheduler.add_job(note, id="a")
    thread = threading.Thread(target=scheduler.start)
    thread.start()
    heard.wait(EVENT_JOB_EXECUTED)
    print(thread.is_alive())
    scheduler.shutdown()
    thread.join(PATIENCE)
    print(thread.is_alive())


@program
def instances_are_counted():
    scheduler, heard = with_heard()
    begun, gate = threading.Event(), threading.Event()

    def work():
        begun.set()
        gate.wait(PATIENCE)

    with running(scheduler):
        scheduler.add_job(work, id="a")
        begun.wait(PATIENCE)
        heard.wait(EVENT_JOB_SUBMITTED)
        print(scheduler._executors["default"]._instances["a"])
        gate.set()


@program
def run_job_by_hand():
    scheduler = BackgroundScheduler(timezone="UTC")
    with running(scheduler, paused=True):
        job = scheduler.add_job(divmod, "date", run_date=LATER, args=[7, 2], id="a")
        (event,) = run_job(job, "default", [datetime.now(UTC)], "nowhere")
        print(type(event).__name__, event.code, event.retval, event.job_id, event.jobstore)
        job = scheduler.add_job(fails, "date", run_date=LATER, id="b", misfire_grace_time=1)
        (event,) = run_job(job, "default", [datetime.now(UTC)], "nowhere")
        print(event.code, repr(event.exception))
        (event,) = run_job(job, "default", [datetime(2020, 1, 1, tzinfo=UTC)], "nowhere")
        print(event.code)


@program
def submitted_by_hand():
    scheduler, heard = with_heard()
    with running(scheduler, paused=True):
        job = scheduler.add_job(divmod, "date", run_date=LATER, args=[7, 2], id="a")
        scheduler._executors["default"].submit_job(job, [datetime.now(UTC)])
        print(heard.wait(EVENT_JOB_EXECUTED)[0].retval)


@program
def text_of_the_limit():
    with running(BackgroundScheduler(timezone="UTC"), paused=True) as scheduler:
        job = scheduler.add_job(nothing, "date", run_date=LATER, id="a", max_instances=2)
        print(str(MaxInstancesReachedError(job)))


def restarted(first, second):
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(nothing, "cron", year=2055, id="a")
    first(scheduler)
    with running(scheduler, paused=True):
        print(listing(scheduler))
    print(listing(scheduler))
    second(scheduler)
    with running(scheduler, paused=True):
        print(listing(scheduler))


@program
def started_again():
    restarted(nothing, nothing)


@program
def started_again_with_the_same_job_added():
    restarted(nothing, lambda scheduler: scheduler.add_job(nothing, "cron", year=2055, id="a"))


@program
def started_again_with_the_same_job_replaced():
    restarted(
        nothing,
        lambda scheduler: scheduler.add_job(nothing, "cron", year=2056, id="a", replace_existing=True),
    )


@program
def started_again_with_a_store_of_its_own():
    restarted(
        lambda scheduler: scheduler.add_jobstore("memory", "other"),
        lambda scheduler: scheduler.add_job(nothing, "cron", year=2056, id="b", jobstore="other"),
    )


@program
def started_again_and_configured():
    restarted(nothing, lambda scheduler: scheduler.configure(timezone="Asia/Tokyo"))


@program
def started_again_and_running():
    scheduler, heard = with_heard()
    for turn in (1, 2, 3):
        with running(scheduler):
            scheduler.add_job(note, id=f"job {turn}")
            heard.wait(EVENT_JOB_REMOVED, turn)
    heard.wait(EVENT_SCHEDULER_SHUTDOWN, 3)
    print([event.job_id for event in heard.of(EVENT_JOB_EXECUTED)])


@program
def started_again_with_an_executor_of_its_own():
    scheduler, heard = with_heard(executors={"default": ThreadPoolExecutor(2)})
    with running(scheduler):
        scheduler.add_job(note, id="a")
        heard.wait(EVENT_JOB_EXECUTED)
    with running(scheduler):
        answer = tried(
            lambda: (
                scheduler.add_job(note, "date", run_date=ago(seconds=0), id="b", misfire_grace_time=None).id
            )
        )
        print(answer)
        scheduler.add_executor(DebugExecutor(), "debug")
        scheduler.add_job(note, id="z", executor="debug")
        heard.wait(EVENT_JOB_EXECUTED, 2)
    print(sorted(event.job_id for event in heard.of(EVENT_JOB_EXECUTED)))


@program
def events_of_three_starts():
    scheduler, heard = with_heard()
    for _ in range(3):
        scheduler.start()
        scheduler.shutdown()
    heard.wait(EVENT_SCHEDULER_SHUTDOWN, 3)
    print(heard.names())


@program
def two_schedulers_take_turns_with_a_store():
    store = MemoryJobStore()
    for turn in (1, 2):
        scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": store})
        with running(scheduler, paused=True):
            print(tried(lambda turn=turn: scheduler.add_job(nothing, "cron", year=2055, id=f"job {turn}").id))
            print(listing(scheduler))


@program
def an_event_for_everything_that_one_run_does():
    scheduler, heard = with_heard(executors={"default": {"type": "debug"}})
    with running(scheduler):
        scheduler.add_job(note, id="a")
        heard.wait(EVENT_JOB_EXECUTED)
        heard.wait(EVENT_JOB_SUBMITTED)
        heard.wait(EVENT_JOB_REMOVED)
    print(sorted(heard.names(EVENT_ALL)), steady(""))
