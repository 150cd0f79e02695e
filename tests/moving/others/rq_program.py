"""Run where rq-scheduler is: schedules jobs of every kind in a real Redis; then tells the times of cron strings, as JSON."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import crontab
import rq_work
from redis import Redis
from rq import Queue
from rq_scheduler import Scheduler

redis = Redis.from_url(sys.argv[1])
scheduler = Scheduler(queue_name="low", connection=redis)
START = datetime(2999, 3, 1, 12)
scheduler.schedule(
    START,
    rq_work.work,
    args=[{"a": [2]}],
    kwargs={"y": START},
    interval=90,
    repeat=5,
    timeout=30,
    id="interval",
)
scheduler.schedule(START, rq_work.work, args=[1], interval=3600, id="forever", queue_name="default")
scheduler.enqueue_at(START, rq_work.work, 7, job_id="once")
scheduler.enqueue_at(START - timedelta(days=365 * 1000), rq_work.work, 7, job_id="overdue")
scheduler.enqueue_at(START, rq_work.Thing.of_class, 1, job_id="of-class")
scheduler.enqueue_at(START, rq_work.Thing(5).work, 2, job_id="of-instance")
scheduler.enqueue_at(START, print, "x", job_id="builtin")
scheduler.cron("30 9 * * mon-fri", rq_work.work, args=[1], id="cron")
scheduler.cron("0 0 13 * 5", rq_work.work, args=[1], id="and", repeat=2)
scheduler.enqueue_at(START, rq_work.work, rq_work.Hostile(), job_id="hostile")
job = scheduler.enqueue_at(START, rq_work.work, 8, job_id="retried")
job.retries_left, job.retry_intervals = 3, [10, 60]
job.save()
scheduler.enqueue_at(START, rq_work.work, 9, job_id="gone")
redis.delete("rq:job:gone")
Queue("native", connection=redis).enqueue_at(datetime(2999, 1, 1, tzinfo=ZoneInfo("UTC")), rq_work.work, 1)

times = {}
for text in sys.argv[2:]:
    found, moment = [], datetime(2026, 3, 1, 10, 17, 30)
    for _ in range(50):
        moment = crontab.CronTab(text).next(now=moment, return_datetime=True)
        if moment is None:
            break
        found.append(moment.isoformat())
    times[text] = found
print(json.dumps(times))
