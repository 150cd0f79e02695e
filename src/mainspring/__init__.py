"""Job scheduling: run Python functions on time, once, at intervals or by cron.

The interface is APScheduler 3's. The common names can be imported from here; they are loaded when they are first used,
so that importing mainspring loads no database driver and no event loop.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mainspring._version import __version__

if TYPE_CHECKING:
    from mainspring.executors.debug import DebugExecutor
    from mainspring.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
    from mainspring.job import Job
    from mainspring.jobstores.memory import MemoryJobStore
    from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
    from mainspring.schedulers.background import BackgroundScheduler
    from mainspring.schedulers.blocking import BlockingScheduler
    from mainspring.triggers.business_calendar import BusinessCalendar
    from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
    from mainspring.triggers.combining import AndTrigger, OrTrigger
    from mainspring.triggers.cron import CronTrigger
    from mainspring.triggers.date import DateTrigger
    from mainspring.triggers.interval import IntervalTrigger

#: The release of APScheduler whose interface this is: programs written for it ask for it by these names.
version = release = "3.11.3"
version_info = (3, 11, 3)

_HOME = {
    "AndTrigger": "triggers.combining",
    "BackgroundScheduler": "schedulers.background",
    "BlockingScheduler": "schedulers.blocking",
    "BusinessCalendar": "triggers.business_calendar",
    "CalendarIntervalTrigger": "triggers.calendarinterval",
    "CronTrigger": "triggers.cron",
    "DateTrigger": "triggers.date",
    "DebugExecutor": "executors.debug",
    "IntervalTrigger": "triggers.interval",
    "Job": "job",
    "MemoryJobStore": "jobstores.memory",
    "OrTrigger": "triggers.combining",
    "ProcessPoolExecutor": "executors.pool",
    "SQLAlchemyJobStore": "jobstores.sqlalchemy",
    "ThreadPoolExecutor": "executors.pool",
}

__all__ = [  # noqa: RUF022 - versions first
    "__version__",
    "release",
    "version",
    "version_info",
    "AndTrigger",
    "BackgroundScheduler",
    "BlockingScheduler",
    "BusinessCalendar",
    "CalendarIntervalTrigger",
    "CronTrigger",
    "DateTrigger",
    "DebugExecutor",
    "IntervalTrigger",
    "Job",
    "MemoryJobStore",
    "OrTrigger",
    "ProcessPoolExecutor",
    "SQLAlchemyJobStore",
    "ThreadPoolExecutor",
]


def __getattr__(name: str) -> Any:
    try:
        home = _HOME[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    found = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
