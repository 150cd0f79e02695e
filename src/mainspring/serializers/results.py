"""What a function returned, as the JSON text that is kept of it."""

from __future__ import annotations

from itertools import islice
from typing import Any

from mainspring.errors import repr_of
from mainspring.serializers.bounds import DEPTH_LIMIT
from mainspring.serializers.typed_json import to_plain
from mainspring.storable import compact, fitting, size_of, storable

#: Of what JSON can't hold, so much of the ``repr`` is kept.
_REPRESENTATION_LENGTH = 1000


def kept_result(value: Any, limit: int) -> str | None:
    """What a function returned, as JSON; what JSON can't hold as its ``repr``, in a dict that says so."""
    if value is None:
        return None
    try:
        left = _Budget(limit)
        plain = to_plain(_clipped(value, left, 0), "the result", _as_representation)
        text = compact(plain)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - a user's object, which may also change meanwhile
        left = _Budget(limit)
        text = compact(_as_representation(value, ""))
    if left.is_spent or size_of(text) > limit:
        # Written as text within JSON, each quote and backslash in it becomes two characters.
        start = fitting(text[:limit], limit - len(_SHORTENED % ""))
        text = _SHORTENED % compact(start)
    return text


_SHORTENED = '{"$type":"shortened","value":%s}'


class _Budget:
    """How much of a value may still be written."""

    def __init__(self, limit: int) -> None:
        self.left = limit
        self.is_spent = False

    def spend(self, size: int) -> bool:
        """Whether there was so much left."""
        self.left -= size
        if self.left < 0:
            self.is_spent = True
        return not self.is_spent


def _clipped(value: Any, budget: _Budget, depth: int) -> Any:  # noqa: PLR0911 - one for each kind
    """`value` without what would be cut off anyway: a list of millions isn't written whole to keep its first numbers.

    It is a copy where it has parts, so that what other threads do to it doesn't matter while it is written.
    """
    kind = type(value)
    if kind is str or kind is bytes:
        if budget.spend(len(value) + 2):
            return value
        return value[: max(budget.left + len(value), 0)]
    budget.spend(1)
    if kind is int:
        budget.spend(value.bit_length() // 4)
        return value
    if depth > DEPTH_LIMIT:
        return value  # said by `to_plain`
    if kind in _PARTED:
        parts = []
        for part in islice(value, max(budget.left, 0) + 1):
            if budget.is_spent:
                break
            parts.append(_clipped(part, budget, depth + 1))
        return parts if kind is list else _Written({"$type": kind.__name__, "value": parts})
    if kind is dict:
        pairs = {}
        for key, part in islice(value.items(), max(budget.left, 0) + 1):
            if budget.is_spent:
                break
            if type(key) is str:
                budget.spend(len(key) + 2)
            pairs[key] = _clipped(part, budget, depth + 1)
        return pairs
    return value


_PARTED = frozenset({list, tuple, set, frozenset})


class _Written:
    """A value with its type, whose parts are still to be written."""

    __slots__ = ("plain",)

    def __init__(self, plain: dict[str, Any]) -> None:
        self.plain = plain


def _as_representation(value: Any, path: str) -> dict[str, Any]:
    if type(value) is _Written:
        plain = value.plain
        return {
            name: [to_plain(each, path, _as_representation) for each in part] if type(part) is list else part
            for name, part in plain.items()
        }
    # Python writes no whole number of thousands of digits, but in hexadecimal.
    text = hex(value) if type(value) is int else storable(repr_of(value))
    return {"$type": "repr", "value": text[:_REPRESENTATION_LENGTH]}
