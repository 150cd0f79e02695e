"""What is refused when triggers are made, and with which type of error."""

from datetime import date, datetime, timedelta, timezone

from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.cron.expressions import (
    AllExpression,
    LastDayOfMonthExpression,
    MonthRangeExpression,
    RangeExpression,
    WeekdayPositionExpression,
    WeekdayRangeExpression,
)
from apscheduler.triggers.cron.fields import (
    DEFAULT_VALUES,
    MAX_VALUES,
    MIN_VALUES,
    BaseField,
    DayOfMonthField,
    DayOfWeekField,
    MonthField,
    WeekField,
)
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from kit import each, evaluated

WRONG = [
    "DateTrigger('tomorrow')",
    "DateTrigger(5)",
    "DateTrigger('2055-13-01')",
    "DateTrigger('2055-03-04', 'Nowhere/At_All')",
    "DateTrigger('2055-03-04', 5)",
    "DateTrigger(when='2055-03-04')",
    "DateTrigger('2055-03-04 05:06')",
    "IntervalTrigger(seconds='5')",
    "IntervalTrigger(fortnights=1)",
    "IntervalTrigger(hours=1, start_date='nonsense')",
    "IntervalTrigger(hours=1, start_date=5)",
    "IntervalTrigger(hours=1, timezone='Nowhere/At_All')",
    "IntervalTrigger(hours=None)",
    "CronTrigger(hour=24)",
    "CronTrigger(hour=-1)",
    "CronTrigger(hour='5-3')",
    "CronTrigger(hour='*/0')",
    "CronTrigger(hour='*/30')",
    "CronTrigger(hour='a')",
    "CronTrigger(hour='')",
    "CronTrigger(minute='60')",
    "CronTrigger(day='32')",
    "CronTrigger(day='6th mon')",
    "CronTrigger(day='1st moon')",
    "CronTrigger(day_of_week='7')",
    "CronTrigger(day_of_week='monday')",
    "CronTrigger(day_of_week='fri-mon')",
    "CronTrigger(month='13')",
    "CronTrigger(month='janu')",
    "CronTrigger(month='dec-jan')",
    "CronTrigger(week='54')",
    "CronTrigger(hours=3)",
    "CronTrigger(hour=3, timezone=5)",
    "CronTrigger(hour=3, timezone='EST5EDT')",
    "CronTrigger(hour=1.5)",
    "CronTrigger(hour=[1, 2])",
    "CronTrigger.from_crontab('* * * *')",
    "CronTrigger.from_crontab('* * * * * *')",
    "CronTrigger.from_crontab('@daily')",
    "CronTrigger.from_crontab('61 * * * *')",
    "CronTrigger.from_crontab('')",
    "CalendarIntervalTrigger()",
    "CalendarIntervalTrigger(days=1, start_date='2055-03-04', end_date='2055-03-03')",
    "CalendarIntervalTrigger(1)",
    "CalendarIntervalTrigger(days=1, hour=25)",
    "CalendarIntervalTrigger(days=1, start_date='2055-3-4')",
    "AndTrigger()",
    "OrTrigger(None).get_next_fire_time(None, datetime.now(timezone.utc))",
]


@each(WRONG)
def wrong(row):
    answer = evaluated(row, globals())
    print(answer if str(answer).startswith("raises") else f"a {type(answer).__name__}")


FIELDS = [
    "BaseField('hour', '1-5')",
    "BaseField('hour', '*/2', True)",
    "BaseField('hour', '1,2,*/5')",
    "BaseField('hour', '25')",
    "DayOfMonthField('day', 'last')",
    "DayOfMonthField('day', '2nd tue')",
    "DayOfWeekField('day_of_week', 'mon-wed')",
    "MonthField('month', 'jan,jun-aug')",
    "WeekField('week', '1-10/3')",
    "BaseField('hour', '1') == BaseField('hour', '1')",
    "BaseField('hour', '1') == BaseField('hour', '2')",
    "BaseField('hour', '1-5').get_min(None), BaseField('hour', '1-5').get_max(None)",
    "DayOfMonthField('day', '*').get_max(datetime(2031, 2, 1))",
    "BaseField('hour', '*').get_value(datetime(2031, 2, 1, 7))",
    "WeekField('week', '*').get_value(datetime(2031, 2, 1))",
    "DayOfWeekField('day_of_week', '*').get_value(datetime(2031, 2, 1))",
    "BaseField('hour', '*/5').get_next_value(datetime(2031, 2, 1, 7))",
    "BaseField('hour', '3').get_next_value(datetime(2031, 2, 1, 7))",
    "DayOfMonthField('day', 'last').get_next_value(datetime(2031, 2, 1))",
    "DayOfMonthField('day', '1st fri').get_next_value(datetime(2031, 2, 1))",
    "DayOfWeekField('day_of_week', 'sun').get_next_value(datetime(2031, 2, 1))",
    "AllExpression()",
    "AllExpression(5)",
    "AllExpression('0')",
    "AllExpression(3) == AllExpression(3)",
    "RangeExpression(1)",
    "RangeExpression(1, 5)",
    "RangeExpression('1', '5', '2')",
    "RangeExpression(5, 1)",
    "MonthRangeExpression('jan')",
    "MonthRangeExpression('jan', 'mar')",
    "MonthRangeExpression('nope')",
    "WeekdayRangeExpression('mon', 'fri')",
    "WeekdayRangeExpression('nope')",
    "WeekdayPositionExpression('3rd', 'fri')",
    "WeekdayPositionExpression('9th', 'fri')",
    "LastDayOfMonthExpression()",
    "str(RangeExpression(1, 5, 2)), str(AllExpression(2)), str(MonthRangeExpression('feb')), str(LastDayOfMonthExpression())",
    "str(WeekdayRangeExpression('mon')), str(WeekdayPositionExpression('last', 'sun'))",
    "sorted(MIN_VALUES.items())",
    "sorted(MAX_VALUES.items())",
    "sorted(DEFAULT_VALUES.items())",
    "[kind.__name__ for kind in BaseField.COMPILERS]",
    "[kind.__name__ for kind in DayOfMonthField.COMPILERS]",
    "[kind.__name__ for kind in DayOfWeekField.COMPILERS]",
    "BaseField.REAL, WeekField.REAL, DayOfWeekField.REAL",
]


@each(FIELDS)
def field(row):
    print(evaluated(row, globals()))
