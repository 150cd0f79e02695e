"""Every day at 02:30, over the night in which the clocks skip that."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger

trigger = CalendarIntervalTrigger(
    days=1, hour=2, minute=30, start_date=date(2016, 3, 26), timezone="Europe/Berlin"
)
time = datetime(2016, 3, 26, 1, tzinfo=ZoneInfo("Europe/Berlin"))
last = None
for _ in range(3):
    last = trigger.get_next_fire_time(last, time)
    print(last)
