"""What becomes of runs whose node is taken for dead, on every store that nodes share."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from mainspring import Retry
from mainspring.errors import NodeLostError
from mainspring.events import EVENT_JOB_GAVE_UP, EVENT_JOB_LOST, EVENT_JOB_PAUSED
from mainspring.model import RunResult, run_id
from mainspring.testing import EventRecorder
from mainspring.testing.conformance import START, claim, record, submission
from mainspring.triggers.after import AfterJob
from stores import MONGODB, open_store


@pytest.fixture(params=["sqlite", "postgres", "mariadb", "redis", MONGODB])
def make_node(request, tmp_path, tablename, started):
    """Makes nodes on one store."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/jobs.sqlite"
    else:
        url = request.getfixturevalue(f"{request.param}_url")

    def make(start=started):
        return start(open_store(url, tablename, lease=60))

    return make


def bury(node, other):
    """Have `other` take `node` for dead."""
    (known,) = [
        one for one in other._backend.cluster_status(0).living if one.token == node._node_context.token
    ]
    assert other._backend.declare_dead(known.token, known.heartbeat)


def outcomes(store, job_id):
    found = store.list_runs(job_id, None, None, 10)
    return [(run.attempt, run.outcome, run.cause) for run in reversed(found)]


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({}, None),
        ({"on_lost": "rerun"}, "rerun"),
        ({"retry": Retry(3, delay=60)}, "retry"),
        ({"retry": Retry(3, on=NodeLostError)}, "retry"),
        ({"retry": Retry(3, on=OSError)}, None),
        ({"retry": Retry(3, not_on=NodeLostError)}, None),
        ({"retry": Retry(1)}, None),
        ({"retry": Retry(3, on=OSError), "on_lost": "rerun"}, "rerun"),
    ],
    ids=[
        "recorded",
        "rerun",
        "retried",
        "named",
        "other errors",
        "not wanted",
        "the last attempt",
        "rerun first",
    ],
)
def test_what_was_lost_is_run_again_if_its_job_wants_that(make_node, options, cause):
    node, other = make_node(), make_node()
    node.add_records([record("a", **options)], None)
    node.add_records([record("next", 999)._replace(trigger=AfterJob("a", on="failure"))], None)
    (decision,) = claim(node, 1).decisions
    bury(node, other)
    before = other._node_context.now()
    assert other._outcomes.collect_lost(set) is (cause is not None)
    assert not other._outcomes.collect_lost(set)  # they are lost once
    node.finish([submission(decision)])
    node._outcomes.write()  # its node is alive, and says so too late
    lost = (1, "lost", "schedule")
    if cause is None:
        assert outcomes(other, "a") == [lost]
        assert len(outcomes(other, "next")) == 1
        assert other.get_record("a") is None
        return
    assert outcomes(other, "a") == [lost, (2, None, cause)]
    assert outcomes(other, "next") == []  # it has not failed for good
    (waits,) = other.list_runs("a", "queued", None, 10)
    assert waits.available - before >= timedelta(
        seconds=60 if options.get("retry") == Retry(3, delay=60) else 0
    )


def test_what_a_node_gives_up_is_run_again_though_other_outcomes_of_its_are_refused(make_node):
    node, other = make_node(), make_node()
    node.add_records([record("old", on_lost="rerun")], None)
    (old,) = claim(node, 1).decisions
    bury(node, other)
    other._outcomes.collect_lost(set)
    node._membership.renew()  # it goes on as a new node
    node.add_records([record("given up", on_lost="rerun"), record("ends")], None)
    new = {one.job.id: submission(one) for one in claim(node, 1).decisions}
    late = submission(old)
    for ended in (late, new["ends"]):
        ended.add_result(RunResult(START, "succeeded", START, START))
    node.finish([late, *new.values()])
    node._outcomes.write()
    assert outcomes(node, "old")[0] == (1, "lost", "schedule")
    assert outcomes(node, "ends") == [(1, "succeeded", "schedule")]
    assert outcomes(node, "given up") == [(1, "lost", "schedule"), (2, None, "rerun")]


def test_what_a_node_gives_up_is_queued_once_though_it_is_written_twice(make_node):
    node = make_node()
    node.add_records([record("a", on_lost="rerun"), record("b", retry=Retry(2))], None)
    given_up = [submission(one) for one in claim(node, 1).decisions]
    node._outcomes.add(given_up)
    ended = node._outcomes.drain(lambda: True)
    for _ in range(2):  # as where the answer to the first didn't come
        node._backend.finish(ended, None)
    assert outcomes(node, "a") == [(1, "lost", "schedule"), (2, None, "rerun")]
    assert outcomes(node, "b") == [(1, "lost", "schedule"), (2, None, "retry")]


def where_who_lives_is_asked(store):
    backend = store._backend
    if hasattr(backend, "_nodes"):
        return backend._nodes, "living"
    return (
        (backend._outcome_writer, "_alive")
        if hasattr(backend._outcome_writer, "_alive")
        else (backend, "cluster_status")
    )


@pytest.mark.parametrize("make_node", ["postgres", "mariadb", "redis", MONGODB], indirect=True)
def test_what_a_node_has_claimed_that_has_just_come_is_not_lost(make_node, monkeypatch):
    node, other = make_node(), make_node()
    names = [f"new {number}" for number in range(4)]
    node.add_records([record("old", on_lost="rerun")], None)
    assert len(claim(node, 1).decisions) == 1
    other.add_records([record(name, on_lost="rerun") for name in names], None)
    bury(node, other)
    claimed = []
    one_at_a_time = threading.Lock()  # the node's own upkeep asks too, meanwhile
    place, name = where_who_lives_is_asked(other)
    ask = getattr(place, name)

    def ask_and_have_one_come(*args):
        answer = ask(*args)
        with one_at_a_time:
            if len(claimed) < len(names):
                (decision,) = claim(make_node(), 1, limit=1).decisions
                claimed.append(decision.job.id)
        return answer

    monkeypatch.setattr(place, name, ask_and_have_one_come)
    other._outcomes.collect_lost(set)
    assert outcomes(other, "old") == [(1, "lost", "schedule"), (2, None, "rerun")]
    assert claimed
    assert [outcomes(other, each) for each in claimed] == [[(1, None, "schedule")]] * len(claimed)


def test_a_node_says_that_it_lives_though_its_upkeep_takes_long(make_node):
    node = make_node()
    is_pruning, may_go_on, has_renewed = threading.Event(), threading.Event(), threading.Event()
    renew = node._backend.renew

    def prune(*_args):
        is_pruning.set()
        may_go_on.wait(30)

    def tell(*args):
        renewed = renew(*args)
        has_renewed.set()
        return renewed

    node._backend.prune, node._backend.renew = prune, tell
    node._upkeep.call_now(node._prune)
    assert is_pruning.wait(30)
    has_renewed.clear()
    node._heartbeat.call_now(node._renew)
    assert has_renewed.wait(30)
    may_go_on.set()


@pytest.fixture
def listening(make_node, make_scheduler):
    """A paused scheduler on the store, and what it has heard."""

    def make(mask):
        scheduler, store, heard = make_scheduler(), make_node(lambda store: store), EventRecorder()
        scheduler.add_listener(heard, mask)
        scheduler.add_jobstore(store, "shared")
        scheduler.start(paused=True)
        return store, heard

    return make


def test_what_is_lost_for_good_counts_among_the_failures_that_pause_a_job(make_node, listening):
    node = make_node()
    store, heard = listening(EVENT_JOB_PAUSED)
    node.add_records(
        [
            record("twice", every=10, pause_after_failures=2),
            record("retried", every=10, pause_after_failures=1, retry=Retry(2)),
        ],
        None,
    )
    for at in (1, 11):
        assert store.get_record("twice").next_run_time is not None
        claim(node, at)
        bury(node, store)
        store._outcomes.collect_lost(set)
        store._outcomes.collect_lost(set)  # counts nothing twice
        node._membership.renew()  # it goes on as a new node
    (event,) = heard.wait_for(EVENT_JOB_PAUSED, "twice", timeout=20)
    assert (event.jobstore, event.note) == ("shared", "paused after 2 failed runs in a row")
    paused = store.get_record("twice")
    assert (paused.next_run_time, paused.counters.note) == (None, event.note)
    assert store.get_record("retried").next_run_time is not None  # it has another attempt each time


def test_a_loss_is_told_of_by_the_node_that_finds_it(make_node, listening):
    node = make_node()
    store, heard = listening(EVENT_JOB_LOST)
    node.add_records([record("a"), record("b", on_lost="rerun")], None)
    assert len(claim(node, 1).decisions) == 2
    bury(node, store)
    store._outcomes.collect_lost(set)
    heard.wait_for(EVENT_JOB_LOST, count=2, timeout=20)
    events = {event.job_id: event for event in heard.of(EVENT_JOB_LOST)}
    assert events["a"].retry_at is None
    assert events["b"].retry_at > START
    for job_id, event in events.items():
        assert (event.jobstore, event.run_id, event.attempt) == ("shared", run_id(job_id, START), 1)
        assert node._node_context.node_name in str(event.exception)
        assert isinstance(event.exception, NodeLostError)


def claim_late(node, days=10**5):
    """Claim what is queued, however long it is to wait."""
    node._agenda.note_queue_due(START)
    return [one for one in claim(node, days * 86400).decisions if one.run is not None]


def test_a_run_that_takes_its_nodes_down_is_given_up(make_node, listening):
    node = make_node()
    store, heard = listening(EVENT_JOB_LOST | EVENT_JOB_GAVE_UP | EVENT_JOB_PAUSED)
    options = {"on_lost": "rerun", "reruns": 2, "pause_after_failures": 1}
    node.add_records(
        [record("a", **options)._replace(trigger=AfterJob("other")), record("b", **options)], None
    )
    assert len(claim(node, 1).decisions) == 2
    pauses = []
    for number in range(3):
        bury(node, store)
        now = store._node_context.now()
        store._outcomes.collect_lost(set)
        waiting = {run.job_id: run for run in store.list_runs(None, "queued", None, 10)}
        assert set(waiting) == ({"a", "b"} if number < 2 else set())
        pauses += [(run.available - now).total_seconds() for run in waiting.values()]
        assert {run.reruns for run in waiting.values()} == ({number + 1} if number < 2 else set())
        node._membership.renew()  # its process is started again
        taken = claim_late(node)
        assert sorted((one.job.id, one.attempt) for one in taken) == [(one, number + 2) for one in waiting]
    assert all(pause < 1.9 for pause in pauses[:2])
    assert all(2 <= pause < 10 for pause in pauses[2:])
    assert outcomes(store, "b") == [(1, "lost", "schedule"), (2, "lost", "rerun"), (3, "lost", "rerun")]
    heard.wait_for(EVENT_JOB_GAVE_UP, count=2, timeout=20)
    events = [event for event in heard.of(EVENT_JOB_LOST) if event.job_id == "b"]
    assert [(event.attempt, event.retry_at is None) for event in events] == [
        (1, False),
        (2, False),
        (3, True),
    ]
    (event,) = heard.of(EVENT_JOB_GAVE_UP, "b")
    assert (event.attempt, event.run_id) == (3, run_id("b", START, 3))
    heard.wait_for(EVENT_JOB_PAUSED, "a")  # it counts as a failure
    assert store.get_record("b") is None


def test_reruns_and_retries_are_counted_apart(make_node, listening):
    node = make_node()
    store, _ = listening(EVENT_JOB_LOST)
    node.add_records([record("a", on_lost="rerun", reruns=1, retry=Retry(3))], None)
    claim(node, 1)
    bury(node, store)
    store._outcomes.collect_lost(set)
    node._membership.renew()
    (rerun,) = claim_late(node)
    assert submission(rerun).reruns == 1
    failed = submission(rerun)
    failed.add_result(RunResult(START, "failed", START, START, "no", retry_at=store._node_context.now()))
    node.finish([failed])
    node._outcomes.write()
    (retry,) = claim_late(node)
    assert (retry.attempt, retry.cause, submission(retry).reruns) == (3, "retry", 1)
    bury(node, store)
    store._outcomes.collect_lost(set)
    assert outcomes(store, "a") == [(1, "lost", "schedule"), (2, "failed", "rerun"), (3, "lost", "retry")]


def test_what_is_given_back_keeps_how_often_it_was_run_again(make_node, listening):
    node = make_node()
    store, _ = listening(EVENT_JOB_LOST)
    node.add_records([record("a", on_lost="rerun")], None)
    claim(node, 1)
    bury(node, store)
    store._outcomes.collect_lost(set)
    node._membership.renew()
    (rerun,) = claim_late(node)
    node.release([submission(rerun)])
    (again,) = claim_late(node)
    assert (again.attempt, again.run.reruns) == (2, 1)
    node.finish([submission(again)])


def test_each_of_several_losses_is_followed(make_node):
    node, other = make_node(), make_node()
    node.add_records([record("a", every=10, coalesce=False)], None)
    node.add_records([record("next", 10**9)._replace(trigger=AfterJob("a", on="failure"))], None)
    (decision,) = claim(node, 11).decisions
    assert len(decision.submit) == 2
    bury(node, other)
    other._outcomes.collect_lost(set)
    assert len(outcomes(other, "next")) == 2


def two_attempts_at_one_time(node, **options):
    """What a node has claimed of a job that was moved back, while its run for that time went on."""
    node.add_records([record("a", every=3600, max_instances=2, **options)], None)
    (first,) = claim(node, 1).decisions
    node.change("a", lambda job: job._replace(next_run_time=START, version=job.version + 1))
    (second,) = claim(node, 1).decisions
    assert [first.attempt, second.attempt] == [1, 2]
    return submission(first), submission(second)


def test_two_attempts_at_one_due_time_that_are_lost_together_are_both_run_again(make_node):
    node, other = make_node(), make_node()
    two_attempts_at_one_time(node, on_lost="rerun")
    bury(node, other)
    assert other._outcomes.collect_lost(set)
    assert not other._outcomes.collect_lost(set)
    assert outcomes(other, "a") == [
        (1, "lost", "schedule"),
        (2, "lost", "schedule"),
        (3, None, "rerun"),
        (4, None, "rerun"),
    ]


def test_two_attempts_at_one_due_time_that_fail_together_are_both_tried_again(make_node):
    node = make_node()
    ended = two_attempts_at_one_time(node, retry=Retry(5))
    later = node._node_context.now() + timedelta(hours=1)
    for one in ended:
        one.add_result(RunResult(START, "failed", START, START, "no luck", retry_at=later))
    node.finish(ended)
    node._outcomes.write()
    assert outcomes(node, "a") == [
        (1, "failed", "schedule"),
        (2, "failed", "schedule"),
        (3, None, "retry"),
        (4, None, "retry"),
    ]


def test_of_two_attempts_at_one_due_time_that_end_together_a_job_comes_after_the_due_time_once(make_node):
    node = make_node()
    node.add_records([record("next", 999)._replace(trigger=AfterJob("a", on="any"))], None)
    ended = two_attempts_at_one_time(node)
    for one in ended:
        one.add_result(RunResult(START, "succeeded", START, START))
    node.finish(ended)
    node._outcomes.write()
    assert outcomes(node, "a") == [(1, "succeeded", "schedule"), (2, "succeeded", "schedule")]
    assert outcomes(node, "next") == [(1, None, "after")]
