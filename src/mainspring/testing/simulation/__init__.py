"""Plays stories of several nodes on one store, in an order that a seed decides, and has the checker judge what came of it.

The nodes are real schedulers over real stores; their time, their threads and what goes wrong are simulated. So what happens once in a million is
found in minutes, and happens again each time its story is played::

    from mainspring.testing.simulation import play, story_of

    play(story_of(17), store="sqlite").assert_faultless()

It promises that the same story has the same history. It doesn't promise that all orders are tried that real threads may come in: a part of a node is
stopped where it waits or talks to its store, and while it is, the other parts of that node are, too.
"""

from mainspring.testing.simulation.generator import story_of
from mainspring.testing.simulation.playing import Played, play
from mainspring.testing.simulation.shrinking import shortest
from mainspring.testing.simulation.stories import Step, Story, step

__all__ = ["Played", "Step", "Story", "play", "shortest", "step", "story_of"]
