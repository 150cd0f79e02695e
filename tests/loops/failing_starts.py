"""Starts many schedulers of one kind at once, on stores that can't be had: ``failing_starts.py KIND URLS``, the URLs of servers as JSON.

Says as JSON what became of each, and for how long the loop stood still.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import socket
import sys
import threading
import time

#: Seconds for which what may pass is tried; and for which what will not pass would be tried, if that were not noticed.
TRIED = 2
TOO_LONG = 60


def stores(urls, folder):
    """What a scheduler is to be started on: its store, and for how long it is tried."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry
    from sqlalchemy import make_url

    from mainspring import MongoDBJobStore, RedisJobStore, SQLAlchemyJobStore

    postgres, mariadb, redis = (make_url(urls[kind]) for kind in ("postgres", "mariadb", "redis"))

    def on_ports(state, port):
        for driver in ("psycopg", "psycopg2"):
            url = f"postgresql+{driver}://me:secret@127.0.0.1:{port}/jobs"
            yield f"{state} {driver}", TRIED, SQLAlchemyJobStore(url)
        yield (
            f"{state} pymysql",
            TRIED,
            SQLAlchemyJobStore(f"mysql+pymysql://me:secret@127.0.0.1:{port}/jobs"),
        )
        yield (
            f"{state} redis",
            TRIED,
            RedisJobStore(url=f"redis://:secret@127.0.0.1:{port}/0", retry=Retry(NoBackoff(), 0)),
        )
        yield f"{state} mongodb", TRIED, MongoDBJobStore(host=f"mongodb://me:secret@127.0.0.1:{port}/")

    for name, url in (
        ("directory sqlite", f"sqlite:///{folder}/nowhere/jobs.sqlite"),
        (
            "database psycopg",
            postgres.set(drivername="postgresql+psycopg", database="nowhere", password="secret"),
        ),
        (
            "database psycopg2",
            postgres.set(drivername="postgresql+psycopg2", database="nowhere", password="secret"),
        ),
        ("database pymysql", mariadb.set(database="nowhere")),
        ("role psycopg", postgres.set(drivername="postgresql+psycopg", username="nobody", password="secret")),
        ("password pymysql", mariadb.set(username="root", password="secret")),
    ):
        yield name, TOO_LONG, SQLAlchemyJobStore(url)
    yield "database redis", TOO_LONG, RedisJobStore(url=str(redis.set(database="100000")))
    yield "password redis", TOO_LONG, RedisJobStore(url=urls["redis"], username="nobody", password="secret")
    yield from on_ports("closed", unused_port())
    yield from on_ports("mute", mute_port())


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def mute_port():
    """The port of a server that takes connections, and never answers."""
    mute = socket.socket()
    mute.bind(("127.0.0.1", 0))
    mute.listen(200)  # the system takes them
    held.append(mute)
    return mute.getsockname()[1]


#: What must not be collected.
held = []


class Heartbeat:
    """Beats on the loop; how long it has stood still at most."""

    def __init__(self, kit):
        self._kit = kit
        self._beats = [time.monotonic()]
        self._is_over = False
        kit.post(self._beat)

    def _beat(self):
        self._beats.append(time.monotonic())
        if not self._is_over:
            self._kit.later(0.01, self._beat)

    def end(self):
        self._is_over = True
        return max(after - before for before, after in itertools.pairwise([*self._beats, time.monotonic()]))


def begin_awaited(kit, scheduler):
    """Await the start on the loop, as programs do; the future of the error that it raises."""
    from concurrent.futures import Future

    found = Future()

    async def start():
        try:
            await scheduler.astart()
        except Exception as error:
            found.set_result(error)
        else:
            found.set_result(None)

    def begin():
        if "twisted" in type(scheduler).__module__:
            scheduler.astart().addCallbacks(found.set_result, lambda failure: found.set_result(failure.value))
        else:
            held.append(asyncio.ensure_future(start()))

    kit.on_loop(begin)
    return found


def attack(kit, urls, folder):
    """Start all of them, and wait until each has failed."""
    begun, ended, raised, calls, schedulers, awaited = {}, {}, {}, {}, {}, {}
    for name, seconds, store in stores(urls, folder):
        schedulers[name] = kit.make(
            jobstores={"default": store},
            start_timeout=seconds,
            logger=logging.getLogger(name.replace(" ", ".")),
        )

    def begin(name):
        scheduler = schedulers[name]
        begun[name] = time.monotonic()
        scheduler.started.add_done_callback(lambda _: ended.setdefault(name, time.monotonic()))
        try:
            scheduler.start()
        except Exception as error:
            raised[name] = error
        calls[name] = time.monotonic() - begun[name]

    heartbeat = Heartbeat(kit) if kit.has_loop else None
    threads = []
    for name in schedulers:
        if kit.has_loop:
            kit.on_loop(lambda name=name: begin(name))
        else:
            threads.append(threading.Thread(target=begin, args=[name]))
            threads[-1].start()
    errors = {name: scheduler.started.exception(TOO_LONG) for name, scheduler in schedulers.items()}
    for thread in threads:
        thread.join()
    if kit.has_loop and hasattr(kit.scheduler_class, "astart"):
        (_, _, store) = next(one for one in stores(urls, folder) if one[0] == "directory sqlite")
        found = begin_awaited(kit, kit.make(jobstores={"default": store}))
        awaited["directory sqlite"] = str(found.result(TOO_LONG))
    return {
        "stood still": heartbeat.end() if heartbeat else 0,
        "awaited": awaited,
        "starts": {
            name: {
                "type": type(errors[name]).__name__,
                "text": str(errors[name]),
                "seconds": ended[name] - begun[name],
                "call": calls[name],
                "raised": raised.get(name) is errors[name],
                "health": scheduler.health().store_errors,
                "state": scheduler.health().state,
            }
            for name, scheduler in schedulers.items()
        },
    }


def main():
    kind, urls, folder = sys.argv[1:]
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    import kits

    # What is loaded at the first use is no part of what is measured.
    for module in ("psycopg", "psycopg2", "pymysql", "redis", "pymongo", "sqlalchemy.dialects.postgresql"):
        __import__(module)

    def scenario(kit):
        print(json.dumps(attack(kit, json.loads(urls), folder)), flush=True)

    with contextlib.suppress(SystemExit):
        status = kits.drive(kind, scenario)
        os._exit(status)


if __name__ == "__main__":
    main()
