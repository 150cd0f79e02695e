"""Which runs come first."""

from mainspring.engine.precedence import by_priority


def test_those_of_a_higher_priority_come_first_and_the_others_in_their_order():
    things = [("a", 0), ("b", 5), ("c", 0), ("d", -1), ("e", 5)]
    assert [name for name, _ in by_priority(things, lambda thing: thing[1])] == ["b", "e", "a", "c", "d"]
