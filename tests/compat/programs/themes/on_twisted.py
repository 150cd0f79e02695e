"""The scheduler of Twisted, and its executor; the reactor runs once in a process, so all of it is one run."""

# needs: twisted
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_SCHEDULER_SHUTDOWN
from apscheduler.executors.twisted import TwistedExecutor
from apscheduler.schedulers.twisted import TwistedScheduler
from kit import LATER, PATIENCE, Heard, listing, nothing, program, tried
from twisted.internet import reactor, task


@program
def one_run_of_the_reactor():
    heard = Heard()
    scheduler = TwistedScheduler(timezone="UTC", executors={"default": TwistedExecutor()})
    scheduler.add_listener(heard)

    def enough():
        if heard.of(EVENT_SCHEDULER_SHUTDOWN):
            looking.stop()
            reactor.stop()
        elif scheduler.running and heard.of(EVENT_JOB_EXECUTED) and heard.of(EVENT_JOB_ERROR):
            scheduler.shutdown()

    def begin():
        scheduler.start()
        print(tried(scheduler.start), scheduler.state)
        scheduler.add_job(nothing, "date", run_date=LATER, id="z")
        print(listing(scheduler))
        scheduler.add_job(divmod, args=[7, 2], id="a")
        scheduler.add_job(divmod, args=[7, 0], id="b")

    looking = task.LoopingCall(enough)
    looking.start(0.005)
    reactor.callWhenRunning(begin)
    reactor.callLater(PATIENCE, reactor.stop)
    reactor.run(installSignalHandlers=False)
    print(
        heard.of(EVENT_JOB_EXECUTED)[0].retval,
        repr(heard.of(EVENT_JOB_ERROR)[0].exception),
        scheduler.running,
    )


@program
def shutdown_before_the_start():
    print(tried(TwistedScheduler(timezone="UTC").shutdown))
