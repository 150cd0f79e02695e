"""What is regular about a set of numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["consecutive", "step_of"]


def step_of(numbers: Sequence[int]) -> int | None:
    """The distance between neighbours, where all are equally far apart; ``None`` where they aren't, or there is but one."""
    if len(numbers) < 2:  # noqa: PLR2004 - no distance in it
        return None
    step = numbers[1] - numbers[0]
    return step if all(b - a == step for a, b in pairwise(numbers)) else None


def consecutive(numbers: Sequence[int], around: int | None = None) -> list[tuple[int, int]]:
    """The stretches of numbers that follow each other, as the first and the last of each.

    Args:
        numbers: in order.
        around: after how many they begin anew, so that a stretch may go on from the last to the first; if ``None``, they don't.
    """
    stretches: list[tuple[int, int]] = []
    for number in numbers:
        if stretches and stretches[-1][1] == number - 1:
            stretches[-1] = (stretches[-1][0], number)
        else:
            stretches.append((number, number))
    if around is not None and len(stretches) > 1:
        first, last = stretches[0], stretches[-1]
        if (last[1] + 1 - first[0]) % around == 0:
            stretches = [*stretches[1:-1], (last[0], first[1])]
    return stretches
