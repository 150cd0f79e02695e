"""Unit files of systemd as data: sections, drop-ins, spans of time, command lines."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.errors import ReadingError
from mainspring.moving.plan import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SECTION = re.compile(r"\[(?P<name>[^\]]+)\]")
_SPAN = re.compile(r"\s*(?P<count>\d+(?:\.\d+)?)\s*(?P<unit>[A-Za-zµμ]*)")
_SPECIFIER = re.compile(r"%(.)")
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")
_WORD_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
_MONTH, _YEAR = 30.44 * 86400, 365.25 * 86400
_UNITS = {
    1e-6: ("usec", "us", "µs", "μs"),
    1e-3: ("msec", "ms"),
    1: ("", "seconds", "second", "sec", "s"),
    60: ("minutes", "minute", "min", "m"),
    3600: ("hours", "hour", "hr", "h"),
    86400: ("days", "day", "d"),
    7 * 86400: ("weeks", "week", "w"),
    _MONTH: ("months", "month", "M"),
    _YEAR: ("years", "year", "y"),
}
_SECONDS = {name: seconds for seconds, names in _UNITS.items() for name in names}
#: Specifiers that mean the same in every unit of the system.
_FOLDERS = {
    "t": "/run",
    "S": "/var/lib",
    "L": "/var/log",
    "C": "/var/cache",
    "E": "/etc",
    "T": "/tmp",  # noqa: S108 - where it is
    "V": "/var/tmp",  # noqa: S108
}
#: What may stand before a command: its failure doesn't matter; it has another name; no variables; rights.
_PREFIXES = "-@:+!|"


class Setting(NamedTuple):
    """A line of a unit file."""

    value: str
    source: str
    line: int


@dataclass
class Unit:
    """A unit with its drop-ins.

    Attributes:
        name: such as ``"backup@daily.timer"``.
        settings: what has been said, by section and key, in order; an empty value has dropped what was said before.
    """

    name: str
    settings: dict[tuple[str, str], list[Setting]] = field(default_factory=dict)

    def all(self, section: str, key: str) -> list[Setting]:
        """Every value of a key."""
        return self.settings.get((section, key), [])

    def last(self, section: str, key: str) -> Setting | None:
        """The value of a key that has one."""
        found = self.all(section, key)
        return found[-1] if found else None

    def read(self, source: str, text: str) -> None:
        """Add what a file says.

        Raises:
            ReadingError: a line can't be read.
        """
        section = ""
        for number, line in _lines(text):
            if match := _SECTION.fullmatch(line):
                section = match["name"]
                continue
            key, equals, value = line.partition("=")
            if not equals or not key.strip():
                raise ReadingError(
                    source,
                    number,
                    f"expected a section such as [Timer], or a line such as OnCalendar=daily, got {line!r}",
                )
            if not section:
                raise ReadingError(source, number, f"expected a section such as [Timer] before {line!r}")
            values = self.settings.setdefault((section, key.strip()), [])
            if value.strip():
                values.append(Setting(value.strip(), source, number))
            else:
                values.clear()

    def expanded(self, text: str, strange: set[str]) -> str:
        """A text with its specifiers replaced.

        Args:
            strange: takes those that aren't known here.
        """
        stem = self.name.rpartition(".")[0]
        prefix, _, instance = stem.partition("@")
        known = {
            "%": "%",
            "n": self.name,
            "N": stem,
            "p": prefix,
            "P": _unescaped(prefix),
            "i": instance,
            "I": _unescaped(instance),
            **_FOLDERS,
        }

        def replaced(match: re.Match[str]) -> str:
            if match[1] not in known:
                strange.add(match[0])
                return match[0]
            return known[match[1]]

        return _SPECIFIER.sub(replaced, text)


class UnitFiles:
    """The files of units: those of a folder, or given as texts by their names."""

    def __init__(self, files: Mapping[str, tuple[str, str]]) -> None:
        self._files = dict(files)

    @classmethod
    def in_folder(cls, folder: Path) -> UnitFiles:
        """The units of a folder, with their drop-ins."""
        names = [*folder.glob("*.timer"), *folder.glob("*.service"), *folder.glob("*.d/*.conf")]
        return cls(
            {
                str(path.relative_to(folder)): text_of(path, what="")
                for path in sorted(names)
                if not _is_masked(path)
            }
        )

    @property
    def timers(self) -> list[str]:
        """The names of the timers."""
        return sorted(name for name in self._files if name.endswith(".timer") and "/" not in name)

    def unit(self, name: str) -> Unit | None:
        """A unit, of its own file or of its template's, with the drop-ins of both."""
        stem, _, kind = name.rpartition(".")
        template = f"{stem.partition('@')[0]}@.{kind}" if "@" in stem else None
        unit = Unit(name)
        main = next((one for one in (name, template) if one in self._files), None)
        if main is None:
            return None
        unit.read(*self._files[main])
        folders = [f"{one}.d/" for one in (f"{kind}", template, name) if one is not None]
        dropped = {
            path.rpartition("/")[2]: path
            for folder in folders
            for path in sorted(self._files)
            if path.startswith(folder)
        }
        for _, path in sorted(dropped.items()):
            unit.read(*self._files[path])
        return unit


def _is_masked(path: Path) -> bool:
    return path.is_symlink() and str(path.resolve()) == "/dev/null"


def _lines(text: str) -> list[tuple[int, str]]:
    """The lines that say something, with their numbers; a backslash at the end joins the next one."""
    lines: list[tuple[int, str]] = []
    begun: tuple[int, str] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped.startswith(("#", ";")) or (not stripped and begun is None):
            continue
        first, before = begun or (number, "")
        whole = f"{before} {stripped}".strip()
        begun = (first, whole[:-1].rstrip()) if whole.endswith("\\") else None
        if begun is None:
            lines.append((first, whole))
    return [*lines, begun] if begun is not None else lines


def _unescaped(text: str) -> str:
    r"""A part of a unit's name as it was before: ``-`` for ``/``, ``\x2d`` for ``-``."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), text.replace("-", "/"))


def span(setting: Setting) -> timedelta | None:
    """A span of time such as ``1h 30min``; a number alone is of seconds. ``None``: for ever.

    Raises:
        ReadingError: it is none.
    """
    if setting.value == "infinity":
        return None
    position, seconds = 0, 0.0
    while position < len(setting.value):
        match = _SPAN.match(setting.value, position)
        if match is None or match["unit"] not in _SECONDS:
            raise ReadingError(
                setting.source,
                setting.line,
                f"expected a span of time such as '1h 30min', got {setting.value!r}",
            )
        seconds += float(match["count"]) * _SECONDS[match["unit"]]
        position = match.end()
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        return None


def words(setting: Setting, text: str) -> list[str]:
    """The words of a command line or of assignments.

    Raises:
        ReadingError: a quote isn't closed.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ReadingError(
            setting.source, setting.line, f"expected words with closed quotes, got {text!r} ({error})"
        ) from None


class CommandLine(NamedTuple):
    """A command of a service.

    Attributes:
        words: the program and its arguments, with variables as they are written.
        ignores_failure: whether its exit code doesn't matter.
        expands: whether variables are replaced.
        rights: prefixes that change its rights.
    """

    words: list[str]
    ignores_failure: bool
    expands: bool
    rights: str

    @classmethod
    def of(cls, setting: Setting, text: str) -> list[CommandLine]:
        """The commands of a line; a ``;`` between them divides them."""
        commands: list[CommandLine] = []
        current: list[str] = []
        for word in [*words(setting, text.replace(r"\;", r"'\;'")), ";"]:
            if word != ";":
                current.append(";" if word == r"\;" else word)
            elif current:
                program = current[0].lstrip(_PREFIXES)
                prefix = current[0][: len(current[0]) - len(program)]
                rest = current[2:] if "@" in prefix else current[1:]
                commands.append(
                    cls(
                        [program, *rest],
                        "-" in prefix,
                        ":" not in prefix,
                        "".join(sorted(set(prefix) & set("+!|"))),
                    )
                )
                current = []
        return commands

    @property
    def is_plain(self) -> bool:
        """Whether it can be run as it is, without a shell."""
        return not self.ignores_failure and not (self.expands and any("$" in word for word in self.words))

    def in_shell(self) -> str:
        """It as a command of a POSIX shell in which ``set -f`` is in force."""
        text = " ".join(map(self._quoted, self.words))
        return f"{{ {text} || true; }}" if self.ignores_failure else text

    def _quoted(self, word: str) -> str:
        if not self.expands or "$" not in word:
            return shlex.quote(word)
        if _WORD_VARIABLE.fullmatch(word):
            return word  # it becomes as many words as it has
        parts: list[str] = []
        end = 0
        for match in _VARIABLE.finditer(word):
            parts += [word[end : match.start()], match["name"]]
            end = match.end()
        parts.append(word[end:])
        quoted: list[Any] = [shlex.quote(part.replace("$$", "$")) if part else "" for part in parts[::2]]
        names = [f'"${{{name}}}"' for name in parts[1::2]]
        return "".join(text for pair in zip(quoted, [*names, ""], strict=True) for text in pair) or "''"
