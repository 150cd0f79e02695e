"""Jobs that are changed by their handle: it takes effect, or raises, and is never lost; pending, in memory, shared, and in a store of APScheduler's interface."""

import copy
import pickle
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest

from mainspring.errors import ConflictingIdError, JobLookupError
from mainspring.executors.pool import ThreadPoolExecutor
from mainspring.job import Job
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.schedulers.base import BaseScheduler
from mainspring.triggers.interval import IntervalTrigger
from pickle_store import PickleStore
from waiting import wait_for

CALLED = []


def function(*args, **kwargs):
    CALLED.append((args, kwargs))


def other(*args, **kwargs):
    CALLED.append(("other", args, kwargs))


def takes_two(one, two):
    CALLED.append((one, two))


CHANGES = [
    ("func", other, other),
    ("args", [1, 2], (1, 2)),
    ("kwargs", {"x": 1}, {"x": 1}),
    ("name", "another", "another"),
    ("executor", "other", "other"),
    ("misfire_grace_time", 7, 7),
    ("coalesce", False, False),
    ("max_instances", 4, 4),
    ("tags", ["a"], ("a",)),
    ("next_run_time", datetime(2200, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)),
    ("trigger", IntervalTrigger(hours=7, timezone="UTC"), None),
]


@pytest.fixture(params=["pending", "memory", "sqlite", "v3"])
def changed(request, make_scheduler, tmp_path):
    """A scheduler with a job, and how it is started if it isn't yet."""
    stores = {
        "sqlite": lambda: SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite"),
        "v3": PickleStore,
    }
    scheduler = make_scheduler(
        jobstores={"default": stores.get(request.param, MemoryJobStore)()},
        executors={"default": ThreadPoolExecutor(), "other": ThreadPoolExecutor()},
    )
    if request.param != "pending":
        scheduler.start(paused=True)
    CALLED.clear()

    def as_stored(job):
        if not scheduler.state:
            scheduler.start(paused=True)
        return scheduler.get_job(job.id)

    return scheduler, as_stored


@pytest.mark.parametrize(("name", "value", "stored"), CHANGES, ids=[change[0] for change in CHANGES])
def test_what_is_assigned_is_the_jobs(changed, name, value, stored):
    scheduler, as_stored = changed
    job = scheduler.add_job(function, "interval", hours=1)
    setattr(job, name, value)
    found = getattr(as_stored(job), name)
    assert str(found) == str(value) if stored is None else found == stored
    assert str(getattr(job, name)) == str(found)


@pytest.mark.parametrize("handle", ["added", "looked up", "listed"])
def test_keyword_arguments_that_are_put_in_are_the_jobs(changed, handle):
    scheduler, as_stored = changed
    job = scheduler.add_job(function, "interval", hours=1, kwargs={"a": 0})
    if handle == "looked up":
        job = scheduler.get_job(job.id)
    elif handle == "listed":
        (job,) = scheduler.get_jobs()
    job.kwargs["x"] = 1
    job.kwargs.update(y=2)
    job.kwargs |= {"z": 3}
    assert job.kwargs.setdefault("a", 9) == 0
    assert job.kwargs.pop("y") == 2
    del job.kwargs["a"]
    assert as_stored(job).kwargs == job.kwargs == {"x": 1, "z": 3}


def test_what_is_modified_privately_is_the_jobs(changed):
    scheduler, as_stored = changed
    job = scheduler.add_job(function, "interval", hours=1)
    job._modify(args=[5], name="five")
    found = as_stored(job)
    assert (found.args, found.name) == ((5,), "five")


def test_values_may_be_assigned_one_after_another_that_fit_together_only_in_the_end(changed):
    scheduler, _ = changed
    job = scheduler.add_job(function, "interval", hours=1)
    job.func = takes_two
    job.args = (1, 2)
    job.next_run_time = datetime.now(UTC)
    scheduler.resume() if scheduler.state else scheduler.start()
    assert wait_for(lambda: CALLED) == [(1, 2)]


def test_a_wrong_value_is_refused_and_nothing_has_changed(changed):
    scheduler, as_stored = changed
    job = scheduler.add_job(function, "interval", hours=1, kwargs={"a": 0})
    with pytest.raises(TypeError, match="args must be"):
        job.args = 5
    with pytest.raises(TypeError, match="next_run_time"):
        job.next_run_time = object()
    if not job.pending:
        with pytest.raises(AttributeError, match="keeps its id"):
            job.id = "another"
    with pytest.raises(ValueError, match="ID may not be changed"):
        job._modify(id="another")
    found = as_stored(job)
    assert (found.id, found.args, found.kwargs) == (job.id, (), {"a": 0})


def test_a_next_run_time_that_is_assigned_makes_the_job_due(changed):
    scheduler, _ = changed
    job = scheduler.add_job(function, "interval", hours=1)
    scheduler.resume() if scheduler.state else scheduler.start()
    job.next_run_time = datetime.now(UTC) - timedelta(seconds=1)
    assert wait_for(lambda: CALLED) == [((), {})]


def test_a_job_that_was_removed_can_not_be_changed(make_scheduler):
    scheduler = make_scheduler(start=True)
    job = scheduler.add_job(function, "interval", hours=1)
    job.remove()
    with pytest.raises(JobLookupError):
        job.name = "too late"


def test_the_arguments_of_a_handle_are_copied_as_plain_ones(scheduler):
    job = scheduler.add_job(function, "interval", hours=1, kwargs={"a": [1]})
    for made in (
        copy.copy(job.kwargs),
        copy.deepcopy(job.kwargs),
        pickle.loads(pickle.dumps(job.kwargs)),
        job.kwargs.copy(),
    ):
        assert type(made) is dict
        assert made == {"a": [1]}


def test_a_job_can_be_made_before_it_is_known_what_it_does(make_scheduler):
    scheduler = make_scheduler(start=True)
    job = Job(scheduler, id="x")
    assert job.id == "x"
    assert job.pending
    job._modify(func=function, args=(), kwargs={}, trigger=IntervalTrigger(hours=1))
    assert job.name == "function"
    scheduler._real_add_job(job, "default", False)
    assert scheduler.get_job("x").next_run_time is not None
    with pytest.raises(TypeError, match="has no function"):
        scheduler._real_add_job(Job(scheduler, id="y"), "default", False)


def test_a_job_that_a_store_rebuilds_is_changed_by_itself():
    job = Job(Mock(BaseScheduler, timezone=UTC), func=function, trigger=IntervalTrigger(hours=1), args=(1,))
    rebuilt = Job.__new__(Job)
    rebuilt.__setstate__(job.__getstate__())
    rebuilt._modify(args=(2,))
    rebuilt.kwargs["x"] = 1
    rebuilt.next_run_time = datetime(2200, 1, 1, tzinfo=UTC)
    assert (rebuilt.args, rebuilt.kwargs, job.args) == ((2,), {"x": 1}, (1,))
    assert rebuilt.__getstate__()["next_run_time"].year == 2200


def test_a_job_that_waits_for_the_start_can_be_given_another_id(make_scheduler):
    scheduler = make_scheduler()
    job = scheduler.add_job(function, "interval", hours=1, id="a")
    scheduler.add_job(function, "interval", hours=1, id="c")
    job.id = "b"
    assert scheduler.get_job("a") is None
    with pytest.raises(ConflictingIdError):
        job.id = "c"
    with pytest.raises(ConflictingIdError):
        scheduler.add_job(function, "interval", hours=1, id="b")
    scheduler.add_job(function, "interval", hours=1, id="a")
    scheduler.remove_job("b")
    assert sorted(one.id for one in scheduler.get_jobs()) == ["a", "c"]
    scheduler.start(paused=True)
    with pytest.raises(AttributeError, match="keeps its id"):
        scheduler.get_job("a").id = "d"
    with pytest.raises(AttributeError, match="keeps its id"):
        del scheduler.get_job("a").id
    assert sorted(one.id for one in scheduler.get_jobs()) == ["a", "c"]


def test_a_copy_of_a_job_can_be_added_under_another_id(make_scheduler):
    scheduler = make_scheduler(start=True)
    scheduler.add_job(function, "interval", hours=1, id="a")
    copied = copy.copy(scheduler.get_job("a"))
    del copied.id
    with pytest.raises(TypeError):
        copied._modify(id=3)
    copied._modify(id="b")
    scheduler._real_add_job(copied, "default", False)
    assert sorted(one.id for one in scheduler.get_jobs()) == ["a", "b"]


def test_a_job_without_a_name_is_named_after_the_function_that_it_is_given():
    job = Job(Mock(BaseScheduler, timezone=UTC), func=function, trigger=IntervalTrigger(hours=1), name="own")
    job._modify(func=other)
    assert job.name == "own"
    del job.name
    job._modify(func=other)
    assert job.name == "other"


def test_a_job_that_is_made_by_hand_may_have_no_name():
    job = Job(Mock(BaseScheduler, timezone=UTC), func=function, trigger=IntervalTrigger(hours=1), name=None)
    assert job.name == "function"
    with pytest.raises(TypeError, match="name must be"):
        job._modify(func=other, name=None)
