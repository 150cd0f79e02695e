"""Our stores against a model that keeps jobs in a plain dict and looks at all of them each time."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from mainspring.jobstores.memory import MemoryJobStore
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.model import JobOptions, JobRecord
from mainspring.testing.conformance import deciding
from mainspring.testing.conformance import submission as submission_of
from mainspring.triggers.interval import IntervalTrigger
from stores import MONGODB, open_store

START = datetime(2026, 1, 1, tzinfo=UTC)


class StoreMachine(RuleBasedStateMachine):
    """Jobs fire every so many seconds; the model knows for each when it is due, and how many of it run."""

    @staticmethod
    def make_store():
        raise NotImplementedError

    running = Bundle("running")

    def __init__(self):
        super().__init__()
        self.store = self.make_store()
        self.store.start(None, "default")
        self.due = {}
        self.every = {}
        self.instances = {}
        self.now = 0
        self.names = iter(range(10**9))

    @rule(every=st.integers(1, 20), paused=st.booleans(), maximum=st.integers(1, 2))
    def add(self, every, paused, maximum):
        job_id = str(next(self.names))
        start = START + timedelta(seconds=self.now)
        trigger = IntervalTrigger(seconds=every, start_date=start, timezone=UTC)
        options = JobOptions(max_instances=maximum)
        self.store.add_records(
            [
                JobRecord(
                    job_id, "n", print, "builtins:print", (), {}, trigger, options, None if paused else start
                )
            ],
            None,
        )
        self.due[job_id] = None if paused else self.now
        self.every[job_id] = (every, self.now, maximum)
        self.instances[job_id] = 0

    @rule(data=st.data())
    def pause_resume_or_remove(self, data):
        if not self.due:
            return
        job_id = data.draw(st.sampled_from(sorted(self.due)))
        action = data.draw(st.sampled_from(["pause", "move", "remove"]))
        if action == "remove":
            self.store.remove(job_id)
            del self.due[job_id]
            return
        at = None if action == "pause" else self.now + data.draw(st.integers(-5, 30))
        moment = None if at is None else START + timedelta(seconds=at)
        self.store.change(job_id, lambda old: old.rescheduled(moment))
        self.due[job_id] = at

    @rule(seconds=st.integers(0, 40))
    def wait(self, seconds):
        self.now += seconds

    @rule(target=running)
    def claim(self):
        now = START + timedelta(seconds=self.now)
        batch = self.store.claim(now, deciding(now), 1000, {"default"})
        expected = {job_id for job_id, due in self.due.items() if due is not None and due <= self.now}
        assert {decision.job.id for decision in batch.decisions} == expected
        submissions = []
        for decision in batch.decisions:
            job_id = decision.job.id
            every, start, maximum = self.every[job_id]
            assert bool(decision.submit) == (self.instances[job_id] < maximum)
            if decision.submit:
                self.instances[job_id] += 1
                submissions.append(submission_of(decision))
            self.due[job_id] = start + ((self.now - start) // every + 1) * every
        return submissions

    @rule(submissions=consumes(running))
    def finish(self, submissions):
        self.store.finish(submissions)
        for submission in submissions:
            self.instances[submission.job.id] -= 1

    @invariant()
    def it_agrees_with_the_model(self):
        listed = {
            record.id: None
            if record.next_run_time is None
            else round((record.next_run_time - START).total_seconds())
            for record in self.store.list_records()
        }
        assert listed == self.due
        times = [due for due in self.due.values() if due is not None]
        next_time = self.store.next_time()
        assert next_time == (START + timedelta(seconds=min(times)) if times else None)

    def teardown(self):
        self.store.shutdown()


class MemoryStoreMachine(StoreMachine):
    make_store = MemoryJobStore

    @invariant()
    def the_heap_does_not_outgrow_the_jobs(self):
        assert len(self.store._heap) <= 2 * len(self.due) + 65


class SQLiteStoreMachine(StoreMachine):
    """Every example in a database of its own, in memory."""

    @staticmethod
    def make_store():
        return SQLAlchemyJobStore("sqlite://")

    def teardown(self):
        self.store._held = 0  # what the example left unfinished would keep it open
        super().teardown()


TestMemoryStore = MemoryStoreMachine.TestCase
TestMemoryStore.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestSQLiteStore = SQLiteStoreMachine.TestCase
TestSQLiteStore.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("kind", ["postgres", "mariadb", "redis", MONGODB])
def test_stores_on_servers_agree_with_the_model(request, kind):
    url = request.getfixturevalue(f"{kind}_url")

    class ServerStoreMachine(SQLiteStoreMachine):
        @staticmethod
        def make_store():
            return open_store(url, f"m{uuid4().hex[:12]}_jobs")

    run_state_machine_as_test(
        ServerStoreMachine, settings=settings(max_examples=12, stateful_step_count=30, deadline=None)
    )
