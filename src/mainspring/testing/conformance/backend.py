"""What every database behind a shared store promises, method by method: the contract of `mainspring.jobstores.shared.backend.Backend`, as tests.

A promise is given `Nodes`: one or two backends on the same empty database, as two processes have them.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from mainspring._version import __version__
from mainspring.engine.reasons import CANCELLED_UNBEGUN, JOB_REMOVED, NODE_IS_SILENT
from mainspring.errors import ConflictingIdError, JobLookupError
from mainspring.jobstores.contract import ALL_JOBS, JobQuery
from mainspring.jobstores.shared.audit import AuditEntry, AuditQuery, acting
from mainspring.jobstores.shared.claims import ClaimRequest
from mainspring.jobstores.shared.lease import Heartbeats, NodeLease, Registration
from mainspring.jobstores.shared.rollups import SPANS, start_of
from mainspring.jobstores.shared.runs import Ended
from mainspring.model import Group, JobRecord, RunKey
from mainspring.retry import Retry
from mainspring.testing.clock import SettableClock
from mainspring.testing.conformance.building import (
    SECOND,
    START,
    deciding,
    ids,
    manual_run,
    record,
    refuse,
    result,
    submission,
)
from mainspring.testing.conformance.promises import Promise, promising
from mainspring.triggers.after import WAITS, AfterJob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from mainspring.engine.decision import Decision
    from mainspring.engine.membership import LivingNode
    from mainspring.jobstores.shared.backend import Backend
    from mainspring.jobstores.shared.claims import Claimed
    from mainspring.jobstores.shared.rollups import Span
    from mainspring.model import Outcome, RunRecord

#: What is promised, each as a function that is given `Nodes`.
BACKEND_PROMISES: list[Promise] = []

_promises = partial(promising, BACKEND_PROMISES)
_LEASE = timedelta(seconds=30)
EVERYTHING = AuditQuery()
#: So long an announcement may take to be heard.
_HEARD_WITHIN = 30.0


class Node:
    """One backend, and its registration.

    Attributes:
        beats: the heartbeats of the registration.
        token: of the registration.
    """

    def __init__(self, backend: Backend, name: str) -> None:
        self.backend = backend
        self.name = name
        self.beats = Heartbeats()
        self.token = 0

    def register(self) -> Node:
        """Enter the node."""
        self.token, _ = self.backend.register(self.registration, self.beats)
        self.beats.confirm()
        self.backend.node_context.token = self.token
        return self

    @property
    def registration(self) -> Registration:
        """What it says of itself."""
        return Registration(self.name, ["default"], _LEASE)

    def claim(
        self, after: float, *, limit: int = 100, ended: Sequence[Ended] = (), looks: bool = False
    ) -> Claimed:
        """Claim what is due so many seconds after `START`; also from the queue, if it looks there."""
        now = START + after * SECOND
        request = ClaimRequest(
            now, deciding(now), limit, ("default",), (), self.token, ended, now if looks else None
        )
        return self.backend.claim(request, _never)

    def due(self, after: float, *, looks: bool = False) -> list[Decision]:
        """What is claimed then, with its lease."""
        decisions = self.claim(after, looks=looks).in_turn()
        for decision in decisions:
            decision.lease = NodeLease(self.token, _LEASE, self.backend.node_context, 0.0)
        return decisions

    def ended(self, decision: Decision, outcome: Outcome = "succeeded", **more: Any) -> Ended:
        """The outcome of a run that this node claimed."""
        token = self.token
        return Ended(decision.job, decision.attempt, token, decision.cause, result(decision, outcome, **more))

    def states(self, job_id: str = "a") -> list[tuple[str, str | None]]:
        """The states of a job's runs, latest due time first, with what is said of their errors."""
        return [(run.state, run.error) for run in self.backend.list_runs(job_id, None, None, 10)]

    def living(self) -> dict[int, LivingNode]:
        """Who is counted among the living, by token."""
        return {node.token: node for node in self.backend.cluster_status(self.token).living}


class Nodes:
    """Nodes that share a database.

    Args:
        make: makes a backend on the same database, whenever it is called.
    """

    def __init__(self, make: Callable[[], Backend]) -> None:
        self._make = make
        self.made: list[Node] = []

    def add(self, name: str = "one") -> Node:
        """Another one, registered, on a prepared database."""
        node = Node(self._make(), name)
        self.made.append(node)
        node.backend.prepare()
        return node.register()

    def close(self) -> None:
        """Close all backends."""
        for node in self.made:
            node.backend.close()


class BackendConformance:
    """The tests, one for each promise."""

    @pytest.fixture
    def make_backend(self) -> Callable[[], Backend]:
        """Makes a backend on the same database, which is empty at first, whenever it is called; to be overridden."""
        raise NotImplementedError("give the test class a fixture named make_backend")

    @pytest.fixture
    def nodes(self, make_backend: Callable[[], Backend]) -> Iterator[Nodes]:
        """What promises are given."""
        nodes = Nodes(make_backend)
        yield nodes
        nodes.close()

    @pytest.mark.parametrize("promise", BACKEND_PROMISES, ids=lambda promise: promise.name)
    def test_promise(self, nodes: Nodes, promise: Promise) -> None:
        promise.check(nodes)


def _never() -> bool:
    return False


class _Kept(NamedTuple):
    """A node with one recurring job, "a"."""

    node: Node
    backend: Backend


def _with_job(nodes: Nodes, *more: JobRecord, **options: Any) -> _Kept:
    node = nodes.add()
    node.backend.jobs.add([record("a", every=10, **options), *more], None)
    return _Kept(node, node.backend)


def _time(run: RunRecord | None) -> datetime | None:
    return None if run is None else run.scheduled_run_time


# Life


@_promises("prepare", "ask_first", "close")
def a_database_is_prepared_once_and_asked_again_after_connections_were_closed(nodes: Nodes) -> None:
    node, backend = _with_job(nodes)
    backend.prepare()
    backend.close()
    backend.ask_first()
    assert [one.id for one in backend.jobs.list_jobs(ALL_JOBS) if isinstance(one, JobRecord)] == ["a"]
    assert set(node.living()) == {node.token}


@_promises("go_by")
def time_is_measured_by_the_clock_of_the_scheduler(nodes: Nodes) -> None:
    backend = nodes.add().backend
    backend.node_context.goes_by_scheduler = True  # whatever the time of the database is
    backend.go_by(SettableClock(START))
    assert backend.node_context.now() == START


@_promises("lacks")
def a_prepared_database_lacks_nothing(nodes: Nodes) -> None:
    assert nodes.add().backend.lacks() is None


@_promises("ask_time")
def the_clock_of_the_database_is_asked_if_it_has_one(nodes: Nodes) -> None:
    backend = nodes.add().backend
    present = backend.node_context.clock.now(UTC)
    backend.go_by(SettableClock(START))
    backend.ask_time()
    told = backend.node_context.now()
    assert told == START or abs(told - present) < timedelta(hours=1)


@_promises("flaw", "predecessor")
def nothing_is_wrong_with_an_empty_database_and_nothing_was_there_before(nodes: Nodes) -> None:
    backend = nodes.add().backend
    assert backend.flaw(ValueError("not the database's")) is None
    assert backend.predecessor() is None


@_promises("listen")
def what_another_node_changes_is_heard_where_the_database_can_tell(nodes: Nodes) -> None:
    one, other = nodes.add("one"), nodes.add("other")
    heard = Event()
    listening = one.backend.listen(heard.set)
    if listening is None:
        return
    try:
        # Until it is connected it may miss some, and is called when it is: so there is no moment at which to begin.
        clock, number = one.backend.node_context.clock, 0
        end = clock.monotonic() + _HEARD_WITHIN
        while not heard.wait(0.05) and clock.monotonic() < end:
            number += 1
            other.backend.jobs.add([record(f"{number}")], None)
        assert heard.is_set()
    finally:
        listening.stop()


@_promises("adoptions.marks", "adoptions.adopt")
def jobs_are_adopted_with_their_marks(nodes: Nodes) -> None:
    backend = nodes.add().backend
    adoptions = backend.adoptions
    assert adoptions.marks("old") == ({}, False)
    assert adoptions.adopt("old", [record("a")], {"a": "adopted", "b": "refused"}, {}, completes=False)
    assert adoptions.marks("old") == ({"a": "adopted", "b": "refused"}, False)
    found = backend.jobs.get("a")
    assert found is not None
    assert found.next_run_time == START
    assert adoptions.marks("other") == ({}, False)


@_promises("adoptions.adopt")
def a_mark_that_is_not_as_it_was_read_is_not_overwritten(nodes: Nodes) -> None:
    adoptions = nodes.add().backend.adoptions
    assert adoptions.adopt("old", [], {"a": "refused"}, {}, completes=False)
    assert not adoptions.adopt("old", [], {"a": "adopted"}, {}, completes=False)  # it was read before that
    assert adoptions.marks("old") == ({"a": "refused"}, False)
    assert adoptions.adopt("old", [], {"a": "adopted"}, {"a": "refused"}, completes=True)
    assert adoptions.marks("old") == ({"a": "adopted"}, True)


# Who has done what


def _noted(backend: Backend, query: AuditQuery = EVERYTHING) -> list[tuple[str, str, str | None, str | None]]:
    """What is noted, the earliest first, without its times and reasons."""
    return [
        (entry.who, entry.action, entry.job_id, entry.run_id)
        for entry in reversed(backend.audit.entries(query))
    ]


@_promises("audit.entries", "audit.write")
def entries_are_read_as_they_were_written_the_latest_first(nodes: Nodes) -> None:
    audit = nodes.add().backend.audit
    entries = [
        AuditEntry(START + at * SECOND, who, "pause", job_id, f"{job_id}/1", "it's\n\u00fcber")
        for at, (who, job_id) in enumerate([("anna", "a"), ("bob", "a"), ("anna", "b")])
    ]
    audit.write([])
    audit.write(entries[:2])
    audit.write([entries[2], AuditEntry(START + 3 * SECOND, "anna", "prune")])
    assert audit.entries(AuditQuery(limit=2)) == [AuditEntry(START + 3 * SECOND, "anna", "prune"), entries[2]]
    assert audit.entries(AuditQuery(job_id="a")) == [entries[1], entries[0]]
    assert audit.entries(AuditQuery(job_id="a", who="anna")) == [entries[0]]
    assert [entry.job_id for entry in audit.entries(AuditQuery(since=START + SECOND))] == [None, "b", "a"]


@_promises("audit.prune")
def the_latest_entries_are_kept(nodes: Nodes) -> None:
    audit = nodes.add().backend.audit
    audit.prune(2)
    audit.write([AuditEntry(START + at * SECOND, "anna", f"{at}") for at in range(5)])
    audit.prune(5)
    assert len(audit.entries(EVERYTHING)) == 5
    audit.prune(2)
    assert [entry.action for entry in audit.entries(EVERYTHING)] == ["4", "3"]
    audit.write([AuditEntry(START, "anna", f"{at} of one step") for at in range(5)])
    audit.prune(3)
    assert len(audit.entries(EVERYTHING)) == 3


@_promises("jobs.add", "jobs.change", "jobs.remove", "enqueue", "cancel", "adoptions.adopt", "audit.entries")
def what_somebody_does_is_noted_with_it_once_and_what_is_not_done_is_not(nodes: Nodes) -> None:
    backend = nodes.add().register().backend
    backend.jobs.add([record("nobody's")], None)  # nobody acts
    run = manual_run("a", 0)
    with acting("anna", "act", "why not"):
        backend.jobs.add([record("a")], None)
        backend.jobs.add([record("b"), record("a")], lambda _, new: new)
        backend.jobs.change("a", lambda job: job._replace(name="changed", version=job.version + 1))
        backend.enqueue([run])
        assert backend.cancel(run.key)
        backend.adoptions.adopt("old", [record("c")], {"c": "adopted"}, {}, completes=False)
        backend.jobs.remove("b")
        assert not backend.cancel(run.key)
        with pytest.raises(JobLookupError):
            backend.jobs.remove("b")
        with pytest.raises(JobLookupError):
            backend.enqueue([manual_run("b", 0)])
        with pytest.raises(ConflictingIdError):
            backend.jobs.add([record("d"), record("a")], None)
    backend.jobs.remove("nobody's")
    noted = _noted(backend)
    assert [who for who, *_ in noted] == ["anna"] * 8
    assert sorted((job_id, run_id) for _, _, job_id, run_id in noted[1:3]) == [("a", None), ("b", None)]
    assert [(job_id, run_id) for _, _, job_id, run_id in (noted[0], *noted[3:])] == [
        ("a", None),
        ("a", None),
        ("a", run.key.id),
        ("a", run.key.id),
        ("c", None),
        ("b", None),
    ]
    entry = backend.audit.entries(EVERYTHING)[0]
    assert (entry.action, entry.why) == ("act", "why not")
    assert abs(entry.time - backend.node_context.now()) < timedelta(hours=1)


# What becomes of many runs


def _rolled_up(
    backend: Backend, span: Span = "hour", job_id: str | None = "a"
) -> list[tuple[float, dict[str, int]]]:
    """The roll-ups of a job: seconds after `START`, and numbers."""
    entries = backend.rollups.entries(job_id, span, START - timedelta(days=2))
    return [((one.start - START) / SECOND, dict(one.numbers)) for one in entries]


def _run_some(node: Node, outcomes: Sequence[Outcome], first: float = 0) -> None:
    """Have the job a run so often, once in ten seconds from so many seconds after `START` on."""
    for at, outcome in enumerate(outcomes):
        (decision,) = node.due(first + at * 10)
        node.backend.finish([node.ended(decision, outcome)], None)


@_promises("prune", "rollups.entries")
def runs_that_are_pruned_are_counted_once(nodes: Nodes) -> None:
    first, second = nodes.add().register(), nodes.add().register()
    first.backend.jobs.add([record("a", 0, every=10)], None)
    _run_some(first, ["succeeded", "failed", "succeeded", "timed_out", "succeeded"])
    long_ago = START - timedelta(days=1)
    first.backend.prune(["a"], 2, long_ago)
    second.backend.prune(["a"], 2, long_ago)
    hour = (start_of(START, "hour") - START) / SECOND
    counted = {"succeeded": 2, "failed": 1, "begun": 3, "timed": 3}
    nothing = dict.fromkeys(("late_sum", "late_most", "took_sum", "took_least", "took_most"), 0)
    assert _rolled_up(second.backend) == [(hour, counted | nothing)]
    assert len(first.states()) == 2
    second.backend.prune([], 2, START + timedelta(days=1))
    assert first.states() == []
    counted = {"succeeded": 3, "failed": 1, "timed_out": 1, "begun": 5, "timed": 5}
    assert _rolled_up(first.backend) == [(hour, counted | nothing)]
    day = (start_of(START, "day") - START) / SECOND
    assert _rolled_up(first.backend, "day", None) == [(day, counted | nothing)]
    assert _rolled_up(first.backend, "day", "b") == []
    assert first.backend.rollups.entries("a", "day", START + timedelta(days=1)) == []
    assert first.backend.rollups.entries("a", "minute", START - timedelta(days=2)) == []  # of so long ago


@_promises("prunable", "prune")
def as_many_runs_are_pruned_as_was_said(nodes: Nodes) -> None:
    node = nodes.add().register()
    node.backend.jobs.add([record("a", 0, every=10), record("b", 10_000, every=10)], None)
    _run_some(node, ["succeeded"] * 5)
    long_ago, shortly = START - timedelta(days=1), START + 25 * SECOND
    for keep, before, count in ((5, long_ago, 0), (2, long_ago, 3), (5, START + timedelta(days=1), 5)):
        assert node.backend.prunable(["a", "b"], keep, before) == count
    assert node.backend.prunable(["b"], 0, long_ago) == 0
    assert node.backend.prunable([], 0, START + timedelta(days=1)) == 5
    said = node.backend.prunable(["a"], 4, shortly)
    node.backend.prune(["a"], 4, shortly)
    assert len(node.states()) == 5 - said


@_promises("prune", "rollups.entries")
def minutes_are_counted_of_what_was_run_lately(nodes: Nodes) -> None:
    node = nodes.add().register()
    lately = start_of(node.backend.node_context.now(), "day")
    seconds = (lately - START) / SECOND
    node.backend.jobs.add([record("a", seconds, every=10)], None)
    _run_some(node, ["succeeded"] * 8, seconds)
    node.backend.prune(["a"], 1, START)
    found = node.backend.rollups.entries("a", "minute", lately)
    counted = [(one.start - lately, one.numbers["succeeded"]) for one in found]
    assert counted == [(timedelta(0), 6), (timedelta(minutes=1), 1)]


@_promises("prune", "rollups.entries")
def what_has_run_of_a_job_that_is_gone_is_not_counted(nodes: Nodes) -> None:
    node = nodes.add().register()
    node.backend.jobs.add([record("a", 0, every=10)], None)
    _run_some(node, ["succeeded"] * 2)
    node.backend.jobs.remove("a")
    node.backend.prune(["a"], 0, START + timedelta(days=1))
    assert node.states() == []
    assert _rolled_up(node.backend) == []


@_promises("rollups.prune")
def old_roll_ups_are_removed(nodes: Nodes) -> None:
    node = nodes.add().register()
    node.backend.jobs.add([record("a", 0, every=10)], None)
    _run_some(node, ["succeeded"])
    node.backend.prune(["a"], 0, START - timedelta(days=1))
    starts: dict[Span, datetime] = {span: start_of(START, span) for span in SPANS}
    later = START + timedelta(days=2)
    node.backend.rollups.prune(starts, later)
    assert (len(_rolled_up(node.backend)), len(_rolled_up(node.backend, "day"))) == (1, 1)
    node.backend.rollups.prune({**starts, "hour": START + timedelta(hours=1)}, later)
    assert (len(_rolled_up(node.backend)), len(_rolled_up(node.backend, "day"))) == (0, 1)


@_promises("rollups.prune")
def roll_ups_of_a_job_that_is_gone_are_removed_as_soon_as_its_runs_would_be(nodes: Nodes) -> None:
    node = nodes.add().register()
    node.backend.jobs.add([record("a", 0, every=10)], None)
    _run_some(node, ["succeeded"])
    node.backend.prune(["a"], 0, START - timedelta(days=1))
    node.backend.jobs.remove("a")
    starts: dict[Span, datetime] = {span: start_of(START, span) for span in SPANS}
    node.backend.rollups.prune(starts, start_of(START, "day"))
    assert (len(_rolled_up(node.backend)), len(_rolled_up(node.backend, "day"))) == (1, 1)
    node.backend.rollups.prune(starts, START + timedelta(days=1))
    assert _rolled_up(node.backend) == _rolled_up(node.backend, "day") == []


# Jobs


@_promises("jobs.add", "jobs.get")
def jobs_are_added_all_or_none_and_read_as_they_were_written(nodes: Nodes) -> None:
    jobs = nodes.add().backend.jobs
    given = record("a", 5, every=10, max_instances=3, tags=("x",))
    jobs.add([given], None)
    with pytest.raises(ConflictingIdError):
        jobs.add([record("b"), record("a")], None)
    found = jobs.get("a")
    assert found is not None
    assert (found.options, found.trigger) == (given.options, given.trigger)
    assert found.next_run_time == given.next_run_time
    assert jobs.get("b") is None


@_promises("jobs.add")
def a_job_is_replaced_as_the_caller_says(nodes: Nodes) -> None:
    jobs = nodes.add().backend.jobs
    jobs.add([record("a", 5)], None)
    jobs.add([record("a", 9)], lambda old, new: new.rescheduled(old.next_run_time))
    found = jobs.get("a")
    assert found is not None
    assert found.next_run_time == START + 5 * SECOND


@_promises("jobs.list_jobs", "jobs.earliest")
def jobs_are_listed_soonest_first_and_paused_last(nodes: Nodes) -> None:
    jobs = nodes.add().backend.jobs
    assert jobs.earliest() is None
    jobs.add([record("b", 2), record("p", paused=True), record("a", 1)], None)
    earliest = jobs.earliest()
    assert earliest is not None
    assert earliest.id == "a"
    found = {
        query: [one.id for one in jobs.list_jobs(query) if isinstance(one, JobRecord)]
        for query in (ALL_JOBS, JobQuery(state="paused"), JobQuery(after="a", limit=1))
    }
    assert list(found.values()) == [["a", "b", "p"], ["p"], ["b"]]


@_promises("jobs.find_equal")
def an_equal_job_is_found(nodes: Nodes) -> None:
    jobs = _with_job(nodes).backend.jobs
    assert jobs.find_equal(record("b", every=10)) == "a"
    assert jobs.find_equal(record("b", every=20)) is None


@_promises("jobs.change")
def a_change_is_made_on_what_is_there_or_not_at_all(nodes: Nodes) -> None:
    _, backend = _with_job(nodes)
    changed = backend.jobs.change("a", lambda old: old.changed(name="other"))
    assert changed.name == "other"

    def fails(old: JobRecord) -> JobRecord:
        raise ZeroDivisionError(old.id)

    with pytest.raises(ZeroDivisionError):
        backend.jobs.change("a", fails)
    with pytest.raises(JobLookupError):
        backend.jobs.change("b", lambda old: old)
    found = backend.jobs.get("a")
    assert found is not None
    assert (found.name, found.version) == ("other", changed.version)


@_promises("jobs.list_ending", "jobs.write_ending")
def a_job_whose_schedule_has_ended_stays_for_runs_of_it_and_is_not_seen(nodes: Nodes) -> None:
    node = nodes.add()
    jobs = node.backend.jobs
    jobs.add([record("a", retry=Retry(2, delay=1))], None)
    assert jobs.list_ending() == []
    assert not jobs.write_ending("a")
    (decision,) = node.due(0)
    assert jobs.get("a") is None
    assert [one.id for one in jobs.list_ending() if isinstance(one, JobRecord)] == ["a"]
    assert jobs.write_ending("a")
    node.backend.finish([node.ended(decision)], None)
    assert jobs.list_ending() == []


@_promises("jobs.remove", "jobs.remove_all")
def a_removed_job_is_gone_with_what_is_queued_of_it(nodes: Nodes) -> None:
    node, backend = _with_job(nodes, record("b", paused=True), record("c", 5))
    backend.enqueue([manual_run("a", 100), manual_run("b", 100)])
    backend.jobs.remove("a")
    with pytest.raises(JobLookupError):
        backend.jobs.remove("a")
    assert [one.id for one in backend.jobs.list_jobs(ALL_JOBS) if isinstance(one, JobRecord)] == ["c", "b"]
    assert (node.states("a"), node.states("b")) == ([("skipped", JOB_REMOVED)], [("queued", None)])
    backend.jobs.remove_all()
    assert backend.jobs.list_jobs(ALL_JOBS) == []
    assert node.states("b") == [("skipped", JOB_REMOVED)]


# Nodes


@_promises("register", "cluster_status", "known_nodes")
def every_registration_has_a_higher_token_and_is_seen_by_all(nodes: Nodes) -> None:
    one, other = nodes.add("one"), nodes.add("other")
    first = one.token
    assert other.token > first
    assert one.register().token > other.token
    for node in (one, other):
        assert {token: each.name for token, each in node.living().items()} == {
            first: "one",
            other.token: "other",
            one.token: "one",
        }
    assert {node.token for node in one.backend.known_nodes() if node.is_alive} == set(one.living())
    assert {each.lease for each in one.living().values()} == {30_000}


@_promises("renew")
def a_heartbeat_is_written_while_the_registration_lives(nodes: Nodes) -> None:
    one, other = nodes.add("one"), nodes.add("other")
    before = other.living()[one.token].heartbeat
    assert one.backend.renew(one.token, one.registration, one.beats)
    one.beats.confirm()
    after = other.living()[one.token].heartbeat
    assert after > before
    assert other.backend.declare_dead(one.token, after)
    assert not one.backend.renew(one.token, one.registration, one.beats)
    assert not other.backend.renew(one.token + 1000, other.registration, other.beats)


@_promises("renew")
def a_heartbeat_is_refused_that_does_not_follow_on_the_last_one(nodes: Nodes) -> None:
    one = nodes.add()
    beats = Heartbeats()
    beats.next(one.living()[one.token].heartbeat + timedelta(days=1))
    beats.confirm()  # the database holds an earlier one than it has taken: it was set back
    assert not one.backend.renew(one.token, one.registration, beats)


@_promises("declare_dead")
def a_node_is_declared_dead_once_and_only_if_it_was_silent(nodes: Nodes) -> None:
    one, other = nodes.add("one"), nodes.add("other")
    seen = other.living()[one.token].heartbeat
    assert one.backend.renew(one.token, one.registration, one.beats)
    assert not other.backend.declare_dead(one.token, seen)
    seen = other.living()[one.token].heartbeat
    assert other.backend.declare_dead(one.token, seen)
    assert not other.backend.declare_dead(one.token, seen)
    assert set(other.living()) == {other.token}
    assert {node.token: node.is_alive for node in other.backend.known_nodes()} == {
        one.token: False,
        other.token: True,
    }


@_promises("list_nodes")
def the_registrations_are_listed_with_what_is_known_of_each_the_latest_first(nodes: Nodes) -> None:
    one, other, third = nodes.add("one"), nodes.add("other"), nodes.add("third")
    one.backend.sign_off(one.token)
    assert third.backend.declare_dead(other.token, third.living()[other.token].heartbeat)
    found = third.backend.list_nodes()
    assert [(node.token, node.name, node.state) for node in found] == [
        (third.token, "third", "alive"),
        (other.token, "other", "dead"),
        (one.token, "one", "stopped"),
    ]
    assert {(node.executors, node.lease, node.version) for node in found} == {
        (("default",), _LEASE, __version__)
    }


@_promises("sign_off")
def a_node_that_has_left_is_known_and_not_living(nodes: Nodes) -> None:
    one, other = nodes.add("one"), nodes.add("other")
    one.backend.sign_off(one.token)
    assert set(other.living()) == {other.token}
    assert {node.token: node.is_alive for node in other.backend.known_nodes()}[one.token] is False


@_promises("cluster_status")
def a_look_shows_what_there_is_to_be_done(nodes: Nodes) -> None:
    one, other = nodes.add("one"), nodes.add("other")
    backend = one.backend
    backend.jobs.add([record("a", every=10)], None)
    nothing = other.backend.cluster_status(other.token)
    assert (nothing.has_orphans, nothing.next_queued, list(nothing.to_cancel)) == (False, None, [])
    (decision,) = one.due(0)
    key = RunKey("a", START, 1)
    backend.enqueue([manual_run("a", 100)])
    assert other.backend.cancel(key)
    seen, elsewhere = backend.cluster_status(one.token), other.backend.cluster_status(other.token)
    assert (list(seen.to_cancel), list(elsewhere.to_cancel)) == ([key], [])
    assert elsewhere.next_queued == START + 100 * SECOND
    backend.finish([one.ended(decision, "cancelled")], None)
    assert list(backend.cluster_status(one.token).to_cancel) == []


# Runs


@_promises("next_time", "poll")
def the_next_time_is_that_of_jobs_that_this_node_could_run(nodes: Nodes) -> None:
    node = nodes.add()
    backend = node.backend
    assert backend.next_time(START, ("default",), ()) is None
    backend.jobs.add([record("a", 3), record("b", 2), record("c", 1, executor="other")], None)
    for executors, set_aside, due in (
        (("default",), (), 2),
        (("default",), ("b",), 3),
        (("default", "other"), (), 1),
        (("nobody",), (), None),
    ):
        expected = None if due is None else START + due * SECOND
        assert backend.next_time(START, executors, set_aside) == expected
        assert backend.poll(START, executors, set_aside, None) == (expected, None)
    _, look = backend.poll(START, ("default",), (), node.token)
    assert look is not None
    assert [one.token for one in look.living] == [node.token]


@_promises("unclaimable")
def jobs_that_nobody_runs_since_they_name_other_executors_are_found(nodes: Nodes) -> None:
    node = nodes.add()
    node.backend.jobs.add(
        [record("a"), record("b", executor="other"), record("c", 50, executor="other")], None
    )

    def found(after: float, limit: int = 10) -> list[str]:
        moment = START + after * SECOND
        found = node.backend.unclaimable(moment, deciding(moment, refuse), ("default",), limit)
        return ids(decision.job for decision in found)

    assert found(10) == ["b"]
    assert found(60) == ["b", "c"]
    assert len(found(60, limit=1)) == 1


@_promises("claim")
def what_is_due_is_claimed_by_one_node_and_moves_on(nodes: Nodes) -> None:
    one, other = nodes.add("one"), nodes.add("other")
    one.backend.jobs.add([record("a", every=10), record("b", 5)], None)
    claimed = one.claim(0)
    assert [decision.submit for decision in claimed.in_turn()] == [[START]]
    assert claimed.claim.next_time == START + 5 * SECOND
    assert other.claim(0).in_turn() == []
    run = other.backend.get_run(RunKey("a", START, 1))
    assert run is not None
    assert (run.state, run.token, run.node is not None) == ("running", one.token, True)


@_promises("claim")
def a_claim_takes_no_more_than_it_was_asked_for(nodes: Nodes) -> None:
    node, _ = _with_job(nodes, record("b"), record("c"))
    assert len(node.claim(0, limit=2).in_turn()) == 2
    assert len(node.claim(0, limit=2).in_turn()) == 1


@_promises("claim")
def a_claim_leaves_alone_what_this_node_does_not_try(nodes: Nodes) -> None:
    node, backend = _with_job(nodes, record("b"), record("c", executor="other"))
    request = ClaimRequest(START, deciding(START), 10, ("default",), ("b",), node.token, (), None)
    assert ids(decision.job for decision in backend.claim(request, _never).in_turn()) == ["a"]


@_promises("claim")
def a_claim_writes_outcomes_along(nodes: Nodes) -> None:
    node, _ = _with_job(nodes)
    (decision,) = node.due(0)
    (again,) = node.claim(10, ended=[node.ended(decision)]).in_turn()
    assert again.submit == [START + 10 * SECOND]  # since the one before counts no more
    assert node.states() == [("running", None), ("succeeded", None)]


@_promises("give_back")
def a_claim_is_given_back_as_it_was_unless_the_job_was_changed(nodes: Nodes) -> None:
    node, backend = _with_job(nodes)
    (decision,) = node.due(0)
    assert backend.give_back(decision, node.token, None)
    assert backend.next_time(START, ("default",), ()) == START
    assert node.states() == []
    (decision,) = node.due(0)
    backend.jobs.change("a", lambda old: old.changed(next_run_time=START + 50 * SECOND))
    assert not backend.give_back(decision, node.token, None)
    assert backend.next_time(START, ("default",), ()) == START + 50 * SECOND


@_promises("give_back")
def a_queued_run_is_given_back_to_be_tried_later(nodes: Nodes) -> None:
    node = nodes.add()
    node.backend.jobs.add([record("a", paused=True)], None)
    node.backend.enqueue([manual_run("a", 0)])
    (decision,) = node.due(0, looks=True)
    assert node.backend.give_back(decision, node.token, START + 5 * SECOND)
    assert node.due(4, looks=True) == []
    (again,) = node.due(5, looks=True)
    assert (again.submit, again.attempt, again.cause) == ([START], 1, "manual")


@_promises("release")
def what_was_not_begun_is_left_to_any_node(nodes: Nodes) -> None:
    one, other = nodes.add("one"), nodes.add("other")
    one.backend.jobs.add([record("a", every=10)], None)
    (decision,) = one.due(0)
    one.backend.release([submission(decision)], _never)
    (again,) = other.due(0)
    assert (again.submit, again.attempt) == ([START], 1)


@_promises("finish")
def the_outcome_of_a_run_that_others_have_taken_over_is_refused(nodes: Nodes) -> None:
    one, other = nodes.add("one"), nodes.add("other")
    one.backend.jobs.add([record("a", every=10), record("b", every=10)], None)
    decisions = {decision.job.id: decision for decision in one.due(0)}
    in_time, late = (one.ended(decisions[job_id], "failed", error="no") for job_id in ("a", "b"))
    assert list(one.backend.finish([in_time], None).refused) == []
    assert other.backend.declare_dead(one.token, other.living()[one.token].heartbeat)
    other.backend.collect_lost(set)
    assert list(one.backend.finish([late], None).refused) == [late]
    assert (one.states("a"), one.states("b")) == ([("failed", "no")], [("lost", NODE_IS_SILENT)])


@_promises("finish", "claim", "report_progress", "give_back", "release")
def a_token_that_holds_a_run_no_more_changes_nothing_of_it(nodes: Nodes) -> None:
    one, other = nodes.add("one"), nodes.add("other")
    options: dict[str, Any] = {"every": 10, "retry": Retry(2, delay=1), "pause_after_failures": 1}
    jobs = [record(job_id, **options) for job_id in ("given-back", "released")]
    follower = record("follower").changed(trigger=AfterJob("given-back", on="any"), next_run_time=WAITS)
    one.backend.jobs.add([*jobs, follower], None)
    stale = {decision.job.id: decision for decision in one.due(0)}
    assert one.backend.give_back(stale["given-back"], one.token, None)
    one.backend.release([submission(stale["released"])], _never)
    # The very same runs, by another node: of the same job, due time and attempt.
    held = {decision.job.id: decision for decision in (*other.due(0), *other.due(0, looks=True))}
    assert {job_id: decision.attempt for job_id, decision in held.items()} == {job.id: 1 for job in jobs}

    def is_as_it_was() -> bool:
        runs = [other.backend.get_run(RunKey(job.id, START, 1)) for job in jobs]
        return [run and (run.state, run.token, run.progress) for run in runs] == [
            ("running", other.token, None)
        ] * 2

    later = START + 5 * SECOND
    for more in ({}, {"retry_at": later}):
        ended = [one.ended(decision, "failed", error="stale", **more) for decision in stale.values()]
        assert {each.job.id for each in one.backend.finish(ended, None).refused} == set(stale)
        assert is_as_it_was()
        assert {each.job.id for each in one.claim(0, ended=ended).finished.refused} == set(stale)
        assert is_as_it_was()
    for decision in stale.values():
        one.backend.report_progress({(one.ended(decision).key, one.token): '[1,2,"stale"]'}, _never)
        one.backend.give_back(decision, one.token, None)
    one.backend.release([submission(decision) for decision in stale.values()], _never)
    assert is_as_it_was()
    for job in jobs:
        found = other.backend.jobs.get(job.id)
        assert found is not None
        assert found.next_run_time == START + 10 * SECOND  # nothing was counted
        assert len(other.states(job.id)) == 1
    assert other.states("follower") == []
    assert (
        list(other.backend.finish([other.ended(decision) for decision in held.values()], None).refused) == []
    )
    assert [other.states(job.id) for job in jobs] == [[("succeeded", None)]] * 2


@_promises("finish")
def what_follows_from_outcomes_is_written_with_them(nodes: Nodes) -> None:
    node, backend = _with_job(nodes, retry=Retry(2, delay=1), pause_after_failures=1)
    (decision,) = node.due(0)
    later = START + 5 * SECOND
    finished = backend.finish([node.ended(decision, "failed", error="no", retry_at=later)], None)
    assert (finished.queued_from, list(finished.paused)) == (later, [])
    (retry,) = node.due(5, looks=True)
    assert (retry.cause, retry.attempt) == ("retry", 2)
    finished = backend.finish([node.ended(retry, "failed", error="no")], None)
    assert (finished.queued_from, ids(finished.paused)) == (None, ["a"])
    found = backend.jobs.get("a")
    assert found is not None
    assert found.next_run_time is None


@_promises("report_progress")
def how_far_a_run_is_is_written_for_who_claimed_it(nodes: Nodes) -> None:
    node, backend = _with_job(nodes)
    node.due(0)
    key = RunKey("a", START, 1)
    for token, done in ((node.token, 1), (node.token + 1, 2)):
        backend.report_progress({(key, token): f'[{done}, 3, "files"]'}, _never)
        run = backend.get_run(key)
        assert run is not None
        assert run.progress == (1, 3, "files")


@_promises("collect_lost", "cluster_status")
def the_runs_of_a_dead_node_are_lost_once_and_run_again(nodes: Nodes) -> None:
    one, other = nodes.add("one"), nodes.add("other")
    one.backend.jobs.add([record("a", every=100, on_lost="rerun"), record("b", every=100)], None)
    one.due(0)
    assert list(other.backend.collect_lost(set).lost) == []  # it lives
    assert other.backend.declare_dead(one.token, other.living()[one.token].heartbeat)
    assert other.backend.cluster_status(other.token).has_orphans
    collected = other.backend.collect_lost(set)
    assert sorted(lost.job_id for lost in collected.lost) == ["a", "b"]
    assert [lost.job_id for lost in collected.again] == ["a"]
    assert collected.queued_from is not None
    assert list(other.backend.collect_lost(set).lost) == []
    assert not other.backend.cluster_status(other.token).has_orphans
    assert other.states("a") == [("queued", None), ("lost", NODE_IS_SILENT)]
    assert other.states("b") == [("lost", NODE_IS_SILENT)]


@_promises("collect_lost")
def a_run_that_goes_on_here_is_not_lost_whatever_the_store_says(nodes: Nodes) -> None:
    one, other = nodes.add("one"), nodes.add("other")
    one.backend.jobs.add([record("a", every=10)], None)
    one.due(0)
    assert other.backend.declare_dead(one.token, other.living()[one.token].heartbeat)
    assert list(one.backend.collect_lost(lambda: {("a", START, 1)}).lost) == []
    assert one.states() == [("running", None)]


@_promises("prune")
def old_history_is_removed_and_what_goes_on_is_not(nodes: Nodes) -> None:
    node, backend = _with_job(nodes)
    for after in (0, 10, 20):
        (decision,) = node.due(after)
        backend.finish([node.ended(decision)], None)
    node.due(30)
    backend.prune(["a"], 2, START - SECOND)
    assert [_time(run) for run in backend.list_runs("a", None, None, 10)] == [
        START + after * SECOND for after in (30, 20, 10)
    ]
    backend.prune([], 100, START + 15 * SECOND)
    assert [_time(run) for run in backend.list_runs("a", None, None, 10)] == [
        START + after * SECOND for after in (30, 20)
    ]
    backend.prune(["a"], 0, START + timedelta(days=1))
    assert node.states() == [("running", None)]


@_promises("enqueue")
def runs_are_queued_once_and_of_known_jobs(nodes: Nodes) -> None:
    node, backend = _with_job(nodes)
    first, second = manual_run("a", 100), manual_run("a", 200)
    assert backend.enqueue([first]) == [first]
    assert backend.enqueue([first, second]) == [second]
    with pytest.raises(JobLookupError):
        backend.enqueue([manual_run("nobody", 100)])
    assert node.states() == [("queued", None), ("queued", None)]


@_promises("cancel")
def a_queued_run_is_ended_and_one_that_goes_on_is_asked_to(nodes: Nodes) -> None:
    node, backend = _with_job(nodes)
    (asked,) = backend.enqueue([manual_run("a", 100)])
    assert backend.cancel(asked.key)
    assert node.states() == [("cancelled", CANCELLED_UNBEGUN)]
    assert not backend.cancel(asked.key)
    assert not backend.cancel(RunKey("nobody", START, 1))
    node.due(0)
    assert backend.cancel(RunKey("a", START, 1))
    assert list(backend.cluster_status(node.token).to_cancel) == [RunKey("a", START, 1)]


@_promises("get_run", "list_runs")
def runs_are_found_by_their_key_and_by_what_is_asked_for(nodes: Nodes) -> None:
    node, backend = _with_job(nodes, record("b", 5))
    (decision,) = node.due(0)
    backend.finish([node.ended(decision, "failed", error="no")], None)
    node.due(5)
    (asked,) = backend.enqueue([manual_run("a", 100)])
    moments = [START + after * SECOND for after in (100, 5, 0)]
    for job_id, outcome, since, limit, expected in (
        (None, None, None, 10, moments),
        ("a", None, None, 10, [moments[0], moments[2]]),
        (None, "failed", None, 10, moments[2:]),
        (None, "running", None, 10, moments[1:2]),
        (None, "queued", None, 10, moments[:1]),
        (None, None, moments[1], 10, moments[:2]),
        (None, None, None, 1, moments[:1]),
        ("nobody", None, None, 10, []),
    ):
        assert [_time(run) for run in backend.list_runs(job_id, outcome, since, limit)] == expected
    found = [backend.get_run(key) for key in (asked.key, RunKey("a", START, 1), RunKey("a", START, 2))]
    assert [None if run is None else run.state for run in found] == ["queued", "failed", None]
    assert found[1] is not None
    assert found[1].scheduled_run_time.astimezone(UTC) == START


# Groups


@_promises("set_group", "remove_group", "list_groups")
def the_limits_of_groups_are_kept_and_hold(nodes: Nodes) -> None:
    node, backend = _with_job(nodes, record("b", group="g"), record("c", group="g"), executor="other")
    assert backend.list_groups() == []
    for group in (Group("h", limit=2), Group("g", limit=5), Group("g", limit=1)):
        backend.set_group(group)
    assert backend.list_groups() == [Group("g", limit=1), Group("h", limit=2)]
    claimed = node.claim(0)
    assert (len(claimed.in_turn()), len(claimed.claim.waiting)) == (1, 1)
    assert backend.remove_group("g")
    assert not backend.remove_group("g")
    assert backend.list_groups() == [Group("h", limit=2)]
    assert len(node.claim(0).in_turn()) == 1
