"""Whatever comes in, what is kept of it is text that any database takes, within its limit, and says so if it was cut."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mainspring.errors import ConfigurationError, kind_of, repr_of, safe_str
from mainspring.serializers.arguments import ArgumentSerializer
from mainspring.serializers.results import kept_result
from mainspring.storable import (
    DEFAULT_LIMITS,
    checked_limits,
    compact,
    is_progress,
    is_storable,
    kept_end,
    kept_ends,
    kept_error,
    kept_progress,
    kept_start,
    storable,
)

sys.path.insert(0, str(Path(__file__).parent / "runs"))
from hostile_work import Endless, Hostile, NamelessError, OddText, deep, endless, recursive

ANY_TEXT = st.text(st.characters(exclude_categories=()))
LIMITS = st.integers(256, 2000)


def fits(text, limit):
    assert len(text.encode()) <= limit
    assert is_storable(text)
    return text


@given(ANY_TEXT)
def test_a_storable_text_is_one_and_stays_as_it_is(text):
    once = storable(text)
    assert is_storable(once)
    assert storable(once) == once
    assert is_storable(text) == (once == text)


@given(
    st.one_of(ANY_TEXT, st.builds(lambda part, count: part * count, ANY_TEXT, st.integers(1, 500))), LIMITS
)
@example("\udcff" * 2000, 256)
@example("x" * 257, 256)
@example("x" * 256, 256)
def test_long_text_is_cut_and_says_so(text, limit):
    for keep in (kept_start, kept_end, kept_ends):
        kept = fits(keep(text, limit), limit)
        assert kept == storable(text) or f"cut: of {len(text):,} characters" in kept
        if len(storable(text).encode()) <= limit:
            assert kept == storable(text)


def test_of_what_is_cut_the_right_end_is_kept():
    text = "first " + "x" * 10_000 + " last"
    assert kept_start(text, 1000).startswith("first ")
    assert kept_end(text, 1000).endswith(" last")
    both = kept_ends(text, 1000)
    assert both.startswith("first ")
    assert both.endswith(" last")


@given(
    st.one_of(st.integers(), st.floats(), st.integers(10**400, 10**401)),
    st.none() | st.floats(),
    ANY_TEXT,
    LIMITS,
)
@example(1, 2, '"\\' * 5000, 256)
def test_progress_is_json_within_its_limit(done, total, text, limit):
    written = fits(kept_progress(done, total, text, limit), limit)
    assert is_progress(written, limit)
    read = json.loads(written)
    if "cut: of" not in written and text < "\ud800":
        assert read[2] == text


@pytest.mark.parametrize("make", [object, lambda: "much", lambda: None, Hostile], ids=range(4))
def test_progress_that_is_no_number_is_said_to_be_none(make):
    with pytest.raises(TypeError, match="progress takes numbers, and done is a "):
        kept_progress(make(), 1, "", 4096)


@pytest.mark.parametrize(
    "text", ["{}", "[1, 2]", "[1, 2, 3]", '["a", 1, ""]', "nonsense", b'[1,2,""]', '[1,2,"\udcff"]', None]
)
def test_what_progress_never_writes_is_told_from_it(text):
    assert not is_progress(text, 4096)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | ANY_TEXT
    | st.binary()
    | st.builds(Hostile)
    | st.builds(OddText, ANY_TEXT),
    lambda parts: (
        st.lists(parts)
        | st.dictionaries(ANY_TEXT, parts)
        | st.tuples(parts, parts)
        | st.dictionaries(st.integers(), parts)
    ),
)


@given(VALUES, LIMITS)
def test_results_are_json_within_their_limit(value, limit):
    kept = kept_result(value, limit)
    if value is None:
        assert kept is None
    else:
        json.loads(fits(kept, limit))


@given(
    st.recursive(
        st.integers() | ANY_TEXT,
        lambda parts: st.lists(parts, max_size=3) | st.dictionaries(ANY_TEXT, parts, max_size=3),
    )
)
def test_plain_results_and_arguments_come_back_as_they_were(value):
    serializer = ArgumentSerializer()
    written = serializer.dumps("job", (value,), {"name": value})
    assert written.encode()
    assert serializer.loads("job", written) == ((value,), {"name": value})
    kept = kept_result(value, DEFAULT_LIMITS.result)
    if "$type" not in kept:
        assert json.loads(kept) == value


@pytest.mark.parametrize(
    "value", [recursive(), deep(), 10**6000, [10**6000], {1: recursive()}, (deep(1000),)], ids=range(6)
)
def test_odd_results_are_kept_as_what_they_look_like(value):
    assert "repr" in fits(kept_result(value, 4096), 4096)


def test_a_large_result_is_not_written_whole_to_be_cut():
    value = [0] * 5_000_000
    kept = json.loads(fits(kept_result(value, 1000), 1000))
    assert kept["$type"] == "shortened"
    assert kept["value"].startswith("[0,0,0")


@pytest.mark.parametrize("error", [SystemExit, ZeroDivisionError, RecursionError, GeneratorExit])
def test_objects_that_raise_whatever_they_are_asked_are_named_all_the_same(error):
    assert repr_of(Hostile(error)) == f"<Hostile: {error.__name__} in its __repr__>"
    assert safe_str(Hostile(error)) == f"(its text can't be had: {error.__name__})"
    assert kept_error(NamelessError(), 4096) == "NamelessError: (its text can't be had: SystemExit)"
    assert kind_of(NamelessError()) == "NamelessError"
    assert type(safe_str(OddText("x"))) is str
    endless.set()
    assert repr_of(Endless()) == "at last"


def test_lone_surrogates_are_written_as_their_escapes():
    assert compact(["a\udcff\ud800", "\U0001f600", "b"]) == '["a\\udcff\\ud800","\U0001f600","b"]'


@pytest.mark.parametrize(
    "limits", [{"result": 255}, {"result": 2**40}, {"log": 1.5}, {"nonsense": 1000}, [], {"error": None}]
)
def test_limits_that_can_not_be_are_refused(limits):
    with pytest.raises(ConfigurationError, match="run_limits"):
        checked_limits(DEFAULT_LIMITS, limits)
