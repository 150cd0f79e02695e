"""A range of a cron field whose last value is lower than its first."""

from datetime import UTC, datetime

from apscheduler.triggers.cron import CronTrigger

try:
    trigger = CronTrigger(day="30-2", timezone="UTC")
except ValueError as error:
    print(f"refused: {error}")
else:
    time = datetime(2026, 1, 29, tzinfo=UTC)
    for _ in range(5):
        time = trigger.get_next_fire_time(time, time)
        print(time.date())
