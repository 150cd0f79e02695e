"""Claiming a hundred due jobs of very many. Arguments: how many are stored, the database's URL."""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from statistics import median

from mainspring.engine.decision import decide
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.model import JobOptions, JobRecord, Submission
from mainspring.triggers.interval import IntervalTrigger

STORED, URL = int(sys.argv[1]), sys.argv[2]
ROUNDS = 20
START = datetime(2020, 1, 1, tzinfo=UTC)


def record(number, due):
    trigger = IntervalTrigger(days=1000, start_date=START, timezone=UTC)
    return JobRecord(str(number), "job", print, "builtins:print", (), {}, trigger, JobOptions(), due)


def main():
    store = SQLAlchemyJobStore(url=URL, tablename=f"many{os.getpid()}_jobs")
    store.start(None, "default")
    far = START + timedelta(days=3650)
    for begin in range(0, STORED, 10_000):
        numbers = range(begin, min(begin + 10_000, STORED))
        store.add_records([record(number, far + timedelta(seconds=number)) for number in numbers], None)
    took = []
    for turn in range(ROUNDS):
        now = START + timedelta(days=1, seconds=turn)
        store.add_records([record(f"{turn}-{number}", now) for number in range(100)], None)
        begin = time.perf_counter()
        batch = store.claim(
            now, lambda job, running, *_, now=now: decide(job, now, running), 100, {"default"}
        )
        took.append(time.perf_counter() - begin)
        assert len(batch.decisions) == 100
        store.finish([Submission(one.job, "default", one.submit, 1, one.lease) for one in batch.decisions])
    print(json.dumps({"milliseconds": median(took) * 1000}))
    store.shutdown()


main()
