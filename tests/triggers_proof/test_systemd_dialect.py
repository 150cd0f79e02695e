"""What systemd makes of a calendar event, `parse` makes of it too: compared with ``systemd-analyze calendar``, and with a plain reading of the manual."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring.errors import TriggerError
from mainspring.triggers import parse
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict

ANALYZE = shutil.which("systemd-analyze")
# No full hour follows soon: of seconds in steps without an end systemd leaves out the first one then.
START = datetime(2027, 2, 25, 13, 29, 57, tzinfo=UTC)
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def some_weekdays(pick: random.Random) -> str:
    def part() -> str:
        first, last = sorted(pick.sample(range(7), 2))
        return pick.choice(
            [DAYS[first], DAYS[first].lower(), f"{DAYS[first]}..{DAYS[last]}", f"{DAYS[last]}-{DAYS[first]}"]
        )

    return ",".join(part() for _ in range(pick.choice([1, 1, 2])))


def chain(pick: random.Random, low: int, high: int, *, is_seconds: bool = False) -> str:
    def number() -> str:
        value = str(pick.randint(low, high))
        return (
            value + pick.choice(["", "", ".5", ".25", ".1234567"])
            if is_seconds
            else value.zfill(pick.choice([1, 2]))
        )

    def part() -> str:
        first, last = number(), number()
        if float(first) > float(last) and pick.random() < 0.9:
            first, last = last, first
        if (
            is_seconds and float(last) - float(first) < 1
        ):  # in a list it loses such a range, or what is beside it
            return first
        step = str(pick.choice([1, 2, 3, 5, 7, 10, 15, 20, 27, 30, 40, 60]))
        if is_seconds and pick.random() < 0.2:
            step = pick.choice(["0.5", "0.3", "1.5", "0.0000004", "0.1"])
        return pick.choice([first, first, f"{first}..{last}", f"{first}/{step}", f"{first}..{last}/{step}"])

    if pick.random() < 0.3:
        return "*"
    parts = [part() for _ in range(pick.choice([1, 1, 1, 2, 3]))]
    if is_seconds and len(parts) > 1:  # the first of the others after such steps is left out too
        parts = [one if ".." in one else one.partition("/")[0] for one in parts]
    return ",".join(parts)


def some_event(pick: random.Random) -> str:
    parts = []
    if pick.random() < 0.4:
        parts.append(some_weekdays(pick))
    if pick.random() < 0.7:
        sign = pick.choice("--~")
        # Of a list of days from the month's end it refuses what isn't in the first ones, by a limit that shrinks with each.
        day = f"-{chain(pick, 1, 32)}" if sign == "-" else f"~{chain(pick, 1, 28).split(',')[0]}"
        year = (
            f"{pick.choice(['*', '*', chain(pick, 2020, 2040), '27..29', '2027/2'])}-"
            if pick.random() < 0.6
            else ""
        )
        parts.append(f"{year}{chain(pick, 1, 12)}{day}")
    if pick.random() < 0.7 or not parts:
        seconds = f":{chain(pick, 0, 59, is_seconds=True)}" if pick.random() < 0.4 else ""
        parts.append(f"{chain(pick, 0, 24 if pick.random() < 0.1 else 23)}:{chain(pick, 0, 59)}{seconds}")
    if pick.random() < 0.2:
        parts.append(pick.choice(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]))
    return " ".join(parts)


NAMED = [
    "minutely",
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "semiannually",
    "yearly",
    "annually",
    "Weekly UTC",
]


#: It has read the event, and has looked for the next time for too long.
GIVEN_UP: list[str] = ["given up"]


def by_systemd(
    texts: list[str], *, zone: str = "UTC", start: datetime = START, n: int = 4
) -> list[list[str] | None]:
    """The next times of each, as they are shown in UTC; ``None`` for what is refused."""
    times: list[list[str] | None] = []
    base = start.strftime("%Y-%m-%d %H:%M:%S UTC")
    environment = {**os.environ, "TZ": zone, "LC_ALL": "C"}
    for text in texts:
        done = subprocess.run(
            [str(ANALYZE), "calendar", f"--iterations={n}", f"--base-time={base}", text],
            capture_output=True, text=True, env=environment, check=False,
        )  # fmt: skip
        found = re.findall(r"(?:Next elapse|Iter\. #\d+|\(in UTC\)): \w+ ([\d-]+ [\d:]+) (\w+)", done.stdout)
        if done.returncode == 0:
            times.append([time for time, shown in found if shown == "UTC"])
        else:
            times.append(None if "Failed to parse" in done.stderr else GIVEN_UP)
    return times


def by_us(text: str, *, zone: str = "UTC", start: datetime = START, n: int = 4) -> list[str] | None:
    try:
        trigger = parse(text, "systemd")
    except TriggerError:
        return None
    trigger = trigger_from_dict(as_systemd_at_clock_changes(trigger_to_dict(trigger)))
    first = (start + timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
    times = [time.astimezone(UTC) for time in trigger.upcoming(first, n)]
    return [f"{time:%Y-%m-%d %H:%M:%S}" for time in times if time.year <= 2199]


def as_systemd_at_clock_changes(values: dict) -> dict:
    """A time that doesn't exist is left out, and of one that exists twice the first is taken."""
    if values["type"] == "cron":
        return {**values, "gap": "skip", "fold": "first"}
    if values["type"] == "or":
        return {**values, "triggers": [as_systemd_at_clock_changes(one) for one in values["triggers"]]}
    if values["type"] == "shifted":
        return {**values, "trigger": as_systemd_at_clock_changes(values["trigger"])}
    return values


def compare(texts: list[str], **options) -> int:
    accepted = 0
    different = []
    for text, theirs in zip(texts, by_systemd(texts, **options), strict=True):
        if theirs is GIVEN_UP:
            continue
        ours = by_us(text, **options)
        accepted += theirs is not None
        if ours != theirs:
            different.append((text, theirs, ours))
    assert not different, f"{len(different)} of {len(texts)}: {different[:5]}"
    return accepted


needs_systemd = pytest.mark.skipif(
    ANALYZE is None, reason="systemd-analyze (Debian's systemd) is not on this machine"
)


@needs_systemd
@pytest.mark.one_python
def test_systemd_itself_reads_events_as_we_do():
    pick = random.Random("events")
    assert compare([*NAMED, *(some_event(pick) for _ in range(150))]) > 60


@needs_systemd
@pytest.mark.one_python
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_systemd_itself_agrees_around_changes_of_the_clocks(zone):
    pick = random.Random(zone)
    texts = [f"{chain(pick, 0, 5)}:{chain(pick, 0, 59)}" for _ in range(40)]
    for start in (datetime(2027, 3, 13, 22, tzinfo=UTC), datetime(2027, 10, 30, 22, tzinfo=UTC)):
        compare(texts, zone=zone, start=start)


def by_hand(text: str, day: date) -> list[timedelta] | None:
    """The times of a day, by a reading of the manual that is as plain as can be: each value of each part is tried."""
    numbers = r"[\d.*/,]+?"
    match = re.fullmatch(
        rf"(?:([A-Z][a-z]+(?:(?:,|\.\.)[A-Z][a-z]+)*)(?: |$))?(?:(?:({numbers})-)?({numbers})([-~])({numbers}) ?)?"
        rf"(?:({numbers}):({numbers})(?::({numbers}))?)?", text
    )  # fmt: skip
    weekdays, years, months, sign, days, hours, minutes, seconds = match.groups()
    years = years and re.sub(r"\b(\d\d)\b", r"20\1", years)
    if weekdays is not None:
        spans = [part.split("..") for part in weekdays.split(",")]
        if not any(DAYS.index(span[0]) <= day.weekday() <= DAYS.index(span[-1]) for span in spans):
            return []
    length = monthrange(day.year, day.month)[1]
    for chain, value, highest in ((years, day.year, 2199), (months, day.month, 12)):
        if chain is not None and value not in values(chain, highest):
            return []
    if sign == "~" and not is_in_from_end(days, length + 1 - day.day):
        return []
    if sign == "-" and day.day not in values(days, length):
        return []
    times = (values(hours or "0", 23), values(minutes or "0", 59), values(seconds or "0", 59))
    return [timedelta(hours=h, minutes=m, seconds=s) for h in times[0] for m in times[1] for s in times[2]]


def values(chain: str, highest: int) -> list[int]:
    if chain == "*":
        return list(range(highest + 1))
    found = set()
    for part in chain.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("..")
        end = int(last) if last else highest if step else int(first)
        found |= {
            value
            for value in range(end + 1)
            if value >= int(first) and (value - int(first)) % int(step or 1) == 0
        }
    return sorted(found)


def is_in_from_end(chain: str, from_end: int) -> bool:
    for part in chain.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("..")
        if chain == "*" or (not step and not last and from_end == int(first)):
            return True
        if last and int(first) <= from_end <= int(last) and (from_end - int(first)) % int(step or 1) == 0:
            return True
        if step and not last and from_end <= int(first) and (int(first) - from_end) % int(step) == 0:
            return True
    return False


@pytest.mark.one_python
def test_every_event_fires_when_a_plain_reading_of_the_manual_says_so():
    pick = random.Random("by hand")
    checked = 0
    first = date(2027, 2, 20)
    while checked < 80:
        text = re.sub(r"\b[a-z]", lambda letter: letter[0].upper(), some_event(pick)).split(" U")[0]
        text = re.sub(r"([A-Z][a-z]+)-", r"\1..", text)
        if re.search(r"\d\.\d| [AE]", text):
            continue
        try:
            trigger = parse(text, "systemd")
        except TriggerError:
            continue
        expected = []
        for ahead in range(60):
            midnight = datetime.combine(first + timedelta(ahead), datetime.min.time(), UTC)
            expected += [midnight + time for time in by_hand(text, midnight.date())]
            if len(expected) > 300:
                break
        begin = datetime.combine(first, datetime.min.time(), UTC)
        end = midnight + timedelta(days=1) - timedelta(microseconds=1)
        times = trigger.upcoming(begin, 300)
        assert [time for time in times if time <= end] == expected[:300], text
        checked += 1


@needs_systemd
@pytest.mark.soak
def test_systemd_itself_reads_thousands_of_events_as_we_do():
    pick = random.Random("many events")
    assert compare([some_event(pick) for _ in range(5000)]) > 2000
