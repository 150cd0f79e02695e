"""What most tests need: schedulers that end with the test, and a listener that remembers."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from mainspring.events import EVENT_EVERY
from mainspring.schedulers.background import BackgroundScheduler
from mainspring.testing import EventRecorder

# No deadlines: how long an example takes on a busy machine says nothing about right or wrong. In CI the examples are always
# the same, so that a failure there is the change's; new ones are found at home.
settings.register_profile("mainspring", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("mainspring")


@pytest.fixture
def make_scheduler():
    made = []

    def make(*args, start=False, **options):
        options.setdefault("timezone", "UTC")
        scheduler = BackgroundScheduler(*args, **options)
        made.append(scheduler)
        if start:
            scheduler.start()
        return scheduler

    yield make
    for scheduler in made:
        if scheduler.state:
            scheduler.shutdown(wait=True, timeout=10)


@pytest.fixture
def scheduler(make_scheduler):
    return make_scheduler()


@pytest.fixture
def heard(scheduler):
    recorder = EventRecorder()
    scheduler.add_listener(recorder, EVENT_EVERY)
    return recorder
