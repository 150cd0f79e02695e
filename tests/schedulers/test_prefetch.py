"""How many runs a node takes ahead of what it can run."""

from mainspring.schedulers.prefetch import PrefetchBudget


def test_a_node_that_has_done_nothing_yet_takes_two_for_each_worker():
    budget = PrefetchBudget()
    assert budget.room(0, workers=10, now=0.0) == 20
    assert budget.room(15, workers=10, now=0.0) == 5
    assert budget.room(25, workers=10, now=0.0) == 0


def test_a_fast_node_takes_a_second_of_work():
    budget = PrefetchBudget()
    for step in range(10):
        budget.ended(100, now=step * 0.05)
    assert budget.room(0, workers=10, now=0.45) == 2000
    assert budget.room(1999, workers=10, now=0.45) == 1


def test_what_was_done_long_ago_counts_no_more():
    budget = PrefetchBudget()
    budget.ended(5000, now=0.0)
    assert budget.room(0, workers=10, now=0.2) == 10_000
    assert budget.room(0, workers=10, now=0.6) == 20


def test_it_is_time_for_more_when_half_is_done():
    budget = PrefetchBudget()
    budget.room(20, workers=10, now=0.0)
    assert not budget.should_refill(11)
    assert budget.should_refill(10)
