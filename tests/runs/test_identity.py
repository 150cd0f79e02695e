"""Which run is which: no two have the same identifier, none is left out, and each belongs to the job that it was made for."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import run_work as work

from mainspring import Retry
from mainspring.errors import ConflictingIdError, JobLookupError
from mainspring.events import EVENT_EVERY, EVENT_JOB_MAX_INSTANCES
from mainspring.executors.native import NativeExecutor
from mainspring.executors.run import call_function, perform
from mainspring.model import run_key
from mainspring.testing import EventRecorder, ManualScheduler

#: What stores keep is the same on every Python, and these make tables for each test.
pytestmark = pytest.mark.one_python

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
        setting = getattr(store, "_node_context", None)
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


# Whose runs they are


def test_what_is_queued_ends_with_its_job_and_is_not_run_by_another(manual, held):
    scheduler = manual()
    job = every_minute(scheduler, max_instances=1)
    scheduler.run_due()
    waiting = [job.run_now() for _ in range(3)]
    scheduler.run_due()
    job.remove()
    assert [handle.record().outcome for handle in waiting] == ["skipped"] * 3
    assert {handle.record().error for handle in waiting} == {"its job was removed"}
    scheduler.add_job(work.note, "date", run_date=START + timedelta(days=1), args=["new"], id="a")
    held.end()
    settle(scheduler)
    scheduler.advance(MINUTE)
    assert work.seen == []
    assert [run.state for run in scheduler.get_runs("a", "queued")] == []
    check_attempts(scheduler)


def test_all_that_is_queued_ends_with_all_jobs(manual, held):
    scheduler = manual()
    job = every_minute(scheduler)
    scheduler.run_due()
    waiting = job.run_now()
    scheduler.remove_all_jobs()
    assert (waiting.record().outcome, waiting.record().error) == ("skipped", "its job was removed")
    held.end()
    settle(scheduler)
    assert Counter(run.outcome for run in scheduler.get_runs()) == {"succeeded": 1, "skipped": 1}


def remove_it(scheduler):
    scheduler.remove_job("a")


def remove_all(scheduler):
    scheduler.remove_all_jobs()


@pytest.mark.parametrize("remove", [remove_it, remove_all])
@pytest.mark.parametrize("is_there_another", [True, False])
def test_nothing_follows_for_another_job_from_what_goes_on(manual, held, remove, is_there_another):
    scheduler = manual()
    scheduler.add_job(
        work.fail,
        "interval",
        minutes=1,
        start_date=START,
        id="a",
        executor="held",
        retry=Retry(3, delay=1),
        pause_after_failures=1,
    )
    scheduler.run_due()
    remove(scheduler)
    if is_there_another:
        scheduler.add_job(
            work.note,
            "date",
            run_date=START + timedelta(days=1),
            args=["new"],
            id="a",
            retry=Retry(3, delay=1),
            pause_after_failures=1,
        )
    held.end()
    settle(scheduler)
    scheduler.advance(MINUTE)
    assert work.seen == []
    assert [run[1:] for run in known(scheduler, "a")] == [
        (1, "failed", "ValueError: no such luck"),
        (2, "skipped", "its job was removed"),
    ]
    if is_there_another:
        job = scheduler.get_job("a")
        assert (job.next_run_time, job.note) == (START + timedelta(days=1), None)
        assert job.run_now().wait().outcome == "succeeded"
    check_attempts(scheduler)


def test_a_retry_that_waits_is_not_made_by_another_job(manual):
    scheduler = manual()
    scheduler.add_job(work.fail, "date", run_date=START, id="a", retry=Retry(3, delay=10))
    scheduler.run_due()
    assert scheduler.get_job("a") is None
    with pytest.raises(JobLookupError):
        scheduler.run_job("a")
    scheduler.add_job(work.note, "date", run_date=START + timedelta(days=1), args=["new"], id="a")
    scheduler.advance(MINUTE)
    assert work.seen == []
    assert [run[1:] for run in known(scheduler, "a")] == [
        (1, "failed", "ValueError: no such luck"),
        (2, "skipped", "its job was removed"),
    ]


@pytest.mark.parametrize("is_ended", [True, False])
def test_a_retry_is_made_though_its_attempt_is_taken(manual, held, is_ended):
    scheduler = manual()
    options = {"executor": "held", "retry": Retry(3, delay=10), "max_instances": 3}
    job = scheduler.add_job(work.fail, "interval", minutes=1, start_date=START, id="a", **options)
    scheduler.run_due()
    job.modify(next_run_time=START, func=work.wait, args=[0.01])
    work.gate.set()
    scheduler.run_due()
    if is_ended:
        held.end(1)
        settle(scheduler)
    held.end()
    settle(scheduler)
    assert [run[1:3] for run in known(scheduler, "a")] == [
        (1, "failed"),
        (2, "succeeded" if is_ended else "running"),
        (3, "queued"),
    ]
    check_attempts(scheduler)


def test_a_job_that_is_added_again_by_a_restart_keeps_its_retries(manual):
    scheduler = manual()
    add = {"trigger": "date", "run_date": START, "id": "a", "retry": Retry(3, delay=10)}
    scheduler.add_job(work.fail, **add)
    scheduler.run_due()
    scheduler.add_job(
        work.note, args=["again"], replace_existing=True, **{**add, "run_date": START + timedelta(days=1)}
    )
    scheduler.advance(MINUTE)
    assert [name for name, _ in work.seen] == ["again"]
    assert [run[1:3] for run in known(scheduler, "a")] == [(1, "failed"), (2, "succeeded")]


def test_an_id_that_nobody_has_can_be_given_while_runs_of_it_go_on(manual, held):
    scheduler = manual()
    scheduler.add_job(
        work.add,
        "date",
        run_date=START,
        args=[1, 2],
        id="a",
        executor="held",
        retry=Retry(2),
        max_instances=2,
    )
    scheduler.run_due()
    assert scheduler.get_job("a") is None
    scheduler.add_job(work.add, "date", run_date=START, args=[3, 4], id="a", executor="held", max_instances=2)
    with pytest.raises(ConflictingIdError):
        scheduler.add_job(work.add, "date", run_date=START, args=[3, 4], id="a")
    scheduler.run_due()
    held.end(1)
    held.end()
    settle(scheduler)
    assert [(run.attempt, run.result) for run in scheduler.get_runs("a")] == [(2, "7"), (1, "3")]
    assert scheduler.get_job("a") is None


def test_a_claim_is_not_given_back_to_another_job(manual, held, monkeypatch):
    scheduler = manual()
    every_minute(scheduler)

    def refuse(submission, reporter):
        scheduler.remove_job("a")
        every_minute(scheduler, next_run_time=START + 5 * MINUTE)
        raise OSError("no room")

    monkeypatch.setattr(held, "_submit", refuse)
    scheduler.run_due()
    assert scheduler.get_job("a").next_run_time == START + 5 * MINUTE
    assert [run[1:3] for run in known(scheduler, "a")] == [(1, "failed")]


def test_a_run_that_was_asked_for_is_not_given_back_to_another_job(manual, held, monkeypatch):
    scheduler = manual()
    every_minute(scheduler, next_run_time=START + 5 * MINUTE)
    handle = scheduler.run_job("a")

    def refuse(submission, reporter):
        scheduler.remove_job("a")
        scheduler.add_job(work.note, "date", run_date=START + timedelta(days=1), args=["new"], id="a")
        raise OSError("no room")

    monkeypatch.setattr(held, "_submit", refuse)
    scheduler.run_due()
    scheduler.advance(5 * MINUTE)
    assert work.seen == []
    assert handle.record().outcome == "failed"


# Those who wait


def test_more_instances_let_begin_what_has_waited(manual, held):
    scheduler = manual()
    job = every_minute(scheduler, max_instances=1, overlap="buffer_all")
    scheduler.run_due()
    job.run_now()
    scheduler.run_due()
    assert len(held.held) == 1
    job.modify(max_instances=2)
    scheduler.run_due()
    scheduler.advance(1)
    assert len(held.held) == 2


@pytest.mark.parametrize("is_removed", [True, False])
def test_more_room_in_a_group_lets_begin_what_has_waited(manual, held, is_removed):
    scheduler = manual()
    scheduler.set_group("g", limit=1)
    jobs = [
        scheduler.add_job(
            work.add,
            "interval",
            minutes=30,
            start_date=START,
            args=[1, 2],
            id=str(number),
            group="g",
            executor="held",
        )
        for number in range(2)
    ]
    scheduler.run_due()
    jobs[0].run_now()
    scheduler.run_due()
    assert len(held.held) == 1
    scheduler.modify_job("0", max_instances=2)
    if is_removed:
        scheduler.remove_group("g")
    else:
        scheduler.set_group("g", limit=3)
    scheduler.run_due()
    scheduler.advance(1)
    assert len(held.held) == 3
