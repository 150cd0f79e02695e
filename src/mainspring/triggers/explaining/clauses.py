"""What sentences are made of, before they are put into the words of a language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

__all__ = ["Clause", "Clock", "Count", "Moment", "Month", "Phrase", "Weekday"]


class Clause:
    """Something that a catalogue has a template for.

    Args:
        key: the template's name, such as ``"times.at"``.
        parts: what its slots hold: clauses, the values below, numbers, texts that are said as they are, or tuples of these, which are lists.
    """

    __slots__ = ("key", "parts")

    def __init__(self, key: str, **parts: Any) -> None:
        self.key = key
        self.parts = parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Clause) and (self.key, self.parts) == (other.key, other.parts)

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        parts = "".join(f", {name}={value!r}" for name, value in self.parts.items())
        return f"Clause({self.key!r}{parts})"


class Clock(NamedTuple):
    """A time of the day.

    Attributes:
        seconds: since midnight.
        has_seconds: whether to show them, though they may be 0.
    """

    seconds: int
    has_seconds: bool = False


class Weekday(NamedTuple):
    """A weekday, 0 for Monday."""

    number: int


class Month(NamedTuple):
    """A month, 1 for January."""

    number: int


class Count(NamedTuple):
    """So many of a unit: ``"second"``, ``"minute"``, ``"hour"``, ``"day"``, ``"elapsed_day"`` (24 hours), ``"week"``, ``"month"`` or ``"year"``."""

    number: float
    unit: str


class Moment(NamedTuple):
    """A point in time, as a wall clock shows it.

    Attributes:
        wall: what it shows.
        zone: the abbreviation to show with it; empty if the sentence has the zone anyway.
    """

    wall: datetime
    zone: str = ""


#: What is said of the fire times that a trigger doesn't have, or has at another time.
_TAKING_AWAY = ("except", "rolled.", "within")


class Phrase(NamedTuple):
    """All that is to be said of a trigger.

    Attributes:
        what: when it fires.
        zone: whose wall clock that names, if any.
        details: what else there is to say, in order.
        days_zone: whose days its fire times fall on, where nothing that was said so far depends on that.
    """

    what: Clause
    zone: tzinfo | None = None
    details: tuple[Clause, ...] = ()
    days_zone: tzinfo | None = None

    def but(self, *details: Clause) -> Phrase:
        """This phrase with more details.

        If it is said how often it fires, and the details take some of these times away, it is put in brackets: they were counted before.
        """
        is_counted = any(detail.key.startswith("fires.") for detail in self.details)
        if is_counted and any(detail.key.startswith(_TAKING_AWAY) for detail in details):
            inside = Clause("member", what=self._replace(zone=None))
            return self._replace(what=inside, details=details)
        return self._replace(details=self.details + details)

    def by_days(self) -> Phrase:
        """This phrase for more to be said of the days, or times of the day, of its fire times: it names the zone."""
        return self if self.zone is not None else self._replace(zone=self.days_zone)
