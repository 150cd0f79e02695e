"""A trigger's sentence as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.explaining.catalogues import catalogue_of
from mainspring.triggers.explaining.clauses import Clause, Moment, Phrase
from mainspring.triggers.explaining.never import can_never_fire
from mainspring.triggers.explaining.rendering import in_words

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["explained", "phrase_of"]


def explained(trigger: BaseTrigger, now: datetime | None, language: str) -> str:
    """See `BaseTrigger.explain`."""
    catalogue = catalogue_of(language)
    phrase = phrase_of(trigger)
    text = in_words(phrase, catalogue)
    if can_never_fire(trigger):
        text = in_words(Clause("never", what=text), catalogue)
    if now is None:
        return text
    times = trigger.upcoming(now, 1)
    following = (
        Clause("next", moment=Moment(times[0], times[0].tzname() or "")) if times else Clause("next.never")
    )
    return text + in_words(following, catalogue)


def phrase_of(trigger: BaseTrigger) -> Phrase:
    """What is to be said of a trigger; of a third party's, what it says itself."""
    for cls in type(trigger).__mro__:
        if cls is BaseTrigger or "_phrase" in vars(cls):
            break
        if "_meaning" in vars(cls):  # nearer to it than what is said of its base
            return Phrase(Clause("said", text=str(vars(cls)["_meaning"](trigger))))
    return trigger._phrase()
