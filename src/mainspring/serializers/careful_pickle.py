"""Reads pickles that anybody may have written, without calling what they name.

A pickle is a program: its REDUCE instruction calls any function with any arguments, and BUILD changes whatever object it
names. Here

- only types of the standard library that hold values are called, and members of enumerations looked up;
- instances of other classes are made without their ``__init__``, as pickle does for ordinary classes and dataclasses;
- only classes and functions can be named, so that no object of the running program is within reach, and they are not changed.

Not promised: that a class's own ``__new__``, ``__setstate__``, ``__eq__`` and ``__hash__`` do no harm, that a value is
harmless to the function that is called with it, or that importing the module of a named class is. Where others can write
to the database, sign the pickles, or allow none.

It is the interpreter that the standard library has in Python, which is slower than the one in C: some microseconds for a
value.
"""

from __future__ import annotations

import codecs
import io
import pickle
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from mainspring.errors import SerializationError

_CALLED: frozenset[Any] = frozenset(
    {
        bytearray,
        complex,
        Counter,
        date,
        datetime,
        Decimal,
        defaultdict,
        deque,
        Fraction,
        frozenset,
        OrderedDict,
        partial,
        PosixPath,
        PurePosixPath,
        PureWindowsPath,
        range,
        set,
        slice,
        time,
        timedelta,
        timezone,
        UUID,
        WindowsPath,
    }
)
_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType)
_PLAIN: frozenset[Any] = frozenset({type(None), bool, int, float, str, bytes, tuple, list, dict})
# The `__new__` of these makes a value out of values. That of `map`, say, makes something that calls a function later.
_VALUE_MAKERS = tuple(
    kind.__new__ for kind in (object, int, float, str, bytes, tuple, list, dict, set, frozenset, *_CALLED)
)
# The standard library's interpreter in C has no place at which to ask.
_Interpreter: Any = pickle._Unpickler  # noqa: SLF001 - as said


class _CarefulUnpickler(_Interpreter):  # type: ignore[misc]
    """The standard library's interpreter of pickles, with a say in what is named, called and changed."""

    dispatch = dict(_Interpreter.dispatch)  # noqa: RUF012 - the standard library's way

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if not isinstance(found, (type, *_FUNCTIONS)):
            raise SerializationError(
                f"the pickled value names {module}.{name}, which is neither a class nor a function: {_ADVICE}"
            )
        return found

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        called = self.stack[-1]
        if not _may_be_called(called, arguments):
            raise _refused(called)
        self.stack[-1] = called(*arguments)

    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_newobj(self) -> None:
        arguments = self.stack.pop()
        self.stack.append(_made(self.stack.pop(), arguments, {}))

    dispatch[pickle.NEWOBJ[0]] = load_newobj

    def load_newobj_ex(self) -> None:
        keywords = self.stack.pop()
        arguments = self.stack.pop()
        self.stack.append(_made(self.stack.pop(), arguments, keywords))

    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex

    def load_build(self) -> None:
        if isinstance(self.stack[-2], (type, *_FUNCTIONS)):
            raise _refused(self.stack[-2])
        super().load_build()

    dispatch[pickle.BUILD[0]] = load_build

    def _instantiate(self, klass: Any, args: Any) -> None:  # noqa: ARG002 - the standard library's arguments
        raise _refused(klass)  # instructions of protocol 0, which nothing has written for decades


def _made(cls: Any, arguments: Any, keywords: Any) -> Any:
    if not isinstance(cls, type) or issubclass(cls, type):
        raise _refused(cls)
    if cls.__new__ not in _VALUE_MAKERS and not isinstance(cls.__new__, FunctionType):
        raise _refused(cls)
    return cls.__new__(cls, *arguments, **keywords)


def _may_be_called(called: Any, arguments: tuple[Any, ...]) -> bool:
    if not all(map(_is_value, arguments)):
        return False
    if isinstance(called, type):
        return called in _CALLED or issubclass(called, Enum)
    if called is codecs.encode:  # bytes, in protocol 2
        return arguments[1:] == ("latin1",)
    if called is getattr:  # a zone, in two steps
        return arguments == (ZoneInfo, "_unpickle")
    return bool(called == _READ_ZONE)


# What a pickled zone names.
_READ_ZONE = ZoneInfo._unpickle  # type: ignore[attr-defined]  # noqa: SLF001 - as said


def _is_value(argument: Any) -> bool:
    """Whether a constructor can look at `argument` without running code that the pickle has put together."""
    kind = type(argument)
    return kind in _PLAIN or kind in _CALLED or isinstance(argument, (type, tzinfo, Enum, *_FUNCTIONS))


_ADVICE = "give the job store a signing_key, or the job plain values"


def _refused(called: Any) -> SerializationError:
    name = getattr(called, "__qualname__", repr(called))
    module = getattr(called, "__module__", "?")
    return SerializationError(
        f"the pickled value calls or changes {module}.{name}, which is not done for values that are not signed: {_ADVICE}"
    )


def careful_loads(data: bytes) -> Any:
    """The value that was pickled as `data`.

    Raises:
        SerializationError: it would call or change something, or names what can't be imported, or is damaged.
    """
    try:
        return _CarefulUnpickler(io.BytesIO(data)).load()
    except SerializationError:
        raise
    except Exception as error:
        raise SerializationError(f"a pickled value can't be read: {type(error).__name__}: {error}") from error
