"""Job scheduling: run Python functions on time, once, at intervals or by cron.

The interface is APScheduler 3's. The common names can be imported from here; they are loaded when they are first used,
so that importing mainspring loads no database driver and no event loop.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mainspring._version import __version__

if TYPE_CHECKING:
    from mainspring.current import current_run
    from mainspring.executors.asyncio import AsyncIOExecutor
    from mainspring.executors.debug import DebugExecutor
    from mainspring.executors.gevent import GeventExecutor
    from mainspring.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
    from mainspring.executors.qt import QtExecutor
    from mainspring.executors.tornado import TornadoExecutor
    from mainspring.executors.twisted import TwistedExecutor
    from mainspring.job import Job
    from mainspring.jobstores.memory import MemoryJobStore
    from mainspring.jobstores.mongodb import MongoDBJobStore
    from mainspring.jobstores.redis import RedisJobStore
    from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
    from mainspring.model import RunRecord
    from mainspring.retry import Retry
    from mainspring.run_handle import RunHandle
    from mainspring.schedulers.asyncio import AsyncIOScheduler
    from mainspring.schedulers.background import BackgroundScheduler
    from mainspring.schedulers.blocking import BlockingScheduler
    from mainspring.schedulers.gevent import GeventScheduler
    from mainspring.schedulers.qt import QtScheduler
    from mainspring.schedulers.tornado import TornadoScheduler
    from mainspring.schedulers.twisted import TwistedScheduler
    from mainspring.triggers.after import AfterJob
    from mainspring.triggers.business_calendar import BusinessCalendar
    from mainspring.triggers.business_day import BusinessDayTrigger
    from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
    from mainspring.triggers.combining import AndTrigger, OrTrigger
    from mainspring.triggers.cron import CronTrigger
    from mainspring.triggers.date import DateTrigger
    from mainspring.triggers.interval import IntervalTrigger
    from mainspring.triggers.recurrence import RecurrenceTrigger
    from mainspring.triggers.sun import SunTrigger
    from mainspring.triggers.weekly import WeeklyTrigger

#: The release of APScheduler whose interface this is: programs written for it ask for it by these names.
version = release = "3.11.3"
version_info = (3, 11, 3)

_HOME = {
    "AfterJob": "triggers.after",
    "AndTrigger": "triggers.combining",
    "AsyncIOExecutor": "executors.asyncio",
    "AsyncIOScheduler": "schedulers.asyncio",
    "BackgroundScheduler": "schedulers.background",
    "BlockingScheduler": "schedulers.blocking",
    "BusinessCalendar": "triggers.business_calendar",
    "BusinessDayTrigger": "triggers.business_day",
    "CalendarIntervalTrigger": "triggers.calendarinterval",
    "CronTrigger": "triggers.cron",
    "DateTrigger": "triggers.date",
    "DebugExecutor": "executors.debug",
    "GeventExecutor": "executors.gevent",
    "GeventScheduler": "schedulers.gevent",
    "IntervalTrigger": "triggers.interval",
    "Job": "job",
    "MemoryJobStore": "jobstores.memory",
    "MongoDBJobStore": "jobstores.mongodb",
    "OrTrigger": "triggers.combining",
    "ProcessPoolExecutor": "executors.pool",
    "QtExecutor": "executors.qt",
    "QtScheduler": "schedulers.qt",
    "RecurrenceTrigger": "triggers.recurrence",
    "RedisJobStore": "jobstores.redis",
    "Retry": "retry",
    "RunHandle": "run_handle",
    "RunRecord": "model",
    "SQLAlchemyJobStore": "jobstores.sqlalchemy",
    "SunTrigger": "triggers.sun",
    "ThreadPoolExecutor": "executors.pool",
    "TornadoExecutor": "executors.tornado",
    "TornadoScheduler": "schedulers.tornado",
    "TwistedExecutor": "executors.twisted",
    "TwistedScheduler": "schedulers.twisted",
    "WeeklyTrigger": "triggers.weekly",
    "current_run": "current",
}

__all__ = [  # noqa: RUF022 - versions first
    "__version__",
    "release",
    "version",
    "version_info",
    "AfterJob",
    "AndTrigger",
    "AsyncIOExecutor",
    "AsyncIOScheduler",
    "BackgroundScheduler",
    "BlockingScheduler",
    "BusinessCalendar",
    "BusinessDayTrigger",
    "CalendarIntervalTrigger",
    "CronTrigger",
    "DateTrigger",
    "DebugExecutor",
    "GeventExecutor",
    "GeventScheduler",
    "IntervalTrigger",
    "Job",
    "MemoryJobStore",
    "MongoDBJobStore",
    "OrTrigger",
    "ProcessPoolExecutor",
    "QtExecutor",
    "QtScheduler",
    "RecurrenceTrigger",
    "RedisJobStore",
    "Retry",
    "RunHandle",
    "RunRecord",
    "SQLAlchemyJobStore",
    "SunTrigger",
    "ThreadPoolExecutor",
    "TornadoExecutor",
    "TornadoScheduler",
    "TwistedExecutor",
    "TwistedScheduler",
    "WeeklyTrigger",
    "current_run",
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
