"""The states of a run: `docs/runs.md` draws them, and this says in words what the drawing promises."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from mainspring.engine.transitions import RUN_TRANSITIONS, cancelled, drawn, next_attempt, not_run, removed
from mainspring.model import Outcome, QueuedRun, RunKey, RunResult, RunState


def test_every_state_has_its_line():
    assert set(RUN_TRANSITIONS) == {None, *get_args(RunState)}


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_nothing_follows_an_outcome(outcome):
    assert RUN_TRANSITIONS[outcome] == frozenset()


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_outcome_is_reached_and_a_loss_only_from_what_runs(outcome):
    before = {state for state, following in RUN_TRANSITIONS.items() if outcome in following}
    assert before
    if outcome in {"succeeded", "failed", "timed_out", "lost"}:
        assert before == {"running"}


def test_what_was_claimed_and_not_begun_goes_back_to_the_queue():
    assert "queued" in RUN_TRANSITIONS["running"]
    assert "running" in RUN_TRANSITIONS["queued"]


def test_the_drawing_has_each_move_once_and_an_end_for_each_outcome():
    lines = drawn().splitlines()
    assert lines[0] == "stateDiagram-v2"
    moves = [
        f"    {before or '[*]'} --> {after}"
        for before in RUN_TRANSITIONS
        for after in RUN_TRANSITIONS[before]
    ]
    ends = [f"    {outcome} --> [*]" for outcome in get_args(Outcome)]
    assert sorted(lines[1:]) == sorted(moves + ends)


START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(seconds=5)
QUEUED = QueuedRun("a", START, 2, NOW, "manual")


@pytest.mark.parametrize("state", [None, "queued"])
@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_a_run_that_is_not_begun_comes_to_what_the_table_allows(state, outcome):
    if outcome in RUN_TRANSITIONS[state]:
        assert not_run(state, START, outcome, "why", NOW) == RunResult(START, outcome, None, NOW, "why")
    else:
        with pytest.raises(ValueError, match=f"can't become {outcome}"):
            not_run(state, START, outcome, "why", NOW)


def test_a_queued_run_ends_with_its_job_or_when_it_is_cancelled():
    assert removed(QUEUED, NOW) == RunResult(START, "skipped", None, NOW, "its job was removed")
    assert cancelled(QUEUED, NOW) == RunResult(START, "cancelled", None, NOW, "cancelled before it was begun")


@pytest.mark.parametrize("cause", ["retry", "rerun"])
def test_the_next_attempt_is_at_the_same_due_time(cause):
    again = next_attempt(RunKey("a", START, 2), NOW, cause, 1, 4)
    assert again == QueuedRun("a", START, 3, NOW, cause, 1, 4)
