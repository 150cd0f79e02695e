"""What every store that claims must do: the memory store, and a store of APScheduler's interface behind its adapter."""

import pickle
from datetime import UTC, datetime, timedelta

import pytest

from mainspring.engine.decision import decide
from mainspring.errors import ConflictingIdError, JobLookupError
from mainspring.job import Job
from mainspring.jobstores.adapter import AdaptedStore
from mainspring.jobstores.base import BaseJobStore
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.jobstores.native import overrides_v3_methods
from mainspring.model import JobOptions, JobRecord, Submission
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class PickleStore(BaseJobStore):
    """As third parties write them: jobs as pickled states, in a dict."""

    def __init__(self):
        self.rows = {}

    def _job(self, row):
        job = Job.__new__(Job)
        job.__setstate__(pickle.loads(row))
        job._scheduler = self._scheduler
        job._jobstore_alias = self._alias
        return job

    def lookup_job(self, job_id):
        return self._job(self.rows[job_id]) if job_id in self.rows else None

    def get_due_jobs(self, now):
        return [job for job in self.get_all_jobs() if job.next_run_time and job.next_run_time <= now]

    def get_next_run_time(self):
        return min((job.next_run_time for job in self.get_all_jobs() if job.next_run_time), default=None)

    def get_all_jobs(self):
        jobs = [self._job(row) for row in self.rows.values()]
        jobs.sort(key=lambda job: job.next_run_time or datetime.min.replace(tzinfo=UTC))
        self._fix_paused_jobs_sorting(jobs)
        return jobs

    def add_job(self, job):
        if job.id in self.rows:
            raise ConflictingIdError(job.id)
        self.rows[job.id] = pickle.dumps(job.__getstate__())

    def update_job(self, job):
        if job.id not in self.rows:
            raise JobLookupError(job.id)
        self.rows[job.id] = pickle.dumps(job.__getstate__())

    def remove_job(self, job_id):
        if job_id not in self.rows:
            raise JobLookupError(job_id)
        del self.rows[job_id]

    def remove_all_jobs(self):
        self.rows.clear()


@pytest.fixture(params=["memory", "adapted"])
def store(request):
    store = MemoryJobStore() if request.param == "memory" else AdaptedStore(PickleStore())
    store.start(None, "default")
    return store


def record(job_id, after=0, *, every=None, paused=False, **options):
    due = START + after * SECOND
    trigger = (
        DateTrigger(due) if every is None else IntervalTrigger(seconds=every, start_date=due, timezone=UTC)
    )
    return JobRecord(
        job_id,
        job_id,
        print,
        "builtins:print",
        (),
        {},
        trigger,
        JobOptions(**options),
        None if paused else due,
    )


def claim(store, after, limit=100, decide_with=decide):
    now = START + after * SECOND
    return store.claim(now, lambda job, running: decide_with(job, now, running), limit)


def submission(decision):
    return Submission(decision.job, "default", decision.submit)


def ids(records):
    return [record.id for record in records]


def test_records_come_soonest_first_and_paused_last(store):
    store.add_records([record("c", 3), record("p", paused=True), record("a", 1), record("b", 2)], None)
    assert ids(store.list_records()) == ["a", "b", "c", "p"]
    assert store.next_time() == START + SECOND
    assert store.earliest().id == "a"


def test_records_are_added_all_or_none(store):
    store.add_records([record("a")], None)
    with pytest.raises(ConflictingIdError):
        store.add_records([record("b"), record("a")], None)
    with pytest.raises(ConflictingIdError):
        store.add_records([record("c"), record("c")], None)
    assert ids(store.list_records()) == ["a"]


def test_replacing_is_decided_by_the_caller(store):
    store.add_records([record("a", 1)], None)
    (kept,) = store.add_records(
        [record("a", 9), record("b", 5)], lambda old, new: new.rescheduled(old.next_run_time)
    )[:1]
    assert kept.next_run_time == START + SECOND
    assert {one.id: one.next_run_time for one in store.list_records()} == {
        "a": START + SECOND,
        "b": START + 5 * SECOND,
    }


def test_what_is_not_there(store):
    assert store.get_record("a") is None
    assert store.next_time() is None
    assert store.earliest() is None
    with pytest.raises(JobLookupError):
        store.remove("a")
    with pytest.raises(JobLookupError):
        store.change("a", lambda old: old)


def test_a_due_job_is_claimed_once_and_moves_on(store):
    store.add_records([record("a", every=10), record("later", 5)], None)
    (decision,) = claim(store, 0).decisions
    assert decision.submit == [START]
    assert store.get_record("a").next_run_time == START + 10 * SECOND
    assert claim(store, 0).decisions == []
    assert store.next_time() == START + 5 * SECOND


def test_a_one_shot_is_gone_when_it_is_claimed(store):
    store.add_records([record("a")], None)
    assert len(claim(store, 0).decisions) == 1
    assert store.get_record("a") is None


def test_a_limit_leaves_the_rest_for_the_next_claim(store):
    store.add_records([record(str(number), number) for number in range(5)], None)
    batch = claim(store, 10, limit=2)
    assert ids(decision.job for decision in batch.decisions) == ["0", "1"]
    assert batch.more
    assert ids(decision.job for decision in claim(store, 10).decisions) == ["2", "3", "4"]


def test_running_instances_are_counted_until_they_end(store):
    store.add_records([record("a", every=10)], None)
    (first,) = claim(store, 0).decisions
    (second,) = claim(store, 10).decisions
    assert second.overlapping
    store.finish([submission(first)])
    (third,) = claim(store, 20).decisions
    assert third.submit


def test_a_last_run_waits_for_a_free_instance(store):
    store.add_records([record("a", every=10)], None)
    (first,) = claim(store, 0).decisions
    store.change("a", lambda old: old.changed(trigger=DateTrigger(START), next_run_time=START + SECOND))
    assert claim(store, 5).decisions == []
    assert store.has_waiting
    assert store.next_time() is None  # nothing to wake for
    assert store.finish([submission(first)])
    assert not store.has_waiting
    (last,) = claim(store, 5).decisions
    assert last.submit == [START + SECOND]


def test_a_job_that_was_changed_during_the_decision_is_not_claimed(store):
    store.add_records([record("a", every=10)], None)

    def pauses_meanwhile(job, now, running):
        store.change("a", lambda old: old.rescheduled(None))
        return decide(job, now, running)

    assert claim(store, 0, decide_with=pauses_meanwhile).decisions == []
    assert store.get_record("a").next_run_time is None


def test_a_job_that_was_removed_during_the_decision_is_not_claimed(store):
    store.add_records([record("a", every=10)], None)

    def removes_meanwhile(job, now, running):
        store.remove("a")
        return decide(job, now, running)

    assert claim(store, 0, decide_with=removes_meanwhile).decisions == []
    assert store.list_records() == []


def test_a_change_sees_what_others_wrote_meanwhile(store):
    store.add_records([record("a", every=10)], None)
    calls = []

    def change(old):
        if not calls:
            calls.append(1)
            store.change("a", lambda other: other.changed(name="theirs"))
        return old.changed(options=JobOptions(max_instances=7))

    changed = store.change("a", change)
    assert (changed.name, changed.options.max_instances) == ("theirs", 7)
    assert store.get_record("a").name == "theirs"


def refuse(job, now, running):
    return decide(job, now, running, executor_known=False)


def test_a_parked_job_is_tried_later_and_later(store):
    store.add_records([record("a", every=10)], None)
    (decision,) = claim(store, 0, decide_with=refuse).decisions
    assert decision.retry_at == START + SECOND
    assert store.next_time() == START + SECOND
    assert claim(store, 0.5, decide_with=refuse).decisions == []
    (decision,) = claim(store, 1, decide_with=refuse).decisions
    assert decision.retry_at == START + 3 * SECOND
    (parked,) = store.parked()
    assert (parked.job_id, parked.attempts) == ("a", 2)
    assert store.earliest().id == "a"
    assert store.get_record("a").next_run_time == START
    (decision,) = claim(store, 3).decisions
    store.finish([submission(decision)])
    assert store.parked() == []


def test_parked_jobs_can_be_tried_at_once(store):
    store.add_records([record("a", every=10)], None)
    claim(store, 0, decide_with=refuse)
    store.retry_parked()
    assert len(claim(store, 0).decisions) == 1


def test_changing_a_parked_job_has_it_tried_at_once(store):
    store.add_records([record("a", every=10)], None)
    claim(store, 0, decide_with=refuse)
    store.change("a", lambda old: old.changed(name="mended"))
    assert store.parked() == []
    assert len(claim(store, 0).decisions) == 1


@pytest.mark.parametrize("every", [10, None])
def test_a_claim_is_given_back_as_it_was(store, every):
    store.add_records([record("a", every=every)], None)
    (decision,) = claim(store, 0).decisions
    assert store.give_back(decision, START) == START + SECOND
    assert store.get_record("a").next_run_time == START
    assert claim(store, 0.5).decisions == []
    (again,) = claim(store, 1).decisions
    assert again.submit == [START]
    assert store.give_back(again, START + SECOND) == START + 3 * SECOND  # the second failure in a row


def test_a_claim_of_a_job_that_was_changed_since_stands(store):
    store.add_records([record("a", every=10)], None)
    (decision,) = claim(store, 0).decisions
    store.change("a", lambda old: old.rescheduled(None))
    assert store.give_back(decision, START) is None
    assert store.get_record("a").next_run_time is None


def test_removing_all(store):
    store.add_records([record("a"), record("b", paused=True)], None)
    claim(store, 0, decide_with=refuse)
    store.remove_all()
    assert store.list_records() == []
    assert store.parked() == []
    assert store.next_time() is None


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
