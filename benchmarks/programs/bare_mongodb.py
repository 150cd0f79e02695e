"""The same documents written by hand, without scheduler, functions or threads: claim, record, remove. Arguments as `stored_jobs`."""

import json
import os
import sys
import time
from datetime import UTC, datetime

from pymongo import ASCENDING, DeleteMany, MongoClient, UpdateMany

COUNT, URL = int(sys.argv[1]), sys.argv[2]
BATCH, CHUNK = 1000, 25


def main():
    database = MongoClient(URL)["bench"]
    jobs, runs = database[f"bare{os.getpid()}_jobs"], database[f"bare{os.getpid()}_runs"]
    jobs.create_index([("next_run_time", ASCENDING)], sparse=True)
    runs.create_index([("job_id", ASCENDING), ("scheduled", ASCENDING)])
    now = datetime.now(UTC).isoformat()
    jobs.insert_many(
        [{"_id": str(n), "next_run_time": now, "data": "x" * 300} for n in range(COUNT)], ordered=False
    )
    begin = time.perf_counter()
    while found := list(jobs.find({"next_run_time": {"$lte": now}}).sort("next_run_time", 1).limit(BATCH)):
        parts = [[job["_id"] for job in found[at : at + CHUNK]] for at in range(0, len(found), CHUNK)]
        claim = {"$set": {"active": [{"scheduled": now, "token": 1}]}, "$unset": {"next_run_time": ""}}
        due = {"next_run_time": {"$lte": now}}
        jobs.bulk_write([UpdateMany({"_id": {"$in": part}, **due}, claim) for part in parts], ordered=False)
        runs.insert_many(
            [
                {
                    "_id": f"{job['_id']}/{now}",
                    "job_id": job["_id"],
                    "scheduled": now,
                    "outcome": "succeeded",
                    "finished": now,
                }
                for job in found
            ],
            ordered=False,
        )
        jobs.bulk_write([DeleteMany({"_id": {"$in": part}}) for part in parts], ordered=False)
    print(json.dumps({"per_second": COUNT / (time.perf_counter() - begin)}))


main()
