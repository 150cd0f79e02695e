"""A scheduler whose store falls silent in the middle of its work: ``silent_stores.py KIND URLS``, the URLs of servers as JSON.

The connections stay, and nothing comes back on them. Says as JSON how long calls took, and for how long the loop stood still meanwhile.
"""

from __future__ import annotations

import sys

if "gevent-patched" in sys.argv:
    import gevent.monkey

    gevent.monkey.patch_all()

import asyncio
import contextlib
import json
import logging
import os
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from failing_starts import Heartbeat, held

from proxy import Proxy

#: Seconds after which a statement is given up here.
LIMIT = 3


def silenced(url):
    """A way to the server that can fall silent, and the URL by which it is taken."""
    from sqlalchemy import make_url

    parsed = make_url(url)
    proxy = Proxy(parsed.host, parsed.port)
    return proxy, parsed.set(host="127.0.0.1", port=proxy.port)


def store(kind, url):
    """A store there, whose statements are given up soon."""
    from mainspring import MongoDBJobStore, RedisJobStore, SQLAlchemyJobStore

    name = f"silent_{os.getpid()}"
    if kind == "redis":
        return RedisJobStore(url=str(url), socket_timeout=LIMIT, jobs_key=name)
    if kind == "mongodb":
        text = url.render_as_string(hide_password=False)
        return MongoDBJobStore("silent", name, host=text, socketTimeoutMS=LIMIT * 1000, directConnection=True)
    return SQLAlchemyJobStore(url.render_as_string(hide_password=False), tablename=name)


def begin_awaited(kit, call):
    """Have an awaitable twin called on the loop; the event of its end."""
    over = threading.Event()

    async def wait():
        try:
            await call()
        except Exception:  # what is asked here is for how long
            pass
        finally:
            over.set()

    def begin():
        if hasattr(kit, "reactor"):
            call().addBoth(lambda _: over.set())
        else:
            held.append(asyncio.ensure_future(wait()))

    kit.on_loop(begin)
    return over


def attack(kit, kind, url):
    from mainspring.events import EVENT_JOB_EXECUTED
    from mainspring.testing import EventRecorder

    proxy, way = silenced(url)
    heard = EventRecorder()
    scheduler = kit.make(jobstores={"default": store(kind, way)})
    scheduler.add_listener(heard)
    kit.on_loop(lambda: scheduler.start() and None)
    scheduler.started.result(30)
    scheduler.add_job(os.getpid, "interval", seconds=0.2, id="job")
    heard.wait_for(EVENT_JOB_EXECUTED, "job", count=2)
    proxy.is_silent = True
    found = {}

    def measured(name, do):
        heartbeat, began = Heartbeat(kit), time.monotonic()
        do()
        found[name] = {"seconds": time.monotonic() - began, "stood still": heartbeat.end()}

    measured("nothing", lambda: time.sleep(2))  # but what the scheduler does by itself
    measured("health", scheduler.health)
    if hasattr(kit.scheduler_class, "astart"):
        over = begin_awaited(kit, scheduler.aget_jobs)
        measured("twin", lambda: over.wait(60))

    def plain():
        over = threading.Event()

        def call():
            with contextlib.suppress(Exception):
                scheduler.get_job("job")
            over.set()

        kit.post(call)
        assert over.wait(60)

    measured("call on the loop", plain)

    def shut_down():
        ended = threading.Event()

        def begin():
            made = scheduler.shutdown()
            if hasattr(made, "addBoth"):
                made.addBoth(lambda _: ended.set())
            elif made is not None:
                made.add_done_callback(lambda _: ended.set())
            else:
                ended.set()

        kit.on_loop(begin)
        assert ended.wait(60)

    measured("shutdown", shut_down)
    return found


def main():
    kind, urls = sys.argv[1], json.loads(sys.argv[2])
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    import kits

    def scenario(kit):
        print(json.dumps({name: attack(kit, name, url) for name, url in urls.items()}), flush=True)

    with contextlib.suppress(SystemExit):
        os._exit(kits.drive(kind, scenario))


if __name__ == "__main__":
    main()
