"""Cron fields as a clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.triggers.explaining.clauses import Clause
from mainspring.triggers.explaining.days import spoken_days
from mainspring.triggers.explaining.times import is_of_day, spoken_times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mainspring.triggers.cron.fields import BaseField

__all__ = ["spoken_fields"]


def spoken_fields(
    fields: Mapping[str, BaseField], seed: str | None, *, is_either: bool = False
) -> tuple[Clause, bool]:
    """What cron fields mean: the clause ``when``, and whether some of the dates that it names don't exist.

    Args:
        fields: all of them, by their names.
        seed: what chooses the values of ``H``, if that is known yet.
        is_either: whether a day fires if its day of the month or its weekday matches.
    """
    days = spoken_days(fields, seed, is_either=is_either)
    times = spoken_times(fields["hour"], fields["minute"], fields["second"], seed, wraps=days.are_all())
    parts = dict(days.parts)
    if parts["days"].key == "days.every" and not is_of_day(times):
        del parts["days"]
    return Clause("when", times=times, **parts), days.skips_dates
