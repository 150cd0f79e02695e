"""What a store says of what it did where the database's answer was lost: the same on each kind of database."""

from __future__ import annotations

from mainspring.model import Group, RunKey
from mainspring.testing.conformance import claim, manual_run, record


def see_calls_answered(store, answers):
    """See to it that calls say what they have done, also where the answer to the first try of each is lost.

    Args:
        answers: of the database; as many as it has `left` are lost.
    """
    store.add_records([record("a", every=10), record("once", 5, misfire_grace_time=None)], None)

    def failing(work, *args):
        answers.left = 1
        result = work(*args)
        assert not answers.left
        return result

    waiting, due = manual_run("a", 100), manual_run("once", 200)
    assert failing(store.enqueue, [waiting]) == [waiting]
    assert failing(store.cancel, waiting.key) is True
    assert store.get_run(waiting.key).outcome == "cancelled"
    assert store.cancel(waiting.key) is False
    # Its schedule has ended, so that it is gone with the last of its runs.
    store.enqueue([due])
    assert failing(store.cancel, due.key) is True
    (going_on,) = [decision for decision in claim(store, 1).decisions if decision.job.id == "a"]
    assert failing(store.cancel, RunKey("a", going_on.submit[0], 1)) is True
    failing(store.set_group, Group("g", limit=1))
    assert failing(store.remove_group, "g") is True
    assert store.remove_group("g") is False
