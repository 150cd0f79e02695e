"""From the text of RFC 5545 to a recurrence: ``RRULE``, ``DTSTART``, ``RDATE`` and ``EXDATE``, on one line or on several, folded or not."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from mainspring.coercion import nearest
from mainspring.errors import CronSyntaxError
from mainspring.timezones import astimezone
from mainspring.triggers.recurrence.rules import FREQUENCIES, WEEKDAY_CODES, RecurrenceRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Recurrence", "read_recurrence"]


class Recurrence(NamedTuple):
    """What a text says.

    Attributes:
        start: of ``DTSTART``, a date or a time without a zone; ``None``: it has none.
        zone: that of ``DTSTART``.
        rules: of ``RRULE``.
        added, excluded: of ``RDATE`` and ``EXDATE``: dates, times without a zone, and moments.
    """

    start: date | None
    zone: tzinfo | None
    rules: tuple[RecurrenceRule, ...]
    added: tuple[date, ...]
    excluded: tuple[date, ...]


class _Part(NamedTuple):
    """A piece of the text.

    Attributes:
        text: the piece.
        position: where it begins in the whole, as it is with its folds taken out.
    """

    text: str
    position: int

    def split(self, separator: str) -> Iterator[_Part]:
        position = self.position
        for text in self.text.split(separator):
            stripped = text.strip()
            yield _Part(stripped, position + len(text) - len(text.lstrip()))
            position += len(text) + len(separator)


_FOLD = re.compile(r"\r?\n[ \t]")
#: Where a property begins: on a new line, or after a space.
_PROPERTY = re.compile(r"(?<!\S)(?=(?:DTSTART|RRULE|RDATE|EXDATE|EXRULE)[;:])", re.IGNORECASE)
_NAMES = ("DTSTART", "RRULE", "RDATE", "EXDATE")
_NUMBER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII | re.IGNORECASE)
_MOMENT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z)?)?", re.ASCII | re.IGNORECASE)
_LONGEST = 100

#: The parts of a rule with numbers: the attribute, the highest, and whether they may count from the end.
_NUMBERS = {
    "BYMONTH": ("months", 1, 12, False),
    "BYWEEKNO": ("weeks", 1, 53, True),
    "BYYEARDAY": ("year_days", 1, 366, True),
    "BYMONTHDAY": ("month_days", 1, 31, True),
    "BYHOUR": ("hours", 0, 23, False),
    "BYMINUTE": ("minutes", 0, 59, False),
    "BYSECOND": ("seconds", 0, 60, False),
    "BYSETPOS": ("positions", 1, 366, True),
}
_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST", *_NUMBERS)
#: How often a rule without FREQ is most likely meant, by the first of these parts that it has.
_MEANT = {
    "BYWEEKNO": "YEARLY",
    "BYYEARDAY": "YEARLY",
    "BYMONTHDAY": "MONTHLY",
    "BYDAY": "WEEKLY",
    "BYMONTH": "YEARLY",
}
#: Parts that a rule with another frequency than these may not have (RFC 5545, section 3.3.10).
_ONLY_WITH = {
    "BYWEEKNO": ("YEARLY",),
    "BYYEARDAY": ("YEARLY", "HOURLY", "MINUTELY", "SECONDLY"),
    "BYMONTHDAY": ("YEARLY", "MONTHLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"),
}


class _Reader:
    """Reads one text.

    Args:
        text: as it was given.
        has_hints: whether an error offers the nearest valid form.
    """

    def __init__(self, text: str, *, has_hints: bool = True) -> None:
        self._given = text
        self._has_hints = has_hints
        self.text = _FOLD.sub("", text)

    def refuse(self, reason: str, part: _Part, hint: str | None = None) -> NoReturn:
        position = part.position
        if hint is not None:
            end = position + len(part.text)
            hint = self._readable(f"{self.text[:position]}{hint}{self.text[end:]}")
        folds = 0
        for fold in _FOLD.finditer(self._given):  # back to where it is in the text with its folds
            if fold.start() - folds > position:
                break
            folds += len(fold[0])
        raise CronSyntaxError(reason, text=self._given, position=position + folds, hint=hint)

    def _readable(self, corrected: str) -> str | None:
        """A text, if it can be read as a whole."""
        if not self._has_hints or len(corrected) > _LONGEST:
            return None
        try:
            _Reader(corrected, has_hints=False).read()
        except CronSyntaxError:
            return None
        return corrected

    def read(self) -> Recurrence:
        start: date | None = None
        zone: tzinfo | None = None
        rules: list[RecurrenceRule] = []
        dates: dict[str, list[date]] = {"RDATE": [], "EXDATE": []}
        for part in self._properties():
            name, parameters, value = self._property(part)
            if name == "RRULE":
                rules.append(self._rule(value))
            elif name == "DTSTART":
                if start is not None:
                    self.refuse("DTSTART comes twice", part)
                start, zone = self._start(value, parameters)
            else:
                dates[name] += self._dates(value, parameters)
        if not rules and start is None:
            whole = _Part(self.text, 0)
            self.refuse("expected a rule such as FREQ=WEEKLY;BYDAY=MO,WE", whole)
        return Recurrence(start, zone, tuple(rules), tuple(dates["RDATE"]), tuple(dates["EXDATE"]))

    def _properties(self) -> Iterator[_Part]:
        begins = [match.start() for match in _PROPERTY.finditer(self.text)]
        if not begins or self.text[: begins[0]].strip():
            begins.insert(0, 0)
        for begin, end in zip(begins, [*begins[1:], len(self.text)], strict=True):
            text = self.text[begin:end]
            yield _Part(text.strip(), begin + len(text) - len(text.lstrip()))

    def _property(self, part: _Part) -> tuple[str, dict[str, str], _Part]:
        """The name, the parameters and the value of a property; a rule may stand alone."""
        head, colon, rest = part.text.partition(":")
        name, *parameters = head.split(";")
        upper = name.strip().upper()
        if upper not in _NAMES:
            if upper == "EXRULE":
                self.refuse("EXRULE is no longer part of iCalendar: write EXDATE, or excluding(…)", part)
            if upper == "BEGIN":
                self.refuse("this is a whole calendar: read it with mainspring.ics", part)
            if "=" in name or not colon:
                return "RRULE", {}, part
            hint = nearest(upper, _NAMES)
            self.refuse(
                f"expected one of {', '.join(_NAMES)}, got {name[:_LONGEST]!r}",
                part,
                hint and f"{hint}{part.text[len(name) :]}",
            )
        read = {}
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            read[key.strip().upper()] = value.strip().strip('"')
        value_part = _Part(rest.strip(), part.position + len(head) + 1 + len(rest) - len(rest.lstrip()))
        return upper, read, value_part

    def _zone(self, parameters: dict[str, str], part: _Part) -> tzinfo | None:
        name = parameters.get("TZID")
        if name is None:
            return None
        try:
            return astimezone(name)
        except (LookupError, ValueError, OSError) as error:
            self.refuse(str(error.args[0] if error.args else error), part)

    def _start(self, value: _Part, parameters: dict[str, str]) -> tuple[date, tzinfo | None]:
        start = self._moment(value)
        if isinstance(start, datetime) and start.tzinfo is not None:
            return start.replace(tzinfo=None), UTC
        return start, self._zone(parameters, value)

    def _dates(self, value: _Part, parameters: dict[str, str]) -> Iterator[date]:
        zone = self._zone(parameters, value)
        for part in value.split(","):
            begin = _Part(part.text.partition("/")[0], part.position)  # a period begins with its start
            moment = self._moment(begin)
            if isinstance(moment, datetime) and moment.tzinfo is None and zone is not None:
                moment = moment.replace(tzinfo=zone).astimezone(UTC)
            yield moment

    def _moment(self, part: _Part) -> date:
        match = _MOMENT.fullmatch(part.text)
        if match is None:
            self.refuse(
                f"expected a date such as 20261231 or a time such as 20261231T093000, got {part.text[:_LONGEST]!r}",
                part,
                _compact(part.text),
            )
        year, month, day, hour, minute, second, utc = match.groups()
        try:
            if hour is None:
                return date(int(year), int(month), int(day))
            return datetime(
                int(year),
                int(month),
                int(day),
                int(hour),
                int(minute),
                min(int(second), 59),
                tzinfo=UTC if utc else None,
            )
        except ValueError as error:
            self.refuse(f"{part.text} doesn't exist: {error}", part)

    def _rule(self, value: _Part) -> RecurrenceRule:
        parts: dict[str, _Part] = {}
        for part in value.split(";"):
            if not part.text and parts:
                continue  # a semicolon at the end
            name, equals, text = part.text.partition("=")
            upper = name.strip().upper()
            if upper not in _PARTS or not equals:
                self._refuse_part(part, upper)
            if upper in parts:
                self.refuse(f"{upper} comes twice", part)
            parts[upper] = _Part(text.strip(), part.position + len(name) + 1 + len(text) - len(text.lstrip()))
        if "FREQ" not in parts:
            meant = next((frequency for name, frequency in _MEANT.items() if name in parts), "DAILY")
            self.refuse(
                "FREQ is missing", value, f"FREQ={meant};{value.text}" if len(value.text) < _LONGEST else None
            )
        readers: dict[str, Callable[[_Part], dict[str, Any]]] = {
            "FREQ": self._frequency,
            "INTERVAL": lambda part: {"interval": self._number(part)},
            "COUNT": lambda part: {"limit": self._number(part)},
            "UNTIL": lambda part: {"until": self._moment(part)},
            "BYDAY": self._days,
            "WKST": lambda part: {"week_start": self._weekday(part)},
        }
        values: dict[str, Any] = {}
        for name, part in parts.items():
            values |= readers[name](part) if name in readers else self._numbers(name, part)
        rule = RecurrenceRule(**values)
        self._check(rule, parts)
        return rule

    def _refuse_part(self, part: _Part, name: str) -> NoReturn:
        if name in ("RSCALE", "SKIP"):
            self.refuse(f"{name} (RFC 7529) is not supported: rules are of the Gregorian calendar", part)
        if name == "BYEASTER":
            self.refuse("BYEASTER is dateutil's own, and no part of iCalendar", part)
        hint = nearest(name, _PARTS)
        if "=" not in part.text:
            self.refuse(
                f"expected parts such as FREQ=WEEKLY and BYDAY=MO,WE, got {part.text[:_LONGEST]!r}", part
            )
        self.refuse(
            f"expected one of {', '.join(_PARTS)} with a value, got {part.text[:_LONGEST]!r}",
            part,
            f"{hint}{part.text[len(name) :]}" if hint and len(part.text) < _LONGEST else None,
        )

    def _check(self, rule: RecurrenceRule, parts: dict[str, _Part]) -> None:
        """Refuse what RFC 5545 doesn't allow together."""
        if rule.limit is not None and rule.until is not None:
            self.refuse("COUNT and UNTIL don't go together: write one of them", parts["UNTIL"])
        for name, frequencies in _ONLY_WITH.items():
            if name in parts and rule.freq not in frequencies:
                self.refuse(
                    f"{name} goes with FREQ={_listed(frequencies)}, not with {rule.freq}", parts[name]
                )
        if any(at for at, _ in rule.days):
            if rule.freq not in ("YEARLY", "MONTHLY"):
                self.refuse(
                    f"numbers before weekdays go with FREQ=MONTHLY or YEARLY, not with {rule.freq}",
                    parts["BYDAY"],
                )
            if rule.weeks:
                self.refuse("numbers before weekdays don't go with BYWEEKNO", parts["BYDAY"])
        if rule.positions and not any(name.startswith("BY") and name != "BYSETPOS" for name in parts):
            self.refuse(
                "BYSETPOS picks out of what another part that begins with BY gives", parts["BYSETPOS"]
            )

    def _frequency(self, part: _Part) -> dict[str, Any]:
        upper = part.text.upper()
        if upper not in FREQUENCIES:
            self.refuse(
                f"FREQ must be one of {', '.join(FREQUENCIES)}, got {part.text[:_LONGEST]!r}",
                part,
                nearest(upper, FREQUENCIES),
            )
        return {"freq": upper}

    def _number(self, part: _Part) -> int:
        if not _NUMBER.fullmatch(part.text) or int(part.text) < 1:
            self.refuse(
                f"expected a whole number, 1 or more and of at most 9 digits, got {part.text[:_LONGEST]!r}",
                part,
            )
        return int(part.text)

    def _numbers(self, name: str, value: _Part) -> dict[str, Any]:
        attribute, lowest, highest, has_negative = _NUMBERS[name]
        found = set()
        for part in value.split(","):
            number = int(part.text) if _NUMBER.fullmatch(part.text) else None
            size = None if number is None else (abs(number) if has_negative else number)
            if number is None or size is None or not lowest <= size <= highest:
                from_end = f" (or from the end, -{highest} to -{lowest})" if has_negative else ""
                self.refuse(
                    f"{name} has whole numbers from {lowest} to {highest}{from_end}, got {part.text[:_LONGEST]!r}",
                    part,
                )
            # There are no leap seconds here: RFC 5545 has them read as the one before.
            found.add(59 if name == "BYSECOND" and number == 60 else number)  # noqa: PLR2004 - the leap second
        return {attribute: tuple(sorted(found))}

    def _days(self, value: _Part) -> dict[str, Any]:
        found = set()
        for part in value.split(","):
            match = _DAY.fullmatch(part.text)
            at = int(match[1] or 0) if match else 0
            if match is None or (match[1] and not 1 <= abs(at) <= 53):  # noqa: PLR2004 - weeks of a year
                self.refuse(
                    f"BYDAY has weekdays such as MO, 2MO (the second) or -1FR (the last), got {part.text[:_LONGEST]!r}",
                    part,
                    _weekday_code(part.text),
                )
            found.add((at, WEEKDAY_CODES.index(match[2].upper())))
        return {"days": tuple(sorted(found))}

    def _weekday(self, part: _Part) -> int:
        if part.text.upper() not in WEEKDAY_CODES:
            self.refuse(
                f"WKST must be one of {', '.join(WEEKDAY_CODES)}, got {part.text[:_LONGEST]!r}",
                part,
                _weekday_code(part.text),
            )
        return WEEKDAY_CODES.index(part.text.upper())


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def _compact(text: str) -> str | None:
    """A date or time that is written with hyphens and colons, without them."""
    compact = re.sub(r"[-:]", "", text).replace(" ", "T").upper()
    return compact if compact != text and _MOMENT.fullmatch(compact) else None


def _weekday_code(text: str) -> str | None:
    """The code of a weekday that is written as a word."""
    match = re.fullmatch(r"([+-]?\d{1,2})?\s*([a-z]{3,9})", text, re.ASCII | re.IGNORECASE)
    code = match[2][:2].upper() if match else ""
    return f"{match[1] or ''}{code}" if match and code in WEEKDAY_CODES else None


def read_recurrence(text: str) -> Recurrence:
    """The recurrence that a text says.

    Raises:
        CronSyntaxError: it can't be read; the message says where reading stopped.
    """
    return _Reader(text).read()
