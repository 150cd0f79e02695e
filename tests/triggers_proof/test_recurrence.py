"""`RecurrenceTrigger` against RFC 5545's own examples, against dateutil where no clocks change, and against a look at each time of the clock.

The look goes through all times of some weeks and asks of each, part by part, whether the rule lets it be. It shares no code with the trigger.
"""

from __future__ import annotations

import json
import pickle
import random
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, product
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr

from mainspring import RecurrenceTrigger
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict
from naive_clock import instants

NEW_YORK = ZoneInfo("America/New_York")
BERLIN = ZoneInfo("Europe/Berlin")
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

#: The examples of RFC 5545, section 3.8.5.3, all in New York: their lines, the first times, and whether there are no more.
RFC = [
    (
        "RRULE:FREQ=DAILY;COUNT=10",
        "970902 970903 970904 970905 970906 970907 970908 970909 970910 970911",
        True,
    ),
    ("RRULE:FREQ=DAILY;INTERVAL=2", "970902 970904 970906 970908 970910", False),
    ("RRULE:FREQ=DAILY;INTERVAL=10;COUNT=5", "970902 970912 970922 971002 971012", True),
    (
        "RRULE:FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        "970902 970904 970909 970911 970916 970918 970923 970925 970930 971002",
        True,
    ),
    (
        "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        "970902 970904 970916 970918 970930 971002 971014 971016",
        True,
    ),
    ("RRULE:FREQ=MONTHLY;COUNT=4;BYDAY=1FR", "970905 971003 971107 971205", True),
    (
        "RRULE:FREQ=MONTHLY;INTERVAL=2;COUNT=6;BYDAY=1SU,-1SU",
        "970907 970928 971102 971130 980104 980125",
        True,
    ),
    ("RRULE:FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "970922 971020 971117 971222 980119 980216", True),
    ("RRULE:FREQ=MONTHLY;BYMONTHDAY=-3", "970928 971029 971128 971229 980129 980226", False),
    (
        "RRULE:FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "970902 970915 971002 971015 971102 971115 971202 971215 980102 980115",
        True,
    ),
    (
        "RRULE:FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "970930 971001 971031 971101 971130 971201 971231 980101 980131 980201",
        True,
    ),
    ("RRULE:FREQ=YEARLY;COUNT=4;BYMONTH=6,7", "980602 980702 990602 990702", True),
    ("RRULE:FREQ=YEARLY;BYDAY=20MO", "980518 990517 000515", False),
    ("RRULE:FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "980511 990517 000515", False),
    ("RRULE:FREQ=YEARLY;INTERVAL=3;COUNT=4;BYYEARDAY=1,100,200", "000101 000409 000718 030101", True),
    ("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "980305 980312 980319 980326 990304", False),
    ("RRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "980213 980313 981113 990813 001013", False),
    ("RRULE:FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", "970913 971011 971108 971213 980110", False),
    (
        "RRULE:FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "971104 011106 051108",
        False,
    ),
    ("RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "970904 971007 971106", True),
    ("RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "970929 971030 971127 971230 980129", False),
    ("RRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=America/New_York:19970903T090000", "970902 970904", True),
    ("RRULE:FREQ=DAILY;COUNT=2\nRDATE;TZID=America/New_York:19970910T090000", "970902 970903 970910", True),
]


@pytest.mark.parametrize(("lines", "dates", "is_all"), RFC)
def test_the_examples_of_the_standard(lines, dates, is_all):
    trigger = RecurrenceTrigger(f"DTSTART;TZID=America/New_York:19970902T090000\n{lines}")
    expected = dates.split()
    found = trigger.upcoming(datetime(1997, 1, 1, tzinfo=UTC), len(expected) + is_all)
    assert [f"{each:%y%m%d}" for each in found] == expected
    assert {each.hour for each in found} == {9}, "on New York's clock, in summer and in winter"


def test_the_examples_of_the_standard_with_several_times_a_day():
    start = "DTSTART;TZID=America/New_York:19970902T090000\nRRULE:"
    begin = datetime(1997, 9, 2, tzinfo=NEW_YORK)

    def times(rule, count):
        return [f"{each:%d %H:%M}" for each in RecurrenceTrigger(start + rule).upcoming(begin, count)]

    assert times("FREQ=MINUTELY;INTERVAL=90;COUNT=4", 9) == ["02 09:00", "02 10:30", "02 12:00", "02 13:30"]
    assert times("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z", 9) == ["02 09:00", "02 12:00", "02 15:00"]
    daily = times("FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40", 60)
    assert daily == times("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16", 60)
    assert daily[23:25] == ["02 16:40", "03 09:00"]


def test_weeks_begin_where_the_rule_says():
    start = "DTSTART;TZID=America/New_York:19970805T090000\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST="
    begin = datetime(1997, 1, 1, tzinfo=UTC)
    found = {
        day: [f"{each:%m%d}" for each in RecurrenceTrigger(start + day).upcoming(begin, 9)]
        for day in ("MO", "SU")
    }
    assert found == {"MO": ["0805", "0810", "0819", "0824"], "SU": ["0805", "0817", "0819", "0831"]}


def test_days_that_a_month_lacks_are_left_out():
    trigger = RecurrenceTrigger("DTSTART:20070115T090000Z\nRRULE:FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5")
    found = trigger.upcoming(datetime(2007, 1, 1, tzinfo=UTC), 9)
    assert [f"{each:%m%d}" for each in found] == ["0115", "0130", "0215", "0315", "0330"]


def picked(pick: random.Random, *values: object, most: int = 3) -> str:
    return ",".join(map(str, pick.sample(values, pick.randint(1, min(most, len(values))))))


def a_rule(pick: random.Random, frequency: str, seconds: tuple[int, ...], *, has_end: bool = True) -> str:
    """A rule as text, of any parts that go together."""
    step = seconds[1] if frequency == "SECONDLY" and len(seconds) > 1 else 1
    parts = []
    if pick.random() < 0.5 or step > 1:
        parts.append(f"INTERVAL={step * pick.choice([1, 2, 3, 5, 7, 13, 24, 25, 30, 61, 90])}")
    if pick.random() < 0.2:
        parts.append(f"BYMONTH={picked(pick, *range(1, 13), most=6)}")
    if frequency == "YEARLY" and pick.random() < 0.3:
        parts.append(f"BYWEEKNO={picked(pick, 1, 2, 20, 52, 53, -1, -2, -52, -53)}")
        if pick.random() < 0.7:
            parts.append(f"BYDAY={picked(pick, *DAYS)}")
    elif pick.random() < 0.4:
        numbers = ["", "1", "2", "-1", "3", "-2"] if frequency in ("YEARLY", "MONTHLY") else [""]
        parts.append("BYDAY=" + ",".join({pick.choice(numbers) + pick.choice(DAYS) for _ in range(3)}))
    if frequency != "WEEKLY" and pick.random() < 0.2:
        parts.append(f"BYMONTHDAY={picked(pick, 1, 2, 13, 15, 28, 29, 30, 31, -1, -2, -31)}")
    if frequency not in ("DAILY", "WEEKLY", "MONTHLY") and pick.random() < 0.1:
        parts.append(f"BYYEARDAY={picked(pick, 1, 2, 60, 100, 200, 365, 366, -1, -100, -366)}")
    if pick.random() < 0.35:
        parts.append(f"BYHOUR={picked(pick, 0, 1, 2, 3, 4, 9, 22, 23)}")
    if pick.random() < 0.35:
        parts.append(f"BYMINUTE={picked(pick, 0, 1, 15, 30, 59)}")
    if pick.random() < 0.3:
        parts.append(f"BYSECOND={picked(pick, *seconds)}")
    if any(part.startswith("BY") for part in parts) and pick.random() < 0.25:
        parts.append(f"BYSETPOS={picked(pick, 1, 2, 3, -1, -2, 5, most=2)}")
    if pick.random() < 0.3:
        parts.append(f"WKST={pick.choice(DAYS)}")
    if has_end and pick.random() < 0.3:
        parts.append(f"COUNT={pick.randint(1, 40)}")
    pick.shuffle(parts)
    return ";".join([f"FREQ={frequency}", *parts])


def backwards(trigger, since: datetime, until: datetime) -> list[datetime]:
    times = []
    found = trigger.previous(until)
    while found is not None and found >= since:
        times.append(found.astimezone(UTC))
        found = trigger.previous(found)
    return times[::-1]


def differs_from_dateutil(rule: str) -> bool:
    """Where dateutil reads the standard in another way.

    It takes a rule of week numbers without weekdays for all days of these weeks, errs about those around new year, doesn't count the days of
    the first week that are before the start among the places of BYSETPOS, and of weekdays with numbers and without, it wants both.
    """
    weekdays = next((part[6:].split(",") for part in rule.split(";") if part.startswith("BYDAY")), [])
    are_mixed = len({len(weekday) > 2 for weekday in weekdays}) > 1
    return are_mixed or "BYWEEKNO" in rule or ("WEEKLY" in rule and "BYSETPOS" in rule)


def check_against_dateutil(number: int) -> None:
    pick = random.Random(number)
    frequency = pick.choice(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"])
    rule = a_rule(pick, frequency, (0, 7, 30, 59))
    is_slow_there = frequency in ("HOURLY", "MINUTELY") and any(
        part in rule for part in ("BYMONTH", "BYYEARDAY", "BYSETPOS", "BYDAY")
    )
    if differs_from_dateutil(rule) or is_slow_there:
        return
    start = datetime(2019, 1, 1) + pick.randrange(1500) * DAY + pick.randrange(86400) * SECOND
    try:
        expected = [found.replace(tzinfo=UTC) for found in islice(rrulestr(f"{rule}", dtstart=start), 20)]
    except ValueError:  # it says so of what never fires
        expected = []
    trigger = RecurrenceTrigger(rule, start_date=start, timezone=UTC)
    assert trigger.upcoming(start.replace(tzinfo=UTC) - DAY, len(expected) or 1) == expected, (rule, start)
    if expected:
        last = expected[-1] + SECOND
        assert backwards(trigger, expected[0], last) == expected, (rule, start)
        assert trigger.previous(expected[0]) is None
        assert trigger.count_between(expected[0] - SECOND, expected[-1]) == len(expected), (rule, start)


@pytest.mark.one_python
def test_it_fires_as_dateutil_does_where_no_clocks_change():
    for number in range(250):
        check_against_dateutil(number)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_it_fires_as_dateutil_does_where_no_clocks_change_for_long():
    for number in range(250, 5000):
        check_against_dateutil(number)


class Look:
    """A rule, read part by part, of which each time of the clock is asked."""

    def __init__(self, text: str, start: datetime) -> None:
        parts = dict(part.split("=") for part in text.split(";"))
        self.start = start
        self.frequency = parts["FREQ"]
        self.interval = int(parts.get("INTERVAL", "1"))
        self.count = int(parts["COUNT"]) if "COUNT" in parts else None
        self.week_start = DAYS.index(parts.get("WKST", "MO"))
        self.numbers = {
            name: {int(number) for number in parts[name].split(",")}
            for name in (
                "BYMONTH",
                "BYWEEKNO",
                "BYYEARDAY",
                "BYMONTHDAY",
                "BYHOUR",
                "BYMINUTE",
                "BYSECOND",
                "BYSETPOS",
            )
            if name in parts
        }
        self.weekdays = [
            (int(part[:-2] or 0), DAYS.index(part[-2:])) for part in parts.get("BYDAY", "").split(",") if part
        ]
        self._derive()

    def _derive(self) -> None:
        """What the rule leaves to its start."""
        names_days = self.weekdays or self.numbers.keys() & {"BYYEARDAY", "BYMONTHDAY"}
        start, sizes = self.start, ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]
        if not names_days:
            if "BYWEEKNO" in self.numbers or self.frequency == "WEEKLY":
                self.weekdays = [(0, start.weekday())]
            elif self.frequency in ("YEARLY", "MONTHLY"):
                self.numbers["BYMONTHDAY"] = {start.day}
                if self.frequency == "YEARLY":
                    self.numbers.setdefault("BYMONTH", {start.month})
        size = sizes.index(self.frequency)
        for name, unit, value in (
            ("BYHOUR", "HOURLY", start.hour),
            ("BYMINUTE", "MINUTELY", start.minute),
            ("BYSECOND", "SECONDLY", start.second),
        ):
            if size < sizes.index(unit):
                self.numbers.setdefault(name, {value})

    def period(self, wall: datetime) -> int:
        """The number of the year, month, or whatever it repeats by."""
        week = (wall.date().toordinal() - 1 - self.week_start) // 7
        seconds = int((wall - datetime(1, 1, 1)) / SECOND)
        return {
            "YEARLY": wall.year,
            "MONTHLY": wall.year * 12 + wall.month,
            "WEEKLY": week,
            "DAILY": seconds // 86400,
            "HOURLY": seconds // 3600,
            "MINUTELY": seconds // 60,
            "SECONDLY": seconds,
        }[self.frequency]

    def lets_day(self, day: date) -> bool:
        ends = {
            "BYMONTH": {day.month},
            "BYMONTHDAY": {day.day, day.day - 1 - self._last_of_month(day).day},
            "BYYEARDAY": {
                day.timetuple().tm_yday,
                day.timetuple().tm_yday - 1 - date(day.year, 12, 31).timetuple().tm_yday,
            },
            "BYWEEKNO": self._week_numbers(day),
        }
        if any(not self.numbers[name] & values for name, values in ends.items() if name in self.numbers):
            return False
        return not self.weekdays or any(self._is_weekday(day, *each) for each in self.weekdays)

    def _last_of_month(self, day: date) -> date:
        while (day + DAY).day != 1:
            day += DAY
        return day

    def _week_numbers(self, day: date) -> set[int]:
        """Of the week that the day is in, counted from either end of the year that has most of it."""

        def week_one(year: int) -> date:
            fourth = date(year, 1, 4)  # always in it
            while fourth.weekday() != self.week_start:
                fourth -= DAY
            return fourth

        year = max(year for year in (day.year - 1, day.year, day.year + 1) if week_one(year) <= day)
        number = (day - week_one(year)).days // 7 + 1
        return {number, number - 1 - (week_one(year + 1) - week_one(year)).days // 7}

    def _is_weekday(self, day: date, at: int, weekday: int) -> bool:
        if day.weekday() != weekday or not at:
            return day.weekday() == weekday
        in_month = self.frequency == "MONTHLY" or "BYMONTH" in self.numbers
        first = day.replace(day=1) if in_month else date(day.year, 1, 1)
        last = self._last_of_month(day) if in_month else date(day.year, 12, 31)
        return at in ((day - first).days // 7 + 1, -((last - day).days // 7) - 1)

    def walls(self, until: datetime, seconds: tuple[int, ...]) -> list[datetime]:
        """Those from the start on, up to `until`."""
        groups: dict[int, list[datetime]] = defaultdict(list)
        day = self.start.date() - 366 * DAY if self.frequency == "YEARLY" else self.start.date() - 31 * DAY
        first_period = self.period(self.start)
        clock = [
            time(*each)
            for each in product(range(24), range(60), seconds)
            if all(
                value in self.numbers.get(name, {value})
                for name, value in zip(("BYHOUR", "BYMINUTE", "BYSECOND"), each, strict=True)
            )
        ]
        while day <= until.date() + 366 * DAY * (self.frequency == "YEARLY") + 31 * DAY * (
            self.frequency == "MONTHLY"
        ):
            if self.lets_day(day):
                for at in clock:
                    wall = datetime.combine(day, at)
                    groups[self.period(wall)].append(wall)
            day += DAY
        found = []
        for period, members in groups.items():
            if (period - first_period) % self.interval == 0:
                places = self.numbers.get("BYSETPOS", range(1, len(members) + 1))
                found += {members[at - 1 if at > 0 else at] for at in places if abs(at) <= len(members)}
        found = sorted(wall for wall in found if wall >= self.start)
        return [wall for wall in found[: self.count] if wall <= until]


#: Zones with every kind of change: of an hour, of half an hour, at midnight, of a day, several in a year.
ZONES = [
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca"),
    *("Africa/Cairo", "Pacific/Apia", "America/St_Johns", "Asia/Gaza", "Europe/Dublin"),
]
CHANGES = [
    *(
        datetime(2026, 3, 29),
        datetime(2026, 10, 25),
        datetime(2026, 3, 8),
        datetime(2026, 11, 1),
        datetime(2026, 4, 5),
    ),
    *(
        datetime(2018, 2, 18),
        datetime(2018, 11, 4),
        datetime(2026, 2, 15),
        datetime(2011, 12, 30),
        datetime(2026, 4, 24),
    ),
]
POLICIES = [
    {},
    *({"gap": gap, "fold": fold} for gap in ("shift", "skip") for fold in ("first", "second", "both")),
]


def check_by_look(number: int) -> int:
    pick = random.Random(number)
    frequency = pick.choice(
        ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "HOURLY", "MINUTELY", "SECONDLY"]
    )
    seconds = (0, 30)
    rule = a_rule(pick, frequency, seconds)
    zone = ZoneInfo(pick.choice(ZONES))
    change = pick.choice(CHANGES)
    is_dense = frequency in ("MINUTELY", "SECONDLY")
    start = change - pick.randint(0, 2 if is_dense else 40) * DAY + time_of_day(pick)
    until = change + pick.randint(1, 2 if is_dense else 60) * DAY
    policy = pick.choice(POLICIES)
    look = Look(rule, start)
    walls = look.walls(until, tuple(sorted({*seconds, start.second})))
    expected = {moment for wall in walls for moment in instants(wall, zone, **policy)}
    lines = [f"DTSTART:{start:%Y%m%dT%H%M%S}", f"RRULE:{rule}"]
    if walls and pick.random() < 0.3:
        left_out = pick.sample(walls, min(3, len(walls)))
        lines.append("EXDATE:" + ",".join(f"{wall:%Y%m%dT%H%M%S}" for wall in left_out))
        expected -= {instants(wall, zone)[0] for wall in left_out}
        extra = change + pick.randint(1, 20) * timedelta(hours=1)
        lines.append(f"RDATE:{extra:%Y%m%dT%H%M%S}")
        if extra not in left_out and instants(extra, zone)[0] not in {
            instants(wall, zone)[0] for wall in left_out
        }:
            expected.add(instants(extra, zone)[0])
    low = instants(start, zone)[0] - 3 * DAY
    # What is later on the clock may be earlier in time: the last hours are left out, as of the others.
    high = instants(until, zone)[0] - timedelta(hours=26)
    trigger = RecurrenceTrigger("\n".join(lines), timezone=zone, **policy)
    times = sorted(moment for moment in expected if low <= moment < high)
    assert [found.astimezone(UTC) for found in trigger.between(low, high - SECOND)] == times, (
        number,
        trigger,
    )
    assert backwards(trigger, low, high) == times, (number, trigger)
    counted = trigger.count_between(low, high - SECOND)
    assert counted is None or counted == len(times), (number, trigger)
    for moment in pick.sample(times, min(len(times), 3)):
        assert trigger.get_next_fire_time(moment - SECOND, low).astimezone(UTC) == moment
    assert eval(repr(trigger)) == trigger
    assert trigger_from_dict(json.loads(json.dumps(trigger_to_dict(trigger)))) == trigger
    assert pickle.loads(pickle.dumps(trigger)) == trigger
    return len(times)


def time_of_day(pick: random.Random) -> timedelta:
    return timedelta(
        hours=pick.randint(0, 23), minutes=pick.choice([0, 15, 30]), seconds=pick.choice([0, 30])
    )


@pytest.mark.one_python
def test_it_fires_as_a_look_at_each_time_of_the_clock_says():
    assert sum(check_by_look(number) for number in range(150)) > 2_000


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(4))
def test_it_fires_as_a_look_at_each_time_of_the_clock_says_for_long(part):
    for number in range(150 + part, 5000, 4):
        check_by_look(number)
