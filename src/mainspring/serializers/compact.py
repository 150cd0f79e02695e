"""JSON without spaces, for what is written many times and read by programs more often than by people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: The JSON of plain data. The encoder is made once: `json.dumps` makes one for each call, which takes longer than a small object.
compact: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
