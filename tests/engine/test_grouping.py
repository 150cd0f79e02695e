"""How many runs of a group may begin: limits, and rates over spans of time."""

from datetime import UTC, datetime, timedelta

import pytest

from mainspring.engine.grouping import Capacity, GroupBudget
from mainspring.model import Group

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def budget(group, *, running=0, begun=(), now=START):
    """An account of one group, ``g``; `begun` in seconds before `now`, the earliest first."""
    times = {group.name: [now - before * SECOND for before in begun]}
    return GroupBudget({group.name: group}, {group.name: running}, times, now)


@pytest.mark.parametrize(
    ("limit", "running", "instances", "full"),
    [
        (3, 0, 3, False),
        (3, 2, 1, False),
        (3, 3, 0, True),
        (3, 4, -1, True),  # its limit was lowered while they ran
        (1, 0, 1, False),
    ],
)
def test_a_limit_leaves_room_for_what_does_not_run(limit, running, instances, full):
    capacity = budget(Group("g", limit=limit), running=running).capacity("g")
    assert capacity == Capacity(instances, None, None)
    assert capacity.is_full is full


@pytest.mark.parametrize(
    ("begun", "runs", "free_in"),
    [
        ([], 2, None),
        ([59], 1, None),
        (
            [60],
            2,
            None,
        ),  # in any span as long as `per`: what began a whole one ago is in none with what begins now
        ([59.999, 10], 0, 0.001),
        ([50, 10], 0, 10),
        ([50, 40, 10], -1, 20),  # its rate was lowered: two of the three have to be old
        ([70, 65, 10], 1, None),
    ],
)
def test_a_rate_counts_what_began_in_the_last_span(begun, runs, free_in):
    capacity = budget(Group("g", rate=2), begun=begun).capacity("g")
    assert capacity.runs == runs
    assert capacity.free_at == (None if free_in is None else START + free_in * SECOND)
    assert capacity.is_full is (runs < 1)


def test_a_rate_goes_by_its_own_span():
    capacity = budget(Group("g", rate=1, per=timedelta(hours=1)), begun=[1800]).capacity("g")
    assert capacity.free_at == START + timedelta(minutes=30)


def test_no_time_is_named_where_time_alone_makes_no_room():
    capacity = budget(Group("g", limit=1, rate=1), running=1, begun=[10]).capacity("g")
    assert capacity == Capacity(0, 0, None)


def test_the_last_instance_that_has_room_is_told_when_its_rate_has():
    capacity = budget(Group("g", limit=2, rate=1), running=1, begun=[10]).capacity("g")
    assert capacity == Capacity(1, 0, START + 50 * SECOND)


def test_a_group_without_a_limit_has_room_for_any_number_of_instances():
    capacity = budget(Group("g", rate=5), running=1000).capacity("g")
    assert capacity.instances > 100_000
    assert capacity.runs == 5


@pytest.mark.parametrize("name", [None, "other"])
def test_what_is_in_no_group_with_limits_is_not_limited(name):
    groups = budget(Group("g", limit=1, rate=1))
    assert groups.capacity(name) is None
    groups.reserve(name, 100)
    assert groups.capacity(name) is None
    assert groups.capacity("g") == Capacity(1, 1, None)
    assert groups.begun() == {}


def test_what_is_in_no_group_is_not_counted_for_one_that_has_its_name():
    groups = GroupBudget({"g": Group("g", limit=1)}, {}, {}, START)
    groups.reserve(None, 1)
    groups.reserve("other", 1)
    assert groups.capacity("g") == Capacity(1, None, None)
    groups.reserve("g", 1)
    assert groups.capacity("g") == Capacity(0, None, None)


def test_what_begins_takes_room_from_what_follows_in_the_same_claim():
    groups = budget(Group("g", limit=3, rate=10), running=1, begun=[30])
    groups.reserve("g", 4)
    assert groups.capacity("g") == Capacity(1, 5, None)
    groups.reserve("g", 5)
    assert groups.capacity("g") == Capacity(0, 0, None)


def test_an_instance_of_a_group_of_which_none_ran_is_counted():
    groups = GroupBudget({"g": Group("g", limit=1)}, {}, {}, START)
    groups.reserve("g", 1)
    assert groups.capacity("g").is_full


def test_when_runs_began_is_told_as_far_as_it_counts_still():
    groups = budget(Group("g", rate=10), begun=[61, 60, 59, 1])
    assert groups.begun() == {}  # nothing has changed, and so nothing is to be written
    groups.reserve("g", 2)
    assert groups.begun() == {"g": [START - 59 * SECOND, START - SECOND, START, START]}


def test_groups_without_a_rate_have_nothing_to_tell():
    groups = budget(Group("g", limit=3))
    groups.reserve("g", 2)
    assert groups.begun() == {}


def test_each_group_has_an_account_of_its_own():
    groups = GroupBudget(
        {"a": Group("a", limit=1), "b": Group("b", limit=1, rate=1)},
        {"a": 1},
        {"b": [START - 10 * SECOND]},
        START,
    )
    assert groups.capacity("a").is_full
    assert groups.capacity("b") == Capacity(1, 0, START + 50 * SECOND)


def test_what_the_caller_counts_is_left_as_it_is():
    running, begun = {"g": 0}, {"g": [START]}
    groups = GroupBudget({"g": Group("g", limit=2, rate=3)}, running, begun, START)
    groups.reserve("g", 1)
    assert (running, begun) == ({"g": 0}, {"g": [START]})
