"""Crontabs, as cron of Vixie, Debian and OpenBSD, and programs that took them up, read their lines."""

from __future__ import annotations

from mainspring.triggers.cron import CronTrigger

__all__ = ["read"]


def read(text: str) -> CronTrigger:
    """The trigger that a line of a crontab means.

    Raises:
        CronSyntaxError: it can't be read.
    """
    return CronTrigger.from_unix(text)
