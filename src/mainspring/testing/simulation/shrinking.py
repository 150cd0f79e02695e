"""Makes a story shorter, as long as the same goes wrong in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mainspring.testing.simulation.stories import Step, Story

#: Of a step without these there is less to be read.
_OPTIONAL = frozenset({
    "coalesce", "misfire_grace_time", "catch_up_limit", "max_instances", "overlap", "on_lost", "retry", "timeout", "group", "priority", "max_runs",
    "pause_after_failures", "executor", "takes", "ends", "manner", "order",
})  # fmt: skip


def shortest(story: Story, is_wrong: Callable[[Story], bool], *, most: int = 400) -> Story:
    """The shortest part of a story in which something still goes wrong, as far as it is found.

    Args:
        is_wrong: whether a story goes wrong in the same way; the given one does.
        most: how many stories are tried at most.
    """
    left = most
    while True:
        for smaller in _smaller(story):
            if left <= 0:
                return story
            left -= 1
            if is_wrong(smaller):
                story = smaller
                break
        else:
            return story


def _smaller(story: Story) -> Iterator[Story]:
    """What a story is tried as, the boldest cuts first."""
    steps = story.steps
    length = len(steps) // 2
    while length:
        for start in range(0, len(steps), length):
            yield story.with_steps(steps[:start] + steps[start + length :])
        length //= 2
    if story.nodes > 1:
        yield story._replace(nodes=story.nodes - 1)
    if story.has_clock:
        yield story._replace(has_clock=False)
    for place, one in enumerate(steps):
        for simpler in _simpler(one):
            yield story.with_steps((*steps[:place], simpler, *steps[place + 1 :]))


def _simpler(one: Step) -> Iterator[Step]:
    for name, value in one.values.items():
        if name in _OPTIONAL:
            yield one._replace(values=_without(one.values, name))
        elif name == "node" and value:
            yield one._replace(values={**one.values, "node": 0})


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}
