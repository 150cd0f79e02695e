"""How much is due by the hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from mainspring.admin.pressure import pressure_of
from mainspring.testing.conformance import record
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.interval import IntervalTrigger

NOW = datetime(2026, 11, 27, 9, 20, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def job(job_id, trigger, zone=UTC, now=NOW):
    bound = trigger.bind(timezone=zone, now=now, job_id=job_id)
    return record(job_id)._replace(trigger=bound, next_run_time=bound.upcoming(now, 1)[0])


def test_what_is_due_is_counted_in_its_hour():
    found = pressure_of(
        [job("a", CronTrigger(hour=3, minute="0,30")), job("b", CronTrigger(hour=4))], NOW, UTC
    )
    assert found.hours[0].start == NOW.replace(minute=0)
    assert len(found.hours) == 7 * 24
    counts = {(one.start.hour, one.due) for one in found.hours}
    assert counts == {(3, 2), (4, 1), *((hour, 0) for hour in range(24) if hour not in (3, 4))}
    assert (found.busiest.start, found.busiest.due) == (datetime(2026, 11, 28, 3, tzinfo=UTC), 2)
    assert (found.free_slot, found.due_then) == ("00:01", 0)


def test_the_free_slot_is_the_quietest_minute_of_the_quietest_hour():
    busy = [
        job(f"{hour}:{minute}", CronTrigger(hour=hour, minute=minute))
        for hour in range(24)
        for minute in range(2 if hour == 5 else 4)
    ]
    found = pressure_of(busy, NOW, UTC)
    assert (found.free_slot, found.due_then) == ("05:02", 2)


def test_a_job_that_is_due_all_the_time_is_counted_as_often():
    found = pressure_of([job("often", IntervalTrigger(seconds=10, start_date=NOW))], NOW, UTC)
    assert abs(found.hours[0].due - 240) <= 1
    assert {one.due for one in found.hours[3:]} == {360}
    assert abs(sum(one.due for one in found.hours) - (7 * 24 * 360 - 120)) <= 2


def test_hours_are_those_of_the_zone_over_a_clock_change():
    now = datetime(2026, 10, 24, 12, tzinfo=UTC)
    found = pressure_of([job("night", CronTrigger(hour=2, minute=30), BERLIN, now)], now, BERLIN)
    days = [one.start for one in found.hours if one.due]
    assert {time.hour for time in days} == {2}
    assert len(days) == 7
    assert len({one.start.astimezone(UTC) for one in found.hours}) == 7 * 24


def test_nothing_to_do_and_what_fails():
    class Broken(IntervalTrigger):
        def between(self, a, b):
            yield NOW + timedelta(hours=1)
            raise RuntimeError("no more")

    assert pressure_of([], NOW, UTC).busiest.due == 0
    broken = record("broken")._replace(trigger=Broken(hours=1), next_run_time=NOW)
    assert sum(one.due for one in pressure_of([broken], NOW, UTC).hours) == 2
