"""Whatever is done to jobs and runs, a run goes only from one state to another as the table says."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mainspring import AfterJob, MemoryJobStore, Retry, SQLAlchemyJobStore, current_run
from mainspring.engine.transitions import RUN_TRANSITIONS
from mainspring.errors import JobLookupError, RunLookupError
from mainspring.testing import ManualScheduler

ENDED = {state for state, following in RUN_TRANSITIONS.items() if not following}
JOBS = ("a", "b", "c")
_fails = set()


def work(name):
    if name in _fails:
        raise OSError(f"attempt {current_run().attempt}")


class RunsMachine(RuleBasedStateMachine):
    """A scheduler without a loop, and what is done to it by users and by time."""

    def __init__(self):
        super().__init__()
        _fails.clear()
        self.folder = TemporaryDirectory()
        self.scheduler = ManualScheduler(jobstores={"default": self.make_store()})
        self.scheduler.set_group("few", rate=3, per=20)
        self.scheduler.start()
        self.states = {}
        self.names = dict.fromkeys(JOBS, 0)

    def id_of(self, name):
        return f"{name}{self.names[name]}"

    def make_store(self):
        return MemoryJobStore(keep_runs=10_000)

    def settle(self):
        """Have the store know what has ended."""

    def teardown(self):
        self.scheduler.shutdown()
        self.folder.cleanup()

    @rule(
        name=st.sampled_from(JOBS),
        every=st.integers(1, 20) | st.none(),
        overlap=st.sampled_from(["skip", "buffer_one", "buffer_all", "cancel_running", "allow"]),
        attempts=st.integers(1, 3),
        grace=st.integers(0, 30) | st.none(),
        coalesce=st.booleans(),
        max_runs=st.integers(1, 4) | st.none(),
        group=st.sampled_from([None, "few"]),
        pause_after=st.integers(1, 3) | st.none(),
    )
    def add(self, name, every, overlap, attempts, grace, coalesce, max_runs, group, pause_after):
        options = {"trigger": "date"} if every is None else {"trigger": "interval", "seconds": every}
        if self.scheduler.get_job(self.id_of(name)) is None:
            # A store in memory doesn't know another of the same id from the one before.
            self.names[name] += 1
        self.scheduler.add_job(
            work,
            args=[name],
            id=self.id_of(name),
            replace_existing=True,
            overlap=overlap,
            retry=Retry(attempts, delay=3),
            misfire_grace_time=grace,
            coalesce=coalesce,
            max_runs=max_runs,
            group=group,
            pause_after_failures=pause_after,
            **options,
        )

    @rule(name=st.sampled_from(JOBS), other=st.sampled_from(JOBS), on=st.sampled_from(["success", "any"]))
    def follow(self, name, other, on):
        with suppress(JobLookupError, ValueError):  # it isn't there, or would be a ring
            self.scheduler.modify_job(self.id_of(name), trigger=AfterJob(self.id_of(other), on))

    @rule(name=st.sampled_from(JOBS))
    def change_its_luck(self, name):
        _fails.symmetric_difference_update({name})

    @rule(name=st.sampled_from(JOBS), what=st.sampled_from(["pause", "resume", "remove", "run_now"]))
    def change(self, name, what):
        job = self.scheduler.get_job(self.id_of(name))
        if job is not None:
            getattr(job, what)()

    @rule(data=st.data())
    def cancel(self, data):
        runs = self.scheduler.get_runs(limit=1000)
        if runs:
            run = data.draw(st.sampled_from(runs))
            try:
                self.scheduler.cancel_run(run.id)
            except RunLookupError:
                assert run.outcome is not None
            else:
                assert run.outcome is None

    @rule(seconds=st.integers(0, 25))
    def wait(self, seconds):
        self.scheduler.advance(seconds)

    @rule(seconds=st.integers(1, 100))
    def sleep(self, seconds):
        """The machine is suspended: time has passed, and nobody has looked."""
        self.scheduler.clock.set_wall(self.scheduler.now + timedelta(seconds=seconds))

    @rule(name=st.sampled_from(JOBS))
    def make_up(self, name):
        job = self.scheduler.get_job(self.id_of(name))
        if job is not None and not isinstance(job.trigger, AfterJob):  # which has no due times of its own
            now = self.scheduler.now
            self.scheduler.backfill(self.id_of(name), now - timedelta(seconds=20), now)

    @invariant()
    def runs_move_as_the_table_says(self):
        self.settle()
        runs = {run.id: run for run in self.scheduler.get_runs(limit=100_000)}
        for identifier, before in self.states.items():
            assert identifier in runs, f"run {identifier} ({before}) has gone"
        attempts = defaultdict(dict)
        for identifier, run in runs.items():
            before = self.states.get(identifier)
            assert run.state == before or _leads_to(before, run.state), (identifier, before, run.state)
            attempts[run.job_id, run.scheduled_run_time][run.attempt] = run.state
        for key, states in attempts.items():
            assert sorted(states) == list(range(1, len(states) + 1)), (key, states)
        self.states = {identifier: run.state for identifier, run in runs.items()}


def _leads_to(before, after):
    """Whether one state leads to another, perhaps through others that nobody saw."""
    seen, found = set(), {before}
    while found:
        state = found.pop()
        seen.add(state)
        found |= RUN_TRANSITIONS[state] - seen
    return after in seen


class SQLiteRunsMachine(RunsMachine):
    def settle(self):
        self.scheduler._stores["default"]._outcomes.write()

    def make_store(self):
        return SQLAlchemyJobStore(
            f"sqlite:///{Path(self.folder.name) / 'jobs.sqlite'}", lease=1000, keep_runs=10_000
        )


TestRuns = RunsMachine.TestCase
TestRuns.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestSQLiteRuns = SQLiteRunsMachine.TestCase
TestSQLiteRuns.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)


def test_every_outcome_ends_a_run():
    assert {"succeeded", "failed", "timed_out", "cancelled", "missed", "skipped", "lost"} == ENDED
    assert all(_leads_to(state, end) for state in (None, "queued", "running") for end in ENDED - {"missed"})
