"""Recurrence rules of iCalendar (RFC 5545), as calendars and their programs write them."""

from __future__ import annotations

from mainspring.triggers.recurrence import RecurrenceTrigger

__all__ = ["read"]


def read(text: str) -> RecurrenceTrigger:
    """The trigger that a rule means, alone or with ``DTSTART``, ``RDATE`` and ``EXDATE``.

    Raises:
        CronSyntaxError: it can't be read.
    """
    return RecurrenceTrigger(text)
