"""What messages show of values that programs give."""

from __future__ import annotations

import pytest

from mainspring import BackgroundScheduler
from mainspring.printable import shown


def nested(kind, depth=5_000):
    value = kind()
    for _ in range(depth):
        value = {"k": value} if kind is dict else kind([value])
    return value


class Unshowable:
    def __repr__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "value", [5, "a'b", [1, "two"], {"a": 1}, (None,), {3}, 1.5, b"x", print, True], ids=repr
)
def test_what_is_short_is_shown_as_it_is(value):
    assert shown(value) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        "x" * 5_000_000,
        b"x" * 5_000_000,
        10**5_000,
        [["x" * 1_000] * 1_000] * 1_000,
        nested(list),
        nested(dict),
        nested(tuple),
    ],
    ids=["text", "bytes", "number", "many", "list", "dict", "tuple"],
)
def test_what_is_large_or_deep_is_shown_in_short(value):
    assert len(shown(value)) < 30_000
    assert len(shown({"in": [value]})) < 30_000


def test_what_cannot_show_itself_is_named_by_its_type():
    assert "Unshowable" in shown(Unshowable())
    assert "Unshowable" in shown([Unshowable()])


OPTIONS = [
    "id",
    "name",
    "tags",
    "group",
    "metadata",
    "executor",
    "jobstore",
    "retry",
    "timeout",
    "around_run",
    "max_runs",
    "priority",
]


@pytest.mark.parametrize(
    "option", [*OPTIONS, "max_instances", "misfire_grace_time", "overlap", "trigger", "func", "next_run_time"]
)
@pytest.mark.parametrize("kind", [list, tuple])
def test_values_that_are_nested_too_deeply_are_refused_like_others(option, kind):
    scheduler = BackgroundScheduler(timezone="UTC")
    options = {"func": print, option: nested(kind)}
    with pytest.raises((TypeError, ValueError)) as raised:
        scheduler.add_job(**options)
    assert len(str(raised.value)) < 2_000
    assert scheduler.get_jobs() == []


def test_what_is_no_text_is_no_jobs_id(make_scheduler, tmp_path):
    scheduler = make_scheduler(
        jobstores={"default": {"type": "sqlalchemy", "url": f"sqlite:///{tmp_path}/a.sqlite"}}, start=True
    )
    for value in (5, None, b"a", 1.5, nested(tuple)):
        assert scheduler.get_job(value) is None
        with pytest.raises(KeyError):
            scheduler.remove_job(value)
    assert scheduler.get_runs(5) == []
