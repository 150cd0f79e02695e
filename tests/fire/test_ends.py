"""Programs that end, or split in two, in ways that nobody thought of: what they ran isn't left running, and who goes on does."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest
from diary import VARIABLE, Diary
from nodes import PATHS, wait_for

from mainspring.schedulers.asyncio import AsyncIOScheduler
from stores import open_store

pytestmark = [pytest.mark.one_python, pytest.mark.timeout(120)]
KINDS = [
    "sqlite",
    pytest.param("postgres", marks=pytest.mark.soak),
    pytest.param("mariadb", marks=pytest.mark.soak),
    pytest.param("redis", marks=pytest.mark.soak),
    pytest.param("mongodb", marks=[pytest.mark.soak, pytest.mark.xdist_group("mongodb")]),
]


@pytest.fixture
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.sqlite"
    return request.getfixturevalue(f"{request.param}_url")


#: Set by the jobs, on the loop that they run on.
BEGUN: list[asyncio.Event] = []


async def sleep_long(n):
    BEGUN[n].set()
    await asyncio.sleep(60)


@pytest.mark.parametrize("how", ["closed", "stopped"])
@pytest.mark.parametrize("url", KINDS, indirect=True)
def test_a_loop_that_ends_under_its_scheduler_leaves_nothing_running(url, tablename, make_scheduler, how):
    async def begin():
        scheduler = AsyncIOScheduler(
            timezone="UTC", jobstores={"default": open_store(url, tablename, lease=1)}
        )
        scheduler.start()
        BEGUN[:] = [asyncio.Event() for _ in range(3)]
        for n in range(3):
            scheduler.add_job(sleep_long, "date", args=[n], id=f"long{n}")
        await asyncio.gather(*(begun.wait() for begun in BEGUN))
        return scheduler

    loop = asyncio.new_event_loop()
    scheduler = loop.run_until_complete(begin())
    if how == "closed":
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
    try:
        other = make_scheduler(jobstores={"default": open_store(url, tablename, lease=1)}, start=True)
        other.add_job("fire_jobs:nothing", "date", id="other")
        wait_for(lambda: other.get_runs("other", outcome="succeeded"), "run of another scheduler", 20)
        if how == "closed":
            wait_for(lambda: not other.get_runs(outcome="running"), "end of what went on", 20)
            outcomes = {run.outcome for run in other.get_runs() if run.job_id.startswith("long")}
            assert outcomes <= {"cancelled", "lost", "failed"}
    finally:
        begin = time.monotonic()
        scheduler.shutdown(wait=False)
        assert time.monotonic() - begin < 10
        if how == "stopped":
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0.1))
            loop.close()


FORKING = """
import os, sys, time
from mainspring.schedulers.background import BackgroundScheduler
from stores import open_store
import fire_jobs

url, name = sys.argv[1:3]
scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": open_store(url, name, lease=2, keep_runs=10_000)})
scheduler.start()
scheduler.add_job("fire_jobs:work", "interval", seconds=0.1, id="tick", misfire_policy="all")
scheduler.get_jobs()
time.sleep(0.5)
children = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        begun, asked = time.monotonic(), 0
        while asked < 10 or time.monotonic() < begun + 1:  # for a second, or longer where the machine is busy
            try:
                assert scheduler.get_jobs()[0].id == "tick"
            except BaseException as error:
                print("child", repr(error)[:200], flush=True)
            asked += 1
            time.sleep(0.02)
        print("asked", flush=True)
        os._exit(0)
    children.append(pid)
print("forked", *children, flush=True)
for pid in children:
    os.waitpid(pid, 0)
before = len(scheduler.get_runs("tick", outcome="succeeded", limit=10_000))
end = time.monotonic() + 60
while len(scheduler.get_runs("tick", outcome="succeeded", limit=10_000)) < before + 10:
    if time.monotonic() > end:
        print("the parent stands still", flush=True)
        break
    time.sleep(0.05)
scheduler.shutdown()
print("ended", flush=True)
"""


@pytest.mark.parametrize(
    "url",
    [pytest.param("sqlite", marks=pytest.mark.soak), "postgres", *KINDS[2:]],
    indirect=True,
)
def test_a_program_that_forks_while_its_scheduler_runs_goes_on(url, tablename, tmp_path):
    """As `gunicorn --preload` does: the children ask, and the parent runs."""
    diary = Diary(tmp_path / "diary")
    environment = {**os.environ, "PYTHONPATH": PATHS, VARIABLE: str(diary.path)}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", FORKING, url, tablename],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said = process.communicate(timeout=200)[0].splitlines()
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said = process.communicate()[0].splitlines()
    forked = [line for line in said if line.startswith("forked")]
    said = sorted(line for line in said if not line.startswith("forked"))
    assert forked
    assert said == ["asked"] * 3 + ["ended"]
    calls = [(line["scheduled"], line["attempt"]) for line in diary.lines("began")]
    assert len(calls) == len(set(calls)), "a child has run jobs, too"
