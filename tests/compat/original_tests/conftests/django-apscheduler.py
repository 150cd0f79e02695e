"""What the tests of django-apscheduler need and its distribution lacks: settings, a database in memory, and fixtures.

The set-up step puts this beside them as ``tests/conftest.py``.
"""

from datetime import datetime

import pytest
import pytz
from apscheduler.job import Job
from apscheduler.schedulers.base import BaseScheduler


def pytest_configure():
    import django
    from django.conf import settings

    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
            "django_apscheduler",
        ],
        ROOT_URLCONF="urls",
        SECRET_KEY="for tests",
        TIME_ZONE="Europe/Vienna",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        APSCHEDULER_RUN_NOW_TIMEOUT=25,
    )
    django.setup()


def dummy_job():
    pass


class DummyScheduler(BaseScheduler):
    """Has no loop."""

    def shutdown(self, wait=True):
        super().shutdown(wait)

    def wakeup(self):
        pass


def raise_db_operational_error(*_, **__):
    from django import db

    raise db.OperationalError("Some DB-related error")


@pytest.fixture
def timezone():
    return pytz.timezone("Europe/Vienna")


@pytest.fixture
def scheduler():
    scheduler = DummyScheduler()
    yield scheduler
    if scheduler.running:
        scheduler.shutdown()


@pytest.fixture
def jobstore(scheduler):
    from django_apscheduler.jobstores import DjangoJobStore

    store = DjangoJobStore()
    scheduler.add_jobstore(store)
    store.start(scheduler, "default")
    return store


@pytest.fixture
def create_job(timezone):
    def create(*, trigger, trigger_args, **values):
        maker = DummyScheduler(timezone=timezone)
        usual = {
            "args": (),
            "kwargs": {},
            "executor": "default",
            "misfire_grace_time": 1,
            "coalesce": False,
            "max_instances": 1,
            "name": "a job",
            "next_run_time": None,
        }
        made = maker._create_trigger(trigger, {"timezone": timezone, **trigger_args})
        return Job(maker, trigger=made, **{**usual, **values})

    return create


@pytest.fixture
def create_add_job(timezone, create_job):
    def create(
        store,
        func=dummy_job,
        run_date=datetime(2999, 1, 1),
        id=None,  # noqa: A002 - APScheduler's name
        paused=False,
        **values,
    ):
        run_date = timezone.localize(run_date)
        values.setdefault("trigger", "date")
        values.setdefault("trigger_args", {"run_date": run_date})
        job = create_job(func=func, id=id, **values)
        job.next_run_time = None if paused else job.trigger.get_next_fire_time(None, run_date)
        if store is not None:
            store.add_job(job)
        return job

    return create


@pytest.fixture
def use_hour_format(settings):
    settings.APSCHEDULER_DATETIME_FORMAT = "H"
    settings.USE_TZ = False


@pytest.fixture
def use_tz(settings):
    settings.APSCHEDULER_DATETIME_FORMAT = "H"
    settings.USE_TZ = True


@pytest.fixture
def use_seconds_format(settings):
    settings.APSCHEDULER_DATETIME_FORMAT = "s"
    return settings.APSCHEDULER_DATETIME_FORMAT
