"""Run by an APScheduler 3 in an environment of its own: ``apscheduler_at_work.py URL COUNT``. Works on the jobs that are stored at URL, after adding
COUNT that are due every second, if there are none; writes ``ran JOB_ID DUE_TIME`` for each run. Ends when its input ends.
"""

import os
import sys
from threading import Lock

import old_jobs
import pytz
from apscheduler.events import EVENT_JOB_EXECUTED, EVENT_JOB_MISSED
from apscheduler.schedulers.background import BackgroundScheduler

LOCK = Lock()


def say(*words):
    with LOCK:
        print(*words, flush=True)


def told(event):
    word = "ran" if event.code == EVENT_JOB_EXECUTED else "missed"
    say(word, event.job_id, event.scheduled_run_time.timestamp())


def store_at(url):
    if url.startswith("redis:"):
        from apscheduler.jobstores.redis import RedisJobStore

        host, _, number = url.removeprefix("redis://").partition("/")
        name, _, port = host.rpartition(":")
        return RedisJobStore(host=name, port=int(port), db=int(number))
    if url.startswith("mongodb:"):
        from apscheduler.jobstores.mongodb import MongoDBJobStore

        return MongoDBJobStore(host=url, database=os.environ["DATABASE"])
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore

    return SQLAlchemyJobStore(url=url)


def main():
    scheduler = BackgroundScheduler(
        timezone=pytz.utc,
        jobstores={"default": store_at(sys.argv[1])},
        job_defaults={"misfire_grace_time": None, "coalesce": False, "max_instances": 100},
    )
    scheduler.add_listener(told, EVENT_JOB_EXECUTED | EVENT_JOB_MISSED)
    scheduler.start(paused=True)
    if not scheduler.get_jobs():
        for number in range(int(sys.argv[2])):
            scheduler.add_job(old_jobs.note, "interval", seconds=1, id=f"job-{number}")
    if "takes-back" in sys.argv:  # as the page of the hand-over says
        for job in scheduler.get_jobs():
            job.modify(next_run_time=job.next_run_time)
    scheduler.resume()
    say("started", len(scheduler.get_jobs()))
    sys.stdin.read()
    scheduler.shutdown()
    say("stopped")


main()
