"""When a run is too late."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring.engine.misfire import how_late, is_misfired, is_too_late, late_since
from mainspring.model import QueuedRun

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("late", "grace", "misfired"),
    [
        (0, 0, False),
        (0.000001, 0, True),
        (5, 5, False),  # the grace is a part of it
        (5.000001, 5, True),
        (-3, 0, False),  # early is not late
        (10**9, None, False),
    ],
)
def test_what_is_later_than_its_grace_is_too_late(late, grace, misfired):
    allowed = None if grace is None else grace * SECOND
    assert is_misfired(START, START + late * SECOND, allowed) is misfired


@pytest.mark.parametrize(
    ("due", "now", "late"),
    [
        # The clocks go back: from 2:50 to the second 2:10 it is twenty minutes, not minus forty.
        ((2026, 10, 25, 2, 50), (2026, 10, 25, 2, 10, 1), 20),
        # They go forward: from 1:50 to 3:10 it is twenty minutes, not eighty.
        ((2026, 3, 29, 1, 50), (2026, 3, 29, 3, 10, 0), 20),
    ],
)
def test_lateness_is_not_what_wall_clocks_show(due, now, late):
    *parts, fold = now
    due, now = datetime(*due, tzinfo=BERLIN), datetime(*parts, tzinfo=BERLIN, fold=fold)
    assert not is_misfired(due, now, timedelta(minutes=late))
    assert is_misfired(due, now, timedelta(minutes=late) - SECOND)


@pytest.mark.parametrize(
    ("cause", "seconds_late"),
    [
        # What had to wait for its turn is late since it was due,
        ("schedule", 60),
        ("buffered", 60),
        # what follows from the end of a run since it may begin,
        ("retry", 20),
        ("rerun", 20),
        ("after", 20),
        # and what somebody has asked for never is.
        ("manual", None),
        ("backfill", None),
        ("parallel", None),
    ],
)
def test_since_when_a_queued_run_is_late(cause, seconds_late):
    now = START + 60 * SECOND
    run = QueuedRun("a", START, 1, now - 20 * SECOND, cause)
    assert late_since(run) == (None if seconds_late is None else now - seconds_late * SECOND)
    assert not is_too_late(run, now, None)
    assert not is_too_late(run, now, (seconds_late or 0) * SECOND)
    if seconds_late is not None:
        assert is_too_late(run, now, (seconds_late - 1) * SECOND)
    assert how_late(run, now) == f"{timedelta(seconds=seconds_late or 0)} late"
