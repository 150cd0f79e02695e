"""The program is built on gevent: each job runs in a greenlet of its own."""

from gevent import monkey

monkey.patch_all()  # not needed by the scheduler

from datetime import datetime

import gevent

from mainspring import GeventScheduler


def tick():
    gevent.sleep(0.01)  # other greenlets run meanwhile
    print(f"tick at {datetime.now():%H:%M:%S.%f}")


scheduler = GeventScheduler()
scheduler.add_job(tick, "interval", seconds=0.5, max_fires=3)
greenlet = scheduler.start()
gevent.spawn_later(1.8, scheduler.shutdown)
greenlet.join()
print("the end")
