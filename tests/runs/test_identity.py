"""Which run is which: no two have the same identifier, none is left out, and each belongs to the job that it was made for."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import run_work as work

from mainspring.events import EVENT_EVERY, EVENT_JOB_MAX_INSTANCES
from mainspring.executors.base import NativeExecutor
from mainspring.executors.run import call_function, perform
from mainspring.model import run_key
from mainspring.testing import EventRecorder, ManualScheduler

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class HeldExecutor(NativeExecutor):
    """Keeps what it is given until the test has it end."""

    def __init__(self):
        super().__init__()
        self.held = []

    @property
    def places(self):
        return 1000

    def _submit(self, submission, reporter):
        self.held.append((submission, reporter))

    def end(self, place=0):
        submission, reporter = self.held.pop(place)
        perform(submission, reporter, lambda job: call_function(job, ()), self._logger)


@pytest.fixture
def held():
    return HeldExecutor()


@pytest.fixture
def manual(make_store, held):
    """A scheduler whose time the test lets pass, and whose runs of the executor "held" it lets end; on a store of each kind."""
    made = []

    def make(**options):
        store = make_store()
        setting = getattr(store, "_setting", None)
        if setting is not None:
            setting.measured = lambda *_: None  # the test's clock is the server's
        scheduler = ManualScheduler(
            jobstores={"default": store},
            executors={"default": {"type": "debug"}, "held": held},
            **options,
        )
        made.append(scheduler)
        scheduler.start()
        return scheduler

    yield make
    for scheduler in made:
        scheduler.pause()
        while held.held:
            held.end()
        scheduler.shutdown(timeout=10)


def settle(scheduler):
    """Have the store know what has ended, and run what follows from it."""
    scheduler.run_due()


def known(scheduler, job_id):
    """The runs of a job: due time, attempt, state, why."""
    return sorted(
        (run.scheduled_run_time, run.attempt, run.state, run.error)
        for run in scheduler.get_runs(job_id, limit=1000)
    )


def check_attempts(scheduler):
    """No run is there twice, and of no due time an attempt is left out."""
    runs = scheduler.get_runs(limit=10_000)
    assert len({run.id for run in runs}) == len(runs)
    counts = Counter((run.job_id, run.scheduled_run_time) for run in runs)
    assert {(run.job_id, run.scheduled_run_time, run.attempt) for run in runs} == {
        (*which, attempt) for which, count in counts.items() for attempt in range(1, count + 1)
    }


# As many instances as may


def ask(scheduler):
    scheduler.add_job(
        work.add, "interval", minutes=1, start_date=START + MINUTE, args=[1, 2], id="a", executor="held"
    )
    scheduler.run_job("a")
    scheduler.run_due()


def ask_for_old_times(scheduler):
    begin = START - timedelta(days=1)
    scheduler.add_job(
        work.add,
        "interval",
        minutes=1,
        start_date=begin,
        next_run_time=START + MINUTE,
        args=[1, 2],
        id="a",
        executor="held",
    )
    scheduler.backfill("a", begin, begin + MINUTE)
    scheduler.run_due()


def put_another_in_its_place(scheduler):
    scheduler.add_job(work.add, "interval", minutes=1, start_date=START, args=[1, 2], id="a", executor="held")
    scheduler.run_due()
    scheduler.remove_job("a")
    scheduler.add_job(
        work.add, "interval", minutes=1, start_date=START + MINUTE, args=[3, 4], id="a", executor="held"
    )


@pytest.mark.parametrize("begin", [ask, ask_for_old_times, put_another_in_its_place])
def test_instances_count_that_the_schedule_has_not_made(manual, held, begin):
    scheduler = manual()
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_JOB_MAX_INSTANCES)
    begin(scheduler)
    assert len(held.held) == 1
    scheduler.advance(MINUTE)
    assert len(held.held) == 1
    assert (START + MINUTE, 1, "skipped", "1 instances were running") in known(scheduler, "a")
    assert [event.run_ids for event in heard.events] == [["a/2026-01-01T00:01:00.000000Z/1"]]
    held.end()
    settle(scheduler)
    check_attempts(scheduler)


@pytest.mark.parametrize("begin", [ask, put_another_in_its_place])
def test_what_is_to_be_cancelled_is_found(manual, held, begin):
    scheduler = manual()
    begin(scheduler)
    ((old, _),) = held.held
    scheduler.modify_job("a", overlap="cancel_running")
    scheduler.advance(MINUTE)
    assert old.stop == "cancelled"
    assert len(held.held) == 1
    held.end()
    settle(scheduler)
    scheduler.advance(1)
    assert [submission.run_times for submission, _ in held.held] == [[START + MINUTE]]


# Attempts


@pytest.fixture
def told():
    """Hears all events, and checks that they agree with themselves."""
    recorder = EventRecorder()

    def check():
        for event in recorder.events:
            attempt = getattr(event, "attempt", None)
            if getattr(event, "run_id", None) is not None:
                key = run_key(event.run_id)
                assert (key.job_id, key.scheduled_run_time, key.attempt) == (
                    event.job_id,
                    event.scheduled_run_time.astimezone(UTC),
                    attempt,
                )
        return {event.run_id for event in recorder.events if getattr(event, "run_id", None)}

    recorder.check = check
    return recorder


def every_minute(scheduler, **options):
    return scheduler.add_job(
        work.add, "interval", minutes=1, start_date=START, args=[1, 2], id="a", executor="held", **options
    )


def test_a_run_that_is_asked_for_at_the_instant_of_another_is_another(manual, held, told):
    scheduler = manual()
    scheduler.add_listener(told, EVENT_EVERY)
    every_minute(scheduler, max_instances=5)
    first = scheduler.run_job("a")
    scheduler.run_due()
    second = scheduler.run_job("a")
    scheduler.run_due()
    assert len(held.held) == 3
    assert [(run[0] - START, run[1], run[2]) for run in known(scheduler, "a")] == [
        (timedelta(0), 1, "running"),
        (timedelta(0), 2, "running"),
        (timedelta(microseconds=1), 1, "running"),
    ]
    while held.held:
        held.end()
    settle(scheduler)
    assert {handle.record().outcome for handle in (first, second)} == {"succeeded"}
    check_attempts(scheduler)
    assert told.check() == {run.id for run in scheduler.get_runs()}


def test_a_backfill_leaves_alone_what_goes_on_and_what_is_to_come(manual, held):
    scheduler = manual()
    every_minute(scheduler, max_instances=5)
    scheduler.run_due()
    assert scheduler.backfill("a", START, START) == []
    scheduler.pause_job("a")
    scheduler.advance(2 * MINUTE)
    made = scheduler.backfill("a", START, START + timedelta(days=1) / 2)
    assert [handle.scheduled_run_time - START for handle in made] == [MINUTE, 2 * MINUTE]
    scheduler.run_due()
    assert len(held.held) == 3
    check_attempts(scheduler)


@pytest.mark.parametrize("is_ended", [True, False])
def test_a_job_that_is_moved_back_counts_on_at_each_time(manual, held, told, is_ended):
    scheduler = manual()
    scheduler.add_listener(told, EVENT_EVERY)
    job = every_minute(scheduler, coalesce=False, catch_up_limit=3, max_instances=5, misfire_grace_time=150)
    scheduler.pause_job("a")
    scheduler.clock.advance(timedelta(minutes=5))
    job.modify(next_run_time=START + 3 * MINUTE)
    scheduler.run_due()
    for _ in range(2):
        if is_ended:
            while held.held:
                held.end()
            settle(scheduler)
        job.modify(next_run_time=START + 2 * MINUTE)  # a time that has run, and one before it
        scheduler.run_due()
        job.modify(next_run_time=START)  # more than may be caught up, and some that are too late
        scheduler.run_due()
    assert {run[1] for run in known(scheduler, "a") if run[0] == START} == {1, 2}
    check_attempts(scheduler)
    while held.held:
        held.end()
    settle(scheduler)
    assert {run.state for run in scheduler.get_runs("a", limit=100)} == {"succeeded", "missed"}
    dropped = {
        run.id for run in scheduler.get_runs("a", limit=100) if "overdue too often" in (run.error or "")
    }
    assert told.check() == {run.id for run in scheduler.get_runs("a", limit=100)} - dropped


@pytest.mark.parametrize("is_ended", [True, False])
def test_a_job_of_the_same_id_counts_on(manual, held, is_ended):
    scheduler = manual()
    for number in range(3):
        every_minute(scheduler, max_instances=9)
        scheduler.run_due()
        if is_ended:
            held.end()
            settle(scheduler)
        scheduler.remove_job("a")
        scheduler.add_job(
            work.add, "date", run_date=START, args=[1, 2], id="a", executor="held", max_instances=9
        )
        scheduler.run_due()  # its schedule has ended
        assert max(run[1] for run in known(scheduler, "a")) == 2 * number + 2
        if is_ended:
            held.end()
            settle(scheduler)
    check_attempts(scheduler)


def test_the_times_of_a_repeated_hour_are_different_ones(manual, held, told):
    begin = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 2:30 in Berlin, for the first time of two
    scheduler = manual(start=begin - timedelta(hours=2), timezone="Europe/Berlin")
    scheduler.add_listener(told, EVENT_EVERY)
    job = scheduler.add_job(
        work.add,
        "interval",
        hours=1,
        start_date=begin,
        args=[1, 2],
        id="a",
        executor="held",
        coalesce=False,
        max_instances=9,
    )
    scheduler.clock.advance(timedelta(hours=4))
    for _ in range(2):
        scheduler.run_due()
        job.modify(next_run_time=begin)
    scheduler.run_due()
    assert Counter(run[1] for run in known(scheduler, "a")) == {1: 3, 2: 3, 3: 3}
    check_attempts(scheduler)
    scheduler.cancel_run("a/2026-10-25T01:30:00.000000Z/2")
    while held.held:
        held.end()
    settle(scheduler)
    outcomes = {run.id: run.outcome for run in scheduler.get_runs("a")}
    assert set(outcomes) == told.check()
    # What was claimed together with a run that is cancelled, and not begun, is cancelled too.
    assert Counter(outcomes.values()) == {"succeeded": 6, "cancelled": 3}
    assert outcomes["a/2026-10-25T00:30:00.000000Z/2"] == "cancelled"
    handle = job.run_now()
    assert scheduler.backfill("a", begin, begin + timedelta(hours=2))[1:] == []
    assert handle.id in {run.id for run in scheduler.get_runs("a", "queued")}
