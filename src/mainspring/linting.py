"""`mainspring.triggers.lint`: what may be a surprise in a trigger, from the present on.

The judgement is `mainspring.triggers.linting`'s, which is given the time. Here, above the triggers, the machine's clock is asked for it, if
the caller gives none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.clock import SYSTEM_CLOCK  # noqa: TID251 - a program asks, and there is no scheduler whose clock it could be
from mainspring.coercion import names_keywords
from mainspring.triggers.base import BaseTrigger, aware
from mainspring.triggers.linting import LintWarning, warnings_about

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["lint"]


@names_keywords
def lint(trigger: BaseTrigger, now: datetime | None = None) -> list[LintWarning]:
    """What may be a surprise in a trigger: on which days of the coming two years the clocks change its times, which months it leaves out.

    Args:
        trigger: any; one without a time zone is taken to be in that of `now`.
        now: from when on, an aware datetime; the present in UTC, if it is not given.

    Returns:
        warnings; none, if there is nothing to be surprised by.

    Raises:
        TypeError: it is no trigger, or `now` has no time zone.
    """
    if not isinstance(trigger, BaseTrigger):
        raise TypeError(f"trigger must be a trigger, got {type(trigger).__name__} {trigger!r}")
    if now is None:
        now = SYSTEM_CLOCK.now()
    else:
        aware(now, "now")
    return warnings_about(trigger, now)
