"""The helpers of `apscheduler.util`, which programs and their job stores call themselves."""

import functools
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytz
from apscheduler.util import (
    UTC,
    asbool,
    asdate,
    asint,
    astimezone,
    check_callable_args,
    convert_to_datetime,
    datetime_ceil,
    datetime_repr,
    datetime_to_utc_timestamp,
    datetime_utc_add,
    get_callable_name,
    iscoroutinefunction_partial,
    localize,
    maybe_ref,
    normalize,
    obj_to_ref,
    ref_to_obj,
    timedelta_seconds,
    timezone_repr,
    undefined,
    utc_timestamp_to_datetime,
)
from kit import each, evaluated


def function(one, two=2, *, three=3):
    """Takes arguments."""


async def coroutine():
    """A coroutine function."""


class Shop:
    def open(self):
        """A method."""


CALLS = [
    "asint('5')", "asint(None)", "asint('x')", "asint(5.7)", "asbool('yes')", "asbool(' TRUE ')", "asbool('on')", "asbool('t')", "asbool('0')", "asbool('off')", "asbool('perhaps')", "asbool(1)", "asbool(None)", "asbool('')",
    "astimezone('UTC')", "astimezone('Asia/Tokyo')", "astimezone(None)", "astimezone(5)", "astimezone('Nowhere')", "astimezone(pytz.utc)", "astimezone(pytz.timezone('Asia/Tokyo'))", "astimezone(pytz.FixedOffset(60))", "astimezone(timezone.utc) is timezone.utc", "astimezone(ZoneInfo('Asia/Tokyo'))",
    "asdate('2055-03-04')", "asdate(date(2055, 3, 4))", "asdate(None)", "asdate('2055-3-4')",
    "convert_to_datetime(None, UTC, 'x')", "convert_to_datetime('2055-03-04', UTC, 'x')", "convert_to_datetime('2055-03-04 05:06:07', UTC, 'x')", "convert_to_datetime('2055-03-04 05:06:07.5', UTC, 'x')", "convert_to_datetime('2055-03-04T05:06:07Z', None, 'x')",
    "convert_to_datetime('2055-03-04 05:06:07-03:30', UTC, 'x')", "convert_to_datetime('2055-3-4 5:6:7', UTC, 'x')", "convert_to_datetime('nonsense', UTC, 'x')", "convert_to_datetime(5, UTC, 'x')", "convert_to_datetime(date(2055, 3, 4), UTC, 'x')", "convert_to_datetime(datetime(2055, 3, 4), UTC, 'x')",
    "convert_to_datetime(datetime(2055, 3, 4), 'Asia/Tokyo', 'x').isoformat()", "convert_to_datetime(datetime(2055, 3, 4), None, 'x')", "convert_to_datetime(datetime(2055, 3, 4, tzinfo=timezone.utc), ZoneInfo('Asia/Tokyo'), 'x')", "convert_to_datetime(datetime(2055, 7, 4, 5), pytz.timezone('Europe/Berlin'), 'x').isoformat()", "convert_to_datetime(input='2055-03-04', tz=UTC, arg_name='x')", "convert_to_datetime(datetime(2030, 3, 31, 2, 30), ZoneInfo('Europe/Berlin'), 'x').isoformat()",
    "datetime_to_utc_timestamp(datetime(2055, 3, 4, 5, 6, 7, 500000, tzinfo=timezone.utc))", "datetime_to_utc_timestamp(datetime(2055, 3, 4, tzinfo=ZoneInfo('Asia/Tokyo')))", "datetime_to_utc_timestamp(None)", "datetime_to_utc_timestamp(datetime(2055, 3, 4))", "utc_timestamp_to_datetime(2687663167.5)", "utc_timestamp_to_datetime(0)", "utc_timestamp_to_datetime(None)", "timedelta_seconds(timedelta(days=1, seconds=2, microseconds=500000))",
    "datetime_ceil(datetime(2055, 3, 4, 5, 6, 7, 1, tzinfo=timezone.utc))", "datetime_ceil(datetime(2055, 3, 4, 5, 6, 7, tzinfo=timezone.utc))", "datetime_ceil(datetime(2055, 3, 4, 5, 6, 7, 1))", "datetime_repr(datetime(2055, 3, 4, 5, 6, 7, tzinfo=timezone.utc))", "datetime_repr(None)", "datetime_repr(datetime(2055, 3, 4))",
    "datetime_utc_add(datetime(2030, 3, 31, 1, 30, tzinfo=ZoneInfo('Europe/Berlin')), timedelta(hours=1)).isoformat()", "datetime_utc_add(datetime(2030, 3, 31, 1, 30), timedelta(hours=1))", "timezone_repr(ZoneInfo('Asia/Tokyo'))", "timezone_repr(timezone.utc)", "timezone_repr(pytz.utc)",
    "localize(datetime(2055, 7, 4), ZoneInfo('Europe/Berlin')).isoformat()", "localize(datetime(2055, 7, 4), pytz.timezone('Europe/Berlin')).isoformat()", "localize(datetime(2030, 3, 31, 2, 30), ZoneInfo('Europe/Berlin')).isoformat()", "normalize(datetime(2030, 3, 31, 2, 30, tzinfo=ZoneInfo('Europe/Berlin'))).isoformat()", "normalize(datetime(2055, 7, 4, tzinfo=timezone.utc)).isoformat()", "localize(dt=datetime(2055, 7, 4), tzinfo=timezone.utc)", "normalize(dt=datetime(2055, 7, 4, tzinfo=timezone.utc))",
    "get_callable_name(function)", "get_callable_name(Shop)", "get_callable_name(Shop().open)", "get_callable_name(len)", "get_callable_name(lambda: 1)", "get_callable_name(5)", "get_callable_name(functools.partial(function, 1))",
    "obj_to_ref(function)", "obj_to_ref(Shop)", "obj_to_ref(Shop().open)", "obj_to_ref(lambda: 1)", "obj_to_ref(functools.partial(function, 1))", "obj_to_ref(len)", "obj_to_ref(5)", "obj_to_ref(functools.partial)",
    "ref_to_obj('utilities:function') is function", "ref_to_obj('utilities:Shop.open') is Shop.open", "ref_to_obj('nowhere_at_all:x')", "ref_to_obj('utilities:nope')", "ref_to_obj('utilities')", "ref_to_obj(5)", "maybe_ref('utilities:Shop') is Shop", "maybe_ref(5)", "maybe_ref(None)", "maybe_ref('nonsense')",
    "check_callable_args(function, [1], {})", "check_callable_args(function, [], {})", "check_callable_args(function, [1, 2, 3], {})", "check_callable_args(function, [1], {'one': 1})", "check_callable_args(function, [1], {'four': 1})", "check_callable_args(function, (1,), {'three': 1})", "check_callable_args(func=function, args=[1], kwargs={})", "check_callable_args(object(), [], {})",
    "iscoroutinefunction_partial(coroutine)", "iscoroutinefunction_partial(functools.partial(coroutine))", "iscoroutinefunction_partial(function)", "repr(undefined)", "bool(undefined)", "UTC is timezone.utc",
]  # fmt: skip


@each(CALLS)
def call(row):
    print(evaluated(row, globals()))
