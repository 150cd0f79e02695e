"""Triggers of a program's own, which say nothing of how they are written, in stores that keep jobs as plain data."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, text

from mainspring import MemoryJobStore, SQLAlchemyJobStore
from mainspring.errors import SerializationError
from mainspring.events import EVENT_JOB_EXECUTED
from mainspring.testing import EventRecorder
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.cron import CronTrigger
from stores import MONGODB, open_store
from waiting import wait_for


class Every(BaseTrigger):
    """As somebody writes it for APScheduler."""

    def __init__(self, seconds):
        self.seconds = seconds

    def get_next_fire_time(self, previous_fire_time, now):
        return (previous_fire_time or now) + timedelta(seconds=self.seconds)

    def __str__(self):
        return f"every[{self.seconds}]"


def work():
    """A job."""


@pytest.fixture(params=["sqlite", "postgres", "redis", MONGODB])
def opened(request, tmp_path, tablename):
    url = (
        f"sqlite:///{tmp_path}/jobs.sqlite"
        if request.param == "sqlite"
        else request.getfixturevalue(f"{request.param}_url")
    )
    return lambda **options: open_store(url, tablename, **options)


@pytest.mark.parametrize("serializer", ["auto", "pickle"])
def test_it_is_kept_and_runs_after_a_restart(make_scheduler, opened, serializer):
    first = make_scheduler(jobstores={"default": opened(serializer=serializer)})
    first.start(paused=True)
    first.add_job(work, Every(0.05), id="own")
    first.add_job(work, OrTrigger([Every(0.05), CronTrigger(year=2055)]), id="combined")
    first.shutdown()
    second = make_scheduler(jobstores={"default": opened(serializer=serializer)})
    heard = EventRecorder()
    second.add_listener(heard)
    second.start()
    assert second.get_job("own").trigger.seconds == 0.05
    assert str(second.get_job("own").trigger) == "every[0.05]"
    assert str(second.get_job("combined").trigger) == "or[every[0.05], cron[year='2055']]"
    heard.wait_until(lambda: {event.job_id for event in heard.of(EVENT_JOB_EXECUTED)} == {"own", "combined"})


def test_it_is_refused_where_no_pickles_are(make_scheduler, tmp_path):
    store = SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite", serializer="json")
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    with pytest.raises(SerializationError, match="to_dict and from_dict"):
        scheduler.add_job(work, Every(1))


def test_its_class_is_asked_about(make_scheduler, tmp_path):
    store = SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite", functions=[f"{__name__}:work"])
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    with pytest.raises(SerializationError, match="Every"):
        scheduler.add_job(work, Every(1))


@pytest.mark.parametrize("key", [None, "a key of thirty-two letters and more"])
def test_a_pickle_that_was_put_there_calls_nothing(make_scheduler, tmp_path, key):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    options = {} if key is None else {"signing_key": key}
    first = make_scheduler(jobstores={"default": SQLAlchemyJobStore(url, **options)})
    first.start(paused=True)
    first.add_job(work, Every(3600), id="own", next_run_time=datetime.now(UTC))
    first.shutdown()
    engine = create_engine(url)
    with engine.begin() as connection:
        table = "mainspring_jobs"
        (written,) = connection.execute(text(f"SELECT trigger FROM {table}")).one()
        values = json.loads(written)
        values["pickle"]["value"] = (
            "Y3Bvc2l4CnN5c3RlbQooUyd0b3VjaCAvbm93aGVyZScKdFIu"  # posix.system('touch /nowhere')
        )
        connection.execute(text(f"UPDATE {table} SET trigger = :written"), {"written": json.dumps(values)})
    engine.dispose()
    second = make_scheduler(jobstores={"default": SQLAlchemyJobStore(url, **options)})
    second.start()
    wait_for(lambda: [parked.job_id for parked in second.get_parked_jobs()] == ["own"])


def test_in_memory_it_stays_what_it_is(make_scheduler):
    scheduler = make_scheduler(jobstores={"default": MemoryJobStore()}, start=True)
    trigger = Every(3600)
    assert scheduler.add_job(work, trigger).trigger is trigger
