"""What can't be written is found by halves, and left out by and by; the rest is written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.jobstores.shared.dividing import fitting, lighter, weight_of, write_in_parts
from mainspring.jobstores.shared.runs import Ended
from mainspring.model import RunResult
from mainspring.storable import compact
from mainspring.testing.conformance import record

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Table:
    """Takes numbers that are not negative, one statement at a time; some make it look as if it were away."""

    def __init__(self, away=()):
        self.rows = []
        self.calls = 0
        self.away = away

    def write(self, part):
        self.calls += 1
        if any(item in self.away for item in part):
            raise OSError("away")
        if any(item < 0 for item in part):
            raise ValueError("negative")
        self.rows += part
        return len(part)


def is_refused(error, _part):
    return isinstance(error, ValueError)


@given(st.lists(st.integers(-20, 100), unique=True))
def test_all_but_those_at_fault_are_written_as_they_are(items):
    table = Table()
    _, waiting, refused, _ = write_in_parts(items, table.write, is_refused, lambda _item, _error: None)
    assert waiting == []
    assert table.rows == [item for item in items if item >= 0]
    assert refused == [item for item in items if item < 0]


@given(st.lists(st.integers(-20, 100), unique=True))
def test_those_at_fault_are_written_as_far_as_they_can_be(items):
    table = Table()
    _, waiting, refused, _ = write_in_parts(items, table.write, is_refused, lambda item, _: item + 10)
    assert (waiting, refused) == ([], [])
    assert len(table.rows) == len(items)


def test_what_is_written_at_once_has_no_error():
    table = Table()
    assert write_in_parts([1, 2], table.write, is_refused, lambda _item, _error: None)[1:] == ([], [], None)


def test_one_at_fault_of_many_takes_few_writes():
    table = Table()
    write_in_parts([*range(500), -1, *range(501, 1000)], table.write, is_refused, lambda _item, _error: None)
    assert len(table.rows) == 999
    assert table.calls < 25


@given(st.lists(st.integers(-20, 100), unique=True, min_size=1), st.data())
def test_nothing_is_lost_when_the_store_goes_away_meanwhile(items, data):
    away = data.draw(st.sampled_from(items))
    table = Table(away=[away])
    _, waiting, refused, error = write_in_parts(items, table.write, is_refused, lambda _item, _error: None)
    assert isinstance(error, OSError)
    assert away in waiting
    assert sorted([*table.rows, *waiting, *refused]) == sorted(items)
    assert [item for item in items if item in waiting] == waiting  # in their order


def test_what_is_refused_is_tried_once_more_before_anything_is_left_out():
    answers = [ValueError("for a moment"), 1]

    def write(_part):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    written = write_in_parts(["whole"], write, is_refused, lambda _item, _error: pytest.fail("left out"))
    assert written[:3] == ([1], [], [])


@given(st.lists(st.integers(1, 100)), st.integers(1, 10), st.integers(1, 300))
def test_as_many_are_written_together_as_fit_but_one_at_least(weights, rows, size):
    count = fitting(weights, rows, size)
    assert count <= rows
    assert count <= 1 or sum(weights[:count]) <= size
    assert count == min(len(weights), 1) or count >= 1
    if count < min(len(weights), rows):
        assert sum(weights[: count + 1]) > size


def ended(**texts):
    return Ended(record("job"), 1, 1, "schedule", RunResult(NOW, "succeeded", NOW, NOW, **texts))


@given(st.text(max_size=300), st.text(max_size=300))
def test_an_outcome_is_never_larger_than_it_is_said_to_be(result, log):
    row = compact([compact([result]), log])
    statement = row.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'").replace("\n", "\\n")
    texts = {"result": compact([result]), "log": log}
    controls = sum(4 * (ord(character) < 32) + (character == "'") for character in result + log)
    assert weight_of(ended(**texts)) + 4 * controls >= len(statement.encode())


def test_the_largest_is_left_out_first_and_it_is_said_why():
    error = ValueError("too much\n" + "x" * 1000)
    one = ended(result='"r"' * 100, log="l" * 2000, traceback="t" * 50)
    first = lighter(one, error)
    assert (first.result.log, first.result.result, first.result.traceback) == (
        None,
        one.result.result,
        "t" * 50,
    )
    assert first.result.error.startswith(
        "[the log, 2,000 bytes, could not be stored: ValueError: too much xxx"
    )
    second = lighter(first, error)
    third = lighter(second, error)
    assert (third.result.result, third.result.traceback) == (None, None)
    assert third.result.outcome == "succeeded"
    assert third.result.error.count("could not be stored") == 3
    bare = lighter(third, error)
    assert lighter(bare, error) is None
    assert len(bare.result.error) < 100


def test_what_is_written_instead_follows_from_why_the_whole_was_refused():
    def write(items):
        if "large" in items:
            raise OverflowError("too much")
        return list(items)

    answers, *_ = write_in_parts(["large"], write, lambda *_: True, lambda item, error: f"{item}: {error}")
    assert answers == [["large: too much"]]


@pytest.mark.parametrize(
    ("texts", "weight"),
    [
        ({}, 512),
        ({"error": "abc"}, 515),
        ({"result": '"' * 5}, 512 + 5 + 15),
        ({"traceback": "\\\\"}, 512 + 2 + 6),
        ({"log": "a\nb\n"}, 512 + 4 + 4),
        ({"progress": "it's"}, 512 + 4 + 1),
        ({"error": "\n'\u00e9\"", "log": "''"}, 512 + 5 + 2 + 1 + 3 + 2 + 2),
    ],
)
def test_what_an_outcome_takes_is_counted_with_its_escapes(texts, weight):
    assert weight_of(ended(**texts)) == weight
