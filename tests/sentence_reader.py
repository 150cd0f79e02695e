"""Reads the sentences of cron schedules back, by nothing but their words, as a person would who has a calendar.

It shares no code with what makes them, and knows neither fields nor triggers.
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from datetime import date, timedelta

DAY = 86_400
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
PLACES = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
]
SIZES = {"second": 1, "minute": 60, "hour": 3600}

CLOCK = r"\d\d:\d\d(?::\d\d)?"
ORDINAL = r"\d+(?:st|nd|rd|th)"
WEEKDAY = "|".join(WEEKDAYS)
MONTH = "|".join(MONTHS)
PLACE = rf"(?:{'|'.join(PLACES)}|{ORDINAL})"


def listed(item, conjunction="and"):
    """A pattern of one, or several with a conjunction before the last."""
    return rf"(?:{item})(?:(?:, (?:{item}))* {conjunction} (?:{item}))?"


class Reader:
    """A sentence that is read from left to right.

    Attributes:
        seconds: the seconds of the day that it names.
        days: tells of a date whether it names it.
    """

    def __init__(self, sentence):
        self.rest = sentence
        self.seconds = self.times()
        self.days = self.dates()
        if self.rest:
            raise ValueError(f"left over: {self.rest!r}")

    def eat(self, pattern):
        match = re.match(rf",? ?(?:{pattern})(?!\w)", self.rest)
        if match:
            self.rest = self.rest[match.end() :]
        return match

    def need(self, *patterns):
        for pattern in patterns:
            if match := self.eat(pattern):
                return match
        raise ValueError(f"expected one of {patterns} at {self.rest!r}")

    # times of the day

    def times(self):
        found = self.some_times()
        while self.rest.startswith(" and every ") and self.rest[11:].startswith(("hour from", "minute from")):
            self.rest = self.rest[5:]
            found |= self.some_times()
        return found

    def some_times(self):
        if match := self.eat(r"at (\d+) minutes? and (\d+) seconds? past every hour"):
            return {hour * 3600 + int(match[1]) * 60 + int(match[2]) for hour in range(24)}
        if match := self.eat(rf"at ({listed(r'[0-9]+')}) (minute|second)s? past"):
            offsets = {int(number) * SIZES[match[2]] for number in re.findall(r"\d+", match[1])}
            return {begin + offset for begin in self.wholes() for offset in offsets}
        if match := self.eat(rf"at ({listed(CLOCK)})"):
            return set(map(clock, re.findall(CLOCK, match[1])))
        if self.eat("every hour on the hour"):
            return set(range(0, DAY, 3600))
        match = self.need(r"every (?:(\d+) )?(second|minute|hour)s?")
        step = int(match[1] or 1) * SIZES[match[2]]
        if spans := self.eat(listed(r"from \d+ to \d+") + r" (minute|second)s past"):
            size = SIZES[spans[1]]
            offsets = set()
            for first, last in re.findall(r"from (\d+) to (\d+)", spans[0]):
                offsets |= set(range(int(first) * size, int(last) * size + 1, step))
            return {begin + offset for begin in self.wholes() for offset in offsets}
        return self.spans(step) or set(range(0, DAY, step))

    def spans(self, step):
        found = set()
        if spans := self.eat(listed(rf"from {CLOCK} to {CLOCK}")):
            for first, last in re.findall(rf"from ({CLOCK}) to ({CLOCK})", spans[0]):
                begin, end = clock(first), clock(last)
                found |= {at % DAY for at in range(begin, end + (DAY if end < begin else 0) + 1, step)}
        return found

    def wholes(self):
        """The beginnings of the minutes, or hours, past which something is."""
        if match := self.eat(rf"minutes? ({listed(r'[0-9]+(?: to [0-9]+)?')}) of"):
            spans = re.findall(r"(\d+)(?: to (\d+))?", match[1])
            minutes = [
                minute for first, last in spans for minute in range(int(first), int(last or first) + 1)
            ]
            return {begin + minute * 60 for begin in self.wholes() for minute in minutes}
        if match := self.eat(rf"(?:the hours that begin at )?({listed(CLOCK)})"):
            return set(map(clock, re.findall(CLOCK, match[1])))
        match = self.need(rf"every (?:({PLACE}) )?(minute|hour)")
        step = place(match[1] or "first") * SIZES[match[2]]
        return self.spans(step) or set(range(0, DAY, step))

    # days

    def dates(self):
        tests = [self.days_of_some_kind()] if self.rest else []
        if self.eat("if that is also"):
            tests.append(self.items())
        while self.rest.startswith((" and on ", " and from ")):
            self.rest = self.rest[4:]
            one, other = tests.pop(), self.days_of_some_kind()
            tests.append(lambda day, one=one, other=other: one(day) or other(day))
        while self.rest:
            tests.append(self.months_or_years())
        return lambda day: all(test(day) for test in tests)

    def days_of_some_kind(self):
        if self.eat("every day"):
            return lambda day: True
        if match := self.eat(rf"on ({listed(f'(?:{WEEKDAY})s')})"):
            names = set(re.findall(WEEKDAY, match[1]))
            return self.falling(lambda day: WEEKDAYS[day.weekday()] in names)
        if match := self.eat(rf"(?:on days )?from ({WEEKDAY}) to ({WEEKDAY})"):
            return self.falling(weekday_span(match[1], match[2]))
        if match := self.eat("on (odd|even)-numbered days(?: of the month)?"):
            rest = match[1] == "odd"
            return lambda day: day.day % 2 == rest
        if match := self.eat(rf"on every ({PLACE}) day from the ({ORDINAL}) to the ({ORDINAL})"):
            return both(in_range(range(number(match[2]), number(match[3]) + 1, place(match[1]))), self.of())
        if match := self.eat(rf"on every ({PLACE}) day from (\d+) to (\d+) ({MONTH})"):
            inside = in_range(range(int(match[2]), int(match[3]) + 1, place(match[1])))
            return both(inside, in_months({match[4]}))
        if match := self.eat(rf"({listed(f'from the {ORDINAL} to the {ORDINAL}')})"):
            days = set()
            for first, last in re.findall(rf"from the ({ORDINAL}) to the ({ORDINAL})", match[1]):
                days |= set(range(number(first), number(last) + 1))
            return both(in_range(days), self.of())
        if match := self.eat(rf"({listed(r'from [0-9]+ to [0-9]+')}) ({MONTH})"):
            days = set()
            for first, last in re.findall(r"from (\d+) to (\d+)", match[1]):
                days |= set(range(int(first), int(last) + 1))
            return both(in_range(days), in_months({match[2]}))
        if match := self.eat(rf"on ({listed(r'[0-9]+')}) ({MONTH})"):
            return both(in_range(set(map(int, re.findall(r"\d+", match[1])))), in_months({match[2]}))
        spans = listed(f"from the {ORDINAL} to the {ORDINAL}")
        if match := self.eat(rf"on the ({listed(ORDINAL)}) and ({spans})"):
            days = set(map(number, re.findall(ORDINAL, match[1])))
            for first, last in re.findall(rf"from the ({ORDINAL}) to the ({ORDINAL})", match[2]):
                days |= set(range(number(first), number(last) + 1))
            return both(in_range(days), self.of())
        if self.eat("on(?= the )"):
            return both(self.items(), self.of())
        if self.eat("from the .*"):
            raise ValueError(self.rest)
        return self.months_or_years()

    def falling(self, weekdays):
        return both(weekdays, self.days_of_some_kind()) if self.eat("that fall") else weekdays

    def items(self):
        tests = [self.item()]
        while self.eat("(?:and|or)(?= (?:the|a) )") or self.rest.startswith((", the ", ", a ")):
            tests.append(self.item())
        return lambda day: any(test(day) for test in tests)

    def item(self):
        if match := self.eat(rf"a ({WEEKDAY})"):
            return lambda day: WEEKDAYS[day.weekday()] == match[1]
        if match := self.eat(r"the last (\d+) days"):
            return lambda day: day.day > length(day) - int(match[1])
        if self.eat("the last day"):
            return lambda day: day.day == length(day)
        if self.eat("the day before the last day"):
            return lambda day: day.day == length(day) - 1
        if match := self.eat(rf"the ({PLACE}) day before the last day"):
            return lambda day: day.day == length(day) - place(match[1])
        if self.eat(r"the last weekday \(Monday to Friday\)"):
            return lambda day: day == workdays(day)[-1]
        if match := self.eat(rf"the weekday \(Monday to Friday\) nearest to the ({ORDINAL})"):
            return lambda day: is_nearest(day, number(match[1]))
        if match := self.eat(rf"the ({listed(f'{PLACE}|last', '(?:and|or)')}) ({WEEKDAY})"):
            places = re.findall(f"{PLACE}|last", match[1])
            return lambda day: (
                WEEKDAYS[day.weekday()] == match[2] and any(is_place(day, one) for one in places)
            )
        match = self.need(rf"the ({listed(ORDINAL, '(?:and|or)')})")
        return in_range({number(one) for one in re.findall(ORDINAL, match[1])})

    def of(self):
        if match := self.eat(rf"of every month from ({MONTH}) to ({MONTH})"):
            return month_span(match[1], match[2])
        if self.eat("of every month that has one") or self.eat("of every month") or self.eat("of the month"):
            return lambda day: True
        match = self.need(rf"of ({listed(MONTH)})")
        return in_months(set(re.findall(MONTH, match[1])))

    def months_or_years(self):
        self.eat("only")
        if match := self.eat(rf"in ({listed(MONTH)})"):
            return in_months(set(re.findall(MONTH, match[1])))
        if match := self.eat(rf"from ({MONTH}) to ({MONTH})"):
            return month_span(match[1], match[2])
        if match := self.eat("in (odd|even)-numbered ISO weeks"):
            rest = match[1] == "odd"
            return lambda day: day.isocalendar().week % 2 == rest
        if match := self.eat(r"in ISO weeks (\d+) to (\d+)"):
            return in_weeks(range(int(match[1]), int(match[2]) + 1))
        if match := self.eat(rf"in every ({PLACE}) ISO week from (\d+) to (\d+)"):
            return in_weeks(range(int(match[2]), int(match[3]) + 1, place(match[1])))
        if match := self.eat(rf"in ISO weeks? ({listed(r'[0-9]+')})"):
            return in_weeks(set(map(int, re.findall(r"\d+", match[1]))))
        if self.eat("every year"):
            return lambda day: True
        if self.eat("in leap years"):
            return lambda day: isleap(day.year)
        if match := self.eat("in (odd|even)-numbered years"):
            rest = match[1] == "odd"
            return lambda day: day.year % 2 == rest
        if match := self.eat(rf"in every ({PLACE}) year from (\d+) to (\d+)"):
            return in_years(range(int(match[2]), int(match[3]) + 1, place(match[1])))
        if match := self.eat(rf"in every ({PLACE}) year from (\d+)"):
            return in_years(range(int(match[2]), 10_000, place(match[1])))
        if match := self.eat(r"from (\d{4}) to (\d{4})"):
            return in_years(range(int(match[1]), int(match[2]) + 1))
        if match := self.eat(r"from (\d{4}) on"):
            return in_years(range(int(match[1]), 10_000))
        match = self.need(rf"(?:in )?({listed(r'[0-9]{4}')})")
        return in_years(set(map(int, re.findall(r"\d{4}", match[1]))))


def clock(text):
    hour, minute, second = [*map(int, text.split(":")), 0][:3]
    return hour * 3600 + minute * 60 + second


def number(ordinal):
    value = int(ordinal[:-2])
    special = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
    if value <= 31 and ordinal[-2:] != special.get(value, "th"):
        raise ValueError(f"{ordinal} isn't English")
    return value


def place(word):
    return PLACES.index(word) + 1 if word in PLACES else number(word)


def length(day):
    return monthrange(day.year, day.month)[1]


def both(one, other):
    return lambda day: one(day) and other(day)


def in_range(days):
    return lambda day: day.day in days


def in_months(names):
    return lambda day: MONTHS[day.month - 1] in names


def in_weeks(weeks):
    return lambda day: day.isocalendar().week in weeks


def in_years(years):
    return lambda day: day.year in years


def month_span(first, last):
    begin, end = MONTHS.index(first), MONTHS.index(last)
    return lambda day: (day.month - 1 - begin) % 12 <= (end - begin) % 12


def weekday_span(first, last):
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
    return lambda day: (day.weekday() - begin) % 7 <= (end - begin) % 7


def workdays(day):
    """All days from Monday to Friday of a day's month."""
    days = [day.replace(day=one) for one in range(1, length(day) + 1)]
    return [one for one in days if one.weekday() < 5]


def is_nearest(day, wanted):
    if wanted > length(day):
        return False
    return day == min(workdays(day), key=lambda one: (abs(one.day - wanted), one.day))


def is_place(day, word):
    if word == "last":
        return day.day + 7 > length(day)
    return (day.day - 1) // 7 + 1 == place(word)


def dates(first, last):
    """All dates from a first to a last."""
    return [first + timedelta(days=one) for one in range((last - first).days + 1)]


FIRST, LAST = date(2024, 1, 1), date(2029, 1, 1)
ALL_DATES = dates(FIRST, LAST)
