"""A queue, PgQueuer, empties so many jobs from PostgreSQL, in batches of 100, on one loop. Arguments: how many, the database's URL."""

import asyncio
import json
import os
import sys
import time
from datetime import timedelta

import asyncpg
from pgqueuer.core.qm import QueueManager
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

COUNT, URL = int(sys.argv[1]), sys.argv[2].replace("postgresql+psycopg://", "postgresql://")


async def main():
    os.environ["PGQUEUER_PREFIX"] = f"bench{os.getpid()}_"
    connection = await asyncpg.connect(URL)
    driver = AsyncpgDriver(connection)
    queries = Queries(driver)
    await queries.install()
    await queries.enqueue(["job"] * COUNT, [b"{}"] * COUNT, [0] * COUNT)
    manager = QueueManager(queries)
    done = 0

    @manager.entrypoint("job")
    async def job(_):
        nonlocal done
        done += 1

    begin = time.perf_counter()
    await manager.run(dequeue_timeout=timedelta(seconds=1), batch_size=100, mode=QueueExecutionMode.drain)
    assert done == COUNT
    print(json.dumps({"per_second": COUNT / (time.perf_counter() - begin)}))
    await queries.uninstall()
    await connection.close()


asyncio.run(main())
