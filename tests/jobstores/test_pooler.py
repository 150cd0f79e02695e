"""PostgreSQL through a pooler that lends its sessions for one transaction each: nothing rests on a session."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

import servers
from mainspring.errors import ConfigurationError
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.schedulers.background import BackgroundScheduler
from stores import with_driver

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def start_pooler(postgres_url):
    """Starts poolers in front of the server, one for each of their settings."""
    made = {}

    def start(**settings):
        key = tuple(settings.items())
        if key not in made:
            try:
                made[key] = servers.PgBouncer(postgres_url, settings)
            except servers.ServerMissingError as error:
                servers.missing(str(error))
        return made[key]

    yield start
    for pooler in made.values():
        pooler.stop()
        pooler.remove()


@pytest.fixture(params=["psycopg", "psycopg2"])
def pooled_url(request, start_pooler):
    """Few sessions of the server, by each driver."""
    return with_driver(start_pooler(default_pool_size="3").url, request.param)


def settings_within(entered):
    names = ("statement_timeout", "idle_in_transaction_session_timeout")
    with entered as connection:
        return [connection.execute(text(f"SHOW {name}")).scalar() for name in names]


def test_several_nodes_run_jobs_through_a_pooler(pooled_url, tablename, make_scheduler):
    nodes = []
    for _ in range(3):
        scheduler = make_scheduler(jobstores={"default": SQLAlchemyJobStore(pooled_url, tablename=tablename)})
        scheduler.start()
        nodes.append(scheduler)
    for number in range(10):
        nodes[0].add_job("operator:add", "interval", days=1, args=[number, 1], id=str(number))
    handles = [nodes[number % 3].run_job(str(number)) for number in range(10)]
    assert [handle.wait(30).result for handle in handles] == [str(number + 1) for number in range(10)]
    assert not any(node.health().store_errors for node in nodes)


def test_many_jobs_are_added_at_once_through_a_pooler(pooled_url, tablename, make_scheduler):
    scheduler = make_scheduler(jobstores={"default": SQLAlchemyJobStore(pooled_url, tablename=tablename)})
    scheduler.start(paused=True)
    for first in range(0, 400, 200):
        scheduler.add_jobs(
            {"func": "operator:add", "trigger": "interval", "days": 1, "args": [number, 1], "id": str(number)}
            for number in range(first, first + 200)
        )
    assert len(scheduler.get_jobs()) == 400


def test_nothing_is_left_in_a_session(pooled_url, tablename, started):
    store = started(SQLAlchemyJobStore(pooled_url, tablename=tablename))
    database = store._backend.database
    assert database.is_pooled
    for _ in range(10):  # the driver prepares what comes again
        assert settings_within(database.writing()) == ["30s", "30s"]
        assert settings_within(database.reading()) == ["30s", "30s"]
    plain = make_url(pooled_url).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(plain, prepare_threshold=None, autocommit=True) as connection:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("0",)
        assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
    assert store._backend.listen(lambda: None) is None  # it would hear what others listen to


def test_a_server_without_a_pooler_is_told_from_one(postgres_url, tablename, started):
    store = started(SQLAlchemyJobStore(postgres_url, tablename=tablename))
    assert not store._backend.database.is_pooled
    assert settings_within(store._backend.database.reading()) == ["30s", "30s"]
    told = started(SQLAlchemyJobStore(postgres_url, tablename=tablename, pooled=True))
    assert told._backend.database.is_pooled
    assert settings_within(told._backend.database.reading()) == ["30s", "30s"]
    assert told._backend.listen(lambda: None) is None


def test_a_pooler_that_keeps_sessions_can_be_said(start_pooler, tablename, started):
    url = start_pooler(pool_mode="session").url
    store = started(SQLAlchemyJobStore(url, tablename=tablename, pooled=False))
    assert not store._backend.database.is_pooled
    assert settings_within(store._backend.database.reading()) == ["30s", "30s"]
    assert store._backend.listen(lambda: None) is not None


def test_an_engine_of_the_program_through_a_pooler(pooled_url, tablename, started):
    engine = create_engine(pooled_url)
    store = started(SQLAlchemyJobStore(engine=engine, tablename=tablename))
    assert store._backend.database.is_pooled
    for _ in range(10):
        assert settings_within(store._backend.database.reading()) == ["0", "0"]  # they are the engine's
    engine.dispose()


def test_options_of_sessions_are_refused_with_what_to_do(start_pooler, tablename):
    url = start_pooler(default_pool_size="3").url
    options = {"connect_args": {"options": "-c statement_timeout=1000"}}
    scheduler = BackgroundScheduler()
    scheduler.add_jobstore(SQLAlchemyJobStore(url, tablename=tablename, engine_options=options))
    with pytest.raises(ConfigurationError, match="leave them out of url and connect_args"):
        scheduler.start()


def test_what_is_not_of_postgresql_has_no_pooler():
    with pytest.raises(ConfigurationError, match="pooled is for a pooler in front of PostgreSQL"):
        SQLAlchemyJobStore("sqlite://", pooled=True)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_all_tests_of_stores_through_a_pooler(start_pooler):
    environment = {
        **os.environ,
        "MAINSPRING_TEST_POSTGRES_URL": start_pooler(default_pool_size="20").url,
        "MAINSPRING_TEST_POOLED": "1",
    }
    # Those that rest on hearing of changes, which no pooler passes on; of servers of their own; of other users, since this pooler logs in as one;
    # and those that have commits fail, of which a look has one, too, behind a pooler: that pass ends, and the next one looks again.
    left_out = (
        "test_real_failures or test_drivers or test_pooler or announce or listen or test_rights "
        "or test_an_answer_that_is_lost_loses or test_a_deadlock_is_tried_again"
    )
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-m", "not soak"),
            *("tests/jobstores", "tests/shared_store", "-k", f"postgres and not ({left_out})"),
        ],
        cwd=ROOT,
        env=environment,
        check=True,
    )
