"""Crontabs: of users, and of the system with a column for the user; a file, a folder as ``/etc/cron.d``, or a text.

Each command becomes a job that runs it by the shell, with the environment that cron gives it.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mainspring.coercion import names_keywords
from mainspring.errors import ReadingError
from mainspring.moving.plan import COMMAND, Planner, crontab_trigger, digest, slug, text_of, zone_of
from mainspring.triggers.date import DateTrigger

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from mainspring.moving.plan import Plan
    from mainspring.triggers.base import BaseTrigger

__all__ = ["read_crontab"]

_ASSIGNMENT = re.compile(
    r"""\s*(?P<name>"[^"]*"|'[^']*'|[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*?)\s*""", re.DOTALL
)
_FIELDS = 5
#: FreeBSD's names, which no dialect of `parse` has.
_MORE_NAMES = {"@every_minute": "* * * * *"}
#: Of OpenBSD and FreeBSD: no mail on success, nothing in the log, one at a time.
_FLAGS = re.compile(r"(?P<flags>(?:-[nqs]+\s+)+)(?P<command>\S.*)", re.DOTALL)
#: What is told to cron alone. It is in the environment of commands too, as cron has it.
_OF_MAIL = {"MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING"}
#: Files of /etc/cron.d that Debian's cron reads.
_FILE_NAME = re.compile(r"[A-Za-z0-9_-]+")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?")


@dataclass
class _Settings:
    """What the assignments of a crontab have said so far."""

    variables: dict[str, str] = field(default_factory=dict)
    zone: tzinfo | None = None
    delay_minutes: int = 0


class _Entry(NamedTuple):
    """A line with a schedule and a command."""

    schedule: str
    user: str | None
    command: str
    input: str | None
    flags: str


@names_keywords
def read_crontab(
    source: str | Path,
    *,
    system: bool | None = None,
    timezone: Any = None,
    reboot: Literal["leave_out", "on_apply"] = "leave_out",
    inherit_environment: bool = False,
    now: datetime | None = None,
) -> Plan:
    """A plan of the jobs in a crontab.

    Each command is run by `mainspring.commands.run_command`, as cron does: by ``SHELL``, in the home of the user, with the variables of the
    crontab and little else. Runs overlap, as there.

    Args:
        source: the path of a file, or of a folder such as ``/etc/cron.d``; or a text, with a line end in it.
        system: whether lines have a column for the user, after the schedule. If it is not given, they have in ``/etc/crontab`` and in folders
            named ``cron.d``, and elsewhere it is refused where the first word of all commands may be one.
        timezone: for lines under no ``CRON_TZ``; the scheduler's, if it is not given.
        reboot: what becomes of ``@reboot``: it is left out, or run once when the plan is applied for the first time.
        inherit_environment: whether commands have the environment of the scheduler's process besides.
        now: from when on next runs are told; the present, if it is not given.

    Raises:
        ReadingError: a line can't be read; the message says which, and what was expected.
    """
    path = None if isinstance(source, str) and ("\n" in source or not source.strip()) else Path(source)
    planner = Planner("crontab" if path is None else str(path), now=now, timezone=timezone, tag="crontab")
    reader = _Reader(planner, reboot=reboot, inherits=inherit_environment)
    if path is not None and path.is_dir():
        for file in sorted(path.iterdir()):
            if not _FILE_NAME.fullmatch(file.name):
                reason = "cron doesn't read files of this name: letters, digits, _ and - are expected (rename it, if it is wanted)"
                planner.leave_out(str(file), file.name, reason)
            elif file.is_file():
                reader.read(*text_of(file, what=""), system=True if system is None else system)
    else:
        name, text = text_of(source, what="crontab")
        if system is None:
            system = path is not None and (path.name == "crontab" or path.resolve().parent.name == "cron.d")
            if not system:
                _refuse_unclear_form(name, text)
        reader.read(name, text, system=system)
    return planner.plan()


class _Reader:
    """Reads crontabs into a plan."""

    def __init__(self, planner: Planner, *, reboot: str, inherits: bool) -> None:
        if reboot not in ("leave_out", "on_apply"):
            raise ValueError(f"reboot must be 'leave_out' or 'on_apply', got {reboot!r}")
        self._planner = planner
        self._reboot = reboot
        self._inherits = inherits
        self._places = ""

    def read(self, source: str, text: str, *, system: bool) -> None:
        """Read one crontab."""
        self._places = f"{source}:" if self._planner.source != source else "line "
        if "\r" in text:
            self._planner.notes.append(
                f"{source} has line ends of Windows, which cron would have given to the commands; they are dropped"
            )
        if text and not text.endswith("\n"):
            self._planner.notes.append(
                f"the last line of {source} has no line end: cron ignores such a line, and here it is read"
            )
        settings = _Settings()
        for number, line in enumerate(text.split("\n"), 1):
            stripped = line.strip()
            if not stripped or stripped.startswith("#"):
                continue
            assignment = None if stripped.startswith("@") else _ASSIGNMENT.fullmatch(line)
            if assignment is not None:
                self._assign(
                    assignment["name"].strip("\"'"), _unquoted(assignment["value"]), settings, source, number
                )
            else:
                self._plan(_entry(stripped, source, number, system=system), settings, source, number)

    def _assign(self, name: str, value: str, settings: _Settings, source: str, number: int) -> None:
        notes = self._planner.notes
        if name == "CRON_TZ":
            settings.zone = zone_of(value, source, number) if value else None
            notes.append(
                "CRON_TZ is read as cronie reads it, as the zone of the schedules below; Debian's cron ignores it"
            )
            return
        if name == "RANDOM_DELAY":
            if not value.isdigit():
                raise ReadingError(
                    source, number, f"RANDOM_DELAY: expected a number of minutes, got {value!r}"
                )
            settings.delay_minutes = int(value)
            notes.append("RANDOM_DELAY becomes a delay that is each job's own, and the same every time")
            return
        if name == "TZ":
            notes.append(
                "TZ is in the environment of the commands alone, as with cron: it doesn't move the schedules (CRON_TZ does)"
            )
        if name in _OF_MAIL and (value or name != "MAILTO"):
            notes.append(
                f"{name}={value}: no mail is sent; what commands write is in the log of their runs, and a command that fails is a failed run"
            )
        settings.variables[name] = value

    def _plan(self, entry: _Entry, settings: _Settings, source: str, number: int) -> None:
        place = f"{self._places}{number}"
        notes: list[str] = []
        trigger = self._trigger(entry, settings, source, number)
        if trigger is None:
            self._planner.leave_out(
                place,
                f"{entry.schedule} {entry.command}",
                "a scheduler isn't booted: run it where the program starts, or read the crontab with reboot='on_apply'",
            )
            return
        if entry.schedule.lower() == "@reboot":
            notes.append("it is run once, when it is added, and not at each boot")
        variables = {"SHELL": "/bin/sh", "PATH": "/usr/bin:/bin", **settings.variables}
        if self._inherits:
            variables = settings.variables
        kwargs: dict[str, Any] = {
            "shell": settings.variables.get("SHELL", "/bin/sh"),
            "environment": dict(variables),
        }
        kwargs |= {"inherit_environment": self._inherits, "directory": settings.variables.get("HOME", "~")}
        if entry.input is not None:
            kwargs["input"] = entry.input
        if entry.user is not None:
            kwargs["user"] = entry.user
        self._planner.add(
            f"crontab-{slug(entry.command)}-{digest(entry.user, entry.command, entry.input)}",
            COMMAND,
            trigger,
            args=(entry.command,),
            kwargs=kwargs,
            options={"overlap": "skip" if "s" in entry.flags else "allow"},
            place=place,
            notes=notes,
        )

    def _trigger(self, entry: _Entry, settings: _Settings, source: str, number: int) -> BaseTrigger | None:
        """When a line's command runs; ``None``: at boot, of which nothing is to be made."""
        if entry.schedule.lower() == "@reboot":
            return DateTrigger() if self._reboot == "on_apply" else None
        zone = self._planner.timezone if settings.zone is None else settings.zone
        trigger = crontab_trigger(
            _MORE_NAMES.get(entry.schedule.lower(), entry.schedule), zone, source, number
        )
        return trigger.spread(settings.delay_minutes * 60) if settings.delay_minutes else trigger


def _entry(line: str, source: str, number: int, *, system: bool) -> _Entry:
    """A line as its parts.

    Raises:
        ReadingError: it has too few.
    """
    count = 1 if line.startswith("@") else _FIELDS
    parts = line.split(maxsplit=count + system)
    if len(parts) <= count + system:
        columns = "minute, hour, day of the month, month, weekday"
        expected = (
            f"{columns if count > 1 else '@daily or another such name'}, {'user, ' if system else ''}command"
        )
        hint = (
            ". A crontab has no continuation lines: each command is on one line" if len(parts) < count else ""
        )
        if system and len(parts) == count + 1:
            hint = ". If this crontab has no column for the user, read it with system=False"
        raise ReadingError(source, number, f"expected {expected}, got {line!r}{hint}")
    schedule = " ".join(parts[:count])
    if count > 1:
        schedule = schedule.removeprefix("-")  # of cronie and SUSE: nothing in the system's log
    user, command = (parts[count], parts[count + 1]) if system else (None, parts[count])
    flags = ""
    if match := _FLAGS.fullmatch(command):
        flags, command = match["flags"], match["command"]
    if system and user is not None and not _USER.fullmatch(user):
        raise ReadingError(
            source,
            number,
            f"expected the name of a user after the schedule, got {user!r}. If this crontab has no column for it, read it with system=False",
        )
    command, stdin = _divided(command)
    if not command.strip():
        raise ReadingError(source, number, f"expected a command before %, got {line!r}")
    return _Entry(schedule, user, command, stdin, flags)


def _divided(text: str) -> tuple[str, str | None]:
    r"""A command, and its input: what comes after the first ``%``, where each further ``%`` is a line end, and ``\%`` is ``%``."""
    first, *rest = re.split(r"(?<!\\)%", text)
    command = first.replace("\\%", "%")
    if not rest:
        return command, None
    return command, "".join(f"{part.replace(chr(92) + '%', '%')}\n" for part in rest)


def _unquoted(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value


def _refuse_unclear_form(source: str, text: str) -> None:
    """Refuse a crontab of a user in which each command begins with the name of a user: it is the system's, most likely.

    Raises:
        ReadingError: it is.
    """
    first_words: Counter[str] = Counter()
    for line in text.split("\n"):
        stripped = line.strip()
        if not stripped or stripped.startswith("#") or _ASSIGNMENT.fullmatch(stripped):
            continue
        parts = stripped.split(maxsplit=1 if stripped.startswith("@") else _FIELDS)
        words = parts[-1].split()
        first_words[words[0] if len(words) > 1 else ""] += 1
    if first_words and all(_is_user(word) for word in first_words):
        raise ReadingError(
            source,
            None,
            f"each command begins with the name of a user ({', '.join(sorted(first_words))}): say system=True if that is a column for the user, system=False if it is "
            "the command",
        )


def _is_user(word: str) -> bool:
    """Whether a word is the name of a user, and not that of a program too, as ``mail`` is."""
    if word == "root" or shutil.which(word) is not None:
        return word == "root"
    try:
        import pwd

        pwd.getpwnam(word)
    except (ImportError, KeyError):
        return False
    return True
