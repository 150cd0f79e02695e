"""A schedule as text, in any dialect that is known here, as the trigger that it means.

Each dialect has a reader of its own, which is loaded when it is first needed. Nothing is guessed: a text that two dialects
read differently is refused, with what each of them means by it.
"""

from __future__ import annotations

import re
import warnings
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.coercion import names_keywords, nearest
from mainspring.errors import CronSyntaxError, TriggerError, repr_of
from mainspring.triggers.meant import candidates

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.triggers.base import BaseTrigger

__all__ = ["DIALECTS", "Dialect", "parse"]


class Dialect(NamedTuple):
    """A dialect of schedules.

    Attributes:
        reader: ``"module:function"`` under `mainspring.triggers.dialects`; the function takes the text and returns a trigger
            whose time zone is open if the text names none, or raises a `TriggerError`.
        example: a text in it, for messages.
        aliases: its other names.
    """

    reader: str
    example: str
    aliases: tuple[str, ...] = ()


#: The dialects by their names, those that most people have first.
DIALECTS: dict[str, Dialect] = {
    "unix": Dialect(
        "unix:read",
        "30 9 * * mon-fri",
        ("vixie", "cron", "crontab", "debian", "cronie", "openbsd", "go", "sidekiq"),
    ),
    "quartz": Dialect("quartz:read", "0 30 9 ? * MON-FRI", ("quartznet",)),
    "spring": Dialect("spring:read", "0 30 9 * * MON-FRI", ("springboot", "scheduled")),
    "eventbridge": Dialect(
        "eventbridge:read", "cron(30 9 ? * MON-FRI *)", ("aws", "awseventbridge", "cloudwatch")
    ),
    "jenkins": Dialect("jenkins:read", "H 9 * * 1-5", ("hudson",)),
    "systemd": Dialect("systemd:read", "Mon..Fri *-*-* 09:30:00", ("oncalendar",)),
    "english": Dialect("english:read", "every weekday at 09:30", ("en", "plain", "plainenglish")),
    "iso8601": Dialect("iso8601:read", "R5/2026-01-01T09:30Z/P1D", ("iso",)),
    "rrule": Dialect("rrule:read", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", ("ical", "icalendar", "rfc5545")),
}

#: What the words of an expression with one field for each unit of time look like.
_CRON_WORD = re.compile(r"[\w*?/,#~()-]+", re.ASCII)
_CRON_FIRST_WORD = re.compile(r"[\dH*?/,~()-]+", re.ASCII)
#: Dialects whose texts are fields with spaces between them.
_OF_FIELDS = frozenset({"unix", "quartz", "spring", "eventbridge", "jenkins"})
#: So many fields, one of them for seconds or years, are read differently from one dialect to the next.
_MANY_FIELDS = 6
#: So many are meant to be a cron expression, even if no dialect has so few.
_FEW_FIELDS = 3

#: A text that is longer isn't tried in other dialects than that which it is said to be in.
_LONGEST_LOOKED_AT = 500


@names_keywords
def parse(text: str, dialect: str | None = None) -> BaseTrigger:
    """The trigger that a schedule written as text means.

    Args:
        text: such as ``"30 9 * * mon-fri"``. Without a time zone in it, the trigger takes that of its scheduler.
        dialect: what it is written in, one of `DIALECTS` or of their aliases. If it is left out, every dialect reads the
            text, and all that can must mean the same by it. Cron expressions of six or more fields always need it; ``@daily`` and its like are
            a crontab's.

    Raises:
        CronSyntaxError: the text can't be read; the message says where reading stopped.
        TriggerError: no such dialect; or none is named, and the text has more than one meaning.
        TypeError: `text` is no text.
    """
    if not isinstance(text, str):
        raise TypeError(
            f"text must be a text such as '30 9 * * mon-fri', got {type(text).__name__} {repr_of(text)[:100]}"
        )
    if dialect is not None:
        return _read_as(dialect_name(dialect), text)
    readings, errors = _read_by_all(text)
    if not readings:
        raise _nearest_error(text, errors)
    if _is_short_form(text) and len(readings) > 1:
        # For Jenkins it is some time of that day or hour, which a crontab's is too (decision 30).
        readings.pop("jenkins", None)
    triggers = list(readings.values())
    if _cron_fields(text) >= _MANY_FIELDS and readings.keys() & _OF_FIELDS:
        reason = "has six fields or more, which dialects read differently"
    elif any(trigger != triggers[0] for trigger in triggers):
        reason = "has more than one meaning"
    else:
        return triggers[0]
    raise TriggerError(f"{_shown(text)} {reason}: say which by dialect=…. {_meanings(readings)}")


def dialect_name(dialect: Any) -> str:
    """The name of a dialect, by that or one of its aliases.

    Raises:
        TriggerError: there is none.
        TypeError: it is no text.
    """
    if not isinstance(dialect, str):
        raise TypeError(
            f"dialect must be one of {', '.join(DIALECTS)}, got {type(dialect).__name__} {repr_of(dialect)[:100]}"
        )
    names = {alias: name for name, known in DIALECTS.items() for alias in (name, *known.aliases)}
    low = re.sub(r"[\s_-]", "", dialect.lower())
    if low not in names:
        candidate = nearest(low, names)
        hint = f"did you mean {candidate!r}? " if candidate else ""
        raise TriggerError(f"unknown dialect {dialect[:100]!r}: {hint}There are {', '.join(DIALECTS)}")
    return names[low]


def _read_as(name: str, text: str) -> BaseTrigger:
    try:
        return _reader(name)(text)
    except CronSyntaxError as error:
        readings = {} if len(text) > _LONGEST_LOOKED_AT else _read_by_all(text)[0]
        reason = error.reason
        if readings:
            others = " or ".join(f"dialect={other!r}" for other in readings)
            reason += f". With {others} it can be read"
        raise _with_hint(error, reason, name) from None


def pointing_elsewhere(error: CronSyntaxError, own: str, name: str) -> CronSyntaxError:
    """The error of a method that reads one dialect, with what reads the text, if something does.

    Args:
        own: the dialect that needn't be named, since the method reads it; or ``""``.
        name: of the dialect of what it offers.
    """
    text = error.text
    if error.field is not None or len(text) > _LONGEST_LOOKED_AT:
        return error
    # Where seconds come first, numbers of weekdays are mostly Spring's.
    order = (
        sorted(DIALECTS, key=lambda one: one != "spring") if _cron_fields(text) == _MANY_FIELDS else DIALECTS
    )
    called = f"cron({text.strip()})"
    reason = error.reason
    if found := next((one for one in order if one != own and _reads(one, text)), None):
        reason += f". mainspring.triggers.parse(text, dialect={found!r}) reads it"
    elif _reads("eventbridge", called):
        reason += f". mainspring.triggers.parse({called!r}, dialect='eventbridge') is how it is read for EventBridge"
    return _with_hint(error, reason, name)


def _with_hint(error: CronSyntaxError, reason: str, name: str) -> CronSyntaxError:
    """The error with another reason, and with a hint only if the dialect reads that as a whole."""
    # Fields have no spaces: with one after a comma, the field that is found wrong is none that anybody meant.
    joined = re.sub(r"\s*,\s*", ",", error.text) if name in _OF_FIELDS else error.text
    tried = (joined if joined != error.text else None, error.hint)
    hint = next((one for one in tried if one and _reads(name, one)), None)
    if hint is None and len(error.text) <= _LONGEST_LOOKED_AT:
        hint = _meant(name, error.text)
    return CronSyntaxError(reason, text=error.text, position=error.position, field=error.field, hint=hint)


def _meant(name: str, text: str) -> str | None:
    """What was most likely meant by a text, if a dialect reads that."""
    tried = dict.fromkeys(candidates(name, text))
    return next((one for one in tried if one != text and _reads(name, one)), None)


def _reads(name: str, text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _reader(name)(text)
    except TriggerError:
        return False
    return True


@cache
def _reader(name: str) -> Callable[[str], BaseTrigger]:
    module, _, function = DIALECTS[name].reader.partition(":")
    found: Callable[[str], BaseTrigger] = getattr(
        import_module(f"mainspring.triggers.dialects.{module}"), function
    )
    return found


def _read_by_all(text: str) -> tuple[dict[str, BaseTrigger], dict[str, TriggerError]]:
    """What each dialect makes of a text: triggers, and errors."""
    readings, errors = {}, {}
    for name in DIALECTS:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they are of what one dialect alone makes of it
                readings[name] = _reader(name)(text)
        except TriggerError as error:
            errors[name] = error
    return readings, errors


def _is_short_form(text: str) -> bool:
    """Whether it is written as ``@daily`` is."""
    return text.lstrip().startswith("@")


def _cron_fields(text: str) -> int:
    """How many fields a cron expression has, beside the zone that it may name; 0: the text doesn't look like one."""
    from mainspring.triggers.cron.unix import placed

    with suppress(CronSyntaxError):
        text = placed(text).text
    words = text.split()
    is_cron = words and _CRON_FIRST_WORD.fullmatch(words[0]) and all(map(_CRON_WORD.fullmatch, words))
    return len(words) if is_cron else 0


def _meanings(readings: dict[str, BaseTrigger]) -> str:
    """What each dialect makes of a text, those together that make the same of it."""
    dialects: dict[str, list[str]] = {}
    for name, trigger in readings.items():
        dialects.setdefault(trigger.explain(), []).append(f"dialect={name!r}")
    return "; ".join(
        f"{' and '.join(names)} {'means' if len(names) == 1 else 'mean'} {_shown(meaning)}"
        for meaning, names in dialects.items()
    )


def _nearest_error(text: str, errors: dict[str, TriggerError]) -> CronSyntaxError:
    """The error of the dialect that is nearest to a text, or understood most of it; if none did, what each looks like."""
    known = {name: error for name, error in errors.items() if isinstance(error, CronSyntaxError)}
    if not known:
        return CronSyntaxError(str(next(iter(errors.values()))), text=text)

    def understood(name: str) -> tuple[int, int]:
        return has_hint(name), known[name].position

    def has_hint(name: str) -> bool:
        """Whether what is offered can be read as it is: of more fields than the text has, only with the dialect named."""
        hint = known[name].hint
        return hint is not None and not _needs_dialect(hint, text)

    name = "unix" if _is_short_form(text) else max(known, key=understood, default="")
    if len(text) <= _LONGEST_LOOKED_AT and (not name or not has_hint(name)):
        name = next((one for one in known if _meant(one, text)), name)
    error = _with_hint(known[name], f"{known[name].reason} (dialect={name!r} comes nearest)", name)
    if error.hint is not None and _needs_dialect(error.hint, text):
        error = CronSyntaxError(error.reason, text=text, position=error.position, field=error.field)
    if error.hint or error.position or _is_short_form(text):
        return error
    if _cron_fields(text) >= _FEW_FIELDS:
        return known["unix"]
    examples = ", ".join(f"{dialect.example!r} ({name})" for name, dialect in DIALECTS.items())
    return CronSyntaxError(f"no dialect reads this; expected a schedule such as {examples}", text=text)


def _needs_dialect(hint: str, text: str) -> bool:
    """Whether a hint has so many fields that it can't be read without a dialect, and the text hasn't."""
    return _cron_fields(hint) >= _MANY_FIELDS > len(text.split())


def _shown(text: str) -> str:
    return repr(text if len(text) <= 100 else f"{text[:100]}…")  # noqa: PLR2004 - a line
