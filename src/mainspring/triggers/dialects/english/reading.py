"""What the clauses of a sentence are read from and written to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.sentence import Sentence

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.sentence import Days
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["Reading"]


class Reading:
    """A sentence that is being read.

    Attributes:
        words: the text, of which any sentences before this one have been read.
        sentence: what its clauses have said so far.
        place: the first token of the clause that is being read, for errors.
    """

    def __init__(self, words: Words) -> None:
        self.words = words
        self.sentence = Sentence()
        self.place = words.token

    def has_clauses(self) -> bool:
        """Whether any clause was read."""
        return bool(self.sentence.places)

    def add_times(self, times: set[int]) -> str:
        """Note times of the day besides those that were said; the clause's name."""
        self.sentence.times = times | (self.sentence.times or set())
        return "times"

    def set_days(self, days: Days) -> str:
        """Note days, which are said once; the clause's name.

        Raises:
            CronSyntaxError: days were said before.
        """
        if self.sentence.days is not None:
            raise self.words.refuse(
                self.place,
                "days are said twice: write 'and on' between them if either is meant, or 'that fall on' if both are",
            )
        self.sentence.days = days
        return "days"

    def set_months(self, months: set[int]) -> str:
        """Note months, of those that were said before; the clause's name."""
        have = self.sentence.months
        self.sentence.months = months if have is None else have & months
        return "months"

    def set_distance(self, distance: tuple[int, int, int, int]) -> str:
        """Note so many years, months, weeks and days; the clause's name."""
        if distance == (0, 0, 0, 1):
            self.sentence.is_every_day = True
        else:
            self.sentence.distance = distance
        return "distance"
