"""Tables that older releases made, as `versions` has them, become tables as they are made now; their jobs run on."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from mainspring.errors import ConfigurationError
from mainspring.events import EVENT_JOB_EXECUTED
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.jobstores.sqlalchemy.schema import VERSION
from mainspring.testing import EventRecorder
from stores import open_store
from waiting import wait_for

_VERSIONS = Path(__file__).parent / "versions"


@pytest.fixture(params=range(1, VERSION))
def old_store(request, database_url, tablename):
    """A store over tables of an older version, which have one job."""
    engine = create_engine(database_url)
    written = (_VERSIONS / f"{request.param}-{engine.dialect.name}.sql").read_text()
    with engine.begin() as connection:
        for statement in written.replace("STEM", tablename.removesuffix("_jobs")).split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()
    store = SQLAlchemyJobStore(database_url, tablename=tablename)
    yield store
    store.engine.dispose()


def shape(engine, tablename):
    """The columns of all tables of a store, in alphabetical order, and the version that it says it has."""
    known = inspect(engine)
    stem = tablename.removesuffix("_jobs")
    columns = {
        table: sorted(
            (column["name"], repr(column["type"]), column["nullable"])
            for column in known.get_columns(f"{stem}_{table}")
        )
        for table in ("jobs", "runs", "nodes", "schema", "groups", "audit", "rollups")
        if known.has_table(f"{stem}_{table}")  # older versions have fewer
    }
    indexes = {
        table: sorted(index["name"] for index in known.get_indexes(f"{stem}_{table}")) for table in columns
    }
    with engine.connect() as connection:
        version = connection.execute(text(f"SELECT version FROM {stem}_schema")).scalar_one()
    return (
        columns,
        {table: [name.replace(stem, "") for name in names] for table, names in indexes.items()},
        version,
    )


def test_old_tables_become_like_new_ones_and_keep_their_jobs(old_store, database_url, make_scheduler):
    scheduler = make_scheduler(jobstores={"default": old_store}, start=True)
    (job,) = scheduler.get_jobs()
    assert (job.id, job.args, job.tags) == ("kept", (1, 2), ())
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
    job.modify(next_run_time="2026-01-01", tags=["nightly"])
    (event,) = heard.wait_for(EVENT_JOB_EXECUTED)
    assert event.retval == 3

    other = SQLAlchemyJobStore(database_url, tablename=f"new_{old_store.jobs_t.name}")
    make_scheduler(jobstores={"default": other}, start=True)
    assert shape(old_store.engine, old_store.jobs_t.name) == shape(other.engine, other.jobs_t.name)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_store_that_is_only_asked_leaves_no_connection_open(database_url, tablename):
    store = SQLAlchemyJobStore(database_url, tablename=tablename, signing_key="k" * 32)
    assert "CREATE TABLE" in store.pending_migration()
    assert store.engine.pool.checkedin() == 0
    assert store.sign_jobs(dry_run=True) == []
    assert store.engine.pool.checkedin() == 0


def test_what_a_migration_would_do_can_be_read_before_and_done_by_hand(old_store, make_scheduler):
    before = shape(old_store.engine, old_store.jobs_t.name)
    planned = old_store.pending_migration()
    assert "ADD COLUMN priority" in planned
    assert shape(old_store.engine, old_store.jobs_t.name) == before

    with old_store.engine.begin() as connection:
        for statement in planned.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    assert old_store.pending_migration() == ""
    scheduler = make_scheduler(jobstores={"default": old_store}, start=True)
    assert [job.id for job in scheduler.get_jobs()] == ["kept"]


def test_a_migration_that_was_cut_off_goes_on_at_the_next_start(old_store, make_scheduler):
    with old_store.engine.begin() as connection:  # as MySQL leaves it, which can't undo changes of tables
        connection.exec_driver_sql(
            f"ALTER TABLE {old_store.jobs_t.name} ADD COLUMN priority INTEGER DEFAULT 0 NOT NULL"
        )
    scheduler = make_scheduler(jobstores={"default": old_store}, start=True)
    assert scheduler.get_job("kept").priority == 0
    assert old_store.pending_migration() == ""


def test_tables_that_were_made_before_all_of_their_version_was_there_get_what_is_missing(
    database_url, tablename, make_scheduler
):
    store = SQLAlchemyJobStore(database_url, tablename=tablename)
    make_scheduler(jobstores={"default": store}, start=True).shutdown()
    stem = tablename.removesuffix("_jobs")
    made = shape(store.engine, tablename)
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {stem}_audit")
        if store.engine.dialect.name != "mysql":
            connection.exec_driver_sql(f"DROP INDEX ix_{stem}_runs_trouble")
        for column in ("reruns", "job_removed"):
            connection.exec_driver_sql(f"ALTER TABLE {stem}_runs DROP COLUMN {column}")
    store.engine.dispose()
    again = SQLAlchemyJobStore(database_url, tablename=tablename)
    assert "ADD COLUMN job_removed" in again.pending_migration()
    scheduler = make_scheduler(jobstores={"default": again}, start=True)
    assert again.pending_migration() == ""
    assert shape(again.engine, tablename) == made
    job = scheduler.add_job("operator:add", "date", run_date="2100-01-01", args=[1, 2])
    assert job.run_now().wait(30).outcome == "succeeded"


def test_new_tables_need_no_migration(database_url, tablename, make_scheduler):
    store = SQLAlchemyJobStore(database_url, tablename=tablename)
    make_scheduler(jobstores={"default": store}, start=True)
    assert store.pending_migration() == ""


def test_a_start_that_has_nothing_to_migrate_does_without_alembic(tmp_path):
    program = f"""
import sys
sys.modules["alembic"] = None
from mainspring import BackgroundScheduler
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
scheduler = BackgroundScheduler(jobstores={{"default": SQLAlchemyJobStore("sqlite:///{tmp_path}/jobs.sqlite")}})
scheduler.start()
scheduler.shutdown()
store = SQLAlchemyJobStore("sqlite:///{tmp_path}/jobs.sqlite")
with store.engine.begin() as connection:
    connection.exec_driver_sql("UPDATE mainspring_schema SET version = 1")
try:
    store.pending_migration()
except Exception as error:
    print(error)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert 'pip install "mainspring[sqlalchemy]"' in ran.stdout


def run_all(engine, statements):
    with engine.begin() as connection:
        for statement in statements.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)


def test_the_statements_that_make_new_tables_can_be_read_before_and_run_by_hand(
    database_url, tablename, make_scheduler
):
    store = SQLAlchemyJobStore(database_url, tablename=tablename)
    planned = store.pending_migration()
    run_all(store.engine, planned)
    assert store.pending_migration() == ""
    made = shape(store.engine, tablename)
    make_scheduler(jobstores={"default": store}, start=True)
    assert shape(store.engine, tablename) == made
    other = SQLAlchemyJobStore(database_url, tablename=f"new_{tablename}")
    make_scheduler(jobstores={"default": other}, start=True)
    assert shape(other.engine, other.jobs_t.name) == made


def test_a_table_that_is_missing_is_told_of_and_made_again(database_url, tablename, make_scheduler):
    store = SQLAlchemyJobStore(database_url, tablename=tablename)
    make_scheduler(jobstores={"default": store}, start=True).shutdown()
    groups = f"{tablename.removesuffix('_jobs')}_groups"
    run_all(store.engine, f"DROP TABLE {groups}")
    planned = store.pending_migration()
    assert f"CREATE TABLE {groups}" in planned
    assert "INSERT" not in planned
    make_scheduler(jobstores={"default": store}, start=True).set_group("x", limit=1)


def living(engine, tablename, *, seconds_ago):
    """Somebody of an older release is at work, and was heard of so long ago by the database's clock."""
    now = {
        "sqlite": f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '-{seconds_ago} seconds')",
        "postgresql": f"clock_timestamp() - interval '{seconds_ago} seconds'",
        "mysql": f"utc_timestamp(6) - interval {seconds_ago} second",
    }[engine.dialect.name]
    run_all(
        engine,
        f"INSERT INTO {tablename.removesuffix('_jobs')}_nodes (name, host, pid, version, executors, clock_offset, lease, started, heartbeat, state) "
        f"VALUES ('older', 'h', 1, '0.0.9', '[]', 0, 30000, {now}, {now}, 'alive')",
    )


@pytest.mark.parametrize("old_store", [1, VERSION - 1], indirect=True)
def test_tables_that_nodes_of_an_older_release_use_are_not_changed_so_that_they_can_not(
    old_store, make_scheduler
):
    engine, name = old_store.engine, old_store.jobs_t.name
    living(engine, name, seconds_ago=20)
    before = shape(engine, name)
    scheduler = make_scheduler(jobstores={"default": old_store})
    with pytest.raises(ConfigurationError, match=r"Nodes of an older release are at work: older\. End them"):
        scheduler.start()
    assert shape(engine, name) == before
    run_all(engine, f"DELETE FROM {name.removesuffix('_jobs')}_nodes")
    living(engine, name, seconds_ago=40)  # it was killed
    scheduler.start()
    assert shape(engine, name)[2] == VERSION


def test_tables_of_a_newer_release_are_refused_with_what_to_do(database_url, tablename, make_scheduler):
    store = SQLAlchemyJobStore(database_url, tablename=tablename)
    make_scheduler(jobstores={"default": store}, start=True).shutdown()
    run_all(store.engine, f"UPDATE {tablename.removesuffix('_jobs')}_schema SET version = {VERSION + 1}")
    words = rf"have version {VERSION + 1}, but only {VERSION} and older are understood.*Upgrade this node; or, to go back"
    with pytest.raises(ConfigurationError, match=words):
        make_scheduler(jobstores={"default": store}).start()
    with pytest.raises(ConfigurationError, match=words):
        store.pending_migration()
    store.engine.dispose()


def test_a_node_that_was_taken_for_dead_does_not_come_back_to_tables_that_it_does_not_understand(
    store_url, tablename, make_scheduler, caplog
):
    """It was stopped while all others were upgraded."""
    store = open_store(store_url, tablename, lease=2)
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    if store_url.startswith("redis"):
        store.redis.set(store._backend.server.key("schema"), 99)
    elif store_url.startswith("mongodb"):
        store._server.notes.update_one({"_id": "schema"}, {"$set": {"version": 99}})
    else:
        run_all(store.engine, f"UPDATE {tablename.removesuffix('_jobs')}_schema SET version = 99")
    (own,) = [node for node in store._backend.known_nodes() if node.token == store._node_context.token]
    wait_for(
        lambda: store._backend.declare_dead(
            own.token, next(n for n in store._backend.known_nodes() if n.token == own.token).heartbeat
        )
    )
    error = wait_for(
        lambda: next(
            (said for said in scheduler.health().store_errors.values() if "have version 99" in said), None
        )
    )
    assert "Upgrade this node" in error
    assert not store._membership.lease.is_held()
    told = [record for record in caplog.records if "can't be used any more" in record.getMessage()]
    assert len(told) == 1


def test_nodes_that_start_at_once_migrate_once(old_store, database_url, make_scheduler):
    stores = [SQLAlchemyJobStore(database_url, tablename=old_store.jobs_t.name) for _ in range(4)]
    barrier = threading.Barrier(len(stores))

    def start(store):
        barrier.wait(30)
        make_scheduler(jobstores={"default": store}).start()

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(start, stores))
    assert old_store.pending_migration() == ""
    assert shape(old_store.engine, old_store.jobs_t.name)[2] == VERSION
    tokens = {store._node_context.token for store in stores}
    assert len(tokens) == len(stores)


@pytest.mark.parametrize("old_store", [1], indirect=True)
def test_a_start_that_was_killed_in_the_middle_of_a_migration_is_made_good_by_the_next(
    old_store, database_url, make_scheduler
):
    """It waits for a table that somebody reads, having changed another."""
    if database_url.startswith("sqlite"):
        pytest.skip(
            "nobody's reading keeps SQLite from changing a table: its transaction is whole or not there"
        )
    engine, name = old_store.engine, old_store.jobs_t.name
    stem = name.removesuffix("_jobs")
    program = (
        "from mainspring import BackgroundScheduler, SQLAlchemyJobStore\n"
        f"BackgroundScheduler(jobstores={{'default': SQLAlchemyJobStore({database_url!r}, tablename={name!r})}}).start()\n"
    )
    with engine.connect() as reader, engine.connect() as watcher:
        reader.execute(text(f"SELECT * FROM {stem}_runs")).all()  # in a transaction
        migrating = subprocess.Popen([sys.executable, "-c", program])
        try:
            waits = {
                "postgresql": f"SELECT count(*) FROM pg_locks JOIN pg_class ON relation = pg_class.oid WHERE relname = '{stem}_runs' AND NOT granted",
                "mysql": f"SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'ALTER TABLE {stem}_runs%' AND state LIKE 'Waiting%'",
            }[engine.dialect.name]
            watcher = watcher.execution_options(isolation_level="AUTOCOMMIT")
            wait_for(lambda: watcher.execute(text(waits)).scalar_one())
        finally:
            migrating.kill()
            migrating.wait(30)
    scheduler = make_scheduler(jobstores={"default": old_store}, start=True)
    assert [job.id for job in scheduler.get_jobs()] == ["kept"]
    assert old_store.pending_migration() == ""


@pytest.fixture
def restricted_url(postgres_url):
    """A user of PostgreSQL who may make no tables, and the URL of one who may."""
    name = f"u{uuid.uuid4().hex[:10]}"
    engine = create_engine(postgres_url)
    run_all(engine, f"CREATE ROLE {name} LOGIN")
    run_all(engine, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield postgres_url.replace("postgres@", f"{name}@"), name
    run_all(engine, f"DROP OWNED BY {name}")
    run_all(engine, f"DROP ROLE {name}")
    engine.dispose()


def test_who_may_make_no_tables_is_told_which_statements_somebody_else_has_to_run(
    restricted_url, postgres_url, tablename, make_scheduler
):
    url, user = restricted_url
    store = SQLAlchemyJobStore(url, tablename=tablename)
    scheduler = make_scheduler(jobstores={"default": store})
    with pytest.raises(ConfigurationError, match=r"this user may not make.*permission denied") as raised:
        scheduler.start()
    statements = str(raised.value).partition(":\n\n")[2]
    assert statements == store.pending_migration()
    stem = tablename.removesuffix("_jobs")
    tables = ", ".join(
        f"{stem}_{one}" for one in ("jobs", "runs", "nodes", "groups", "schema", "audit", "rollups")
    )
    administrator = create_engine(postgres_url)
    run_all(administrator, statements)
    run_all(administrator, f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {user}")
    scheduler.start()
    job = scheduler.add_job("operator:add", "date", run_date="2100-01-01", args=[1, 2])
    assert job.run_now().wait(30).outcome == "succeeded"

    # And when a release needs a column more.
    run_all(administrator, f"ALTER TABLE {stem}_runs DROP COLUMN reruns")
    administrator.dispose()
    other = SQLAlchemyJobStore(url, tablename=tablename)
    with pytest.raises(ConfigurationError, match=f"ALTER TABLE {stem}_runs ADD COLUMN reruns"):
        make_scheduler(jobstores={"default": other}).start()
