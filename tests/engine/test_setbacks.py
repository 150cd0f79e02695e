"""What says that a store was set back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mainspring.engine.setbacks import KnownNode, SetBack, Unused, ahead, kept_from, set_back, unused

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def node(token, heartbeat, *, is_alive=True, name="a", lease=30_000):
    return KnownNode(token, name, heartbeat, lease, is_alive)


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ([node(7, NOW - SECOND, is_alive=False)], None),  # it was declared dead
        ([node(7, NOW, is_alive=False)], None),  # a heartbeat whose answer was lost
        ([node(7, NOW - 2 * SECOND)], SetBack(NOW - 2 * SECOND, NOW - SECOND, NOW)),
        ([node(7, NOW - 2 * SECOND, is_alive=False)], SetBack(NOW - 2 * SECOND, NOW - SECOND, NOW)),
        ([node(8, NOW), node(6, NOW - HOUR)], SetBack(NOW - HOUR, NOW - SECOND, NOW)),
        ([node(8, NOW)], SetBack(None, NOW - SECOND, NOW)),
        ([node(8, NOW - SECOND)], SetBack(None, NOW - SECOND, NOW)),
        ([], SetBack(None, NOW - SECOND, NOW)),
    ],
)
def test_a_registration_tells(known, found):
    assert set_back(7, NOW - SECOND, known, NOW) == found


def test_who_may_have_been_forgotten_in_good_order_tells_nothing():
    assert set_back(7, NOW - 24 * HOUR, [], NOW) is None
    assert set_back(7, NOW - 24 * HOUR + SECOND, [], NOW) is not None
    assert kept_from(NOW, NOW) == NOW - 24 * HOUR
    assert kept_from(NOW - 48 * HOUR, NOW) == NOW - 48 * HOUR


def test_what_was_due_in_the_lost_time_may_have_run():
    found = SetBack(NOW - HOUR, NOW - SECOND, NOW)
    due = [None, NOW - HOUR, NOW - HOUR + SECOND, NOW, NOW + SECOND]
    assert [found.may_have_run(one) for one in due] == [False, False, True, True, False]
    assert found._replace(to=None).may_have_run(NOW - 1000 * HOUR)


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ([], None),
        ([node(1, NOW - 30 * SECOND)], None),
        ([node(1, NOW - 31 * SECOND)], Unused(NOW - 31 * SECOND, ("a",))),
        ([node(1, NOW - HOUR), node(2, NOW - SECOND)], None),
        ([node(1, NOW - HOUR, is_alive=False)], Unused(NOW - HOUR, ())),
        (
            [
                node(1, NOW - HOUR, name="b"),
                node(2, NOW - 2 * HOUR),
                node(3, NOW - 2 * SECOND, is_alive=False),
            ],
            Unused(NOW - 2 * SECOND, ("a", "b")),
        ),
    ],
)
def test_who_comes_sees_whether_somebody_is_there(known, found):
    assert unused(known, NOW) == found


def test_signs_of_life_of_later_than_now_tell_of_a_clock_that_was_set_back():
    assert ahead([], NOW) == timedelta(0)
    assert ahead([node(1, NOW + 10 * SECOND)], NOW) == timedelta(0)
    assert ahead([node(1, NOW + 11 * SECOND), node(2, NOW)], NOW) == 11 * SECOND
