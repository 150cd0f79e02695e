"""Run where Celery is: reads the schedules of a real app, and tells how their times differ from Celery's own, as JSON."""

from __future__ import annotations

import json
import random
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from celery import Celery
from celery.schedules import crontab, schedule, solar

from mainspring.moving import read_celery_beat

COUNT = 50
FIXED = [
    {"minute": "0", "hour": "9", "day_of_week": "mon-fri"},
    {"minute": "*/15"},
    {"minute": 30, "hour": "*/2"},
    {"minute": "0", "hour": "0", "day_of_month": "13", "day_of_week": "fri"},  # and, where a crontab has or
    {"minute": "0", "hour": "0", "day_of_month": "1-7", "day_of_week": "1"},
    {"minute": "0", "hour": "3", "day_of_week": "*/2"},  # 0 is Sunday
    {"minute": "0", "hour": "3", "day_of_week": "sat-mon"},
    {"minute": "0", "hour": "3", "day_of_week": "fri,sun"},
    {"minute": "5,50", "hour": "22-2"},
    {"minute": "0", "hour": "*/3,8-17"},
    {"minute": "0", "hour": "6", "day_of_month": "*/3"},
    {"minute": "0", "hour": "6", "day_of_month": "31"},
    {"minute": "0", "hour": "6", "day_of_month": "29", "month_of_year": "2"},
    {"minute": "0", "hour": "6", "month_of_year": "*/3"},
    {"minute": "0", "hour": "6", "month_of_year": "nov-feb", "day_of_month": "1,15"},
    {"minute": {0, 20}, "hour": {1, 2}},
    {"minute": "10-50/20", "hour": "0"},
    {"minute": "0", "hour": "12", "day_of_week": "wednesday"},
    {"minute": "0, 30", "hour": "12"},
]


def drawn(seed: int) -> dict[str, str]:
    source = random.Random(seed)

    def field(low: int, high: int) -> str:
        kind = source.randrange(5)
        a, b = sorted(source.sample(range(low, high + 1), 2))
        return ["*", f"*/{source.randint(1, 9)}", f"{a}", f"{a}-{b}", f"{a},{b}"][kind]

    return {
        "minute": str(source.randrange(60)),  # so that a day has few
        "hour": field(0, 23),
        "day_of_week": field(0, 6),
        "day_of_month": field(1, 28),
        "month_of_year": field(1, 12),
    }


def celerys_times(one: crontab, start: datetime) -> list[datetime]:
    times, last = [], start
    for _ in range(COUNT):
        begin, delta, _now = one.remaining_delta(last)
        last = begin + delta
        times.append(last.astimezone(UTC))
    return times


def differences(zone: str, count: int) -> list[str]:
    app = Celery("app", set_as_current=False)
    app.conf.timezone = zone
    start = datetime(2026, 11, 3, 10, 17, 30, tzinfo=ZoneInfo(zone))  # no change of the clocks for months
    now = lambda: start
    specs = [*FIXED, *map(drawn, range(count))]
    app.conf.beat_schedule = {
        str(at): {"task": "tasks.work", "schedule": crontab(**spec, app=app, nowfun=now)}
        for at, spec in enumerate(specs)
    }
    plan = read_celery_beat(app, now=start)
    found = []
    for at, spec in enumerate(specs):
        theirs = celerys_times(app.conf.beat_schedule[str(at)]["schedule"], start)
        ours = [time.astimezone(UTC) for time in plan[str(at)].trigger.upcoming(start, COUNT)]
        if zone != "UTC":  # beyond March the clocks change, for which rules differ
            ours, theirs = (
                [t for t in times if t < datetime(2027, 3, 1, tzinfo=UTC)] for times in (ours, theirs)
            )
        if ours != theirs:
            pairs = [(str(a), str(b)) for a, b in zip(theirs, ours, strict=False) if a != b][:2]
            found.append(f"{zone} {spec}: {pairs}")
    return found


def interval_differences() -> list[str]:
    """Intervals from when beat starts; rounded ones from a full day, where the phase is the same."""
    found = []
    zone = ZoneInfo("UTC")
    for is_relative in (False, True):
        for every in (30, 90, 300, 3600, 7200, 21600, 86400, 3 * 86400):
            start = (
                datetime(2026, 11, 3, tzinfo=zone)
                if is_relative
                else datetime(2026, 11, 3, 10, 17, 30, tzinfo=zone)
            )
            one = schedule(timedelta(seconds=every), relative=is_relative, nowfun=lambda: start)
            plan = read_celery_beat({"x": {"task": "tasks.work", "schedule": one}}, now=start)
            last, theirs = start, []
            for _ in range(COUNT):
                last += one.remaining_estimate(last) + (start - last)
                theirs.append(last)
            trigger = plan["x"].trigger.bind(timezone=zone, now=start, job_id="x")
            ours = [time for time in trigger.upcoming(start, COUNT + 1) if time > start][:COUNT]
            if ours != theirs:
                found.append(f"every {every}, relative={is_relative}: {theirs[:3]} {ours[:3]}")
    return found


def solar_differences() -> list[str]:
    found = []
    start = datetime(2026, 11, 3, 10, tzinfo=UTC)
    for event in sorted(solar._all_events):
        one = solar(event, 52.52, 13.4, nowfun=lambda: start)
        plan = read_celery_beat({"x": {"task": "tasks.work", "schedule": one}}, now=start)
        theirs = one.remaining_estimate(start) + start
        ours = plan["x"].trigger.upcoming(start, 1)[0]
        if abs(ours - theirs) > timedelta(minutes=5):
            found.append(f"{event}: {theirs} {ours}")
    return found


def calls() -> list[str]:
    """A task of a real app is called as a function, and sent by its app, as the plan has it."""
    import tasks

    said = []
    plan = read_celery_beat(tasks.app, tasks={"named": "tasks:named"})
    for job in plan.jobs:
        module, name = job.func.split(":")
        said.append(f"{job.id} {getattr(sys.modules[module], name)(*job.args, **job.kwargs)}")
    sent = read_celery_beat(tasks.app, send="tasks:app.send_task")
    said += [f"sent {tasks.app.send_task(*job.args, **job.kwargs).id is not None}" for job in sent.jobs]
    return said


print(
    json.dumps(
        {
            "crontab": [
                *differences("UTC", int(sys.argv[1])),
                *differences("Europe/Berlin", int(sys.argv[1])),
            ],
            "interval": interval_differences(),
            "solar": solar_differences(),
            "calls": calls(),
        }
    )
)
