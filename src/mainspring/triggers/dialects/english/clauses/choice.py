"""What the job's id chooses: ``at a time that the job's id chooses``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.chosen import WHO_CHOOSES, read_chosen, read_chosen_start
from mainspring.triggers.dialects.english.clauses.clock import read_minutes_range
from mainspring.triggers.dialects.english.clauses.past import read_hours_of_past
from mainspring.triggers.dialects.english.times import text_of

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["read_choice"]


def read_choice(reading: Reading) -> str | None:
    """``at a time that the job's id chooses``."""
    place = reading.words.token
    if read_chosen_start(reading.words):
        reading.sentence.starts_by_choice = True
        return "choice"
    chosen = read_chosen(reading.words) or _chosen_minute(reading.words)
    if chosen is None:
        return None
    if chosen.keys() & reading.sentence.chosen.keys():
        raise reading.words.refuse(place, "this is chosen a second time: say it once")
    reading.sentence.chosen |= chosen
    return "choice"


def _chosen_minute(words: Words) -> dict[str, str] | None:
    """``at a minute from 0 to 29 past every hour from 09:00 to 17:00 that the job's id chooses``."""
    if not words.follows("at", "a", "minute"):
        return None
    minutes = read_minutes_range(words) if words.token.text == "from" else (0, 59)
    if minutes is not None and minutes[0] > minutes[1]:
        raise words.refuse(words.before, f"{minutes[1]} is before {minutes[0]}")
    words.need("past")
    hours = read_hours_of_past(words)
    if minutes is None or not words.follows(*WHO_CHOOSES):
        words.expect('"that the job\'s id chooses"')
        raise words.fail()
    hour = text_of(set(hours), 0, 23)
    return {"hour": hour, "minute": "H" if minutes == (0, 59) else f"H({minutes[0]}-{minutes[1]})"}
