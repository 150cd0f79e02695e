"""A program for the tests to send signals to: ``signal_program.py SETTINGS``, which are JSON. It writes what happens, a line for each.

Its jobs write "begun NAME PID" and "ended NAME", and go on until there is a file of their name in the folder ``go``, or their `current_run` is
cancelled, if they are to look at that.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

from mainspring import current_run
from mainspring.errors import RunCancelledError
from mainspring.schedulers import signals

signals.RECORDED_WITHIN_SECONDS = 60  # on however busy a machine
SETTINGS = json.loads(sys.argv[1]) if len(sys.argv) > 1 and __name__ == "__main__" else {}


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())  # in one piece, from whichever process


def hold(go, name, obeys=False):
    say("begun", name, os.getpid())
    while not Path(go, name).exists():
        time.sleep(0.02)
        if obeys and current_run().cancelled.is_set():
            say("told", name)
            raise RunCancelledError("told to end")
    say("ended", name)


async def hold_async(go, name):
    import asyncio

    say("begun", name, os.getpid())
    while not Path(go, name).exists():  # noqa: ASYNC110, ASYNC240 - nobody else sees the file
        await asyncio.sleep(0.02)
    say("ended", name)


def tick():
    say("tick")


def deaf_listener(_event):
    say("listening")
    threading.Event().wait()


def main():
    import signal_program as jobs

    from stores import open_store

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    kind, go = SETTINGS["kind"], SETTINGS["go"]
    options = dict(SETTINGS["options"], timezone="UTC")
    if SETTINGS.get("url"):
        options["jobstores"] = {"default": open_store(SETTINGS["url"], "signals", lease=20)}
    if SETTINGS.get("processes"):
        options["executors"] = {"default": {"type": "processpool", "max_workers": 2}}
    elif SETTINGS.get("workers"):
        options["executors"] = {"default": {"type": "threadpool", "max_workers": SETTINGS["workers"]}}
    if SETTINGS.get("own_handler"):
        signal.signal(signal.SIGTERM, lambda *_: say("own handler"))
    if SETTINGS.get("deaf"):
        # The system has another thread take the signal.
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    if SETTINGS.get("ignored"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    code = 0
    try:
        code = globals()[f"run_{kind}"](jobs, go, options)
    except KeyboardInterrupt:
        say("KeyboardInterrupt")
        raise
    except SystemExit as error:
        say("SystemExit", error.code)
        raise
    sys.exit(code)


def add_jobs(scheduler, jobs, go):
    def adds():
        for name in SETTINGS["names"]:
            function = jobs.hold_async if SETTINGS.get("coroutines") else jobs.hold
            arguments = [go, name, *([True] if SETTINGS.get("obeys") else [])]
            scheduler.add_job(function, args=arguments, id=name, on_lost=SETTINGS.get("on_lost", "record"))
        if not SETTINGS.get("deaf"):
            scheduler.add_job(
                jobs.tick, "interval", seconds=0.1, id="tick", misfire_policy="skip", replace_existing=True
            )
        say("added")

    if SETTINGS.get("listener"):
        scheduler.add_listener(jobs.deaf_listener)
    adds()


def run_blocking(jobs, go, options):
    from mainspring import BlockingScheduler

    scheduler = BlockingScheduler(**options)
    add_jobs(scheduler, jobs, go)
    say("starting")
    scheduler.start(paused=SETTINGS.get("paused", False))


def run_background(jobs, go, options):
    from mainspring import BackgroundScheduler

    scheduler = BackgroundScheduler(**options)
    scheduler.start()
    add_jobs(scheduler, jobs, go)
    if SETTINGS.get("shuts_down"):
        while not set(SETTINGS["names"]) <= _begun(scheduler):
            time.sleep(0.01)
        say("shutting down")
        scheduler.shutdown()
        say("shut down")
    while True:
        time.sleep(0.05)


def _begun(scheduler):
    return {run.job_id for run in scheduler.get_runs(outcome="running")}


def run_asyncio(jobs, go, options):
    import asyncio

    from mainspring import AsyncIOScheduler

    async def serve():
        async with AsyncIOScheduler(**options) as scheduler:
            add_jobs(scheduler, jobs, go)
            try:
                await asyncio.Event().wait()
            finally:
                say("cleaned up")

    asyncio.run(serve())


def run_tornado(jobs, go, options):
    import asyncio

    from mainspring.schedulers.tornado import TornadoScheduler

    async def serve():
        scheduler = TornadoScheduler(**options)
        scheduler.start()
        add_jobs(scheduler, jobs, go)
        await asyncio.Event().wait()

    asyncio.run(serve())


def run_gevent(jobs, go, options):
    from mainspring.schedulers.gevent import GeventScheduler

    scheduler = GeventScheduler(**options)
    running = scheduler.start()
    add_jobs(scheduler, jobs, go)
    running.join()
    import gevent

    gevent.sleep(20)


def run_twisted(jobs, go, options):
    from twisted.internet import reactor

    from mainspring.schedulers.twisted import TwistedScheduler

    scheduler = TwistedScheduler(**options)
    scheduler.start()
    reactor.callWhenRunning(add_jobs, scheduler, jobs, go)  # until it runs, it handles no signals
    reactor.run()


def run_qt(jobs, go, options):
    from PySide6.QtCore import QCoreApplication

    from mainspring.schedulers.qt import QtScheduler

    application = QCoreApplication([])
    scheduler = QtScheduler(**options)
    scheduler.start()
    add_jobs(scheduler, jobs, go)
    return application.exec()


if __name__ == "__main__":
    main()
