"""Helpers that programs written for APScheduler import from here; they live in modules named for what they do."""

from typing import TYPE_CHECKING

from mainspring.callables import check_callable_args, get_callable_name, iscoroutinefunction_partial
from mainspring.coercion import asbool, asint, undefined
from mainspring.former_names import former_names
from mainspring.references import maybe_ref, obj_to_ref, ref_to_obj
from mainspring.timezones import (
    UTC,
    asdate,
    astimezone,
    convert_to_datetime,
    datetime_ceil,
    datetime_repr,
    datetime_to_utc_timestamp,
    datetime_utc_add,
    localize,
    normalize,
    timedelta_seconds,
    timezone_repr,
    utc_timestamp_to_datetime,
)

__all__ = [
    "UTC",
    "asbool",
    "asdate",
    "asint",
    "astimezone",
    "check_callable_args",
    "convert_to_datetime",
    "datetime_ceil",
    "datetime_repr",
    "datetime_to_utc_timestamp",
    "datetime_utc_add",
    "get_callable_name",
    "iscoroutinefunction_partial",
    "localize",
    "maybe_ref",
    "normalize",
    "obj_to_ref",
    "ref_to_obj",
    "timedelta_seconds",
    "timezone_repr",
    "undefined",
    "utc_timestamp_to_datetime",
]

if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
