"""The simulator finds nothing wrong, and what is planted; and the same seed has the same history."""

from __future__ import annotations

import gc
import weakref

import pytest
from planted import CAUGHT_BY, NOT_CAUGHT, PLANTED

from mainspring.testing.simulation import play, shortest, story_of
from mainspring.testing.simulation.__main__ import main
from mainspring.testing.simulation.world import World

#: So many seeds are played at each change, and so many are one test.
SEEDS, TOGETHER = 200, 10
#: A simulated node has its own clock and no threads: the first seeds show that another Python makes no difference.
EACH_TOGETHER = [
    0,
    *(pytest.param(first, marks=pytest.mark.one_python) for first in range(TOGETHER, SEEDS, TOGETHER)),
]
#: So soon a planted mistake is to be found.
SOON = 200
#: Stories in which nothing hangs on which of two things at the very same moment comes first: each store has its own order then.
PEACEFUL = (0, 1, 2, 3, 5, 9, 10, 11)


@pytest.mark.parametrize("first", EACH_TOGETHER)
def test_nothing_goes_wrong(first):
    for seed in range(first, first + TOGETHER):
        played = play(story_of(seed))
        if played.faults:
            kinds = played.kinds
            story = shortest(played.story, lambda one, kinds=kinds: bool(kinds & play(one).kinds), most=60)
            raise AssertionError(f"seed {seed}:\n\n{play(story).told()}")


def test_nothing_goes_wrong_in_a_file():
    for seed in range(SEEDS, SEEDS + TOGETHER):
        play(story_of(seed), store="sqlite").assert_faultless()


@pytest.mark.soak
@pytest.mark.parametrize("store", ["sqlite-memory", "sqlite"])
@pytest.mark.parametrize("first", range(1000, 3000, 100))
def test_nothing_goes_wrong_for_long(first, store):
    assert main(["--seeds", f"{first}:{first + 100}", "--store", store]) == 0


@pytest.mark.one_python
@pytest.mark.parametrize("name", CAUGHT_BY)
def test_what_is_planted_is_found(name, monkeypatch):
    story = story_of(CAUGHT_BY[name])
    assert not play(story).faults
    PLANTED[name](monkeypatch)
    assert play(story).faults


def test_each_planted_mistake_is_in_one_of_the_tables():
    assert sorted([*CAUGHT_BY, *NOT_CAUGHT]) == sorted(PLANTED)
    assert all(seed < SOON for seed in CAUGHT_BY.values())


@pytest.mark.soak
@pytest.mark.parametrize("name", CAUGHT_BY)
def test_what_is_planted_is_found_soon(name, monkeypatch):
    PLANTED[name](monkeypatch)
    assert any(play(story_of(seed)).faults for seed in range(SOON))


@pytest.mark.parametrize("seed", [3, 4, 17])
def test_the_same_seed_has_the_same_history(seed):
    first, again = play(story_of(seed)), play(story_of(seed))
    assert first.history == again.history
    assert play(story_of(seed), store="sqlite").history == first.history


def runs_of(played):
    """The runs of a story and what became of them, but for those that were open when it ended; and the calls of their functions."""
    end = sum(step.values["seconds"] for step in played.story.steps if step.name == "tick") + 10
    return sorted(one[1:6] for one in played.history if one[0] == "run" and one[2] < end)


@pytest.mark.parametrize("seed", PEACEFUL)
def test_a_story_of_one_node_has_the_same_history_in_memory_and_in_sqlite(seed):
    story = story_of(seed, nodes=1, faults=False)
    in_memory, in_sqlite = play(story, store="memory"), play(story)
    in_memory.assert_faultless()
    in_sqlite.assert_faultless()
    assert runs_of(in_memory) == runs_of(in_sqlite)


def test_what_was_played_is_forgotten():
    world = []

    def noting(self, story, stores, real=World.__init__):
        world.append(weakref.ref(self))
        real(self, story, stores)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(World, "__init__", noting)
        play(story_of(3))
    gc.collect()
    assert world[0]() is None


def test_another_seed_is_another_story():
    stories = [story_of(seed) for seed in range(50)]
    assert len(set(map(repr, stories))) == 50
    assert stories == [story_of(seed) for seed in range(50)]


def test_the_command_says_how_far_it_is_and_whether_anything_went_wrong(capsys):
    assert main(["--seeds", "3:5"]) == 0
    assert "2 seeds in " in capsys.readouterr().out


def test_the_command_tells_what_went_wrong_as_short_as_it_can_be(capsys, monkeypatch):
    PLANTED["the dead are left alone"](monkeypatch)
    seed = CAUGHT_BY["the dead are left alone"]
    assert main(["--seeds", f"{seed}:{seed + 1}", "--shrink", "40"]) == 1
    told = capsys.readouterr().out
    assert "What went wrong on sqlite-memory:" in told
    assert "    play(story, store='sqlite-memory').assert_faultless()" in told


def test_a_store_that_there_is_none_of():
    with pytest.raises(
        ValueError, match="a story can be played on memory, sqlite-memory, sqlite, got 'oracle'"
    ):
        play(story_of(1), store="oracle")
