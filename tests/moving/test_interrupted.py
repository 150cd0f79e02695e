"""An adoption that is killed in the middle is gone on with, and each job is taken once."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from places import HERE, place_of

import mainspring
from mainspring.serializers.v3_pickle import read_pickle

pytestmark = [pytest.mark.one_python, pytest.mark.timeout(180)]

STORES = "mainspring.jobstores"
COUNT = 60
#: Where each kind is killed, and how many jobs others see then, at least and at most.
KILLED = [
    ("sqlite", f"{STORES}.sqlalchemy.statements:Statements.add", 1, 0, 0),
    ("redis", f"{STORES}.redis.adoption:Adoptions._adopted", 3, 40, 40),
    ("mongodb", f"{STORES}.mongodb.jobs:Jobs.show", 2, 20, 20),
    *(
        pytest.param(*one, marks=pytest.mark.soak)
        for one in (
            ("redis", f"{STORES}.redis.adoption:Adoptions._adopted", 4, COUNT, COUNT),
            ("mongodb", f"{STORES}.mongodb.adoption:Adoptions._write_marks", 1, 0, 0),
            ("mongodb", f"{STORES}.mongodb.jobs:Jobs.show", 1, 0, 0),
            ("mongodb", f"{STORES}.mongodb.adoption:Adoptions._write_marks", 4, COUNT, COUNT),
        )
    ),
]


@pytest.fixture
def place(request):
    made = place_of(request.param, request)
    yield made
    made.close()


@pytest.mark.parametrize(("place", "method", "count", "least", "most"), KILLED, indirect=["place"])
def test_the_next_start_goes_on_with_it(place, old_states, make_scheduler, said, method, count, least, most):
    values = read_pickle(old_states()["interval"][1], None, is_careful=False)
    for number in range(COUNT):
        place.put(f"job-{number}", 1.0 + number, pickle.dumps({**values, "id": f"job-{number}"}))
    before = place.old()
    killed = subprocess.run(
        [
            sys.executable,
            HERE / "killed_adopting.py",
            place.url,
            getattr(place, "name", "-"),
            method,
            str(count),
        ],
        env={**os.environ, "PYTHONPATH": f"{HERE}:{Path(mainspring.__path__[0]).parent}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (killed.returncode, killed.stdout) == (-9, ""), killed.stderr

    def started(**options):
        scheduler = make_scheduler(jobstores={"default": place.store(**options)}, timezone="Europe/Berlin")
        scheduler.start(paused=True)
        return scheduler

    scheduler = started(adopt="never", serializer="pickle")
    seen = {job.id for job in scheduler.get_jobs()}
    # MongoDB goes on with what is marked at each start, whoever makes it.
    assert len(seen) >= least
    assert len(seen) <= most or place.url.startswith("mongodb")
    if seen:
        gone = min(seen)
        scheduler.remove_job(gone)  # as one that was run once
    scheduler.shutdown()
    scheduler = started(adopt="always", serializer="pickle")
    jobs = {job.id for job in scheduler.get_jobs()}
    assert jobs == before.keys() - ({gone} if seen else set())
    assert place.old() == before
    assert not said("were added since")
    assert scheduler.health().adopted["default"].adopted == COUNT
    scheduler.shutdown()
