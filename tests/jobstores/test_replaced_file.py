"""A file of SQLite that is removed, or that another is put in the place of, while a node is at work."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from contextlib import closing

import pytest

from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.jobstores.sqlalchemy.failures import failure_of
from waiting import wait_for


def count(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM mainspring_jobs").fetchone()[0]


def test_a_file_that_is_gone_is_waited_for_and_not_made_anew(tmp_path, make_scheduler, caplog):
    caplog.set_level(logging.INFO)
    file, aside = tmp_path / "jobs.sqlite", tmp_path / "aside.sqlite"
    scheduler = make_scheduler(
        jobstores={"default": SQLAlchemyJobStore(f"sqlite:///{file}", lease=2)}, start=True
    )
    scheduler.add_job(print, "date", run_date="2100-01-01", id="kept")
    file.rename(aside)
    error = wait_for(lambda: scheduler.health().store_errors.get("default"))
    assert f"the file {file} is not there any more" in error
    assert not file.exists()
    aside.rename(file)
    wait_for(lambda: scheduler.health().ok)
    scheduler.add_job(print, "date", run_date="2100-01-01", id="more")
    assert count(file) == 2
    assert not any(record.exc_info for record in caplog.records if record.levelno > logging.DEBUG)


def test_all_connections_lead_to_the_file_that_is_there(tmp_path, make_scheduler):
    file, copy = tmp_path / "jobs.sqlite", tmp_path / "copy.sqlite"
    store = SQLAlchemyJobStore(f"sqlite:///{file}", lease=2)
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    scheduler.add_job(print, "date", run_date="2100-01-01", id="kept")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    scheduler.add_job(print, "date", run_date="2100-01-01", id="forgotten")
    for name in ("jobs.sqlite-wal", "jobs.sqlite-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    shutil.copy(copy, tmp_path / "new.sqlite")
    os.replace(tmp_path / "new.sqlite", file)
    assert [job.id for job in scheduler.get_jobs()] == ["kept"]
    scheduler.add_job(print, "date", run_date="2100-01-01", id="new")
    assert count(file) == 2


def test_what_is_raised_for_a_file_that_is_gone_may_pass(tmp_path):
    file = tmp_path / "jobs.sqlite"
    store = SQLAlchemyJobStore(f"sqlite:///{file}")
    with store.engine.connect():
        pass
    file.unlink()
    for _ in range(2):  # of a connection of the pool, and of a new one
        with pytest.raises(Exception, match="not there any more") as raised:
            store.engine.connect()
        assert failure_of(raised.value).passes
        store.engine.dispose()
    assert not file.exists()
