"""When another node is declared dead: what one node sees, in seconds of its clock, and whom it judges."""

from __future__ import annotations

import math
import random

import pytest

from mainspring.engine.membership import LivingNode, Membership, shortest_lease

OWN, OTHER = 1, 2


def node(token, heartbeat, lease=10.0):
    return LivingNode(token, f"node {token}", heartbeat, round(lease * 1000))


def seconds(begin, end, step):
    """Times from `begin` to before `end`."""
    return [begin + step * number for number in range(round((end - begin) / step))]


def first_death(looks, written, heartbeat_at=lambda _: 0, *, lease=10.0, slow=0.0):
    """When `OTHER` is declared dead, by a node that looks at these times and whose heartbeats are taken at those.

    Args:
        slow: for how long it waits for an answer.
    """
    membership = Membership()
    happenings = sorted([*((at, "1 write") for at in written), *((at, "2 look") for at in looks)])
    for at, what in happenings:
        if what == "1 write":
            membership.heartbeat_taken(at, at + slow)
            continue
        known = [node(OWN, 0), node(OTHER, heartbeat_at(at), lease)]
        if membership.looked(at, at + slow, known, OWN):
            return at
    return None


ALWAYS = seconds(0, 60, 1)


@pytest.mark.parametrize(
    ("looks", "written", "heartbeat_at", "death"),
    [
        (ALWAYS, ALWAYS, lambda _: 0, 10),
        (ALWAYS, ALWAYS, lambda at: at // 9, None),
        (ALWAYS, ALWAYS, lambda at: min(at // 2, 8), 26),
        (seconds(0, 60, 4), seconds(0, 60, 4), lambda _: 0, 12),
        ([*seconds(0, 5, 1), *seconds(30, 60, 1)], ALWAYS, lambda _: 0, 40),
        (ALWAYS, [*seconds(0, 5, 1), *seconds(30, 60, 1)], lambda _: 0, 40),
        ([*seconds(0, 5, 1), *seconds(11, 60, 1)], ALWAYS, lambda _: 0, 17),
        (ALWAYS, [*seconds(0, 5, 1), *seconds(11, 60, 1)], lambda _: 0, 17),
        ([*seconds(0, 5, 1), *seconds(15, 60, 1)], ALWAYS, lambda _: 0, 25),
        (ALWAYS, [*seconds(0, 5, 1), *seconds(15, 60, 1)], lambda _: 0, 25),
        (ALWAYS, seconds(0, 5, 1), lambda _: 0, None),
        (seconds(0, 60, 5), seconds(0, 60, 5), lambda _: 0, 10),
        (seconds(0, 60, 6), ALWAYS, lambda _: 0, None),
        (ALWAYS, seconds(0, 60, 6), lambda _: 0, None),
        (ALWAYS, [], lambda _: 0, None),
    ],
    ids=[
        "silent from the beginning: after its lease",
        "speaks now and then",
        "falls silent",
        "seldom looked at",
        "this node couldn't look: a whole lease after it can",
        "this node could look, but not write: a whole lease after it can",
        "a gap between looks doesn't count",
        "nor does one between heartbeats",
        "a gap of a whole lease: it is counted anew",
        "also one between heartbeats",
        "this node can't write any more: nobody is judged",
        "half a lease between all looks is no gap",
        "gaps between all looks",
        "gaps between all heartbeats",
        "this node has never written",
    ],
)
def test_when_a_silent_node_is_declared_dead(looks, written, heartbeat_at, death):
    assert first_death(looks, written, heartbeat_at) == death


def test_half_a_lease_of_silence_is_no_death():
    assert first_death(seconds(0, 9.9, 0.5), seconds(0, 9.9, 0.5)) is None


def test_a_heartbeat_that_took_long_to_be_taken_is_a_gap():
    # Between the two, nobody could write: as where a file is locked.
    membership = Membership()
    membership.heartbeat_taken(0, 0)
    for at in range(5):
        assert not membership.looked(at, at, [node(OTHER, 0)], OWN)
    membership.heartbeat_taken(4, 20)
    for at in range(20, 30):
        membership.heartbeat_taken(at, at)
        assert not membership.looked(at, at, [node(OTHER, 0)], OWN)
    assert membership.looked(30, 30, [node(OTHER, 0)], OWN)


def test_silence_is_counted_from_the_answer_to_the_question():
    # It may have been heard until the first answer, and from the last question on.
    assert first_death(ALWAYS, ALWAYS, slow=1.0) == 11


def test_each_node_is_judged_by_its_own_lease():
    membership = Membership()
    dead = {}
    for at in ALWAYS:
        membership.heartbeat_taken(at, at)
        known = [node(OTHER, 0, 10), node(3, 0, 20), node(OWN, 0, 5)]
        for one in membership.looked(at, at, known, OWN):
            dead.setdefault(one.token, at)
    assert dead == {OTHER: 10, 3: 20}


def test_one_that_has_come_back_under_another_token_is_somebody_else():
    membership = Membership()
    for at in range(40):
        membership.heartbeat_taken(at, at)
        assert not membership.looked(at, at, [node(2 + at // 8, 0)], OWN)


def test_how_often_is_looked_and_spoken():
    assert shortest_lease(30.0) == 30.0
    assert shortest_lease(600.0, [node(2, 0, 30.0), node(3, 0, 5.0)]) == 5.0
    assert shortest_lease(5.0, [node(2, 0, 30.0)]) == 5.0


def simulated(numbers, *, dies_at=None, calm_from=math.inf, until=400.0):
    """When one of two nodes declares the other dead, on a store that is away now and then.

    Each asks as nodes do: four times in a lease for heartbeats, and sooner after one that failed; and it looks every two seconds. On a busy machine
    all of that is late by up to a second.
    """
    outages = []
    at = numbers.uniform(1, 20)
    while at < min(calm_from, until):
        outages.append(
            (
                at,
                min(at + numbers.choice([1, 3, 5, 6, 8, 12, 30]), calm_from),
                numbers.choice(["all", "writes"]),
            )
        )
        at = outages[-1][1] + numbers.choice([0.5, 2, 4, 15, 40])

    def works(what, moment):
        return not any(begin <= moment < end and kind in ("all", what) for begin, end, kind in outages)

    judge, heartbeat = Membership(), 0
    due = {"judge writes": 0.0, "judge looks": 0.1, "other writes": 0.0}
    while due:
        who = min(due, key=due.get)
        now = due[who]
        if now > until:
            return None
        if who == "other writes" and dies_at is not None and now > dies_at:
            del due[who]
            continue
        late, took = numbers.uniform(0, 1), numbers.uniform(0, 0.1)
        if who == "judge looks":
            if works("reads", now):
                known = [node(OWN, 0), node(OTHER, heartbeat)]
                if judge.looked(now, now + took, known, OWN):
                    return now
            due[who] = now + 2 + late
            continue
        is_taken = works("writes", now)
        if is_taken and who == "judge writes":
            judge.heartbeat_taken(now, now + took)
        elif is_taken:
            heartbeat += 1
        due[who] = now + (2.5 if is_taken else 0.625) + late
    return None


@pytest.mark.parametrize("seed", range(200))
def test_whatever_outages_there_are_no_living_node_is_declared_dead(seed):
    assert simulated(random.Random(seed)) is None


@pytest.mark.parametrize("seed", range(50))
def test_a_death_is_noticed_though_the_machine_is_busy(seed):
    noticed = simulated(random.Random(seed), dies_at=60.0, calm_from=60.0)
    # Within the lease, after the last outage was one, and some seconds.
    assert noticed is not None
    assert 60 < noticed < 60 + 2.5 + 10 + 8
