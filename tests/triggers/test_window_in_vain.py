"""Windows that the times of a schedule never meet, but where the clocks shift them into one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring import BusinessDayTrigger, CalendarIntervalTrigger, CronTrigger, WeeklyTrigger
from mainspring.testing import ManualScheduler
from mainspring.triggers.steps import NEVER, Steps

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ZONES = ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Tokyo", "America/Sao_Paulo"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "trigger",
    [
        lambda **options: CronTrigger(hour="19-20", minute="*/10", **options),
        lambda **options: BusinessDayTrigger([1, -1], hour=19, **options),
        lambda **options: WeeklyTrigger("mon,thu", "19:00,20:30", start_date="2020-01-01", **options),
        lambda **options: CalendarIntervalTrigger(days=3, hour=19, start_date="2020-01-01", **options),
    ],
    ids=["cron", "business day", "weekly", "calendar interval"],
)
def test_it_is_said_that_they_never_fire(trigger, zone):
    never = trigger(timezone=zone).within("08:00-18:00,22:00-06:00")
    assert never.search(None, NOW, Steps()) == NEVER
    assert never.get_next_fire_time(None, NOW) is None
    assert never.search_before(NOW, Steps()) == NEVER


def test_a_scheduler_is_told_at_once():
    scheduler = ManualScheduler(start=NOW, timezone="Europe/Berlin")
    scheduler.start()
    job = scheduler.add_job(print, "cron", hour=19, window="08:00-18:00")
    assert job.next_run_time is None
    assert not job.is_searching
    scheduler.shutdown()


@pytest.mark.parametrize("zone", [*ZONES, "Antarctica/Troll"])
def test_what_a_gap_shifts_into_a_window_fires(zone):
    """All times of some years, against those of the schedule without a window that are inside."""
    first, last = datetime(2016, 1, 1, tzinfo=UTC), datetime(2019, 12, 31, tzinfo=UTC)
    gaps = changes(zone, first, last)
    count = 0
    for minutes, policy in (("0,30", {}), ("*/7", {"fold": "both"}), ("59", {"gap": "skip"})):
        base = CronTrigger(hour="0-2", minute=minutes, timezone=zone, **policy)
        for hour in (3, 4):
            trigger = base.within(f"{hour:02}:00-{hour:02}:59:59")
            expected = [
                time
                for gap in gaps
                for time in base.between(gap, gap + timedelta(days=1))
                if time.hour == hour
            ]
            assert list(trigger.between(first, last)) == expected
            backwards = []
            before = trigger.previous(last)
            while before is not None and before >= first:
                backwards.append(before)
                before = trigger.previous(before)
            assert backwards[::-1] == expected
            count += len(expected)
    assert bool(count) == (zone in ("Europe/Berlin", "Antarctica/Troll"))


def changes(zone: str, first: datetime, last: datetime) -> list[datetime]:
    """The days on which the offset changes, as the moments twelve hours before."""
    found = []
    while first < last:
        following = first + timedelta(hours=24)
        if first.astimezone(ZoneInfo(zone)).utcoffset() < following.astimezone(ZoneInfo(zone)).utcoffset():
            found.append(first)
        first = following
    return found
