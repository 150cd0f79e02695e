"""Reads pickles that anybody may have written, without calling what they name.

A pickle is a program: its REDUCE instruction calls any function with any arguments, and BUILD changes whatever object it
names. Here

- only types of the standard library that hold values are called, with arguments of the kinds that they are pickled with, and
  members of enumerations looked up;
- instances of other classes are made without their ``__init__``, as pickle does for ordinary classes and dataclasses;
- only classes and functions can be named, so that no object of the running program is within reach, and they are not changed;
- size, instructions, nesting, and what is made of what was read before are counted, and too much is refused before memory or
  time is taken for it: less than half a gigabyte and some seconds, whatever is read.

Not promised: that a class's own ``__new__``, ``__setstate__``, ``__eq__`` and ``__hash__`` do no harm, that a value is
harmless to the function that is called with it, or that importing the module of a named class is. Where others can write
to the database, sign the rows, or allow no pickles.

It is the interpreter that the standard library has in Python, which is slower than the one in C: some microseconds for a
value.
"""

from __future__ import annotations

import codecs
import io
import pickle
import re
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from struct import unpack
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from mainspring.errors import SerializationError
from mainspring.serializers.bounds import Bounds, Budget, refuse_unwieldy

if TYPE_CHECKING:
    from collections.abc import Callable

#: The longest pickle that is read, in bytes.
SIZE_LIMIT = 16 * 1024 * 1024
#: Of what is copied, so much counts as an instruction.
_BYTES_FOR_WORK, _PARTS_FOR_WORK = 64, 4
_ZONE_WORK = 500
_SMALL = 1024
#: Longer numbers are no numbers that anybody counts with.
_LONG_NUMBER, _LONG_TEXT = 14_000, 5_000

_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType)
#: As `Fraction` says what it is: not ``"1e9999999"``, of which it makes a number of ten million digits.
_FRACTION = re.compile(r"-?[0-9]{1,4000}(/[0-9]{1,4000})?", re.ASCII)


def _of(*kinds: Any, least: int = 0, most: int = 99) -> Callable[[tuple[Any, ...]], bool]:
    """A check for so many arguments of exactly these kinds."""
    allowed = frozenset(kinds)
    return lambda arguments: (
        least <= len(arguments) <= most and all(type(one) in allowed for one in arguments)
    )


def _is_number(value: Any) -> bool:
    return type(value) is not int or value.bit_length() <= _LONG_NUMBER


def _of_numbers(*kinds: Any, most: int) -> Callable[[tuple[Any, ...]], bool]:
    check = _of(*kinds, most=most)
    return lambda arguments: (
        check(arguments)
        and all(
            len(one) <= _LONG_TEXT if isinstance(one, str | bytes) else _is_number(one) for one in arguments
        )
    )


def _makes_fraction(arguments: tuple[Any, ...]) -> bool:
    if len(arguments) == 1 and type(arguments[0]) is str:
        return _FRACTION.fullmatch(arguments[0]) is not None
    return _of_numbers(int, most=2)(arguments)


def _makes_bytearray(arguments: tuple[Any, ...]) -> bool:
    return _of(bytes, most=1)(arguments) or (
        len(arguments) == 2 and type(arguments[0]) is str and arguments[1] == "latin-1"  # noqa: PLR2004 - in protocol 2
    )


def _makes_datetime(arguments: tuple[Any, ...]) -> bool:
    return all(
        type(one) in (bytes, str, int, type(None)) or isinstance(one, tzinfo) for one in arguments
    ) and all(map(_is_number, arguments))


def _makes_partial(arguments: tuple[Any, ...]) -> bool:
    return len(arguments) == 1 and isinstance(arguments[0], (type, partial, *_FUNCTIONS))


def _makes_defaultdict(arguments: tuple[Any, ...]) -> bool:
    return not arguments or (len(arguments) == 1 and _is_factory(arguments[0]))


def _is_factory(value: Any) -> bool:
    return value is None or isinstance(value, (type, partial, *_FUNCTIONS))


def _makes_deque(arguments: tuple[Any, ...]) -> bool:
    return (
        len(arguments) <= 2  # noqa: PLR2004 - and how long it may be
        and _of(list, tuple, most=1)(arguments[:1])
        and _of(int, type(None))(arguments[1:])
    )


_SEVERAL = _of(list, tuple, set, frozenset, most=1)
_PATH = _of(str)

#: What is called, and with what: as these types are pickled, and no other way, since some make much of little.
_CALLED: dict[Any, Callable[[tuple[Any, ...]], bool]] = {
    bytearray: _makes_bytearray,
    complex: _of_numbers(float, int, most=2),
    Counter: _of(dict, most=1),
    date: _makes_datetime,
    datetime: _makes_datetime,
    Decimal: _of_numbers(str, most=1),
    defaultdict: _makes_defaultdict,
    deque: _makes_deque,
    Fraction: _makes_fraction,
    frozenset: _SEVERAL,
    OrderedDict: _of(list, tuple, most=1),
    partial: _makes_partial,
    PosixPath: _PATH,
    PurePosixPath: _PATH,
    PureWindowsPath: _PATH,
    range: _of_numbers(int, most=3),
    set: _SEVERAL,
    slice: lambda arguments: all(map(_is_value, arguments)),
    time: _makes_datetime,
    timedelta: _of_numbers(int, float, most=7),
    timezone: lambda arguments: all(type(one) in (timedelta, str) for one in arguments),
    UUID: _of_numbers(str, int, bytes, most=1),
    WindowsPath: _PATH,
}
#: The `__new__` of these makes a value out of values. That of `map`, say, makes something that calls a function later.
_MADE: dict[Any, Callable[[tuple[Any, ...]], bool]] = {
    object: lambda arguments: not arguments,
    int: _of_numbers(int, float, str, most=1),
    float: _of_numbers(int, float, str, most=1),
    str: _of(str, most=1),
    bytes: _of(bytes, most=1),
    tuple: _of(list, tuple, most=1),
    # These take no notice of what they are given before their `__init__` is called, which it isn't.
    list: lambda arguments: True,  # noqa: ARG005 - as said
    dict: lambda arguments: True,  # noqa: ARG005 - as said
    **_CALLED,
}
_MAKERS = {kind.__new__: check for kind, check in reversed(_MADE.items())}
_KEYED = (set, frozenset, Counter, OrderedDict)
_PLAIN: frozenset[Any] = frozenset({type(None), bool, int, float, str, bytes, tuple, list, dict})
# The standard library's interpreter in C has no place at which to ask.
_Interpreter: Any = pickle._Unpickler  # noqa: SLF001 - as said

# What a pickled zone names.
_READ_ZONE = ZoneInfo._unpickle  # type: ignore[attr-defined]  # noqa: SLF001 - as said

#: What names a value's type, and no code of a program.
_VALUE_NAMES = {
    *((kind.__module__, kind.__qualname__) for kind in (*_MADE, complex, bool, ZoneInfo)),
    *(("pathlib", kind.__name__) for kind in (PosixPath, PurePosixPath, PureWindowsPath, WindowsPath)),
    ("_codecs", "encode"),
    ("builtins", "getattr"),
    ("copyreg", "__newobj__"),
    ("zoneinfo", "ZoneInfo._unpickle"),
}


def refuse_name(module: str, name: str, allow: Callable[[str], None] | None) -> None:
    """Ask whether a pickle may name something, unless it is the type of a plain value.

    Args:
        allow: raises for a reference that may not be loaded; ``None``: all may.
    """
    if allow is None:
        return
    module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    if (module, name) not in _VALUE_NAMES:
        allow(f"{module}:{name}")


class Foreign(NamedTuple):
    """What is otherwise in pickles of another library.

    Attributes:
        renamed: the module and the name of what it has under another one.
        called: functions of ours that may be called with plain values, in the place of its own.
        encoding: of the bytes that Python 2 has pickled as text.
    """

    renamed: Callable[[str, str], tuple[str, str]]
    called: frozenset[Any]
    encoding: str = "utf-8"


class _Counted(dict[int, Any]):
    """The instructions, each of which is paid for before it is done."""

    __slots__ = ("budget",)

    budget: Budget

    def __getitem__(self, instruction: int) -> Any:
        self.budget.spend(1)
        return dict.__getitem__(self, instruction)


class _CarefulUnpickler(_Interpreter):  # type: ignore[misc]
    """The standard library's interpreter of pickles, with a say in what is named, called and changed."""

    dispatch = dict(_Interpreter.dispatch)  # noqa: RUF012 - the standard library's way

    def __init__(
        self, data: bytes, allow: Callable[[str], None] | None, bounds: Bounds, foreign: Foreign | None
    ) -> None:
        super().__init__(io.BytesIO(data), encoding="ASCII" if foreign is None else foreign.encoding)
        self._allow = allow
        self._foreign = foreign
        self._work = bounds.steps
        self._keys = bounds.keys
        if len(data) <= _SMALL:
            self._work.spend(len(data))  # there are no more instructions in it: to count each takes longer
        else:
            self.dispatch = _Counted(self.dispatch)
            self.dispatch.budget = self._work

    def find_class(self, module: str, name: str) -> Any:
        if self._foreign is not None:
            module, name = self._foreign.renamed(module, name)
        if self._foreign is None or not module.startswith("mainspring."):
            refuse_name(module, name, self._allow)
        found = super().find_class(module, name)
        if not isinstance(found, (type, *_FUNCTIONS)):
            raise SerializationError(
                f"the pickled value names {module}.{name}, which is neither a class nor a function: {_ADVICE}"
            )
        home = str(getattr(found, "__module__", None) or module)
        if not home.startswith("mainspring.") and module.startswith("mainspring."):
            refuse_name(
                home, found.__qualname__, self._allow
            )  # by a name of ours that leads on to what isn't
        return found

    # Calls

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        called = self.stack[-1]
        if not self._may_be_called(called, arguments):
            raise _refused(called)
        self._pay(called, arguments)
        self.stack[-1] = called(*arguments)

    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_newobj(self) -> None:
        arguments = self.stack.pop()
        self.stack.append(self._made(self.stack.pop(), arguments, {}))

    dispatch[pickle.NEWOBJ[0]] = load_newobj

    def load_newobj_ex(self) -> None:
        keywords = self.stack.pop()
        arguments = self.stack.pop()
        self.stack.append(self._made(self.stack.pop(), arguments, keywords))

    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex

    def _made(self, cls: Any, arguments: Any, keywords: Any) -> Any:
        if not isinstance(cls, type) or issubclass(cls, type) or issubclass(cls, Enum):
            raise _refused(cls)
        if type(arguments) is not tuple or type(keywords) is not dict:
            raise _refused(cls)
        check = _MAKERS.get(cls.__new__)
        if check is None:
            if not isinstance(cls.__new__, FunctionType):
                raise _refused(cls)
        elif keywords or not check(arguments):
            raise _refused(cls)
        self._pay(cls, (*arguments, *keywords.values()))
        return cls.__new__(cls, *arguments, **keywords)

    def _may_be_called(self, called: Any, arguments: Any) -> bool:
        if type(arguments) is not tuple or not all(map(_is_value, arguments)):
            return False
        if isinstance(called, type):
            check = _CALLED.get(called)
            return check(arguments) if check is not None else issubclass(called, Enum) and len(arguments) == 1
        if self._foreign is not None and isinstance(called, FunctionType) and called in self._foreign.called:
            return True
        if called is codecs.encode:  # bytes, in protocol 2
            return len(arguments) == 2 and type(arguments[0]) is str and arguments[1] == "latin1"  # noqa: PLR2004 - text, and how
        if called is getattr:  # a zone, in two steps
            return arguments == (ZoneInfo, "_unpickle")
        return bool(called == _READ_ZONE) and _of(str, bool, int, most=2)(arguments)

    def _pay(self, called: Any, arguments: tuple[Any, ...]) -> None:
        """Count what is copied, which a pickle can have done again and again with what it has once."""
        if called == _READ_ZONE:
            self._work.spend(_ZONE_WORK)
        for argument in arguments:
            kind = type(argument)
            if kind in (str, bytes, bytearray):
                self._work.spend(len(argument) // _BYTES_FOR_WORK)
            elif kind in (list, tuple, set, frozenset, dict):
                self._work.spend(len(argument) // _PARTS_FOR_WORK)
                if isinstance(called, type) and issubclass(called, _KEYED):
                    pairs = issubclass(called, OrderedDict)
                    self._keys.admit(argument, _first_of_each(argument) if pairs else argument)

    def _instantiate(self, klass: Any, args: Any) -> None:  # noqa: ARG002 - the standard library's arguments
        raise _refused(klass)  # instructions of protocol 0, which nothing has written for decades

    # Changes

    def _refuse_shared(self, target: Any) -> None:
        """See to it that nothing is changed which the pickle hasn't made."""
        if isinstance(target, (type, Enum, tzinfo, *_FUNCTIONS)):
            raise _refused(target)

    def load_build(self) -> None:
        state = self.stack[-1]
        self._refuse_shared(self.stack[-2])
        for part in state if type(state) is tuple else (state,):
            if type(part) in (dict, list, tuple):
                self._work.spend(len(part) // _PARTS_FOR_WORK)
        super().load_build()

    dispatch[pickle.BUILD[0]] = load_build

    def load_append(self) -> None:
        self._refuse_shared(self.stack[-2])
        super().load_append()

    dispatch[pickle.APPEND[0]] = load_append

    def load_appends(self) -> None:
        self._refuse_shared(self.metastack[-1][-1])
        super().load_appends()

    dispatch[pickle.APPENDS[0]] = load_appends

    def load_setitem(self) -> None:
        target, key = self.stack[-3], self.stack[-2]
        self._refuse_shared(target)
        self._keys.admit(target, (key,))
        super().load_setitem()

    dispatch[pickle.SETITEM[0]] = load_setitem

    def load_setitems(self) -> None:
        target = self.metastack[-1][-1]
        self._refuse_shared(target)
        self._keys.admit(target, self.stack[::2])
        super().load_setitems()

    dispatch[pickle.SETITEMS[0]] = load_setitems

    def load_additems(self) -> None:
        target = self.metastack[-1][-1]
        self._refuse_shared(target)
        self._keys.admit(target, self.stack)
        super().load_additems()

    dispatch[pickle.ADDITEMS[0]] = load_additems

    def load_dict(self) -> None:
        self._keys.admit(self.stack, self.stack[::2])
        super().load_dict()

    dispatch[pickle.DICT[0]] = load_dict

    def load_frozenset(self) -> None:
        self._keys.admit(self.stack, self.stack)
        super().load_frozenset()

    dispatch[pickle.FROZENSET[0]] = load_frozenset

    def load_bytearray8(self) -> None:
        # The standard library makes room for as many bytes as the pickle says that there are, before it reads them.
        (size,) = unpack("<Q", self.read(8))
        if size > SIZE_LIMIT:
            raise SerializationError(f"the pickled value says that it has {size:,} bytes in one piece")
        self.append(bytearray(self.read(size)))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8


def _first_of_each(pairs: Any) -> list[Any]:
    if not all(type(pair) in (list, tuple) and pair for pair in pairs):
        raise SerializationError("a pickled OrderedDict is made of something else than pairs")
    return [pair[0] for pair in pairs]


def _is_value(argument: Any) -> bool:
    """Whether a constructor can look at `argument` without running code that the pickle has put together."""
    kind = type(argument)
    return kind in _PLAIN or kind in _CALLED or isinstance(argument, (type, tzinfo, Enum, *_FUNCTIONS))


_ADVICE = "give the job store a signing_key, or the job plain values"


def _refused(called: Any) -> SerializationError:
    name = getattr(called, "__qualname__", None) or f"a {type(called).__qualname__}"
    module = getattr(called, "__module__", "?")
    return SerializationError(
        f"the pickled value calls or changes {module}.{name} in a way that is not done for values that are not signed: {_ADVICE}"
    )


def careful_loads(
    data: bytes,
    allow: Callable[[str], None] | None = None,
    bounds: Bounds | None = None,
    foreign: Foreign | None = None,
) -> Any:
    """The value that was pickled as `data`.

    Args:
        allow: asked about each reference (``"module:name"``) before it is imported; raises if it may not be.
        bounds: what this and other values may take together.
        foreign: what is otherwise, if another library has pickled it.

    Raises:
        SerializationError: it would call or change something, takes too much, names what can't be imported, or is damaged.
    """
    if len(data) > SIZE_LIMIT:
        raise SerializationError(
            f"a pickled value has {len(data):,} bytes, and {SIZE_LIMIT:,} are read at most: {_ADVICE}"
        )
    bounds = bounds or Bounds()
    try:
        value = _CarefulUnpickler(data, allow, bounds, foreign).load()
        refuse_unwieldy(value, bounds.parts)
    except SerializationError:
        raise
    except Exception as error:
        raise SerializationError(f"a pickled value can't be read: {type(error).__name__}: {error}") from error
    return value
