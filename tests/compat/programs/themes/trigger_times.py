"""When triggers fire: the first times from a given moment, as a scheduler asks for them."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytz
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from kit import each, program

BERLIN = ZoneInfo("Europe/Berlin")


def times(trigger, moment, count=5):
    previous, now = None, moment
    for _ in range(count):
        following = trigger.get_next_fire_time(previous, now)
        print(following.isoformat() if following else following)
        if following is None:
            break
        previous, now = following, max(now, following)


FROM_MARCH = [
    "DateTrigger('2055-03-04', 'UTC')",
    "DateTrigger('2025-03-04', 'UTC')",
    "IntervalTrigger(hours=5, start_date='2030-03-01', timezone='UTC')",
    "IntervalTrigger(hours=5, start_date='2030-03-10 05:00:00', timezone='UTC')",
    "IntervalTrigger(days=1, start_date='2030-03-29 02:30:00', timezone='Europe/Berlin')",
    "IntervalTrigger(seconds=0.5, start_date='2030-03-01', timezone='UTC')",
    "IntervalTrigger(minutes=30, start_date='2030-03-01', end_date='2030-03-05 13:00:00', timezone='UTC')",
    "IntervalTrigger(weeks=1, start_date='2030-03-01', timezone='America/New_York')",
    "CronTrigger(hour=3, timezone='UTC')",
    "CronTrigger(minute='*/20', timezone='UTC')",
    "CronTrigger(day_of_week='mon-fri', hour=9, minute=30, timezone='Europe/Berlin')",
    "CronTrigger(day_of_week='0', timezone='UTC')",
    "CronTrigger(day_of_week='sun', timezone='UTC')",
    "CronTrigger(day='last', timezone='UTC')",
    "CronTrigger(day='last sun', timezone='UTC')",
    "CronTrigger(day='3rd fri', hour=12, timezone='UTC')",
    "CronTrigger(day='1st mon,last fri', timezone='UTC')",
    "CronTrigger(day='5th thu', timezone='UTC')",
    "CronTrigger(day='29', month='feb', timezone='UTC')",
    "CronTrigger(day='31', timezone='UTC')",
    "CronTrigger(day='1', day_of_week='mon', timezone='UTC')",
    "CronTrigger(week='1', timezone='UTC')",
    "CronTrigger(week='*/10', day_of_week='wed', timezone='UTC')",
    "CronTrigger(year='2032', timezone='UTC')",
    "CronTrigger(year='2029', timezone='UTC')",
    "CronTrigger(year='*/5', timezone='UTC')",
    "CronTrigger(month='*/3', timezone='UTC')",
    "CronTrigger(second='10-40/15', timezone='UTC')",
    "CronTrigger(hour=3, start_date='2030-03-20', end_date='2030-03-22', timezone='UTC')",
    "CronTrigger(hour=3, start_date='2030-03-20 03:00:00.5', timezone='UTC')",
    "CronTrigger(hour='1-3,22', minute='5,10', timezone='UTC')",
    "CronTrigger.from_crontab('*/5 8-18 * * mon-fri', timezone='UTC')",
    "CronTrigger.from_crontab('30 2 1,15 * *', timezone='UTC')",
    "CronTrigger.from_crontab('0 0 * * 0', timezone='UTC')",
    "CalendarIntervalTrigger(days=2, start_date='2030-03-10', timezone='UTC')",
    "CalendarIntervalTrigger(months=1, hour=9, start_date='2030-03-31', timezone='UTC')",
    "CalendarIntervalTrigger(years=4, start_date='2032-02-29', timezone='UTC')",
    "CalendarIntervalTrigger(weeks=1, days=1, start_date='2030-03-10', end_date='2030-03-30', timezone='UTC')",
    "CalendarIntervalTrigger(days=1, hour=2, minute=30, start_date='2030-03-30', timezone='Europe/Berlin')",
    "CalendarIntervalTrigger(days=2, start_date='2030-03-01', timezone='UTC')",
    "AndTrigger([CronTrigger(day='1-7', timezone='UTC'), CronTrigger(day_of_week='fri', timezone='UTC')])",
    "OrTrigger([CronTrigger(hour=3, timezone='UTC'), CronTrigger(hour=15, timezone='UTC')])",
    "OrTrigger([DateTrigger('2030-03-07', 'UTC'), CronTrigger(day=10, hour=5, timezone='UTC')])",
    "OrTrigger([CronTrigger(hour='*/6', timezone='UTC'), CronTrigger(hour='*/4', timezone='UTC')])",
    "OrTrigger([])",
]


@each(FROM_MARCH)
def from_a_tuesday_in_march(row):
    times(eval(row), datetime(2030, 3, 5, 12, 0, 30, tzinfo=UTC))


CLOCK_CHANGES = {
    "daily at midnight, spring": "CronTrigger(hour=0, timezone=BERLIN), datetime(2030, 3, 30, 12, tzinfo=BERLIN)",
    "daily at 02:30, spring": "CronTrigger(hour=2, minute=30, timezone=BERLIN), datetime(2030, 3, 30, 12, tzinfo=BERLIN)",
    "daily at 03:00, spring": "CronTrigger(hour=3, timezone=BERLIN), datetime(2030, 3, 30, 12, tzinfo=BERLIN)",
    "hourly, spring": "CronTrigger(minute=0, timezone=BERLIN), datetime(2030, 3, 31, 0, 30, tzinfo=BERLIN)",
    "every 30 minutes, spring": "CronTrigger(minute='*/30', timezone=BERLIN), datetime(2030, 3, 31, 1, 10, tzinfo=BERLIN)",
    "daily at 02:30, autumn": "CronTrigger(hour=2, minute=30, timezone=BERLIN), datetime(2030, 10, 26, 12, tzinfo=BERLIN)",
    "hourly, autumn": "CronTrigger(minute=0, timezone=BERLIN), datetime(2030, 10, 27, 0, 30, tzinfo=BERLIN)",
    "every 30 minutes, autumn": "CronTrigger(minute='*/30', timezone=BERLIN), datetime(2030, 10, 27, 1, 40, tzinfo=BERLIN)",
    "daily at midnight, autumn": "CronTrigger(hour=0, timezone=BERLIN), datetime(2030, 10, 26, 12, tzinfo=BERLIN)",
    "interval of hours, spring": "IntervalTrigger(hours=1, start_date='2030-03-31 00:30:00', timezone=BERLIN), datetime(2030, 3, 31, tzinfo=BERLIN)",
    "interval of hours, autumn": "IntervalTrigger(hours=1, start_date='2030-10-27 00:30:00', timezone=BERLIN), datetime(2030, 10, 27, tzinfo=BERLIN)",
    "interval of days, autumn": "IntervalTrigger(days=1, start_date='2030-10-26 12:00:00', timezone=BERLIN), datetime(2030, 10, 26, tzinfo=BERLIN)",
    "calendar interval, autumn": "CalendarIntervalTrigger(days=1, hour=2, minute=30, start_date='2030-10-26', timezone=BERLIN), datetime(2030, 10, 26, tzinfo=BERLIN)",
    "New York at noon, spring": "CronTrigger(hour=12, timezone='America/New_York'), datetime(2030, 3, 9, 17, tzinfo=timezone.utc)",
    "Lord Howe's half hour": "CronTrigger(minute='*/30', timezone='Australia/Lord_Howe'), datetime(2030, 10, 5, 15, tzinfo=timezone.utc)",
}


@each(CLOCK_CHANGES)
def clock_change(row):
    times(*eval(row))


@program
def asked_with_a_zone_of_another_place():
    times(CronTrigger(hour=3, timezone="Asia/Tokyo"), datetime(2030, 3, 5, 12, tzinfo=BERLIN), 3)


@program
def asked_with_a_zone_of_pytz():
    moment = pytz.timezone("Europe/Berlin").localize(datetime(2030, 3, 5, 12))
    times(CronTrigger(hour=3, timezone=pytz.timezone("Europe/Berlin")), moment, 3)


@program
def a_date_fires_once():
    trigger = DateTrigger("2055-03-04", "UTC")
    print(trigger.get_next_fire_time(trigger.run_date, trigger.run_date))


@program
def an_interval_from_a_previous_time():
    trigger = IntervalTrigger(hours=1, start_date="2030-01-01", timezone="UTC")
    print(
        trigger.get_next_fire_time(datetime(2030, 3, 5, 12, 7, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC))
    )


@program
def cron_with_a_previous_time_that_is_now():
    moment = datetime(2030, 3, 5, 3, tzinfo=UTC)
    print(CronTrigger(hour=3, timezone="UTC").get_next_fire_time(moment, moment))
    print(CronTrigger(hour=3, timezone="UTC").get_next_fire_time(None, moment))


@program
def cron_with_a_previous_time_long_ago():
    moment = datetime(2030, 3, 5, 12, tzinfo=UTC)
    print(CronTrigger(hour=3, timezone="UTC").get_next_fire_time(moment - timedelta(days=3), moment))


@program
def jitter_stays_within_its_bounds():
    trigger = CronTrigger(hour=3, jitter=60, timezone="UTC")
    moment = datetime(2030, 3, 5, 12, tzinfo=UTC)
    plain = CronTrigger(hour=3, timezone="UTC").get_next_fire_time(None, moment)
    late = [trigger.get_next_fire_time(None, moment) - plain for _ in range(200)]
    print(all(timedelta(0) <= one <= timedelta(seconds=60) for one in late), len(set(late)) > 1)


@program
def apply_jitter_of_nothing():
    moment = datetime(2030, 3, 5, 12, tzinfo=UTC)
    trigger = IntervalTrigger(hours=1, start_date=moment)
    print(trigger._apply_jitter(None, 5, moment), trigger._apply_jitter(moment, None, moment) == moment)
    print(timedelta(0) <= trigger._apply_jitter(moment, 5, moment) - moment <= timedelta(seconds=5))


@program
def a_trigger_of_ones_own():
    class Twice(BaseTrigger):
        def get_next_fire_time(self, previous_fire_time, now):
            return now + timedelta(hours=1) if previous_fire_time is None else None

    times(Twice(), datetime(2030, 3, 5, 12, tzinfo=UTC))
    combined = OrTrigger([Twice(), CronTrigger(hour=20, timezone="UTC")])
    times(combined, datetime(2030, 3, 5, 12, tzinfo=UTC), 2)


@program
def a_subclass_of_cron():
    class Weekdays(CronTrigger):
        def get_next_fire_time(self, previous_fire_time, now):
            following = super().get_next_fire_time(previous_fire_time, now)
            while following and following.weekday() > 4:
                following = super().get_next_fire_time(following, following)
            return following

    times(Weekdays(hour=3, timezone="UTC"), datetime(2030, 3, 8, 12, tzinfo=UTC), 3)


@program
def an_abstract_trigger_cannot_be_made():
    class Empty(BaseTrigger):
        pass

    try:
        Empty()
    except TypeError:
        print("TypeError")


FIRST_OF_ALL = [
    "AndTrigger([CronTrigger(hour=3, timezone='UTC'), CronTrigger(day_of_week='mon', hour='*', timezone='UTC')])",
    "AndTrigger([CronTrigger(day='1-7', timezone='UTC'), CronTrigger(day_of_week='fri', timezone='UTC')])",
    "AndTrigger([DateTrigger('2030-04-01', 'UTC'), CronTrigger(day=1, timezone='UTC')])",
    "AndTrigger([CronTrigger(hour=3, timezone='UTC')])",
]


@each(FIRST_OF_ALL)
def first_of_all(row):
    times(eval(row), datetime(2030, 3, 5, 12, tzinfo=UTC), 1)


@program
def and_of_two_that_never_agree_within_a_year():
    trigger = AndTrigger(
        [CronTrigger(year=2031, month=1, timezone="UTC"), CronTrigger(year=2031, month=2, timezone="UTC")]
    )
    print(trigger.get_next_fire_time(None, datetime(2030, 3, 5, tzinfo=UTC)))
