import pickle

import pytest

from mainspring.coercion import asbool, asint, nearest, undefined, unknown_name


@pytest.mark.parametrize("value", ["true", "YES", " on ", "y", "t", "1", True, 1], ids=repr)
def test_yes(value):
    assert asbool(value) is True


@pytest.mark.parametrize("value", ["false", "No", "off", "n", "f", "0", False, 0, None], ids=repr)
def test_no(value):
    assert asbool(value) is False


def test_neither_yes_nor_no():
    with pytest.raises(ValueError, match="'perhaps'"):
        asbool("perhaps")


@pytest.mark.parametrize(
    ("value", "expected"), [("20", 20), (20, 20), (None, None), (2.0, 2), ("-3", -3)], ids=repr
)
def test_whole_numbers(value, expected):
    assert asint(value) == expected


@pytest.mark.parametrize("value", ["x", 2.5, "2.5", [], ""], ids=repr)
def test_no_whole_numbers(value):
    with pytest.raises(ValueError, match="whole number"):
        asint(value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("time_zone", "timezone"), ("timezon", "timezone"), ("job-defaults", "job_defaults"), ("xyz", None)],
)
def test_the_nearest_name(name, expected):
    assert nearest(name, ["timezone", "job_defaults", "logger"]) == expected


def test_a_name_that_is_near_to_none_is_answered_by_all():
    assert unknown_name("option", "xyz", ["b", "a"]) == "unknown option 'xyz'; valid: a, b"


def test_undefined_is_one_thing_and_false():
    assert not undefined
    assert pickle.loads(pickle.dumps(undefined)) is undefined
    assert repr(undefined) == "<undefined>"
