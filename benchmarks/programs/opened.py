"""The job store at a URL, of whichever library; both make their stores alike."""

import os
from urllib.parse import urlsplit


def store_at(url, **options):
    """A store of this process's own, in a database or on a server."""
    name = f"bench{os.getpid()}"
    place = urlsplit(url)
    if place.scheme == "redis":
        from apscheduler.jobstores.redis import RedisJobStore

        keys = {"jobs_key": f"{name}.jobs", "run_times_key": f"{name}.run_times"}
        return RedisJobStore(host=place.hostname, port=place.port, **keys, **options)
    if place.scheme == "mongodb":
        from apscheduler.jobstores.mongodb import MongoDBJobStore

        return MongoDBJobStore(database="bench", collection=f"{name}_jobs", host=url, **options)
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore

    return SQLAlchemyJobStore(url=url, tablename=f"{name}_jobs", **options)
