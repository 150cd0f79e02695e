"""What is said of runs that were not run."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring.engine.decision import Decision
from mainspring.engine.reasons import BACKLOG_DROPPED, lateness, overlap
from mainspring.testing.conformance import START, record

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("zone", [UTC, BERLIN])
@pytest.mark.parametrize("other", [UTC, BERLIN])
def test_lateness_is_the_same_in_every_zone_and_over_a_clock_change(zone, other):
    due = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert lateness(due.astimezone(zone), (due + timedelta(hours=1)).astimezone(other)) == "1:00:00 late"


def test_each_time_that_is_not_run_is_told_with_its_reason():
    decision = Decision(record("a", max_instances=3))
    assert decision.not_run(START) == []
    times = [START + timedelta(minutes=minute) for minute in range(5)]
    now = times[4]
    decision.submit, decision.missed, decision.overlapping, decision.dropped = (
        [now],
        [times[1]],
        [times[2]],
        times[0],
    )
    decision.buffered, decision.dropped_due_times = [times[3]], 7
    assert decision.not_run(now) == [
        (times[1], "missed", "0:03:00 late", 1),
        (times[2], "skipped", overlap(3), 1),
        (times[0], "missed", BACKLOG_DROPPED, 7),
    ]
    told = [time for time, *_ in decision.not_run(now)]
    assert decision.run_times() == [now, *told, times[3]]  # stores count on this order
