"""Stories can be read, made shorter, and pasted as tests."""

from __future__ import annotations

import pytest

from mainspring.testing.simulation import Story, shortest, step, story_of


def test_a_story_is_told_in_plain_words():
    story = Story(
        (
            step("add", node=1, job="a", trigger=("every", 2, 1.0), takes=3, coalesce=False),
            step("add", node=0, job="b", trigger=("after", "a", "any")),
            step("stall_at", node=1, part="pass", nth=1, when="after", seconds=9),
            step("tick", seconds=5, order=17),
            step("kill", node=0),
        ),
        nodes=2,
        has_clock=True,
    )
    assert str(story).splitlines() == [
        "2 nodes, on a store with a clock of its own.",
        "1. node 1 adds job 'a', due every 2 s from 1 s on (takes=3, coalesce=False).",
        "2. node 0 adds job 'b', due after each run of 'a' (any).",
        "3. node 1 is to be stopped for 9 s after transaction number 1 of its pass from now.",
        "4. 5 s pass.",
        "5. node 0 is killed.",
    ]


@pytest.mark.parametrize("seed", range(40))
def test_every_story_that_is_made_up_can_be_told(seed):
    assert str(story_of(seed)).count("\n") == len(story_of(seed).steps)


def test_a_story_that_is_printed_as_a_test_is_the_same_story():
    story = story_of(11)
    played = []
    source = story.as_test("test_eleven", "sqlite")
    names: dict = {}
    exec(
        compile(source.replace("    play(", "    played.append("), "<pasted>", "exec"),
        {**names, "played": _Played(played)},
        names,
    )
    names["test_eleven"].__globals__.update(names)
    names["test_eleven"]()
    assert played == [(story, "sqlite")]


class _Played:
    def __init__(self, played):
        self._played = played

    def append(self, story, store):
        self._played.append((story, store))
        return self

    def assert_faultless(self):
        pass


def test_the_shortest_story_has_only_what_matters():
    story = story_of(5, nodes=3)
    assert sum(one.name == "add" for one in story.steps) > 1

    def is_wrong(smaller):
        names = [one.name for one in smaller.steps]
        return "add" in names and "tick" in names

    found = shortest(story, is_wrong)
    assert sorted(one.name for one in found.steps) == ["add", "tick"]
    assert (found.nodes, found.has_clock) == (1, False)
    (added,) = [one for one in found.steps if one.name == "add"]
    assert set(added.values) == {"node", "job", "trigger"}
    assert added.values["node"] == 0


def test_no_more_stories_are_tried_than_may_be():
    tried = []
    shortest(story_of(5), lambda story: bool(tried.append(story)), most=7)
    assert len(tried) == 7


def test_an_unknown_step_is_refused():
    with pytest.raises(ValueError, match=r"a step must be one of add, .*, got 'dance'"):
        step("dance")
