"""How triggers look as text, what they hold, and that they survive being pickled."""

import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytz
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from kit import each, evaluated, program

TRIGGERS = [
    "DateTrigger('2055-03-04')",
    "DateTrigger('2055-03-04 05:06:07')",
    "DateTrigger('2055-03-04 05:06:07.089', 'UTC')",
    "DateTrigger('2055-03-04T05:06:07+02:00')",
    "DateTrigger('2055-03-04 05:06:07Z')",
    "DateTrigger(date(2055, 3, 4), timezone='Asia/Tokyo')",
    "DateTrigger(datetime(2055, 7, 4, 5), timezone='Europe/Berlin')",
    "DateTrigger(datetime(2055, 3, 4, tzinfo=timezone.utc))",
    "DateTrigger(datetime(2055, 3, 4, tzinfo=timezone(timedelta(hours=3))))",
    "DateTrigger(run_date='2055-03-04', timezone=ZoneInfo('America/New_York'))",
    "DateTrigger('2055-7-4 5:6:7')",
    "IntervalTrigger(seconds=5, start_date='2055-03-04', timezone='UTC')",
    "IntervalTrigger(minutes=90, start_date='2055-03-04 05:00:00', timezone='Europe/Berlin')",
    "IntervalTrigger(hours=2, minutes=3, seconds=4, start_date='2055-03-04', timezone='UTC')",
    "IntervalTrigger(days=1, start_date=datetime(2055, 3, 4), end_date=datetime(2056, 3, 4), timezone='UTC')",
    "IntervalTrigger(weeks=2, start_date='2055-03-04', timezone='UTC')",
    "IntervalTrigger(1, 2, 3, 4, 5, '2055-03-04', '2056-03-04', 'UTC', 6)",
    "IntervalTrigger(seconds=5, jitter=10, start_date='2055-03-04', timezone='UTC')",
    "IntervalTrigger(seconds=5, jitter=0, start_date='2055-03-04', timezone='UTC')",
    "IntervalTrigger(seconds=0.5, start_date='2055-03-04', timezone='UTC')",
    "IntervalTrigger(hours=26, start_date=datetime(2055, 3, 4, tzinfo=ZoneInfo('Asia/Tokyo')))",
    "IntervalTrigger(start_date='2055-03-04', timezone='UTC')",
    "CronTrigger(timezone='UTC')",
    "CronTrigger(hour=3, timezone='UTC')",
    "CronTrigger(hour='3', minute='*/15', timezone='UTC')",
    "CronTrigger(day_of_week='mon-fri', hour=9, minute=30, timezone='Europe/Berlin')",
    "CronTrigger(day='last', timezone='UTC')",
    "CronTrigger(day='3rd fri', hour=12, timezone='UTC')",
    "CronTrigger(day='1st mon,last sun', timezone='UTC')",
    "CronTrigger(month='jan-mar,dec', day=1, timezone='UTC')",
    "CronTrigger(year='2055-2060/2', timezone='UTC')",
    "CronTrigger(week='1-53/4', timezone='UTC')",
    "CronTrigger(second='*/10', timezone='UTC')",
    "CronTrigger(hour='8-18/2', day_of_week='0-4', timezone='UTC')",
    "CronTrigger(hour=' 1 , 2,3', timezone='UTC')",
    "CronTrigger(2055, 1, 2, 3, 'mon', 4, 5, 6, '2055-01-01', '2056-01-01', 'UTC', 7)",
    "CronTrigger(hour=3, start_date='2055-03-04', end_date='2056-03-04 05:06:07', timezone='UTC')",
    "CronTrigger(hour=3, jitter=60, timezone='UTC')",
    "CronTrigger(day_of_week='SUN', month='JAN', timezone='UTC')",
    "CronTrigger(hour='*', minute=0, timezone='UTC')",
    "CronTrigger.from_crontab('*/5 8-18 * * mon-fri', timezone='UTC')",
    "CronTrigger.from_crontab('0 0 1 jan *', 'UTC')",
    "CronTrigger.from_crontab('0 0 * * 0', 'UTC')",
    "CalendarIntervalTrigger(days=1, start_date='2055-03-04', timezone='UTC')",
    "CalendarIntervalTrigger(months=1, hour=9, minute=30, second=5, start_date='2055-03-04', timezone='UTC')",
    "CalendarIntervalTrigger(years=1, months=2, weeks=3, days=4, start_date=date(2055, 3, 4), timezone='Europe/Berlin')",
    "CalendarIntervalTrigger(weeks=2, start_date='2055-03-04', end_date='2056-03-04', timezone='UTC', jitter=5)",
    "AndTrigger([CronTrigger(hour=3, timezone='UTC'), CronTrigger(day_of_week='mon', timezone='UTC')])",
    "OrTrigger([CronTrigger(hour=3, timezone='UTC'), DateTrigger('2055-03-04', 'UTC')])",
    "OrTrigger([IntervalTrigger(hours=3, start_date='2055-03-04', timezone='UTC')], jitter=30)",
    "AndTrigger([])",
    "OrTrigger([OrTrigger([DateTrigger('2055-03-04', 'UTC')]), CronTrigger(hour=1, timezone='UTC')])",
]


@each(TRIGGERS)
def str_and_repr(row):
    trigger = evaluated(row, globals())
    print("str ", str(trigger) if "Calendar" not in row else "-")
    print("repr", repr(trigger))
    print("pickled", str(pickle.loads(pickle.dumps(trigger))) == str(trigger))


ATTRIBUTES = {
    "date": "DateTrigger('2055-03-04', 'UTC').run_date",
    "interval": "IntervalTrigger(hours=1, start_date='2055-03-04', timezone='UTC').interval",
    "interval_length": "IntervalTrigger(hours=1, start_date='2055-03-04', timezone='UTC').interval_length",
    "interval of nothing": "IntervalTrigger(start_date='2055-03-04', timezone='UTC').interval_length",
    "interval's start": "IntervalTrigger(hours=1, start_date='2055-03-04', timezone='UTC').start_date.isoformat()",
    "interval's end": "IntervalTrigger(hours=1, end_date='2055-03-04', timezone='UTC').end_date.isoformat()",
    "interval's zone": "str(IntervalTrigger(hours=1, timezone='Asia/Tokyo').timezone)",
    "interval's zone from its start": "str(IntervalTrigger(hours=1, start_date=datetime(2055, 1, 1, tzinfo=ZoneInfo('Asia/Tokyo'))).timezone)",
    "interval's jitter": "IntervalTrigger(hours=1, jitter=3).jitter",
    "cron's zone": "str(CronTrigger(hour=1, timezone='Asia/Tokyo').timezone)",
    "cron's zone from its start": "str(CronTrigger(hour=1, start_date=datetime(2055, 1, 1, tzinfo=ZoneInfo('Asia/Tokyo'))).timezone)",
    "cron's zone from its end": "str(CronTrigger(hour=1, end_date=datetime(2055, 1, 1, tzinfo=ZoneInfo('Asia/Tokyo'))).timezone)",
    "cron's zone of pytz": "str(CronTrigger(hour=1, timezone=pytz.timezone('Asia/Tokyo')).timezone)",
    "cron's own zone": "str(CronTrigger(hour=1).timezone)",
    "cron's start": "CronTrigger(hour=1, start_date='2055-03-04', timezone='UTC').start_date.isoformat()",
    "cron without start": "CronTrigger(hour=1).start_date",
    "cron's fields": "[str(field) for field in CronTrigger(hour=1, day='last').fields]",
    "cron's names": "[field.name for field in CronTrigger(hour=1).fields]",
    "cron's defaults": "[field.is_default for field in CronTrigger(hour=1).fields]",
    "cron's classes": "[type(field).__name__ for field in CronTrigger(hour=1).fields]",
    "cron's expressions": "[[type(one).__name__ for one in field.expressions] for field in CronTrigger(hour='1,*/2', day='last', day_of_week='mon', month='jan').fields]",
    "FIELD_NAMES": "CronTrigger.FIELD_NAMES",
    "FIELDS_MAP": "sorted((name, kind.__name__) for name, kind in CronTrigger.FIELDS_MAP.items())",
    "calendar interval": "(lambda t: (t.years, t.months, t.weeks, t.days))(CalendarIntervalTrigger(years=1, days=2, start_date='2055-03-04'))",
    "calendar interval's start": "CalendarIntervalTrigger(days=1, start_date='2055-03-04').start_date",
    "calendar interval's end": "CalendarIntervalTrigger(days=1, start_date='2055-03-04', end_date='2055-04-04').end_date",
    "calendar interval's time": "CalendarIntervalTrigger(days=1, hour=3, start_date='2055-03-04', timezone='UTC')._time.isoformat()",
    "combined": "[str(t) for t in OrTrigger([DateTrigger('2055-03-04', 'UTC')]).triggers]",
    "combined's jitter": "AndTrigger([], jitter=4).jitter",
    "combined are the same objects": "(lambda t: OrTrigger([t]).triggers[0] is t)(DateTrigger('2055-03-04', 'UTC'))",
    "the zone is a ZoneInfo": "type(CronTrigger(timezone='Europe/Berlin').timezone).__name__",
    "UTC is datetime's": "CronTrigger(timezone='UTC').timezone is timezone.utc",
}


@each(ATTRIBUTES)
def attribute(row):
    print(evaluated(row, globals()))


@each(["DateTrigger", "IntervalTrigger", "CronTrigger", "CalendarIntervalTrigger", "OrTrigger"])
def state(row):
    made = {
        "DateTrigger": "DateTrigger('2055-03-04', 'UTC')",
        "IntervalTrigger": "IntervalTrigger(hours=1, start_date='2055-03-04', end_date='2056-03-04', timezone='UTC', jitter=2)",
        "CronTrigger": "CronTrigger(hour=1, day='last', start_date='2055-03-04', timezone='UTC')",
        "CalendarIntervalTrigger": "CalendarIntervalTrigger(days=1, start_date='2055-03-04', timezone='UTC')",
        "OrTrigger": "OrTrigger([DateTrigger('2055-03-04', 'UTC')], jitter=3)",
    }
    trigger = eval(made[row])
    kept = trigger.__getstate__()
    for key in sorted(kept):
        print(key, kept[key])
    again = object.__new__(type(trigger))
    again.__setstate__(kept)
    print(repr(again) == repr(trigger))


@each(["DateTrigger", "IntervalTrigger", "CronTrigger", "CalendarIntervalTrigger", "OrTrigger"])
def state_of_a_newer_version(row):
    trigger = object.__new__(globals()[row])
    print(evaluated("trigger.__setstate__({'version': 9})", {"trigger": trigger}))


@program
def state_of_version_3_0():
    trigger = object.__new__(DateTrigger)
    trigger.__setstate__((None, {"version": 1, "run_date": datetime(2055, 3, 4, tzinfo=UTC)}))
    print(trigger)


@program
def attributes_can_be_set():
    trigger = IntervalTrigger(hours=1, start_date="2055-03-04", timezone="UTC")
    trigger.interval = timedelta(minutes=5)
    print(trigger, repr(trigger))
    trigger = DateTrigger("2055-03-04", "UTC")
    trigger.run_date = datetime(2056, 3, 4, tzinfo=UTC)
    print(trigger)


@program
def start_of_an_interval_made_now():
    trigger = IntervalTrigger(hours=1, timezone="UTC")
    print("a start", trigger.start_date is not None)


@program
def run_date_of_a_date_made_now():
    print("a date", DateTrigger(timezone="UTC").run_date is not None)


@program
def cron_rebuilt_from_its_fields():
    trigger = CronTrigger(hour="1-3", day="last", day_of_week="mon", timezone="UTC")
    given = {field.name: str(field) for field in trigger.fields if not field.is_default}
    print(sorted(given.items()))
    print(CronTrigger(timezone="UTC", **given))
