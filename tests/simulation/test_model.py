"""The small model keeps its promises in all its states, and each of its rules is needed for one of them."""

from __future__ import annotations

import pytest
from model import ALL_RULES, Rules, search

STALE = "a stale token has changed a record"
TAKEN_OVER = "a run begins that others may have taken over"
WAITS = "a due time waits for ever"
#: What is broken without a rule, and how many nodes it takes to see that.
NEEDED = {
    "fences_outcomes": (STALE, 3),
    "fences_returns": (STALE, 3),
    "trusts_before_calls": (TAKEN_OVER, 3),
    "silence_before_death": (TAKEN_OVER, 3),
    "death_is_final": (TAKEN_OVER, 3),
    "waits_for_own": ("a node runs a due time beside itself", 3),
    "looks_for_claims": (WAITS, 2),
    "returns_unbegun": (WAITS, 2),
    "reruns": ("a due time is lost", 2),
}


def test_three_nodes_keep_all_promises_in_every_state():
    found = search()
    assert (found.fault, found.steps) == (None, ())
    # So many were counted when it was written: fewer would say that something can't happen any more.
    assert len(found.states) == 57_629


@pytest.mark.parametrize("rule", Rules._fields)
def test_each_rule_is_needed(rule):
    fault, nodes = NEEDED[rule]
    found = search(ALL_RULES._replace(**{rule: False}), nodes)
    assert found.fault == fault
    assert found.steps  # by which it comes to that
