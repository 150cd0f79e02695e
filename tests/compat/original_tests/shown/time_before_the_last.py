"""What comes after the last fire time, if the clock was set back meanwhile."""

from datetime import UTC, datetime

from apscheduler.triggers.cron import CronTrigger

last = datetime(2026, 3, 23, tzinfo=UTC)
set_back = datetime(2026, 3, 22, tzinfo=UTC)
following = CronTrigger(day="*", timezone="UTC").get_next_fire_time(last, set_back)
print("it has fired at", last.date(), "and fires next at", following.date())
