"""Readers of what other schedulers were told: each gives a `Plan` of jobs, which can be looked at before it is applied.

Nothing is run, and no module of the user's is imported, while something is read. The other libraries aren't needed either: their objects are read by the
attributes that they have, databases and Redis by what is stored there. What can't be said here is in the plan, with the reason.

Names are loaded when they are first used, so that nobody pays for the readers of others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mainspring.moving.celery_beat import read_celery_beat
    from mainspring.moving.crontab import read_crontab
    from mainspring.moving.django_celery_beat import read_django_celery_beat
    from mainspring.moving.kubernetes import read_kubernetes
    from mainspring.moving.plan import LeftOut, Plan, PlannedJob
    from mainspring.moving.rq_scheduler import read_rq_scheduler
    from mainspring.moving.schedule import read_schedule
    from mainspring.moving.systemd import read_systemd

_HOME = {
    "LeftOut": "plan",
    "Plan": "plan",
    "PlannedJob": "plan",
    "read_celery_beat": "celery_beat",
    "read_crontab": "crontab",
    "read_django_celery_beat": "django_celery_beat",
    "read_kubernetes": "kubernetes",
    "read_rq_scheduler": "rq_scheduler",
    "read_schedule": "schedule",
    "read_systemd": "systemd",
}

__all__ = [
    "LeftOut",
    "Plan",
    "PlannedJob",
    "read_celery_beat",
    "read_crontab",
    "read_django_celery_beat",
    "read_kubernetes",
    "read_rq_scheduler",
    "read_schedule",
    "read_systemd",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
