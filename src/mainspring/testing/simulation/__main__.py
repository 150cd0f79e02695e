"""Plays the stories of seeds, for as long as it is let, and tells those in which something goes wrong, as short as they can be made.

``python -m mainspring.testing.simulation --seeds 0:20000 --store sqlite`` is a night's work.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from mainspring.clock import SYSTEM_CLOCK  # noqa: TID251 - the program itself: how long it has been at work
from mainspring.testing.simulation.generator import story_of
from mainspring.testing.simulation.playing import play
from mainspring.testing.simulation.shrinking import shortest
from mainspring.testing.simulation.stores import STORES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mainspring.testing.simulation.stories import Story

#: So many seeds are played before it is said again how far it is.
_TOLD_EVERY = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Play stories; 1 if something went wrong in one of them."""
    given = _parser().parse_args(arguments)
    first, last = given.seeds
    began = SYSTEM_CLOCK.monotonic()
    wrong: list[int] = []
    for seed in range(first, last):
        if not _is_faultless(seed, given):
            wrong.append(seed)
        count = seed - first + 1
        if count % _TOLD_EVERY == 0 or seed == last - 1:
            seconds = SYSTEM_CLOCK.monotonic() - began
            print(f"{count} seeds in {seconds:.0f} s; wrong: {wrong or 'none'}", flush=True)  # noqa: T201 - a program
        if given.seconds is not None and SYSTEM_CLOCK.monotonic() - began > given.seconds:
            break
    return 1 if wrong else 0


def _is_faultless(seed: int, given: argparse.Namespace) -> bool:
    story = _story(seed, given.store)
    played = play(story, store=given.store)
    if not played.faults:
        return True
    shorter = story
    if given.shrink:
        kinds = played.kinds
        shorter = shortest(
            story, lambda one: bool(kinds & play(one, store=given.store).kinds), most=given.shrink
        )
    print(f"Seed {seed}:\n\n{play(shorter, store=given.store).told()}\n", flush=True)  # noqa: T201 - a program
    return False


def _story(seed: int, store: str) -> Story:
    return story_of(seed, nodes=1, faults=False) if store == "memory" else story_of(seed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mainspring.testing.simulation", description=__doc__)
    parser.add_argument(
        "--seeds", type=_span, default=(0, 200), help="from the first to before the last, such as 0:200"
    )
    parser.add_argument("--store", choices=STORES, default="sqlite-memory", help="on what they are played")
    parser.add_argument("--seconds", type=float, help="how long at most; all seeds, if not given")
    parser.add_argument(
        "--shrink", type=int, default=200, help="how many shorter stories are tried, of one that goes wrong"
    )
    return parser


def _span(text: str) -> tuple[int, int]:
    first, _, last = text.rpartition(":")
    return int(first or 0), int(last)


if __name__ == "__main__":
    sys.exit(main())
