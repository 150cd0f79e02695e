"""What every store that claims runs promises, method by method: the contract of `mainspring.jobstores.contract.RunStore`, as tests.

A promise about something that only some stores do, such as leaving runs to other nodes, asks the store whether it does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import pytest

from mainspring.clock import clock_of
from mainspring.engine.decision import Decision, decide
from mainspring.engine.reasons import CANCELLED_UNBEGUN, JOB_REMOVED
from mainspring.errors import ConflictingIdError, JobLookupError
from mainspring.jobstores.abilities import ABILITIES
from mainspring.jobstores.contract import JobQuery
from mainspring.model import Group, JobOptions, JobRecord, QueuedRun, RunKey, RunResult
from mainspring.retry import Retry
from mainspring.testing.conformance.building import (
    SECOND,
    START,
    claim,
    claim_all,
    ids,
    manual_run,
    record,
    refuse,
    result,
    submission,
)
from mainspring.testing.conformance.promises import Promise, promising
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from mainspring.jobstores.contract import RunStore
    from mainspring.model import Outcome

#: What is promised, each as a function that is given a started, empty store.
STORE_PROMISES: list[Promise] = []

_promises = partial(promising, STORE_PROMISES)


def is_night(moment: datetime) -> bool:
    """Whether it is before nine o'clock: too long for one slice of a search by the second."""
    return moment.hour < 9


def is_odd(moment: datetime) -> bool:
    """Whether its second is an odd one: how many there are between two moments takes going through them."""
    return moment.second % 2 == 1


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


@_promises("list_records", "next_time", "earliest")
def records_come_soonest_first_and_paused_last(store: RunStore) -> None:
    store.add_records([record("c", 3), record("p", paused=True), record("a", 1), record("b", 2)], None)
    assert ids(store.list_records()) == ["a", "b", "c", "p"]
    assert store.next_time() == START + SECOND
    assert _earliest(store) == "a"


@_promises("add_records")
def records_are_added_all_or_none(store: RunStore) -> None:
    store.add_records([record("a")], None)
    with pytest.raises(ConflictingIdError):
        store.add_records([record("b"), record("a")], None)
    with pytest.raises(ConflictingIdError):
        store.add_records([record("c"), record("c")], None)
    assert ids(store.list_records()) == ["a"]


@_promises("add_records")
def replacing_is_decided_by_the_caller(store: RunStore) -> None:
    store.add_records([record("a", 1)], None)
    (kept,) = store.add_records(
        [record("a", 9), record("b", 5)], lambda old, new: new.rescheduled(old.next_run_time)
    )[:1]
    assert kept.next_run_time == START + SECOND
    assert {one.id: one.next_run_time for one in store.list_records()} == {
        "a": START + SECOND,
        "b": START + 5 * SECOND,
    }


@_promises("get_record", "next_time", "earliest", "remove", "change")
def what_is_not_there(store: RunStore) -> None:
    assert store.get_record("a") is None
    assert store.next_time() is None
    assert store.earliest() is None
    with pytest.raises(JobLookupError):
        store.remove("a")
    with pytest.raises(JobLookupError):
        store.change("a", lambda old: old)


@_promises("claim", "next_time")
def a_due_job_is_claimed_once_and_moves_on(store: RunStore) -> None:
    store.add_records([record("a", every=10), record("later", 5)], None)
    (decision,) = claim(store, 0).decisions
    assert decision.submit == [START]
    assert _record(store).next_run_time == START + 10 * SECOND
    assert claim(store, 0).decisions == []
    assert store.next_time() == START + 5 * SECOND


@_promises("claim", "get_record")
def a_one_shot_is_gone_when_it_is_claimed(store: RunStore) -> None:
    store.add_records([record("a")], None)
    assert len(claim(store, 0).decisions) == 1
    assert store.get_record("a") is None


@_promises("claim")
def a_job_whose_next_run_is_far_to_seek_is_kept_and_searched_for(store: RunStore) -> None:
    office = IntervalTrigger(seconds=5, start_date=START, timezone=UTC).excluding(is_night)
    store.add_records([record("a", 0)._replace(trigger=office)], None)
    assert _runs_when_due(store) == [START, START + timedelta(hours=9)]


@_promises("claim")
def a_job_is_over_when_a_search_has_come_to_the_end_of_its_schedule(store: RunStore) -> None:
    end = START + timedelta(hours=2)
    ends = IntervalTrigger(seconds=2, start_date=START, end_date=end, timezone=UTC).excluding(is_night)
    store.add_records([record("a", 0)._replace(trigger=ends)], None)
    assert _runs_when_due(store) == [START]
    assert store.get_record("a") is None


@_promises("claim")
def a_limit_leaves_the_rest_for_the_next_claim(store: RunStore) -> None:
    store.add_records([record(str(number), number) for number in range(5)], None)
    batch = claim(store, 10, limit=2)
    assert ids(decision.job for decision in batch.decisions) == ["0", "1"]
    assert batch.more
    assert ids(decision.job for decision in claim(store, 10).decisions) == ["2", "3", "4"]


@_promises("claim", "finish")
def running_instances_are_counted_until_they_end(store: RunStore) -> None:
    store.add_records([record("a", every=10)], None)
    (first,) = claim(store, 0).decisions
    (second,) = claim(store, 10).decisions
    assert second.overlapping
    store.finish([submission(first)])
    (third,) = claim(store, 20).decisions
    assert third.submit


@_promises("has_waiting", "finish", "next_time")
def a_last_run_waits_for_a_free_instance(store: RunStore) -> None:
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


@_promises("claim", needs_unlocked=True)
def a_job_that_was_changed_during_the_decision_is_not_claimed(store: RunStore) -> None:
    store.add_records([record("a", every=10)], None)

    def pauses_meanwhile(job: JobRecord, now: datetime, running: int) -> Decision:
        store.change("a", lambda old: old.rescheduled(None))
        return decide(job, now, running)

    assert claim(store, 0, decide_with=pauses_meanwhile).decisions == []
    assert _record(store).next_run_time is None


@_promises("claim", needs_unlocked=True)
def a_job_that_was_removed_during_the_decision_is_not_claimed(store: RunStore) -> None:
    store.add_records([record("a", every=10)], None)

    def removes_meanwhile(job: JobRecord, now: datetime, running: int) -> Decision:
        store.remove("a")
        return decide(job, now, running)

    assert claim(store, 0, decide_with=removes_meanwhile).decisions == []
    assert store.list_records() == []


@_promises("change")
def a_change_sees_what_others_wrote_meanwhile(store: RunStore) -> None:
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


@_promises("parked", "claim", "next_time", "earliest")
def a_parked_job_is_tried_later_and_later(store: RunStore) -> None:
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


@_promises("retry_parked")
def parked_jobs_can_be_tried_at_once(store: RunStore) -> None:
    store.add_records([record("a", every=10)], None)
    claim(store, 0, decide_with=refuse)
    store.retry_parked()
    assert len(claim(store, 0).decisions) == 1


@_promises("change", "parked")
def changing_a_parked_job_has_it_tried_at_once(store: RunStore) -> None:
    store.add_records([record("a", every=10)], None)
    claim(store, 0, decide_with=refuse)
    store.change("a", lambda old: old.changed(name="mended"))
    assert store.parked() == []
    assert len(claim(store, 0).decisions) == 1


@_promises("give_back")
def the_claim_of_a_recurring_job_is_given_back_as_it_was(store: RunStore) -> None:
    _is_given_back(store, 10)


@_promises("give_back")
def the_claim_of_a_last_run_is_given_back_as_it_was(store: RunStore) -> None:
    _is_given_back(store, None)


def _is_given_back(store: RunStore, every: int | None) -> None:
    store.add_records([record("a", every=every)], None)
    (decision,) = claim(store, 0).decisions
    assert store.give_back(decision, START) == START + SECOND
    assert _record(store).next_run_time == START
    assert claim(store, 0.5).decisions == []
    (again,) = claim(store, 1).decisions
    assert again.submit == [START]
    assert store.give_back(again, START + SECOND) == START + 3 * SECOND  # the second failure in a row


@_promises("give_back")
def a_claim_that_is_given_back_has_counted_nothing(store: RunStore) -> None:
    store.set_group(Group("g", limit=1, rate=1, per=60 * SECOND))
    store.add_records([record("a", every=10, max_runs=1, group="g")], None)
    (decision,) = claim(store, 0).decisions
    assert _record(store).counters is not None
    assert store.give_back(decision, START) is not None
    before = _record(store)
    assert (before.next_run_time, before.counters) == (START, None)
    (again,) = claim(store, 5).decisions
    assert (again.submit, again.attempt) == ([START], 1)
    assert again.following is not None
    assert again.following.next_run_time is None


@_promises("give_back", "list_runs")
def what_is_given_back_waits_if_later_runs_of_its_job_do(store: RunStore) -> None:
    store.set_group(Group("g", rate=1, per=10 * SECOND))
    store.add_records([record("a", every=10, coalesce=False, group="g")], None)
    (decision,) = claim(store, 15).decisions
    assert (decision.submit, decision.buffered) == ([START], [START + 10 * SECOND])
    assert store.give_back(decision, START + 15 * SECOND) is not None
    waiting = {run.scheduled_run_time for run in store.list_runs("a", "queued", None, 10)}
    assert waiting == {START, START + 10 * SECOND}
    assert _record(store).next_run_time == START + 20 * SECOND


@_promises("give_back")
def a_claim_of_a_job_that_was_changed_since_stands(store: RunStore) -> None:
    store.add_records([record("a", every=10)], None)
    (decision,) = claim(store, 0).decisions
    store.change("a", lambda old: old.rescheduled(None))
    assert store.give_back(decision, START) is None
    assert _record(store).next_run_time is None


@_promises("claim", "enqueue")
def each_due_time_counts_its_own_attempts(store: RunStore) -> None:
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


@_promises("list_runs", "give_back", "finish")
def a_run_says_how_many_due_times_it_stands_for(store: RunStore) -> None:
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


@_promises("list_runs", "claim")
def what_waits_and_what_is_dropped_say_for_how_many_due_times(store: RunStore) -> None:
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


@_promises("list_runs", "claim")
def more_due_times_than_can_be_counted_at_once_are_said_to_be_so(store: RunStore) -> None:
    odd = IntervalTrigger(seconds=1, start_date=START, timezone=UTC).excluding(is_odd)
    store.add_records([record("a", 0)._replace(trigger=odd)], None)
    (one,) = claim(store, 20).decisions
    assert one.due_times == 11
    store.finish([submission(one)])
    (one,) = claim(store, 86_400).decisions
    assert one.due_times is None
    (going_on,) = store.list_runs("a", "running", None, 10)
    assert going_on.due_times is None


@_promises("remove", "enqueue", "get_run")
def what_is_queued_ends_with_its_job(store: RunStore) -> None:
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


@_promises("remove_all")
def removing_all(store: RunStore) -> None:
    store.add_records([record("a"), record("b", paused=True)], None)
    claim(store, 0, decide_with=refuse)
    store.remove_all()
    assert store.list_records() == []
    assert store.parked() == []
    assert store.next_time() is None


def _is_shared(store: RunStore) -> bool:
    return store.poll_interval is not None


def _written(store: RunStore, job_id: str = "a") -> list[tuple[str, str | None]]:
    """The states of a job's runs, latest due time first, with what is said of their errors."""
    store.write_outcomes()
    return [(run.state, run.error) for run in store.list_runs(job_id, None, None, 10)]


@_promises("kind", "live_records", "claim_limit", "poll_interval", "serves_one_process", "success_log")
def a_store_says_what_it_is(store: RunStore) -> None:
    assert store.kind is None or store.kind in ABILITIES
    assert store.claim_limit > 0
    assert store.serves_one_process or _is_shared(store)
    # What ends without `finish` being told could be told to nobody else.
    assert store.success_log is None or not _is_shared(store)
    assert not (store.live_records and _is_shared(store))


@_promises("trouble", "has_told", "warnings", "namespace")
def a_store_that_works_tells_of_no_trouble(store: RunStore) -> None:
    assert store.trouble is None
    assert not store.has_told(ValueError("not a store's"))
    assert all(store.warnings())  # none is empty
    assert store.namespace == store.namespace.strip()


@_promises("store_time", "clock_offset")
def the_time_of_a_store_is_aware_and_ahead_by_its_offset(store: RunStore) -> None:
    clock = clock_of(None)
    before = clock.now(UTC)
    told, offset = store.store_time(clock), store.clock_offset
    after = clock.now(UTC)
    assert told.utcoffset() == timedelta(0)
    assert before - SECOND <= told - offset <= after + SECOND


@_promises("shutdown", "start")
def a_store_can_be_started_again(store: RunStore) -> None:
    store.add_records([record("a", 5)], None)
    store.shutdown()
    store.start(None, "default")
    if not store.serves_one_process:
        assert ids(store.list_records()) == ["a"]
    store.add_records([record("b", 3)], None)
    (decision,) = claim(store, 3).decisions
    assert decision.job.id == "b"
    store.finish([submission(decision)])


@_promises("leave")
def a_store_can_be_left_in_a_given_time_and_started_again(store: RunStore) -> None:
    store.add_records([record("a", 5)], None)
    store.leave(5.0)
    store.start(None, "default")
    if not store.serves_one_process:
        assert ids(store.list_records()) == ["a"]


@_promises("get_record")
def a_record_is_read_as_it_was_written(store: RunStore) -> None:
    given = record("a", 5, every=10, max_instances=3, tags=("x",), misfire_grace_time=60 * SECOND)
    store.add_records([given._replace(name="Anna", args=(1, "two"), kwargs={"three": [3]})], None)
    found = _record(store)
    assert (found.name, found.args, found.kwargs) == ("Anna", (1, "two"), {"three": [3]})
    assert (found.func_ref, found.options, found.trigger) == (given.func_ref, given.options, given.trigger)
    assert found.next_run_time == START + 5 * SECOND


@_promises("list_records")
def jobs_are_chosen_by_what_is_asked_for(store: RunStore) -> None:
    store.add_records(
        [
            record("a", 1, tags=("x",)),
            record("b", 2, executor="other"),
            record("p", paused=True, tags=("x",)),
        ],
        None,
    )
    asked = {
        ("a", "b"): JobQuery(state="scheduled"),
        ("p",): JobQuery(state="paused"),
        ("a", "p"): JobQuery(tag="x"),
        ("b",): JobQuery(executor="other"),
        ("a", "b", "p"): JobQuery(search="PRINT"),
        ("b", "p"): JobQuery(after="a"),
        ("a",): JobQuery(limit=1),
        (): JobQuery(search="nobody"),
    }
    assert {tuple(ids(store.list_records(query))): query for query in asked.values()} == asked
    with pytest.raises(JobLookupError):
        store.list_records(JobQuery(after="nobody"))


@_promises("find_equal")
def an_equal_job_is_found_where_jobs_outlive_a_program(store: RunStore) -> None:
    store.add_records([record("a", 5, every=10), record("b", 5, every=20)], None)
    assert store.find_equal(record("c", 5, every=10)) == ("a" if _is_shared(store) else None)
    assert store.find_equal(record("c", 5, every=30)) is None


@_promises("change")
def a_changed_record_is_returned_as_it_is_kept(store: RunStore) -> None:
    store.add_records([record("a", 5, every=10)], None)
    changed = store.change("a", lambda old: old.changed(name="other", next_run_time=START + 7 * SECOND))
    assert (changed.name, changed.next_run_time) == ("other", START + 7 * SECOND)
    assert (_record(store).name, store.next_time()) == ("other", START + 7 * SECOND)


@_promises("change")
def a_change_that_raises_changes_nothing(store: RunStore) -> None:
    store.add_records([record("a", 5, every=10)], None)

    def fails(old: JobRecord) -> JobRecord:
        raise ZeroDivisionError(old.id)

    with pytest.raises(ZeroDivisionError):
        store.change("a", fails)
    assert (_record(store).name, store.next_time()) == ("a", START + 5 * SECOND)


@_promises("remove")
def a_removed_job_is_not_run(store: RunStore) -> None:
    store.add_records([record("a"), record("b", 5)], None)
    store.remove("a")
    assert store.get_record("a") is None
    assert claim(store, 0).decisions == []
    assert ids(store.list_records()) == ["b"]


@_promises("remove_all")
def removing_all_ends_what_is_queued(store: RunStore) -> None:
    store.add_records([record("a", paused=True)], None)
    (asked,) = store.enqueue([manual_run("a", 0)])
    store.remove_all()
    assert claim(store, 5).decisions == []
    assert [(run.outcome, run.error) for run in store.list_runs("a", None, None, 10)] == [
        ("skipped", JOB_REMOVED)
    ]
    assert store.get_run(asked.key) is not None


@_promises("finish", "write_outcomes", "list_runs")
def what_became_of_a_run_is_kept(store: RunStore) -> None:
    store.add_records([record("a", every=10)], None)
    (decision,) = claim(store, 0).decisions
    assert _written(store) == [("running", None)]
    failed = submission(decision)
    failed.add_result(result(decision, "failed", error="no"))
    store.finish([failed])
    assert _written(store) == [("failed", "no")]


@_promises("finish")
def an_end_that_is_told_twice_counts_once(store: RunStore) -> None:
    store.add_records([record("a", every=10, max_instances=2)], None)
    (first,), (second,) = claim(store, 0).decisions, claim(store, 10).decisions
    ended = submission(first)
    ended.add_result(result(first))
    store.finish([ended])
    store.finish([ended])
    assert [state for state, _ in _written(store)] == ["running", "succeeded"]
    (third,) = claim(store, 20).decisions
    assert third.submit == [START + 20 * SECOND]
    assert claim(store, 30).decisions[0].overlapping  # the second and the third go on
    store.finish([submission(second), submission(third)])


@_promises("finish", "write_outcomes")
def a_run_that_failed_is_queued_to_be_tried_again(store: RunStore) -> None:
    store.add_records([record("a", every=100, retry=Retry(2, delay=1))], None)
    (decision,) = claim(store, 0).decisions
    failed = submission(decision)
    failed.add_result(result(decision, "failed", error="no", retry_at=START + 5 * SECOND))
    store.finish([failed])
    store.write_outcomes()
    assert claim_all(store, 4) == []
    (retry,) = claim_all(store, 5)
    assert (retry.cause, retry.attempt, retry.submit) == ("retry", 2, [START])
    store.finish([submission(retry)])


@_promises("finish")
def a_job_that_fails_too_often_is_paused(store: RunStore) -> None:
    store.add_records([record("a", every=10, pause_after_failures=2)], None)
    for after, due in ((0, START + 10 * SECOND), (10, None)):
        (decision,) = claim(store, after).decisions
        failed = submission(decision)
        failed.add_result(result(decision, "failed", error="no"))
        store.finish([failed])
        store.write_outcomes()
        assert _record(store).next_run_time == due


@_promises("progress")
def what_became_of_one_run_of_several_is_kept_while_the_others_go_on(store: RunStore) -> None:
    store.add_records([record("a", every=10, coalesce=False, retry=Retry(2, delay=1))], None)
    (decision,) = claim(store, 10).decisions
    goes_on = submission(decision)
    goes_on.add_result(result(decision, "failed", error="no", retry_at=START + 100 * SECOND))
    store.progress(goes_on)
    assert _written(store) == [("running", None), ("queued", None), ("failed", "no")]
    goes_on.add_result(RunResult(START + 10 * SECOND, "succeeded", START, START))
    store.finish([goes_on])
    assert [state for state, _ in _written(store)] == ["succeeded", "queued", "failed"]


@_promises("report_progress", "write_outcomes")
def what_a_run_says_is_seen_by_other_nodes(store: RunStore) -> None:
    store.add_records([record("a", every=10)], None)
    (decision,) = claim(store, 0).decisions
    goes_on = submission(decision)
    store.report_progress(goes_on, '[1, 3, "files"]')
    store.write_outcomes()
    found = store.get_run(goes_on.key)
    assert found is not None
    # Within one process the run itself is asked.
    assert found.progress == ((1, 3, "files") if _is_shared(store) else None)


@_promises("release")
def what_is_left_to_other_nodes_can_be_claimed_again(store: RunStore) -> None:
    store.add_records([record("a", every=10)], None)
    (decision,) = claim(store, 0).decisions
    store.release([submission(decision)])
    if _is_shared(store):
        (again,) = claim(store, 0).decisions
        assert (again.submit, again.attempt) == ([START], 1)
        store.finish([submission(again)])


@_promises("enqueue")
def a_queued_run_is_claimed_when_it_is_available(store: RunStore) -> None:
    store.add_records([record("a", paused=True)], None)
    asked = manual_run("a", 0)._replace(available=START + 5 * SECOND)
    assert store.enqueue([asked]) == [asked]
    assert store.next_time() == START + 5 * SECOND or _is_shared(
        store
    )  # which may ask for it along with others
    assert claim(store, 4).decisions == []
    (decision,) = claim(store, 5).decisions
    assert (decision.submit, decision.cause) == ([START], "manual")
    assert claim(store, 6).decisions == []
    store.finish([submission(decision)])


@_promises("enqueue")
def a_run_that_is_known_is_not_queued_again(store: RunStore) -> None:
    store.add_records([record("a", paused=True)], None)
    first, second = manual_run("a", 0), manual_run("a", 1)
    assert store.enqueue([first]) == [first]
    assert store.enqueue([first, second]) == [second]
    assert [run.state for run in store.list_runs("a", None, None, 10)] == ["queued", "queued"]


@_promises("enqueue")
def a_run_of_an_unknown_job_is_not_queued(store: RunStore) -> None:
    with pytest.raises(JobLookupError):
        store.enqueue([manual_run("a", 0)])
    assert store.list_runs(None, None, None, 10) == []


@_promises("cancel")
def a_queued_run_that_is_cancelled_is_not_run(store: RunStore) -> None:
    store.add_records([record("a", paused=True)], None)
    (asked,) = store.enqueue([manual_run("a", 0)])
    assert store.cancel(asked.key)
    assert claim(store, 5).decisions == []
    assert _written(store) == [("cancelled", CANCELLED_UNBEGUN)]


@_promises("cancel")
def what_is_not_queued_is_not_cancelled(store: RunStore) -> None:
    store.add_records([record("a", every=10)], None)
    (decision,) = claim(store, 0).decisions
    ended = submission(decision)
    ended.add_result(result(decision))
    store.finish([ended])
    store.write_outcomes()
    assert not store.cancel(ended.key)
    assert not store.cancel(RunKey("nobody", START, 1))
    assert [state for state, _ in _written(store)] == ["succeeded"]


@_promises("set_group")
def a_group_limits_what_is_run_at_once(store: RunStore) -> None:
    store.set_group(Group("g", limit=1))
    store.add_records([record("a", every=10, group="g"), record("b", every=10, group="g")], None)
    (first,) = claim_all(store, 0)
    assert store.has_waiting
    assert store.finish([submission(first)])
    (second,) = claim_all(store, 0)
    assert {first.job.id, second.job.id} == {"a", "b"}
    store.finish([submission(second)])


@_promises("set_group", "list_groups")
def groups_are_listed_by_name_with_their_latest_limits(store: RunStore) -> None:
    assert store.list_groups() == []
    for group in (Group("h", limit=2), Group("g", limit=1), Group("h", limit=3)):
        store.set_group(group)
    assert store.list_groups() == [Group("g", limit=1), Group("h", limit=3)]


@_promises("remove_group")
def a_group_that_is_removed_limits_nothing(store: RunStore) -> None:
    store.set_group(Group("g", limit=1))
    store.add_records([record("a", every=10, group="g"), record("b", every=10, group="g")], None)
    (first,) = claim_all(store, 0)
    assert store.remove_group("g")
    assert not store.remove_group("g")
    assert store.list_groups() == []
    (second,) = claim_all(store, 0)
    assert {first.job.id, second.job.id} == {"a", "b"}
    store.finish([submission(first), submission(second)])


@_promises("list_runs")
def runs_are_chosen_by_what_is_asked_for(store: RunStore) -> None:
    store.add_records([record("a", paused=True), record("b", every=10)], None)
    store.enqueue([manual_run("a", 1000), manual_run("a", 2000)])
    outcomes: dict[int, Outcome | None] = {0: "succeeded", 10: "failed", 20: None}
    for after, outcome in outcomes.items():
        (decision,) = claim(store, after).decisions
        if outcome is not None:
            ended = submission(decision)
            ended.add_result(result(decision, outcome))
            store.finish([ended])
    store.write_outcomes()

    def found(job_id: str | None, outcome: str | None, since: float | None, limit: int = 10) -> list[float]:
        moment = None if since is None else START + since * SECOND
        runs = store.list_runs(job_id, outcome, moment, limit)
        return [(run.scheduled_run_time - START).total_seconds() for run in runs]

    assert found(None, None, None) == [2000, 1000, 20, 10, 0]
    assert found("b", None, None) == [20, 10, 0]
    assert [found(None, one, None) for one in ("failed", "running")] == [[10], [20]]
    assert found(None, "queued", None) == [2000, 1000]
    assert found(None, None, 20) == [2000, 1000, 20]
    assert found(None, None, None, 2) == [2000, 1000]
    assert found("nobody", None, None) == []


@_promises("get_run")
def a_run_is_found_by_its_key_whatever_it_does(store: RunStore) -> None:
    store.add_records([record("a", every=10)], None)
    key = RunKey("a", START, 1)
    assert store.get_run(key) is None
    (decision,) = claim(store, 0).decisions
    (asked,) = store.enqueue([manual_run("a", 500)])
    states = [store.get_run(one) for one in (key, asked.key, key._replace(attempt=2))]
    assert [None if run is None else run.state for run in states] == ["running", "queued", None]
    ended = submission(decision)
    ended.add_result(result(decision))
    store.finish([ended])
    store.write_outcomes()
    found = store.get_run(key)
    assert found is not None
    assert (found.state, found.id) == ("succeeded", key.id)


class RunStoreConformance:
    """The tests, one for each promise.

    Attributes:
        decides_unlocked: whether jobs may be changed by others while the store asks for a decision about them.
    """

    decides_unlocked: ClassVar[bool] = True

    @pytest.fixture
    def store(self) -> RunStore:
        """A store that was started and is empty; to be overridden."""
        raise NotImplementedError("give the test class a fixture named store")

    @pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.name)
    def test_promise(self, store: RunStore, promise: Promise) -> None:
        if promise.needs_unlocked and not self.decides_unlocked:
            pytest.skip("the store keeps jobs locked while it asks what is to become of them")
        promise.check(store)
