"""The program is built on Twisted: coroutines and what makes a Deferred run on its reactor."""

from datetime import datetime

from twisted.internet import reactor

from mainspring import TwistedScheduler


async def tick():
    print(f"tick at {datetime.now():%H:%M:%S.%f}")


scheduler = TwistedScheduler()
scheduler.add_job(tick, "interval", seconds=0.5, max_fires=3)
scheduler.start()
reactor.addSystemEventTrigger("before", "shutdown", scheduler.shutdown)  # the reactor waits for it
reactor.callLater(1.8, reactor.stop)
reactor.run()
print("the end")
