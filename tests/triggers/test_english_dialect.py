"""Schedules in plain English as triggers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from mainspring.errors import CronSyntaxError
from mainspring.triggers import parse
from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.business_day import BusinessDayTrigger
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict
from mainspring.triggers.sun import SunTrigger
from mainspring.triggers.weekly import WeeklyTrigger

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def cron(**fields):
    return CronTrigger(**{"minute": 0} | fields)


def weekdays(**fields):
    return cron(day_of_week="mon-fri", **fields)


BERLIN = {"latitude": 52.52, "longitude": 13.405}
MEANT = {
    # the sun
    "at sunrise at 52.52° N, 13.405° E": SunTrigger("sunrise", **BERLIN),
    "every day 1 hour and 30 minutes before sunset at 52.52 N 13.405 E, UTC": SunTrigger(
        "sunset", offset=-90, timezone="UTC", **BERLIN
    ),
    "20 seconds after solar noon at 33.9° S, 70.5° W": SunTrigger(
        "noon", latitude=-33.9, longitude=-70.5, offset=1 / 3
    ),
    "dawn 52.52° N, 13.405° E, with the sun 12° below the horizon, 35 m above its horizon, delayed by up to 1 minute": SunTrigger(
        "dawn", depression=12, elevation=35, jitter=60, **BERLIN
    ),
    "at dusk at 52.52° N, 13.405° E until 2026-12-31 except on weekends": SunTrigger(
        "dusk", end_date="2026-12-31 23:59:59", **BERLIN
    ).excluding(BusinessCalendar(weekend=["sat", "sun"])),
    "at sunset at 52.52° N, 13.405° E, 3 times": SunTrigger("sunset", **BERLIN).limited(3),
    "at 30 minutes before sunset at 52.52° N, 13.405° E": SunTrigger("sunset", offset=-30, **BERLIN),
    "1 hour, and 30 minutes before sunset at 52.52° N, 13.405° E": SunTrigger("sunset", offset=-90, **BERLIN),
    "sunset 52.52° N 13.405° E, 35 metres above the horizon": SunTrigger("sunset", elevation=35, **BERLIN),
    "sunset 52.52° N 13.405° E, 35 meters above its horizon": SunTrigger("sunset", elevation=35, **BERLIN),
    # what the job's id chooses
    "every weekday at a time that the job's id chooses": CronTrigger(
        day_of_week="mon-fri", hour="H", minute="H"
    ),
    "at a time from 00:00:00 to 07:59:59 that the job's id chooses every day": CronTrigger(
        hour="H(0-7)", minute="H", second="H"
    ),
    "at 3 on a day from the 1st to the 7th of the month that the job's id chooses": CronTrigger(
        day="H(1-7)", hour=3, minute=0
    ),
    "at 3 on a day from Monday to Friday that the job's id chooses": CronTrigger(
        day_of_week="H(0-4)", hour=3, minute=0
    ),
    "every 15 minutes, from a minute that the job's id chooses, in january": CronTrigger(
        minute="H/15", month=1
    ),
    "at a minute past every hour from 9 to 17 that the job's id chooses on weekdays": CronTrigger(
        day_of_week="mon-fri", hour="9-17", minute="H"
    ),
    "at a minute from 0 to 29 past every hour that the job's id chooses": CronTrigger(
        hour="*", minute="H(0-29)"
    ),
    "at a time from 16:00 to 23:59 that the job's id chooses": CronTrigger(hour="H(16-23)", minute="H"),
    "at a time from 00:00 to 23:59 that the job's id chooses": CronTrigger(hour="H", minute="H"),
    "at a time from 17:20 to 17:40 that the job's id chooses": CronTrigger(hour="17", minute="H(20-40)"),
    "on a day of the month that the job's id chooses at a time that the job's id chooses": CronTrigger(
        day="H", hour="H", minute="H"
    ),
    # counted before something is taken away
    "(every day at 9, 3 times), except on 2026-03-05": CronTrigger(hour=9, minute=0, max_fires=3).excluding(
        "2026-03-05"
    ),
    "(every day at 9, 3 times), only from 8 to 10, spread over 5 minutes": CronTrigger(
        hour=9, minute=0, max_fires=3
    )
    .within("08:00-10:00")
    .spread("5m"),
    "at 9 on the last 7 days of the month": cron(day="L-6,L-5,L-4,L-3,L-2,L-1,last", hour=9),
    # counted apart
    "every day at 9, from 2026-03-02, 3 times in total from when it is added": cron(
        hour=9, start_date="2026-03-02 00:00:00"
    ).limited(3),
    "every 5 minutes, 2 times from 2026-03-05 08:00 UTC": cron(hour="*", minute="*/5").limited(
        2, datetime(2026, 3, 5, 8, tzinfo=UTC)
    ),
    # both
    "at 9 from the 1st to the 7th of the month if that is also a Monday, the second Tuesday or the last Friday": cron(
        day="1-7", day_of_week="mon,tue#2,friL", hour=9
    ),
    "at 9 on the weekday nearest to the third day before the last day of the month": cron(day="L-3W", hour=9),
    "at 9 on the weekday nearest to the day before the last day of the month": cron(day="L-1W", hour=9),
    # words that may stand beside others
    "every day at 9 counted from 2026-03-01": cron(hour=9, start_date="2026-03-01 00:00:00"),
    "every day at 9 starting on 2026-03-01": cron(hour=9, start_date="2026-03-01 00:00:00"),
    "at 9 on the day before the last day of the month": cron(day="L-1", hour=9),
    "at 9 on the 2nd day before the last day of the month": cron(day="L-2", hour=9),
    "every 7 minutes from 0 to 56 minutes past every hour": cron(hour="*", minute="*/7"),
    "every 7 minutes from 5 to 40 minutes past every hour": cron(hour="*", minute="5-40/7"),
    "every 7 seconds from 0 to 56 seconds past every minute": cron(hour="*", minute="*", second="*/7"),
    "on the 31st of every month at 9, skipping dates that don't exist": cron(day=31, hour=9),
    "at 02:30 every day, firing at the second occurrence of times that come twice": cron(
        hour=2, minute=30, fold="second"
    ),
    "at 02:30 every day, firing at the first occurrence of times that come twice": cron(
        hour=2, minute=30, fold="first"
    ),
    "at 02:30 every day, firing at both occurrences of times that come twice": cron(
        hour=2, minute=30, fold="both"
    ),
    "every day at 9 GMT": cron(hour=9, timezone="UTC"),
    "every day at 9 except 2026-12-25": cron(hour=9).excluding("2026-12-25"),
    "every day at 9 except Mondays": cron(hour=9, day_of_week="tue-sun"),
    "every day at 9 except Mondays and 2026-12-25": cron(hour=9, day_of_week="tue-sun").excluding(
        "2026-12-25"
    ),
    "every day at 9 except 2026-12-25, 2026-12-26": cron(hour=9).excluding("2026-12-25", "2026-12-26"),
    "every 0.000001 seconds": IntervalTrigger(seconds=0.000001),
    "every day at 9 except August": cron(hour=9, month="1-7,9-12"),
    "once each, at 2026-03-01 09:00 and 2026-03-04 12:00": OrTrigger(
        [DateTrigger("2026-03-01 09:00:00"), DateTrigger("2026-03-04 12:00:00")]
    ),
    "once, at 2026-03-01 09:00, and also at 2026-03-04 12:00": OrTrigger(
        [DateTrigger("2026-03-01 09:00:00"), DateTrigger("2026-03-04 12:00:00")]
    ),
    # times of the day
    "every day at noon": cron(hour=12),
    "at midnight": cron(hour=0),
    "daily at 9": cron(hour=9),
    "9:30pm every day": cron(hour=21, minute=30),
    "every day at 12am and 12pm": cron(hour="*/12"),
    "every day at 9 o'clock": cron(hour=9),
    "at 08:05 and 08:35": cron(hour=8, minute="5,35"),
    "at 9 and 17:30 on weekdays": OrTrigger([weekdays(hour=9), weekdays(hour=17, minute=30)]),
    "at 09:30:15 every day": cron(hour=9, minute=30, second=15),
    # within the hour, and the day
    "every 15 minutes": cron(hour="*", minute="*/15"),
    "every second": cron(hour="*", minute="*", second="*"),
    "every hour at :15 and :45": cron(hour="*", minute="15,45"),
    "at 15 minutes past the hour": cron(hour="*", minute=15),
    "every 2 hours at :30": cron(hour="*/2", minute=30),
    "every 45 minutes": IntervalTrigger(minutes=45),
    "every 2 hours and 30 minutes": IntervalTrigger(minutes=150),
    "every hour": IntervalTrigger(hours=1),
    "every 10 minutes from 2026-01-01 00:03": IntervalTrigger(minutes=10, start_date="2026-01-01 00:03:00"),
    "every 10 minutes from when it is added": IntervalTrigger(minutes=10),
    "every 20 minutes from 08:00 to 18:40": cron(hour="8-18", minute="*/20"),
    "every 45 minutes from 08:00 to 18:00": OrTrigger(
        [cron(hour="8-17/3", minute="0,45"), cron(hour="9-15/3", minute=30), cron(hour="10-16/3", minute=15)]
    ),
    "every hour between 9am and 5pm on weekdays": weekdays(hour="9-17"),
    "every 30 minutes on weekdays from 9 to 17:30": weekdays(hour="9-17", minute="*/30"),
    "at 09:00 on every fourth day from 1 to 29 March every year": cron(month=3, day="*/4", hour=9),
    "every hour from 22 to 6": cron(hour="0-6,22,23"),
    "every hour from 9am to 5pm": cron(hour="9-17"),
    "between 9am and 5pm every hour in march": cron(month=3, hour="9-17"),
    "every 10 minutes on weekdays": weekdays(hour="*", minute="*/10"),
    "every 45 minutes, only from 08:00 to 18:00": IntervalTrigger(minutes=45).within("08:00-18:00"),
    # weekdays
    "every weekday at 9am": weekdays(hour=9),
    "monday to friday at 9": weekdays(hour=9),
    "mon-fri at 9": weekdays(hour=9),
    "Mon, Wed and Fri at 10:30": cron(day_of_week="mon,wed,fri", hour=10, minute=30),
    "every weekday and saturday at 9": cron(day_of_week="mon-sat", hour=9),
    "every weekend at 9": cron(day_of_week="sat,sun", hour=9),
    "every day at 9 except on weekends": weekdays(hour=9),
    "every 2 weeks on monday and thursday at 09:30": WeeklyTrigger("mon,thu", "09:30", weeks=2),
    "every other friday at 17:00": WeeklyTrigger("fri", "17:00", weeks=2),
    "every 2 weeks on friday at 9 and 17:30 from 2026-01-05": WeeklyTrigger(
        "fri", ["09:00", "17:30"], weeks=2, start_date="2026-01-05"
    ),
    # days of the month
    "on the 1st and 15th at 06:00": cron(day="1,15", hour=6),
    "last friday of the month at 17:00": cron(day="last fri", hour=17),
    "on the first and third tuesday of every month at 9": cron(day="1st tue,3rd tue", hour=9),
    "every second monday of the month at 9": cron(day="2nd mon", hour=9),
    "last day of the month at 23:00": cron(day="last", hour=23),
    "on the third day before the last day of the month at 9": cron(day="L-3", hour=9),
    "the 1st to the 7th of the month at 9": cron(day="1-7", hour=9),
    "from the 3rd to the 5th and from the 10th to the 12th of june at 9": cron(
        month=6, day="3-5,10-12", hour=9
    ),
    "on 3 to 5 june at 9": cron(month=6, day="3-5", hour=9),
    "second to last day of the month at 9": cron(day="L-1", hour=9),
    "on days 1 to 7 at 9": cron(day="1-7", hour=9),
    "on fridays that fall on the 13th at 9": cron(day=13, day_of_week="fri", hour=9),
    "at 9 on the 1st and on fridays": OrTrigger([cron(day=1, hour=9), cron(day_of_week="fri", hour=9)]),
    "first business day of the month at 8": BusinessDayTrigger(1, hour=8),
    "second to last business day of the month at 8": BusinessDayTrigger(-2, hour=8),
    "on the first and the last business day of march at 8": BusinessDayTrigger([1, -1], month=3, hour=8),
    # months and years
    "in january and july on the first monday at 10": cron(month="*/6", day="1st mon", hour=10),
    "every 3 months on the 1st at 9": cron(month="*/3", day=1, hour=9),
    "every quarter on the last day at 9 from 2026-02-01": cron(
        month="2-11/3", day="last", hour=9, start_date="2026-02-01 00:00:00"
    ),
    "every 5 months on the 1st at 9 from 2026-02-15": CalendarIntervalTrigger(
        months=5, hour=9, start_date="2026-03-01"
    ),
    "december 25 at 8": cron(month=12, day=25, hour=8),
    "on 24 and 31 December at 8": cron(month=12, day="24,31", hour=8),
    "every year on the 17th of may at 8": cron(month=5, day=17, hour=8),
    "every 2 years on 17 May at 8 from 2026-01-01": CalendarIntervalTrigger(
        years=2, hour=8, start_date="2026-05-17"
    ),
    "every day at 9 except in august": cron(month="1-7,9-12", hour=9),
    "every day at 8 from june to august": cron(month="6-8", hour=8),
    # distances
    "every 2 days at 9": CalendarIntervalTrigger(days=2, hour=9),
    "every other day at 9": CalendarIntervalTrigger(days=2, hour=9),
    "every 10 days at 9 from 2026-03-02 08:30": CalendarIntervalTrigger(
        days=10, hour=9, start_date="2026-03-02"
    ),
    "at 9 in 2027 and 2030": cron(year="2027,2030", hour=9),
    "at 9 in every fourth year from 2028": cron(year="2028/4", hour=9),
    "at 9 in even-numbered years": cron(year="*/2", hour=9),
    "at 9 in ISO weeks 1 to 26 and 53": cron(week="1-26,53", hour=9),
    "at 9 on every fifth day from the 1st to the 26th of the month": cron(day="1-26/5", hour=9),
    "at 9 on the weekday nearest to the 15th of the month": cron(day="15W", hour=9),
    "at 30 seconds past every minute": cron(hour="*", minute="*", second=30),
    "at 0 and 30 seconds past minutes 5 and 35 of every hour": cron(hour="*", minute="5,35", second="*/30"),
    "at 5 minutes past every second hour from 08:00 to 18:00": cron(hour="8-18/2", minute=5),
    "every day at 9 except on 2026-12-24, on sundays and in august": cron(
        month="1-7,9-12", day_of_week="mon-sat", hour=9
    ).excluding("2026-12-24"),
    "every 10 days at 9 from 2026-03-02": CalendarIntervalTrigger(days=10, hour=9, start_date="2026-03-02"),
    # zone, beginning, end, exceptions
    "every day at 9 in Europe/Berlin": cron(hour=9, timezone="Europe/Berlin"),
    "every day at 9, america/new_york time": cron(hour=9, timezone="America/New_York"),
    "every day at 9 UTC": cron(hour=9, timezone="UTC"),
    "every day at 9 from 2026-06-01 until 2026-06-30": cron(
        hour=9, start_date="2026-06-01 00:00:00", end_date="2026-06-30 23:59:59"
    ),
    "every day at 9, 5 times": cron(hour=9, max_fires=5),
    "every day at 9 except on 2026-12-25": cron(hour=9).excluding("2026-12-25"),
    "every day at 9 except from 2026-12-24 to 2026-12-26": cron(hour=9).excluding(
        (date(2026, 12, 24), date(2026, 12, 26))
    ),
    "every 45 minutes except on sundays": IntervalTrigger(minutes=45).excluding(
        BusinessCalendar(weekend=["sun"])
    ),
    "on 2026-12-24 at 18:00": DateTrigger("2026-12-24 18:00:00"),
    "once, at 2026-12-24 18:00 UTC": DateTrigger(datetime(2026, 12, 24, 18, tzinfo=UTC)),
    "every day at 9, and also at 2026-12-24 12:00 and 2026-12-31 12:00, except on 2026-12-25": OrTrigger(
        [cron(hour=9), DateTrigger("2026-12-24 12:00:00"), DateTrigger("2026-12-31 12:00:00")]
    ).excluding("2026-12-25"),
    "at 9 on mondays, and also at 17:00 on fridays": OrTrigger(
        [cron(day_of_week="mon", hour=9), cron(day_of_week="fri", hour=17)]
    ),
}


@pytest.mark.parametrize("text", MEANT)
def test_a_sentence_is_the_trigger_that_it_means(text):
    assert parse(text, "english") == MEANT[text]
    assert parse(text.upper().replace("AMERICA/NEW_YORK", "America/New_York"), "english") == MEANT[text]


@pytest.mark.parametrize("text", MEANT)
def test_its_trigger_is_the_same_again_from_plain_data_and_is_asked_both_ways(text):
    trigger = parse(text, "english").bind(timezone=ZoneInfo("Europe/Berlin"), now=NOW, job_id="job")
    assert trigger_from_dict(trigger_to_dict(trigger)) == trigger
    for earlier, later in pairwise(trigger.upcoming(NOW, 6)):
        assert trigger.previous(later) == earlier


@pytest.mark.parametrize(
    "text", ["every weekday at 9am", "every 2 weeks on monday at 9", "last friday of the month at 17:00"]
)
def test_it_needs_no_name_of_its_dialect_where_no_other_reads_it(text):
    assert parse(text) == parse(text, "english")


REFUSED = {
    "at a minute past every hour": (27, "the job's id chooses", None),
    "at a minute from 30 to 9 past every hour that the job's id chooses": (23, "9 is before 30", None),
    "at 9 on the last 99 days of the month": (17, "expected", None),
    "at sunset in Berlin": (10, "where is that? Expected degrees", None),
    "at sunset at 52°, 13°": (16, "expected N or S after the degrees", None),
    "at sunset at 95° N, 13° E": (0, "latitude must be a number of degrees from -90 to 90", None),
    "at sunset at 52° N, 13° E on mondays": (26, "the sun's events come every day", None),
    "every 2 days at sunset at 52° N, 13° E": (0, "the sun's events come every day", None),
    "with the sun 12° below the horizon": (34, "an event of the sun is missing", None),
    "with the sun very low": (13, "expected degrees", None),
    "35 m above sea level": (11, "expected 'its'", None),
    "at noon at 52° N, 13° E": (11, "expected", None),
    "every 7 minutes, from a minute that the job's id chooses": (17, "divides the hour", None),
    "at 9 at a time that the job's id chooses": (5, "said besides", None),
    "at 9 on the 1st on a day of the month that the job's id chooses": (16, "said besides", None),
    "every 2 weeks on monday at a time that the job's id chooses": (24, "said besides", None),
    "at a time that the job's id chooses at a full hour that the job's id chooses": (36, "second time", None),
    "at a time from 09:10 to 11:30 that the job's id chooses": (3, "expected", None),
    "at a time from 17:00 to 09:00 that the job's id chooses": (3, "expected", None),
    "at a time from 09:00 and 17:59 that the job's id chooses": (3, "expected", None),
    "at a time from 9 to 17:59 that the job's id chooses": (3, "expected", None),
    "at 9 on a day from Monday and Friday that the job's id chooses": (8, "expected", None),
    "at 9 on a day from Monday to the 5th that the job's id chooses": (8, "expected", None),
    "at 9 on a day from the 1st to the 7th that the job's id chooses": (8, "expected", None),
    "every 15 minutes, from a minute that the dice choose": (23, "expected", None),
    "at sunset at 52° N, 13° W, with the sun 12° above the horizon": (44, "expected 'below'", None),
    "at a time from 09:10:10 to 09:30:59 that the job's id chooses": (3, "expected", None),
    "at 9 on the 1st if that is also a day": (34, "expected a weekday", None),
    "at 9 on the 1st if that is also the 2nd": (32, "expected weekdays", None),
    "on mondays at 9 if that is also a friday": (16, "expected", None),
    "on mondays if that is also a friday at 9": (27, "goes with days of the month", None),
    "on the 1st if that is also a friday at 9 except on mondays": (41, "leave those out", None),
    "every day at 9, 2 times from 2026-03-05 08:00": (16, "write its time zone", None),
    "at 9 on the weekday nearest to the 99th": (35, "a month has no such day", None),
    "tomorrow at 9": (0, "depends on the present", None),
    "every day at 9 starting tomorrow": (24, "depends on the present", None),
    "in 5 minutes": (3, "counts from the present", None),
    "evry day at 9": (0, "expected", "every day at 9"),
    "every wensday at 9": (6, "expected", "every wednesday at 9"),
    "every day": (9, "a time of the day is missing", "every day at 09:00"),
    "on mondays": (10, "a time of the day is missing", "on mondays at 09:00"),
    "every month at 9": (16, "the day is missing", "every month at 9 on the 1st"),
    "every week at 9": (15, "the day is missing", "every week at 9 on monday"),
    "every day at 25": (13, "25 is no hour", None),
    "every day at 9:75": (13, "no time of the day", None),
    "every day at 13pm": (13, "no time of the day", None),
    "on the 32nd at 9": (7, "the 1st to the 31st", None),
    "on the sixth friday of the month at 9": (7, "at most five", None),
    "every second monday at 9": (6, "the n-th of the month or of some weeks", None),
    "every monday on the 1st at 9": (13, "days are said twice", None),
    "every 5 months on the 1st at 9": (0, "from when is that counted", None),
    "every 7 minutes on weekdays": (0, "doesn't divide the day", None),
    "every 20 minutes from 22:00 to 06:00 on fridays": (6, "over midnight", None),
    "every 0 minutes": (6, "above zero", None),
    "every 1.5 days at 9": (6, "whole numbers", None),
    "every day at 9 in Europe/Berln": (18, "did you mean 'Europe/Berlin'", None),
    "every day at 9 in Paris": (18, "expected", "every day at 9 in Europe/Paris"),
    "every day at 9 until": (20, "a date such as", None),
    "every day at 9 from 2026-02-30": (20, "is no date", None),
    "every day at 9 except on holidays": (25, "dates, weekdays or months", None),
    "every day at 9 %": (15, "is no word", None),
    "every 10 days at 9 from 2026-03-02 09:30": (19, "a date without a time", None),
    "first business day of the month at 8 in 2027": (0, "some years", None),
    "at 9 on the thirty-first": (12, "expected", None),
    "whenever (at 9) and (at 10": (26, "expected", None),
    "every 45 minutes, skipping times that don't exist": (0, "don't care for changes", None),
    "every 45 minutes, firing at both occurrences of times that come twice": (
        0,
        "don't care for changes",
        None,
    ),
    "every monday from 9 to 17": (13, "goes with a distance", None),
    "every 15 minutes from 9 to 5": (
        27,
        "is in the afternoon, or on the next day",
        "every 15 minutes from 9 to 17:00",
    ),
    "every hour between 11 and 3": (
        26,
        "is in the afternoon, or on the next day",
        "every hour between 11 and 15:00",
    ),
    "on monday at 9 and tuesday at 10": (19, "days are said twice", None),
    "every hour at 9": (0, "repeats within the day", None),
    "every day at 9, (": (16, "expected", None),
    "((((((((at 9))))))))": (6, "5 deep", None),
    "": (0, "expected a clause such as 'every day'", None),
    "whatever": (0, "expected a clause such as 'every day'", None),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_is_said_with_the_place_and_what_would_have_been_understood(text):
    position, reason, hint = REFUSED[text]
    with pytest.raises(CronSyntaxError) as caught:
        parse(text, "english")
    assert (caught.value.position, caught.value.hint) == (position, hint), str(caught.value)
    assert reason in str(caught.value)
    if hint is not None:
        parse(hint, "english")


@pytest.mark.parametrize("text", ["0 25 * * *", "0 9 * * mon-fry", "H H * * 9", "0 9 * *"])
def test_what_is_written_in_another_dialect_is_not_told_of_as_english(text):
    with pytest.raises(CronSyntaxError) as caught:
        parse(text)
    assert "'english'" not in str(caught.value)
    assert "is no word" not in str(caught.value)
