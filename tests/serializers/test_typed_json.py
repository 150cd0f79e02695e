from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.errors import SerializationError
from mainspring.serializers.typed_json import from_plain, to_plain


def refuse(value, path):
    raise SerializationError(f"{path}: {type(value).__name__}")


def unknown(name, written):
    raise SerializationError(f"unknown type {name!r}")


def there_and_back(value):
    return from_plain(json.loads(json.dumps(to_plain(value, "value", refuse))), unknown)


ZONES = st.one_of(
    st.none(),
    st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30)), ZoneInfo("Europe/Berlin")]),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(max_size=20),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.uuids(),
    st.builds(
        lambda moment, zone, fold: moment.replace(tzinfo=zone, fold=fold),
        st.datetimes(),
        ZONES,
        st.integers(0, 1),
    ),
)
HASHABLE = st.one_of(st.integers(), st.text(), st.dates(), st.tuples(st.text(), st.integers()))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(HASHABLE, st.just("$type")), inner, max_size=3),
        st.sets(HASHABLE, max_size=3),
        st.frozensets(HASHABLE, max_size=3),
    ),
    max_leaves=12,
)


def same(one, other):
    """Equal, and of the same types all through."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return [*map(type, one)] == [*map(type, other)] and all(
            same(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, datetime):
        return (one.replace(tzinfo=None), one.fold, str(one.tzinfo)) == (
            other.replace(tzinfo=None),
            other.fold,
            str(other.tzinfo),
        )
    return one == other


@given(VALUES)
def test_a_value_comes_back_as_it_was_with_all_its_types(value):
    assert same(there_and_back(value), value)


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinities_come_back(value):
    assert there_and_back(value) == value


def test_not_a_number_comes_back():
    assert math.isnan(there_and_back(math.nan))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"a": [1, None, "x"]}, {"a": [1, None, "x"]}),
        (date(2026, 3, 29), {"$type": "date", "value": "2026-03-29"}),
        (time(9, 30), {"$type": "time", "value": "09:30:00"}),
        (timedelta(days=1, seconds=2), {"$type": "timedelta", "value": [1, 2, 0]}),
        (Decimal("1.50"), {"$type": "decimal", "value": "1.50"}),
        ((1, 2), {"$type": "tuple", "value": [1, 2]}),
        ({1: "one"}, {"$type": "dict", "value": [[1, "one"]]}),
        (b"\x00", {"$type": "bytes", "value": "AA=="}),
        (ZoneInfo("Asia/Tokyo"), {"$type": "timezone", "value": "Asia/Tokyo"}),
        (
            UUID("12345678-1234-5678-1234-567812345678"),
            {"$type": "uuid", "value": "12345678-1234-5678-1234-567812345678"},
        ),
        (
            datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
            {"$type": "datetime", "value": "2026-10-25T02:30:00", "zone": "Europe/Berlin", "fold": 1},
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, dict) or "$type" not in value else "",
)
def test_what_is_written_can_be_read_by_people(value, written):
    assert to_plain(value, "value", refuse) == written


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value", [Text("x"), object(), 1j, time(9, tzinfo=UTC)], ids=["subclass", "object", "complex", "time"]
)
def test_other_types_and_subclasses_are_left_to_the_fallback_with_their_place(value):
    with pytest.raises(SerializationError, match=r"args\[0\]\.deep\[1\]: "):
        to_plain({"deep": [0, value]}, "args[0]", refuse)


def test_a_value_that_contains_itself_is_refused():
    value: list = []
    value.append(value)
    with pytest.raises(SerializationError, match="contains itself"):
        to_plain(value, "args[0]", refuse)


@pytest.mark.parametrize(
    "written",
    [
        {"$type": "date", "value": "yesterday"},
        {"$type": "datetime"},
        {"$type": "datetime", "value": "2026-01-01T00:00:00", "zone": "Mars/Olympus"},
        {"$type": "bytes", "value": "%"},
        {"$type": "tuple", "value": 3},
        {"$type": "set", "value": [[]]},
        {"$type": "os.system", "value": "true"},
        {"$type": ["date"], "value": "2026-03-29"},
    ],
    ids=repr,
)
def test_a_damaged_value_is_refused(written):
    with pytest.raises(SerializationError):
        from_plain([written], unknown)
