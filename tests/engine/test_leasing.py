"""The rules of a lease, without a store and without waiting."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mainspring.engine.leasing import LeaseState
from mainspring.jobstores.shared.lease import NodeLease

#: A lease of ten seconds whose last heartbeat was asked for at 100.
LEASE = LeaseState(7, 10.0, 100.0)


@pytest.mark.parametrize(
    ("lease", "now", "is_trusted"),
    [
        (LEASE, 100.0, True),
        (LEASE, 108.9, True),
        (LEASE, 109.0, False),
        (LEASE, 110.0, False),
        (LEASE, 114.9, False),
        (LEASE.renewed(105.0), 113.9, True),
        (LEASE.renewed(105.0), 114.0, False),
        (LEASE.renewed(200.0), 208.9, True),
        (LEASE.lost(), 100.0, False),
        (LEASE.lost().renewed(105.0), 106.0, False),
    ],
    ids=[
        "when it was asked for",
        "just within nine tenths",
        "nine tenths",
        "when others may take over",
        "long after that",
        "renewed, from when that was asked for",
        "renewed, and nine tenths later",
        "renewed after it was no longer trusted",
        "lost",
        "lost, and a heartbeat that comes late",
    ],
)
def test_when_a_lease_is_trusted(lease, now, is_trusted):
    assert lease.is_trusted(now) is is_trusted


def test_an_answer_that_comes_late_takes_nothing_away():
    assert LEASE.renewed(105.0).renewed(103.0) == LEASE.renewed(105.0)


def test_a_lease_keeps_its_token():
    assert {state.token for state in (LEASE, LEASE.renewed(105.0), LEASE.lost())} == {7}


class Clock:
    def __init__(self, monotonic):
        self.time = monotonic
        self.clock = self  # as a setting has it

    def monotonic(self):
        return self.time


def test_a_node_goes_by_these_rules_on_its_clock():
    clock = Clock(105.0)
    lease = NodeLease(7, timedelta(seconds=10), clock, 100.0)
    assert lease.is_held()
    clock.time = 109.0
    assert not lease.is_held()
    lease.renewed(108.0)
    assert lease.is_held()
    assert not lease.is_lost()
    lease.lost()
    assert lease.is_lost()
    assert not lease.is_held()
