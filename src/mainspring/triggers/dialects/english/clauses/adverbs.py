"""``daily``, ``hourly``, ``fortnightly``, ``weekends``, ``alternate Mondays``: what takes no ``every``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.clauses.every import every_other, every_unit
from mainspring.triggers.dialects.english.clauses.weekdays import WEEKEND, WORKDAYS
from mainspring.triggers.dialects.english.clauses.within_hour import read_place_in_hour
from mainspring.triggers.dialects.english.sentence import Days
from mainspring.triggers.dialects.english.times import crossed

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading

__all__ = ["ADVERBS", "read_adverb"]

#: Adverbs of a distance, and the unit of each.
ADVERBS = {
    "hourly": "hour",
    "daily": "day",
    "nightly": "day",
    "weekly": "week",
    "fortnightly": "fortnight",
    "monthly": "month",
    "quarterly": "quarter",
    "yearly": "year",
    "annually": "year",
}
_HALF_YEARLY = ("semi-annually", "semiannually", "half-yearly")
#: Adverbs that some take for twice in a unit, and others for every second.
_AMBIGUOUS = {
    f"{prefix}{adverb}": unit
    for adverb, unit in (("weekly", "week"), ("monthly", "month"), ("annually", "year"), ("yearly", "year"))
    for prefix in ("bi", "bi-")
}


def read_adverb(reading: Reading) -> str | None:
    """``daily``, ``hourly on the half hour``, ``weekdays``, ``alternate Mondays``.

    Raises:
        CronSyntaxError: it is one that means two things, as ``biweekly``.
    """
    words = reading.words
    token = words.token
    if token.kind == "word" and token.text in ADVERBS:
        words.at += 1
        if token.text == "hourly" and words.token.text not in ("at", "from", "between"):
            return reading.add_times(crossed(range(24), [read_place_in_hour(words) or 0], [0]))
        return every_unit(reading, 1, ADVERBS[token.text], token)
    if token.text in _HALF_YEARLY:
        words.at += 1
        return reading.set_distance((0, 6, 0, 0))
    if token.text in _AMBIGUOUS:
        unit = _AMBIGUOUS[token.text]
        raise words.refuse(
            token,
            f"this may be twice a {unit}, or every 2 {unit}s",
            hint=words.with_text(token, f"every 2 {unit}s"),
        )
    if words.word("alternate"):
        return every_other(reading, token)
    if words.word("weekdays", "weekends"):
        return reading.set_days(Days(weekdays=set(WORKDAYS if token.text == "weekdays" else WEEKEND)))
    return None
