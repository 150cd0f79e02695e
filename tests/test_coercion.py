import pickle

import pytest

from mainspring.coercion import NamesParameters, asbool, asint, nearest, undefined, unknown_name


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


class Counting(NamesParameters):
    """A metaclass that wants to see each call."""

    made = 0

    def __call__(cls, *args, **kwargs):
        Counting.made += 1
        return super().__call__(*args, **kwargs)


class Plain(metaclass=NamesParameters):
    def __init__(self, size):
        self.size = size


class Counted(Plain, metaclass=Counting):
    pass


def test_what_is_made_of_keywords_at_once_is_what_the_call_makes():
    assert Plain.made_of({"size": 3}).size == 3
    with pytest.raises(TypeError, match="Plain: unknown parameter 'sise'; did you mean 'size'"):
        Plain.made_of({"sise": 3})
    assert Counted.made_of({"size": 3}).size == 3
    assert Counting.made == 1
