from datetime import UTC, datetime, timedelta

from mainspring.engine.waiting import retry_delay, seconds_until

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_time_until_a_moment():
    assert seconds_until(START + timedelta(seconds=2.5), START) == 2.5


def test_what_has_passed_is_not_waited_for():
    assert seconds_until(START - timedelta(days=1), START) == 0


def test_retries_come_later_and_later_up_to_a_bound():
    delays = [retry_delay(attempt).total_seconds() for attempt in (1, 2, 3, 8, 9, 10, 1000)]
    assert delays == [1, 2, 4, 128, 256, 300, 300]
