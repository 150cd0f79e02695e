"""Values as configuration files write them, read as what they mean."""

from __future__ import annotations

import re
from abc import ABCMeta
from datetime import timedelta
from difflib import SequenceMatcher, get_close_matches
from functools import wraps
from inspect import CO_VARKEYWORDS, Parameter, Signature, isfunction, signature, unwrap
from typing import TYPE_CHECKING, Any, TypeVar, cast

from mainspring.printable import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TRUE = frozenset({"true", "yes", "on", "y", "t", "1"})
_FALSE = frozenset({"false", "no", "off", "n", "f", "0"})


#: The longest `timedelta`, in seconds.
_LONGEST = 86_399_999_999_999
#: The longest duration that is the same again when it was written as a number of seconds.
LONGEST_DURATION = timedelta(seconds=_LONGEST)
#: The greatest whole number that every database keeps.
MOST = 2**63 - 1


class _Undefined:
    """Marks a parameter that was not given, where ``None`` is a value of its own."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "<undefined>"

    def __reduce__(self) -> str:
        return "undefined"


undefined: Any = _Undefined()


def asbool(value: Any) -> bool:
    """`value` as a truth value; text is read as configuration files write it.

    Raises:
        ValueError: text that is neither yes nor no.
    """
    if isinstance(value, str):
        text = value.strip().lower()
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        raise ValueError(f"expected true/false, yes/no, on/off or 1/0, got {shown(value)}")
    return bool(value)


def asint(value: Any) -> int | None:
    """`value` as a whole number, ``None`` staying ``None``.

    Raises:
        ValueError: it isn't one.
    """
    if value is None:
        return None
    if isinstance(value, float) and value != int(value):
        raise ValueError(f"expected a whole number, got {shown(value)}")
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ValueError(f"expected a whole number, got {shown(value)}") from None


def is_number(value: Any) -> bool:
    """Whether `value` is a number that can be a duration in seconds: neither a truth value, nor infinite, nor no number at all."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _LONGEST


def number_meant(value: Any) -> str:
    """``"; did you mean 10?"``, of a value that is no number and says one: ``"10s"``, ``"10"``, ten seconds as a `timedelta`; else nothing."""
    number: float | None = None
    if isinstance(value, timedelta):
        number = value.total_seconds()
    elif isinstance(value, str):
        said = re.fullmatch(
            r"\s*(-?\d+(?:\.\d+)?)\s*(s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?)?\s*",
            value,
            re.IGNORECASE,
        )
        if said is not None:
            unit = (said[2] or "s")[0].lower()
            number = float(said[1]) * {"s": 1, "m": 60, "h": 3600}[unit]
    if number is None:
        return ""
    return f"; did you mean {int(number) if number.is_integer() else number}?"


def count_meant(value: Any) -> str:
    """``"; did you mean 10?"``, of a text that is a whole number; else nothing."""
    return number_meant(value) if isinstance(value, str) and value.strip().isdecimal() else ""


#: What is longer is no name that was mistyped, and takes long to be compared.
_LONGEST_NAME = 100
_LONGEST_MESSAGE = 1_000


def nearest(name: Any, known: Iterable[str], alike: float = 0.6) -> str | None:
    """The known name that `name` was probably meant to be.

    Args:
        alike: how much of both must be the same, up to 1.
    """
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        return None
    known = list(known)
    matches = get_close_matches(name, known, n=3, cutoff=alike)
    if matches:
        return max(matches, key=lambda match: (SequenceMatcher(None, match, name).ratio(), -len(match)))
    squeezed = {candidate.replace("_", "").lower(): candidate for candidate in known}
    return squeezed.get(name.replace("_", "").replace("-", "").lower())


def unknown_name(kind: str, name: Any, known: Iterable[str]) -> str:
    """One sentence for a name that nothing understands: with the nearest valid one, or all of them."""
    known = sorted(known)
    candidate = nearest(name, known)
    if candidate is not None:
        return f"unknown {kind} {shown(name)}; did you mean {candidate!r}?"
    return f"unknown {kind} {shown(name)}; valid: {', '.join(known) or 'none'}"


# `super()` is looked up anew at each call, and no metaclass above has another.
_make = type.__call__


class NamesParameters(ABCMeta):
    """Of classes whose instances users make: a keyword that is not understood is an error that names the nearest that is.

    Attributes:
        _besides: keywords that all of them take besides their own parameters: `_take_besides` takes them, and `_changed` heeds them.
    """

    _besides: frozenset[str] = frozenset()

    def _take_besides(cls, kwargs: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def _changed(cls, made: Any, besides: dict[str, Any]) -> Any:
        raise NotImplementedError

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: D102 - makes one
        # One call for all of it: objects of these classes are made by the thousand.
        besides = None if cls._besides.isdisjoint(kwargs) else cls._take_besides(kwargs)
        try:
            made = _make(cls, *args, **kwargs)
        except TypeError as refusal:
            problem = unknown_keyword(cls, kwargs)
            if problem is None:
                try:
                    signature(cls).bind(*args, **kwargs)
                except TypeError as error:
                    problem = str(error)
                else:
                    _shorten(refusal)
                    raise
        except ValueError as refusal:
            _shorten(refusal)
            raise
        else:
            return cls._changed(made, besides) if besides else made
        raise TypeError(f"{cls.__name__}: {problem}")

    def made_of(cls, arguments: dict[str, Any]) -> Any:
        """As the call with these keywords, which is two copies of them shorter where nothing is wrong with them."""
        if type(cls).__call__ is _named_call and cls._besides.isdisjoint(arguments):
            try:
                return _make(cls, **arguments)
            except TypeError:  # the call says what is wrong
                pass
        return cls(**arguments)

    @property
    def __signature__(cls) -> Signature:
        # Otherwise that of __call__ above would be shown for all of them.
        parameters = list(signature(cls.__init__).parameters.values())  # type: ignore[misc]
        return Signature(parameters[1:])


def _shorten(error: Exception) -> None:
    """Keep an error readable that shows what it was given, which may be of any length."""
    if error.args and isinstance(error.args[0], str) and len(error.args[0]) > _LONGEST_MESSAGE:
        half = _LONGEST_MESSAGE // 2
        error.args = (f"{error.args[0][:half]} … {error.args[0][-half:]}", *error.args[1:])


#: What subclasses of the metaclass may have replaced.
_named_call = NamesParameters.__call__

C = TypeVar("C", bound=type)
F = TypeVar("F", bound="Callable[..., Any]")


def names_parameters(cls: C) -> C:
    """A decorator for classes whose methods users call: a keyword that a method doesn't understand is an error that names the nearest that is.

    As `NamesParameters`, for methods that the class itself defines; of those that take any keyword, they say it themselves.
    """
    for name, method in list(vars(cls).items()):
        function = method.__func__ if isinstance(method, classmethod) else method
        if name.startswith("_") or not isfunction(function):
            continue
        # Not by their signatures, which take long to be made, and this is done at each start.
        code = unwrap(function).__code__
        if code.co_flags & CO_VARKEYWORDS or code.co_argcount + code.co_kwonlyargcount < 2:  # noqa: PLR2004 - self, and another
            continue
        naming = names_keywords(function)
        setattr(cls, name, classmethod(naming) if isinstance(method, classmethod) else naming)
    return cls


def names_keywords(function: F) -> F:
    """A decorator for functions that users call: as `names_parameters`."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError:
            problem = unknown_keyword(function, kwargs) if kwargs else None
            if problem is None:
                raise
        raise TypeError(f"{function.__name__}(): {problem}")

    return cast("F", call)


def unknown_keyword(made: Any, given: Iterable[str], also: Iterable[str] = ()) -> str | None:
    """A sentence on the first of the `given` keywords that a class or function doesn't take; ``None``: it takes all.

    A class may have an attribute ``elsewhere``: what to say of keywords that belong to another one.

    Args:
        also: what is understood besides.
    """
    parameters = signature(made).parameters
    if any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values()):
        return None
    known = (*(name for name in parameters if name != "self"), *also)
    name = next((name for name in given if name not in known), None)
    if name is None:
        return None
    elsewhere: dict[str, str] = getattr(made, "elsewhere", {})
    if name in elsewhere:
        return f"no parameter {name!r}: {elsewhere[name]}"
    meant = _SYNONYMS.get(name.lower())
    if meant in known:
        return f"unknown parameter {name!r}; did you mean {meant!r}?"
    return unknown_name("parameter", name, known)


#: What parameters are called elsewhere, or by mistake, where no other one of ours is nearer.
_SYNONYMS = {
    "tz": "timezone",
    "tzinfo": "timezone",
    "zone": "timezone",
    "weekday": "day_of_week",
    "weekdays": "day_of_week",
    "dow": "day_of_week",
    "wday": "day_of_week",
    "dom": "day",
    "day_of_month": "day",
    "start": "start_date",
    "begin": "start_date",
    "since": "start_date",
    "end": "end_date",
    "until": "end_date",
    "min": "minute",
    "sec": "second",
    "mins": "minutes",
    "secs": "seconds",
    "at": "run_date",
    "when": "run_date",
    "date": "run_date",
    "splay": "jitter",
    "limit": "max_fires",
    "count": "max_fires",
}
