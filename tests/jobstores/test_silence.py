"""Who is declared dead, on every store: the nodes' clock is in the test's hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mainspring.jobstores.host import NullHost
from mainspring.testing import SettableClock
from stores import MONGODB, open_store

pytestmark = pytest.mark.one_python

LEASE = 10


class Node:
    """A node that speaks and looks when it is told to."""

    def __init__(self, url, tablename, clock):
        self.clock = clock
        self.store = open_store(url, tablename, lease=LEASE)
        self.store.start(NullHost(clock), "default")
        self.store._agenda.is_look_due = lambda _: False
        self.store._heartbeat.stop()
        assert self.store._heartbeat.join(30)
        self.token = self.store._node_context.token

    def speak(self):
        self.store._membership.renew()

    def look(self):
        """Who is counted among the living, after it has looked."""
        asked = self.clock.monotonic()
        self.store._apply_status(self.store._backend.cluster_status(self.store._node_context.token), asked)
        return {
            one.token for one in self.store._backend.cluster_status(self.store._node_context.token).living
        }


@pytest.fixture(params=["sqlite", "postgres", "mariadb", "redis", MONGODB])
def nodes(request, tmp_path, tablename):
    kind = request.param
    url = f"sqlite:///{tmp_path}/jobs.sqlite" if kind == "sqlite" else request.getfixturevalue(f"{kind}_url")
    clock = SettableClock(datetime(2026, 1, 1, tzinfo=UTC))
    both = [Node(url, tablename, clock) for _ in range(2)]
    yield both
    for node in both:
        node.store.shutdown()


def goes_by(nodes, seconds, *, speaking, looking):
    """Let time pass, second by second; after how many each node was dead."""
    clock, deaths = nodes[0].clock, {}
    for second in range(1, seconds + 1):
        clock.advance(1)
        for node in speaking:
            node.speak()
        for node in looking:
            living = node.look()
            for one in nodes:
                if one.token not in living:
                    deaths.setdefault(one.token, second)
    return deaths


def test_a_node_that_has_died_is_noticed_within_its_lease(nodes):
    dead, alive = nodes
    assert goes_by(nodes, 3, speaking=nodes, looking=nodes) == {}
    deaths = goes_by(nodes, LEASE + 3, speaking=[alive], looking=[alive])
    assert list(deaths) == [dead.token]
    assert LEASE <= deaths[dead.token] <= LEASE + 1
    dead.speak()  # it finds out
    assert dead.store._membership.was_dead
    assert dead.store._node_context.token > alive.token


@pytest.mark.parametrize("outage", ["nobody can ask anything", "nobody can write"])
def test_an_outage_for_longer_than_the_lease_is_no_death(nodes, outage):
    first, second = nodes
    assert goes_by(nodes, 3, speaking=nodes, looking=nodes) == {}
    looking = [] if outage == "nobody can ask anything" else nodes
    assert goes_by(nodes, 2 * LEASE, speaking=[], looking=looking) == {}
    assert first.token in first.look()  # whoever looks first, before anybody has spoken
    assert second.token in first.look()
    second.speak()
    assert goes_by(nodes, LEASE + 3, speaking=nodes, looking=nodes) == {}


def test_after_an_outage_a_whole_lease_passes_before_anybody_is_declared_dead(nodes):
    dead, alive = nodes
    assert goes_by(nodes, 3, speaking=nodes, looking=nodes) == {}
    nodes[0].clock.advance(2.5 * LEASE)
    deaths = goes_by(nodes, LEASE + 3, speaking=[alive], looking=[alive])
    assert deaths.keys() == {dead.token}
    assert LEASE <= deaths[dead.token] <= LEASE + 2


def test_no_wall_clock_makes_a_node_look_dead(nodes):
    for hours in (5, -7, 4000):
        nodes[0].clock.set_wall(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours))
        assert goes_by(nodes, 3, speaking=nodes, looking=nodes) == {}


def test_who_has_slept_trusts_no_lease(nodes):
    lease = nodes[0].store._membership.lease
    assert lease.is_held()
    nodes[0].clock.advance(LEASE * 0.9)
    assert not lease.is_held()
    nodes[0].speak()
    assert nodes[0].store._membership.lease is lease
    assert lease.is_held()
