"""What became of a run, as text that any store can keep."""

from __future__ import annotations

import json
from typing import Any

from mainspring.errors import SerializationError
from mainspring.serializers.typed_json import to_plain

_LONGEST_TEXT = 65_536


def written_result(result: Any) -> str | None:
    """What a function returned, as JSON; what JSON can't hold as its ``repr``, in a dict that says so."""
    if result is None:
        return None
    try:
        text = json.dumps(
            to_plain(result, "the result", _as_representation), ensure_ascii=False, separators=(",", ":")
        )
    except (SerializationError, ValueError):
        text = json.dumps(_as_representation(result, ""))
    if len(text) > _LONGEST_TEXT:
        # By half, since each quote and backslash in it becomes two characters.
        shortened = text[: _LONGEST_TEXT // 2 - 100]
        text = json.dumps({"$type": "shortened", "value": shortened}, ensure_ascii=False)
    return storable(text)


def written_error(text: str | None) -> str | None:
    """An error in one line, as far as a database takes it; of what is too long the beginning."""
    return None if text is None else storable(text[:_LONGEST_TEXT])


def written_log(text: str | None) -> str | None:
    """A traceback or a log, as far as a database takes it; of what is too long the end, which says most."""
    return None if text is None else storable(text[-_LONGEST_TEXT:])


def storable(text: str) -> str:
    """`text` without what no database takes, since one such outcome must not keep others from being written."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _as_representation(value: Any, path: str) -> dict[str, Any]:  # noqa: ARG001 - as `to_plain` calls it
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - a user's object
        text = f"<{type(value).__name__}: {type(error).__name__} in its __repr__>"
    return {"$type": "repr", "value": text[:1000]}
