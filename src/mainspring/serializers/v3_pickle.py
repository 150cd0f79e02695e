"""Jobs as APScheduler 3 keeps them in its job stores: a pickled dict for each, in which its classes are named.

All releases from 3.0 to 3.11 are read, also what Python 2 has pickled: its text as UTF-8, unless there are datetimes, which it kept in text, too.
"""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mainspring.errors import SerializationError
from mainspring.serializers.careful_pickle import Foreign, careful_loads

if TYPE_CHECKING:
    from collections.abc import Callable

    Renamed = Callable[[str, str], tuple[str, str]]


def zone_of_pytz(name: str = "UTC", *details: Any) -> Any:
    """The zone that pytz has pickled; pytz's own where it is installed, as programs expect that keep zones among the arguments.

    Args:
        name: its key.
        details: offset, daylight saving and abbreviation, of a zone that was bound to a time.
    """
    try:
        import pytz
    except ImportError:
        return ZoneInfo(name)
    return pytz._p(name, *details) if name != "UTC" else pytz.utc  # type: ignore[attr-defined]  # noqa: SLF001 - what it pickles itself by


def _renamed(module: str, name: str) -> tuple[str, str]:
    """Where something is now that APScheduler, or pytz, has named in a pickle."""
    if module == "pytz" and name in ("_p", "_UTC"):
        return __name__, "zone_of_pytz"
    if module == "apscheduler" or module.startswith("apscheduler."):
        return f"mainspring{module.removeprefix('apscheduler')}", name
    return module, name


#: How a pickle begins that Python 2 can't have written.
_PROTOCOL_3 = b"\x80\x03"
_CALLED = frozenset({zone_of_pytz})


def read_pickle(
    data: bytes,
    allow: Callable[[str], None] | None,
    *,
    is_careful: bool,
    renamed: Renamed | None = None,
) -> Any:
    """What APScheduler has pickled.

    Args:
        allow: asked about each reference before it is imported; raises if it may not be.
        is_careful: whether nothing is called that the pickle names, but for types of values.
        renamed: where something is now that the pickle names; as for APScheduler 3, if not given.

    Raises:
        SerializationError: it can't be read.
    """
    read = _read_carefully if is_careful else _read
    names = _renamed if renamed is None else renamed
    try:
        return read(data, allow, "utf-8", names)
    except SerializationError:
        if data[:2] >= _PROTOCOL_3:
            raise
        return read(data, allow, "latin-1", names)


def _read_carefully(data: bytes, allow: Callable[[str], None] | None, encoding: str, renamed: Renamed) -> Any:
    return careful_loads(data, allow, foreign=Foreign(renamed, _CALLED, encoding))


def _read(data: bytes, allow: Callable[[str], None] | None, encoding: str, renamed: Renamed) -> Any:
    try:
        return _Unpickler(data, allow, encoding, renamed).load()
    except SerializationError:
        raise
    except Exception as error:
        raise SerializationError(f"its pickle can't be read: {type(error).__name__}: {error}") from error


class _Unpickler(pickle.Unpickler):
    def __init__(
        self, data: bytes, allow: Callable[[str], None] | None, encoding: str, renamed: Renamed
    ) -> None:
        super().__init__(io.BytesIO(data), encoding=encoding)
        self._allow = allow
        self._renamed = renamed

    def find_class(self, module: str, name: str) -> Any:
        module, name = self._renamed(module, name)
        if self._allow is not None and not module.startswith("mainspring."):
            self._allow(f"{module}:{name}")
        found = super().find_class(module, name)
        home = str(getattr(found, "__module__", None) or module)
        if (
            self._allow is not None
            and module.startswith("mainspring.")
            and not home.startswith("mainspring.")
        ):
            # By a name of ours that leads on to what isn't: ``mainspring.forks`` and ``os.system``.
            self._allow(f"{home}:{getattr(found, '__qualname__', name)}")
        return found
