"""What is shown of jobs to people: how they are called, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.masking import masked_arguments
from mainspring.printable import shown

if TYPE_CHECKING:
    from mainspring.model import JobRecord

__all__ = ["arguments_text", "schedule_text"]


def arguments_text(record: JobRecord) -> str:
    """What a job is called with, as a call is written; secrets are masked."""
    args, kwargs = masked_arguments(record.func, record.args, record.kwargs)
    return ", ".join([*map(shown, args), *(f"{name}={shown(value)}" for name, value in kwargs.items())])


def schedule_text(record: JobRecord) -> str:
    """A job's trigger in words."""
    try:
        return record.trigger.explain()
    except Exception as error:  # noqa: BLE001 - a third party's trigger may say anything
        return f"{shown(record.trigger)} ({error})"
