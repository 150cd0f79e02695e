"""What a node asks of its database, when, and what it makes of the answers; on a backend that answers as it is told."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from contextlib import nullcontext
from datetime import timedelta
from time import monotonic, sleep
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import pytest

from mainspring.engine.decision import Decision
from mainspring.errors import (
    ConfigurationError,
    ConflictingIdError,
    JobLookupError,
    SerializationError,
    StoreUnavailableError,
)
from mainspring.jobstores.contract import JobQuery
from mainspring.jobstores.host import CALL_TIMEOUT, CallLimit, NullHost
from mainspring.jobstores.shared import outage
from mainspring.jobstores.shared import store as shared_store
from mainspring.jobstores.shared.agenda import POLL
from mainspring.jobstores.shared.audit import AuditLog
from mainspring.jobstores.shared.backend import Backend, ClusterStatus, Collected
from mainspring.jobstores.shared.claims import Claim, Claimed, QueueClaim
from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.shared.lease import LivingNode
from mainspring.jobstores.shared.node_context import NodeContext
from mainspring.jobstores.shared.outage import Outage
from mainspring.jobstores.shared.own_runs import beside, is_taken_away, runs_decided, runs_of, unbegun_part
from mainspring.jobstores.shared.predecessor import PickledJob, checked_adopt
from mainspring.jobstores.shared.rollups import RollUps
from mainspring.jobstores.shared.row_locks import RowLocks, row_format
from mainspring.jobstores.shared.rows import LONGEST_NAME, Unreadable
from mainspring.jobstores.shared.runs import Finished, LostRun
from mainspring.jobstores.shared.store import SharedJobStore, default_node_name
from mainspring.model import Group, QueuedRun, RunKey, RunResult, Submission
from mainspring.testing import SettableClock
from mainspring.testing.conformance import SECOND, START, deciding, record

DECIDE = deciding(START)
SECONDS = timedelta(seconds=1)


class Away(Exception):
    """The database can't be reached."""


class Wrong(Exception):
    """It will not be, ever."""


class Scheduler(NullHost):
    """Notes what its store tells it."""

    def __init__(self, clock):
        super().__init__(clock)
        self.told = []
        self.here = []

    def executors(self):
        return ["default", "pool"]

    def wake(self):
        self.told.append("wake")

    def wake_for(self, time, alias):
        self.told.append(("wake for", time, alias))

    def tell_lost(self, key, node, retry_at, alias, *, gave_up):
        self.told.append(("lost", key, node, retry_at, alias, gave_up))

    def cancel_here(self, keys, alias):
        self.told.append(("cancel", list(keys), alias))

    def runs_here(self, alias):
        return self.here


@pytest.fixture
def clock():
    return SettableClock(START)


@pytest.fixture
def backend(clock):
    made = Mock(spec=Backend)
    made.audit, made.rollups = Mock(spec=AuditLog), Mock(spec=RollUps)
    made.node_context = NodeContext(
        arguments=None,
        locks=RowLocks(),
        logger=logging.getLogger("mainspring.test"),
        node_name="here",
        clock=clock,
    )
    made.outage = Outage(
        lambda error: {Away: Failure.OUTAGE, Wrong: Failure.PERMANENT}.get(type(error)), "somewhere"
    )
    made.jobs = Mock()
    made.go_by.side_effect = made.node_context.go_by
    made.register.side_effect = lambda node, beats: (7, clock.monotonic())
    made.known_nodes.return_value = []
    made.renew.return_value = True
    made.finish.return_value = Finished()
    made.collect_lost.return_value = Collected((), {}, None)
    made.claim.return_value = claimed()
    made.poll.return_value = (None, None)
    made.unclaimable.return_value = []
    made.cluster_status.return_value = ClusterStatus([], False, None, ())
    made.next_time.return_value = None
    made.give_back.return_value = True
    made.listen.return_value = None
    made.flaw.return_value = None
    return made


@pytest.fixture
def scheduler(clock):
    return Scheduler(clock)


@pytest.fixture
def store(backend, scheduler):
    """A store that has been started, but for its threads: what they call is called by the tests."""
    made = SharedJobStore(backend, 30, 5, 1)
    made._host, made._outage.alias = scheduler, "main"
    made._membership = made._entered()
    made._upkeep = Mock()
    made._upkeep.stopping = threading.Event()
    made._logger = logging.getLogger("mainspring.test")
    return made


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO, "mainspring.test")
    return lambda: [f"{record.levelname} {record.getMessage()}" for record in caplog.records]


def claimed(*decisions, queued=(), parked=(), waiting=None, next_time=None, queued_from=None, blocked=None):
    return Claimed(
        QueueClaim(list(queued), blocked or {}),
        Claim(list(decisions), waiting or {}, list(parked), next_time),
        Finished(),
        queued_from,
    )


def to_run(job_id, **options):
    made = Decision(record(job_id, every=10, **options))
    made.submit = [START]
    return made


def claim(store, *, now=START, limit=10, executors=("default",)):
    return store.claim(now, DECIDE, limit, executors)


def make_due(store):
    store._agenda.note_queue_due(START)


def run_of(decision):
    return Submission(decision.job, "main", decision.submit, decision.attempt, decision.lease)


# What may be said of a store


@pytest.mark.parametrize("lease", [1, 30, timedelta(seconds=1)])
def test_leases_that_may_be(backend, lease):
    SharedJobStore(backend, lease, 0, timedelta(days=1))


@pytest.mark.parametrize(
    ("lease", "keep", "words"),
    [
        (0.99, 5, "lease must be a second or more, got 0.99"),
        (timedelta(0), 5, "lease must be a second or more, got datetime.timedelta(0)"),
        (30, -1, "keep_runs must be a whole number of 0 or more, got -1"),
        (2e9, 5, "lease must be a second or more, and 24 days at most, got 2000000000.0"),
        (
            "x",
            5,
            "lease must be a number of seconds, or a timedelta, got 'x': unsupported type for timedelta seconds component: str",
        ),
    ],
)
def test_leases_and_histories_that_may_not(backend, lease, keep, words):
    with pytest.raises(ConfigurationError) as caught:
        SharedJobStore(backend, lease, keep, 1)
    assert str(caught.value) == words


@pytest.mark.parametrize("forever", [10**6, timedelta.max])
def test_history_that_is_kept_for_ever_is_pruned_by_its_number(backend, forever):
    store = SharedJobStore(backend, 30, 5, forever)
    store._outcomes.prune()


def test_a_node_is_called_what_databases_can_keep(backend):
    backend.node_context.node_name = "a\0"
    with pytest.raises(ConfigurationError, match="node_name has characters that databases can't keep: 'a"):
        SharedJobStore(backend, 30, 5, 1)


# The start


def test_a_node_enters_with_the_executors_of_its_scheduler(store, backend):
    registration, _ = backend.register.call_args.args
    assert registration == ("here", ["default", "pool"], 30 * SECONDS)
    backend.prepare.assert_called_once_with()


@pytest.mark.parametrize(
    ("error", "flaw", "kind", "words"),
    [
        (Away("no route"), None, StoreUnavailableError, "can't be used: no route (tried for 0 s)"),
        (Wrong("no such role"), None, ConfigurationError, "can't be used: no such role: "),
        (Away("..no X."), None, StoreUnavailableError, "can't be used: ..no X (tried for 0 s)"),
        (Away("no route"), "it is a folder", ConfigurationError, "can't be used: no route: it is a folder"),
        (ValueError("a bug"), None, ValueError, "a bug"),
        (ConfigurationError("another's"), None, ConfigurationError, "another's"),
    ],
)
def test_a_start_that_fails_says_why(backend, scheduler, error, flaw, kind, words):
    class Limit:
        seconds = 0.0
        is_cancelled = False

        def gives_up(self):
            return True

    scheduler.start_limit = lambda alias: Limit()
    backend.prepare.side_effect = error
    backend.flaw.return_value = flaw
    store = SharedJobStore(backend, 30, 5, 1)
    store._host = scheduler
    with pytest.raises(kind) as caught:
        store._entered()
    assert words in str(caught.value)
    backend.close.assert_called_once_with()
    asked = [call.args for call in backend.flaw.call_args_list]
    assert asked == ([(error,)] if "can't be used" in words else [])


def test_a_start_that_has_no_answer_is_given_up(backend, scheduler):
    may_answer = threading.Event()

    class Limit:
        seconds = 2.0
        is_cancelled = False

        def gives_up(self):
            return True

    scheduler.start_limit = lambda alias: Limit()
    backend.ask_first.side_effect = lambda: may_answer.wait(30)
    store = SharedJobStore(backend, 30, 5, 1)
    store._host = scheduler
    with pytest.raises(StoreUnavailableError, match=r"can't be used: it gives no answer \(tried for 2 s\)$"):
        store._entered()
    may_answer.set()
    backend.prepare.assert_not_called()
    backend.close.assert_called_once_with()


def test_a_store_that_no_scheduler_of_ours_starts_tries_for_as_long_as_any_call(clock):
    limit = NullHost(clock).start_limit("main")
    assert limit.seconds == CALL_TIMEOUT
    clock.advance(CALL_TIMEOUT - 1)
    assert not limit.gives_up()
    clock.advance(1)
    assert limit.gives_up()


def test_a_store_goes_by_its_schedulers_clock_zone_and_log(backend, scheduler):
    scheduler.timezone = timezone = ZoneInfo("Asia/Tokyo")
    store = SharedJobStore(backend, 30, 5, 1)
    store.start(scheduler, "main")
    try:
        assert backend.node_context.timezone is timezone
        assert backend.node_context.clock is scheduler.clock
        assert backend.node_context.logger is store._outage.logger is store._logger
        assert (store._outage.alias, store._outage.clock) == ("main", scheduler.clock)
        backend.listen.assert_called_once_with(store._on_remote_change)
        threads = {
            "mainspring-lease-main": (store._heartbeat, {store._renew: 7.5}),
            "mainspring-store-main": (
                store._upkeep,
                {store._look_for_dead: 0.3, store._prune: 60, store._flush_progress: 1},
            ),
        }
        for name, (upkeep, tasks) in threads.items():
            assert upkeep.name == name
            assert upkeep._outage is store._outage
            assert upkeep.clock is scheduler.clock
            assert upkeep._logger is store._logger
            assert {task: round(upkeep._seconds_of(task), 6) for task in upkeep._tasks} == tasks
        assert (
            store._heartbeat._retried_after == 0.25
        )  # there is time for more than one before the lease ends
        assert store._watch.name == "mainspring-watch-main"
        assert store._outcomes._store_works == store._can_write
        assert backend.register.call_count == 1
        store.start(scheduler, "main")  # it is still there
        assert backend.register.call_count == 1
    finally:
        store.shutdown()
    backend.sign_off.assert_called_once_with(7)
    backend.close.assert_called_once_with()


# Claims


def test_a_pass_that_has_nothing_to_claim_polls(store, backend, clock):
    backend.poll.return_value = (START + 5 * SECOND, ClusterStatus([], False, None, ()))
    batch = claim(store)
    assert (batch.decisions, batch.more) == ([], False)
    backend.poll.assert_called_once_with(START, ("default",), [], 7)
    backend.claim.assert_not_called()
    claim(store)
    assert backend.poll.call_args.args[3] is None  # it has just looked
    assert store.next_time() == START + 5 * SECOND


def test_a_poll_that_finds_something_due_is_followed_by_a_claim(store, backend):
    backend.poll.return_value = (START, None)
    claim(store, limit=3)
    (request, _), _ = backend.claim.call_args
    assert (request.now, request.limit, request.executors, request.token) == (START, 3, ("default",), 7)
    assert request.decide is DECIDE


def test_what_is_claimed_is_so_under_the_lease_and_counted(store, backend):
    make_due(store)
    first, second = to_run("a"), to_run("b", group="g", priority=3)
    skipped = Decision(record("c", every=10))
    skipped.overlapping = [START]
    backend.claim.return_value = claimed(first, skipped, queued=[second])
    batch = claim(store)
    assert batch.decisions == [second, first, skipped]
    assert [one.lease for one in batch.decisions] == [store._membership.lease] * 2 + [None]
    assert [one.claimed for one in batch.decisions] == [START, None, None]
    assert store._held == 2
    assert store._own_runs() == {("a", START, 1), ("b", START, 1)}


def test_without_a_lease_nothing_is_asked_and_soon_again(store, backend, clock):
    clock.advance(40)
    backend.renew.return_value = True
    backend.renew.side_effect = lambda token, node, beats: clock.advance(40) or True
    make_due(store)
    batch = claim(store)
    assert (batch.decisions, batch.more) == ([], False)
    backend.claim.assert_not_called()
    backend.poll.assert_not_called()
    assert store.next_time() == START + POLL
    assert store.trouble.startswith("this node's lease has run out")


def test_what_is_parked_is_told_and_tried_again_later(store, backend):
    parked = Decision(record("a"))
    parked.reason = "no function"
    make_due(store)
    backend.claim.return_value = claimed(parked=[parked])
    batch = claim(store)
    assert batch.decisions == [parked]
    assert parked.retry_at > START
    (known,) = store.parked()
    assert (known.job_id, known.reason, known.retry_at) == ("a", "no function", parked.retry_at)
    assert store.next_time() == parked.retry_at
    backend.poll.return_value = (START, None)
    claim(store)
    assert backend.claim.call_args.args[0].set_aside == ["a"]
    store.retry_parked()
    assert store.parked() == []


def test_a_parked_job_that_is_skipped_is_parked_no_more(store, backend):
    parked, skipped = Decision(record("a")), Decision(record("a", every=10))
    parked.reason, skipped.overlapping = "no", [START]
    make_due(store)
    backend.claim.return_value = claimed(parked=[parked])
    claim(store)
    make_due(store)
    backend.claim.return_value = claimed(skipped)
    claim(store)
    assert store.parked() == []


def test_outcomes_ride_with_a_claim_and_are_kept_if_it_fails(store, backend):
    make_due(store)
    done = to_run("a")
    done.lease = store._membership.lease
    submission = run_of(done)
    submission.add_result(RunResult(START, "succeeded"))
    store.finish([submission])
    backend.claim.side_effect = Away("gone")
    with pytest.raises(Away):
        claim(store)
    assert len(backend.claim.call_args.args[0].ended) == 1
    assert store._outcomes.unwritten() == {("a", START, 1)}
    assert store._outcomes.are_kept_back
    assert store._upkeep.flush_soon.call_count == 2
    store.write_outcomes()
    assert backend.finish.call_count == 1
    backend.claim.side_effect = None
    claim(store)  # what was queued is still looked for
    assert backend.claim.call_args.args[0].queued_from == START
    assert backend.claim.call_args.args[0].ended == []


def test_who_was_declared_dead_runs_nothing_beside_what_goes_on(store, backend, scheduler):
    gone = to_run("a")
    gone.lease = store._membership.lease
    scheduler.here = [run_of(gone)]
    backend.renew.return_value = False
    store._renew()
    make_due(store)
    claim(store)
    decide = backend.claim.call_args.args[0].decide
    assert decide is not DECIDE
    # Its one instance goes on here, though the store counts it no more.
    assert decide(record("a", every=10), 0).overlapping == [START]
    assert decide(record("b", every=10), 0).submit == [START]


def test_jobs_whose_executor_is_nowhere_are_told_of_whenever_they_are_tried(store, backend):
    nowhere = Decision(record("a", executor="gone"))
    nowhere.reason = "no executor 'gone' here"
    backend.unclaimable.return_value = [nowhere]
    assert claim(store).decisions == [nowhere]
    assert nowhere.retry_at == START + SECOND
    assert [(job.job_id, job.reason) for job in store.parked()] == [("a", "no executor 'gone' here")]
    before, _, executors, _ = backend.unclaimable.call_args.args
    assert (before, executors) == (START - 2 * SECOND, ("default",))
    assert claim(store, now=START + 0.5 * SECOND).decisions == []
    assert backend.unclaimable.call_count == 1
    assert claim(store, now=START + SECOND).decisions == [nowhere]  # its time to be tried again has come
    assert nowhere.retry_at == START + 3 * SECOND
    assert claim(store, now=START + 2 * SECOND).decisions == []
    assert claim(store, now=START + 3 * SECOND).decisions == [nowhere]
    backend.unclaimable.return_value = []
    claim(store, now=START + 22 * SECOND)
    assert store.parked() == []  # a node that has the executor has run it


def test_no_executors_are_no_empty_list(store, backend):
    claim(store, executors=())
    assert backend.poll.call_args.args[1] == ("",)


# Ends


def ended(store, job_id="a", outcome="succeeded", **options):
    submission = Submission(record(job_id, **options), "main", [START], 1, store._membership.lease)
    if outcome is not None:
        submission.add_result(RunResult(START, outcome))
    return submission


def test_what_has_ended_is_held_no_more_however_often_that_is_said(store):
    store._held = 2
    submission = ended(store)
    assert store.finish([submission]) is False
    store.finish([submission])
    assert store._held == 1
    store.release([submission])
    assert store._held == 1


def test_whoever_waited_for_a_run_is_tried_again(store, backend):
    make_due(store)
    backend.claim.return_value = claimed(waiting={"a": None, "b": None})
    claim(store)
    assert store.has_waiting
    assert store.finish([ended(store, "c")]) is False
    assert store.finish([ended(store, "a")]) is True
    assert store.has_waiting
    assert store.finish([ended(store, "c", group="g")]) is True  # others of its group may have waited
    assert not store.has_waiting


def test_queued_runs_that_were_blocked_are_looked_for_when_a_run_ends(store, backend):
    make_due(store)
    backend.claim.return_value = claimed(blocked={"a": None})
    claim(store)
    assert store.finish([ended(store)]) is True
    assert store._agenda.queue_due == START


def test_the_last_run_of_a_store_that_closes_lets_it_leave(store):
    store._held = 2
    store._is_closing = True
    store.finish([ended(store)])
    store._upkeep.stop.assert_not_called()
    store._upkeep.flush_soon.assert_called_once_with()
    store.finish([ended(store)])
    store._upkeep.stop.assert_called_once_with()


def test_what_was_not_begun_for_want_of_a_lease_is_given_back(store, backend, scheduler, said):
    lease = store._membership.lease
    submission = ended(store, outcome=None)
    lease.skipped(submission)
    store.finish([submission])
    assert len(store._outcomes) == 0
    assert store._own_runs() == {("a", START, 1)}
    store._give_unbegun_back()
    backend.release.assert_called_once_with([submission], store._is_left)
    assert store._own_runs() == set()
    assert store._agenda.queue_due == START
    assert scheduler.told == ["wake"]
    assert said() == [
        "INFO 1 runs that were not begun while the job store couldn't be reached are given back"
    ]
    store._give_unbegun_back()
    assert backend.release.call_count == 1


def test_what_is_to_be_given_back_is_so_as_soon_as_the_store_answers_again(store, clock):
    store._apply_status(ClusterStatus([], False, None, ()), clock.monotonic())
    store._upkeep.flush_soon.assert_not_called()
    submission = ended(store, outcome=None)
    store._membership.lease.skipped(submission)
    store.finish([submission])
    store._apply_status(ClusterStatus([], False, None, ()), clock.monotonic())
    assert store._upkeep.flush_soon.call_count == 2


def test_what_could_not_be_given_back_stays_this_nodes(store, backend):
    submission = ended(store, outcome=None)
    store._membership.lease.skipped(submission)
    store.finish([submission])
    backend.release.side_effect = Away("gone")
    with pytest.raises(Away):
        store._give_unbegun_back()
    assert store._own_runs() == {("a", START, 1)}


def test_what_others_have_taken_over_is_not_given_back(store, backend):
    lease = store._membership.lease
    submission = ended(store, outcome=None)
    lease.skipped(submission)
    store.finish([submission])
    lease.lost()
    store._give_unbegun_back()
    backend.release.assert_called_once_with([], store._is_left)
    assert len(store._outcomes) == 1  # as lost, which the store will refuse, and say so


def test_some_of_several_runs_are_written_before_the_others_have_ended(store, backend):
    submission = Submission(record("a"), "main", [START, START + SECOND], 1, store._membership.lease)
    submission.add_result(RunResult(START, "succeeded"))
    store.progress(submission)
    store._upkeep.flush_soon.assert_called_once_with()
    store.write_outcomes()
    ((part, _), _) = backend.finish.call_args
    assert [one.result.scheduled_run_time for one in part] == [START]


def test_a_flush_leaves_outcomes_to_claims_that_follow_one_another(store, backend, scheduler):
    backend.finish.return_value = Finished(queued_from=START + SECOND)
    make_due(store)
    backend.claim.return_value = claimed(to_run("b"), next_time=START)
    assert claim(store).more
    store.finish([ended(store)])
    store._flush()
    assert backend.finish.call_count == 0  # the next claim takes them along
    assert store._upkeep.flush_soon.call_count == 2
    store._flush()  # none has come
    assert backend.finish.call_count == 1
    assert scheduler.told == [("wake for", START + SECOND, "main")]


# Giving back


def test_what_an_executor_refuses_is_given_back_and_tried_again_later(store, backend):
    store._held = 1
    decision = to_run("a")
    decision.lease = store._membership.lease
    retry_at = store.give_back(decision, START)
    assert retry_at > START
    backend.give_back.assert_called_once_with(decision, 7, None)
    assert store._held == 0
    assert [job.job_id for job in store.parked()] == ["a"]


def test_a_queued_run_that_is_refused_waits_in_the_queue(store, backend):
    decision = to_run("a")
    decision.run = QueuedRun("a", START, 1, START, "manual")
    retry_at = store.give_back(decision, START)
    backend.give_back.assert_called_once_with(decision, 0, retry_at)
    assert store._agenda.queue_due == retry_at


def test_what_can_not_be_given_back_is_not_parked(store, backend):
    backend.give_back.return_value = False
    store._held = 1
    assert store.give_back(to_run("a"), START) is None
    assert store.parked() == []
    assert store._held == 1


@pytest.mark.parametrize(
    "error", [Wrong("not this one"), ValueError("no statement")], ids=["refused", "unknown"]
)
def test_what_was_not_begun_by_the_end_is_given_back_each_for_itself(store, backend, error):
    store._held = 3
    submissions = [ended(store, job_id, None) for job_id in "abc"]
    given = []

    def release(part, give_up):
        if any(one.job.id == "b" for one in part) and len(given) < 2:
            raise error
        given.extend(one.job.id for one in part)

    backend.release.side_effect = release
    store.release(submissions)
    assert sorted(given) == ["a", "b", "c"]
    assert store._held == 0


# Looks


def test_a_look_cancels_reaps_and_collects(store, backend, scheduler, clock):
    key = RunKey("a", START, 1)
    lost = LostRun("b", START, 1, "there")
    backend.collect_lost.return_value = Collected([lost], {lost: START}, START)
    store._apply_status(ClusterStatus([], True, START + 5 * SECOND, [key]), clock.monotonic())
    assert scheduler.told == [
        ("cancel", [key], "main"),
        ("lost", RunKey("b", START, 1), "there", START, "main", False),
        "wake",
    ]
    assert store._agenda.queue_due == START


@pytest.mark.parametrize(("has_orphans", "collects"), [(True, 1), (False, 0)])
def test_nothing_is_collected_where_nobody_has_died(store, backend, scheduler, clock, has_orphans, collects):
    store._apply_status(ClusterStatus([], has_orphans, None, ()), clock.monotonic())
    assert backend.collect_lost.call_count == collects
    assert scheduler.told == []


def test_the_dead_are_declared_so_and_what_they_ran_is_collected(store, backend, clock):
    silent = LivingNode(3, "there", START, 10_000)
    for _ in range(12):
        store._renew()
        store._apply_status(ClusterStatus([silent], False, None, ()), clock.monotonic())
        clock.advance(1)
    backend.declare_dead.assert_called_with(3, START)
    assert backend.collect_lost.call_count >= 1
    assert store._agenda.looks_every == 2.0


def test_how_often_is_looked_follows_the_shortest_lease(store, clock):
    brief = LivingNode(3, "there", START, 4_000)
    store._apply_status(ClusterStatus([brief], False, None, ()), clock.monotonic())
    assert store._agenda.looks_every == 1.0


def test_a_node_looks_by_itself_where_polls_do_not(store, backend, clock):
    store._look_for_dead()
    backend.cluster_status.assert_called_once_with(7)
    store._look_for_dead()
    assert backend.cluster_status.call_count == 1
    clock.advance(60)
    store._look_for_dead()
    assert backend.cluster_status.call_count == 2


@pytest.mark.parametrize(
    ("task", "asks", "activity"),
    [
        ("_prune", "prune", outage.PRUNING),
        ("_renew", "renew", outage.HEARTBEAT),
        ("_look_for_dead", "cluster_status", outage.WATCHING),
        ("_flush_progress", "report_progress", outage.PROGRESS),
        ("_flush", "finish", outage.OUTCOMES),
        ("_leave", "sign_off", outage.LEAVING),
    ],
)
def test_each_task_says_what_it_does_while_it_asks(store, backend, task, asks, activity):
    doing = []
    answer = getattr(backend, asks).return_value

    def ask(*arguments):
        doing.append(store._outage._own.activity)
        return answer

    getattr(backend, asks).side_effect = ask
    store.report_progress(ended(store, outcome=None), "1")
    store.finish([ended(store, "b")])
    getattr(store, task)()
    assert doing == [activity]


def test_queued_runs_that_are_due_wake_the_scheduler(store, scheduler, clock):
    store._apply_status(ClusterStatus([], False, START, ()), clock.monotonic())
    assert scheduler.told == ["wake"]


def test_a_loop_that_has_ended_under_its_scheduler_is_noticed(store, scheduler):
    scheduler.notice_end_of_loop = lambda: scheduler.told.append("noticed")
    store._look_for_dead()
    assert scheduler.told == ["noticed"]


def test_what_other_nodes_announce_wakes_the_scheduler(store, backend, scheduler):
    claim(store)
    claim(store)
    store._on_remote_change()
    assert scheduler.told == ["wake"]
    store.next_time()
    assert backend.next_time.call_count == 1
    claim(store)
    assert backend.poll.call_args.args[3] == 7  # and it looks


# How far runs are


def test_the_last_that_a_run_has_said_is_written(store, backend):
    submission = ended(store, outcome=None)
    store.report_progress(submission, "1")
    store.report_progress(submission, "2")
    store._flush_progress()
    ((said, _), _) = backend.report_progress.call_args
    assert said == {(RunKey("a", START, 1), 7): "2"}
    assert backend.report_progress.call_args.args[1] == store._is_left
    store._flush_progress()
    assert backend.report_progress.call_count == 1


def test_what_could_not_be_written_of_a_run_that_goes_on_is_kept_unless_it_has_said_more(
    store, backend, scheduler
):
    submission, gone = ended(store, outcome=None), ended(store, "b", None)
    scheduler.here = [submission]
    backend.report_progress.side_effect = Away("gone")
    for one in (submission, gone):
        store.report_progress(one, "1")
    with pytest.raises(Away):
        store._flush_progress()
    assert store._said == {(RunKey("a", START, 1), 7): "1"}


def test_what_a_run_has_said_is_forgotten_when_it_has_ended(store):
    submission = ended(store)
    store.report_progress(submission, "1")
    store.finish([submission])
    assert store._said == {}


def test_what_has_no_lease_says_nothing_to_a_store(store):
    store.report_progress(Submission(record("a"), "main", [START]), "1")
    assert store._said == {}


# Jobs


def test_jobs_are_added_each_once(store, backend):
    backend.jobs.add.return_value = [record("a")]
    assert store.add_records([], None) == []
    backend.jobs.add.assert_not_called()
    assert store.add_records([record("a")], None) == [record("a")]
    with pytest.raises(ConflictingIdError, match="twice"):
        store.add_records([record("twice"), record("b"), record("twice")], None)
    with pytest.raises(ValueError, match="characters"):
        store.add_records([record("a\0")], None)
    assert backend.jobs.add.call_count == 1


def parked_now(store):
    with store._lock:
        store._ledger.park("a", "no", START)


def test_whatever_kept_a_job_from_running_may_have_gone_when_it_is_changed(store, backend):
    steps = {
        "replaced": lambda: store.add_records([record("a")], lambda old, new: new),
        "changed": lambda: store.change("a", lambda old: old),
        "removed": lambda: store.remove("a"),
        "all removed": store.remove_all,
        "tried again": store.retry_parked,
    }
    backend.jobs.add.return_value = [record("a")]
    backend.jobs.change.side_effect = lambda job_id, change: change(record(job_id))
    for name, step in steps.items():
        store.next_time()
        parked_now(store)
        asked = backend.next_time.call_count
        step()
        assert store.parked() == [], name
        store.next_time()
        assert backend.next_time.call_count == asked + 1, name


def test_adding_leaves_alone_what_it_does_not_replace(store, backend):
    backend.jobs.add.return_value = []
    parked_now(store)
    store.add_records([record("a")], None)
    assert [job.job_id for job in store.parked()] == ["a"]


def test_a_change_to_what_can_not_be_kept_is_refused(store, backend):
    backend.jobs.change.side_effect = lambda job_id, change: change(record(job_id))
    with pytest.raises(ValueError, match="characters"):
        store.change("a", lambda old: old._replace(name="\0"))


@pytest.mark.parametrize("job_id", ["a\0", "\udcff"])
def test_no_job_has_an_id_that_can_not_be_kept(store, backend, job_id):
    key = RunKey(job_id, START, 1)
    assert store.get_record(job_id) is None
    assert store.get_run(key) is None
    assert store.list_runs(job_id, None, None, 5) == []
    assert store.cancel(key) is False
    for call in (
        lambda: store.change(job_id, lambda old: old),
        lambda: store.remove(job_id),
        lambda: store.enqueue([QueuedRun(job_id, START, 1, START, "manual")]),
    ):
        with pytest.raises(JobLookupError) as caught:
            call()
        assert caught.value.job_id == job_id
    with pytest.raises(ValueError, match="the name of a group has characters"):
        store.set_group(Group(job_id, limit=1))
    backend.jobs.get.assert_not_called()
    backend.cancel.assert_not_called()


def test_rows_that_can_not_be_read_are_parked_and_not_listed(store, backend):
    damaged = Unreadable(record("b"), "its row can't be read", ValueError())
    backend.jobs.list_jobs.return_value = [record("a"), damaged]
    assert store.list_records() == [record("a")]
    (parked,) = store.parked()
    assert (parked.job_id, parked.reason) == ("b", "its row can't be read")
    store.list_records()
    assert store.parked() == [parked]


@pytest.mark.parametrize(("limit", "found"), [(None, [0, 2, 4, 5, 7]), (3, [0, 2, 4]), (4, [0, 2, 4, 5])])
def test_what_is_only_in_rows_is_looked_for_page_by_page(store, backend, monkeypatch, limit, found):
    monkeypatch.setattr(shared_store, "_PAGE", 3)
    rows = [record(f"job{number}", group="g" if number in (0, 2, 4, 5, 7) else None) for number in range(8)]
    backend.jobs.list_jobs.side_effect = lambda query: query.of(rows)
    listed = store.list_rows(JobQuery(group="g", limit=limit))
    assert [row.id for row in listed] == [f"job{number}" for number in found]


def test_queued_runs_are_looked_for_when_the_first_is_available(store, backend):
    runs = [QueuedRun("a", START, number, START + number * SECOND, "manual") for number in (3, 2)]
    backend.enqueue.return_value = runs
    assert store.enqueue(runs) == runs
    assert store._agenda.queue_due == START + 2 * SECOND
    assert store.next_time() == START + 2 * SECOND


def test_a_group_that_is_changed_may_have_room(store, backend):
    for change in (lambda: store.set_group(Group("g", limit=1)), lambda: store.remove_group("g")):
        make_due(store)
        backend.claim.return_value = claimed(waiting={"a": None})
        claim(store)
        assert store.has_waiting
        change()
        assert not store.has_waiting


@pytest.mark.parametrize("change", ["a job is removed", "a group is set", "a group is removed"])
def test_queued_runs_that_were_blocked_are_looked_for_at_once_after_a_change(store, backend, change):
    make_due(store)
    backend.claim.return_value = claimed(blocked={"a": None})
    claim(store)
    assert store._agenda.queue_due == START + POLL
    {
        "a job is removed": lambda: store.remove("a"),
        "a group is set": lambda: store.set_group(Group("g", limit=1)),
        "a group is removed": lambda: store.remove_group("g"),
    }[change]()
    assert store._agenda.queue_due == START


def test_when_to_wake_is_asked_once(store, backend):
    backend.next_time.return_value = START + 9 * SECOND
    store._agenda.next_is_unknown()
    assert [store.next_time(), store.next_time()] == [START + 9 * SECOND] * 2
    backend.next_time.assert_called_once_with(START, ("default",), [])


# The end


def test_a_store_is_left_when_what_there_was_is_written(store, backend):
    membership = store._membership
    store.finish([ended(store)])
    store._leave()
    assert backend.finish.call_count == 1
    assert membership.lease.is_lost()
    backend.sign_off.assert_called_once_with(7)
    backend.close.assert_called_once_with()
    assert (store._membership, store._upkeep, store._heartbeat) == (None, None, None)
    assert store._is_left()


@pytest.mark.parametrize(("held", "leaves"), [(0, True), (1, False)])
def test_who_still_runs_something_leaves_later(store, held, leaves):
    upkeep, store._held = store._upkeep, held
    ears = store._change_feed = Mock()
    store.shutdown()
    ears.stop.assert_called_once_with()
    assert store._is_closing
    assert upkeep.stop.called is leaves
    assert upkeep.join.called is leaves


def test_a_database_that_does_not_answer_is_left_all_the_same(store, said):
    store._upkeep.join.return_value = False
    store.shutdown()
    (line,) = said()
    assert line.startswith(
        "WARNING Job store 'main' (somewhere) could not be left in order: no answer within 5.0 s. 0 outcomes"
    )


def test_tries_end_with_the_scheduler_or_the_store(store, scheduler):
    assert not store._has_ended()
    scheduler.is_running = False
    assert store._has_ended()
    assert not store._is_left()
    store._upkeep.stopping.set()
    assert store._is_left()
    scheduler.is_running = True
    assert store._has_ended()


# What goes on here


def test_the_runs_of_what_goes_on(store):
    first = to_run("a")
    first.submit = [START, START + SECOND]
    keys = {("a", START, 1), ("a", START + SECOND, 1)}
    assert runs_decided([first]) == keys
    assert runs_of([run_of(first)]) == keys
    assert runs_of([]) == runs_decided([]) == set()


def test_what_was_taken_away_is_what_a_lost_lease_has_claimed(store):
    submission = ended(store)
    assert not is_taken_away(submission)
    store._membership.lease.lost()
    assert is_taken_away(submission)
    submission.lease = None
    assert not is_taken_away(submission)


def test_what_makes_up_for_a_run_that_goes_on_here_waits(store):
    asked = Counter()

    def decide(job, running, run=None, buffered=0, capacity=None):
        asked[job.id, running, run, buffered, capacity] += 1
        return "decided"

    goes_on = ended(store)
    beside_it = beside([goes_on, goes_on], decide)
    again = QueuedRun("a", START, 2, START, "rerun")
    another = QueuedRun("a", START + SECOND, 1, START, "retry")
    waits = beside_it(record("a"), 0, again)
    assert (waits.job.id, list(waits.submit), waits.reason) == ("a", [], None)
    assert beside_it(record("a"), 1, another, 4, "room") == "decided"
    assert beside_it(record("b"), 1) == "decided"
    assert asked == {("a", 3, another, 4, "room"): 1, ("b", 1, None, 0, None): 1}


def test_a_submission_that_was_skipped_is_so_once(store):
    lease = store._membership.lease
    one, other = ended(store), ended(store)
    assert not lease.take_skipped(one)
    lease.skipped(one)
    assert not lease.take_skipped(other)
    assert lease.take_skipped(one)
    assert not lease.take_skipped(one)


@pytest.mark.parametrize(
    ("recorded", "results", "left"),
    [(0, 0, 4), (0, 1, 3), (1, 0, 3), (1, 2, 1), (1, 3, 0), (4, 0, 0)],
)
def test_what_is_left_of_a_submission_is_as_it_was_but_for_what_has_ended(recorded, results, left):
    job, times = record("a", every=10), [START + place * SECOND for place in range(4)]
    submission = Submission(
        job, "main", times, 3, Mock(), job, "backfill", claimed=START, reruns=2, attempts={times[-1]: 4}
    )
    submission.recorded = recorded
    for time in times[:results]:
        submission.add_result(RunResult(time, "succeeded", None, START, None))
    part = unbegun_part(submission)
    if not recorded + results:
        assert part is submission  # not partial: the job may be as it was
    elif not left:
        assert part is None
    else:
        assert list(part.run_times) == times[-left:]
        assert part.is_partial
        kept = ("job", "jobstore", "attempt", "lease", "following", "cause", "claimed", "reruns", "attempts")
        assert [getattr(part, name) for name in kept] == [getattr(submission, name) for name in kept]
        assert (part.recorded, part.results) == (0, [])


def test_the_limit_of_a_start_is_that_of_the_store(store, scheduler):
    asked = []

    def limit_of(alias):
        asked.append(alias)
        return CallLimit(store._node_context.clock)

    scheduler.start_limit = limit_of
    store._outage.alias = "main"
    store._entered()
    assert asked == ["main"]


@pytest.mark.parametrize(
    ("error", "can_write", "is_refused"),
    [
        (MemoryError("too large"), False, True),
        (MemoryError("too large"), True, True),
        (ValueError("no text"), True, True),
        (ValueError("no text"), False, False),
        (Away("gone"), True, False),
    ],
)
def test_when_something_is_refused_for_what_is_in_it(store, backend, error, can_write, is_refused):
    failures = {MemoryError: Failure.TOO_LARGE, Away: Failure.OUTAGE}
    store._outage.failure_of = lambda error: failures.get(type(error))
    backend.renew.side_effect = None if can_write else Away("gone")
    assert store._is_refused(error, []) is is_refused


def test_what_can_never_be_given_back_is_given_up_after_some_tries(store, backend, monkeypatch):
    pauses = []

    def pause_before_retry(attempts):
        pauses.append(attempts)
        return 0

    monkeypatch.setattr("mainspring.jobstores.shared.store.pause_before_retry", pause_before_retry)
    tries = []

    def release(part, give_up):
        tries.append(1)
        assert len(tries) < 1000
        raise Wrong("no")

    backend.release.side_effect = release
    store._held = 1
    with pytest.raises(Wrong):
        store.release([ended(store, outcome=None)])
    assert pauses == list(range(1, 13))
    assert store._held == 0


def test_what_has_ended_without_a_lease_takes_away_what_nobody_has_said(store):
    submission = Submission(record("a"), "main", [START], 1, None)
    store._said[submission.key, 0] = "said"
    store._said[submission.key, 1] = "by another"
    store.finish([submission])
    assert store._said == {(submission.key, 1): "by another"}


def test_a_store_that_was_left_can_be_used_again(store, backend):
    store._is_closing = True
    store._leave()
    assert not store._is_closing
    assert store._upkeep is None


@pytest.mark.parametrize("error", [None, Wrong("no such role")])
def test_a_start_that_has_no_answer_says_so_while_it_waits(
    backend, scheduler, clock, said, monkeypatch, error
):
    monkeypatch.setattr(outage, "SLOW_AFTER", 0.001)
    until = monotonic() + 30

    def prepare():
        while not any("can't be started: no answer for" in line for line in said()):
            assert monotonic() < until
            clock.advance(1)
            sleep(0.002)  # the thread that looks is another
        if error is not None:
            raise error

    backend.prepare.side_effect = prepare
    made = SharedJobStore(backend, 30, 5, 1)
    if error is not None:
        with pytest.raises(ConfigurationError, match="no such role"):
            made.start(scheduler, "main")
        assert made._watch is None
        return
    made.start(scheduler, "main")
    assert made._alias == "main"
    watch = made._watch
    made.shutdown()
    clock.advance(10)
    assert watch.join(30)


def test_what_is_asked_for_by_the_longest_of_names_is_looked_for(store, backend):
    backend.jobs.list_jobs.return_value = []
    assert store.list_records(JobQuery(search="x" * LONGEST_NAME)) == []
    assert backend.jobs.list_jobs.call_count == 1
    assert store.list_records(JobQuery(search="x" * (LONGEST_NAME + 1))) == []
    assert backend.jobs.list_jobs.call_count == 1


def test_a_parked_job_whose_time_had_come_by_the_last_claim_wakes_nobody(store, backend):
    parked = Decision(record("a"))
    parked.reason = "no function"
    make_due(store)
    backend.claim.return_value = claimed(parked=[parked])
    claim(store)
    (known,) = store.parked()
    for claimed_at, wakes in ((known.retry_at - SECONDS, True), (known.retry_at, False)):
        store._claimed_at = claimed_at
        assert (store.next_time() == known.retry_at) is wakes


def test_a_store_that_a_newer_release_has_changed_is_told_of_once(store, backend, said):
    backend.renew.side_effect = ConfigurationError("it is of version 9")
    for _ in range(3):
        store._renew()
    assert said() == [f"ERROR {store._outage.name} can't be used any more: it is of version 9"]
    assert store.trouble == "it is of version 9"
    backend.renew.side_effect = None
    store._renew()
    assert store.trouble is None


def test_progress_that_can_not_be_stored_is_told_of(store, backend, said):
    backend.report_progress.side_effect = ValueError("no such text")
    store.report_progress(ended(store, outcome=None), "1")
    store._flush_progress()
    assert said() == ["WARNING 1 runs said how far they are, and it can't be stored: no such text"]


@pytest.mark.parametrize("is_named", [True, False])
def test_in_a_forked_process_a_store_belongs_to_no_node_yet(store, backend, is_named):
    node_context = backend.node_context
    if not is_named:
        node_context.node_name = store._default_name = "parent-1"
    parts = store._heartbeat, store._upkeep, store._watch, _ = Mock(), Mock(), Mock(), None
    assert node_context.token == 7
    store.leave_to_parent()
    for part in parts[:3]:
        part.leave_to_parent.assert_called_once_with()
    assert node_context.token == 0  # what the parent announces isn't taken for its own
    assert node_context.node_name == ("here" if is_named else default_node_name())
    assert store._default_name == default_node_name()
    assert store._membership is None


def test_a_group_is_looked_for_if_databases_can_keep_its_name(store, backend):
    backend.remove_group.return_value = True
    assert store.remove_group("g") is True
    backend.remove_group.assert_called_once_with("g")
    assert store.remove_group("a\0") is False
    backend.pads_ids = True
    assert store.remove_group("g ") is False
    backend.remove_group.assert_called_once_with("g")


def test_adopted_jobs_are_handed_on_as_they_are(store, backend):
    backend.adoptions = Mock()
    given = ("source", [record("a")], {"a": "adopted"}, {"a": "2"})
    assert store.adopt_records(*given, completes=True) is backend.adoptions.adopt.return_value
    backend.adoptions.adopt.assert_called_once_with(*given, completes=True)


@pytest.mark.parametrize(
    ("adopt", "handover", "is_right"),
    [
        ("never", None, True),
        ("never", "paused", False),
        ("never", START, False),
        ("auto", "paused", True),
        ("auto", START, True),
        ("auto", None, True),
        ("auto", "tomorrow", False),
        ("sometimes", None, False),
    ],
)
def test_what_may_be_said_of_adopting(adopt, handover, is_right):
    with nullcontext() if is_right else pytest.raises(ConfigurationError):
        checked_adopt(adopt, handover)


def test_who_waits_for_a_hand_over_says_so_before_it_has_looked(backend):
    assert list(SharedJobStore(backend, 30, 5, 1).warnings()) == []
    waiting = SharedJobStore(backend, 30, 5, 1, handover="paused")
    assert list(waiting.warnings()) == ["no job is run: the hand-over has not been looked at yet"]


def test_what_is_to_be_known_of_its_locks_is_said_at_the_start(backend, scheduler, caplog):
    caplog.set_level(logging.INFO)
    backend.node_context.locks = RowLocks(note="anything may be loaded")
    store = SharedJobStore(backend, 30, 5, 1)
    store.start(scheduler, "main")
    store.shutdown()
    assert "Job store 'main': anything may be loaded" in caplog.messages


def test_a_claim_that_fails_is_told_of_as_one(store, backend):
    backend.claim.side_effect = Wrong("no such role")
    make_due(store)
    with pytest.raises(Wrong):
        claim(store)
    assert "can't claim due runs" in store._outage.words


def test_what_is_given_back_is_listed_with_the_reason(store):
    decision = to_run("a")
    decision.reason = "the pool is full"
    store._held += 1
    store.give_back(decision, START)
    assert [(job.job_id, job.reason) for job in store.parked()] == [("a", "the pool is full")]


def test_another_name_of_before_is_said_at_the_start(backend, scheduler, caplog):
    caplog.set_level(logging.INFO)
    store = SharedJobStore(backend, 30, 5, 1)
    store._renamed = "keys are called anew"
    store.start(scheduler, "main")
    store.shutdown()
    assert "Job store 'main': keys are called anew" in caplog.messages


@pytest.mark.parametrize(("ahead", "told"), [([], []), (["another"], [["another"]])])
def test_nodes_that_are_ahead_of_the_clock_are_told_of(store, monkeypatch, ahead, told):
    monkeypatch.setattr("mainspring.engine.setbacks.ahead", lambda known, now: ahead)
    heard = []
    membership = store._membership
    monkeypatch.setattr(membership._past, "clock_was_set_back", heard.append)
    membership._look_back([], None)
    assert heard == told


def test_runs_are_known_by_their_further_attempts():
    job = record("a", every=10)
    submission = Submission(job, "main", [START, START + SECOND], 1, None)
    submission.attempts = {START: 3}
    assert runs_of([submission]) == {("a", START, 3), ("a", START + SECOND, 1)}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (["id"], "no job"),
        ({"id": "a", "func": "f"}, "no job"),
        ({"id": "a", "trigger": 1}, "no job"),
        ({"func": "f", "trigger": 1}, "no job"),
        ({"id": "a", "func": "f", "trigger": 1, "version": 2}, "version 2"),
    ],
)
def test_a_pickle_that_holds_no_job(state, words):
    with pytest.raises(SerializationError, match=words):
        PickledJob("a", b"").values(lambda _: state)


def test_a_pickle_that_holds_a_job():
    state = {"id": "a", "func": "f", "trigger": 1}
    assert PickledJob("a", b"").values(lambda _: state) == {
        **state, "args": (), "kwargs": {}, "name": "a", "next_run_time": None,
    }  # fmt: skip
    whole = {**state, "version": 1, "args": (1,), "kwargs": {"b": 2}, "name": "n", "next_run_time": START}
    assert PickledJob("a", b"").values(lambda _: whole) == whole


def test_rows_are_locked_under_the_name_of_their_store():
    assert row_format(None, None, 4, None, "jobs")["locks"].scope == "jobs"
