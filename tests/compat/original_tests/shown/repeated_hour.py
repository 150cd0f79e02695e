"""A job at 01:30 each day, in the night in which the clocks show that twice."""

from datetime import datetime
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

trigger = CronTrigger(hour=1, minute=30, timezone="US/Eastern")
time = datetime(2013, 11, 2, 12, tzinfo=ZoneInfo("US/Eastern"))
for _ in range(3):
    time = trigger.get_next_fire_time(time, time)
    print(time)
