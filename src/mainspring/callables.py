"""What can be learned about a callable without calling it."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from functools import lru_cache, partial
from inspect import Parameter, isasyncgenfunction, isclass, isgeneratorfunction, ismethod, signature
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from mainspring.printable import shown

if sys.version_info >= (3, 14):
    from inspect import iscoroutinefunction
else:  # knows functions that libraries have marked in asyncio's own way, too
    from asyncio import iscoroutinefunction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from inspect import Signature

_VAR_POSITIONAL_OR_KEYWORD = 0x04 | 0x08  # CO_VARARGS | CO_VARKEYWORDS


def get_callable_name(func: Any) -> str:
    """A name to show for `func`: qualified for functions and methods, the class's for an instance with ``__call__``.

    Raises:
        TypeError: no name can be had; say what came.
    """
    if ismethod(func):
        owner = func.__self__ if isclass(func.__self__) else type(func.__self__)
        return f"{owner.__qualname__}.{func.__func__.__name__}"
    if hasattr(func, "__qualname__"):
        return str(func.__qualname__)
    if isinstance(func, partial):
        return get_callable_name(func.func)
    if callable(func):
        return type(func).__qualname__
    raise TypeError(f"a callable was expected, {shown(func)} is not one")


def iscoroutinefunction_partial(func: Any) -> bool:
    """Whether calling `func` makes a coroutine: also through ``partial``, or by an async ``__call__``."""
    while isinstance(func, partial):
        func = func.func
    return iscoroutinefunction(func) or (
        not isinstance(func, FunctionType) and iscoroutinefunction(getattr(func, "__call__", None))  # noqa: B004 - the method itself is asked
    )


#: A generator that is meant to be awaited: `types.coroutine` marks it so.
_ITERABLE_COROUTINE = 0x100  # CO_ITERABLE_COROUTINE


def is_generator_function(func: Any) -> bool:
    """Whether calling `func` makes a generator, of which nothing has run: also through ``partial``, or by such a ``__call__``."""
    while isinstance(func, partial):
        func = func.func
    if not isinstance(func, (FunctionType, MethodType)):
        func = getattr(type(func), "__call__", None)  # noqa: B004 - the method itself is asked
    if isasyncgenfunction(func):
        return True
    return isgeneratorfunction(func) and not func.__code__.co_flags & _ITERABLE_COROUTINE


def plain_counts(func: Any) -> range:
    """How many arguments `func` certainly takes, if all are given by position: a shortcut past `signature`. None, where that isn't certain."""
    if type(func) is not FunctionType:
        return range(0)
    code = func.__code__
    if code.co_kwonlyargcount or code.co_flags & _VAR_POSITIONAL_OR_KEYWORD or hasattr(func, "__signature__"):
        return range(0)
    return range(code.co_argcount - len(func.__defaults__ or ()), code.co_argcount + 1)


def _signature_of(func: Callable[..., Any]) -> Signature:
    """The signature of `func` itself, whatever it wraps."""
    if isinstance(func, BuiltinFunctionType) and isinstance(func.__self__, ModuleType):
        return _signature_of_builtin(func)
    return signature(func, follow_wrapped=False)


@lru_cache(maxsize=256)
def _signature_of_builtin(func: Callable[..., Any]) -> Signature:
    # It is read from a text, which takes longer than everything else about adding a job. A function of a module lives as long as that.
    return signature(func, follow_wrapped=False)


def check_callable_args(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """See that `func` can be called with `args` and `kwargs`.

    Of a decorated function the wrapper's own parameters count, since it is what is called: it may add arguments, or take some away.

    Raises:
        TypeError: it is nothing that can be called.
        ValueError: it can't; the message names all arguments that are missing, unknown or given twice.
    """
    if not kwargs and len(args) in plain_counts(func):
        return
    if not callable(func):
        raise TypeError(f"a callable was expected, {shown(func)} is not one")
    try:
        parameters = list(_signature_of(func).parameters.values())
    except (TypeError, ValueError):
        return  # some built-in callables don't tell their signature

    positional = [
        p for p in parameters if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    ]
    keyword_only = [p for p in parameters if p.kind is Parameter.KEYWORD_ONLY]
    takes_any_positional = any(p.kind is Parameter.VAR_POSITIONAL for p in parameters)
    takes_any_keyword = any(p.kind is Parameter.VAR_KEYWORD for p in parameters)
    by_keyword = {p.name for p in positional if p.kind is Parameter.POSITIONAL_OR_KEYWORD}
    by_keyword |= {p.name for p in keyword_only}

    filled = positional[: len(args)]
    twice = [p.name for p in filled if p.name in kwargs and p.name in by_keyword]
    missing = [
        p.name
        for p in positional[len(args) :]
        if p.default is Parameter.empty and not (p.name in kwargs and p.name in by_keyword)
    ]
    missing_keywords = [p.name for p in keyword_only if p.default is Parameter.empty and p.name not in kwargs]
    unknown = [] if takes_any_keyword else [name for name in kwargs if name not in by_keyword]

    problems = []
    if twice:
        problems.append(f"given both in args and in kwargs: {', '.join(twice)}")
    if missing:
        problems.append(f"missing: {', '.join(missing)}")
    if missing_keywords:
        problems.append(f"missing in kwargs (keyword-only): {', '.join(missing_keywords)}")
    if unknown:
        free = [p.name for p in parameters if p.name in by_keyword and p.name not in kwargs]
        near = [match for name in unknown for match in get_close_matches(str(name).lower(), free, n=1)]
        hint = f" (did you mean {', '.join(near)}?)" if near else f" (it takes {', '.join(free) or 'none'})"
        problems.append(f"unknown in kwargs: {', '.join(unknown)}{hint}")
    if len(args) > len(positional) and not takes_any_positional:
        problems.append(f"args has {len(args)} values, at most {len(positional)} are taken")
    if problems:
        raise ValueError(
            f"{get_callable_name(func)} can't be called with these arguments: {'; '.join(problems)}"
        )
