"""What the alias takes over from APScheduler where mainspring's own imports have another way, in a process of its own each."""

from pathlib import Path

import pytest

PROGRAMS = {
    # Jobs in memory are gone after a shutdown: programs add them before each start.
    "restart": """
from apscheduler.schedulers.background import BackgroundScheduler
scheduler = BackgroundScheduler()
for _ in range(3):
    scheduler.add_job(print, "interval", hours=1, id="a")
    scheduler.start()
    assert len(scheduler.get_jobs()) == 1
    scheduler.shutdown()
    assert scheduler.get_jobs() == []
from apscheduler.jobstores.memory import MemoryJobStore
kept = BackgroundScheduler(jobstores={"default": MemoryJobStore(keep_jobs=True)})
kept.add_job(print, "interval", hours=1, id="a")
kept.start()
kept.shutdown()
assert [job.id for job in kept.get_jobs()] == ["a"]
""",
    # A job store that isn't there is one without jobs, and the log says so; in strict mode it is an error.
    "unknown store": """
import io, logging
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.jobstores.base import JobLookupError
log = io.StringIO()
logging.basicConfig(stream=log)
scheduler = BackgroundScheduler()
for _ in range(2):
    assert scheduler.get_jobs(jobstore="nope") == []
    assert scheduler.get_job("a", "nope") is None
    scheduler.remove_all_jobs("nope")
    scheduler.print_jobs("nope", out=io.StringIO())
    for change in (scheduler.remove_job, scheduler.pause_job, scheduler.resume_job):
        try:
            change("a", "nope")
        except JobLookupError:
            pass
        else:
            raise AssertionError(change)
    if not scheduler.running:
        scheduler.start()
assert "nope" in log.getvalue()
scheduler.shutdown()
strict = BackgroundScheduler(strict=True)
strict.start()
try:
    strict.get_jobs(jobstore="nope")
except KeyError as error:
    assert "nope" in str(error)
else:
    raise AssertionError
strict.shutdown()
""",
    # A listener that is none is passed over, and the log says so.
    "no listener": """
import io, logging
from apscheduler.schedulers.background import BackgroundScheduler
log = io.StringIO()
logging.basicConfig(stream=log)
scheduler = BackgroundScheduler()
scheduler.add_listener(None)
scheduler.start()
scheduler.shutdown()
assert "a listener must be callable" in log.getvalue()
""",
    # Tests of programs replace the clock and the zone by these names.
    "replaced names": """
from datetime import datetime, timedelta, timezone
from unittest.mock import Mock, patch
from zoneinfo import ZoneInfo
from apscheduler.schedulers.background import BackgroundScheduler
with patch("apscheduler.schedulers.base.get_localzone", return_value=ZoneInfo("Asia/Tokyo")):
    scheduler = BackgroundScheduler()
assert str(scheduler.timezone) == "Asia/Tokyo"
ran = []
scheduler.start(paused=True)
due = datetime.now(timezone.utc) + timedelta(days=3)
scheduler.add_job(ran.append, "date", run_date=due, args=[1], id="a")
scheduler.state = 1
scheduler._process_jobs()
assert not ran
with patch("apscheduler.schedulers.base.datetime") as clock:
    clock.now.side_effect = lambda tz=None: (due + timedelta(seconds=1)).astimezone(tz)
    scheduler._process_jobs()
scheduler.shutdown()
assert ran == [1]
""",
    # The parts are put together by hand, as programs do that must not start the loop.
    "by hand": """
from apscheduler.schedulers.background import BackgroundScheduler
scheduler = BackgroundScheduler()
scheduler.add_executor("threadpool", "default", max_workers=3)
scheduler.add_jobstore("memory", "default")
scheduler.add_job(print, "interval", hours=1, id="a")
assert scheduler._executors["default"]._pool._max_workers == 3
for alias, executor in scheduler._executors.items():
    executor.start(scheduler, alias)
for alias, store in scheduler._jobstores.items():
    store.start(scheduler, alias)
for job, jobstore_alias, replace_existing in scheduler._pending_jobs:
    scheduler._real_add_job(job, jobstore_alias, replace_existing)
del scheduler._pending_jobs[:]
scheduler.state = 1
assert [job.id for job in scheduler.get_jobs()] == ["a"]
assert scheduler._process_jobs() > 3000
assert scheduler._lookup_job("a", None)[1] == "default"
assert scheduler._lookup_jobstore("default").lookup_job("a").id == "a"
assert scheduler._job_defaults == {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
""",
    # A scheduler inside another, which hands everything on, and stores whose methods are replaced one by one.
    "wrapped": """
import threading
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.background import BackgroundScheduler
class Outer(BaseScheduler):
    def __init__(self, inner):
        self._inner = inner
        super().__init__()
    def wakeup(self): self._inner.wakeup()
    def shutdown(self, wait=True): self._inner.shutdown(wait)
    def start(self, paused=False): self._inner.start(paused)
    def add_job(self, *args, **kwargs): return self._inner.add_job(*args, **kwargs)
    def _real_add_job(self, job, jobstore_alias, replace_existing):
        self._inner._real_add_job(job, jobstore_alias, replace_existing)
    def _dispatch_event(self, event): self._inner._dispatch_event(event)
inner = BackgroundScheduler()
outer = Outer(inner)
inner.add_jobstore("memory")
for store in inner._jobstores.values():
    own = store.get_due_jobs
    def with_context(now, own=own):
        jobs = own(now)
        for job in jobs:
            job.kwargs.update({"context": 1})
        return jobs
    store.get_due_jobs = with_context
ran = []
done = threading.Event()
def function(context):
    ran.append(context)
    done.set()
outer.start()
outer.add_job(lambda context=None: function(context))
assert done.wait(20)
assert ran == [1], ran
outer.shutdown()
""",
    # Loops that are put in by hand.
    "loops": """
import asyncio
from apscheduler.schedulers.asyncio import AsyncIOScheduler
loop = asyncio.new_event_loop()
scheduler = AsyncIOScheduler()
scheduler._eventloop = loop
scheduler.start()
async def main():
    done = asyncio.Event()
    async def job(): done.set()
    scheduler.add_job(job)
    await asyncio.wait_for(done.wait(), 20)
    futures = set()
    async def waits(): await asyncio.sleep(0.05)
    executor = scheduler._executors["default"]
    running = asyncio.Event()
    async def long():
        running.set()
        await asyncio.sleep(60)
    scheduler.add_job(long)
    await asyncio.wait_for(running.wait(), 20)
    pending = set(executor._pending_futures)
    assert len(pending) == 1
    for future in pending: future.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    scheduler.shutdown()
loop.run_until_complete(main())
""",
    # What pickles are read as is said where it is the alias that asks for it.
    "pickles": """
import io, logging
from datetime import datetime
import pickle
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
log = io.StringIO()
logging.basicConfig(stream=log, level="INFO")
class Anything:
    def __reduce__(self): return (complex, (1, 2))
scheduler = BackgroundScheduler(jobstores={
    "default": SQLAlchemyJobStore("sqlite:///a.sqlite"),
    "signed": SQLAlchemyJobStore("sqlite:///b.sqlite", signing_key="s" * 32),
    "careful": SQLAlchemyJobStore("sqlite:///c.sqlite", serializer="auto"),
})
scheduler.start(paused=True)
scheduler.add_job(print, "interval", hours=1, args=[Anything()], id="a")
assert scheduler.get_job("a").args == (1 + 2j,)
said = [line for line in log.getvalue().splitlines() if "reads pickles as APScheduler does" in line]
assert len(said) == 1 and "'default'" in said[0], said
assert scheduler.health().profile == "apscheduler"
scheduler.shutdown()
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_finds_what_it_knows(python, tmp_path: Path, name):
    (tmp_path / "program.py").write_text(PROGRAMS[name])
    python("-m", "mainspring.as_apscheduler", "program.py")


def test_under_its_own_name_mistakes_are_errors_and_jobs_stay(python, tmp_path: Path):
    (tmp_path / "program.py").write_text(
        """
from mainspring import BackgroundScheduler
scheduler = BackgroundScheduler()
scheduler.add_job(print, "interval", hours=1, id="a")
scheduler.start()
for mistake, error in ((lambda: scheduler.add_listener(None), TypeError), (lambda: scheduler.get_jobs("nope"), KeyError)):
    try:
        mistake()
    except error:
        pass
    else:
        raise AssertionError(mistake)
scheduler.shutdown()
assert [job.id for job in scheduler.get_jobs()] == ["a"]
"""
    )
    python("program.py")
