"""Where an APScheduler keeps its jobs, and releases of it that do so."""

from __future__ import annotations

import os
import subprocess
import uuid
from pathlib import Path

import pymongo
import redis
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

import mainspring
import servers

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / ".apscheduler-venvs"
RELEASES = ("3.5.1", "3.6.3", "3.10.4", "3.11.3")


def python_of(release: str) -> str:
    """The Python that has a release of APScheduler."""
    python = ENVIRONMENTS / release / "bin" / "python"
    if not python.exists():
        servers.missing(
            f"APScheduler {release} is not installed (scripts/install_apschedulers.sh installs it)"
        )
    return str(python)


def run_writer(
    folder: Path, release: str, url: str, count: int, **environment: str
) -> dict[str, float | None]:
    """Have a release of APScheduler write jobs to a database; their next run times, by their ids."""
    (folder / "gone").mkdir(exist_ok=True)
    (folder / "gone" / "gone.py").write_text("def function(): pass\n")
    done = subprocess.run(
        [python_of(release), "-W", "ignore", str(HERE / "write_old_jobs.py"), url, str(count)],
        env={
            **os.environ,
            "PYTHONPATH": str(HERE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "GONE": str(folder / "gone"),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    return {
        job_id.encode().decode("unicode_escape"): None if moment == "-" else float(moment)
        for job_id, moment in lines
    }


class Place:
    """Where an APScheduler keeps its jobs, and a store of ours that finds them there.

    Attributes:
        url: for `write_old_jobs`, with `environment`.
        pausing: words of the step that is documented for the hand-over.
    """

    pausing: str

    environment: dict[str, str] = {}  # noqa: RUF012 - replaced, not changed

    def __init__(self, url: str) -> None:
        self.url = url

    def store(self, **options):
        """A store of ours, which would find the old jobs."""
        raise NotImplementedError

    def old(self) -> dict[str, tuple]:
        """Each old job as it is kept: when it is due, and its pickle."""
        raise NotImplementedError

    def put(self, job_id: str, moment: float | None, state: bytes) -> None:
        """Keep a job as an APScheduler would."""
        raise NotImplementedError

    def pause(self) -> None:
        """The step that is documented for the hand-over."""
        raise NotImplementedError

    def close(self) -> None:
        """Close connections."""


class InDatabase(Place):
    pausing = "UPDATE apscheduler_jobs SET next_run_time = NULL"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.engine = create_engine(url, poolclass=NullPool)

    def store(self, **options):
        return mainspring.SQLAlchemyJobStore(self.url, **options)

    def old(self):
        with self.engine.connect() as connection:
            rows = connection.execute(text("SELECT id, next_run_time, job_state FROM apscheduler_jobs"))
            return {row.id: (row.next_run_time, bytes(row.job_state)) for row in rows}

    def put(self, job_id, moment, state):
        columns = "(id VARCHAR(191) PRIMARY KEY, next_run_time FLOAT, job_state BLOB)"
        with self.engine.begin() as connection:
            connection.execute(text(f"CREATE TABLE IF NOT EXISTS apscheduler_jobs {columns}"))
            connection.execute(
                text("INSERT INTO apscheduler_jobs VALUES (:id, :moment, :state)"),
                {"id": job_id, "moment": moment, "state": state},
            )

    def pause(self):
        with self.engine.begin() as connection:
            connection.execute(text("UPDATE apscheduler_jobs SET next_run_time = NULL"))


class InRedis(Place):
    pausing = "DEL apscheduler.run_times"

    def __init__(self, url: str, db: int) -> None:
        super().__init__(f"{url.rpartition('/')[0]}/{db}")
        self.client = redis.Redis.from_url(self.url)
        self.client.flushdb()

    def store(self, **options):
        return mainspring.RedisJobStore(url=self.url, **options)

    def old(self):
        times = {
            job_id.decode(): moment
            for job_id, moment in self.client.zrange("apscheduler.run_times", 0, -1, withscores=True)
        }
        states = self.client.hgetall("apscheduler.jobs")
        return {job_id.decode(): (times.get(job_id.decode()), state) for job_id, state in states.items()}

    def put(self, job_id, moment, state):
        self.client.hset("apscheduler.jobs", job_id, state)
        if moment is not None:
            self.client.zadd("apscheduler.run_times", {job_id: moment})

    def pause(self):
        self.client.delete("apscheduler.run_times")

    def close(self):
        self.client.flushdb()
        self.client.close()


class InMongoDB(Place):
    pausing = "updateMany({}, {$set: {next_run_time: null}})"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.name = f"old_{uuid.uuid4().hex[:12]}"
        self.environment = {"DATABASE": self.name}
        self.client = pymongo.MongoClient(url)
        self.jobs = self.client[self.name]["jobs"]

    def store(self, **options):
        return mainspring.MongoDBJobStore(self.name, "mainspring_jobs", host=self.url, **options)

    def old(self):
        return {one["_id"]: (one["next_run_time"], bytes(one["job_state"])) for one in self.jobs.find()}

    def put(self, job_id, moment, state):
        self.jobs.insert_one({"_id": job_id, "next_run_time": moment, "job_state": state})

    def pause(self):
        self.jobs.update_many({}, {"$set": {"next_run_time": None}})

    def close(self):
        self.client.close()


def place_of(kind: str, request) -> Place:
    if kind == "sqlite":
        return InDatabase(f"sqlite:///{request.getfixturevalue('tmp_path')}/jobs.sqlite")
    url = request.getfixturevalue(f"{kind}_url")
    if kind == "mongodb":
        return InMongoDB(url)
    # Old keys have the names that they have by default: each process of the tests has a database of its own.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return InRedis(url, 8 + int(worker) % 8)
