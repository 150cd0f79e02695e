"""Names that programs written for APScheduler import from modules which don't use them here: each is looked up where it is at home.

No part of what a module has to offer: type checkers and documentation don't see them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_STORE = {
    "BaseJobStore": "mainspring.jobstores.base",
    "ConflictingIdError": "mainspring.errors",
    "Job": "mainspring.job",
    "JobLookupError": "mainspring.errors",
    "datetime_to_utc_timestamp": "mainspring.util",
    "maybe_ref": "mainspring.util",
    "utc_timestamp_to_datetime": "mainspring.util",
}
_TRIGGER = {
    "BaseTrigger": "mainspring.triggers.base",
    "astimezone": "mainspring.util",
    "convert_to_datetime": "mainspring.util",
    "datetime_ceil": "mainspring.util",
    "datetime_repr": "mainspring.util",
    "datetime_utc_add": "mainspring.util",
    "normalize": "mainspring.util",
    "timedelta": "datetime",
    "tzinfo": "datetime",
}
_SCHEDULER = {
    "BaseScheduler": "mainspring.schedulers.base",
    "BlockingScheduler": "mainspring.schedulers.blocking",
    "SchedulerNotRunningError": "mainspring.errors",
    "STATE_STOPPED": "mainspring.schedulers.states",
    "TIMEOUT_MAX": "mainspring.schedulers.base",
    "asbool": "mainspring.util",
    "maybe_ref": "mainspring.util",
    "timedelta": "datetime",
    "wraps": "functools",
}
_EXECUTOR = {
    "BaseExecutor": "mainspring.executors.base",
    "iscoroutinefunction_partial": "mainspring.util",
    "run_coroutine_job": "mainspring.executors.base",
    "run_job": "mainspring.executors.base",
}
#: By module, where the names are at home: a module, or a module and the name that it has there.
_HOMES: dict[str, dict[str, str]] = {
    "mainspring.executors.asyncio": _EXECUTOR,
    "mainspring.executors.debug": _EXECUTOR,
    "mainspring.executors.gevent": _EXECUTOR,
    "mainspring.executors.pool": _EXECUTOR | {"BrokenProcessPool": "concurrent.futures.process"},
    "mainspring.executors.tornado": _EXECUTOR
    | {"ThreadPoolExecutor": "concurrent.futures", "convert_yielded": "tornado.gen"},
    "mainspring.executors.twisted": _EXECUTOR,
    "mainspring.job": dict.fromkeys(
        (
            "check_callable_args",
            "convert_to_datetime",
            "datetime_repr",
            "get_callable_name",
            "obj_to_ref",
            "ref_to_obj",
        ),
        "mainspring.util",
    )
    | {"BaseTrigger": "mainspring.triggers.base"},
    "mainspring.jobstores.memory": _STORE,
    "mainspring.jobstores.mongodb": _STORE
    | {
        "ASCENDING": "pymongo",
        "Binary": "bson.binary",
        "DuplicateKeyError": "pymongo.errors",
        "MongoClient": "pymongo",
    },
    "mainspring.jobstores.redis": _STORE | {"Redis": "redis", "datetime": "datetime", "timezone": "datetime"},
    "mainspring.jobstores.sqlalchemy": _STORE
    | dict.fromkeys(
        ("Column", "Float", "LargeBinary", "MetaData", "Table", "Unicode", "and_", "create_engine", "select"),
        "sqlalchemy",
    )
    | {"IntegrityError": "sqlalchemy.exc", "null": "sqlalchemy.sql.expression"},
    "mainspring.schedulers.asyncio": _SCHEDULER,
    "mainspring.schedulers.background": _SCHEDULER,
    "mainspring.schedulers.blocking": _SCHEDULER,
    "mainspring.schedulers.gevent": _SCHEDULER,
    "mainspring.schedulers.qt": _SCHEDULER,
    "mainspring.schedulers.tornado": _SCHEDULER,
    "mainspring.schedulers.twisted": _SCHEDULER,
    "mainspring.triggers.calendarinterval": _TRIGGER
    | {"asdate": "mainspring.util", "timezone_repr": "mainspring.util"},
    "mainspring.triggers.combining": {"obj_to_ref": "mainspring.util", "ref_to_obj": "mainspring.util"},
    "mainspring.triggers.cron": _TRIGGER
    | dict.fromkeys(
        ("DayOfMonthField", "DayOfWeekField", "MonthField", "WeekField"), "mainspring.triggers.cron.fields"
    )
    | {"UTC": "datetime", "datetime": "datetime", "timezone": "datetime"},
    "mainspring.triggers.cron.expressions": {"asint": "mainspring.util"},
    "mainspring.triggers.date": _TRIGGER,
    "mainspring.triggers.interval": _TRIGGER,
    "mainspring.util": {"time": "datetime", "timezone": "datetime"}
    | {
        "iscoroutinefunction": "asyncio",
        "partial": "functools",
        "signature": "inspect",
    },
}


def former_names(module: str) -> Callable[[str], Any]:
    """What a module has as ``__getattr__``, to give the names that programs expect in it."""
    homes = _HOMES[module]

    def find(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name, obj=None)
        return getattr(import_module(home), name)

    return find
