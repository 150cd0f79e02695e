"""What can go wrong with MongoDB and Redis, and what is particular to each of them."""

import json
import logging
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta

import pymongo
import pytest
import redis
from pymongo.collection import Collection

import servers
from lost_answers import see_calls_answered
from mainspring.engine.decision import decide
from mainspring.errors import ConfigurationError, SerializationError
from mainspring.events import EVENT_JOB_EXECUTED
from mainspring.jobstores.mongodb import MongoDBJobStore
from mainspring.jobstores.redis import RedisJobStore
from mainspring.model import QueuedRun, RunKey
from mainspring.testing import EventRecorder
from mainspring.testing.conformance import claim, claim_all, ids, record, submission
from stores import MONGODB, open_store

PAST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["redis", MONGODB])
def url(request):
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def make_store(url, tablename, started):
    return lambda **options: started(open_store(url, tablename, **options))


@pytest.fixture
def store(make_store):
    return make_store()


# Damage


def damage(store, job_id, field, value):
    """Write a value into a stored job, as somebody might by hand."""
    if isinstance(store, RedisJobStore):
        key = f"{store._backend.server.base}:job:{job_id}"
        if value is None:
            store.redis.hdel(key, field)
        else:
            store.redis.hset(key, field, value if isinstance(value, str | bytes) else json.dumps(value))
    elif value is None:
        store.collection.update_one({"_id": job_id}, {"$unset": {field: ""}})
    else:
        store.collection.update_one({"_id": job_id}, {"$set": {field: value}})


def stored(store, job_id):
    if isinstance(store, RedisJobStore):
        return store.redis.hgetall(f"{store._backend.server.base}:job:{job_id}")
    return store.collection.find_one({"_id": job_id})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trigger", None),
        ("trigger", "nonsense"),
        ("trigger", {"version": 1, "type": "tomorrow"}),
        ("arguments", "[]"),
        ("arguments", '{"version": 99}'),
        ("options", {"max_instances": 0}),
        ("options", "{"),
        ("name", None),
        ("version", "many"),
        ("tally", "[1]"),
    ],
)
def test_a_damaged_job_is_parked_and_stays_as_it_is(store, field, value):
    if field == "name" and isinstance(store, RedisJobStore):
        pytest.skip("a job without a name can be run")
    store.add_records([record("a", every=10), record("b", every=10)], None)
    damage(store, "a", field, value)
    before = stored(store, "a")
    parked, sound = sorted(claim(store, 1).decisions, key=lambda one: one.job.id)
    assert (parked.job.id, sound.job.id) == ("a", "b")
    assert parked.reason
    assert sound.submit
    assert ids(store.list_records()) == ["b"]
    assert [one.job_id for one in store.parked()] == ["a"]
    with pytest.raises(SerializationError, match="job 'a' can't be had"):
        store.get_record("a")
    assert stored(store, "a") == before
    (mended,) = store.add_records([record("a", 5)], lambda old, new: new)
    assert store.get_record("a") == mended
    assert [one.job.id for one in claim(store, 6).decisions] == ["a"]
    damage(store, "b", field, value)
    store.remove("b")
    assert store.list_records() == []


def test_what_is_no_text_does_no_harm(redis_url, tablename):
    store = open_store(redis_url, tablename)
    store.start(None, "default")
    store.add_records([record("a", every=10), record("b", every=10)], None)
    damage(store, "a", "trigger", b"\xff\xfe\x00")
    decisions = {one.job.id: one for one in claim(store, 1).decisions}
    assert decisions["a"].reason
    assert decisions["b"].submit
    store._held = 0
    store.shutdown()


def test_documents_that_are_no_jobs_do_no_harm(mongodb_url, tablename):
    store = open_store(mongodb_url, tablename)
    store.start(None, "default")
    due = "2026-01-01 00:00:00.000000"
    store.collection.insert_many(
        [
            {"next_run_time": due, "executor": "default", "state": "scheduled"},  # its _id is no text
            {"_id": "date", "next_run_time": PAST, "executor": "default", "state": "scheduled"},
            {"_id": "empty"},
        ]
    )
    store.add_records([record("a", every=10)], None)
    decisions = claim(store, 1).decisions
    assert [one.job.id for one in decisions] == ["a"]
    assert ids(store.list_records()) == ["a"]
    store._held = 0
    store.shutdown()


# Lost answers


class LosesAnswers:
    """Has the server do what it is asked, and its answer be lost: the next so many times."""

    def __init__(self, store, monkeypatch):
        self.left = 0
        own = threading.get_ident()

        def losing(work, error):
            def do(*args, **kwargs):
                result = work(*args, **kwargs)
                if self.left and threading.get_ident() == own:
                    self.left -= 1
                    raise error("the connection was lost")
                return result

            return do

        if isinstance(store, RedisJobStore):
            server = store._backend.server
            lost = redis.ConnectionError
            monkeypatch.setattr(server, "_answer", losing(server._answer, lost))
            return
        writes = (
            "insert_one",
            "insert_many",
            "bulk_write",
            "update_one",
            "update_many",
            "delete_one",
            "delete_many",
        )
        for name in writes:
            work = getattr(Collection, name)
            lost = pymongo.errors.AutoReconnect
            monkeypatch.setattr(Collection, name, losing(work, lost))


def test_a_call_is_answered_as_if_no_answer_had_been_lost(store, monkeypatch):
    see_calls_answered(store, LosesAnswers(store, monkeypatch))


@pytest.mark.parametrize("times", [1, 2])
def test_an_answer_that_is_lost_loses_and_doubles_nothing(store, monkeypatch, times):
    answers = LosesAnswers(store, monkeypatch)

    def failing(work, *args):
        answers.left = times
        result = work(*args)
        assert answers.left < times
        answers.left = 0
        return result

    failing(store.add_records, [record("a", every=10), record("b", 5)], None)
    assert ids(store.list_records()) == ["a", "b"]
    replaced = lambda old, new: new._replace(version=old.version + 1)
    failing(store.add_records, [record("b", 6), record("c", 7)], replaced)
    assert [(one.id, one.version) for one in store.list_records()] == [("a", 0), ("b", 1), ("c", 0)]
    changed = failing(store.change, "a", lambda old: old.changed(name="other"))
    assert store.get_record("a") == changed
    failing(store.remove, "c")
    batch = failing(claim, store, 8)
    assert sorted(one.job.id for one in batch.decisions) == ["a", "b"]
    assert claim(store, 8).decisions == []
    first, second = sorted(batch.decisions, key=lambda one: one.job.id)
    assert {(run.job_id, run.outcome) for run in store.list_runs(None, None, None, 10)} == {
        ("a", None),
        ("b", None),
    }
    assert failing(store.give_back, second, PAST + timedelta(seconds=8)) is not None
    assert ids(store.list_records()) == ["b", "a"]
    store.finish([submission(first)])
    failing(store._outcomes.write)
    (run,) = store.list_runs(None, None, None, 10)
    assert (run.job_id, run.outcome) == ("a", "lost")  # the submission told of no outcome


# Claims


@pytest.mark.parametrize("every", [None, 10], ids=["once", "again and again"])
def test_a_job_that_was_removed_and_added_again_during_the_decision_is_not_claimed(store, every):
    store.add_records([record("a", every=every)], None)

    def replaces_meanwhile(job, now, running):
        store.remove("a")
        store.add_records([record("a", every=every)], None)
        return decide(job, now, running)

    assert claim(store, 1, decide_with=replaces_meanwhile).decisions == []
    (its,) = claim(store, 1).decisions
    assert (its.submit, its.attempt) == ([PAST], 1)


@pytest.mark.parametrize("every", [None, 10], ids=["once", "again and again"])
def test_a_run_that_is_known_is_run_again_as_another_attempt(store, every):
    for attempt in (1, 2, 3):
        store.add_records([record("a", every=every)], None)
        (decision,) = claim(store, 1).decisions
        assert (decision.submit, decision.attempt) == ([PAST], attempt)
        store.finish([submission(decision)])
        store._outcomes.write()
        if every is not None:
            store.remove("a")
    assert {run.attempt for run in store.list_runs("a", "lost", None, 10)} == {1, 2, 3}


def test_a_run_that_is_taken_in_the_same_claim_is_among_those_that_are_cancelled(store):
    store.add_records([record("a", 5, every=10, overlap="cancel_running")], None)
    store.enqueue([QueuedRun("a", PAST, 1, PAST, "manual")])
    asked, due = claim_all(store, 6)
    assert (asked.cause, asked.submit, due.cancels) == ("manual", [PAST], True)
    token = asked.lease.token
    assert store._backend.cluster_status(token).to_cancel == [RunKey("a", PAST, 1)]


# How they are made


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RedisJobStore(jobs_key=""), "jobs_key must not be empty"),
        (lambda: RedisJobStore(run_times_key=""), "run_times_key must not be empty"),
        (lambda: RedisJobStore(client=redis.Redis(), host="other"), "got both"),
        (lambda: RedisJobStore(client=redis.asyncio.Redis()), "no async client"),
        (lambda: RedisJobStore(lease=0.5), "lease must be a second or more"),
        (lambda: MongoDBJobStore(database=""), "database must not be empty"),
        (lambda: MongoDBJobStore(collection=""), "collection must not be empty"),
        (
            lambda: MongoDBJobStore(client=pymongo.MongoClient(connect=False), host="other"),
            r"\(host\), got both",
        ),
        (lambda: MongoDBJobStore(client=pymongo.AsyncMongoClient()), "no AsyncMongoClient"),
        (lambda: MongoDBJobStore(client=42), "must be a MongoClient of pymongo, got int"),
        (lambda: MongoDBJobStore(keep_runs=-1), "keep_runs must be"),
    ],
)
@pytest.mark.filterwarnings("ignore:Unclosed:ResourceWarning")  # clients that were never used
def test_what_a_store_is_not_made_of(make, words):
    with pytest.raises(ConfigurationError, match=words):
        make()


def test_what_is_apschedulers_is_left_alone(url, tablename):
    store = open_store(url, tablename)
    if isinstance(store, RedisJobStore):
        store.redis.hset(tablename, "job", b"\x80pickled")
    else:
        store.collection.insert_one({"_id": "job", "next_run_time": 1.0, "job_state": b"\x80pickled"})
    with pytest.raises(ConfigurationError, match="APScheduler's"):
        store.start(None, "default")
    store._backend.close()


def test_what_a_newer_release_has_made_is_left_alone(store, url, tablename):
    if isinstance(store, RedisJobStore):
        store.redis.set(store._backend.server.key("schema"), 99)
    else:
        store._server.notes.update_one({"_id": "schema"}, {"$set": {"version": 99}})
    other = open_store(url, tablename)
    with pytest.raises(ConfigurationError, match="Upgrade this node"):
        other.start(None, "default")
    other._backend.close()


def test_jobs_can_be_read_by_people(store):
    store.add_records([record("a", 5, tags=("nightly",))], None)
    found = stored(store, "a")
    if isinstance(store, RedisJobStore):
        found = {name.decode(): value.decode() for name, value in found.items()}
        found["trigger"], found["tags"] = json.loads(found["trigger"]), json.loads(found["tags"])
    assert found["func"] == "builtins:print"
    assert found["next_run_time"] == "2026-01-01 00:00:05.000000"
    assert found["trigger"]["type"] == "date"
    assert found["tags"] == ["nightly"]
    assert found["state"] == "scheduled"


# Redis alone


@pytest.fixture
def own_redis():
    """A server whose settings are the test's own."""
    try:
        server = servers.RedisServer()
    except servers.ServerMissingError as error:
        servers.missing(str(error))
    yield server
    server.kill()
    server.remove()


@pytest.mark.parametrize("decode_responses", [False, True])
def test_a_client_of_the_programs_own_may_decode_replies(
    redis_url, tablename, make_scheduler, decode_responses
):
    with redis.Redis.from_url(redis_url, decode_responses=decode_responses) as client:
        store = RedisJobStore(jobs_key=tablename, client=client)
        scheduler = make_scheduler(jobstores={"default": store}, start=True)
        heard = EventRecorder()
        scheduler.add_listener(heard)
        scheduler.set_group("api", limit=1)
        scheduler.add_job(print, "interval", hours=1, id="hourly", group="api", tags=["a"])
        scheduler.run_job("hourly").wait(20)
        assert [group.name for group in scheduler.get_groups()] == ["api"]
        assert [job.id for job in scheduler.get_jobs(tag="a")] == ["hourly"]
        assert scheduler.health().ok
        scheduler.shutdown()
        assert client.ping()  # it is the program's, and stays open


def test_what_a_server_may_lose_is_said(own_redis, make_scheduler):
    store = open_store(own_redis.url, "jobs")
    scheduler = make_scheduler(jobstores={"default": store}, start=True)

    def said(**settings):
        for name, value in settings.items():
            store.redis.config_set(name.replace("_", "-"), value)
        return list(scheduler.health().store_warnings.get("default", ()))

    (nothing_kept,) = said()
    assert "keeps nothing on disk" in nothing_kept
    (snapshots,) = said(save="3600 1")
    assert "snapshots only" in snapshots
    (each_second,) = said(appendonly="yes", appendfsync="everysec")
    assert "the last second" in each_second
    assert said(appendfsync="always") == []
    (evicting,) = said(maxmemory_policy="allkeys-lru")
    assert "maxmemory-policy allkeys-lru" in evicting


def test_a_server_that_comes_back_empty_gives_no_token_twice(own_redis, make_scheduler, caplog):
    store = open_store(own_redis.url, "jobs", lease=1)
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    before = store._node_context.token
    caplog.set_level(logging.WARNING)
    own_redis.kill()
    own_redis.start()
    end = time.monotonic() + 20
    while store._node_context.token == before:
        assert time.monotonic() < end, caplog.text
        time.sleep(0.05)
    assert store._node_context.token > before
    heard = EventRecorder()
    scheduler.add_listener(heard)
    scheduler.add_job(print, id="again")
    heard.wait_for(EVENT_JOB_EXECUTED, "again")


def test_a_cluster_can_hold_all_keys(make_scheduler, tmp_path):
    """A cluster of one refuses scripts on keys of several slots as one of many does."""
    program = servers.shutil.which("redis-server")
    if program is None:
        servers.missing("Redis is not installed (apt-get install redis-server)")
    port = servers.free_port()
    options = ["--cluster-enabled", "yes", "--save", "", "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    # A cluster's nodes talk to each other at a port that is by 10,000 higher, if it isn't said.
    options += ["--cluster-port", str(servers.free_port())]
    process = subprocess.Popen([program, "--port", str(port), *options], stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as plain:
            end = time.monotonic() + 20
            while True:
                try:
                    plain.ping()
                    break
                except redis.ConnectionError:
                    assert time.monotonic() < end
                    time.sleep(0.02)
            plain.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            while plain.cluster("info")["cluster_state"] != "ok":
                assert time.monotonic() < end
                time.sleep(0.02)
        client = redis.RedisCluster(host="127.0.0.1", port=port)
        store = RedisJobStore(client=client)
        scheduler = make_scheduler(jobstores={"default": store}, start=True)
        heard = EventRecorder()
        scheduler.add_listener(heard)
        scheduler.set_group("api", limit=1)
        scheduler.add_jobs({"func": print, "trigger": "date", "id": str(n), "group": "api"} for n in range(5))
        scheduler.add_job(print, "interval", hours=1, id="hourly")
        scheduler.run_job("hourly").wait(20)
        heard.wait_for(EVENT_JOB_EXECUTED, count=6)
        scheduler.remove_job("hourly")
        scheduler.shutdown()
        keys = {key.decode() for key in client.scan_iter("*")}
        assert keys
        assert {client.keyslot(key) for key in keys} == {client.keyslot("mainspring.jobs")}
        client.close()
    finally:
        process.terminate()
        process.wait(20)


# MongoDB alone


def test_a_client_of_the_programs_own_stays_open(mongodb_url, tablename, make_scheduler):
    with pymongo.MongoClient(mongodb_url) as client:
        store = MongoDBJobStore("mainspring_tests", tablename, client)
        scheduler = make_scheduler(jobstores={"default": store}, start=True)
        scheduler.add_job(print, "interval", hours=1, id="a")
        scheduler.shutdown()
        assert client.mainspring_tests[tablename].find_one()["_id"] == "a"


@pytest.mark.xdist_group("mongodb")
def test_without_change_streams_others_changes_are_seen_within_a_second(make_scheduler, caplog):
    caplog.set_level(logging.INFO)
    try:
        server = servers.MongoDB(alone=True)
    except servers.ServerMissingError as error:
        servers.missing(str(error))
    try:
        running = make_scheduler(jobstores={"default": open_store(server.url, "jobs")}, start=True)
        heard = EventRecorder()
        running.add_listener(heard)
        other = make_scheduler(jobstores={"default": open_store(server.url, "jobs")})
        other.start(paused=True)
        other.add_job(print, id="theirs")
        heard.wait_for(EVENT_JOB_EXECUTED, "theirs")
        assert "no change streams, which need a replica set: looking once a second" in caplog.text
        other.shutdown()
        running.shutdown()
    finally:
        server.stop()
        server.remove()


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_of_a_mongodb_job_what_is_due_and_what_is_queued_are_claimed_together(
    mongodb_url, tablename, monkeypatch, is_cancelled
):
    node = open_store(mongodb_url, tablename)
    node.start(None, "default")
    node.add_records([record("a", every=10)], None)
    queued = QueuedRun("a", record("a").next_run_time, 1, record("a").next_run_time, "manual")
    (run,) = node.enqueue([queued._replace(attempt=2, available=queued.available - timedelta(seconds=1))])
    take = node._backend._claiming._take

    def late(decisions, *others):
        """Somebody cancels it in the last moment."""
        if is_cancelled and decisions:
            assert node.cancel(run.key)
        return take(decisions, *others)

    monkeypatch.setattr(node._backend._claiming, "_take", late)
    decisions = claim(node, 0).decisions
    if is_cancelled:
        assert [
            (one.run, one.submit, one.overlapping) for one in decisions
        ] == []  # what was decided about the due time rested on the other's being run
        decisions = claim(node, 0).decisions
        assert [list(one.submit) for one in decisions] == [[record("a").next_run_time]]
    else:
        assert [one.run for one in decisions] == [run, None]
        assert decisions[1].overlapping
    node._held = 0
    node.shutdown()


def test_a_claim_that_was_cut_short_is_completed_by_another_node(mongodb_url, tablename, monkeypatch):
    nodes = [open_store(mongodb_url, tablename) for _ in range(2)]
    for node in nodes:
        node.start(None, "default")
    one, other = nodes
    one.add_records([record("a", every=10)], None)
    monkeypatch.setattr(one._backend._claiming, "move_outboxes", lambda which: None)  # as if it died there
    claim(one, 0)
    (decision,) = claim(one, 10).decisions
    assert decision.overlapping
    assert [run.outcome for run in one.list_runs("a", None, None, 10)] == [None]
    other.collection.update_one({"_id": "a"}, {"$set": {"updated": "2026-01-01 00:00:00.000000"}})
    other._backend._looked_at -= 11
    other._backend.cluster_status(0)
    assert [run.outcome for run in other.list_runs("a", None, None, 10)] == ["skipped", None]
    for node in nodes:
        node._held = 0
        node.shutdown()
