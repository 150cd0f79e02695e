"""Parts of a dialect's cron fields in the notation of `CronTrigger`: weekdays by name, steps as this dialect takes them."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from mainspring.triggers.cron.expressions import FULL_WEEKDAYS, MONTHS, WEEKDAYS
from mainspring.triggers.cron.fields import MAX_VALUES, MIN_VALUES
from mainspring.triggers.cron.grammars import UNIX

if TYPE_CHECKING:
    from mainspring.triggers.cron.grammars import Grammar

__all__ = ["translated"]

_BOUND = r"\d{1,9}|[a-z]{2,20}"
_PLAIN = re.compile(
    rf"(?:\*|(?P<first>{_BOUND})(?:-(?P<last>{_BOUND}))?)(?:/(?P<step>\d{{1,9}}))?", re.ASCII | re.IGNORECASE
)
_HASH = re.compile(r"H(?:\((?P<first>\d{1,9})-(?P<last>\d{1,9})\))?(?:/(?P<step>\d{1,9}))?", re.ASCII)
_RANDOM = re.compile(
    rf"(?P<first>{_BOUND})?~(?P<last>{_BOUND})?(?:/(?P<step>\d{{1,9}}))?", re.ASCII | re.IGNORECASE
)
_MONTHLY = {
    "day": [
        ("L", re.compile(r"L|last", re.IGNORECASE)),
        ("L-n", re.compile(r"L-\d{1,9}", re.ASCII | re.IGNORECASE)),
        ("LW", re.compile(r"LW", re.IGNORECASE)),
        ("L-nW", re.compile(r"L-\d{1,9}W", re.ASCII | re.IGNORECASE)),
        ("nW", re.compile(r"\d{1,9}W", re.ASCII | re.IGNORECASE)),
    ],
    "day_of_week": [
        ("weekday L", re.compile(r"L", re.IGNORECASE)),
        ("dL", re.compile(rf"(?P<weekday>{_BOUND}?)(?P<rest>L)", re.ASCII | re.IGNORECASE)),
        ("d#n", re.compile(rf"(?P<weekday>{_BOUND})(?P<rest>#\d{{1,9}})", re.ASCII | re.IGNORECASE)),
    ],
}
_MAY_BE_MONTHLY = re.compile(r"[LW#]|last", re.IGNORECASE)
_WEEK = len(WEEKDAYS)
#: The last day that all months have.
_SHORTEST_MONTH = 28


def translated(part: str, name: str, grammar: Grammar) -> str:
    """A part of the field `name` in the notation of `CronTrigger`, or as it is, if it is in no form that is known here.

    Raises:
        ValueError: it isn't of this dialect; the second argument, if there is one, is a form that may be.
    """
    if part == "*" or (part.isdigit() and name != "day_of_week"):
        return part  # what most parts are
    if part == "?" and name in _MONTHLY:
        if not grammar.has_question_mark:
            raise ValueError("there is no '?' in this dialect", "*")
        return part
    found = _special(part, name, grammar)
    if found is not None:
        return found
    if grammar.has_bare_steps and part.startswith("/"):
        part = f"*{part}"
    match = _PLAIN.fullmatch(part)
    return part if match is None else _plain(part, name, match, grammar)


def _special(part: str, name: str, grammar: Grammar) -> str | None:
    """A part that isn't ``*``, a value or a range; ``None``: it is none of these forms."""
    if name in _MONTHLY and _MAY_BE_MONTHLY.search(part) and not _is_weekday(part):
        for form, pattern in _MONTHLY[name]:
            if match := pattern.fullmatch(part):
                return _monthly(form, match, grammar)
    if part.startswith("H") and (match := _HASH.fullmatch(part)):
        return _hashed(name, _number(match["first"]), _number(match["last"]), _number(match["step"]), grammar)
    if "~" in part and (match := _RANDOM.fullmatch(part)):
        return _random(name, match, grammar)
    return None


def _is_weekday(text: str) -> bool:
    low = text.lower()
    return low in WEEKDAYS or low in FULL_WEEKDAYS


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _monthly(form: str, match: re.Match[str], grammar: Grammar) -> str:
    if form not in grammar.forms:
        raise ValueError(f"there is no {match[0]!r} in this dialect")
    if form == "weekday L":
        return "sat"
    if form in ("dL", "d#n"):
        number = _weekday_number(match["weekday"], grammar)
        return WEEKDAYS[(number - grammar.weekdays.monday) % _WEEK] + match["rest"].upper()
    return match[0]


def _plain(part: str, name: str, match: re.Match[str], grammar: Grammar) -> str:
    """``*``, a value or a range, perhaps with steps."""
    if not grammar.has_names and any(character.isalpha() for character in part):
        raise ValueError(
            "months and weekdays have numbers alone in this dialect", _by_number(part, name, grammar)
        )
    step = _number(match["step"])
    if step == 0:
        raise ValueError("the step must be 1 or more", part.partition("/")[0])
    has_start_alone = match["first"] is None or match["last"] is None
    if step is not None and has_start_alone:
        _check_step(part, name, step, match["first"] is not None, grammar)
    if name == "day_of_week":
        return _weekdays(match, step, grammar)
    lowest, highest = MIN_VALUES[name], MAX_VALUES[name]
    if match["first"] is None:
        return str(lowest) if step is not None and step > highest - lowest else part
    first, last = (_value(bound, name) for bound in (match["first"], match["last"] or str(highest)))
    if first is None or last is None:
        return part  # which is refused
    if match["last"] is not None and last < first and not grammar.wraps and name != "year":
        raise ValueError(
            f"a range must rise here: {part.partition('/')[0]!r} goes down",
            f"{first}-{highest},{lowest}-{last}",
        )
    if not lowest <= first <= highest or not lowest <= last <= highest or step is None:
        return part
    width = last - first if last >= first else last - first + highest - lowest + 1
    return match["first"] if step > width else part


def _check_step(part: str, name: str, step: int, has_value: bool, grammar: Grammar) -> None:
    if has_value and not grammar.steps_from_value:
        value = part.partition("/")[0]
        highest = grammar.weekdays.highest if name == "day_of_week" else MAX_VALUES[name]
        raise ValueError("steps need a range to go through, or '*'", f"{value}-{highest}/{step}")
    longest = grammar.longest_steps.get(name)
    if longest is not None and step > longest:
        lowest = grammar.weekdays.lowest if name == "day_of_week" else MIN_VALUES[name]
        raise ValueError(
            f"the step {step} is longer than {longest}", part.partition("/")[0].replace("*", str(lowest))
        )


def _value(bound: str, name: str) -> int | None:
    if bound.isdigit():
        return int(bound)
    short = bound.lower()[:3]
    return MONTHS.index(short) + 1 if name == "month" and short in MONTHS else None


def _weekday_number(weekday: str, grammar: Grammar) -> int:
    """The number that a weekday has in this dialect."""
    numbering = grammar.weekdays
    if not weekday.isdigit():
        if not _is_weekday(weekday):
            raise ValueError(f"{weekday[:100]!r} is no weekday: expected one of {', '.join(WEEKDAYS)}")
        at = WEEKDAYS.index(weekday.lower()[:3])
        return numbering.sunday if at == _WEEK - 1 else numbering.monday + at
    number = int(weekday)
    if not numbering.lowest <= number <= numbering.highest:
        raise ValueError(f"{number} is no weekday: they are {numbering.lowest} to {numbering.highest}")
    return number


def _by_number(part: str, name: str, grammar: Grammar) -> str:
    """`part` with numbers in the place of names, as far as they are names."""

    def number(word: re.Match[str]) -> str:
        if name == "day_of_week" and _is_weekday(word[0]):
            return str(_weekday_number(word[0], grammar))
        value = _value(word[0], name)
        return word[0] if value is None else str(value)

    return re.sub(r"[a-z]+", number, part, flags=re.IGNORECASE)


def _weekdays(match: re.Match[str], step: int | None, grammar: Grammar) -> str:
    """Weekdays, which this dialect may begin to count elsewhere, by name: as a range where they are one."""
    numbering = grammar.weekdays
    if numbering.lowest > 0 and "0" in (match["first"], match["last"]):
        in_crontab: list[str] = []
        with suppress(ValueError):
            in_crontab.append(_weekdays(match, step, UNIX))
        raise ValueError(f"0 is no weekday: they are {numbering.lowest} to {numbering.highest}", *in_crontab)
    if match["first"] is None:
        return _listed(range(numbering.first, numbering.first + _WEEK, step or 1), grammar)
    if not match["first"].isdigit() and not _is_weekday(match["first"]):
        return match[0]  # which is refused
    first = _weekday_number(match["first"], grammar)
    if match["last"] is None:
        return _listed(range(first, (first if step is None else numbering.highest) + 1, step or 1), grammar)
    if not match["last"].isdigit() and not _is_weekday(match["last"]):
        return match[0]
    last = _weekday_number(match["last"], grammar)
    if first == numbering.sunday and numbering.lowest == first % _WEEK:
        first = numbering.lowest  # a range begins with it, as 0
    if last < first:
        if not grammar.wraps:
            names = _listed(range(first, last + _WEEK + 1, step or 1), grammar, is_range=False)
            raise ValueError(f"a range must rise here: {match[0]!r} goes down", names)
        last += _WEEK
    return _listed(range(first, last + 1, step or 1), grammar)


def _listed(numbers: range, grammar: Grammar, *, is_range: bool = True) -> str:
    names = [WEEKDAYS[(number - grammar.weekdays.monday) % _WEEK] for number in numbers]
    names = list(dict.fromkeys(names))
    if len(names) == _WEEK:
        return "*"
    if is_range and numbers.step == 1 and len(names) > 1:
        return f"{names[0]}-{names[-1]}"
    return ",".join(names)


def _hashed(name: str, first: int | None, last: int | None, step: int | None, grammar: Grammar) -> str:
    """``H`` in the numbers of `CronTrigger`. The range of weekdays, and their steps, begin where this dialect's week does."""
    steps = "" if step is None or (step == 1 and not grammar.steps_from_value) else f"/{step}"
    if name != "day_of_week":
        return ("H" if first is None else f"H({first}-{last})") + steps
    if first is None and not steps:
        return "H"
    numbering = grammar.weekdays
    for number in (first, last):
        if number is not None:
            _weekday_number(str(number), grammar)
    first = numbering.first if first is None else first
    last = numbering.first + _WEEK - 1 if last is None else last
    if last < first:
        # What is meant by Friday to Monday isn't Monday to Friday: nothing is offered.
        raise ValueError(f"the range of H must rise, within {numbering.lowest} to {numbering.highest}")
    last = min(last, first + _WEEK - 1)  # a dialect may have two numbers for one day
    if last - first == _WEEK - 1 and not steps:
        return "H"
    begin = (first - numbering.monday) % _WEEK
    return f"H({begin}-{(begin + last - first) % _WEEK}){steps}"


def _random(name: str, match: re.Match[str], grammar: Grammar) -> str:
    """OpenBSD's ``a~b``, which is drawn from the job's id like ``H``."""
    if not grammar.has_random:
        raise ValueError(f"there is no {match[0][:100]!r} in this dialect")
    bounds = [match["first"], match["last"]]
    if bounds == [None, None]:
        return _hashed(name, None, None, _number(match["step"]), grammar)
    is_week = name == "day_of_week"
    lowest = grammar.weekdays.lowest if is_week else MIN_VALUES[name]
    highest = grammar.weekdays.lowest + _WEEK - 1 if is_week else MAX_VALUES[name]
    values = [None if bound is None else _bound(bound, name, grammar) for bound in bounds]
    first = lowest if values[0] is None else values[0]
    if name == "day" and first <= _SHORTEST_MONTH:
        highest = _SHORTEST_MONTH  # as far as H goes
    last = max(highest, first) if values[1] is None else values[1]
    if last < first:
        raise ValueError("the range of '~' must rise", f"{match['last']}~{match['first']}")
    return _hashed(name, first, last, _number(match["step"]), grammar)


def _bound(bound: str, name: str, grammar: Grammar) -> int:
    if name == "day_of_week":
        return _weekday_number(bound, grammar)
    value = _value(bound, name)
    if value is None or not MIN_VALUES[name] <= value <= MAX_VALUES[name]:
        raise ValueError(f"{bound!r} is not within {MIN_VALUES[name]} to {MAX_VALUES[name]}")
    return value
