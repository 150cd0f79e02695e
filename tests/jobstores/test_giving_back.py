"""What a node that leaves has claimed and not begun is run by others, as if it had never been claimed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mainspring.model import Group
from mainspring.testing.conformance import START, claim, record, submission
from stores import MONGODB, open_store


@pytest.fixture(params=["sqlite", "postgres", "mariadb", "redis", MONGODB])
def nodes(request, tmp_path, tablename, started):
    """Two nodes on one store."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/jobs.sqlite"
    else:
        url = request.getfixturevalue(f"{request.param}_url")
    return [started(open_store(url, tablename, lease=60)) for _ in range(2)]


def claim_of(node, time):
    """Claim what is due, and return the decision about the run that was due at a time."""
    node._agenda.note_queue_due(START)
    after = (datetime.now(UTC) - START).total_seconds() + 1
    for _ in range(3):  # MongoDB does one thing after another with a job
        for one in claim(node, after).decisions:
            if one.submit == [time]:
                return one
        node._agenda.note_queue_due(START)
    return None


@pytest.mark.parametrize("is_last", [False, True], ids=["goes on", "was its last"])
def test_what_was_given_back_is_claimed_anew(nodes, is_last):
    node, other = nodes
    node.set_group(Group("g", limit=1, rate=1, per=timedelta(minutes=1)))
    node.add_records([record("a", every=10, max_runs=1 if is_last else 2, group="g")], None)
    (decision,) = claim(node, 0).decisions
    node.release([submission(decision)])
    (again,) = claim(other, 5).decisions or claim(other, 5).decisions
    assert (again.submit, again.attempt) == ([START], 1)
    assert again.following.counters.runs == 1
    assert (again.following.next_run_time is None) is is_last


def test_what_was_given_back_twice_is_still_there(nodes):
    node, other = nodes
    node.add_records([record("a", every=10, max_instances=2)], None)
    (decision,) = claim(node, 0).decisions
    node.change("a", lambda old: old.changed(name="changed"))
    node.release([submission(decision)])  # it waits, since its job was changed
    again = claim_of(other, START)
    other.release([submission(again)])
    once_more = claim_of(node, START)
    assert once_more.attempt == 1
    node.finish([submission(once_more)])


def test_what_waits_for_itself_counts_as_an_instance_each(nodes):
    node, other = nodes
    node.add_records([record("a", every=10, coalesce=False)], None)
    (decision,) = claim(node, 15).decisions
    assert len(decision.submit) == 2
    node.change("a", lambda old: old.rescheduled(None))
    node.release([submission(decision)])
    first = claim_of(other, START)
    assert claim_of(other, START + timedelta(seconds=10)) is None
    assert len(other.list_runs("a", "queued", None, 10)) == 1
    other.finish([submission(first)])
