"""Writing many things in parts that the database takes, and finding the one that it doesn't.

Pure but for what `write_in_parts` is given to call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from mainspring.errors import kind_of, safe_str
from mainspring.storable import kept_start, size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mainspring.jobstores.shared.runs import Ended

T = TypeVar("T")
R = TypeVar("R")

#: Bytes that an outcome takes beside its texts.
_ROW_SIZE = 512
#: What of an outcome may be left out, if it is too much.
_TEXTS = ("result", "traceback", "log", "progress")
#: Bytes of what is said of why something is left out.
_REASON_SIZE = 300


def weight_of(one: Ended) -> int:
    """How many bytes an outcome takes in a request, at most: as text in JSON, and where that is text in a statement."""
    _, _, _, _, error, value, traceback, log, _, progress = one.result
    weight = _ROW_SIZE
    if error is value is traceback is log is progress is None:
        return weight  # as of most: it is asked several times of each
    for text in (error, value, traceback, log, progress):
        if text is not None:
            # Each quote and backslash gets an escape twice, each end of a line once, and another for that.
            weight += (
                size_of(text)
                + 3 * (text.count('"') + text.count("\\"))
                + 2 * text.count("\n")
                + text.count("'")
            )
    return weight


def fitting(weights: Iterable[int], rows: int, size: int) -> int:
    """How many of the first are written together: so many rows and bytes at most, but one at least."""
    count = 0
    for weight in weights:
        size -= weight
        if count and (size < 0 or count >= rows):
            break
        count += 1
    return count


def lighter(one: Ended, error: Exception) -> Ended | None:
    """An outcome that could not be written, without the largest of its texts, and with why; ``None``: there is nothing to leave out."""
    result = one.result
    texts = {name: getattr(result, name) for name in _TEXTS if getattr(result, name) is not None}
    reason = kept_start(f"{kind_of(error)}: {safe_str(error)}".replace("\n", " "), _REASON_SIZE)
    if texts:
        name = max(texts, key=lambda name: len(texts[name]))
        told = f"[the {name}, {size_of(texts[name]):,} bytes, could not be stored: {reason}]"
        changes: dict[str, Any] = {name: None}
    elif result.error is not None and not result.error.startswith(_NOTHING_LEFT):
        told = f"{_NOTHING_LEFT}, {size_of(result.error):,} bytes, could not be stored]"
        return one._replace(result=result._replace(error=told))
    else:
        return None
    said = told if result.error is None else f"{result.error} {told}"
    return one._replace(result=result._replace(error=said, **changes))


_NOTHING_LEFT = "[the error"


def write_in_parts(
    items: Sequence[T],
    write: Callable[[Sequence[T]], R],
    is_refused: Callable[[Exception, Sequence[T]], bool],
    lighten: Callable[[T, Exception], T | None],
) -> tuple[list[R], list[T], list[T], Exception | None]:
    """Write items together; where that is refused for what is in them, by halves, until those are found that are at fault.

    Args:
        write: writes some, all or none.
        is_refused: whether an error is for what is in these items, and not one that passes.
        lighten: what to write instead of one that is refused by itself; ``None``: there is nothing.

    Returns:
        what `write` answered; the items that wait, since the store can't write now; those that are refused whatever is left out; and
        the last error.
    """
    answers: list[R] = []
    refused: list[T] = []
    last: Exception | None = None
    to_do: list[tuple[Sequence[T], bool]] = [(items, False)]
    while to_do:
        part, is_second = to_do.pop()
        try:
            answers.append(write(part))
        except Exception as error:  # noqa: BLE001 - whatever a driver raises
            last = error
            if not is_refused(error, part):
                waiting = [*part, *(item for other, _ in reversed(to_do) for item in other)]
                return answers, waiting, refused, error
            if len(part) > 1:
                half = len(part) // 2
                to_do += [(part[half:], False), (part[:half], False)]
            elif not is_second:
                to_do.append(
                    (part, True)
                )  # whatever was in the way may have gone: nothing is left out for that
            elif (instead := lighten(part[0], error)) is None:
                refused.append(part[0])
            else:
                to_do.append(([instead], True))
    return answers, [], refused, last
