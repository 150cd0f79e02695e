"""Triggers as text, in the dialects of other programs, as far as those can say the same.

What is written is read back, and offered only if it then means the same: every day of every kind of year, every time of the day, and what
is done when the clocks change.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, NoReturn

from mainspring.errors import CronSyntaxError, SerializationError, TriggerError
from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.business_day import BusinessDayTrigger
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.days import matching_days
from mainspring.triggers.cron.expressions import (
    WEEKDAYS,
    HashExpression,
    LastDayOfMonthExpression,
    WeekdayPositionExpression,
)
from mainspring.triggers.cron.fields import MAX_VALUES, MIN_VALUES
from mainspring.triggers.cron.grammars import UNIX
from mainspring.triggers.cron.quartz import QUARTZ
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.dialects.eventbridge import EVENTBRIDGE
from mainspring.triggers.dialects.jenkins import JENKINS
from mainspring.triggers.dialects.spring import SPRING
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.parsing import dialect_name, parse
from mainspring.triggers.plain import plain_zone
from mainspring.triggers.weekly import WeeklyTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.cron.grammars import Grammar

__all__ = ["written"]

_WRITTEN = ("unix", "quartz", "spring", "eventbridge", "jenkins", "systemd")
_SECONDS = {"hour": 3600, "minute": 60}
_DAY = 86_400
_FEW = 3
_SEEDS = ("", "a", "b", "c")
_LAST = WeekdayPositionExpression.options.index("last")


def written(trigger: BaseTrigger, dialect: str) -> str:
    """`trigger` as text; see `BaseTrigger.to_cron`."""
    name = dialect_name(dialect)
    if name not in _WRITTEN:
        raise TriggerError(f"triggers can be written in {', '.join(_WRITTEN)}, and not in {name}")
    if isinstance(trigger, DateTrigger):
        return _once(trigger, name)
    if isinstance(trigger, IntervalTrigger):
        return _interval(trigger, name)
    if name == "jenkins" and isinstance(trigger, OrTrigger) and not trigger.jitter:
        return _lines([_cron(_as_cron(one, name), name) for one in trigger.triggers])
    return _cron(_as_cron(trigger, name), name)


def _lines(texts: list[str]) -> str:
    """Schedules of Jenkins as one, of which each line fires; the zone stands before them all.

    Raises:
        TriggerError: their zones differ.
    """
    zones = {text.rpartition("\n")[0] for text in texts}
    if len(zones) > 1:
        _refuse("jenkins", "schedules in different time zones", "write one text for each")
    return "\n".join([*filter(None, zones), *(text.rpartition("\n")[2] for text in texts)])


def _refuse(name: str, what: str, instead: str = "") -> NoReturn:
    raise TriggerError(f"{name} can't say {what}" + (f": {instead}" if instead else ""))


def _as_cron(trigger: BaseTrigger, name: str) -> CronTrigger:
    """A cron trigger of the same times.

    Raises:
        TriggerError: there is none.
    """
    if isinstance(trigger, CronTrigger):
        return trigger
    if isinstance(trigger, BusinessDayTrigger):
        _refuse_options(trigger, name)
        if name in ("unix", "jenkins", "systemd"):
            _refuse(name, "business days")
        if trigger.calendar != BusinessCalendar() or not set(trigger.days) <= {1, -1}:
            _refuse(
                name, "business days but for the first and the last from Monday to Friday, without holidays"
            )
        days = ",".join("1W" if day == 1 else "LW" for day in trigger.days)
        made = CronTrigger(
            day=days,
            **trigger.fields_as_text(),
            gap=trigger.gap,
            fold=trigger.fold,
            timezone=trigger.timezone,
        )
    elif isinstance(trigger, WeeklyTrigger):
        _refuse_options(trigger, name)
        if trigger.weeks > 1:
            _refuse(name, f"every {trigger.weeks} weeks")
        hours, minutes, seconds = (
            {getattr(at, unit) for at in trigger.times} for unit in ("hour", "minute", "second")
        )
        if len(hours) * len(minutes) * len(seconds) != len(trigger.times):
            _refuse(name, "times of the day whose minutes differ", "write one text for each")
        made = CronTrigger(
            day_of_week=",".join(WEEKDAYS[day] for day in trigger.days),
            hour=_listed(hours),
            minute=_listed(minutes),
            second=_listed(seconds),
            gap=trigger.gap,
            fold=trigger.fold,
            timezone=trigger.timezone,
        )
    elif isinstance(trigger, CalendarIntervalTrigger) and not (
        trigger.years or trigger.months or trigger.weeks or trigger.days > 1
    ):
        _refuse_options(trigger, name)
        at = trigger._time
        made = CronTrigger(
            hour=at.hour,
            minute=at.minute,
            second=at.second,
            gap=trigger.gap,
            fold=trigger.fold,
            timezone=trigger.timezone,
        )
    else:
        _refuse(name, f"what {type(trigger).__name__} does")
    made._seed = getattr(trigger, "_seed", None)
    return made


def _refuse_options(trigger: Any, name: str) -> None:
    """Refuse what no text of these dialects has."""
    is_anchored = (
        getattr(trigger, "_is_anchored", False) and trigger.max_fires is None and trigger.first != "now"
    )
    for option in ("jitter", "max_fires", "end_date", "start_date"):
        if getattr(trigger, option) is not None and not (option == "start_date" and is_anchored):
            _refuse(name, f"{option}={getattr(trigger, option)!s}", "it is no part of the expression")
    if trigger.first == "now":
        _refuse(name, "first='now'", "it is no part of the expression")


def _once(trigger: DateTrigger, name: str) -> str:
    moment = trigger.run_date
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        _refuse(name, "a date whose time zone is still open", "give the trigger a timezone")
    if name == "eventbridge":
        if moment.microsecond:
            _refuse(name, "fractions of a second")
        if moment.astimezone(UTC) != moment.replace(fold=0).astimezone(UTC):
            _refuse(name, f"the second {moment:%H:%M} of a day on which the clocks are put back")
        return f"at({moment.replace(tzinfo=None).isoformat()})"
    if name in ("unix", "spring", "jenkins"):
        _refuse(name, "a single date", "it has no field for the year")
    if moment.microsecond:
        _refuse(name, "fractions of a second")
    fields: dict[str, Any] = {
        unit: getattr(moment, unit) for unit in ("year", "month", "day", "hour", "minute", "second")
    }
    made = CronTrigger(**fields, timezone=moment.tzinfo)
    if made.upcoming(moment.astimezone(UTC), 1) != [moment.astimezone(UTC)]:
        _refuse(name, f"the second {moment:%H:%M} of a day on which the clocks are put back")
    return _cron(made, name)


def _interval(trigger: IntervalTrigger, name: str) -> str:
    _refuse_options(trigger, name)
    seconds = trigger.interval.total_seconds()
    if name == "eventbridge":
        for unit, size in (("day", _DAY), ("hour", 3600), ("minute", 60)):
            if seconds % size == 0:
                count = int(seconds // size)
                return f"rate({count} {unit}{'' if count == 1 else 's'})"
        _refuse(name, f"an interval of {trigger.interval}", "a rate is of whole minutes")
    if name == "unix" and seconds % 1 == 0:
        left, text = int(seconds), ""
        for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
            if left // size:
                text += f"{left // size}{unit}"
            left %= size
        zone = f"CRON_TZ={_zone_name(trigger.timezone, name)} " if trigger.timezone is not None else ""
        return f"{zone}@every {text}"
    _refuse(
        name,
        f"an interval of {trigger.interval}, which counts from when it is added",
        "a cron trigger such as minute='*/5' counts from the full hour",
    )


def _cron(trigger: CronTrigger, name: str) -> str:
    """A cron trigger as text, that is read back as one of the same meaning."""
    _refuse_options(trigger, name)
    _refuse_unsaid(trigger, name)
    for text in _systemd(trigger) if name == "systemd" else _fields(trigger, name, _grammar(name)):
        try:
            again = parse(text, dialect=name)
        except CronSyntaxError:
            continue
        if isinstance(again, CronTrigger) and _mean_the_same(trigger, again):
            return text
    if trigger.gap or trigger.fold:
        _refuse(name, "its rule for changes of the clocks (gap, fold) beside these hours")
    _refuse(name, f"the days of {trigger}" + (", both of which must match" if name == "unix" else ""))


def _grammar(name: str) -> Grammar:

    grammars = (UNIX, QUARTZ, EVENTBRIDGE, JENKINS, SPRING)
    return {grammar.name: grammar for grammar in grammars}[name]


def _refuse_unsaid(trigger: CronTrigger, name: str) -> None:
    """Refuse what the dialect has no place for, each by its name."""
    seed = trigger._seed or ""
    fields = {field.name: field for field in trigger.fields}
    has_seconds, has_years, unites = (
        name in ("quartz", "spring", "systemd"),
        name in ("quartz", "eventbridge", "systemd"),
        name == "unix",
    )
    if not fields["week"].matches_all():
        _refuse(name, f"weeks of the year (week={str(fields['week'])!r})")
    if not has_years and not fields["year"].matches_all():
        _refuse(name, f"years (year={str(fields['year'])!r})")
    if not has_seconds and set(fields["second"].values(seed)) != {0}:
        _refuse(name, f"seconds (second={str(fields['second'])!r})")
    if name != "jenkins" and trigger._seed is None and any(field.has_hash() for field in trigger.fields):
        _refuse(
            name, "H", "add the trigger to a scheduler, and write that of the job, whose values are known"
        )
    days, weekdays = fields["day"], fields["day_of_week"]
    special = [*days.special_days(), *weekdays.special_days()]
    if special and name in ("unix", "jenkins"):
        _refuse(name, f"{str(special[0])!r}", "it has no days that depend on the month")
    for one in special:
        if name == "systemd" and not isinstance(one, LastDayOfMonthExpression | WeekdayPositionExpression):
            _refuse(name, f"{str(one)!r}", "it doesn't look for the nearest workday")
    if days.matches_all() or weekdays.matches_all():
        return
    both = f"day={str(days)!r} and day_of_week={str(weekdays)!r} together"
    if trigger._is_either and not unites:
        _refuse(name, f"that a day fires if {str(days)!r} or {str(weekdays)!r} matches", "write two")
    if name in ("quartz", "eventbridge") and not all(
        type(one) is WeekdayPositionExpression for one in days.expressions
    ):
        _refuse(name, both, "one of the two must be '?'")


def _fields(trigger: CronTrigger, name: str, grammar: Grammar) -> Iterator[str]:
    """Texts that may mean a cron trigger, the most usual first."""
    fields = {field.name: field for field in trigger.fields}
    layout = (
        next((names for names in grammar.layouts.values() if "year" in names), None)
        if not fields["year"].matches_all()
        else None
    )
    if layout is None:
        layout = grammar.layouts[5 if name in ("unix", "jenkins") else 6]
    zone = trigger.timezone
    before = after = ""
    if name == "eventbridge":
        before, after = "cron(", ")"
    elif zone is not None and name in ("unix", "jenkins"):
        before = f"CRON_TZ={_zone_name(zone, name)} " if name == "unix" else f"TZ={_zone_name(zone, name)}\n"
    plain = {
        unit: _number_texts(trigger, unit, name) for unit in layout if unit not in ("day", "day_of_week")
    }
    for days, weekdays in _day_texts(trigger, name, grammar):
        for hour in plain["hour"]:
            texts = {unit: options[0] for unit, options in plain.items()}
            texts |= {"hour": hour, "day": days, "day_of_week": weekdays}
            yield before + " ".join(texts[unit] for unit in layout) + after


def _number_texts(trigger: CronTrigger, unit: str, name: str) -> list[str]:
    """A field of numbers, with ``*`` and without, where it may be either; that of the trigger itself first."""
    field = trigger._field(unit)
    if trigger._seed is None and name == "jenkins" and field.has_hash():
        return [str(field)]
    if unit == "year":
        return ["*"] if field.matches_all() else [_runs(field.values(), str)]
    values = field.values(trigger._seed or "")
    starred = _starred(values, MIN_VALUES[unit], MAX_VALUES[unit])
    plain = _numbers(values, unit)
    if unit != "hour":
        return [starred or plain]
    # How an hour is written says what is done when the clocks change, too.
    options = [starred, plain] if str(field).startswith("*") else [plain, starred]
    if set(values) == {0} and name == "unix":
        options.append("*/24")  # a step that is wider than the field is its first value alone
    return [option for option in options if option is not None]


def _starred(values: Collection[int], lowest: int, highest: int) -> str | None:
    """Values as ``*`` or ``*/n``, if they are all, or each n-th."""
    if len(values) == highest - lowest + 1:
        return "*"
    ordered = sorted(values)
    if len(ordered) == 1:
        return None
    step = ordered[1] - ordered[0]
    return f"*/{step}" if ordered == list(range(lowest, highest + 1, step)) else None


def _numbers(values: Collection[int], unit: str) -> str:
    """Values as a range with a step, or as a list of values and ranges, without ``*``."""
    ordered = sorted(values)
    if len(ordered) >= _FEW:
        step = ordered[1] - ordered[0]
        if step > 1 and ordered == list(range(ordered[0], ordered[-1] + 1, step)):
            last = MAX_VALUES[unit] if ordered[-1] + step > MAX_VALUES[unit] else ordered[-1]
            return f"{ordered[0]}-{last}/{step}"
    return _runs(ordered, str)


def _runs(values: Collection[int], shown: Callable[[int], str], to: str = "-") -> str:
    """Values as a list, with three and more in a row as a range."""
    ordered, parts = sorted(values), list[str]()
    at = 0
    while at < len(ordered):
        end = at
        while end + 1 < len(ordered) and ordered[end + 1] == ordered[end] + 1:
            end += 1
        run = ordered[at : end + 1]
        parts += [f"{shown(run[0])}{to}{shown(run[-1])}"] if len(run) >= _FEW else map(shown, run)
        at = end + 1
    return ",".join(parts)


def _listed(values: Collection[int]) -> str:
    return ",".join(map(str, sorted(values)))


def _day_texts(trigger: CronTrigger, name: str, grammar: Grammar) -> Iterator[tuple[str, str]]:
    """The two fields for days."""
    days, weekdays = trigger._field("day"), trigger._field("day_of_week")
    open_text = "?" if grammar.needs_question_mark else "*"
    if trigger._seed is None and name == "jenkins" and (days.has_hash() or weekdays.has_hash()):
        yield str(days), _hashed_weekday(weekdays, trigger, grammar)
        return
    positions = [one for one in days.expressions if type(one) is WeekdayPositionExpression]
    if positions:
        if len(positions) == len(days.expressions) and weekdays.matches_all():
            yield open_text, ",".join(_position(one) for one in positions)
        return
    by_day = _month_days(trigger)
    by_weekday = _weekdays(trigger, name, grammar)
    if days.matches_all() and weekdays.matches_all():
        yield "*", open_text
    elif weekdays.matches_all():
        yield from ((text, open_text) for text in by_day)
    elif days.matches_all():
        yield from ((open_text, text) for text in by_weekday)
    else:
        yield from ((one, other) for one in by_day for other in by_weekday)


def _month_days(trigger: CronTrigger) -> list[str]:
    field = trigger._field("day")
    values = field.values(trigger._seed or "")
    special = [str(one).replace("last", "L") for one in field.special_days()]
    texts = [_numbers(values, "day")] if values else []
    if not special and (starred := _starred(values, 1, MAX_VALUES["day"])):
        texts.insert(0, starred)
    return [",".join([*texts[-1:], *special])] if special else texts


def _weekdays(trigger: CronTrigger, name: str, grammar: Grammar) -> list[str]:
    field = trigger._field("day_of_week")
    values = field.values(trigger._seed or "")
    special = [_position(one) for one in field.special_days()]
    if grammar.has_names and name != "unix":
        texts = [_runs(values, lambda day: WEEKDAYS[day].upper())] if values else []
    else:
        numbers = {(day + grammar.weekdays.monday) % 7 for day in values}
        texts = [_runs(numbers, str)]
        if starred := _starred(numbers, 0, 6):
            texts.append(starred)  # beside a day of the month both must match then
    return [",".join([*texts[:1], *special])] if special else texts


def _hashed_weekday(field: Any, trigger: CronTrigger, grammar: Grammar) -> str:
    texts = []
    for one in field.expressions:
        if isinstance(one, HashExpression) and one.first is not None and one.last is not None:
            first, last = ((bound + grammar.weekdays.monday) % 7 for bound in (one.first, one.last))
            texts.append(f"H({first}-{last or 7})" + (f"/{one.step}" if one.step else ""))
        elif isinstance(one, HashExpression):
            texts.append(str(one))
    if len(texts) < len(field.expressions):
        return "*" if field.matches_all() else _weekdays(trigger, "jenkins", grammar)[0]
    return ",".join(texts)


def _position(expression: Any) -> str:
    """``fri#2`` or ``friL``, as the dialects have it."""
    weekday = WEEKDAYS[expression.weekday].upper()
    return f"{weekday}L" if expression.option_num == _LAST else f"{weekday}#{expression.option_num + 1}"


def _systemd(trigger: CronTrigger) -> Iterator[str]:
    """Texts for ``OnCalendar=``."""
    seed = trigger._seed or ""
    days, weekdays, years = (trigger._field(unit) for unit in ("day", "day_of_week", "year"))
    zone = "" if trigger.timezone is None else f" {_zone_name(trigger.timezone, 'systemd')}"
    year = "*" if years.matches_all() else _runs(years.values(), str, "..")
    month = _systemd_numbers(trigger._field("month").values(seed), "month")[0]
    prefix, day = "", "-*"
    positions = [
        one
        for field in (days, weekdays)
        for one in field.special_days()
        if isinstance(one, WeekdayPositionExpression)
    ]
    if positions:
        if len(positions) > 1 or len(days.expressions) * len(weekdays.expressions) > 1:
            return
        if not (days.matches_all() or weekdays.matches_all()):
            return
        at = positions[0]
        prefix = f"{WEEKDAYS[at.weekday].title()} "
        first = at.option_num * 7 + 1
        day = "~07/1" if at.option_num == _LAST else f"-{first:02}..{min(first + 6, 31):02}"
    else:
        if not weekdays.matches_all():
            prefix = _runs(weekdays.values(seed), lambda one: WEEKDAYS[one].title(), "..") + " "
        special = days.special_days()
        if any(type(one) is not LastDayOfMonthExpression for one in special) or (
            special and days.values(seed)
        ):
            return
        if special:
            day = "~" + ",".join(f"{one.days_before + 1:02}" for one in special)  # type: ignore[attr-defined]  # see above
        elif not days.matches_all():
            day = f"-{_systemd_numbers(days.values(seed), 'day')[0]}"
    for hour in _systemd_numbers(trigger._field("hour").values(seed), "hour"):
        times = ":".join(
            [
                hour,
                *(
                    _systemd_numbers(trigger._field(unit).values(seed), unit)[0]
                    for unit in ("minute", "second")
                ),
            ]
        )
        yield f"{prefix}{year}-{month}{day} {times}{zone}"


def _systemd_numbers(values: Collection[int], unit: str) -> list[str]:
    lowest, highest = MIN_VALUES[unit], MAX_VALUES[unit]
    ordered = sorted(values)
    plain = _runs(ordered, lambda one: f"{one:02}", "..")
    starred = _starred(values, lowest, highest)
    if starred == "*":
        return ["*", plain]
    if (
        len(ordered) >= _FEW
        and (step := ordered[1] - ordered[0]) > 1
        and ordered == list(range(ordered[0], ordered[-1] + 1, step))
    ):
        plain = f"{ordered[0]:02}..{ordered[-1]:02}/{step}"
    if starred is not None:
        return [f"{lowest:02}/{starred[2:]}", plain]
    return [plain]


def _zone_name(zone: tzinfo | None, name: str) -> str:
    """A zone by a name that these programs know."""
    try:
        text = plain_zone(zone) or "UTC"
    except SerializationError as error:
        raise TriggerError(f"{name} can't say the time zone {zone}: {error}") from None
    if text[0] in "+-":
        offset = timedelta(0) if zone is None else zone.utcoffset(None) or timedelta(0)
        hours = offset / timedelta(hours=1)
        if hours % 1 or not -14 <= -hours <= 12:  # noqa: PLR2004 - there are names for these
            _refuse(name, f"the time zone {text}", "it has no name there")
        return f"Etc/GMT{-int(hours):+d}"
    if name == "systemd" and not text[0].isalpha():
        _refuse(name, f"the time zone {text}", "it has no name there")
    return text


def _mean_the_same(one: CronTrigger, other: CronTrigger) -> bool:
    """Whether two cron triggers fire at the same times, whatever their texts are."""
    seeds = (
        _SEEDS if one._seed is None and any(field.has_hash() for field in one.fields) else (one._seed or "",)
    )
    return all(_reading(one, seed) == _reading(other, seed) for seed in seeds)


def _reading(trigger: CronTrigger, seed: str) -> tuple[Any, ...]:
    """What the fields of a cron trigger come to: years, the days of every kind of year, times of the day, the rule for changes."""
    dates, years = trigger.date_fields(seed), trigger._field("year")
    gap, fold = trigger._implied_policy()
    return (
        None if years.matches_all() else frozenset(years.values(seed)),
        *(
            matching_days(dates, weekday, is_leap, follows_leap)
            for weekday in range(7)
            for is_leap, follows_leap in ((False, False), (True, False), (False, True))
        ),
        *(frozenset(trigger._field(unit).values(seed)) for unit in ("hour", "minute", "second")),
        trigger.gap or gap,
        trigger.fold or fold,
    )
