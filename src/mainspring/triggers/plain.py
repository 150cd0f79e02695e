"""Triggers as plain data: dicts that JSON can carry, with their type and a version."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from mainspring.coercion import nearest
from mainspring.errors import SerializationError, repr_of, safe_str
from mainspring.timezones import astimezone, in_utc, in_zone, offset_text, zone_identity
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.kinds import HOMES, class_of
from mainspring.triggers.naming import found_by, reference_to

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_plain", "trigger_from_dict", "trigger_to_dict"]

_VERSION = 1
#: Where triggers, as they are written, name a class or a function that isn't ours.
_REFERRING = frozenset({"class", "function", "holidays"})


def trigger_to_dict(trigger: BaseTrigger) -> dict[str, Any]:
    """`trigger` as plain data; of a subclass, or a third party's class, with a reference to the class.

    Raises:
        SerializationError: it can't be written so.
    """
    values = trigger.to_dict()
    if type(trigger).__module__.partition(".")[0] == "mainspring":
        return values
    return {"version": _VERSION, **values, "class": reference_to(type(trigger))}


def is_plain(trigger: BaseTrigger) -> bool:
    """Whether a trigger, and what it is made of, says how it is written as plain data: others' triggers may not."""
    if _is_ours_without_parts(type(trigger)):
        return True  # as most are
    if type(trigger).to_dict is BaseTrigger.to_dict:
        return False
    parts = [*getattr(trigger, "triggers", ()), getattr(trigger, "trigger", None)]
    return all(is_plain(part) for part in parts if isinstance(part, BaseTrigger))


@lru_cache(maxsize=256)
def _is_ours_without_parts(kind: type[BaseTrigger]) -> bool:
    # Ours have slots, so that the class knows what its triggers have; and all of them say how they are written.
    is_ours = kind.__module__.partition(".")[0] == "mainspring"
    return is_ours and not hasattr(kind, "triggers") and not hasattr(kind, "trigger")


def trigger_from_dict(values: dict[str, Any]) -> BaseTrigger:
    """The trigger that `values` were written from.

    Raises:
        SerializationError: they are of a newer version, or of no type that is known, or damaged.
    """
    if not isinstance(values, dict):
        raise SerializationError(
            f"expected a trigger as a dict, got {type(values).__name__} {_shown(values)}"
        )
    version = values.get("version")
    if not isinstance(version, int) or version > _VERSION:
        raise SerializationError(
            f"the trigger has version {version!r}, but only {_VERSION} and older can be read: "
            "it was written by a newer release, upgrade this one"
        )
    try:
        return cast("BaseTrigger", _class_of(values).from_dict(values))
    except SerializationError:
        raise
    except Exception as error:
        raise SerializationError(
            f"a trigger can't be read from {_shown(values)}: {type(error).__name__}: {_shown(safe_str(error))}"
        ) from error


def _shown(value: Any) -> str:
    """What a message says of something that a store had, which may be of any length."""
    shown = value if isinstance(value, str) else repr_of(value)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


_LONGEST = 200


def _class_of(values: dict[str, Any]) -> Any:
    if "class" in values:
        found = found_by(values["class"])
        if not (isinstance(found, type) and issubclass(found, BaseTrigger)):
            raise SerializationError(f"{values['class']!r} is no trigger class")
        return found
    kind = values.get("type")
    if not isinstance(kind, str) or kind not in HOMES:
        hint = nearest(str(kind), HOMES)
        suggestion = f"; did you mean {hint!r}?" if hint else f"; valid: {', '.join(HOMES)}"
        raise SerializationError(f"unknown type of trigger {kind!r}{suggestion}")
    return class_of(kind)


def references_in(values: Any) -> Iterator[str]:
    """What is loaded when a trigger is read from `values`: classes and functions that aren't ours, by their references."""
    if isinstance(values, list):
        for part in values:
            yield from references_in(part)
    elif isinstance(values, dict):
        for name, part in values.items():
            if name in _REFERRING and isinstance(part, str):
                yield part
            else:
                yield from references_in(part)


def plain_zone(zone: tzinfo | None) -> str | None:
    """A time zone by its name, or by its offset.

    Raises:
        SerializationError: it has neither.
    """
    if zone is UTC:  # as most times are written
        return "UTC"
    identity = zone_identity(zone)
    if identity is None or isinstance(identity, str):
        return identity
    if isinstance(identity, timedelta) and not identity.microseconds:
        return offset_text(identity) if identity else "UTC"
    raise SerializationError(
        f"the time zone {zone!r} has no name to be written by: use zoneinfo.ZoneInfo, or a fixed offset"
    )


def read_zone(text: str | None) -> tzinfo | None:
    """The inverse of `plain_zone`."""
    return astimezone(text)


def plain_moment(moment: Any) -> Any:
    """A point in time as text; with its zone's name too, which an offset alone doesn't tell."""
    if moment is None or isinstance(moment, str):
        return moment
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return {"at": in_utc(moment).isoformat(), "timezone": plain_zone(moment.tzinfo)}
    return cast("date", moment).isoformat()


def read_moment(value: Any, zone: tzinfo | None = None) -> Any:
    """The inverse of `plain_moment`; what was written without a zone stays text."""
    if not isinstance(value, dict):
        return value
    moment = datetime.fromisoformat(value["at"])
    return in_zone(moment, read_zone(value["timezone"]) or zone or UTC)
