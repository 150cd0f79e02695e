"""Fire times beside those of APScheduler 3.11.3, cronsim and croniter, on generated expressions, away from clock changes.

Half of them are in UTC; the others in zones with changes, where fire times are compared up to a day before the next one:
what happens at a change is proven in `test_every_clock_change.py`. What differs on purpose is named here, with its reason,
and nothing else may differ. Ten thousand expressions are compared; with ``-m soak`` twice as many again.
"""

from __future__ import annotations

import io
import json
import pickle
import random
import re
import subprocess
import sys
import warnings
from base64 import b64decode
from datetime import UTC, datetime, timedelta, tzinfo
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from croniter import CroniterError, croniter
from cronsim import CronSim, CronSimError

from mainspring.triggers.cron import CronTrigger

CHECKOUT = Path(__file__).resolve().parents[2]
STEPS = 5
DAY = timedelta(days=1)
#: For tests that use APScheduler's environment: one process makes it.
APSCHEDULER = pytest.mark.xdist_group("apscheduler")
#: How many expressions are compared with each, by default and in a soak.
ONCE = pytest.mark.one_python
WITH_APSCHEDULER = [
    pytest.param(1000, id="some", marks=ONCE),
    pytest.param(6000, id="many", marks=[pytest.mark.soak]),
]
WITH_CRON = [
    pytest.param(4500, id="some", marks=ONCE),
    pytest.param(7000, id="many", marks=[pytest.mark.soak]),
]
ZONES = ["UTC", "UTC", "UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]

#: Of schedules that may never come.
YEARS = "2020-2080"
#: ``3-3``, ``fri-fri``: see `test_a_range_of_one_value_is_that_value`.
RANGE_OF_ONE = re.compile(r"\b(\w+)-\1\b")

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


class Maker:
    """Makes expressions, the same ones for the same seed."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def starts(self) -> datetime:
        """A moment in one of the zones, at least a day after a change of its clocks."""
        zone = ZoneInfo(self.random.choice(ZONES))
        start = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=self.random.randrange(8 * 365 * 86400))
        while (start - DAY).astimezone(zone).utcoffset() != start.astimezone(zone).utcoffset():
            start += DAY
        return start.astimezone(zone)

    def part(self, low: int, high: int, names: list[str] | None, *, starred_steps: bool) -> str:
        draw = self.random
        first = draw.randint(low, high)
        last = draw.randint(first, high)
        kind = draw.randrange(6 if starred_steps else 5)
        if kind == 0 and names:
            return names[first - low] if draw.random() < 0.5 else f"{names[first - low]}-{names[last - low]}"
        if kind in (0, 1):
            return str(first)
        if kind == 2:
            return f"{first}-{last}"
        if kind == 3 and last > first:
            return f"{first}-{last}/{draw.randint(1, last - first)}"
        if kind == 5:
            return f"*/{draw.randint(1, max(1, (high - low) // 2))}"
        return str(last)

    def field(
        self, low: int, high: int, names: list[str] | None = None, *, starred_steps: bool = True
    ) -> str:
        if self.random.random() < 0.3:
            return "*"
        parts = self.random.choice([1, 1, 1, 2, 3])
        return ",".join(self.part(low, high, names, starred_steps=starred_steps) for _ in range(parts))

    def crontab(self) -> str:
        """Five fields of standard cron, with stepped stars only where all implementations agree about them."""
        weekday = self.field(0, 6, ["sun", *WEEKDAYS[:6]], starred_steps=False)
        return " ".join(
            [
                self.field(0, 59),
                self.field(0, 23),
                self.field(1, 31, starred_steps=False),
                self.field(1, 12, MONTHS),
                weekday,
            ]
        )

    def keywords(self) -> dict[str, str]:
        """Fields in APScheduler's grammar."""
        draw = self.random
        made = {}
        ranges = {
            "year": (2020, 2032),
            "month": (1, 12),
            "week": (1, 53),
            "hour": (0, 23),
            "minute": (0, 59),
            "second": (0, 59),
        }
        for name, (low, high) in ranges.items():
            if draw.random() < (0.15 if name in ("year", "week") else 0.5):
                made[name] = self.field(low, high, MONTHS if name == "month" else None)
        if draw.random() < 0.5:
            made["day"] = self.day()
        if draw.random() < 0.4:
            made["day_of_week"] = self.field(0, 6, WEEKDAYS)
        if "week" in made or ("day" in made and ("month" in made or "day_of_week" in made)):
            made.setdefault(
                "year", YEARS
            )  # what never comes is looked for until the last of them, there for seconds
        return made or {"second": "*/7"}

    def day(self) -> str:
        draw = self.random
        kind = draw.randrange(4)
        if kind == 0:
            return "last"
        if kind == 1:
            return f"{draw.choice(['1st', '2nd', '3rd', '4th', '5th', 'last'])} {draw.choice(WEEKDAYS)}"
        if kind == 2:
            return f"{self.field(1, 31)},last"
        return self.field(1, 31)


def calm_until(start: datetime) -> datetime:
    """A moment before which the clocks of the zone of `start` don't change; several years ahead where they never do."""
    zone = start.tzinfo
    assert isinstance(zone, tzinfo)
    day = start.astimezone(UTC)
    for _ in range(300):
        if (day + DAY).astimezone(zone).utcoffset() != start.utcoffset():
            return day
        day += DAY
    return day if str(zone) != "UTC" else start + 100 * 365 * DAY


def calm(times: list[str], start: datetime) -> list[str]:
    """Those of the times that are before the next change of the clocks."""
    until = calm_until(start)
    return [time for time in times if datetime.fromisoformat(time) < until]


def next_times(trigger: CronTrigger, start: datetime, steps: int = STEPS) -> list[str]:
    times = []
    previous, now = None, start
    for _ in range(steps):
        found = trigger.get_next_fire_time(previous, now)
        if found is None:
            break
        times.append(found.isoformat())
        previous = now = found
    return times


APSCHEDULER_PROGRAM = """
import json, sys, warnings
from datetime import datetime, timezone
from zoneinfo import ZoneInfo
from apscheduler.triggers.cron import CronTrigger
warnings.simplefilter("ignore")
answers = []
for keywords, start, zone, steps in json.load(sys.stdin):
    try:
        trigger = CronTrigger(timezone=ZoneInfo(zone), **keywords)
    except ValueError as error:
        answers.append("refused")
        continue
    times, previous, now = [], None, datetime.fromisoformat(start).astimezone(ZoneInfo(zone))
    for _ in range(steps):
        found = trigger.get_next_fire_time(previous, now)
        if found is None:
            break
        times.append(found.isoformat())
        previous = now = found
    answers.append(times)
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def apscheduler_python():
    """An interpreter that has APScheduler 3.11.3: that of the benchmarks."""
    spec = spec_from_file_location("harness", CHECKOUT / "benchmarks" / "harness.py")
    harness = module_from_spec(spec)
    sys.modules["harness"] = harness
    spec.loader.exec_module(harness)
    return harness.prepared_python()


@pytest.mark.filterwarnings("ignore:week=.* counts the weeks of each year anew")
@APSCHEDULER
@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", WITH_APSCHEDULER)
def test_an_expression_of_apscheduler_fires_when_it_does_there(apscheduler_python, count):
    maker = Maker("apscheduler")
    cases = [(maker.keywords(), maker.starts()) for _ in range(count)]
    answered = subprocess.run(
        [apscheduler_python, "-c", APSCHEDULER_PROGRAM],
        input=json.dumps(
            [(keywords, start.isoformat(), str(start.tzinfo), STEPS) for keywords, start in cases]
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    different = []
    compared = 0
    for (keywords, start), theirs in zip(cases, json.loads(answered.stdout), strict=True):
        try:
            ours = calm(next_times(CronTrigger(timezone=start.tzinfo, **keywords), start), start)
        except ValueError as error:
            ours = f"refused: {error}"
        if isinstance(theirs, list):
            theirs = calm(theirs, start)
        compared += bool(theirs)
        if ours != theirs:
            different.append((keywords, start, theirs, ours))
    assert different == []
    assert compared > count * 0.7


MADE_THERE = """
import base64, json, pickle, sys
from datetime import date, timezone
from zoneinfo import ZoneInfo
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
zone = ZoneInfo("Europe/Berlin")
cron = CronTrigger(day_of_week="mon-fri", hour="9-17/2", minute=30, jitter=None, timezone=zone)
made = [
    DateTrigger("2030-01-01 10:00:00", timezone=zone),
    IntervalTrigger(hours=2, start_date="2026-01-01", end_date="2027-01-01", timezone=zone),
    cron,
    CronTrigger(day="last", month="jan,mar", timezone=zone),
    CronTrigger.from_crontab("*/5 3 * * fri", timezone=zone),
    CalendarIntervalTrigger(months=1, days=2, hour=2, start_date=date(2026, 1, 31), timezone=zone),
    OrTrigger([cron, DateTrigger("2030-01-01", timezone=zone)]),
    AndTrigger([CronTrigger(day="13", timezone=zone), CronTrigger(day_of_week="fri", timezone=zone)]),
]
json.dump([[str(t), repr(t), base64.b64encode(pickle.dumps(t)).decode()] for t in made], sys.stdout)
"""


class Renaming(pickle.Unpickler):
    """Finds our classes where APScheduler's are named, as the import hook and the job stores do."""

    def find_class(self, module, name):
        return super().find_class(re.sub(r"^apscheduler\b", "mainspring", module), name)


@APSCHEDULER
@ONCE  # its environment takes ten seconds to make, and the pickles of each protocol are read alike
def test_pickled_triggers_of_apscheduler_are_read_and_look_the_same(apscheduler_python):
    answered = subprocess.run(
        [apscheduler_python, "-c", MADE_THERE], capture_output=True, text=True, check=True
    )
    made = json.loads(answered.stdout)
    assert len(made) == 8
    start = datetime(2026, 3, 1, tzinfo=UTC)
    for text, representation, data in made:
        trigger = Renaming(io.BytesIO(b64decode(data))).load()
        assert (str(trigger), repr(trigger)) == (text, representation)
        assert trigger.get_next_fire_time(None, start) is not None


def standard_times(text: str, start: datetime) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return next_times(CronTrigger.from_unix(text, timezone=start.tzinfo), start)


@pytest.mark.parametrize("count", WITH_CRON)
def test_from_unix_fires_when_cronsim_does(count):
    maker = Maker("cronsim")
    different = []
    compared = 0
    for _ in range(count):
        text, start = maker.crontab(), maker.starts()
        try:
            walk = CronSim(text, start)
            theirs = calm([next(walk).isoformat() for _ in range(STEPS)], start)
        except (CronSimError, StopIteration):
            continue  # a day that never comes, in a form that cronsim refuses
        compared += bool(theirs)
        ours = calm(
            standard_times(text, start + timedelta(microseconds=1)), start
        )  # cronsim begins after its start
        if ours != theirs:
            different.append((text, start, theirs, ours))
    assert different == []
    assert compared > count * 0.7


@pytest.mark.parametrize("count", WITH_CRON)
def test_from_unix_fires_when_croniter_does(count):
    maker = Maker("croniter")
    different = []
    compared = 0
    for _ in range(count):
        text, start = maker.crontab(), maker.starts()
        if RANGE_OF_ONE.search(text):
            continue
        try:
            walk = croniter(text, start)
            theirs = calm([walk.get_next(datetime).isoformat() for _ in range(STEPS)], start)
        except CroniterError:
            continue  # a day that never comes
        compared += bool(theirs)
        ours = calm(standard_times(text, start + timedelta(microseconds=1)), start)
        if ours != theirs:
            different.append((text, start, theirs, ours))
    assert different == []
    assert compared > count * 0.5


def test_a_range_of_one_value_is_that_value():
    """croniter reads ``3-3`` as a range that goes all the way round, thus as ``*``; crontab(5) doesn't say so."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    walk = croniter("0 0 * * 3-3", start)
    assert [walk.get_next(datetime).day for _ in range(3)] == [2, 3, 4]
    assert standard_times("0 0 * * 3-3", start) == standard_times("0 0 * * 3", start)
    walk = CronSim("0 0 * * 3-3", start)
    assert standard_times("0 0 * * 3-3", start)[0] == next(walk).isoformat()


def test_a_stepped_star_is_a_star_where_days_are_combined():
    """With ``*/2`` in a field for days, Debian's cron and cronsim want both fields to match; croniter wants either."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    text = "0 0 */2 * mon"
    ours = standard_times(text, start)
    walk = CronSim(text, start)
    assert ours == [next(walk).isoformat() for _ in range(STEPS)]
    walk = croniter(text, start)
    assert ours != [walk.get_next(datetime).isoformat() for _ in range(STEPS)]
