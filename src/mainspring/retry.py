"""When a run that failed is run again, as users say it."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from mainspring.coercion import (
    LONGEST_DURATION,
    MOST,
    NamesParameters,
    is_number,
    names_parameters,
    number_meant,
    unknown_name,
)
from mainspring.printable import shown


def class_reference(error: type[BaseException]) -> str:
    """The text by which a class of errors is known in every process."""
    return f"{error.__module__}:{error.__qualname__}"


@dataclass(frozen=True, slots=True)
@names_parameters
class Retry(metaclass=NamesParameters):
    """A run that failed, or took too long, is run again after a while; each attempt is a run of its own.

    The regular schedule is not moved by that. The wait before attempt n + 1 is ``delay * backoff ** (n - 1)``, at most
    `longest_delay`, and up to `jitter` more.

    Args:
        attempts: how often a run is tried in all, the first time included.
        delay: seconds (or a ``timedelta``) before the second attempt.
        backoff: the factor by which each wait is longer than the one before.
        jitter: seconds (or a ``timedelta``) that are added to each wait at most; another part of them for each run.
        longest_delay: seconds (or a ``timedelta``) that are waited at most.
        on: classes of errors (or references to them, ``"package.module:Class"``) after which it is tried again, those derived
            from them included; all of them, if none is named. A run that took too long failed with `TimeoutError`.
        not_on: classes after which it isn't.

    Raises:
        TypeError, ValueError: a value that can't be.
    """

    attempts: int = 3
    delay: Any = timedelta(seconds=1)
    backoff: float = 2.0
    jitter: Any = timedelta(0)
    longest_delay: Any = timedelta(hours=1)
    on: Any = ()
    not_on: Any = ()

    def __post_init__(self) -> None:
        attempts: Any = self.attempts
        if isinstance(attempts, bool) or not isinstance(attempts, int) or not 1 <= attempts <= MOST:
            most = f", and {MOST:,} at most" if isinstance(attempts, int) and attempts > MOST else ""
            raise ValueError(f"attempts must be a whole number of 1 or more{most}, got {shown(attempts)}")
        backoff: Any = self.backoff
        if not is_number(backoff) or backoff < 1:
            raise ValueError(f"backoff must be a number of 1 or more, got {shown(backoff)}")
        for name in ("delay", "jitter", "longest_delay"):
            object.__setattr__(self, name, _duration(name, getattr(self, name)))
        for name in ("on", "not_on"):
            object.__setattr__(self, name, _references(name, getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """As plain values: durations in seconds, classes as references."""
        return {
            "attempts": self.attempts,
            "delay": self.delay.total_seconds(),
            "backoff": self.backoff,
            "jitter": self.jitter.total_seconds(),
            "longest_delay": self.longest_delay.total_seconds(),
            "on": list(self.on),
            "not_on": list(self.not_on),
        }

    @classmethod
    def of(cls, value: Any) -> Retry:
        """A `Retry` from one, from its plain values, or from the number of attempts.

        Raises:
            TypeError, ValueError: it is something else.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return cls(attempts=value)
        if isinstance(value, Mapping):
            for name in value:
                if name not in cls.__slots__:
                    raise TypeError(unknown_name("key in retry", name, cls.__slots__))
            return cls(**value)
        raise TypeError(
            f"retry must be a Retry, a dict of its arguments, a number of attempts or None, got {type(value).__name__} {shown(value)}"
        )


def _duration(name: str, value: Any) -> timedelta:
    duration = timedelta(seconds=value) if is_number(value) else value
    if not isinstance(duration, timedelta) or duration < timedelta(0):
        raise ValueError(
            f"{name} must be a number of seconds or a timedelta of 0 or more, got {shown(value)}{number_meant(value)}"
        )
    return min(duration, LONGEST_DURATION)


def _references(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, (str, type)):
        value = (value,)
    if not isinstance(value, Iterable):
        raise TypeError(f"{name} must be classes of errors, got {shown(value)}")
    references = []
    for one in value:
        if isinstance(one, type) and issubclass(one, BaseException):
            references.append(class_reference(one))
        elif isinstance(one, str) and ":" in one:
            references.append(one)
        else:
            known = isinstance(one, str) and isinstance(getattr(builtins, one, None), type)
            hint = f"; did you mean {f'builtins:{one}'!r}?" if known else ""
            raise TypeError(
                f"{name} must be classes of errors or references to them such as 'builtins:OSError', got {shown(one)}{hint}"
            )
    return tuple(references)
