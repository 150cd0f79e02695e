"""How much work a value from a store may make before anybody has looked at it.

A few bytes can stand for a value of which only a glance takes for ever: a list that holds itself twice, a hundred levels deep, has
2**100 parts for whoever walks through it, and the hash of such a tuple is never done. So work is counted where it is done, and what
is too much is refused before it is begun.

Not promised: that the methods of users' own classes (``__hash__``, ``__setstate__``) come back.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from functools import lru_cache, partial
from itertools import chain
from types import BuiltinFunctionType, FunctionType, MemberDescriptorType, MethodType
from typing import TYPE_CHECKING, Any, cast

from mainspring.errors import SerializationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Values are nested so deeply at most; much deeper, Python itself ends without an error where it compares or hashes them.
DEPTH_LIMIT = 200
#: The parts of a value, those counted again that are met again: as whoever prints or compares it meets them.
PART_LIMIT = 500_000
#: Instructions of pickles. One takes a microsecond and some hundred bytes at most.
STEP_LIMIT = 400_000
#: So many keys of one dict or set may have the same hash: with more, each further one takes longer than the one before.
_COLLISION_LIMIT = 50
#: Whole numbers below it have a hash of their own.
_HASH_MODULUS = 2**61 - 1


class Budget:
    """How much may still be done.

    Args:
        left: in units of the owner's choice.
        refusal: what to say when it is used up.
    """

    __slots__ = ("_refusal", "left")

    def __init__(self, left: int, refusal: str) -> None:
        self.left = left
        self._refusal = refusal

    def spend(self, amount: int) -> None:
        """Take note of something that is about to be done.

        Raises:
            SerializationError: it is more than is left.
        """
        self.left -= amount
        if self.left < 0:
            raise SerializationError(self._refusal)


class Bounds:
    """What the values of one row may take together.

    Attributes:
        steps: instructions of pickles, and what costs as much.
        parts: parts of values that are looked at.
        keys: looks at keys.
    """

    __slots__ = ("keys", "parts", "steps")

    def __init__(self) -> None:
        self.steps = Budget(STEP_LIMIT, f"the pickled values take more than {STEP_LIMIT:,} steps to read")
        self.parts = Budget(
            PART_LIMIT,
            f"the pickled values have more than {PART_LIMIT:,} parts, counting those again that are there several times",
        )
        self.keys = KeyWatch(self.parts)


def refuse_unwieldy(value: Any, budget: Budget) -> None:
    """See to it that whoever walks through a value comes to an end soon. Calls no method of the value's.

    Raises:
        SerializationError: it is nested too deeply, or has too many parts.
    """
    walks: list[Iterator[Any]] = [iter((value,))]
    within: list[int] = []
    on_path: set[int] = set()
    while walks:
        for part in walks[-1]:
            budget.spend(1)
            if (
                type(part) in _ATOMS or id(part) in on_path
            ):  # whoever prints an object within itself stops there
                continue
            parts = _parts(part)
            if parts is None:
                continue
            if len(walks) > DEPTH_LIMIT:
                raise SerializationError(f"a value is nested more than {DEPTH_LIMIT} levels deep")
            within.append(id(part))
            on_path.add(id(part))
            walks.append(iter(parts))
            break
        else:
            walks.pop()
            if within:
                on_path.discard(within.pop())


_ATOMS: frozenset[Any] = frozenset({type(None), bool, int, float, complex, str, bytes, bytearray})
_COLLECTIONS: frozenset[Any] = frozenset({list, tuple, set, frozenset, deque, dict})
_NAMED = (type, FunctionType, BuiltinFunctionType, MethodType)


def _parts(value: Any) -> Iterable[Any] | None:
    """What a value is made of; ``None``: nothing that could have parts of its own."""
    kind = type(value)
    if kind in _COLLECTIONS:
        return value if kind is not dict else chain(value.keys(), value.values())
    if isinstance(value, _NAMED):
        return None
    parts: list[Iterable[Any]] = [
        collection.__iter__(value) for collection in _COLLECTIONS - {dict} if isinstance(value, collection)
    ]
    if isinstance(value, dict):
        parts += [dict.keys(value), dict.values(value)]
    if isinstance(value, partial):
        parts.append((value.func, value.args, value.keywords))
    if isinstance(value, slice):
        parts.append((value.start, value.stop, value.step))
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        attributes = None
    if type(attributes) is dict:
        parts.append(list(attributes.values()))
    for slot in _slots(cast("Any", kind)):
        with suppress(AttributeError):  # it has none yet
            parts.append((slot.__get__(value),))
    return chain(*parts) if parts else None


@lru_cache(maxsize=256)
def _slots(cls: type) -> list[MemberDescriptorType]:
    return [
        found
        for base in cls.__mro__
        if base.__module__ != "builtins"
        for found in vars(base).values()
        if type(found) is MemberDescriptorType
    ]


class KeyWatch:
    """Looks at what is to be a key of a dict, or in a set, before it is hashed and compared there.

    Args:
        budget: of parts that are looked at.
    """

    __slots__ = ("_budget", "_counts")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._counts: dict[tuple[int, int], int] = {}

    def admit(self, container: Any, keys: Iterable[Any]) -> None:
        """See to it that keys can be put into a container in little time.

        Raises:
            SerializationError: they can't.
        """
        for key in keys:
            kind = type(key)
            # The hashes of texts can't be foretold.
            if kind is str or kind is bytes or (kind is int and -_HASH_MODULUS < key < _HASH_MODULUS):
                continue
            refuse_unwieldy(key, self._budget)
            place = id(container), hash(key)
            count = self._counts[place] = self._counts.get(place, 0) + 1
            if count > _COLLISION_LIMIT:
                raise SerializationError(
                    f"more than {_COLLISION_LIMIT} keys of one dict or set have the same hash, as none do by chance"
                )
