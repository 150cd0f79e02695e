"""What holds of old jobs in a table holds of those in Redis and MongoDB."""

from __future__ import annotations

import asyncio
import pickle
import sys
import threading
import uuid
from pathlib import Path

import pymongo
import pytest
import redis

sys.path.insert(0, str(Path(__file__).parent))
import old_jobs
from places import place_of

import mainspring
from mainspring.errors import ConfigurationError
from mainspring.serializers.v3_pickle import read_pickle

pytestmark = [pytest.mark.one_python, pytest.mark.timeout(180)]

UNREADABLE = {"gone"}


@pytest.fixture
def filled(place, old_states):
    """The place, with jobs in it; their ids."""
    for job_id, (moment, state) in old_states().items():
        place.put(job_id, moment, state)
    return set(old_states())


def _as(state, **changes):
    return pickle.dumps({**read_pickle(state, None, is_careful=False), **changes})


@pytest.mark.parametrize(
    "release",
    [
        "3.5.1",
        pytest.param("3.6.3", marks=pytest.mark.soak),
        pytest.param("3.10.4", marks=pytest.mark.soak),
        "3.11.3",
    ],
)
@pytest.mark.parametrize("place", ["redis", "mongodb"], indirect=True)
def test_what_each_release_has_written_comes_along(write_old_jobs, place, start, said, release):
    moments = write_old_jobs(release, place.url, **place.environment)
    before = place.old()
    scheduler = start(adopt="always", serializer="pickle")
    jobs = {job.id: job for job in scheduler.get_jobs()}
    assert jobs.keys() == moments.keys() - UNREADABLE
    found = {job_id: job.next_run_time and job.next_run_time.timestamp() for job_id, job in jobs.items()}
    assert found == {job_id: moments[job_id] for job_id in jobs} | {"overdue": None}
    assert (jobs["interval"].args, jobs["interval"].kwargs) == ((1, "plain", "zwei \u00e4"), {"three": [3]})
    assert jobs["interval"].misfire_grace_time is None
    assert place.old() == before
    assert said(f"{len(jobs)} jobs of APScheduler were adopted from ")
    assert said("to run once, more than an hour ago, and are paused")
    assert said("can't be read, and stay where they are")


def test_each_is_taken_once_whatever_becomes_of_it(place, filled, start, said, caplog):
    first = start(adopt="always", serializer="pickle")
    assert {job.id for job in first.get_jobs()} == filled - UNREADABLE
    first.remove_job("interval")
    first.modify_job("cron", name="changed")
    first.shutdown()
    caplog.clear()
    place.put("added", 1.0, _as(place.old()["cron"][1], id="added"))
    second = start(adopt="always", serializer="pickle")
    jobs = {job.id: job for job in second.get_jobs()}
    assert "interval" not in jobs
    assert jobs["cron"].name == "changed"
    assert not said("were adopted from")
    (sentence,) = said("were added since the others were adopted")
    assert sentence.endswith("takes them: 'added'")
    assert [job.id for job in second.adopt_jobs().of("adopted")] == ["added"]
    assert second.get_job("added") is not None
    assert [job.id for job in second.adopt_jobs().jobs] == ["gone"]


def test_they_are_told_of_where_nobody_has_asked_for_them(place, filled, start, said):
    scheduler = start()
    assert scheduler.get_jobs() == []
    (sentence,) = said("adopt_jobs()")
    assert f"{len(filled)} jobs of APScheduler are in " in sentence
    health = scheduler.health()
    assert (health.profile, health.adopted["default"].waiting) == ("mainspring", len(filled))
    report = scheduler.adopt_jobs(dry_run=True)
    assert (len(report.jobs), report.dry_run, scheduler.get_jobs()) == (len(filled), True, [])
    done = scheduler.adopt_jobs()
    assert done == report
    assert scheduler.health().adopted["default"].adopted == len(done.of("adopted", "paused"))
    assert scheduler.health().adopted["default"].waiting == 0


def test_they_are_left_alone_where_that_is_wanted(place, filled, start, said):
    assert start(adopt="never").get_jobs() == []
    assert start(namespace="staging", adopt="always").get_jobs() == []
    assert not said("of APScheduler")


def test_nodes_that_start_at_once_adopt_each_once(place, filled, start, said):
    for number in range(100):
        state = _as(place.old()["interval"][1], id=f"more-{number}")
        place.put(f"more-{number}", 1.0, state)
    failed = []

    def node():
        try:
            start(adopt="always", serializer="pickle")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=node) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert said("could not be adopted") == []
    jobs = start(serializer="pickle").get_jobs()
    assert len(jobs) == len(filled) + 100 - len(UNREADABLE)


def test_one_that_was_adopted_and_has_ended_is_not_taken_by_a_node_that_is_late(
    place, filled, start, monkeypatch
):
    """It has looked before the others had adopted, and writes when a job of theirs is gone again."""
    first, second = (start(adopt="auto", serializer="pickle") for _ in range(2))
    store = second._stores["default"]
    adopt_records, stolen = store.adopt_records, []

    def late(*args, **options):
        if not stolen:
            stolen.append(first.adopt_jobs())
            first.remove_job("interval")
        return adopt_records(*args, **options)

    monkeypatch.setattr(store, "adopt_records", late)
    second.adopt_jobs()
    assert stolen
    assert {job.id for job in first.get_jobs()} == filled - UNREADABLE - {"interval"}


def test_garbage_keeps_nothing_else_from_being_adopted(place, filled, start, said, tmp_path):
    class Evil:
        def __reduce__(self):
            import os

            return os.mkdir, (str(tmp_path / "made"),)

    state = place.old()["interval"][1]
    garbage = {
        "evil": pickle.dumps({"id": "evil", "func": "os:getpid", "trigger": Evil()}),
        "nothing": b"",
        "noise": bytes(range(256)) * 3,
        "cut": state[:50],
        "number": pickle.dumps(7),
        "text": b"hello",
        "future": _as(state, id="future", version=2),
        "other": state,
        "x" * 200: _as(state, id="x" * 200),
        "end ": _as(state, id="end "),
    }
    for job_id, data in garbage.items():
        place.put(job_id, 1.0, data)
    scheduler = start(adopt="always")
    found = {job.id for job in scheduler.get_jobs()}
    assert filled - found == {"gone", "zone", "dateutil"}  # these two call something to be read
    assert found - filled == {"end "}
    assert not (tmp_path / "made").exists()
    (sentence,) = said("can't be read, and stay where they are")
    assert "\n" not in sentence
    report = scheduler.adopt_jobs()
    reasons = {job.id: job.reason for job in report.of("unreadable")}
    assert "version 2" in reasons["future"]
    assert "its id is 'interval'" in reasons["other"]
    assert place.old().keys() == filled | garbage.keys()


def test_paused_ones_and_those_of_the_future_stay_what_they_are(place, old_states, start):
    _, state = old_states()["interval"]
    moment = read_pickle(state, None, is_careful=False)["next_run_time"]
    place.put("paused", None, _as(state, id="paused", next_run_time=None))
    place.put("far", 2.5e11, _as(state, id="far", next_run_time=moment.replace(year=9998)))
    # As the hand-over's step leaves it: nothing is due, and the job knows when it would be.
    place.put("handed", None, _as(state, id="handed"))
    jobs = {job.id: job.next_run_time for job in start(adopt="always", serializer="pickle").get_jobs()}
    assert jobs == {"paused": None, "far": moment.replace(year=9998), "handed": moment}


def test_a_signed_store_signs_what_it_adopts(place, filled, start):
    start(adopt="always", signing_key="k" * 32).shutdown()
    scheduler = start(signing_key="k" * 32)
    jobs = {job.id: job for job in scheduler.get_jobs()}
    assert jobs.keys() >= filled - {"gone", "zone", "dateutil"}
    assert jobs["value"].args[0].number == 7
    assert scheduler.health().parked_jobs == 0


def test_ids_that_are_taken_stay_with_those_who_have_them(place, filled, start, said):
    first = start(adopt="never")
    first.add_job(old_jobs.note, "interval", hours=7, id="interval")
    first.shutdown()
    second = start(adopt="always", serializer="pickle")
    assert str(second.get_job("interval").trigger) == "interval[7:00:00]"
    assert said("there are jobs of their ids, which stay as they are: 'interval'")
    second.add_job(old_jobs.note, "interval", hours=3, id="cron", replace_existing=True)
    assert str(second.get_job("cron").trigger) == "interval[3:00:00]"


def test_the_names_of_aps_own_places_mean_that_the_old_ones_are_there(redis_url, mongodb_url):
    redis = mainspring.RedisJobStore(
        url=redis_url, jobs_key="apscheduler.jobs", run_times_key="apscheduler.run_times"
    )
    assert redis._backend.server.base == "{mainspring.jobs}"
    mongodb = mainspring.MongoDBJobStore(database="apscheduler", collection="jobs", host=mongodb_url)
    assert mongodb._server.name == "mainspring.jobs"
    database = mainspring.SQLAlchemyJobStore("sqlite://", tablename="apscheduler_jobs")
    assert database.jobs_t.name == "mainspring_jobs"
    for store in (redis, mongodb, database):
        assert "is where APScheduler keeps its jobs: mainspring's are " in store._renamed
    with pytest.raises(ConfigurationError, match="adopt must be one of 'auto', 'always', 'never', got 'no'"):
        mainspring.RedisJobStore(url=redis_url, adopt="no")
    with pytest.raises(ConfigurationError, match="handover must be 'paused'"):
        mainspring.MongoDBJobStore(host=mongodb_url, handover="later")
    with pytest.raises(ConfigurationError, match="handover is of no use with adopt="):
        mainspring.SQLAlchemyJobStore("sqlite://", adopt="never", handover="paused")


def test_a_collection_of_aps_own_that_is_taken_for_ours_says_what_to_do(
    mongodb_url, make_scheduler, old_states
):
    name = f"taken_{uuid.uuid4().hex[:12]}"
    with pymongo.MongoClient(mongodb_url) as client:
        client[name]["jobs"].insert_one({"_id": "x", "next_run_time": 1.0, "job_state": b""})
    scheduler = make_scheduler(jobstores={"default": mainspring.MongoDBJobStore(name, host=mongodb_url)})
    with pytest.raises(ConfigurationError, match="'mainspring_jobs' of the same database"):
        scheduler.start()


def test_a_client_that_decodes_replies_is_no_hindrance(redis_url, request, old_states, make_scheduler):
    place = place_of("redis", request)
    for job_id, (moment, state) in old_states().items():
        place.put(job_id, moment, state)
    client = redis.Redis.from_url(place.url, decode_responses=True)
    store = mainspring.RedisJobStore(client=client, adopt="always", serializer="pickle")
    scheduler = make_scheduler(jobstores={"default": store})
    scheduler.start(paused=True)
    assert {job.id for job in scheduler.get_jobs()} == old_states().keys() - UNREADABLE
    scheduler.shutdown()
    client.close()
    place.close()


def test_the_stores_own_place_is_known_however_it_is_said(place, filled, start):
    scheduler = start(adopt="always", serializer="pickle")
    scheduler.remove_job("interval")
    names = {"database": place.name} if hasattr(place, "name") else {}
    for url in (place.url, place.url.replace("127.0.0.1", "localhost")):
        assert [job.id for job in scheduler.adopt_jobs(url, **names).jobs] == ["gone"]
    assert scheduler.get_job("interval") is None


@pytest.mark.parametrize("place", ["redis"], indirect=True)
def test_on_an_event_loop(place, filled):
    async def program():
        store = place.store(serializer="pickle", handover="paused")
        scheduler = mainspring.AsyncIOScheduler(jobstores={"default": store}, timezone="UTC")
        scheduler.start()
        await scheduler.started
        report = await scheduler.aadopt_jobs(dry_run=True)
        assert len(report.jobs) == len(filled)
        assert (await scheduler.ahealth()).adopted["default"].waiting == len(filled)
        await scheduler.aadopt_jobs()
        while "no job is run" in str((await scheduler.ahealth()).store_warnings):  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.02)
        await scheduler.shutdown()

    asyncio.run(asyncio.wait_for(program(), 60))
