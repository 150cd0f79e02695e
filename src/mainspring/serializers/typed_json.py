"""Values as JSON that keeps their types, so that a row in a database can be read by people and other programs.

What JSON has stays as it is. A few types of the standard library become ``{"$type": "date", "value": "2026-03-29"}``.
Types are matched exactly: a subclass is not written as its base, since it would come back as something else.

Writes and reads plain data alone; reading calls nothing that the data names. All else is left to the `fallback`.
"""

from __future__ import annotations

import math
import re
from base64 import b64decode, b64encode
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from mainspring.errors import SerializationError, kind_of, repr_of, safe_str
from mainspring.serializers.bounds import DEPTH_LIMIT, Bounds, KeyWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    #: From a value and where it stands (``"args[0].price"``) to a dict with its ``"$type"``.
    Fallback = Callable[[Any, str], dict[str, Any]]
    #: From the ``"$type"`` and the whole dict to the value; ``None`` where this is not a type of its own.
    ReadFallback = Callable[[str, dict[str, Any]], Any]

TYPE = "$type"
_VALUE = "value"
#: Whole numbers of so many bits have more digits than Python writes, or reads, as text.
_LONG_NUMBER = 14_000


def to_plain(value: Any, path: str, fallback: Fallback, depth: int = 0) -> Any:  # noqa: PLR0911 - one for each kind
    """`value` as something that `json` writes.

    Args:
        path: where the value stands, for messages.
        fallback: for values of other types; raises `SerializationError` if it can't do it either.

    Raises:
        SerializationError: it can't be written, or is nested too deeply.
    """
    kind = type(value)
    if kind is str:
        return value if value.isascii() or not _PAIR.search(value) else _split(value)
    if kind is int:
        return value if value.bit_length() < _LONG_NUMBER else fallback(value, path)
    if value is None or kind is bool:
        return value
    if kind is float and math.isfinite(value):
        return value
    if depth > DEPTH_LIMIT:
        raise SerializationError(f"{path} is nested more than {DEPTH_LIMIT} levels deep, or contains itself")
    if kind is list:
        return [to_plain(part, f"{path}[{at}]", fallback, depth + 1) for at, part in enumerate(value)]
    if kind is dict:
        return _plain_dict(value, path, fallback, depth)
    if kind in _COLLECTIONS:
        parts = [to_plain(part, f"{path}[{at}]", fallback, depth + 1) for at, part in enumerate(value)]
        return {TYPE: kind.__name__, _VALUE: parts}
    write = _WRITERS.get(kind)
    plain = None if write is None else write(value)
    return fallback(value, path) if plain is None else {TYPE: _NAMES[kind], **plain}


# JSON has no two surrogates in a row that are not one character.
_PAIR = re.compile("[\ud800-\udbff](?=[\udc00-\udfff])")


def _split(text: str) -> dict[str, Any]:
    parts = []
    at = 0
    for found in _PAIR.finditer(text):
        parts.append(text[at : found.end()])
        at = found.end()
    return {TYPE: "text", _VALUE: [*parts, text[at:]]}


def _plain_dict(value: dict[Any, Any], path: str, fallback: Fallback, depth: int) -> dict[str, Any]:
    if TYPE not in value and all(
        type(key) is str and (key.isascii() or not _PAIR.search(key)) for key in value
    ):
        return {key: to_plain(part, f"{path}.{key}", fallback, depth + 1) for key, part in value.items()}
    pairs = [
        [
            to_plain(key, f"a key of {path}", fallback, depth + 1),
            to_plain(part, f"{path}[{repr_of(key)}]", fallback, depth + 1),
        ]
        for key, part in value.items()
    ]
    return {TYPE: "dict", _VALUE: pairs}


def from_plain(value: Any, fallback: ReadFallback, bounds: Bounds | None = None, depth: int = 0) -> Any:
    """The inverse of `to_plain`.

    Args:
        bounds: what this and other values may take together.

    Raises:
        SerializationError: a type that is not known, or a value that is damaged, or nested too deeply.
    """
    if not isinstance(value, list | dict):
        return value
    if depth > _DEEPEST:
        raise SerializationError(f"a value is nested more than {DEPTH_LIMIT} levels deep")
    deeper = depth + 1
    if isinstance(value, list):
        return [from_plain(part, fallback, bounds, deeper) for part in value]
    if TYPE not in value:
        return {key: from_plain(part, fallback, bounds, deeper) for key, part in value.items()}
    name = value[TYPE]
    try:
        if name == "dict":
            pairs = [
                (from_plain(key, fallback, bounds, deeper), from_plain(part, fallback, bounds, deeper))
                for key, part in value[_VALUE]
            ]
            _keys_of(bounds).admit(pairs, [key for key, _ in pairs])
            return dict(pairs)
        if name in _COLLECTION_NAMES:
            parts = [from_plain(part, fallback, bounds, deeper) for part in value[_VALUE]]
            if name != "tuple":
                _keys_of(bounds).admit(parts, parts)
            return _COLLECTION_NAMES[name](parts)
        read = _READERS.get(name)
        return fallback(name, value) if read is None else read(value)
    except SerializationError:
        raise
    except Exception as error:
        # Not the value, which may be a secret.
        raise SerializationError(
            f"a damaged value of type {repr_of(name)[:40]}: {kind_of(error)}: {safe_str(error)[:_SHOWN]}"
        ) from error


def _keys_of(bounds: Bounds | None) -> KeyWatch:
    return (bounds or Bounds()).keys


_SHOWN = 80
#: A pair of a dict with other keys than texts is a list in a list, and so is a set's.
_DEEPEST = DEPTH_LIMIT + 1


_COLLECTIONS = (tuple, set, frozenset)
_COLLECTION_NAMES: dict[Any, Any] = {kind.__name__: kind for kind in _COLLECTIONS}


def _plain_zone(zone: tzinfo) -> str | float | None:
    """The name of a zone, or the seconds east of UTC of a fixed one; ``None`` for others."""
    if type(zone) is ZoneInfo:
        return zone.key
    if type(zone) is timezone and zone == timezone(_offset := zone.utcoffset(None)):
        return _offset.total_seconds()
    return None


def _read_zone(zone: Any) -> tzinfo:
    if isinstance(zone, str):
        return ZoneInfo(zone)
    return UTC if zone == 0 else timezone(timedelta(seconds=zone))


def _write_datetime(value: datetime) -> dict[str, Any] | None:
    naive = value.replace(tzinfo=None, fold=0).isoformat()
    written: dict[str, Any] = {_VALUE: naive}
    if value.tzinfo is not None:
        zone = _plain_zone(value.tzinfo)
        if zone is None:
            return None
        written["zone"] = zone
    if value.fold:
        written["fold"] = 1
    return written


def _read_datetime(written: dict[str, Any]) -> datetime:
    zone = _read_zone(written["zone"]) if "zone" in written else None
    return datetime.fromisoformat(written[_VALUE]).replace(tzinfo=zone, fold=written.get("fold", 0))


def _write_time(value: time) -> dict[str, Any] | None:
    if value.tzinfo is not None:
        return None
    return {_VALUE: value.isoformat(), "fold": 1} if value.fold else {_VALUE: value.isoformat()}


def _read_time(written: dict[str, Any]) -> time:
    return time.fromisoformat(written[_VALUE]).replace(fold=written.get("fold", 0))


def _write_zone(value: tzinfo) -> dict[str, Any] | None:
    zone = _plain_zone(value)
    return None if zone is None else {_VALUE: zone}


# One name for one type; `timezone` and `ZoneInfo` share one, as do the two kinds of number that JSON lacks.
_NAMES: dict[type, str] = {
    float: "float",
    datetime: "datetime",
    date: "date",
    time: "time",
    timedelta: "timedelta",
    bytes: "bytes",
    Decimal: "decimal",
    UUID: "uuid",
    ZoneInfo: "timezone",
    timezone: "timezone",
}
_WRITERS: dict[type, Callable[[Any], dict[str, Any] | None]] = {
    float: lambda value: {_VALUE: repr(value)},
    datetime: _write_datetime,
    date: lambda value: {_VALUE: value.isoformat()},
    time: _write_time,
    timedelta: lambda value: {_VALUE: [value.days, value.seconds, value.microseconds]},
    bytes: lambda value: {_VALUE: b64encode(value).decode()},
    Decimal: lambda value: {_VALUE: str(value)},
    UUID: lambda value: {_VALUE: str(value)},
    ZoneInfo: _write_zone,
    timezone: _write_zone,
}
_READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "text": lambda written: "".join(written[_VALUE]),
    "float": lambda written: float(written[_VALUE]),
    "datetime": _read_datetime,
    "date": lambda written: date.fromisoformat(written[_VALUE]),
    "time": _read_time,
    "timedelta": lambda written: timedelta(*written[_VALUE]),
    "bytes": lambda written: b64decode(written[_VALUE], validate=True),
    "decimal": lambda written: Decimal(written[_VALUE]),
    "uuid": lambda written: UUID(written[_VALUE]),
    "timezone": lambda written: _read_zone(written[_VALUE]),
}
