"""Secrets among the arguments of jobs: found by their names, and not shown.

What is shown is logs, the errors and tracebacks that are kept, ``repr``, and exports that ask for it. What functions are called with, what they
return, and events' exceptions are what they are.

Which names there are is a matter of the program, so it is one setting for the process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import is_dataclass
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

from mainspring.errors import ConfigurationError, kind_of, one_line, repr_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeGuard

#: What stands in the place of a secret.
MASK = "***"

#: Names of secrets, in small letters with underscores; a ``*`` stands for any characters.
USUAL_NAMES = (
    "*password*",
    "*passwd*",
    "*passphrase*",
    "*pwd*",
    "*secret*",
    "*token*",
    "*api_key*",
    "*apikey*",
    "*access_key*",
    "*private_key*",
    "*signing_key*",
    "*encryption_key*",
    "*authorization*",
    "*credential*",
    "*cookie*",
    "*bearer*",
    "*jwt*",
    "pass",
    "db_pass",
    "smtp_pass",
    "auth",
    "basic_auth",
    "http_auth",
)

_SHORTEST = 4
_PARTS, _DEPTH = 10_000, 20
_SPACES = re.compile(r"[\s,]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_URL = re.compile(r"(?<=://)([^:/@\s'\"]*):([^\s'\"]*)@")
#: Names within texts: also at the end of others (`db_password`, `client_secret`), which may not be so long that to look for them takes long.
_IN_TEXT = (
    r"(?<![\w-])[\w-]{0,40}?"
    r"(?:passw(?:or)?d|passphrase|secret(?:[_-]?key)?|token|(?:api|access|private|signing|encryption)[_-]?key)"
)
#: As in settings and queries: ``password=…``.
_SETTING = re.compile(rf"((?i:{_IN_TEXT})=)(?:'[^']*'|\"[^\"]*\"|[^&\s'\"]+)")
#: As in dicts and JSON, also in JSON within a text: ``"password": "…"``.
_PAIR = re.compile(
    rf"""((?i:{_IN_TEXT})\\?(["']) *: *)(?:b?\\?(["'])(?:(?!\3).)*?\\?\3|(?!None|null|true|false|True|False)[\w.+-]+)"""
)
#: As in headers: ``Authorization: Bearer …``.
_HEADER = re.compile(
    r"""(?i:(authorization\\?["']?\s{0,9}[:=]\s{0,9}\\?["']?(?:bearer|basic|token)\s{1,9}))[^\s"',}]+"""
)


class SecretNames:
    """Which names are those of secrets.

    Args:
        patterns: of names; none of them: nothing is a secret.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        parts = "|".join(re.escape(one.lower()).replace(r"\*", ".*") for one in self.patterns)
        self._pattern = re.compile(parts, re.DOTALL) if parts else None

    def has(self, name: Any) -> bool:
        """Whether a name is one of a secret: ``apiKey``, ``API-KEY`` and ``api_key`` are the same."""
        if self._pattern is None or not isinstance(name, str | bytes):
            return False
        text = name.decode("latin-1") if isinstance(name, bytes) else name
        plain = _HUMP.sub("_", text).replace("-", "_").replace(" ", "_").lower()
        return self._pattern.fullmatch(plain) is not None


_names = SecretNames(USUAL_NAMES)


def use_secret_names(given: Any) -> None:
    """Take names of secrets besides the usual ones, for the whole process; ``False``: mask nothing.

    Raises:
        ConfigurationError: it is neither patterns nor a truth value.
    """
    global _names  # noqa: PLW0603 - one for the process, as the module says
    if isinstance(given, str) and given.strip().lower() in {"false", "no", "off"}:
        given = False
    if given is False or given is None:
        _names = SecretNames(())
        return
    if given is True:
        given = ()
    patterns = _SPACES.split(given.strip()) if isinstance(given, str) else given
    patterns = list(patterns) if isinstance(patterns, Iterable) else [None]
    if not all(isinstance(one, str) and one for one in patterns):
        raise ConfigurationError(
            f"secret_names must be patterns of names such as ['*ssn*'], or False to mask nothing, got {kind_of(given)}"
        )
    _names = SecretNames((*USUAL_NAMES, *(one for one in patterns if one not in USUAL_NAMES)))


def without_secrets(text: str) -> str:
    """A text without the passwords in the URLs, settings, dicts and headers in it."""
    if "://" in text:
        text = _URL.sub(rf"\1:{MASK}@", text)
    if "=" in text:
        text = _SETTING.sub(rf"\1{MASK}", text)
    if "':" in text or '":' in text:
        text = _PAIR.sub(rf"\1\2{MASK}\2", text)
    return _HEADER.sub(rf"\1{MASK}", text) if "uthorization" in text.lower() else text


def shown_error(error: BaseException) -> str:
    """An error in one line, as `health()` shows it: its kind, and what it says without passwords."""
    return f"{type(error).__name__}: {without_secrets(one_line(error))}"


def masked(value: Any) -> Any:
    """`value` with what has the name of a secret masked, in plain dicts and lists; other objects as those of what they have."""
    return _masked(value, _Walk())


def masked_arguments(
    func: Any, args: Iterable[Any], kwargs: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments as `masked`; those by position have the names that the function's signature gives them."""
    walk = _Walk()
    shown = [
        MASK if _names.has(name) and value is not None else _masked(value, walk)
        for name, value in _named(func, args)
    ]
    return shown, _masked(dict(kwargs), walk)


def scrubber(func: Any, args: Iterable[Any], kwargs: Mapping[str, Any]) -> Callable[[str], str]:
    """What takes the secrets of a call, and those of URLs, out of texts that may quote them."""
    found: set[str] = set()
    with suppress(Exception):  # arguments are users' objects: what was found until then is masked
        walk = _Walk()
        for name, value in (*_named(func, args), *kwargs.items()):
            _collect(value, _names.has(name), walk, found)
    # The longest first: one may be a part of another. As texts and as `repr` writes them.
    texts = sorted({*found, *(repr_of(one)[1:-1] for one in found)}, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, texts))) if texts else None

    def scrub(text: str) -> str:
        text = without_secrets(text)
        return text if pattern is None else pattern.sub(MASK, text)

    return scrub


class _Walk:
    """How much of a value is still looked at."""

    __slots__ = ("depth", "left")

    def __init__(self) -> None:
        self.left = _PARTS
        self.depth = 0


def _named(func: Any, args: Iterable[Any]) -> Iterator[tuple[str | None, Any]]:
    """Arguments by position with their names."""
    names: list[str | None] = []
    rest: str | None = None
    try:
        for parameter in signature(func).parameters.values():
            if parameter.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
                names.append(parameter.name)
            elif parameter.kind is Parameter.VAR_POSITIONAL:
                rest = parameter.name
    except (TypeError, ValueError):
        pass  # it isn't here, or doesn't tell
    for at, value in enumerate(args):
        yield names[at] if at < len(names) else rest, value


def _masked(value: Any, walk: _Walk) -> Any:  # noqa: PLR0911 - one for each kind
    if type(value) is str:
        return without_secrets(value)
    if isinstance(value, bool | int | float | bytes | type(None)):
        return value
    walk.left -= 1
    if walk.left < 0 or walk.depth >= _DEPTH:
        return "…"
    walk.depth += 1
    try:
        if isinstance(value, list | tuple | set | frozenset):
            if _is_pair(value) and _names.has(value[0]):
                return [value[0], MASK]
            if hasattr(value, "_fields"):
                return _masked(dict(zip(value._fields, value, strict=False)), walk)
            return [_masked(one, walk) for one in value]
        parts = _named_parts(value)
        if parts is None:
            return value
        return {
            name: MASK if _names.has(name) and part is not None else _masked(part, walk)
            for name, part in parts.items()
        }
    finally:
        walk.depth -= 1


def _collect(value: Any, is_secret: bool, walk: _Walk, found: set[str]) -> None:
    walk.left -= 1
    if walk.left < 0 or walk.depth >= _DEPTH:
        return
    if isinstance(value, str | bytes | int) and not isinstance(value, bool):
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        if is_secret:
            # "Bearer abc": the second part is the secret, and may be quoted by itself.
            found.update(one for one in (text, *text.split()[1:]) if len(one) >= _SHORTEST)
        elif "://" in text:
            found.update(one[2] for one in _URL.finditer(text) if len(one[2]) >= _SHORTEST)
        return
    walk.depth += 1
    try:
        if isinstance(value, list | tuple | set | frozenset):
            names = getattr(value, "_fields", None) or (None,) * len(value)
            if _is_pair(value) and _names.has(value[0]):
                _collect(value[1], True, walk, found)
                return
            for name, part in zip(names, value, strict=False):
                _collect(part, is_secret or _names.has(name), walk, found)
            return
        for name, part in (_named_parts(value) or {}).items():
            _collect(part, is_secret or _names.has(name), walk, found)
    finally:
        walk.depth -= 1


def _is_pair(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether it is a name with a value, as lists of headers have them."""
    return type(value) in (list, tuple) and len(value) == 2 and isinstance(value[0], str | bytes)  # noqa: PLR2004 - a pair


def _named_parts(value: Any) -> Mapping[Any, Any] | None:
    """What of a value has names: that of a dict, or the attributes of an object."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, type) or callable(value):
        return None
    if is_dataclass(value):
        return {name: getattr(value, name, None) for name in value.__dataclass_fields__}
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return attributes if type(attributes) is dict and attributes else None
