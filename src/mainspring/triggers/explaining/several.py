"""Triggers made of others: either of them, or all at once."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from mainspring.timezones import zone_identity
from mainspring.triggers.explaining.catalogues import catalogue_of
from mainspring.triggers.explaining.clauses import Clause, Moment, Phrase
from mainspring.triggers.explaining.merging import told_together
from mainspring.triggers.explaining.rendering import in_words
from mainspring.triggers.explaining.sentences import phrase_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mainspring.triggers.base import BaseTrigger

__all__ = ["spoken"]

#: More single moments than these aren't told one by one.
_LISTED = 6


def spoken(triggers: Sequence[BaseTrigger], kind: str) -> Phrase:
    """What several triggers mean together. A zone that all of them name is said once.

    Args:
        kind: ``"or"``, or ``"and"`` for the instants at which all of them fire.
    """
    told = _told_once(triggers)
    phrases = told_together(told) if kind == "or" else [phrase for _, phrase in told]
    if len(phrases) == 1:
        return phrases[0]
    zones = {zone_identity(phrase.zone) for phrase in phrases}
    can_share = len(zones) == 1 and not any(phrase.details for phrase in phrases)
    zone = phrases[0].zone if can_share else None
    days_zones = {zone_identity(phrase.zone or phrase.days_zone) for phrase in phrases}
    days_zone = phrases[0].zone or phrases[0].days_zone if len(days_zones) == 1 else None
    if can_share:
        phrases = [phrase._replace(zone=None) for phrase in phrases]
    if kind == "or":
        phrases = _with_moments_together(phrases)
        if len(phrases) == 1:
            return phrases[0]._replace(zone=zone or phrases[0].zone)
    if kind == "and":
        return Phrase(
            Clause("all", triggers=tuple(Clause("member", what=one) for one in phrases)),
            zone,
            days_zone=days_zone,
        )
    is_brief = all(_is_brief(phrase) for phrase in phrases)
    key = "any.brief" if is_brief else "any.long"
    others = tuple(Clause(key, what=one) for one in phrases[1:])
    return Phrase(Clause("any", first=phrases[0], others=others), zone, days_zone=days_zone)


def _told_once(triggers: Sequence[BaseTrigger]) -> list[tuple[BaseTrigger, Phrase]]:
    """Each with its phrase, without those that are equal to one before; only those that are said alike are compared."""
    phrases = []
    said: dict[str, list[BaseTrigger]] = {}
    for trigger in triggers:
        phrase = phrase_of(trigger)
        alike = said.setdefault(in_words(phrase, catalogue_of("en")), [])
        if trigger not in alike:
            alike.append(trigger)
            phrases.append((trigger, phrase))
    return phrases


def _with_moments_together(phrases: list[Phrase]) -> list[Phrase]:
    """Single moments as one list, in the place of the first; too many to be told one by one are counted."""
    single = [at for at, phrase in enumerate(phrases) if phrase.what.key == "once" and not phrase.details]
    if len(single) < 2:  # noqa: PLR2004 - several
        return phrases
    moments = tuple(phrases[at].what.parts["moment"] for at in single)
    together = Clause("once.each", moments=moments)
    if len(moments) > _LISTED:
        first, last = (pick(moments, key=_instant) for pick in (min, max))
        together = Clause("once.many", number=len(moments), first=first, last=last)
    others = set(single[1:])
    return [
        phrase._replace(what=together) if at == single[0] else phrase
        for at, phrase in enumerate(phrases)
        if at not in others
    ]


def _instant(moment: Moment) -> datetime:
    return moment.wall if moment.wall.tzinfo is not None else moment.wall.replace(tzinfo=UTC)


def _is_brief(phrase: Phrase) -> bool:
    """Whether it may stand in a sentence with others, set apart by a comma."""
    return (
        phrase.what.key in ("when", "every.one", "every.sum") and phrase.zone is None and not phrase.details
    )
