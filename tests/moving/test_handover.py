"""An APScheduler and mainspring that both live: nothing is run by both, and nothing is left out."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import old_jobs
from places import HERE, InDatabase, Place, place_of, python_of

from mainspring.events import EVENT_JOB_EXECUTED
from mainspring.schedulers import handover
from mainspring.serializers.v3_pickle import read_pickle
from waiting import wait_for

pytestmark = [pytest.mark.one_python, pytest.mark.timeout(180)]


class AtWork:
    """A process with APScheduler 3.11.3 that works on stored jobs, until it is told to end."""

    def __init__(self, database: Place, count: int, *more: str) -> None:
        self.process = subprocess.Popen(
            [
                python_of("3.11.3"),
                "-W",
                "ignore",
                str(HERE / "apscheduler_at_work.py"),
                as_psycopg2(database.url),
                str(count),
                *more,
            ],
            env={**os.environ, "PYTHONPATH": str(HERE), **database.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline().startswith("started")
        self.ran: list[tuple[str, float]] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            word, *rest = line.split()
            if word != "stopped":
                assert word == "ran", line
                self.ran.append((rest[0], float(rest[1])))

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(30)
        self._thread.join(30)
        self.process.stdout.close()


@pytest.fixture
def quickly(monkeypatch):
    monkeypatch.setattr(handover, "QUIET_SECONDS", 1.0)


@pytest.fixture
def filled(place, old_states):
    for job_id, (moment, state) in old_states().items():
        place.put(job_id, moment, state)
    return set(old_states())


def as_psycopg2(url):
    return url.replace("postgresql+psycopg:", "postgresql+psycopg2:")


@pytest.fixture(params=["sqlite", "postgres", "redis", "mongodb"])
def database(request):
    if request.param == "postgres":
        made: Place = InDatabase(request.getfixturevalue("postgres_database"))
    else:
        made = place_of(request.param, request)
    yield made
    made.close()


def test_a_rollover_runs_every_due_time_once(database, make_scheduler, quickly):
    """The order that is documented: mainspring beside APScheduler; the step; the end of APScheduler."""
    old = AtWork(database, 3)
    wait_for(lambda: len(old.ran) >= 3)
    ran: list[tuple[str, float]] = []
    schedulers = []
    for _ in range(2):  # nodes
        scheduler = make_scheduler(
            jobstores={"default": database.store(handover="paused", serializer="pickle")}, timezone="UTC"
        )
        scheduler.add_listener(
            lambda event: ran.append((event.job_id, event.scheduled_run_time.timestamp())), EVENT_JOB_EXECUTED
        )
        scheduler.start()
        schedulers.append(scheduler)
    # As programs do at each start: what has the id of an old one goes on where that was.
    schedulers[0].add_job(old_jobs.note, "interval", seconds=1, id="job-2", coalesce=False, max_instances=100)
    before = len(old.ran)
    wait_for(lambda: len(old.ran) >= before + 3)
    assert ran == []
    health = schedulers[1].health()
    assert database.pausing in health.store_warnings["default"][0]
    assert health.adopted["default"].waiting == 3

    def handed_over() -> bool:
        database.pause()  # again, if APScheduler was about to run some
        return all(one.health().adopted["default"].adopted for one in schedulers)

    wait_for(handed_over, timeout=60)
    wait_for(lambda: len(set(ran)) >= 6, timeout=60)
    old.stop()
    after = len(ran)
    wait_for(lambda: len(ran) >= after + 3)
    for scheduler in schedulers:
        scheduler.shutdown()
    counts = Counter([*old.ran, *ran])
    assert {one: count for one, count in counts.items() if count > 1} == {}
    for job_id in ("job-0", "job-1", "job-2"):
        moments = sorted(moment for other, moment in counts if other == job_id)
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        assert all(abs(gap - 1) < 0.001 for gap in gaps), (job_id, gaps)
        assert {other for other, _ in old.ran} == {other for other, _ in ran} == {"job-0", "job-1", "job-2"}


@pytest.mark.parametrize(
    "database",
    ["sqlite", *(pytest.param(kind, marks=pytest.mark.soak) for kind in ("postgres", "redis", "mongodb"))],
    indirect=True,
)
def test_the_way_back(database, make_scheduler):
    """After mainspring has adopted the jobs and run them, APScheduler starts on its own table and works."""
    first = AtWork(database, 2)
    wait_for(lambda: len(first.ran) >= 2)
    first.stop()
    before = database.old()
    ran = []
    scheduler = make_scheduler(jobstores={"default": database.store(adopt="always", serializer="pickle")})
    scheduler.add_listener(ran.append, EVENT_JOB_EXECUTED)
    scheduler.start()
    wait_for(lambda: len(ran) >= 2)
    scheduler.shutdown()
    assert database.old() == before
    again = AtWork(database, 0)
    wait_for(lambda: {job_id for job_id, _ in again.ran} == {"job-0", "job-1"})
    again.stop()
    # It goes on where it was, whatever mainspring has run since.
    assert min(moment for _, moment in again.ran) == min(moment for moment, _ in before.values())
    before = database.old()
    database.pause()
    handed_back = AtWork(database, 0, "takes-back")
    wait_for(lambda: {job_id for job_id, _ in handed_back.ran} == {"job-0", "job-1"})
    handed_back.stop()
    assert min(moment for _, moment in handed_back.ran) == min(moment for moment, _ in before.values())


def test_a_node_that_does_not_wait_ends_the_wait_of_others_aloud(place, filled, start, said):
    """It runs the jobs: that others don't would help nobody. What is wrong is said, with the way out."""
    waiting = start(handover="paused", serializer="pickle")
    assert waiting.get_jobs() == []
    start(adopt="always", serializer="pickle")
    wait_for(lambda: said("jobs are run, since they were adopted without waiting"))
    (sentence,) = said("jobs are run, since they were adopted without waiting")
    assert place.pausing in sentence
    assert not said("APScheduler has handed over")


def test_nothing_is_run_before_the_old_ones_are_paused(place, filled, start, said, quickly):
    scheduler = start(handover="paused", serializer="pickle")
    scheduler.resume()
    ran = []
    scheduler.add_listener(ran.append, EVENT_JOB_EXECUTED)
    scheduler.add_job(old_jobs.note, id="own")
    assert said(f"{len(filled) - 1} jobs of APScheduler will be adopted from ")
    (sentence,) = said("no job is run: APScheduler still has jobs to run")
    assert "To hand them over: " in sentence
    assert [job.id for job in scheduler.get_jobs()] == ["own"]
    assert scheduler.health().adopted["default"].waiting == len(filled)
    place.pause()
    wait_for(lambda: scheduler.health().adopted["default"].waiting == 0)
    wait_for(lambda: any(event.job_id == "own" for event in ran))
    assert len(scheduler.get_jobs()) >= len(filled) - 2  # 'late' has been run, and 'own'
    assert said("APScheduler has handed over")
    assert "no job is run" not in str(scheduler.health().store_warnings)
    scheduler.shutdown()
    again = start(handover="paused", serializer="pickle")
    assert "no job is run" not in str(again.health().store_warnings)


def test_a_job_that_is_scheduled_again_while_it_is_quiet_is_waited_for(
    place, filled, start, quickly, monkeypatch
):
    """APScheduler was about to run it, and writes when it is due next."""
    monkeypatch.setattr(handover, "QUIET_SECONDS", 3600.0)
    scheduler = start(handover="paused", serializer="pickle")
    watched = scheduler._adoptions._handovers["default"]
    place.pause()
    watched.look()
    assert "taken over in some seconds" in str(scheduler.health().store_warnings)
    place.put("back", 1.0, place.old()["cron"][1])
    watched.look()
    sentence = scheduler.health().store_warnings["default"][0]
    assert "('back')" in sentence
    assert scheduler.get_jobs() == []


def test_a_time_is_waited_for(place, filled, start, said):
    moment = datetime.now(UTC) + timedelta(hours=1)
    scheduler = start(handover=moment, serializer="pickle")
    assert scheduler.get_jobs() == []
    assert said("no job is run: the hand-over from APScheduler is at ")
    scheduler.shutdown()
    scheduler = start(
        handover=datetime.now(UTC).replace(tzinfo=None), serializer="pickle"
    )  # two hours ago in Berlin, or one
    assert {job.id for job in scheduler.get_jobs()} == filled - {"gone"}


def test_where_there_are_no_old_jobs_nothing_is_waited_for(place, start):
    scheduler = start(handover="paused")
    scheduler.resume()
    ran = []
    scheduler.add_listener(ran.append, EVENT_JOB_EXECUTED)
    scheduler.add_job(old_jobs.note)
    wait_for(lambda: ran)


def test_what_can_not_be_looked_at_is_waited_for(place, filled, start, said, monkeypatch):
    kind = type(place.store())
    look, fails = kind.predecessor, [True]

    def predecessor(store):
        if fails:
            raise PermissionError("you may not look there")
        return look(store)

    monkeypatch.setattr(kind, "predecessor", predecessor)
    scheduler = start(handover=datetime(2020, 1, 1, tzinfo=UTC), serializer="pickle")
    assert said("could not be looked at, and no job is run before that: you may not look there")
    assert "no job is run" in str(scheduler.health().store_warnings)
    fails.clear()
    wait_for(lambda: len(scheduler.get_jobs()) == len(filled) - 1)


def test_a_job_with_the_id_of_an_old_one_goes_on_where_that_was(place, old_states, start):
    _, state = old_states()["interval"]
    values = read_pickle(state, None, is_careful=False)
    due = values["next_run_time"]
    for job_id in ("same", "other"):
        place.put(job_id, None, pickle.dumps({**values, "id": job_id}))
    scheduler = start(handover=datetime.now(UTC) + timedelta(hours=1), serializer="pickle")
    past = datetime.now(UTC) - timedelta(minutes=10)
    scheduler.add_job(old_jobs.note, "interval", hours=1, id="same", next_run_time=past)
    scheduler.add_job(old_jobs.note, "interval", hours=2, id="other", next_run_time=past)
    scheduler.shutdown()
    again = start(handover=datetime(2020, 1, 1, tzinfo=UTC), serializer="pickle")
    assert again.get_job("same").next_run_time == due
    assert again.get_job("same").trigger.interval == timedelta(hours=1)
    assert again.get_job("other").next_run_time > datetime.now(UTC)
    assert again.get_job("other").trigger.interval == timedelta(hours=2)
