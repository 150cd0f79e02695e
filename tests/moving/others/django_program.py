"""Run where Django and django-celery-beat are: makes their tables in the database of a file, and writes tasks of every kind."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django_celery_beat"],
    USE_TZ=True,
    TIME_ZONE="Europe/Berlin",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()
# Models can be imported only now.
from django.core.management import call_command  # noqa: E402
from django_celery_beat.models import (  # noqa: E402
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

call_command("migrate", verbosity=0)
START = datetime(2026, 3, 1, tzinfo=UTC)
every = IntervalSchedule.objects.create(every=10, period=IntervalSchedule.SECONDS)
days = IntervalSchedule.objects.create(every=2, period=IntervalSchedule.DAYS)
cron = CrontabSchedule.objects.create(
    minute="30", hour="9", day_of_week="1-5", day_of_month="1-7", month_of_year="*", timezone="Europe/Berlin"
)
sun = SolarSchedule.objects.create(event="sunset", latitude="52.520000", longitude="13.400000")
at = ClockedSchedule.objects.create(clocked_time=START + timedelta(days=30))
make = PeriodicTask.objects.create
make(
    name="interval",
    task="app.tasks.poll",
    interval=every,
    args="[1, 2]",
    kwargs='{"x": "y"}',
    queue="slow",
    expire_seconds=5,
)
make(name="phase", task="app.tasks.poll", interval=days, last_run_at=START - timedelta(hours=7))
make(name="crontab", task="app.tasks.report", crontab=cron, description="what for")
make(name="solar", task="app.tasks.light", solar=sun)
make(name="clocked", task="app.tasks.once", clocked=at, one_off=True)
make(name="disabled", task="app.tasks.off", interval=every, enabled=False)
make(
    name="one-off", task="app.tasks.first", interval=every, one_off=True, start_time=START + timedelta(days=1)
)
make(name="expires", task="app.tasks.until", crontab=cron, expires=START + timedelta(days=40), priority=3)
make(name="nameless", task="send-mail", interval=every)
