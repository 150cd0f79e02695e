"""What the functions have noted is told in the order in which it came about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from diary import Moments

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class _Machine:
    """Two clocks, each reading of which takes another part of a second: it has other things to do."""

    def __init__(self) -> None:
        self._passed = 0.0
        self._pauses = [0.02, 0.001, 0.005, 0.0035]
        self._count = 0

    def monotonic(self) -> float:
        self._passed += self._pauses[self._count % len(self._pauses)]
        self._count += 1
        return 100 + self._passed

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.monotonic() - 100)


def test_calls_that_followed_one_another_seem_to_do_so_on_a_busy_machine():
    machine = _Machine()
    moments = Moments(machine.now, machine.monotonic)
    noted = [100 + number / 1000 for number in range(1000)]
    told = [moments.at(moment) for moment in noted]
    assert {later - earlier for earlier, later in pairwise(told)} <= {
        timedelta(microseconds=microseconds) for microseconds in (999, 1000, 1001)
    }


def test_the_closest_of_several_readings_counts():
    machine = _Machine()
    shown = Moments(machine.now, machine.monotonic).at(100.0)
    assert abs(shown - BEGIN) <= timedelta(seconds=0.005)
