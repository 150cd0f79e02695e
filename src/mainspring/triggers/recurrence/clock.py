"""Times of the day, or of a part of it, that are the product of some hours, minutes and seconds: found and counted without a list of them all."""

from __future__ import annotations

from bisect import bisect_left
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HOURS = 24
_SIXTY = 60


class Clock:
    """Numbers made of digits, each from a list of its own: the hour, the minute of 60, the second of 60, or the first of these alone.

    Args:
        digits: the values of each, in order; none is empty.
    """

    def __init__(self, *digits: Sequence[int]) -> None:
        self._digits = digits
        self._counts = [1]
        for values in reversed(digits[1:]):
            self._counts.append(self._counts[-1] * len(values))
        self._counts.reverse()
        self.size = self._counts[0] * len(digits[0])

    @classmethod
    def of_day(cls, hours: Sequence[int], minutes: Sequence[int], seconds: Sequence[int]) -> Clock:
        """Seconds of the day."""
        return cls(hours, minutes, seconds)

    @property
    def is_full(self) -> bool:
        """Whether it is every hour, minute or second of the day."""
        return all(len(values) == (_SIXTY if place else _HOURS) for place, values in enumerate(self._digits))

    def rank(self, number: int) -> int:
        """How many there are below `number`."""
        rest, places = number, []
        for _ in self._digits[1:]:
            rest, digit = divmod(rest, _SIXTY)
            places.append(digit)
        places.append(rest)
        rank = 0
        for values, count, digit in zip(self._digits, self._counts, reversed(places), strict=True):
            at = bisect_left(values, digit)
            rank += at * count
            if at == len(values) or values[at] != digit:
                break
        return rank

    def at(self, rank: int) -> int:
        """The one with this rank."""
        number = 0
        for values, count in zip(self._digits, self._counts, strict=True):
            place, rank = divmod(rank, count)
            number = number * _SIXTY + values[place]
        return number

    def __iter__(self) -> Iterator[int]:
        for digits in product(*self._digits):
            number = 0
            for digit in digits:
                number = number * _SIXTY + digit
            yield number
