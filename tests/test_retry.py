"""What may be said of retries, and what is said of what may not."""

from datetime import timedelta

import pytest

from mainspring.retry import Retry, class_reference

DEFAULTS = {
    "attempts": 3,
    "delay": 1.0,
    "backoff": 2.0,
    "jitter": 0.0,
    "longest_delay": 3600.0,
    "on": [],
    "not_on": [],
}


class Outer:
    class InnerError(Exception):
        pass


def test_what_holds_where_nothing_is_said():
    assert Retry().to_dict() == DEFAULTS


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("attempts", 1, 1),
        ("delay", 2, timedelta(seconds=2)),
        ("delay", 0.5, timedelta(seconds=0.5)),
        ("delay", 0, timedelta(0)),
        ("delay", timedelta(minutes=1), timedelta(minutes=1)),
        ("jitter", 3, timedelta(seconds=3)),
        ("longest_delay", 4, timedelta(seconds=4)),
        ("backoff", 1, 1),
        ("backoff", 1.5, 1.5),
        ("on", OSError, ("builtins:OSError",)),
        ("on", "builtins:OSError", ("builtins:OSError",)),
        ("on", [OSError, "builtins:KeyError"], ("builtins:OSError", "builtins:KeyError")),
        ("on", (one for one in [OSError]), ("builtins:OSError",)),
        ("on", BaseException, ("builtins:BaseException",)),
        ("not_on", Outer.InnerError, (f"{__name__}:Outer.InnerError",)),
    ],
)
def test_values_are_kept_in_one_form(name, value, kept):
    assert getattr(Retry(**{name: value}), name) == kept


@pytest.mark.parametrize(
    ("name", "value", "kind", "words"),
    [
        ("attempts", 0, ValueError, "attempts must be a whole number of 1 or more, got 0"),
        ("attempts", True, ValueError, "attempts must be a whole number of 1 or more, got True"),
        ("attempts", 2.0, ValueError, "attempts must be a whole number of 1 or more, got 2.0"),
        ("attempts", "3", ValueError, "attempts must be a whole number of 1 or more, got '3'"),
        ("backoff", 0.99, ValueError, "backoff must be a number of 1 or more, got 0.99"),
        ("backoff", "2", ValueError, "backoff must be a number of 1 or more, got '2'"),
        ("backoff", float("nan"), ValueError, "backoff must be a number of 1 or more, got nan"),
        ("delay", -1, ValueError, "delay must be a number of seconds or a timedelta of 0 or more, got -1"),
        ("delay", timedelta(-1), ValueError, "delay must be a number of seconds or a timedelta of 0 or more"),
        (
            "delay",
            "5s",
            ValueError,
            "delay must be a number of seconds or a timedelta of 0 or more, got '5s'",
        ),
        ("jitter", -1, ValueError, "jitter must be a number of seconds"),
        ("longest_delay", None, ValueError, "longest_delay must be a number of seconds"),
        ("on", 5, TypeError, "on must be classes of errors, got 5"),
        (
            "on",
            int,
            TypeError,
            "on must be classes of errors or references to them such as 'builtins:OSError', got",
        ),
        ("on", "OSError", TypeError, "such as 'builtins:OSError', got 'OSError'"),
        ("on", [OSError, 5], TypeError, "such as 'builtins:OSError', got 5"),
        ("on", ["OSError"], TypeError, "did you mean 'builtins:OSError'?"),
        ("not_on", [OSError()], TypeError, "not_on must be classes of errors or references"),
    ],
)
def test_what_can_not_be_is_refused_with_what_can(name, value, kind, words):
    with pytest.raises(kind) as caught:
        Retry(**{name: value})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (5, Retry(attempts=5)),
        ({"attempts": 4, "delay": 2}, Retry(4, 2)),
        ({}, Retry()),
        (Retry(7), Retry(7)),
    ],
)
def test_what_a_retry_is_made_of(value, meant):
    assert Retry.of(value) == meant


def test_plain_values_make_an_equal_one():
    retry = Retry(5, 2, 3, 4, 50, on=(OSError, "a.b:C"), not_on=KeyError)
    assert Retry.of(retry.to_dict()) == retry


@pytest.mark.parametrize("value", [True, 1.5, "3", None, [3]])
def test_it_is_not_made_of_something_else(value):
    with pytest.raises(TypeError) as caught:
        Retry.of(value)
    assert str(caught.value) == (
        "retry must be a Retry, a dict of its arguments, a number of attempts or None, "
        f"got {type(value).__name__} {value!r}"
    )


def test_a_misspelt_key_is_answered_with_the_nearest():
    with pytest.raises(TypeError, match=r"key in retry.*'attemps'.*'attempts'"):
        Retry.of({"attemps": 3})


def test_a_class_is_known_by_its_module_and_its_whole_name():
    assert class_reference(Outer.InnerError) == f"{__name__}:Outer.InnerError"
