"""Whatever a source holds, a reader gives a plan that can be shown, or a `ReadingError`: never another error."""

from __future__ import annotations

import copy
import random
import warnings
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from mainspring.errors import ReadingError
from mainspring.moving import read_celery_beat, read_crontab, read_kubernetes, read_systemd

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ROUNDS = 60
WORDS = [
    *(
        "*",
        "*/5",
        "0",
        "59",
        "mon-fri",
        "@daily",
        "@reboot",
        "\\%",
        "%",
        "\n",
        " ",
        "\t",
        "=",
        "A",
        "CRON_TZ",
        "Europe/Berlin",
    ),
    *(
        "RANDOM_DELAY",
        "99999999999999",
        "'",
        '"',
        "#",
        "root",
        "~",
        "-n",
        "\x00",
        "\u2028",
        "é",
        "\\",
        "${A}",
        "$",
        "[Timer]\n",
        "[Service]\n",
    ),
    *(
        "OnCalendar=",
        "daily",
        "OnUnitActiveSec=",
        "1e",
        "5min",
        "infinity",
        "ExecStart=",
        "/bin/x",
        "Environment=",
        "Persistent=",
        "yes",
        "%i",
    ),
    *("RandomizedDelaySec=", "TimeoutStartSec=", "Type=oneshot", ";", "-", "0 9 * * 1 x", "* * * * * y"),
]
JUNK = [None, 5, -1, "x", "", [], {}, [1], {"a": 1}, True, 10**30, 1.5, float("nan"), "61 * * * *", b"x"]
CONTAINER = {
    "image": "b",
    "command": ["a"],
    "args": ["x"],
    "env": [{"name": "A", "value": "1"}],
    "workingDir": "/",
}
CRON_JOB = {
    "kind": "CronJob",
    "metadata": {"name": "backup", "namespace": "ops"},
    "spec": {
        "schedule": "0 3 * * *",
        "timeZone": "Europe/Berlin",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 300,
        "suspend": False,
        "jobTemplate": {
            "spec": {
                "backoffLimit": 2,
                "activeDeadlineSeconds": 600,
                "template": {"spec": {"containers": [CONTAINER]}},
            }
        },
    },
}


def lines(source):
    return (
        "".join(source.choice(WORDS) + source.choice(["", " ", ""]) for _ in range(source.randrange(1, 14)))
        + "\n"
    )


def spoilt(source, value):
    """A copy of something nested, with another value at one or two places of it."""
    root = [copy.deepcopy(value)]
    places = []

    def walk(parent):
        for key in list(parent) if isinstance(parent, dict) else range(len(parent)):
            places.append((parent, key))
            if isinstance(parent[key], (dict, list)):
                walk(parent[key])

    walk(root[0])
    for _ in range(source.randrange(1, 3)):
        parent, key = source.choice(places)
        parent[key] = source.choice(JUNK)
    return root[0]


def entries(source):
    parts = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
    values = ["*", "5", "mon", 5, {1, 2}, "x", None, [], "1-", "7", "*/0"]
    cron = SimpleNamespace(
        **{f"_orig_{name}": source.choice(values) for name in parts}, **dict.fromkeys(parts)
    )
    sun = SimpleNamespace(event="sunset", lat=source.choice([1, "x", None, 100]), lon=1)
    schedules = [
        5,
        timedelta(hours=3),
        cron,
        sun,
        timedelta(days=10**8),
        1e300,
        SimpleNamespace(run_every=timedelta(0)),
    ]
    entry = {
        "task": "a.b",
        "schedule": source.choice(schedules),
        "args": [1],
        "kwargs": {},
        "options": {"expires": 5},
        "relative": True,
    }
    return {"a": spoilt(source, entry)}


SOURCES = {
    "a user's crontab": lambda source: read_crontab(
        lines(source), system=False, timezone=source.choice([None, "Asia/Tokyo"]), now=NOW
    ),
    "a system's crontab": lambda source: read_crontab(lines(source), system=True, now=NOW),
    "a timer": lambda source: read_systemd(
        {"a.timer": f"[Timer]\n{lines(source)}", "a.service": "[Service]\nExecStart=/x\n"}, now=NOW
    ),
    "a service": lambda source: read_systemd(
        {
            "a.timer": "[Timer]\nOnCalendar=daily\n",
            "a.service": f"[Service]\nExecStart=/x ${{A}}\n{lines(source)}",
        },
        now=NOW,
    ),
    "a text of YAML": lambda source: read_kubernetes(lines(source), now=NOW),
    "a manifest": lambda source: read_kubernetes(spoilt(source, CRON_JOB), now=NOW),
    "entries of beat": lambda source: read_celery_beat(
        entries(source), send=source.choice([None, "a:b"]), now=NOW
    ),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_it_is_read_or_refused(kind):
    warnings.simplefilter("ignore")
    plans = refusals = 0
    for seed in range(ROUNDS):
        try:
            str(SOURCES[kind](random.Random(seed)))
            plans += 1
        except ReadingError:
            refusals += 1
    assert plans
    assert refusals
