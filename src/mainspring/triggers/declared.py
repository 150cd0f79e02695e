"""Triggers that declare once what they are made of: their dictionary, their state and their `repr` follow from that table.

Stores hold the dictionaries, byte for byte, and pickles the states, so neither the names nor the order of what is declared ever change; what is new
comes with a default. Not promised: anything of triggers of others, which say by themselves how they are written.
"""

from __future__ import annotations

from enum import Enum, auto
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from mainspring.timezones import astimezone
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.plain import read_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import tzinfo


class Codec(NamedTuple):
    """How a value is written, and read again; ``None``: as it is. What reads is told the trigger's zone, too."""

    write: Callable[[Any], Any] | None = None
    read: Callable[[Any, tzinfo | None], Any] | None = None


AS_IT_IS = Codec()


def as_value(name: str) -> Callable[[Any], str | None]:
    """What `repr` says of a value that Python writes."""
    return lambda value: f"{name}={value!r}"


class Handed(Enum):
    """How a trigger that is read gets a value of its dictionary."""

    #: As a positional argument of the class.
    POSITION = auto()
    #: As an argument of the same name.
    KEYWORD = auto()
    #: As several arguments: the value is a dict of them.
    KEYWORDS = auto()
    #: As an attribute, once it is made: no argument, or one that would be refused of what has begun already.
    AFTERWARDS = auto()


class Field(NamedTuple):
    """One thing that a trigger is made of.

    Attributes:
        name: its key in the dictionary, and in the state.
        attribute: where the trigger has it; the same, if it is empty.
        source: where it is taken from to be written, if that isn't the attribute.
        codec: of the dictionary. ``None``: it isn't there.
        handed: how `from_dict` gives it to the trigger.
        is_required: whether each dictionary has it. What isn't required is left out where it is ``None`` or ``False``.
        state_name: its key in the state, if that is another.
        state_codec: of the state. ``None``: it isn't there. What is sparse is written there as it is.
        is_sparse: whether the state has it only where it says something. APScheduler's states have no such key.
        may_miss: whether states of older versions may lack it.
        default: what it is where it is left out.
        shown: what `repr` says of a value that isn't ``None``, or ``None`` where it needn't be said.
    """

    name: str
    attribute: str = ""
    source: str = ""
    codec: Codec | None = AS_IT_IS
    handed: Handed = Handed.AFTERWARDS
    is_required: bool = False
    state_name: str = ""
    state_codec: Codec | None = AS_IT_IS
    is_sparse: bool = False
    may_miss: bool = False
    default: Any = None
    shown: Callable[[Any], str | None] | None = None

    @property
    def target(self) -> str:
        """The attribute that it is set as."""
        return self.attribute or self.name

    @property
    def taken_from(self) -> str:
        """The attribute that it is taken from."""
        return self.source or self.target

    @property
    def key(self) -> str:
        """Its key in the state."""
        return self.state_name or self.name


def positional(name: str, attribute: str = "", **how: Any) -> Field:
    """What each dictionary has, and is a positional argument."""
    return Field(name, attribute, handed=Handed.POSITION, is_required=True, **how)


def keyword(name: str, attribute: str = "", **how: Any) -> Field:
    """What each dictionary has, and is an argument of the same name."""
    return Field(name, attribute, handed=Handed.KEYWORD, is_required=True, **how)


def keywords(name: str, attribute: str = "", **how: Any) -> Field:
    """What each dictionary has as a dict of arguments."""
    return Field(name, attribute, handed=Handed.KEYWORDS, is_required=True, **how)


def replaced(fields: Iterable[Field], *others: Field) -> tuple[Field, ...]:
    """The fields, with others in the place of those of the same names."""
    instead = {field.name: field for field in others}
    return tuple(instead.get(field.name, field) for field in fields)


class _Reading(NamedTuple):
    """How one value is read.

    Attributes:
        key: where it is.
        read: see `Codec`.
        is_required: whether it must be there.
        reads_none: whether ``None`` is read as well, to be refused.
        default: what it is where it is left out.
        target: what it is given as: an argument, or an attribute.
    """

    key: str
    read: Callable[[Any, tzinfo | None], Any] | None
    is_required: bool
    reads_none: bool
    default: Any
    target: str


def _read_all(readings: tuple[_Reading, ...], values: dict[str, Any], zone: tzinfo | None) -> dict[str, Any]:
    """The values by their targets."""
    found = {}
    for key, read, is_required, reads_none, default, target in readings:
        value = values[key] if is_required else values.get(key, default)
        found[target] = value if read is None or (value is None and not reads_none) else read(value, zone)
    return found


class _Table(NamedTuple):
    """What is asked of the fields of a class, found once. Values come as a tuple, in the order of the names beside them."""

    written: tuple[tuple[str, Callable[[Any], Any] | None, bool], ...]
    written_values: Callable[[Any], tuple[Any, ...]]
    by_position: tuple[_Reading, ...]
    by_keyword: tuple[_Reading, ...]
    by_keywords: tuple[_Reading, ...]
    afterwards: tuple[_Reading, ...]
    kept: tuple[str, ...]
    kept_values: Callable[[Any], tuple[Any, ...]]
    kept_writers: tuple[tuple[str, Callable[[Any], Any]], ...]
    sparse: tuple[str, ...]
    sparse_values: Callable[[Any], tuple[Any, ...]]
    restored: tuple[_Reading, ...]
    shown: tuple[Callable[[Any], str | None], ...]
    shown_values: Callable[[Any], tuple[Any, ...]]

    @classmethod
    def of(cls, trigger: type[DeclaredTrigger]) -> _Table:
        fields = trigger.fields_declared
        written = [field for field in fields if field.codec is not None]
        held = _ordered([field for field in fields if field.state_codec is not None], trigger.state_first)
        kept, sparse = (
            [field for field in held if not field.is_sparse],
            [field for field in held if field.is_sparse],
        )
        shown = _ordered([field for field in fields if field.shown], trigger.shown_first, trigger.shown_last)
        return cls(
            tuple((field.name, _codec(field.codec).write, field.is_required) for field in written),
            _values_of([field.taken_from for field in written]),
            _given(written, Handed.POSITION),
            _given(written, Handed.KEYWORD),
            _given(written, Handed.KEYWORDS),
            _given(written, Handed.AFTERWARDS),
            ("version", *(field.key for field in kept)),
            _values_of(["state_version", *(field.taken_from for field in kept)]),
            tuple((field.key, write) for field in kept if (write := _codec(field.state_codec).write)),
            tuple(field.key for field in sparse),
            _values_of([field.taken_from for field in sparse]),
            tuple(map(_restored, held)),
            tuple(field.shown for field in shown if field.shown),
            _values_of([field.taken_from for field in shown]),
        )


def _codec(codec: Codec | None) -> Codec:
    return codec or AS_IT_IS


def _given(fields: Sequence[Field], handed: Handed) -> tuple[_Reading, ...]:
    return tuple(
        _Reading(
            field.name,
            _codec(field.codec).read,
            field.is_required,
            field.is_required,
            field.default,
            field.target if handed is Handed.AFTERWARDS else field.name,
        )
        for field in fields
        if field.handed is handed
    )


def _restored(field: Field) -> _Reading:
    must_be_there = not (field.is_sparse or field.may_miss)
    return _Reading(
        field.key,
        _codec(field.state_codec).read,
        must_be_there,
        field.is_required,
        field.default,
        field.target,
    )


def _ordered(fields: Sequence[Field], first: Sequence[str] = (), last: Sequence[str] = ()) -> list[Field]:
    """The fields with those named `first` at the beginning, and those named `last` at the end, in that order."""
    names = [field.name for field in fields if field.name not in (*first, *last)]
    order = [*first, *names, *last]
    return sorted(fields, key=lambda field: order.index(field.name))


def _values_of(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda _trigger: ()
    only = attrgetter(*names)
    return lambda trigger: (only(trigger),)


class DeclaredTrigger(BaseTrigger):
    """A trigger whose class says in `fields_declared` what it is made of."""

    __slots__ = ()

    #: Its name in plain data.
    kind: ClassVar[str]
    #: The highest version of its state that can be read.
    state_version: ClassVar[int] = 1
    #: What it is made of, in the order of the dictionary.
    fields_declared: ClassVar[tuple[Field, ...]] = ()
    #: What the state has before the others: the order that APScheduler writes.
    state_first: ClassVar[tuple[str, ...]] = ()
    #: What `repr` has before the others, and after them.
    shown_first: ClassVar[tuple[str, ...]] = ()
    shown_last: ClassVar[tuple[str, ...]] = ("timezone",)
    #: How `repr` is put together.
    shown_as: ClassVar[str] = "{name}({fields})"
    _table: ClassVar[_Table]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "fields_declared" in cls.__dict__:
            cls._table = _Table.of(cls)

    def to_dict(self) -> dict[str, Any]:
        table = self._table
        values: dict[str, Any] = {"type": self.kind, "version": 1}
        for (name, write, is_required), value in zip(table.written, table.written_values(self), strict=True):
            if is_required or (value is not None and value is not False):
                values[name] = value if write is None else write(value)
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`.

        Raises:
            KeyError, TypeError, ValueError: something is missing, or isn't what it should be.
        """
        name = values.get("timezone")
        zone = None if name is None else read_zone(name)
        table = cls._table
        named = _read_all(table.by_keyword, values, zone) if table.by_keyword else {}
        if table.by_keywords:
            for key, several in _read_all(table.by_keywords, values, zone).items():
                if not isinstance(several, dict):
                    raise TypeError(f"{key} must be a dict, got {type(several).__name__} {several!r}")
                named |= several
        ordered = _read_all(table.by_position, values, zone).values() if table.by_position else ()
        made = cls(*ordered, **named)
        if table.afterwards:
            for attribute, value in _read_all(table.afterwards, values, zone).items():
                setattr(made, attribute, value)
        return made

    def __getstate__(self) -> dict[str, Any]:
        table = self._table
        state: dict[str, Any] = dict(zip(table.kept, table.kept_values(self), strict=True))
        for name, write in table.kept_writers:
            state[name] = write(state[name])
        if table.sparse:
            values = zip(table.sparse, table.sparse_values(self), strict=True)
            for name, value in values:
                if value is not None and value is not False:
                    state[name] = value  # noqa: PERF403 - a comprehension is a call, and takes longer for few
        return state

    def __setstate__(self, state: Any) -> None:
        state = self._readable(state)
        zone = astimezone(state.get("timezone"))
        for attribute, value in _read_all(self._table.restored, state, zone).items():
            setattr(self, attribute, value)
        self._restored()

    def _restored(self) -> None:
        """See to what isn't in the state, once that is set."""

    def _readable(self, state: Any) -> dict[str, Any]:
        """`state`, if it is of a version that can be read.

        Raises:
            ValueError: it was written by a newer release.
        """
        if isinstance(state, tuple):  # how Python pickles slots when asked by a class without __getstate__
            state = state[1]
        version = state.get("version", 1)
        if version > self.state_version:
            raise ValueError(
                f"{type(self).__name__} has version {version}, but only {self.state_version} and older can be read: "
                "it was written by a newer release, upgrade this one"
            )
        return dict(state)

    def __repr__(self) -> str:
        table = self._table
        values = zip(table.shown, table.shown_values(self), strict=True)
        texts = [show(value) for show, value in values if value is not None]
        shown = ", ".join([text for text in texts if text is not None])
        return self.shown_as.format(name=type(self).__name__, fields=shown, self=self)
