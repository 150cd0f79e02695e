"""The same rows written by hand, without scheduler, functions or threads: claim, record, finish. Arguments as `stored_jobs`."""

import json
import os
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import create_engine

COUNT, URL = int(sys.argv[1]), sys.argv[2]
BATCH = 1000


def main():
    engine = create_engine(URL)
    driver = engine.raw_connection()
    cursor = driver.cursor()
    mark = "?" if engine.name == "sqlite" else "%s"
    if engine.name == "sqlite":
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
    jobs, runs = f"bare{os.getpid()}_jobs", f"bare{os.getpid()}_runs"
    cursor.execute(f"CREATE TABLE {jobs} (id VARCHAR(191) PRIMARY KEY, next_run_time VARCHAR(40), data TEXT)")
    cursor.execute(f"CREATE INDEX {jobs}_next ON {jobs} (next_run_time)")
    cursor.execute(
        f"CREATE TABLE {runs} (job_id VARCHAR(191), scheduled VARCHAR(40), outcome VARCHAR(20), finished VARCHAR(40), "
        "PRIMARY KEY (job_id, scheduled))"
    )
    now = datetime.now(UTC).isoformat()
    cursor.executemany(
        f"INSERT INTO {jobs} VALUES ({mark}, {mark}, {mark})",
        [(str(n), now, "x" * 300) for n in range(COUNT)],
    )
    driver.commit()
    begin = time.perf_counter()
    before = []
    while True:
        lock = "" if engine.name == "sqlite" else " FOR UPDATE SKIP LOCKED"
        cursor.execute(
            f"SELECT id, next_run_time, data FROM {jobs} WHERE next_run_time <= {mark} LIMIT {BATCH}{lock}",
            (now,),
        )
        rows = cursor.fetchall()
        if before:
            finish(cursor, engine.name, runs, before, now)
        if rows:
            claim(cursor, engine.name, jobs, runs, rows)
        driver.commit()
        if not rows and not before:
            break
        before = rows
    print(json.dumps({"per_second": COUNT / (time.perf_counter() - begin)}))
    driver.close()


def claim(cursor, name, jobs, runs, rows):
    if name == "sqlite":
        cursor.executemany(f"DELETE FROM {jobs} WHERE id = ?", [(row[0],) for row in rows])
        cursor.executemany(f"INSERT INTO {runs} (job_id, scheduled) VALUES (?, ?)", [row[:2] for row in rows])
    else:
        ids = [row[0] for row in rows]
        cursor.execute(f"DELETE FROM {jobs} WHERE id = ANY(%s)", (ids,))
        cursor.execute(
            f"INSERT INTO {runs} (job_id, scheduled) SELECT * FROM unnest(%s::text[], %s::text[])",
            (ids, [row[1] for row in rows]),
        )


def finish(cursor, name, runs, rows, now):
    if name == "sqlite":
        cursor.executemany(
            f"UPDATE {runs} SET outcome = 'succeeded', finished = ? WHERE job_id = ? AND scheduled = ?",
            [(now, row[0], row[1]) for row in rows],
        )
    else:
        cursor.execute(
            f"UPDATE {runs} AS run SET outcome = 'succeeded', finished = %s FROM unnest(%s::text[], %s::text[]) "
            "AS new (job_id, scheduled) WHERE run.job_id = new.job_id AND run.scheduled = new.scheduled",
            (now, [row[0] for row in rows], [row[1] for row in rows]),
        )


main()
