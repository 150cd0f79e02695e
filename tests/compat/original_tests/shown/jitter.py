"""Jitter: each firing is delayed, the first too, and always by the same."""

from datetime import UTC, datetime, timedelta

from apscheduler.triggers.interval import IntervalTrigger

start = datetime(2026, 3, 1, tzinfo=UTC)
trigger = IntervalTrigger(minutes=1, start_date=start, timezone="UTC", jitter=20)
firsts = {trigger.get_next_fire_time(None, start) for _ in range(50)}
print("all the same:", len(firsts) == 1)
time, delays = None, []
for _ in range(60):
    time = trigger.get_next_fire_time(time, start if time is None else time)
    delays.append((time - start) % timedelta(minutes=1))
print("within 20 seconds of a whole minute:", all(one <= timedelta(seconds=20) for one in delays))
