"""Cron expressions of a dialect, read as a whole: split into fields, and refused with the place and the nearest form.

What an error offers instead is tried before it is offered, so that it can be read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfoNotFoundError

from mainspring.coercion import nearest
from mainspring.errors import CronSyntaxError, repr_of
from mainspring.timezones import astimezone, nearest_zone
from mainspring.triggers.cron.fields import FIELDS
from mainspring.triggers.cron.grammars import CRON_MACROS, FIVE_FIELDS, UNIX, Grammar, Written
from mainspring.triggers.cron.translating import translated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

__all__ = ["checked_text", "read_expression", "readable", "refusal", "split", "within", "zone_in"]

#: What is longer isn't corrected.
_LONGEST_CORRECTED = 100
_DAYS = ("day", "day_of_week")
_SPOKEN = {"day": "day of the month", "day_of_week": "weekday"}


def checked_text(text: Any, example: str) -> str:
    """`text`, if it is one.

    Raises:
        TypeError: it isn't.
    """
    if not isinstance(text, str):
        raise TypeError(
            f"text must be a schedule such as {example!r}, got {type(text).__name__} {repr_of(text)[:100]}"
        )
    return text


class _RefusedPartError(Exception):
    """A part of a field can't be read.

    Attributes:
        name: of the field.
        at: which of its parts.
        error: why not.
    """

    def __init__(self, name: str, at: int, error: ValueError) -> None:
        super().__init__(name, at, error)
        self.name, self.at, self.error = name, at, error


def read_expression(text: str, grammar: Grammar) -> Written:
    """An expression of a dialect in the notation of `CronTrigger`, which may still refuse a field: then ask `refusal`.

    Raises:
        CronSyntaxError: it can't be read.
    """
    given = split(text, grammar)
    if grammar.needs_question_mark and (given["day"] == "?") == (given["day_of_week"] == "?"):
        raise _wrong_question_marks(text, given, grammar)
    try:
        fields = {name: _translated(word, name, grammar) for name, word in given.items()}
    except _RefusedPartError as error:
        raise _refused(text, given, error, grammar) from None
    is_either = grammar.unites_days and not any(given[name].startswith(("*", "?")) for name in _DAYS)
    options = {}
    if given["hour"].startswith("*") and not fields["hour"].startswith("*"):
        options = {"gap": "skip", "fold": "both"}  # as its text says, which is another now
    return Written(fields, is_either, options)


def _translated(word: str, name: str, grammar: Grammar) -> str:
    """A field in the notation of `CronTrigger`.

    Raises:
        _RefusedPartError: the dialect has no such part.
    """
    parts = []
    for at, part in enumerate(word.split(",")):
        try:
            parts.append(translated(part, name, grammar))
        except ValueError as error:
            raise _RefusedPartError(name, at, error) from None
    return ",".join(parts)


def refusal(text: str, error: CronSyntaxError, grammar: Grammar) -> CronSyntaxError:
    """What `CronTrigger` says of a field, as an error about the text that the field comes from."""
    given = split(text, grammar)
    try:
        _check(given, grammar)
    except _RefusedPartError as refused:
        return _refused(text, given, refused, grammar)
    return error


def _check(given: dict[str, str], grammar: Grammar) -> None:
    """See that all fields can be read.

    Raises:
        _RefusedPartError: a part can't be.
    """
    for name, word in given.items():
        for at, part in enumerate(word.split(",")):
            try:
                FIELDS[name](name, translated(part, name, grammar))
            except ValueError as error:
                raise _RefusedPartError(name, at, error) from None


def split(text: str, grammar: Grammar) -> dict[str, str]:
    """The fields of an expression, by their names.

    Raises:
        CronSyntaxError: it has another number of fields, or is a short form that there isn't.
    """
    words = text.split()
    if text.lstrip().startswith("@"):
        name = " ".join(words).lower()
        if name not in grammar.macros:
            raise _unknown_macro(text, name, grammar)
        words = grammar.macros[name].split()
    names = grammar.layouts.get(len(words))
    if names is None:
        raise _wrong_number(text, words, grammar)
    return dict(zip(names, words, strict=True))


def _unknown_macro(text: str, name: str, grammar: Grammar) -> CronSyntaxError:
    if name == "@reboot":
        return CronSyntaxError(
            "@reboot names no time: a scheduler doesn't know when the machine started. Call the function when your "
            "program starts, or add a job without a trigger, which runs once at once",
            text=text,
        )
    if name.startswith("@every") and grammar is UNIX:
        return CronSyntaxError(
            "@every is an interval, and not a cron expression: mainspring.triggers.parse reads it, or give "
            "IntervalTrigger(hours=…, minutes=…)",
            text=text,
        )
    if not grammar.macros:
        hint = None
        if name in CRON_MACROS:
            hint = readable([_with_seconds(CRON_MACROS[name].split(), grammar)], grammar)
        return CronSyntaxError(f"{grammar.name} has no short forms such as @daily", text=text, hint=hint)
    known = sorted(grammar.macros)
    return CronSyntaxError(f"expected one of {', '.join(known)}", text=text, hint=nearest(name, known))


def _wrong_number(text: str, words: list[str], grammar: Grammar) -> CronSyntaxError:
    forms = ", or ".join(f"{number} ({' '.join(names)})" for number, names in grammar.layouts.items())
    candidates = [_with_seconds(words, grammar)] if len(words) == len(FIVE_FIELDS) else []
    reason = f"wrong number of fields; got {len(words)}, expected {forms}"
    if len(words) > max(grammar.layouts) == len(FIVE_FIELDS):
        reason += ". For seconds use CronTrigger(second=…, minute=…), or a dialect that has them"
    return CronSyntaxError(reason, text=text, hint=readable(candidates, grammar))


def _with_seconds(words: list[str], grammar: Grammar) -> str:
    """Five fields, as a crontab has them, at second 0, with weekdays by name: what numbers mean differs."""
    given = dict(zip(FIVE_FIELDS, words, strict=True))
    try:
        weekday = _translated(given["day_of_week"], "day_of_week", UNIX)
    except _RefusedPartError:
        return ""
    given["day_of_week"] = weekday
    day = given["day"]
    if day[:1] not in "*?" and weekday[:1] not in "*?":
        return ""  # one of the two matches in a crontab, which this dialect can't say
    if grammar.needs_question_mark:
        given["day"], given["day_of_week"] = (day, "?") if weekday == "*" else ("?", weekday)
    return " ".join(["0", *given.values()])


def _wrong_question_marks(text: str, given: dict[str, str], grammar: Grammar) -> CronSyntaxError:
    day, weekday = given["day"], given["day_of_week"]
    candidates: list[dict[str, str]] = []
    if weekday in ("*", "?"):
        candidates.append({**given, "day": "*" if day == "?" else day, "day_of_week": "?"})
    elif day == "*":
        candidates.append({**given, "day": "?", "day_of_week": _named_weekdays(weekday)})
    return CronSyntaxError(
        "exactly one of the day of the month and the weekday must be '?'",
        text=text,
        position=_start_of("day_of_week", text, grammar),
        hint=readable([" ".join(candidate.values()) for candidate in candidates], grammar),
    )


def _named_weekdays(weekday: str) -> str:
    """Weekdays by name. Who doesn't know the question mark has the numbers from a crontab, or from Spring: 1 is Monday there."""
    try:
        return _translated(weekday, "day_of_week", UNIX) if re.search(r"(?<!#)\d", weekday) else weekday
    except _RefusedPartError:
        return weekday


def _start_of(name: str, text: str, grammar: Grammar) -> int:
    """Where a field begins."""
    starts = [match.start() for match in re.finditer(r"\S+", text)]
    return starts[grammar.layouts[len(starts)].index(name)]


def _refused(
    text: str, given: dict[str, str], refusal: _RefusedPartError, grammar: Grammar
) -> CronSyntaxError:
    """The error about a part of a field, as one about the whole text."""
    name, at, error = refusal.name, refusal.at, refusal.error
    parts = given[name].split(",")
    position = _start_of(name, text, grammar) + sum(len(part) + 1 for part in parts[:at])
    reason, hint = str(error.args[0]), error.args[1] if len(error.args) > 1 else None
    if isinstance(error, CronSyntaxError):
        reason, hint = error.reason, error.hint
        if error.text == parts[at]:
            position += error.position
    candidates = []
    if (hint or not parts[at]) and len(text) <= _LONGEST_CORRECTED:
        field = ",".join([*parts[:at], *([hint] if hint else []), *parts[at + 1 :]])
        candidates.append(" ".join({**given, name: field}.values()))
    return CronSyntaxError(
        f"in the field for the {_SPOKEN.get(name, name)}, {reason}",
        text=text,
        position=position,
        hint=readable(candidates, grammar),
    )


def readable(candidates: Iterable[str], grammar: Grammar) -> str | None:
    """The first candidate that this dialect reads."""
    for candidate in candidates:
        names = grammar.layouts.get(len(candidate.split()))
        if names is None:
            if candidate.strip().lower() in grammar.macros:
                return candidate
            continue
        given = dict(zip(names, candidate.split(), strict=True))
        if grammar.needs_question_mark and (given["day"] == "?") == (given["day_of_week"] == "?"):
            continue
        try:
            _check(given, grammar)
        except _RefusedPartError:
            continue
        return candidate
    return None


def within(whole: str, start: int, text: str, error: CronSyntaxError) -> CronSyntaxError:
    """The error about `text`, as one about the whole in which it begins at `start`."""
    hint = error.hint and whole[:start] + error.hint + whole[start + len(text) :]
    return CronSyntaxError(error.reason, text=whole, position=start + error.position, hint=hint)


def zone_in(text: str, name: str, start: int, rest: str, grammar: Grammar) -> tzinfo:
    """The time zone that is named in a text.

    Args:
        start: where its name begins.
        rest: what is to be read in that zone; the nearest name is offered if it can be.

    Raises:
        CronSyntaxError: there is none of that name.
    """
    try:
        return cast("tzinfo", astimezone(name))
    except (ZoneInfoNotFoundError, ValueError):
        hint = nearest_zone(name) if readable([rest], grammar) else None
        raise CronSyntaxError(
            f"no time zone is named {name[:100]!r}",
            text=text,
            position=start,
            hint=hint and text[:start] + hint + text[start + len(name) :],
        ) from None
