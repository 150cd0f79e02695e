"""Deployments that share a database, and never meet."""

from __future__ import annotations

import io
import re
import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

import mainspring.jobstores.redis
from mainspring.errors import ConfigurationError
from mainspring.events import EVENT_ALL
from mainspring.jobstores.redis.server import OWN_NAMES
from mainspring.jobstores.shared.namespaces import LONGEST, checked_namespace
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.retry import Retry
from mainspring.testing import EventRecorder
from mainspring.testing.conformance import record
from stores import open_store
from waiting import wait_for

calls: dict[str, list[str]] = {}


def note(where, what):
    calls.setdefault(where, []).append(what)


def fail_once(where):
    note(where, "failing")
    if calls[where].count("failing") == 1:
        raise OSError("the first attempt")


def hold(where, event):
    note(where, "holding")
    held[event].wait(30)


held: dict[str, threading.Event] = {}


def names_in(url):
    """The tables, keys or collections that are there."""
    if url.startswith("redis"):
        import redis

        with redis.Redis.from_url(url) as client:
            return {key.decode() for key in client.keys("*")}
    if url.startswith("mongodb"):
        from pymongo import MongoClient

        with MongoClient(url) as client:
            return set(client["mainspring_tests"].list_collection_names())
    engine = create_engine(url)
    try:
        known = inspect(engine)
        tables = set(known.get_table_names())
        return tables | {index["name"] for table in tables for index in known.get_indexes(table)}
    finally:
        engine.dispose()


def test_deployments_with_the_same_ids_at_the_same_time_never_meet(store_url, tablename, make_scheduler):
    """Three of them, as three programs would be: the same names for everything, but for the namespace."""
    stem = uuid.uuid4().hex[:6]
    namespaces = [f"a{stem}", f"b{stem}", None]
    schedulers, heard = {}, {}
    before = names_in(store_url)
    for namespace in namespaces:
        store = open_store(store_url, tablename, namespace=namespace, node_name="the node")
        scheduler = make_scheduler(jobstores={"default": store}, start=True)
        schedulers[namespace], heard[namespace] = scheduler, EventRecorder()
        scheduler.add_listener(heard[namespace], EVENT_ALL)
    when = datetime.now(UTC) + timedelta(seconds=0.3)
    for namespace, scheduler in schedulers.items():
        where = f"{stem} {namespace}"
        held[where] = threading.Event()
        scheduler.set_group("together", limit=1)
        scheduler.add_job(note, "date", run_date=when, id="same", args=[where, "due"])
        scheduler.add_job(
            fail_once,
            "date",
            run_date=when,
            id="again",
            args=[where],
            retry=Retry(attempts=2, delay=0.05),
        )
        scheduler.add_job(hold, "date", run_date=when, id="held", args=[where, where], group="together")
    # Each holds the only place of its own group at the same time.
    for namespace, scheduler in schedulers.items():
        wait_for(lambda namespace=namespace: "holding" in calls.get(f"{stem} {namespace}", []))
        assert [group.limit for group in scheduler.get_groups()] == [1]
    for event in held.values():
        event.set()
    for namespace, scheduler in schedulers.items():
        where = f"{stem} {namespace}"

        def outcomes(scheduler=scheduler):
            return sorted((run.job_id, run.attempt, run.outcome) for run in scheduler.get_runs())

        wanted = [
            ("again", 1, "failed"),
            ("again", 2, "succeeded"),
            ("held", 1, "succeeded"),
            ("same", 1, "succeeded"),
        ]
        wait_for(lambda outcomes=outcomes: outcomes() == wanted)
        assert sorted(calls[where]) == ["due", "failing", "failing", "holding"]

    first, second, third = schedulers.values()
    first.add_job(note, "date", run_date="2100-01-01", id="kept", args=["", ""])
    second.add_job(note, "date", run_date="2100-01-02", id="kept", args=["", ""])
    third.remove_all_jobs()
    first.pause_job("kept")
    assert first.get_job("kept").next_run_time is None
    assert second.get_job("kept").next_run_time == datetime(2100, 1, 2, tzinfo=UTC)
    assert third.get_jobs() == []
    second.remove_job("kept")
    assert [job.id for job in first.get_jobs()] == ["kept"]

    new = names_in(store_url) - before
    for namespace in namespaces[:2]:
        assert any(namespace in name for name in new)
    for namespace, scheduler in schedulers.items():
        assert dict(scheduler.health().store_namespaces) == (
            {} if namespace is None else {"default": namespace}
        )


def test_nobody_of_another_namespace_is_told_of_changes_or_taken_for_dead(
    store_url, tablename, make_scheduler
):
    one = open_store(store_url, tablename, namespace="one")
    two = open_store(store_url, tablename, namespace="two")
    for store in (one, two):
        make_scheduler(jobstores={"default": store}, start=True)
    living = [
        [node.name for node in store._backend.cluster_status(store._node_context.token).living]
        for store in (one, two)
    ]
    assert [len(names) for names in living] == [1, 1]
    if store_url.startswith("postgresql"):
        assert one._backend._context.channel != two._backend._context.channel


def test_jobs_move_from_one_namespace_to_another_by_a_file(database_url, tablename, make_scheduler, tmp_path):
    old = make_scheduler(
        jobstores={"default": open_store(database_url, tablename, namespace="old")}, start=True
    )
    old.add_job(note, "date", run_date="2100-01-01", id="moved", args=["a", "b"])
    old.export_jobs(tmp_path / "jobs.json")
    new = make_scheduler(
        jobstores={"default": open_store(database_url, tablename, namespace="new")}, start=True
    )
    (job,) = new.import_jobs(tmp_path / "jobs.json")
    assert (job.id, job.args) == ("moved", ("a", "b"))


def test_people_are_told_of_the_namespace(tmp_path, make_scheduler):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    scheduler = make_scheduler(
        jobstores={"default": {"type": "sqlalchemy", "url": url, "namespace": "staging"}}, start=True
    )
    printed = io.StringIO()
    scheduler.print_jobs(out=printed)
    assert printed.getvalue().startswith("Jobstore default, namespace 'staging':")
    store = scheduler._stores["default"]
    assert store._outage.name == f"Job store 'default' ({url}, namespace 'staging')"
    assert store.jobs_t.name == "staging_mainspring_jobs"


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("Staging", "'staging'"),
        ("staging-eu", "'staging_eu'"),
        ("staging.eu", "'staging_eu'"),
        ("2nd", "'nd'"),
        ("_x", "'x'"),
        ("x" * (LONGEST + 1), repr("x" * LONGEST)),
        ("a b\n", "'a_b'"),
        ("", "leave it out"),
        ("Ü", "leave it out"),
        ("{x}", "'x'"),
        (7, "leave it out"),
    ],
)
def test_what_can_be_no_namespace_is_refused_with_one_that_can(given, nearest):
    with pytest.raises(ConfigurationError, match="namespace must be") as raised:
        checked_namespace(given)
    assert nearest in str(raised.value)


@pytest.mark.parametrize("given", ["staging", "a", "eu_2", "x" * LONGEST])
def test_words_can_be_namespaces(given):
    assert checked_namespace(given) == given


@pytest.mark.parametrize("kind", ["postgresql+psycopg://u@h/d", "mysql+pymysql://u@h/d"])
def test_names_that_a_database_would_cut_off_are_refused(kind):
    SQLAlchemyJobStore(kind, namespace="x" * LONGEST)
    with pytest.raises(ConfigurationError, match=r"names of tables and indexes are too long.*shorter by \d+"):
        SQLAlchemyJobStore(kind, namespace="x" * LONGEST, tablename="y" * 30)
    SQLAlchemyJobStore("sqlite://", namespace="x" * LONGEST, tablename="y" * 30)


def pairs_of_names(url, stem):
    """Pairs of names of which the second would have its jobs, or its runs, where the first has its own."""
    if url.startswith("redis"):
        return [(f"{{{stem}}}", f"{{{stem}}}:job"), (f"{{{stem}}}:ended", f"{{{stem}}}")]
    pairs = [(stem, f"{stem}_jobs"), (f"{stem}_jobs", stem), (stem, f"{stem}_runs"), (f"{stem}_runs", stem)]
    return [*pairs, (f"{stem}_jobs", f"{stem}_nodes"), (f"{stem}_groups", f"{stem}_jobs")]


def test_stores_that_would_share_some_of_their_names_are_refused_at_the_start(store_url, started):
    number = uuid.uuid4().hex[:8]
    for at in range(len(pairs_of_names(store_url, ""))):
        first, second = pairs_of_names(store_url, f"n{number}{at}")[at]
        started(open_store(store_url, first)).shutdown()
        with pytest.raises(ConfigurationError, match=r"Give another") as told:
            started(open_store(store_url, second))
        assert repr(first) in str(told.value) or repr(second) in str(told.value), (first, second)
        again = started(open_store(store_url, first))
        again.add_records([record("a", paused=True)], None)
        assert [one.id for one in again.list_records()] == ["a"]


def test_a_table_of_the_programs_own_beside_that_of_the_jobs_is_left_alone(database_url, started):
    stem = f"n{uuid.uuid4().hex[:8]}"
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {stem} (id INTEGER PRIMARY KEY, func VARCHAR(10))")
    engine.dispose()
    assert started(open_store(database_url, f"{stem}_jobs")).list_records() == []


@pytest.mark.parametrize("name", ["job", "runs:x", "queue"])
def test_run_times_of_redis_are_not_where_other_keys_are(name, redis_url):
    with pytest.raises(ConfigurationError, match="give another name"):
        open_store(redis_url, "jobs", run_times_key=name)


def test_nodes_with_other_run_times_are_refused(redis_url, tablename, started):
    started(open_store(redis_url, tablename, run_times_key="one"))
    with pytest.raises(ConfigurationError, match="run_times_key='one', got 'two'"):
        started(open_store(redis_url, tablename, run_times_key="two"))


def test_the_keys_of_redis_are_those_that_are_documented():
    folder = Path(mainspring.jobstores.redis.__file__).parent
    scripts = "".join(path.read_text() for path in (folder / "scripts").glob("*.lua"))
    code = "".join(path.read_text() for path in folder.glob("*.py"))
    used = set(re.findall(r"key\('([a-z_]+)", scripts)) | set(re.findall(r"key\(f?\"([a-z_]+)", code))
    used |= set(re.findall(r"base \.\. ':([a-z_]+)", scripts))
    used |= set(re.findall(r"(?:count|counted|read_counts)\('([a-z_]+)'", scripts))
    assert used == set(OWN_NAMES)
    page = Path("docs/stores/redis.md").read_text().partition("## Keys to read")[2].partition("\n## ")[0]
    assert used <= set(re.findall(r"`([a-z_]+)(?::<\w+>)?`", page))
