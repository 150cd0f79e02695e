"""Text references to importable objects: ``"package.module:name.attribute"``."""

from __future__ import annotations

import sys
from functools import lru_cache, partial
from importlib import import_module
from inspect import isclass, ismethod
from types import FunctionType
from typing import TYPE_CHECKING, Any

from mainspring.callables import get_callable_name
from mainspring.coercion import nearest
from mainspring.printable import shown

if TYPE_CHECKING:
    from types import ModuleType


@lru_cache(maxsize=256)
def _joined(module_name: str, name: str) -> str:
    """A reference; the same object each time, which a million jobs of one function share."""
    return sys.intern(f"{module_name}:{name}")


def obj_to_ref(obj: Any) -> str:
    """The text reference that gives `obj` back.

    The reference is looked up before it is returned: where a decorated function carries the name of the plain one,
    the module is searched for the name under which the decorated one is kept, so that the plain one is never run
    in its place.

    Raises:
        ValueError: `obj` can't be reached by a reference; the message says why.
    """
    if type(obj) is FunctionType:  # most are found under their own name, and quickly
        module, name = sys.modules.get(obj.__module__), obj.__qualname__
        if module is not None and getattr(module, name, None) is obj:
            return _joined(obj.__module__, name)
    if isinstance(obj, partial):
        raise ValueError(  # noqa: TRY004 - no mistake of type: the same for all that has no reference
            "a functools.partial has no reference: give the function, and its arguments as args/kwargs"
        )
    name = get_callable_name(obj)
    if "<lambda>" in name:
        raise ValueError("a lambda has no reference: use a function defined at module level")
    if "<locals>" in name:
        raise ValueError(
            f"{name!r} is defined inside a function and has no reference: move it to module level"
        )
    if ismethod(obj):
        owner = obj.__self__ if isclass(obj.__self__) else type(obj.__self__)
        # The function is looked up on the class, so an instance's method refers to the plain function.
        target: Any = obj if isclass(obj.__self__) else obj.__func__
        module_name, name = owner.__module__, f"{owner.__qualname__}.{obj.__func__.__name__}"
    else:
        target, module_name = obj, getattr(obj, "__module__", "")
    module = sys.modules.get(module_name) if module_name else None
    if module is None:
        raise ValueError(f"{shown(obj)} has no reference: its module {module_name!r} is not imported")
    if _resolve(module, name) == target:
        return f"{module_name}:{name}"
    for attribute, value in list(vars(module).items()):
        if value is target:
            return f"{module_name}:{attribute}"
    raise ValueError(
        f"{module_name}:{name} is not this object, and no name of {module_name} is: "
        "keep it under a module-level name of its own"
    )


def instance_beside(func: Any, reference: str) -> tuple[Any, ...]:
    """What comes before the arguments of a job that is called by its reference: the instance of a bound method.

    A method that was given as an object is kept by the reference to the plain function of its class, which takes the instance first. A
    reference that was given as text may lead to an instance by itself (``"module:instance.method"``): then there is nothing before them.
    """
    if not ismethod(func) or isclass(func.__self__):
        return ()
    try:
        named = ref_to_obj(reference)
    except (LookupError, ValueError):
        owner = type(func.__self__)
        is_plain = reference == f"{owner.__module__}:{owner.__qualname__}.{func.__func__.__name__}"
    else:
        is_plain = not ismethod(named)
    return (func.__self__,) if is_plain else ()


def reference_to_be(obj: Any) -> str:
    """The text reference of `obj`, also of a function that is only being defined.

    A decorator is called before its function has a name in the module. Where the name is still free, it will be the
    function's; unless another decorator above puts something else there.

    Raises:
        ValueError: as for `obj_to_ref`.
    """
    try:
        return obj_to_ref(obj)
    except ValueError:
        module_name, name = getattr(obj, "__module__", ""), getattr(obj, "__qualname__", "")
        module = sys.modules.get(module_name or "")
        is_free = module is not None and name.isidentifier() and not hasattr(module, name)
        if is_free and isinstance(obj, FunctionType) and name != "<lambda>":
            return f"{module_name}:{name}"
        raise


def _resolve(module: ModuleType, path: str) -> Any:
    found: Any = module
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def ref_to_obj(ref: str) -> Any:
    """The object that `ref` names, importing its module.

    Raises:
        TypeError: `ref` is not text.
        ValueError: `ref` is not of the form ``"module:name"``.
        LookupError: the module can't be imported, or has no such name.
    """
    if not isinstance(ref, str):
        raise TypeError(f"a reference is text of the form 'package.module:name', not {type(ref).__name__}")
    module_name, colon, path = ref.partition(":")
    if not (module_name and colon and path):
        raise ValueError(
            f"{shown(ref)} is not a reference: expected 'package.module:name', with a colon between them{_colon_hint(ref)}"
        )
    try:
        found: Any = import_module(module_name)
    except ImportError as error:
        raise LookupError(f"can't resolve {ref!r}: importing {module_name!r} failed: {error}") from error
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            meant = nearest(part, [name for name in dir(found) if not name.startswith("_")])
            hint = "" if meant is None else f"; did you mean {meant!r}?"
            raise LookupError(f"can't resolve {ref!r}: {error}{hint}") from error
    return found


def _colon_hint(ref: str) -> str:
    module, dot, name = ref.rpartition(".")
    return f"; did you mean '{module}:{name}'?" if dot and module and name and ":" not in ref else ""


def maybe_ref(ref: Any) -> Any:
    """The object that `ref` names if it is text, otherwise `ref` itself."""
    return ref_to_obj(ref) if isinstance(ref, str) else ref
