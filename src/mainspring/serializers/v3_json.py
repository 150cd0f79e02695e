"""Values as the JSON of APScheduler's `export_jobs`.

What JSON has stays as it is; an object that tells its state becomes ``{"__apscheduler_class__": …,
"__apscheduler_state__": …}``; all else is pickled, ``{"__apscheduler_pickle__": …}``. Names of our own modules are written
as APScheduler's, so that either can read what the other wrote.

Reading unpickles: a file is to be trusted like a program.
"""

from __future__ import annotations

import io
import pickle
from base64 import b64decode, b64encode
from typing import Any

from mainspring.errors import SerializationError
from mainspring.references import obj_to_ref, ref_to_obj
from mainspring.triggers.base import BaseTrigger

_CLASS = "__apscheduler_class__"
_STATE = "__apscheduler_state__"
_PICKLE = "__apscheduler_pickle__"
_MARKS = frozenset({_CLASS, _STATE, _PICKLE})


def encoded(value: Any) -> Any:
    """`value` as something that `json` writes.

    Raises:
        SerializationError: it can't be pickled.
    """
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is list:
        return [encoded(part) for part in value]
    if kind is dict and all(type(key) is str for key in value) and not _MARKS & value.keys():
        return {key: encoded(part) for key, part in value.items()}
    if isinstance(value, BaseTrigger):
        state = value.__getstate__()
        if isinstance(state, dict):
            reference = _renamed(obj_to_ref(kind), "mainspring", "apscheduler")
            return {_CLASS: reference, _STATE: encoded(state)}
    try:
        return {_PICKLE: b64encode(pickle.dumps(value)).decode()}
    except Exception as error:
        raise SerializationError(f"a {kind.__qualname__} can't be written: {error}") from error


def decoded(value: Any) -> Any:
    """The inverse of `encoded`.

    Raises:
        SerializationError: a class or pickle that can't be loaded.
    """
    if isinstance(value, list):
        return [decoded(part) for part in value]
    if not isinstance(value, dict):
        return value
    if _PICKLE in value:
        try:
            return _Unpickler(io.BytesIO(b64decode(value[_PICKLE]))).load()
        except Exception as error:
            raise SerializationError(
                f"a pickled value can't be loaded: {type(error).__name__}: {error}"
            ) from error
    if _CLASS in value:
        try:
            cls = ref_to_obj(_renamed(value[_CLASS], "apscheduler", "mainspring"))
            made = cls.__new__(cls)
            made.__setstate__(decoded(value[_STATE]))
        except SerializationError:
            raise
        except Exception as error:
            raise SerializationError(
                f"a {value[_CLASS]} can't be read: {type(error).__name__}: {error}"
            ) from error
        return made
    return {key: decoded(part) for key, part in value.items()}


def _renamed(name: str, old: str, new: str) -> str:
    return new + name.removeprefix(old) if name.startswith(f"{old}.") else name


class _Unpickler(pickle.Unpickler):
    """Finds our classes where APScheduler's are named."""

    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(_renamed(module, "apscheduler", "mainspring"), name)
