"""Expressions of the Quartz scheduler; `mainspring.triggers.cron.quartz` has their grammar."""

from __future__ import annotations

from mainspring.triggers.cron import CronTrigger

__all__ = ["read"]


def read(text: str) -> CronTrigger:
    """The trigger that a Quartz expression means.

    Raises:
        CronSyntaxError: it can't be read.
    """
    return CronTrigger._from_quartz_text(text)
