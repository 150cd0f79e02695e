from datetime import UTC, datetime, timedelta, timezone

import pytest

from mainspring.engine.waiting import Planned, retry_delay, seconds_until

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_time_until_a_moment():
    assert seconds_until(START + timedelta(seconds=2.5), START) == 2.5


def test_what_has_passed_is_not_waited_for():
    assert seconds_until(START - timedelta(days=1), START) == 0


def test_retries_come_later_and_later_up_to_a_bound():
    delays = [retry_delay(attempt).total_seconds() for attempt in (1, 2, 3, 8, 9, 10, 1000)]
    assert delays == [1, 2, 4, 128, 256, 300, 300]


@pytest.mark.parametrize(
    ("planned", "moment"),
    [
        (Planned(), None),
        (Planned(wall=START + timedelta(seconds=5)), START + timedelta(seconds=5)),
        (Planned(monotonic=103.0), START + timedelta(seconds=3)),
        (Planned(monotonic=90.0), START),  # it is overdue
        (Planned(START + timedelta(seconds=5), 103.0), START + timedelta(seconds=3)),
        (Planned(START + timedelta(seconds=2), 103.0), START + timedelta(seconds=2)),
    ],
)
@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5))])
def test_a_plan_is_a_moment_in_utc(planned, moment, zone):
    if planned.wall is not None:
        planned = planned._replace(wall=planned.wall.astimezone(zone))
    found = planned.moment(START.astimezone(zone), 100.0)
    assert found == moment
    assert found is None or found.tzinfo is UTC
