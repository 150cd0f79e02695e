"""What user code hands in, made such that any store can keep it: bounded, and without what no database takes.

This is done once, where a value enters and on the thread that hands it in, so that no store has to, and so that an object whose
``__repr__`` never comes back holds up its own run alone, or the event loop on which its coroutine ran. Nothing here raises because of what it is given, and nothing is cut without
saying so. Events and handles in the process keep the objects themselves.

Limits are bytes of UTF-8.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple

from mainspring.errors import ConfigurationError, kind_of, safe_str

#: The longest text by which something is found: what an index of every database takes, in characters.
LONGEST_KEY = 191
#: A limit may not be lower: what is cut has to say so.
LOWEST_LIMIT = 256
#: No database takes more in one value.
_HIGHEST_LIMIT = 256 * 1024 * 1024

#: Beyond it a whole number is no number for most that read JSON; of progress it is kept as a float.
_LARGEST_PROGRESS = 2**63


class RunLimits(NamedTuple):
    """How much is kept of what runs hand in, in bytes.

    Attributes:
        progress: of what a run says of how far it is, as JSON.
        log: of what it logs: the end.
        traceback: the beginning, and the end.
        result: of what its function returns, as JSON: the beginning.
        error: of the line that says why it failed: the beginning.
    """

    progress: int = 4 * 1024
    log: int = 64 * 1024
    traceback: int = 64 * 1024
    result: int = 1024 * 1024
    error: int = 4 * 1024


DEFAULT_LIMITS = RunLimits()


def checked_limits(present: RunLimits, given: Any) -> RunLimits:
    """`present` limits with those that a configuration gives.

    Raises:
        ConfigurationError: one that there isn't, or a value that can't be.
    """
    if not hasattr(given, "items"):
        raise ConfigurationError(f"run_limits must be a dict, got {type(given).__name__} {given!r}")
    checked = {}
    for name, value in given.items():
        if name not in RunLimits._fields:
            raise ConfigurationError(
                f"run_limits has {', '.join(map(repr, RunLimits._fields))}, and no {name!r}"
            )
        number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
        is_whole = isinstance(number, int) and not isinstance(number, bool)
        if not is_whole or not LOWEST_LIMIT <= number <= _HIGHEST_LIMIT:
            raise ConfigurationError(
                f"run_limits[{name!r}] must be a whole number of bytes, from {LOWEST_LIMIT} to {_HIGHEST_LIMIT:,}, got {value!r}"
            )
        checked[name] = number
    return present._replace(**checked)


# Text


def storable(text: str) -> str:
    """`text` as every database takes it: a lone surrogate as its escape, a NUL as the replacement character."""
    text = str.__str__(text)
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def is_storable(text: object) -> bool:
    """Whether something is a text that every database takes as it is."""
    if not isinstance(text, str) or "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def size_of(text: str) -> int:
    """The bytes of a storable text."""
    return len(text) if text.isascii() else len(text.encode())


def kept_start(text: str, limit: int) -> str:
    """The beginning of a text, as far as it may be kept."""
    start = storable(text[:limit])
    if len(text) <= limit and size_of(start) <= limit:
        return start
    return f"{_first_bytes(start, limit - _NOTE)}… [cut: of {len(text):,} characters the rest is not kept]"


def kept_end(text: str, limit: int) -> str:
    """The end of a text, as far as it may be kept."""
    end = storable(text[-limit:])
    if len(text) <= limit and size_of(end) <= limit:
        return end
    return f"[cut: of {len(text):,} characters the end is kept] …{_last_bytes(end, limit - _NOTE)}"


def kept_ends(text: str, limit: int) -> str:
    """The beginning and the end of a text, as far as it may be kept."""
    if len(text) <= limit:
        whole = storable(text)
        if size_of(whole) <= limit:
            return whole
    share = (limit - _NOTE) // 2
    start, end = storable(text[:share]), storable(text[-share:])
    return (
        f"{_first_bytes(start, share)}…\n[cut: of {len(text):,} characters the beginning and the end are kept]\n…"
        f"{_last_bytes(end, share)}"
    )


#: More bytes than any note says that something was cut.
_NOTE = 120


def _first_bytes(text: str, size: int) -> str:
    return text.encode()[:size].decode("utf-8", "ignore")


def _last_bytes(text: str, size: int) -> str:
    return text.encode()[-size:].decode("utf-8", "ignore")


def kept_error(error: BaseException, limit: int) -> str:
    """An error in one line: its kind, and what it says."""
    return kept_start(error_line(error), limit)


def error_line(error: BaseException) -> str:
    """An error in one line, however long."""
    return f"{kind_of(error)}: {safe_str(error)}"


# JSON

# The encoder is made once: `json.dumps` makes one for each call, which takes longer than a small object.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SURROGATE = re.compile("[\ud800-\udfff]")


def compact(value: Any) -> str:
    """The JSON of plain data without spaces, which every database takes.

    Raises:
        TypeError, ValueError: it is not plain.
    """
    text = _encode(value)
    return text if text.isascii() else encodable(text)


def encodable(text: str) -> str:
    """JSON with the escapes of lone surrogates in their place: those have no UTF-8, and are read as what they were."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text


def fitting(text: str, room: int) -> str:
    """As much of the beginning of a text as takes so many bytes in JSON."""
    count = min(len(text), room)
    while count > 0 and (size := size_of(compact(text[:count]))) > room:
        count = min(count * room // size, count - 1)
    return text[:count]


# Progress


def kept_progress(done: Any, total: Any, text: Any, limit: int) -> str:
    """How far a run says that it is, as JSON.

    Raises:
        TypeError: `done` or `total` is no number: said to the function that hands it in.
    """
    said = str.__str__(text) if isinstance(text, str) else safe_str(text)
    numbers = [_number("done", done), None if total is None else _number("total", total)]
    written = compact([*numbers, said[:limit]])
    if len(said) > limit or size_of(written) > limit:
        room = limit - size_of(compact([*numbers, ""])) - _NOTE
        written = compact([*numbers, fitting(said, room) + f"… [cut: of {len(said):,} characters]"])
    return written


def _number(name: str, value: Any) -> float | None:
    """A number as JSON has it; ``None`` for those that it hasn't."""
    if type(value) is int and abs(value) < _LARGEST_PROGRESS:
        return value
    try:
        number = float(value)
    except OverflowError:
        return None
    except Exception as error:
        raise TypeError(
            f"progress takes numbers, and {name} is a {kind_of(value)}: {safe_str(error)}"
        ) from error
    return number if math.isfinite(number) else None


def is_progress(text: Any, limit: int) -> bool:
    """Whether something is what `kept_progress` writes."""
    if type(text) is not str or len(text) > limit:
        return False
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(parts, list)
        and len(parts) == 3  # noqa: PLR2004 - done, total, text
        and is_storable(text)
        and isinstance(parts[2], str)
        and all(part is None or isinstance(part, int | float) for part in parts[:2])
    )
