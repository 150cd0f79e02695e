"""Hands the same function to mainspring's thread pool in a loop: no scheduler, no store, nobody who is told."""

import json
import sys
from datetime import UTC, datetime
from itertools import count
from threading import Event
from time import perf_counter

from mainspring.definition import new_record
from mainspring.executors.pool import ThreadPoolExecutor
from mainspring.model import JobOptions, Submission
from mainspring.triggers.date import DateTrigger

jobs = int(sys.argv[1])
numbers = count(1)
all_ran = Event()


def job():
    if next(numbers) == jobs:
        all_ran.set()


class Nobody:
    def may_begin(self, _):
        return True

    def started(self, *_):
        return None

    def succeeded(self, *_):
        pass

    def failed(self, *report):
        raise AssertionError(report)

    def done(self, _):
        pass


now = datetime.now(UTC)
record = new_record("job", job, DateTrigger(now), None, None, None, JobOptions(), now)
nobody = Nobody()
executor = ThreadPoolExecutor(10)
executor.start(None, "default")
began = perf_counter()
for _ in range(jobs):
    executor.submit(Submission(record, "default", (now,)), nobody)
assert all_ran.wait(300)
print(json.dumps({"per_second": jobs / (perf_counter() - began)}))
executor.shutdown()
