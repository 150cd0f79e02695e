"""Zones of a program's own: one that calls itself "local", and one without a name."""

from datetime import datetime, timedelta, tzinfo

from apscheduler.triggers.cron import CronTrigger


class Local(tzinfo):
    def utcoffset(self, dt):
        return timedelta(hours=2)

    def dst(self, dt):
        return timedelta(0)

    def tzname(self, dt):
        return "local"


class Nameless(tzinfo):
    def utcoffset(self, dt):
        return timedelta(hours=2)

    def dst(self, dt):
        return timedelta(0)


for zone in (Local(), Nameless()):
    try:
        trigger = CronTrigger(hour=9, timezone=zone)
    except (ValueError, NotImplementedError) as error:
        print(type(zone).__name__, "is refused:", type(error).__name__)
    else:
        start = datetime(2026, 3, 1, tzinfo=zone)
        print(type(zone).__name__, "is taken:", trigger.get_next_fire_time(None, start).hour)
