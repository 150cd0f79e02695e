"""Where programs import the store in memory from; it is at home in `mainspring.jobstores.local`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.former_names import former_names
from mainspring.jobstores.local.memory import MemoryJobStore

__all__ = ["MemoryJobStore"]

if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
