"""The states of a run: `docs/runs.md` draws them, and this says in words what the drawing promises."""

from typing import get_args

import pytest

from mainspring.engine.moves import MOVES, drawn
from mainspring.model import Outcome, RunState


def test_every_state_has_its_line():
    assert set(MOVES) == {None, *get_args(RunState)}


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_nothing_follows_an_outcome(outcome):
    assert MOVES[outcome] == frozenset()


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_outcome_is_reached_and_a_loss_only_from_what_runs(outcome):
    before = {state for state, following in MOVES.items() if outcome in following}
    assert before
    if outcome in {"succeeded", "failed", "timed_out", "lost"}:
        assert before == {"running"}


def test_what_was_claimed_and_not_begun_goes_back_to_the_queue():
    assert "queued" in MOVES["running"]
    assert "running" in MOVES["queued"]


def test_the_drawing_has_each_move_once_and_an_end_for_each_outcome():
    lines = drawn().splitlines()
    assert lines[0] == "stateDiagram-v2"
    moves = [f"    {before or '[*]'} --> {after}" for before in MOVES for after in MOVES[before]]
    ends = [f"    {outcome} --> [*]" for outcome in get_args(Outcome)]
    assert sorted(lines[1:]) == sorted(moves + ends)
