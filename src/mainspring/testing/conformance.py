"""What every store that claims runs must do, as tests: for our own stores, and for those of third parties.

Make a class of yours of `RunStoreConformance` in a test file, and give it a fixture ``store``::

    class TestMyStore(RunStoreConformance):
        @pytest.fixture
        def store(self):
            store = MyStore()
            store.start(None, "default")
            yield store
            store.shutdown()

Needs pytest.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from mainspring.engine.decision import Decision, decide, decide_queued
from mainspring.engine.reasons import JOB_REMOVED
from mainspring.errors import ConflictingIdError, JobLookupError
from mainspring.model import Group, JobOptions, JobRecord, QueuedRun, RunResult, Submission
from mainspring.retry import Retry
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mainspring.engine.grouping import Room
    from mainspring.jobstores.contract import ClaimedBatch, Decide, RunStore
    from mainspring.triggers.base import BaseTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def is_night(moment: datetime) -> bool:
    """Whether it is before nine o'clock: too long for one slice of a search by the second."""
    return moment.hour < 9


def is_odd(moment: datetime) -> bool:
    """Whether its second is an odd one: how many there are between two moments takes going through them."""
    return moment.second % 2 == 1


def record(
    job_id: str, after: float = 0, *, every: int | None = None, paused: bool = False, **options: Any
) -> JobRecord:
    """A job that is due so many seconds after `START`, once or every so many seconds."""
    due = START + after * SECOND
    trigger: BaseTrigger = (
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


def deciding(now: datetime, decide_with: Callable[..., Decision] = decide) -> Decide:
    """What a scheduler gives a store to decide with, at a time."""

    def decide_now(
        job: JobRecord,
        running: int,
        run: QueuedRun | None = None,
        buffered: int = 0,
        room: Room | None = None,
    ) -> Decision:
        if run is not None:
            return decide_queued(job, run, running, room=room, now=now)
        if decide_with is decide:
            return decide(job, now, running, buffered=buffered, room=room)
        return decide_with(job, now, running)

    return decide_now


def claim(
    store: RunStore, after: float, limit: int = 100, decide_with: Callable[..., Decision] = decide
) -> ClaimedBatch:
    """What the store gives so many seconds after `START`."""
    now = START + after * SECOND
    return store.claim(now, deciding(now, decide_with), limit, {"default"})


def claim_all(store: RunStore, after: float) -> list[Decision]:
    """All that the store gives then, in as many claims as that takes."""
    decisions: list[Decision] = []
    while given := claim(store, after).decisions:
        decisions += given
    return decisions


def submission(decision: Decision) -> Submission:
    """What an executor would be given."""
    return Submission(
        decision.job,
        "default",
        decision.submit,
        decision.attempt,
        decision.lease,
        decision.following,
        decision.cause,
        None,
        decision.claimed,
        bool(decision.buffered),
        0 if decision.run is None else decision.run.reruns,
        decision.attempts or None,
        decision.due_times,
    )


def ids(records: Iterable[JobRecord]) -> list[str]:
    """Their ids, in their order."""
    return [record.id for record in records]


def refuse(job: JobRecord, now: datetime, running: int) -> Decision:
    """As if this node didn't have the job's executor."""
    return decide(job, now, running, executor_known=False)


def _runs_when_due(store: RunStore) -> list[datetime]:
    """The first two runs of job "a", which is looked at whenever its next run time has come."""
    runs: list[datetime] = []
    while len(runs) < 2 and (job := store.get_record("a")) is not None:
        due = job.next_run_time
        assert due is not None
        for decision in claim_all(store, (due - START).total_seconds()):
            runs += decision.submit
            if decision.submit:
                store.finish([submission(decision)])
        moved = store.get_record("a")
        assert moved is None or moved.next_run_time is None or moved.next_run_time > due
    return runs


def _record(store: RunStore) -> JobRecord:
    found = store.get_record("a")
    assert found is not None
    return found


def _earliest(store: RunStore) -> str | None:
    found = store.earliest()
    return None if found is None else found.id


class RunStoreConformance:
    """The tests.

    Attributes:
        decides_unlocked: whether jobs may be changed by others while the store asks for a decision about them.
    """

    decides_unlocked: ClassVar[bool] = True

    @pytest.fixture
    def store(self) -> RunStore:
        """A store that was started and is empty; to be overridden."""
        raise NotImplementedError("give the test class a fixture named store")

    def test_records_come_soonest_first_and_paused_last(self, store: RunStore) -> None:
        store.add_records([record("c", 3), record("p", paused=True), record("a", 1), record("b", 2)], None)
        assert ids(store.list_records()) == ["a", "b", "c", "p"]
        assert store.next_time() == START + SECOND
        assert _earliest(store) == "a"

    def test_records_are_added_all_or_none(self, store: RunStore) -> None:
        store.add_records([record("a")], None)
        with pytest.raises(ConflictingIdError):
            store.add_records([record("b"), record("a")], None)
        with pytest.raises(ConflictingIdError):
            store.add_records([record("c"), record("c")], None)
        assert ids(store.list_records()) == ["a"]

    def test_replacing_is_decided_by_the_caller(self, store: RunStore) -> None:
        store.add_records([record("a", 1)], None)
        (kept,) = store.add_records(
            [record("a", 9), record("b", 5)], lambda old, new: new.rescheduled(old.next_run_time)
        )[:1]
        assert kept.next_run_time == START + SECOND
        assert {one.id: one.next_run_time for one in store.list_records()} == {
            "a": START + SECOND,
            "b": START + 5 * SECOND,
        }

    def test_what_is_not_there(self, store: RunStore) -> None:
        assert store.get_record("a") is None
        assert store.next_time() is None
        assert store.earliest() is None
        with pytest.raises(JobLookupError):
            store.remove("a")
        with pytest.raises(JobLookupError):
            store.change("a", lambda old: old)

    def test_a_due_job_is_claimed_once_and_moves_on(self, store: RunStore) -> None:
        store.add_records([record("a", every=10), record("later", 5)], None)
        (decision,) = claim(store, 0).decisions
        assert decision.submit == [START]
        assert _record(store).next_run_time == START + 10 * SECOND
        assert claim(store, 0).decisions == []
        assert store.next_time() == START + 5 * SECOND

    def test_a_one_shot_is_gone_when_it_is_claimed(self, store: RunStore) -> None:
        store.add_records([record("a")], None)
        assert len(claim(store, 0).decisions) == 1
        assert store.get_record("a") is None

    def test_a_job_whose_next_run_is_far_to_seek_is_kept_and_searched_for(self, store: RunStore) -> None:
        office = IntervalTrigger(seconds=5, start_date=START, timezone=UTC).excluding(is_night)
        store.add_records([record("a", 0)._replace(trigger=office)], None)
        assert _runs_when_due(store) == [START, START + timedelta(hours=9)]

    def test_a_job_is_over_when_a_search_has_come_to_the_end_of_its_schedule(self, store: RunStore) -> None:
        end = START + timedelta(hours=2)
        ends = IntervalTrigger(seconds=2, start_date=START, end_date=end, timezone=UTC).excluding(is_night)
        store.add_records([record("a", 0)._replace(trigger=ends)], None)
        assert _runs_when_due(store) == [START]
        assert store.get_record("a") is None

    def test_a_limit_leaves_the_rest_for_the_next_claim(self, store: RunStore) -> None:
        store.add_records([record(str(number), number) for number in range(5)], None)
        batch = claim(store, 10, limit=2)
        assert ids(decision.job for decision in batch.decisions) == ["0", "1"]
        assert batch.more
        assert ids(decision.job for decision in claim(store, 10).decisions) == ["2", "3", "4"]

    def test_running_instances_are_counted_until_they_end(self, store: RunStore) -> None:
        store.add_records([record("a", every=10)], None)
        (first,) = claim(store, 0).decisions
        (second,) = claim(store, 10).decisions
        assert second.overlapping
        store.finish([submission(first)])
        (third,) = claim(store, 20).decisions
        assert third.submit

    def test_a_last_run_waits_for_a_free_instance(self, store: RunStore) -> None:
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

    def test_a_job_that_was_changed_during_the_decision_is_not_claimed(self, store: RunStore) -> None:
        if not self.decides_unlocked:
            pytest.skip("the store keeps jobs locked while it asks what is to become of them")
        store.add_records([record("a", every=10)], None)

        def pauses_meanwhile(job: JobRecord, now: datetime, running: int) -> Decision:
            store.change("a", lambda old: old.rescheduled(None))
            return decide(job, now, running)

        assert claim(store, 0, decide_with=pauses_meanwhile).decisions == []
        assert _record(store).next_run_time is None

    def test_a_job_that_was_removed_during_the_decision_is_not_claimed(self, store: RunStore) -> None:
        if not self.decides_unlocked:
            pytest.skip("the store keeps jobs locked while it asks what is to become of them")
        store.add_records([record("a", every=10)], None)

        def removes_meanwhile(job: JobRecord, now: datetime, running: int) -> Decision:
            store.remove("a")
            return decide(job, now, running)

        assert claim(store, 0, decide_with=removes_meanwhile).decisions == []
        assert store.list_records() == []

    def test_a_change_sees_what_others_wrote_meanwhile(self, store: RunStore) -> None:
        store.add_records([record("a", every=10)], None)
        calls: list[int] = []

        def change(old: JobRecord) -> JobRecord:
            if not calls:
                calls.append(1)
                store.change("a", lambda other: other.changed(name="theirs"))
            return old.changed(options=JobOptions(max_instances=7))

        changed = store.change("a", change)
        assert (changed.name, changed.options.max_instances) == ("theirs", 7)
        assert _record(store).name == "theirs"

    def test_a_parked_job_is_tried_later_and_later(self, store: RunStore) -> None:
        store.add_records([record("a", every=10)], None)
        (decision,) = claim(store, 0, decide_with=refuse).decisions
        assert decision.retry_at == START + SECOND
        assert store.next_time() == START + SECOND
        assert claim(store, 0.5, decide_with=refuse).decisions == []
        (decision,) = claim(store, 1, decide_with=refuse).decisions
        assert decision.retry_at == START + 3 * SECOND
        (parked,) = store.parked()
        assert (parked.job_id, parked.attempts) == ("a", 2)
        assert _earliest(store) == "a"
        assert _record(store).next_run_time == START
        (decision,) = claim(store, 3).decisions
        store.finish([submission(decision)])
        assert store.parked() == []

    def test_parked_jobs_can_be_tried_at_once(self, store: RunStore) -> None:
        store.add_records([record("a", every=10)], None)
        claim(store, 0, decide_with=refuse)
        store.retry_parked()
        assert len(claim(store, 0).decisions) == 1

    def test_changing_a_parked_job_has_it_tried_at_once(self, store: RunStore) -> None:
        store.add_records([record("a", every=10)], None)
        claim(store, 0, decide_with=refuse)
        store.change("a", lambda old: old.changed(name="mended"))
        assert store.parked() == []
        assert len(claim(store, 0).decisions) == 1

    @pytest.mark.parametrize("every", [10, None])
    def test_a_claim_is_given_back_as_it_was(self, store: RunStore, every: int | None) -> None:
        store.add_records([record("a", every=every)], None)
        (decision,) = claim(store, 0).decisions
        assert store.give_back(decision, START) == START + SECOND
        assert _record(store).next_run_time == START
        assert claim(store, 0.5).decisions == []
        (again,) = claim(store, 1).decisions
        assert again.submit == [START]
        assert store.give_back(again, START + SECOND) == START + 3 * SECOND  # the second failure in a row

    def test_a_claim_that_is_given_back_has_counted_nothing(self, store: RunStore) -> None:
        store.set_group(Group("g", limit=1, rate=1, per=60 * SECOND))
        store.add_records([record("a", every=10, max_runs=1, group="g")], None)
        (decision,) = claim(store, 0).decisions
        assert _record(store).tally is not None
        assert store.give_back(decision, START) is not None
        before = _record(store)
        assert (before.next_run_time, before.tally) == (START, None)
        (again,) = claim(store, 5).decisions
        assert (again.submit, again.attempt) == ([START], 1)
        assert again.following is not None
        assert again.following.next_run_time is None

    def test_what_is_given_back_waits_if_later_runs_of_its_job_do(self, store: RunStore) -> None:
        store.set_group(Group("g", rate=1, per=10 * SECOND))
        store.add_records([record("a", every=10, coalesce=False, group="g")], None)
        (decision,) = claim(store, 15).decisions
        assert (decision.submit, decision.buffered) == ([START], [START + 10 * SECOND])
        assert store.give_back(decision, START + 15 * SECOND) is not None
        waiting = {run.scheduled_run_time for run in store.list_runs("a", "queued", None, 10)}
        assert waiting == {START, START + 10 * SECOND}
        assert _record(store).next_run_time == START + 20 * SECOND

    def test_a_claim_of_a_job_that_was_changed_since_stands(self, store: RunStore) -> None:
        store.add_records([record("a", every=10)], None)
        (decision,) = claim(store, 0).decisions
        store.change("a", lambda old: old.rescheduled(None))
        assert store.give_back(decision, START) is None
        assert _record(store).next_run_time is None

    def test_each_due_time_counts_its_own_attempts(self, store: RunStore) -> None:
        store.add_records([record("a", every=10, max_instances=9, coalesce=False)], None)
        asked = QueuedRun("a", START, 1, START, "manual")
        assert store.enqueue([asked]) == [asked]
        assert store.enqueue([asked]) == []
        attempts = []
        for after in (0, 10):
            for decision in claim_all(store, after):
                attempts += [(time, decision.attempt_of(time)) for time in decision.submit]
            store.change("a", lambda old: old.rescheduled(START))
        first, second = START, START + 10 * SECOND
        assert sorted(attempts) == [(first, 1), (first, 2), (first, 3), (second, 1)]
        assert store.enqueue([asked._replace(attempt=3), asked._replace(scheduled_run_time=second)]) == []

    def test_a_run_says_how_many_due_times_it_stands_for(self, store: RunStore) -> None:
        store.add_records([record("a", every=10, max_instances=3, retry=Retry(2, delay=1))], None)
        (decision,) = claim(store, 35).decisions
        assert store.give_back(decision, START + 35 * SECOND) is not None
        (decision,) = claim(store, 45).decisions
        (going_on,) = store.list_runs("a", "running", None, 10)
        failed = submission(decision)
        assert (decision.submit, going_on.due_times, failed.due_times) == ([START + 40 * SECOND], 5, 5)
        now = START + 45 * SECOND
        failed.add_result(RunResult(decision.submit[0], "failed", now, now, "no", retry_at=now + SECOND))
        store.finish([failed])
        decisions = [*claim_all(store, 55), *claim_all(store, 65)]
        (retry,) = (one for one in decisions if one.run is not None)
        assert (retry.attempt, submission(retry).due_times) == (2, 5)
        done = submission(retry)
        done.add_result(RunResult(decision.submit[0], "succeeded", now, now))
        store.finish([done])
        claim_all(store, 75)
        runs = store.list_runs("a", None, START, 10)
        assert sorted((run.attempt, run.due_times) for run in runs) == [
            (1, 1),
            (1, 1),
            (1, 1),
            (1, 5),
            (2, 5),
        ]

    def test_what_waits_and_what_is_dropped_say_for_how_many_due_times(self, store: RunStore) -> None:
        store.add_records([record("a", every=10, overlap="buffer_one")], None)
        store.add_records([record("b", every=10, coalesce=False, catch_up_limit=2, max_instances=2)], None)
        begun = claim_all(store, 0)
        claim_all(store, 55)
        (waiting,) = store.list_runs("a", "queued", None, 10)
        assert (waiting.scheduled_run_time, waiting.due_times) == (START + 50 * SECOND, 5)
        counts = {run.scheduled_run_time: run.due_times for run in store.list_runs("b", None, None, 10)}
        times = [START + number * SECOND for number in (0, 10, 40, 50)]
        assert counts == dict(zip(times, (1, 3, 1, 1), strict=True))
        store.finish([submission(decision) for decision in begun])
        (taken,) = (one for one in claim_all(store, 56) if one.job.id == "a")
        (going_on,) = store.list_runs("a", "running", None, 10)
        assert (submission(taken).due_times, going_on.due_times) == (5, 5)
        store.remove("a")
        assert store.list_runs("a", "running", None, 10)[0].due_times == 5

    def test_more_due_times_than_can_be_counted_at_once_are_said_to_be_so(self, store: RunStore) -> None:
        odd = IntervalTrigger(seconds=1, start_date=START, timezone=UTC).excluding(is_odd)
        store.add_records([record("a", 0)._replace(trigger=odd)], None)
        (one,) = claim(store, 20).decisions
        assert one.due_times == 11
        store.finish([submission(one)])
        (one,) = claim(store, 86_400).decisions
        assert one.due_times is None
        (going_on,) = store.list_runs("a", "running", None, 10)
        assert going_on.due_times is None

    def test_what_is_queued_ends_with_its_job(self, store: RunStore) -> None:
        store.add_records([record("a", every=10), record("b", paused=True)], None)
        (begun,) = claim(store, 0).decisions
        queued = [QueuedRun(job_id, START + SECOND, 1, START, "manual") for job_id in ("a", "b")]
        assert store.enqueue(queued) == queued
        store.remove("a")
        with pytest.raises(JobLookupError):
            store.enqueue([queued[0]._replace(attempt=2)])
        store.add_records([record("a", 100)], None)
        (other,) = claim(store, 1).decisions
        assert other.job.id == "b"
        store.finish([submission(begun), submission(other)])
        assert claim(store, 2).decisions == []
        skipped = store.get_run(queued[0].key)
        assert skipped is not None
        assert (skipped.outcome, skipped.error) == ("skipped", JOB_REMOVED)

    def test_removing_all(self, store: RunStore) -> None:
        store.add_records([record("a"), record("b", paused=True)], None)
        claim(store, 0, decide_with=refuse)
        store.remove_all()
        assert store.list_records() == []
        assert store.parked() == []
        assert store.next_time() is None
