"""The scheduler of gevent, and its executor."""

# needs: gevent
import gevent
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.executors.gevent import GeventExecutor
from apscheduler.schedulers.gevent import GeventScheduler
from kit import LATER, PATIENCE, Heard, each, listing, nothing, program, tried


def until(heard, code, times=1):
    with gevent.Timeout(PATIENCE):
        while len(heard.of(code)) < times:
            gevent.sleep(0.002)
    return heard.of(code)


def begun(**options):
    heard = Heard()
    scheduler = GeventScheduler(timezone="UTC", **options)
    scheduler.add_listener(heard)
    return scheduler, heard, scheduler.start()


@each({"function": "divmod, args=[7, 2]", "failing function": "divmod, args=[7, 0]"})
def job(row):
    scheduler, heard, _ = begun(executors={"default": GeventExecutor()})
    eval(f"scheduler.add_job({row}, id='a')", {**globals(), "scheduler": scheduler})
    (event,) = until(heard, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    print(event.retval, repr(event.exception))
    scheduler.shutdown()


@program
def start_returns_a_greenlet():
    scheduler, _, greenlet = begun()
    print(type(greenlet).__name__, scheduler.state, tried(scheduler.start))
    scheduler.add_job(nothing, "date", run_date=LATER, id="a")
    print(listing(scheduler))
    scheduler.shutdown()
    greenlet.join(PATIENCE)
    print(greenlet.ready(), scheduler.running)


@program
def shutdown_before_the_start():
    print(tried(GeventScheduler(timezone="UTC").shutdown))
