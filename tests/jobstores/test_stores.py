"""All our stores are put through what every store must do; besides, what only some of them have."""

import pytest

from mainspring.errors import ConflictingIdError, JobLookupError
from mainspring.job import Job
from mainspring.jobstores.local.adapter import AdaptedStore
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.jobstores.native import overrides_v3_methods
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.testing.conformance import SECOND, START, RunStoreConformance, record
from pickle_store import PickleStore
from stores import MONGODB, open_store


class TestMemoryStore(RunStoreConformance):
    @pytest.fixture
    def store(self):
        store = MemoryJobStore()
        store.start(None, "default")
        return store


class TestAdaptedStore(RunStoreConformance):
    @pytest.fixture
    def store(self):
        store = AdaptedStore(PickleStore())
        store.start(None, "default")
        return store


class TestSQLAlchemyStore(RunStoreConformance):
    decides_unlocked = False

    @pytest.fixture
    def store(self, database_url, tablename):
        store = SQLAlchemyJobStore(database_url, tablename=tablename)
        store.start(None, "default")
        yield store
        store._held = 0  # what the test left unfinished would keep it open
        store.shutdown()


class TestServerStores(RunStoreConformance):
    @pytest.fixture(params=["redis", MONGODB])
    def store(self, request, tablename):
        store = open_store(request.getfixturevalue(f"{request.param}_url"), tablename)
        store.start(None, "default")
        yield store
        store._held = 0
        store.shutdown()


def test_apschedulers_methods_work_on_the_memory_store():
    store = MemoryJobStore()
    store.start(None, "default")
    job = Job._from_record(record("a", 1), None, None)
    store.add_job(job)
    with pytest.raises(ConflictingIdError):
        store.add_job(job)
    assert store.lookup_job("a") == job
    assert store.get_due_jobs(START) == []
    assert store.get_due_jobs(START + SECOND) == [job]
    assert store.get_next_run_time() == START + SECOND
    job._modify(next_run_time=None)
    store.update_job(job)
    assert store.get_next_run_time() is None
    assert store.get_all_jobs() == [job]
    store.remove_job("a")
    with pytest.raises(JobLookupError):
        store.remove_job("a")
    with pytest.raises(JobLookupError):
        store.update_job(job)
    store.add_job(job)
    store.remove_all_jobs()
    assert store.lookup_job("a") is None


def test_a_subclass_that_overrides_one_of_apschedulers_methods_has_it_called(make_scheduler):
    class Counting(MemoryJobStore):
        added = 0

        def add_job(self, job):
            self.added += 1
            super().add_job(job)

    assert overrides_v3_methods(Counting())
    assert not overrides_v3_methods(MemoryJobStore())
    store = Counting()
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    scheduler.add_job(print, "interval", hours=1)
    assert store.added == 1


def test_a_store_written_for_apscheduler_serves_a_scheduler(make_scheduler):
    from mainspring.events import EVENT_JOB_EXECUTED
    from mainspring.testing import EventRecorder

    store = PickleStore()
    scheduler = make_scheduler(jobstores={"default": store})
    heard = EventRecorder()
    scheduler.add_listener(heard)
    scheduler.start()
    scheduler.add_job("operator:add", args=[1, 2], id="now")
    scheduler.add_job("operator:add", "interval", hours=1, args=[1, 2], id="kept")
    assert heard.wait_for(EVENT_JOB_EXECUTED, "now")[0].retval == 3
    assert scheduler._jobstores["default"] is store
    assert list(store.rows) == ["kept"]
    scheduler.shutdown()
    scheduler.start()
    assert scheduler.get_job("kept").args == (1, 2)
