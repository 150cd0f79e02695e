"""What a node does about outcomes until they are written, and what it says of them; without a database."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

import pytest

from mainspring import AfterJob, DateTrigger, Retry
from mainspring.jobstores.shared.backend import Collected
from mainspring.jobstores.shared.dividing import weight_of
from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.shared.node_context import NodeContext
from mainspring.jobstores.shared.outcomes import Outcomes
from mainspring.jobstores.shared.row_locks import RowLocks
from mainspring.jobstores.shared.runs import Ended, Finished, LostRun
from mainspring.model import RunKey, RunResult, Submission
from mainspring.testing import SettableClock
from mainspring.testing.conformance import SECOND, START, record

NOW = START + 100 * SECOND


class Lease:
    token = 7


FAILURES = {
    OSError: Failure.OUTAGE,
    OverflowError: Failure.TOO_LARGE,
    BlockingIOError: Failure.CONFLICT,
}


class Outage:
    """Knows what kinds of failure there are."""

    def failure_of(self, error):
        return FAILURES.get(type(error))


class Backend:
    """Takes outcomes, or raises what it is told to."""

    def __init__(self):
        self.node_context = NodeContext(
            arguments=None,
            locks=RowLocks(),
            logger=logging.getLogger("mainspring.test"),
            node_name="here",
            clock=SettableClock(NOW),
        )
        self.outage = Outage()
        self.written = []
        self.pruned = []
        self.error = None
        self.finished = Finished()
        self.collected = Collected((), {}, None)
        self.own = None

    def finish(self, ended, give_up):
        self.during()
        if self.error is not None:
            raise self.error
        self.written.append([one.result.scheduled_run_time for one in ended])
        self.give_up = give_up
        return self.finished

    def during(self):
        """While outcomes are written."""

    def collect_lost(self, own):
        self.own = own()
        return self.collected

    def prune(self, jobs, keep, before):
        self.pruned.append((jobs, keep, before))


@pytest.fixture
def backend():
    return Backend()


@pytest.fixture
def told():
    return []


@pytest.fixture
def outcomes(backend, told):
    return Outcomes(
        backend,
        5,
        timedelta(days=1),
        lambda due: told.append(("queue", due)),
        lambda *what: told.append(("lost", *what)),
        lambda job: told.append(("paused", job.id)),
        lambda: True,
    )


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO, "mainspring.test")
    return lambda: [f"{record.levelname} {record.getMessage()}" for record in caplog.records]


def ran(*seconds, outcome="succeeded", unrun=(), job_id="a", reruns=0, **options):
    """A submission whose runs at `seconds` have ended, and those at `unrun` were not begun."""
    times = [START + number * SECOND for number in (*seconds, *unrun)]
    submission = Submission(record(job_id, **options), "default", times, lease=Lease(), reruns=reruns)
    for time in times[: len(seconds)]:
        submission.add_result(RunResult(time, outcome, START, START))
    return submission


def at(*seconds):
    return [START + number * SECOND for number in seconds]


def never():
    return False


def test_what_has_ended_is_written_once_in_its_order(outcomes, backend, told):
    outcomes.add([ran(0, 1), ran(2)])
    assert len(outcomes) == 3
    outcomes.write(never)
    outcomes.write(never)
    assert backend.written == [at(0, 1, 2)]
    assert backend.give_up is never
    assert len(outcomes) == 0
    assert told == [("queue", None)]


@pytest.mark.parametrize("give_up", [None, never, lambda: True])
def test_a_connection_that_is_closed_on_what_is_large_is_looked_into_soon(outcomes, backend, give_up):
    large = ran(0)
    large.results[0] = large.results[0]._replace(result="x" * 64 * 1024)
    outcomes.add([large])
    outcomes.write(give_up)
    gives_up = give_up is not None and give_up()
    backend.node_context.clock.advance(2)
    assert backend.give_up() is gives_up
    backend.node_context.clock.advance(0.001)
    assert backend.give_up() is True


def test_when_runs_that_follow_are_due_is_told(outcomes, backend, told):
    backend.finished = Finished(queued_from=NOW)
    outcomes.add([ran(0)])
    outcomes.write()
    assert told == [("queue", NOW)]


@pytest.mark.parametrize("error", [OSError("away"), KeyboardInterrupt()])
def test_what_could_not_be_written_is_put_back_before_what_has_come_since(outcomes, backend, told, error):
    backend.error = error
    outcomes.add([ran(0, 1)])
    backend.during = lambda: outcomes.add([ran(2)])
    with pytest.raises(type(error)):
        outcomes.write()
    assert told == []
    backend.error, backend.during = None, lambda: None
    outcomes.write()
    assert backend.written == [at(0, 1, 2)]


def failed(second, trigger=None, **options):
    """A submission of a job that counts its failures, and comes after another one; of which a run has failed."""
    submission = ran(second, outcome="failed", job_id="b", pause_after_failures=1, **options)
    submission.job = submission.job._replace(trigger=trigger or AfterJob("a"))
    return submission


def test_what_may_pause_a_job_that_comes_after_others_is_written_by_itself(outcomes, backend):
    outcomes.add([ran(0, 1), failed(2), failed(3), ran(4), ran(5)])
    assert outcomes.drain(never) == []  # nor by a claim, which is not kept waiting for long
    assert backend.written == [at(0, 1), at(2), at(3), at(4, 5)]


@pytest.mark.parametrize(
    "other",
    [
        failed(2, trigger=DateTrigger(START)),
        ran(2, outcome="failed", job_id="b"),
        ran(2, job_id="b", pause_after_failures=1),
    ],
    ids=["comes after none", "counts none", "has not failed"],
)
def test_what_pauses_no_job_that_comes_after_others_is_written_with_them(outcomes, backend, other):
    outcomes.add([ran(0, 1), other, ran(4)])
    outcomes.write()
    assert backend.written == [at(0, 1, 2, 4)]


def test_a_claim_that_fails_puts_back_what_it_has_taken_along(outcomes, backend):
    outcomes.add([ran(0, 1)])
    taken = outcomes.drain(never)
    assert [one.result.scheduled_run_time for one in taken] == at(0, 1)
    assert len(outcomes) == 0
    outcomes.add([ran(2)])
    outcomes.requeue(taken)
    outcomes.write()
    assert backend.written == [at(0, 1, 2)]


def test_a_claim_waits_for_outcomes_that_are_on_their_way(outcomes, backend):
    writing, go_on = threading.Event(), threading.Event()

    def during():
        writing.set()
        assert go_on.wait(30)

    backend.during = during
    outcomes.add([ran(0)])
    thread = threading.Thread(target=outcomes.write)
    thread.start()
    assert writing.wait(30)
    asked = []

    def give_up():
        asked.append(len(backend.written))
        if len(asked) == 2:
            go_on.set()
        return False

    outcomes.add([ran(1)])
    taken = outcomes.drain(give_up)
    thread.join(30)
    assert len(asked) >= 2
    # Nothing is on its way any more.
    assert backend.written == [at(0)]
    assert [one.result.scheduled_run_time for one in taken] == at(1)


def test_a_claim_that_gives_up_waiting_takes_nothing(outcomes, backend):
    go_on = threading.Event()
    writing = threading.Event()

    def during():
        writing.set()
        assert go_on.wait(30)

    backend.during = during
    outcomes.add([ran(0)])
    thread = threading.Thread(target=outcomes.write)
    thread.start()
    assert writing.wait(30)
    outcomes.add([ran(1)])
    assert outcomes.drain(lambda: True) == []
    assert len(outcomes) == 1
    go_on.set()
    thread.join(30)
    assert backend.written == [at(0), at(1)]


def test_what_is_perhaps_not_written_yet_is_known(outcomes, backend):
    outcomes.add([ran(0)])
    assert outcomes.unwritten() == {RunKey("a", START, 1)}
    outcomes.drain(never)
    outcomes.add([ran(1)])
    # Taken, and perhaps on its way; what waits; and nothing that was never there.
    assert outcomes.unwritten() == {RunKey("a", time, 1) for time in at(0, 1)}
    outcomes.drain(never)
    assert outcomes.unwritten() == {RunKey("a", START + SECOND, 1)}
    assert outcomes.drain(never) == []
    assert outcomes.unwritten() == set()


def test_claims_go_without_outcomes_until_these_can_be_written(outcomes, backend):
    outcomes.add([ran(0)])
    outcomes.could_not_ride(outcomes.drain(never))
    assert outcomes.are_kept_back
    assert outcomes.drain(never) == []
    assert len(outcomes) == 1
    outcomes.write()
    assert not outcomes.are_kept_back
    assert backend.written == [at(0)]
    outcomes.add([ran(1)])
    assert len(outcomes.drain(never)) == 1


@pytest.mark.parametrize(("size", "rides"), [(1024 * 1024, True), (1024 * 1024 + 1, False)])
def test_what_is_too_much_for_a_claim_is_written_by_itself(outcomes, backend, size, rides):
    weight = weight_of(Ended(record("a"), 1, 7, "schedule", RunResult(START, "succeeded", START, START)))
    large = ran(0)
    large.results[0] = large.results[0]._replace(result="x" * (size - weight))
    outcomes.add([large])
    assert len(outcomes.drain(never)) == rides
    assert backend.written == ([] if rides else [at(0)])


def test_as_many_plain_outcomes_ride_as_are_claimed_at_once(outcomes, backend):
    outcomes.add([ran(number) for number in range(2000)])
    assert len(outcomes.drain(never)) == 2000
    assert backend.written == []


def test_how_long_a_claim_waits_for_what_is_written_before_it_is_its_own_affair(outcomes, backend):
    outcomes.add([ran(number) for number in range(2001)])
    backend.node_context.request_limit = 2**30
    assert outcomes.drain(never) == []
    assert len(backend.written[0]) == 2000
    assert backend.give_up is never


def test_listeners_are_told_without_the_lock(outcomes, backend):
    backend.finished = Finished(paused=[record("a")])
    outcomes._tell_paused = lambda job: outcomes.drain(lambda: pytest.fail("it is held"))
    outcomes.add([ran(0)])
    outcomes.write()


def test_what_was_refused_and_who_has_paused_itself_is_told(outcomes, backend, told, said):
    outcomes.add([ran(0)])
    (refused,) = outcomes.drain(never)
    outcomes.tell(Finished([refused], None, [record("b"), record("c")]))
    assert told == [("paused", "b"), ("paused", "c")]
    (line,) = said()
    assert line == (
        f'WARNING The outcome (succeeded) of job "a" due at {START} is refused: this node had been taken for dead, '
        f"and the run was recorded as lost [run {RunKey('a', START, 1).id}]"
    )


@pytest.mark.parametrize(
    ("options", "again", "gave_up"),
    [
        ({}, None, False),
        ({"on_lost": "rerun"}, NOW, False),
        ({"retry": Retry(3, on=OSError)}, None, True),
        ({"retry": Retry(1)}, None, True),
        ({"retry": Retry(3, delay=60)}, NOW + 60 * SECOND, False),
    ],
    ids=["recorded", "rerun", "other errors", "the last attempt", "retried"],
)
def test_what_was_not_begun_is_lost_and_told_of(outcomes, backend, told, options, again, gave_up):
    outcomes.add([ran(0, unrun=(1, 2), **options)])
    assert told == [("lost", RunKey("a", time, 1), "here", again, gave_up) for time in at(1, 2)]
    (_, first, _) = ended = outcomes.drain(never)
    assert [one.result.outcome for one in ended] == ["succeeded", "lost", "lost"]
    assert first.result == RunResult(
        START + SECOND,
        "lost",
        finished=NOW,
        error="not begun: this node had lost touch with the job store",
        retry_at=again,
    )


def test_some_outcomes_come_before_the_others_and_none_twice(outcomes, backend, told):
    submission = ran(0, unrun=(1, 2))
    outcomes.add_some(submission)
    outcomes.write()
    outcomes.add_some(submission)
    submission.add_result(RunResult(START + SECOND, "failed", START, START))
    outcomes.add_some(submission)
    outcomes.add([submission])
    outcomes.write()
    assert backend.written == [at(0), at(1, 2)]
    assert [what for what in told if what[0] == "lost"] == [
        ("lost", RunKey("a", START + 2 * SECOND, 1), "here", None, False)
    ]


def test_what_was_claimed_under_no_lease_is_nothing_to_be_written(outcomes):
    submission = ran(0)
    submission.lease = None
    outcomes.add([submission])
    assert len(outcomes) == 0


@pytest.mark.parametrize(
    ("again", "given_up", "words", "gave_up", "is_any"),
    [
        (NOW, False, ["is lost with node there; it will be run again"], False, True),
        (None, False, ["is lost with node there"], False, False),
        (
            None,
            True,
            [
                "is lost with node there",
                "is given up: it was lost at attempt 4, and is run again no more",
            ],
            True,
            False,
        ),
    ],
    ids=["run again", "recorded", "given up"],
)
def test_what_others_have_lost_is_told_of(
    outcomes, backend, told, said, again, given_up, words, gave_up, is_any
):
    run = LostRun("a", START, 4, "there")
    backend.collected = Collected(
        [run], {} if again is None else {run: again}, again, [record("p")], [run] if given_up else []
    )
    assert outcomes.collect_lost(set) is is_any
    assert told == [
        ("lost", RunKey("a", START, 4), "there", again, gave_up),
        ("paused", "p"),
        ("queue", again),
    ]
    subjects = ['Run of job "a" due at', 'Job "a" due at']
    assert said() == [
        f"ERROR {subject} {START} {text} [run {run.key.id}]"
        for subject, text in zip(subjects, words, strict=False)
    ]


def test_neither_what_goes_on_here_nor_what_is_not_written_yet_is_lost(outcomes, backend):
    outcomes.add([ran(0)])
    outcomes.collect_lost(lambda: {("b", START, 1)})
    assert backend.own == {("a", START, 1), ("b", START, 1)}


def test_the_history_of_what_has_ended_is_pruned(outcomes, backend):
    outcomes.add([ran(0, job_id="b"), ran(0, job_id="a"), ran(1, job_id="a")])
    outcomes.prune()
    outcomes.prune()
    day_before = NOW - timedelta(days=1)
    assert backend.pruned == [(["a", "b"], 5, day_before), ([], 5, day_before)]


def test_what_a_failed_prune_was_to_look_at_is_looked_at_by_the_next(outcomes, backend):
    outcomes.add([ran(0, job_id="a")])
    prune, backend.prune = backend.prune, lambda *_: (_ for _ in ()).throw(OSError("away"))
    with pytest.raises(OSError, match="away"):
        outcomes.prune()
    outcomes.add([ran(0, job_id="b")])
    backend.prune = prune
    outcomes.prune()
    assert [jobs for jobs, _, _ in backend.pruned] == [["a", "b"]]


def refusing_texts(outcomes, backend):
    """Have the store refuse whatever has a result."""

    def finish(part, give_up):
        if any(one.result.result is not None or one.key.job_id == "never" for one in part):
            raise OverflowError("too much")
        backend.written.append([one.key.job_id for one in part])
        return Finished()

    backend.finish = finish


def test_what_is_too_much_is_left_out_and_that_is_said(outcomes, backend, said):
    refusing_texts(outcomes, backend)
    large = ran(0, job_id="large")
    large.results[0] = large.results[0]._replace(result="x" * 100)
    outcomes.add([ran(0), large, ran(0, job_id="c")])
    outcomes.write()
    assert sorted(job_id for part in backend.written for job_id in part) == ["a", "c", "large"]
    (line,) = said()
    assert line == (
        f'WARNING Not all of the outcome of job "large" due at {START} can be stored: '
        "[the result, 100 bytes, could not be stored: OverflowError: too much] "
        f"[run {RunKey('large', START, 1).id}]"
    )


def test_what_can_not_be_written_at_all_waits_and_keeps_nothing_else_back(outcomes, backend, said):
    refusing_texts(outcomes, backend)
    outcomes.add([ran(0), ran(0, job_id="never")])
    for attempt in (1, 2):
        with pytest.raises(RuntimeError, match="1 outcomes can't be written, whatever is left out of them"):
            outcomes.write()
        assert backend.written == [["a"]]
        assert len(outcomes) == 1
        assert outcomes.are_kept_back
        assert outcomes.unwritten() >= {RunKey("never", START, 1)}
        assert said()[-1] == (
            f'ERROR The outcome (succeeded) of job "never" due at {START} can\'t be written: too much; trying again '
            f"[run {RunKey('never', START, 1).id}]"
        )
        assert len(said()) == attempt


@pytest.mark.parametrize(
    ("error", "size", "store_works", "is_refused"),
    [
        (OverflowError(), 10, False, True),
        (OSError(), 10, True, False),  # an outage is an outage
        (OSError(), 100_000, True, True),  # but some servers close the connection at what is too large
        (OSError(), 100_000, False, False),
        (ValueError(), 10, True, True),  # the driver's, about what it was given
        (ValueError(), 10, False, False),
        (BlockingIOError(), 100_000, True, False),
    ],
)
def test_what_is_refused_for_what_is_in_it(outcomes, error, size, store_works, is_refused):
    outcomes._store_works = lambda: store_works
    one = ran(0)
    one.results[0] = one.results[0]._replace(result="x" * size)
    outcomes.add([one])
    assert outcomes._is_refused(error, outcomes.drain(never)) is is_refused


def test_a_large_part_is_not_tried_for_ever(outcomes, backend):
    large = ran(0)
    large.results[0] = large.results[0]._replace(result="x" * 100_000)
    outcomes.add([large])
    outcomes.write(never)
    assert backend.give_up is not never
    assert not backend.give_up()
    backend.node_context.clock.advance(2.5)
    assert backend.give_up()
    outcomes.add([ran(1)])
    outcomes.write(never)
    assert backend.give_up is never


def test_outcomes_are_written_at_the_end_whatever_was_in_the_way_until_that_is_given_up(outcomes, backend):
    errors = [OSError("away"), ValueError("odd")]

    def during():
        if errors:
            raise errors.pop(0)

    backend.during = during
    outcomes._store_works = lambda: False
    outcomes.add([ran(0)])
    outcomes.write_all(never)
    assert backend.written == [at(0)]
    errors.append(OSError("away"))
    outcomes.add([ran(1)])
    with pytest.raises(OSError, match="away"):
        outcomes.write_all(lambda: True)


def heavy(second, size, job_id="a"):
    submission = ran(second, job_id=job_id)
    submission.results[0] = submission.results[0]._replace(result="x" * size)
    return submission


def test_of_what_is_too_much_a_claim_takes_the_light_ones_along(outcomes, backend):
    """When it has waited for long enough for the others to be written by themselves."""
    backend.node_context.request_limit = 160_000
    backend.during = lambda: backend.node_context.clock.advance(1)
    outcomes.add(
        [
            heavy(0, 30_000),
            heavy(1, 30_000, "b"),
            ran(2, job_id="b"),  # comes after one that waits
            ran(3, job_id="c"),
            heavy(4, 15_000, "d"),
            heavy(5, 17_000, "e"),
            heavy(6, 15_000, "f"),
            ran(7, job_id="g"),
            heavy(8, 15_000, "h"),  # for which there is no room any more
        ]
    )
    taken = outcomes.drain(never)
    assert backend.written == [at(0)]
    assert [one.result.scheduled_run_time for one in taken] == at(3, 4, 6, 7)
    backend.during = lambda: None
    outcomes.requeue(taken)
    outcomes.write()
    assert sorted(time for part in backend.written for time in part) == at(*range(9))
    assert backend.written[1][:4] == at(3, 4, 6, 7)


def test_what_may_pause_jobs_that_come_after_others_is_written_by_itself_though_nothing_else_has_ended(
    outcomes, backend
):
    outcomes.add([failed(0), failed(1)])
    outcomes.write()
    assert backend.written == [at(0), at(1)]
