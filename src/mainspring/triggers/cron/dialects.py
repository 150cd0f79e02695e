"""Cron expressions as other programs write them, brought to the fields of `CronTrigger`."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from mainspring.coercion import nearest
from mainspring.errors import CronSyntaxError
from mainspring.triggers.cron.expressions import FULL_WEEKDAYS, MONTHS, WEEKDAYS
from mainspring.triggers.cron.fields import MAX_VALUES, MIN_VALUES, DayOfWeekField

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * sun",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_STEPPED = re.compile(r"\*/(?P<step>\d+)", re.ASCII)
_RANGE = re.compile(
    r"(?P<first>\d+|[a-z]+)(?:-(?P<last>\d+|[a-z]+))?(?:/(?P<step>\d+))?", re.ASCII | re.IGNORECASE
)
_HASH = re.compile(r"H(?:\((?P<first>\d+)-(?P<last>\d+)\))?(?:/(?P<step>\d+))?", re.ASCII)
_SPECIAL = re.compile(r"(?P<weekday>\d+)(?P<rest>#\d+|L)", re.ASCII | re.IGNORECASE)


class Numbering(NamedTuple):
    """How a dialect numbers weekdays.

    Attributes:
        lowest, highest: the numbers that it has.
        monday: Monday's.
        narrows_steps: whether of a step that is wider than its range the first day alone is meant.
    """

    lowest: int
    highest: int
    monday: int
    narrows_steps: bool = False


UNIX = Numbering(0, 7, 1, narrows_steps=True)
QUARTZ = Numbering(1, 7, 2)


def expanded(text: str) -> str:
    """`text`, or what it is short for if it begins with ``@``.

    Raises:
        CronSyntaxError: it is a short form that nothing here understands.
    """
    stripped = text.strip()
    if not stripped.startswith("@"):
        return stripped
    name = stripped.lower()
    if name == "@reboot":
        raise CronSyntaxError(
            "@reboot names no time: a scheduler doesn't know when the machine started. Call the function when your "
            "program starts, or add a job without a trigger, which runs once at once",
            text=text,
        )
    if name not in MACROS:
        raise CronSyntaxError(
            f"expected one of {', '.join(sorted(MACROS))}", text=text, hint=nearest(name, MACROS)
        )
    return MACROS[name]


def split(text: str, numbers: dict[int, tuple[str, ...]]) -> dict[str, Any]:
    """The fields of an expression, by their names.

    Args:
        numbers: for each number of fields that is right, their names.

    Raises:
        CronSyntaxError: it has another number of fields.
    """
    values = text.split()
    names = numbers.get(len(values))
    if names is None:
        forms = ", or ".join(f"{number} ({' '.join(fields)})" for number, fields in numbers.items())
        hint = ""
        if len(values) > max(numbers):
            hint = ". For seconds use CronTrigger(second=…, minute=…), or from_quartz, which begins with them"
        raise CronSyntaxError(f"wrong number of fields; got {len(values)}, expected {forms}{hint}", text=text)
    return dict(zip(names, values, strict=True))


def weekdays_by_name(text: str, numbering: Numbering) -> str:
    """A weekday field with names instead of a dialect's numbers.

    Raises:
        CronSyntaxError: a part can't be read.
    """
    parts = []
    position = 0
    for part in text.split(","):
        parts.append(_part_by_name(part, text, position, numbering))
        position += len(part) + 1
    return ",".join(parts)


def _part_by_name(  # noqa: PLR0911 - one for each form
    part: str, text: str, position: int, numbering: Numbering
) -> str:
    if match := _STEPPED.fullmatch(part):
        return _listed(numbering.lowest, numbering.lowest + 6, int(match["step"]), text, position, numbering)
    if match := _HASH.fullmatch(part):
        return _hashed(match, text, position, numbering)
    if match := _SPECIAL.fullmatch(part):
        return _name(match["weekday"], text, position, numbering) + match["rest"].upper()
    part = _numbered(part) if numbering is UNIX else part
    if (match := _RANGE.fullmatch(part)) and any(character.isdigit() for character in part.partition("/")[0]):
        first, last, step = match["first"], match["last"], match["step"]
        first_name = _name(first, text, position, numbering)
        if last is None:
            if step is None:
                return first_name
            return _listed(int(first), numbering.highest, int(step), text, position, numbering)
        last_name = _name(last, text, position, numbering)
        if first.isdigit() and last.isdigit() and int(first) <= int(last):
            return _listed(int(first), int(last), int(step or 1), text, position, numbering)
        return f"{first_name}-{last_name}" + (f"/{step}" if step else "")
    try:
        DayOfWeekField("day_of_week", part)
    except CronSyntaxError as error:
        raise CronSyntaxError(
            error.reason, text=text, position=position + error.position, field="day_of_week", hint=error.hint
        ) from None
    return part


def _numbered(part: str) -> str:
    """``mon/2``, which goes on to the week's last number, with the number of its day."""
    name, slash, step = part.partition("/")
    low = name.lower()[:3]
    if not slash or low not in WEEKDAYS or name.lower() not in (low, FULL_WEEKDAYS[WEEKDAYS.index(low)]):
        return part
    return f"{(WEEKDAYS.index(low) + UNIX.monday) % len(WEEKDAYS)}/{step}"


def _hashed(match: re.Match[str], text: str, position: int, numbering: Numbering) -> str:
    """``H`` in the numbers of `CronTrigger`. Its range, and its steps, begin where this dialect's week does."""
    step = "" if match["step"] is None else f"/{match['step']}"
    if match["first"] is None and not step:
        return "H"
    first = numbering.lowest if match["first"] is None else int(match["first"])
    last = numbering.lowest + len(WEEKDAYS) - 1 if match["last"] is None else int(match["last"])
    days = [_name(str(number), text, position, numbering) for number in (first, last)]
    if last < first:
        raise CronSyntaxError(
            f"the range of H must rise, within {numbering.lowest} to {numbering.highest}",
            text=text,
            position=position,
            field="day_of_week",
            hint=f"H({last}-{first}){step}",
        )
    last = min(last, first + len(WEEKDAYS) - 1)  # a dialect may have two numbers for one day
    if last - first == len(WEEKDAYS) - 1 and not step:
        return "H"
    begin = WEEKDAYS.index(days[0])
    return f"H({begin}-{(begin + last - first) % len(WEEKDAYS)}){step}"


def narrow_steps(name: str, text: str) -> str:
    """A field as cron reads it: of a step that is wider than its range, the first value alone.

    Args:
        name: of a field whose numbers are those of `CronTrigger`.
    """
    return ",".join(_narrowed(part, name) for part in text.split(","))


def _narrowed(part: str, name: str) -> str:
    lowest, highest = MIN_VALUES[name], MAX_VALUES[name]
    if match := _STEPPED.fullmatch(part):
        return str(lowest) if int(match["step"]) > highest - lowest else part
    match = _RANGE.fullmatch(part)
    if match is None or match["step"] is None or not int(match["step"]):
        return part
    bounds = [_number_of(bound, name) for bound in (match["first"], match["last"] or str(highest))]
    first, last = bounds
    if first is None or last is None or not lowest <= first <= last <= highest:
        return part  # which is refused, or wraps around
    return match["first"] if int(match["step"]) > last - first else part


def _number_of(bound: str, name: str) -> int | None:
    if bound.isdigit():
        return int(bound)
    names = MONTHS if name == "month" else []
    return names.index(bound.lower()[:3]) + 1 if bound.lower()[:3] in names else None


def _listed(first: int, last: int, step: int, text: str, position: int, numbering: Numbering) -> str:
    """Numbers, which this dialect may begin to count elsewhere, as names: as a range where they are one."""
    last = max(first, last)
    if step < 1 or (not numbering.narrows_steps and step > max(last - first, 1)):
        raise CronSyntaxError(
            f"the step {step} must be at least 1"
            + ("" if numbering.narrows_steps else f", and not wider than the range {first} to {last}"),
            text=text,
            position=position,
            field="day_of_week",
        )
    names = [_name(str(number), text, position, numbering) for number in range(first, last + 1, step)]
    names = list(dict.fromkeys(names))
    if len(names) == len(WEEKDAYS):
        return "*"
    if step == 1 and len(names) > 1:
        return f"{names[0]}-{names[-1]}"
    return ",".join(names)


def _name(weekday: str, text: str, position: int, numbering: Numbering) -> str:
    if not weekday.isdigit():
        return weekday
    number = int(weekday)
    if not numbering.lowest <= number <= numbering.highest:
        raise CronSyntaxError(
            f"{number} is no weekday: they are {numbering.lowest} to {numbering.highest}",
            text=text,
            position=position,
            field="day_of_week",
        )
    return WEEKDAYS[(number - numbering.monday) % 7]
