"""What a trigger means, as a sentence: a phrase grammar that knows no language, and a catalogue for each language.

A trigger contributes by one method, ``_phrase() -> Phrase``::

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining import Clause, Phrase, details

        what = Clause("when", times=Clause("times.at", times=(Clock(9 * 3600),)), days=Clause("days.every"))
        return Phrase(what, self.timezone, (*details.bounds(self.start_date, self.end_date, self.timezone), *details.jitter(self.jitter)))

A `Clause` is a key and its parts: numbers, weekdays, moments, lists of them, other clauses. It holds no word of any language. The catalogues
(`english.py`, `german.py`) have a template for each key, with the form in which each part stands in it; ``tests/triggers/test_sentences.py`` sees that no
catalogue lacks a key or a part. So a trigger with something new to say adds its keys to both, and nothing else.

A `Phrase` is what a sentence is made of, in this order: when it fires (the clause ``when``, or another that says all of it), the zone, and details that
are told one after the other: from when until when, how many times, exceptions, delays, the rule for changes of the clocks. A trigger that changes another
one's times takes that one's phrase and adds a detail: ``phrase_of(self.trigger).but(Clause(…))``.

What to build from:

=============  ===================================================================================================
`times`        times of the day, merged: "every 20 minutes from 08:00 to 18:40"
`days`         days of the month, weekdays, months, weeks, years
`durations`    distances and delays
`details`      beginnings and ends, how many times, delays, changes of the clocks
`exceptions`   what is left out, by its name
=============  ===================================================================================================

A third party's trigger that has no ``_phrase`` is told by its ``_meaning()``, or else by its ``str``.
"""

from __future__ import annotations

from mainspring.triggers.explaining.clauses import Clause, Clock, Count, Moment, Month, Phrase, Weekday
from mainspring.triggers.explaining.sentences import explained, phrase_of

__all__ = [
    "Clause",
    "Clock",
    "Count",
    "Moment",
    "Month",
    "Phrase",
    "Weekday",
    "explained",
    "phrase_of",
]
