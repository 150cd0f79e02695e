"""Tables that older releases made, as `versions` has them, become tables as they are made now; their jobs run on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from mainspring.events import EVENT_JOB_EXECUTED
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.jobstores.sqlalchemy.schema import VERSION
from mainspring.testing import EventRecorder

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
        for table in ("jobs", "runs", "nodes", "schema")
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
    with store.engine.begin() as connection:
        for column in ("reruns", "job_removed"):
            connection.exec_driver_sql(
                f"ALTER TABLE {tablename.removesuffix('_jobs')}_runs DROP COLUMN {column}"
            )
    store.engine.dispose()
    again = SQLAlchemyJobStore(database_url, tablename=tablename)
    assert "ADD COLUMN job_removed" in again.pending_migration()
    scheduler = make_scheduler(jobstores={"default": again}, start=True)
    assert again.pending_migration() == ""
    job = scheduler.add_job("operator:add", "date", run_date="2100-01-01", args=[1, 2])
    assert job.run_now().wait(30).outcome == "succeeded"


def test_new_tables_need_no_migration(database_url, tablename, make_scheduler):
    store = SQLAlchemyJobStore(database_url, tablename=tablename)
    assert store.pending_migration() == ""
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
