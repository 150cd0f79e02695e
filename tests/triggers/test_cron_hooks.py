# ruff: noqa: RUF012 - programs written for APScheduler annotate nothing
"""Fields of cron triggers that a program changes by subclassing, as programs written for APScheduler do."""

from __future__ import annotations

import pickle
import re
from calendar import monthrange
from datetime import UTC, datetime

import pytest

from mainspring.errors import SerializationError, TriggerError
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.expressions import AllExpression, RangeExpression, WeekdayPositionExpression
from mainspring.triggers.cron.fields import BaseField, DayOfMonthField, DayOfWeekField, MonthField, WeekField


class Even:
    """An expression of a program: no relation of ours."""

    value_re = re.compile(r"even$")

    def validate_range(self, field_name):
        if field_name == "year":
            raise ValueError("years aren't counted so")

    def get_next_value(self, date, field):
        value = field.get_value(date)
        value += value % 2
        return value if value <= field.get_max(date) else None

    def __str__(self):
        return "even"


class EvenField(BaseField):
    COMPILERS = [*BaseField.COMPILERS, Even]


class EvenDayField(DayOfMonthField):
    COMPILERS = [*DayOfMonthField.COMPILERS, Even]


class FromTheEighth(DayOfMonthField):
    """A field that answers otherwise."""

    def get_next_value(self, dateval):
        found = super().get_next_value(dateval)
        return found if found is None else max(found, 8)


class TriggerWithEven(CronTrigger):
    FIELDS_MAP = {**CronTrigger.FIELDS_MAP, "hour": EvenField, "minute": EvenField, "day": EvenDayField}


def _brute(matches, start, count):
    """The first hours that match, one after the other."""
    from datetime import timedelta

    found = []
    while len(found) < count:
        if matches(start):
            found.append(start)
        start += timedelta(hours=1)
    return found


def test_a_programs_expressions_are_read_and_asked():
    trigger = TriggerWithEven(hour="even", day="even,31", minute=3, timezone="UTC")
    start = datetime(2026, 1, 30, 20, 3, tzinfo=UTC)
    times = trigger.upcoming(start, 60)
    assert times == _brute(lambda one: not one.hour % 2 and (not one.day % 2 or one.day == 31), start, 60)
    assert str(trigger) == "cron[day='even,31', hour='even', minute='3']"
    assert trigger.previous(times[5]) == times[4]


def test_a_programs_expression_says_itself_where_it_makes_sense():
    class Years(CronTrigger):
        FIELDS_MAP = {**CronTrigger.FIELDS_MAP, "year": EvenField}

    with pytest.raises(ValueError, match="years aren't counted so"):
        Years(year="even")
    with pytest.raises(ValueError, match="'odd'"):
        TriggerWithEven(hour="odd")


def test_a_programs_expression_before_ours_is_asked_first():
    class Whole(Even):
        value_re = re.compile(r"\*$")

    class Field(BaseField):
        COMPILERS = [Whole, *BaseField.COMPILERS]

    assert Field("hour", "*").values() == frozenset(range(0, 24, 2))
    assert Field("hour", "*/3").values() == frozenset(range(0, 24, 3))


def test_a_field_that_answers_otherwise_is_asked():
    class Late(CronTrigger):
        FIELDS_MAP = {**CronTrigger.FIELDS_MAP, "day": FromTheEighth}

    times = Late(day="*/5", timezone="UTC").upcoming(datetime(2026, 2, 1, tzinfo=UTC), 6)
    assert [(one.month, one.day) for one in times] == [(2, 8), (2, 11), (2, 16), (2, 21), (2, 26), (3, 8)]


def test_what_rests_on_more_than_a_field_knows_is_refused():
    class Weekdays(DayOfWeekField):
        def get_next_value(self, dateval):
            return dateval.weekday() if dateval.day > 7 else None

    class Years(DayOfMonthField):
        def get_next_value(self, dateval):
            return dateval.day if dateval.year % 3 else None

    for field in (Weekdays("day_of_week", "*"), Years("day", "*")):

        class Odd(CronTrigger):
            FIELDS_MAP = {**CronTrigger.FIELDS_MAP, field.name: type(field)}

        with pytest.raises(TriggerError, match="get_next_fire_time"):
            Odd(**{field.name: "*"}, timezone="UTC").upcoming(datetime(2026, 1, 1, tzinfo=UTC), 1)


def test_a_trigger_with_a_field_of_a_program_is_pickled_and_not_written_as_plain_data():
    trigger = TriggerWithEven(hour="even", timezone="UTC")
    with pytest.raises(SerializationError, match="plain data"):
        trigger.to_dict()
    start = datetime(2026, 1, 30, 20, tzinfo=UTC)
    assert pickle.loads(pickle.dumps(trigger)).upcoming(start, 5) == trigger.upcoming(start, 5)


@pytest.mark.parametrize(
    ("field", "date", "expected"),
    [
        (BaseField("hour", "*/5"), datetime(2026, 3, 1, 6), 10),
        (BaseField("hour", "*/5"), datetime(2026, 3, 1, 21), None),
        (BaseField("minute", "3,1"), datetime(2026, 3, 1, 6, 2), 3),
        (DayOfMonthField("day", "*"), datetime(2026, 2, 28), 28),
        (DayOfMonthField("day", "29-31"), datetime(2026, 2, 1), None),
        (DayOfMonthField("day", "last"), datetime(2024, 2, 3), 29),
        (DayOfMonthField("day", "2nd tue"), datetime(2026, 6, 1), 9),
        (DayOfMonthField("day", "2nd tue"), datetime(2026, 6, 10), None),
        (DayOfWeekField("day_of_week", "tue"), datetime(2026, 6, 1), 1),
        (MonthField("month", "feb-may"), datetime(2026, 6, 1), None),
        (WeekField("week", "9-11"), datetime(2026, 1, 5), 9),
    ],
)
def test_fields_tell_the_next_value(field, date, expected):
    assert field.get_next_value(date) == expected


def test_fields_tell_their_bounds_and_kinds_of_expressions():
    field = DayOfMonthField("day", "*")
    assert (field.get_min(datetime(2024, 2, 1)), field.get_max(datetime(2024, 2, 1))) == (
        1,
        monthrange(2024, 2)[1],
    )
    assert [AllExpression, RangeExpression] == BaseField.COMPILERS
    assert WeekdayPositionExpression in DayOfMonthField.COMPILERS
