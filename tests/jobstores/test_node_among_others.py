"""What a node does about its own lease and about silent nodes; without a database, on a clock that is set by hand."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest

from mainspring.engine.setbacks import KnownNode
from mainspring.jobstores.shared.lease import Heartbeats, Registration, milliseconds, new_token, node_from
from mainspring.jobstores.shared.membership import LivingNode, Membership
from mainspring.jobstores.shared.node_context import NodeContext
from mainspring.jobstores.shared.outage import Outage
from mainspring.jobstores.shared.row_locks import RowLocks
from mainspring.jobstores.shared.set_back import Past
from mainspring.testing import SettableClock

START = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=10)


class Backend:
    """Registers, renews and reaps as it is told to."""

    def __init__(self, clock):
        self.node_context = NodeContext(
            arguments=None,
            locks=RowLocks(),
            logger=logging.getLogger("mainspring.test"),
            node_name="here",
            clock=clock,
        )
        self.clock = clock
        self.calls = []
        self.takes = True
        self.finds_it_living = True
        self.slowness = 0.0
        self.tokens = 6
        self.known = []
        self.outage = Outage(lambda _: None, "here:")

    def known_nodes(self):
        return self.known

    def register(self, registration, beats):
        self.calls.append(("register", registration))
        self.tokens += 1
        self.known.append(KnownNode(self.tokens, "here", beats.next(self.node_context.now()), 10_000, False))
        return self.tokens, self.clock.monotonic()

    def renew(self, token, registration, beats):
        self.calls.append(("renew", token, registration))
        beats.next(self.node_context.now())
        if isinstance(self.takes, Exception):
            raise self.takes
        self.clock.advance(self.slowness)
        return self.takes

    def declare_dead(self, token, heartbeat):
        self.calls.append(("dead", token, heartbeat))
        return self.finds_it_living

    def sign_off(self, token):
        self.calls.append(("left", token))


@pytest.fixture
def clock():
    return SettableClock(START)


@pytest.fixture
def backend(clock):
    return Backend(clock)


@pytest.fixture
def recoveries():
    return []


@pytest.fixture
def membership(backend, recoveries):
    return Membership(
        backend, LEASE, lambda: ("default", "pool"), lambda: recoveries.append(1), Past(backend.outage)
    )


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO, "mainspring.test")
    return lambda: [f"{record.levelname} {record.getMessage()}" for record in caplog.records]


OURS = Registration("here", ["default", "pool"], LEASE)


@pytest.mark.parametrize("lacking", ["started", "heartbeat"])
def test_a_registration_without_a_time_is_none(lacking):
    entry = {"name": "far away", "started": "2026-01-01 00:00:00", "heartbeat": "2026-01-01 00:00:00"}
    with pytest.raises(ValueError, match="the registration of the node 'far away' has no time"):
        node_from({**entry, lacking: None})


def test_a_node_registers_itself(membership, backend, recoveries):
    assert backend.calls == [("register", OURS)]
    assert membership.lease.token == backend.node_context.token == 7
    assert membership.lease.is_held()
    assert not membership.was_dead
    assert recoveries == []
    assert membership.shortest_lease == 10
    assert membership.heartbeat_seconds == 2.5


def test_a_heartbeat_renews_the_lease_from_when_it_was_asked_for(membership, backend, clock, recoveries):
    clock.advance(8)
    backend.slowness = 5.0
    membership.renew()
    assert backend.calls[1:] == [("renew", 7, OURS)]
    clock.advance(3.9)  # 8.9 since it was asked for
    assert membership.lease.is_held()
    clock.advance(0.2)
    assert not membership.lease.is_held()
    assert recoveries == []


def test_a_node_that_may_claim_again_is_told_so(membership, clock, recoveries):
    clock.advance(9.5)
    assert not membership.lease.is_held()
    membership.renew()
    assert membership.lease.is_held()
    assert recoveries == [1]
    membership.renew()
    assert recoveries == [1]


def test_a_refused_lease_is_lost_and_the_node_goes_on_under_another(
    membership, backend, clock, recoveries, said
):
    before = membership.lease
    clock.advance(1)
    backend.takes = False
    membership.renew()
    assert before.is_lost()
    assert not before.is_held()
    assert before.was_forgotten is False  # what it has claimed is another's
    assert backend.calls[1:] == [("renew", 7, OURS), ("register", OURS)]
    assert membership.lease.token == backend.node_context.token == 8
    assert membership.lease.is_held()
    assert membership.was_dead
    assert recoveries == [1]
    assert said() == [
        "WARNING This node, here, was not heard of for 0:00:10 and was taken for dead; what it ran is lost. It goes on as a new one"
    ]


def test_a_heartbeat_that_fails_changes_nothing(membership, backend, clock, recoveries):
    backend.takes = OSError("away")
    with pytest.raises(OSError, match="away"):
        membership.renew()
    assert membership.lease.is_held()
    assert not membership.was_dead
    clock.advance(9)
    assert not membership.lease.is_held()
    assert recoveries == []


def test_a_node_that_has_left_does_not_come_back(membership, backend, recoveries, said):
    membership.sign_off()
    assert backend.calls[1:] == [("left", 7)]
    assert membership.lease.is_lost()
    backend.takes = False
    membership.renew()
    assert backend.calls[2:] == [("renew", 7, OURS)]
    assert not membership.was_dead
    assert (recoveries, said()) == ([], [])


def test_who_may_not_claim_gives_a_sign_of_life_first(membership, backend, clock):
    assert membership.may_claim()
    assert len(backend.calls) == 1  # nothing is asked as long as the lease is trusted
    clock.advance(9.5)
    assert membership.may_claim()
    assert backend.calls[1:] == [("renew", 7, OURS)]
    clock.advance(9.5)
    backend.slowness = 9.5
    assert not membership.may_claim()  # the answer took so long that the lease is over again


def test_a_claim_does_not_ask_while_a_heartbeat_is_under_way(membership, backend, clock, monkeypatch):
    monkeypatch.setattr("mainspring.jobstores.shared.membership._PATIENCE_SECONDS", 0.01)
    clock.advance(9.5)
    answers = []

    def meanwhile(token, registration, beats):
        thread = threading.Thread(target=lambda: answers.append(membership.may_claim()))
        thread.start()
        thread.join(30)
        return True

    monkeypatch.setattr(backend, "renew", meanwhile)
    membership.renew()
    assert answers == [False]
    assert membership.may_claim()


def test_a_claim_gives_no_sign_of_life_while_heartbeats_fail(membership, backend, clock):
    clock.advance(9.5)
    backend.takes = OSError("away")
    with pytest.raises(OSError, match="away"):
        membership.may_claim()
    asked = len(backend.calls)
    assert not membership.may_claim()
    assert len(backend.calls) == asked
    backend.takes = True
    assert not membership.may_claim()  # the heartbeat's thread finds out
    membership.renew()
    assert membership.may_claim()


def other(heartbeat, lease=LEASE):
    return LivingNode(3, "there", heartbeat, milliseconds(lease))


def watch(membership, clock, seconds, heartbeat=lambda second: 0, lease=LEASE):
    """Look once a second; after how many seconds somebody was found dead, or ``None``."""
    for second in range(seconds):
        membership.renew()
        own = LivingNode(7, "here", membership._beats.taken, milliseconds(LEASE))
        if membership.reap_expired(iter([own, other(heartbeat(second), lease)]), clock.monotonic()):
            return second
        clock.advance(1)
    return None


def test_who_is_silent_for_a_whole_lease_is_declared_dead(membership, backend, clock, said):
    assert watch(membership, clock, 30) == 10
    assert [call for call in backend.calls if call[0] == "dead"] == [("dead", 3, 0)]
    assert said() == ["WARNING Node there gave no sign of life since 0: it is taken for dead"]


def test_who_speaks_is_not(membership, backend, clock):
    assert watch(membership, clock, 30, lambda second: second // 5) is None


def test_whom_others_have_declared_dead_already_is_not_told_of_again(membership, backend, clock, said):
    backend.finds_it_living = False
    assert watch(membership, clock, 30) == 10
    assert said() == []


def test_the_shortest_lease_among_all_says_how_often_is_spoken(membership, clock):
    watch(membership, clock, 1, lease=timedelta(seconds=4))
    assert membership.shortest_lease == 4
    assert membership.heartbeat_seconds == 1
    membership.reap_expired([], clock.monotonic())
    assert membership.heartbeat_seconds == 2.5


def forgets(backend, known):
    backend.takes, backend.known = False, known
    backend.outage.logger = backend.node_context.logger
    backend.outage.alias = "default"


@pytest.mark.parametrize(
    ("known", "to"),
    [
        ([KnownNode(7, "here", START - timedelta(hours=1), 10_000, True)], "holds what it held at 2025-12-31 23:00:00 UTC"),
        ([KnownNode(3, "there", START - timedelta(hours=2), 10_000, False)], "holds what it held at 2025-12-31 22:00:00 UTC"),
        ([KnownNode(3, "there", START + timedelta(hours=2), 10_000, True)], "knows nobody any more"),
        ([], "knows nobody any more"),
    ],
)  # fmt: skip
def test_a_store_that_does_not_know_what_it_was_told_was_set_back(membership, backend, said, known, to):
    forgets(backend, known)
    before = membership.lease
    membership.renew()
    assert before.was_forgotten is True  # nobody has taken over what it has claimed
    assert membership.lease.token == 8
    (line,) = said()
    assert line == (
        f"WARNING Job store 'default' (here:) was set back, as by a backup that was restored: it {to}, and had been told more until "
        "2026-01-01 00:00:00 UTC. What was done since is not in it: jobs are as they were then, runs that have ended since are not in its "
        "history, and what was due since may be run a second time. Noticed at 2026-01-01 00:00:00 UTC by node here, which goes on as a new one"
    )
    assert [f"WARNING Job store 'default' (here:){one[2:]}" for one in membership._past.sentences] == said()
    # What the store holds of an earlier life of this node is over.
    was_alive = known and known[0].token == 7
    assert [call for call in backend.calls if call[0] == "dead"] == (
        [("dead", 7, known[0].heartbeat)] if was_alive else []
    )


def test_who_was_declared_dead_long_ago_and_forgotten_does_not_speak_of_a_store_that_was_set_back(
    membership, backend, clock, said
):
    clock.advance(86_400)
    forgets(backend, [])
    membership.renew()
    assert len(said()) == 1
    assert "taken for dead" in said()[0]


def test_a_look_that_does_not_find_this_node_has_it_ask_at_once(membership, backend, clock):
    forgets(backend, [])
    membership.reap_expired([], clock.monotonic())
    assert membership.lease.token == 8
    backend.takes = True
    early = LivingNode(8, "here", START - timedelta(seconds=1), 10_000)
    asked = len(backend.calls)
    membership.reap_expired([early], clock.monotonic())
    assert backend.calls[asked:] == [("renew", 8, OURS)]
    membership.reap_expired([early._replace(heartbeat=membership._beats.taken)], clock.monotonic())
    assert len(backend.calls) == asked + 1


def test_what_is_due_unexpectedly_has_it_ask_once_a_second_at_most(membership, backend, clock):
    membership.confirm()
    assert backend.calls[1:] == []
    clock.advance(1.1)
    membership.confirm()
    membership.confirm()
    assert backend.calls[1:] == [("renew", 7, OURS)]


def test_heartbeats_are_later_than_those_before_whatever_the_clock_does():
    beats = Heartbeats()
    assert beats.next(START) == START
    assert beats.taken is None
    beats.confirm()
    assert beats.taken == START
    later = beats.next(START - timedelta(hours=1))
    assert later == START + timedelta(microseconds=1)
    assert beats.next(START + timedelta(hours=1)) == START + timedelta(hours=1)
    assert beats.taken == START


def test_tokens_are_higher_than_all_that_were_given_away_before():
    assert new_token(0, START) == 1_767_225_600_000
    assert new_token(1_767_225_600_000, START) == 1_767_225_600_001
    assert new_token(1_767_225_700_000, START) == 1_767_225_700_001


def test_durations_are_kept_in_whole_milliseconds():
    assert milliseconds(timedelta(seconds=1.5, microseconds=999)) == 1500


def test_a_node_that_comes_back_finds_that_its_store_was_set_back(backend, clock, said):
    backend.outage.logger = backend.node_context.logger
    backend.known = [KnownNode(5, "here", START - timedelta(hours=2), 10_000, False)]
    before = (5, START - timedelta(hours=1))
    past = Past(backend.outage)
    Membership(backend, LEASE, lambda: ("default",), lambda: None, past, before)
    assert past.is_doubtful
    assert "was set back" in said()[0]
    assert "by node here, which goes on" in said()[0]
